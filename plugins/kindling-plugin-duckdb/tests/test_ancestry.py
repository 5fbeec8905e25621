from __future__ import annotations

import pytest
from kindling_plugin_duckdb.session import DuckDBSession

from kindling.testing.rows import frame_of
from kindling.testing.traced_frames import FRAMES, built, told


@pytest.mark.parametrize("name", FRAMES)
def test_frames_are_traced_to_their_inputs(session: DuckDBSession, name: str) -> None:
    frame, inputs = built(session, name)
    assert told(session.lineage(frame, inputs)) == FRAMES[name][1]


def test_frames_of_stored_rows_are_opaque(session: DuckDBSession) -> None:
    given = frame_of(session, "n int", [(1,)])
    assert session.lineage(frame_of(session, "n int", [(1,)]), {"a": given}) is None


def test_an_input_that_is_no_view_makes_what_is_made_of_it_opaque(session: DuckDBSession) -> None:
    plan = frame_of(session, "n int", [(1,)]).select("n")  # type: ignore[attr-defined]  # a frame of sqlframe
    assert told(session.lineage(plan, {"a": plan})) == "n=a.n"
    assert session.lineage(plan.select("n"), {"a": plan}) is None
