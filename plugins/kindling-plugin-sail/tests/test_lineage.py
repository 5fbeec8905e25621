from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_sail.session import SailSession

from kindling.testing.rows import frame_of
from kindling.testing.traced_frames import FRAMES, built, told


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.filterwarnings("ignore:WARN WindowExpression")  # one of the frames has no partitions
def test_frames_are_traced_to_their_inputs(session: SailSession, name: str) -> None:
    frame, inputs = built(session, name)
    assert told(session.lineage(frame, inputs)) == FRAMES[name][1]
    assert session.preview(frame, 9) is not None


def test_tracing_asks_the_engine_for_nothing_but_the_names_of_columns(session: SailSession) -> None:
    frame, inputs = built(session, "chain")
    session.schema(frame)
    before = dict(session.wire.requests)
    session.lineage(frame, inputs)
    assert dict(session.wire.requests) == before


def test_functions_over_rows_are_followed_and_those_over_groups_are_opaque(session: SailSession) -> None:
    given: Any = frame_of(session, "id int, note string", [(1, "u")])
    functions: Any = session.frames.functions
    types: Any = session.frames.types
    louder = functions.udf(lambda text: text.upper(), types.StringType())
    assert told(session.lineage(given.select(louder("note").alias("n")), {"a": given})) == "n=T:a.note"
    struct = types.StructType([types.StructField("id", types.IntegerType())])
    grouped = given.mapInArrow(lambda batches: batches, struct)
    assert session.lineage(grouped.select("id"), {"a": given}) is None
