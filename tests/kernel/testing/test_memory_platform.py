from __future__ import annotations

import pytest

from kindling.errors import EngineLostError, RunError
from kindling.hooks.platform import SessionSpec, SharedRef
from kindling.schemas import parse_schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession, lazy
from kindling.testing.rows import arrow_table


@pytest.fixture
def session() -> MemorySession:
    made = MemoryPlatform({}).open_session(SessionSpec("t"))
    assert isinstance(made, MemorySession)
    return made


def test_maps_are_refused(session: MemorySession) -> None:
    schema = parse_schema("m map<string,int>")
    with pytest.raises(RunError) as caught:
        session.from_arrow(arrow_table(schema, []), schema)
    assert str(caught.value) == (
        "KDL-TEST-001: column 'm' is a map\n"
        "  why: the memory platform of kindling.testing has no maps\n"
        "  do: use an array of structs, or another platform"
    )


def test_a_frame_that_was_not_shared_is_refused(session: MemorySession) -> None:
    with pytest.raises(EngineLostError) as caught:
        session.attach(SharedRef("old", "mine"))
    assert str(caught.value) == ("KDL-INFRA-011: the shared frame 'mine' is gone\n  why: engine old is gone")


def test_foreign_frames_and_statements_are_refused(session: MemorySession) -> None:
    with pytest.raises(TypeError, match=r"^'frame' is not a frame of the memory platform$"):
        lazy("frame")
    with pytest.raises(TypeError, match=r"^'DELETE FROM t' is not a query$"):
        session.sql("DELETE FROM t", {})


def test_a_platform_that_computes_says_that_it_cannot_cancel() -> None:
    platform = MemoryPlatform({})
    with platform.working("t"):
        assert platform.cancel("t", 0.0) is False
    assert platform.cancel("t", 0.0) is True


def test_frames_whose_keys_were_dropped_are_refused(session: MemorySession) -> None:
    frame = session.sql("SELECT 1 AS n", {})
    keyed = session.select_with_keys(frame, [("k", "pepper")], {"pepper": b"x"})
    session.close()
    with pytest.raises(RunError) as caught:
        session.preview(keyed, 1)
    assert str(caught.value) == "KDL-TEST-004: the keys of this frame were dropped"


def test_frames_of_polars_own_methods_are_opaque(session: MemorySession) -> None:
    frame = session.sql("SELECT 1 AS n", {})
    assert session.lineage(lazy(frame).select("n"), {"a": frame}) is None
