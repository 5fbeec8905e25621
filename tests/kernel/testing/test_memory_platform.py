from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindling.errors import EngineLostError, RunError
from kindling.hooks import Frame
from kindling.hooks.platform import SessionSpec, SharedRef
from kindling.schemas import parse_schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession, lazy
from kindling.testing.rows import arrow_table, frame_of, ordered


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


STEPS = {
    "filter": "SELECT {cols} FROM t WHERE {c0} > 1",
    "compute": "SELECT {c0} AS {o0}, {c0} + {c1} AS {o1}, CASE WHEN {c1} > 1 THEN {c0} END AS {o2} FROM t",
    "group": "SELECT {c0} AS {o0}, sum({c1}) AS {o1}, max({c2}) AS {o2} FROM t GROUP BY {c0}",
    "window": "SELECT {c0} AS {o0}, row_number() OVER (PARTITION BY {c1} ORDER BY {c0}, {c2}) AS {o1},"
    " 1 AS {o2} FROM t",
    "distinct": "SELECT DISTINCT {c0} AS {o0}, {c1} AS {o1}, 2 AS {o2} FROM t",
    "join": "SELECT t.{c0} AS {o0}, u.b AS {o1}, u.c AS {o2} FROM t JOIN u ON t.{c1} = u.a",
    "outer": "SELECT t.{c0} AS {o0}, u.b AS {o1}, t.{c1} AS {o2}"
    " FROM t LEFT JOIN u ON t.{c2} = u.a AND u.c > 0",
    "union": "SELECT {c0} AS {o0}, {c1} AS {o1}, {c2} AS {o2} FROM t"
    " UNION ALL SELECT a, b, c FROM u WHERE c > 1",
    "top": "SELECT {c0} AS {o0}, {c1} AS {o1}, {c2} AS {o2} FROM t ORDER BY {c0}, {c1}, {c2} LIMIT 2",
}
"""Steps over three columns of `t`, and over the input `u`; they make three columns."""
COLUMNS = ("a", "b", "c")
VALUES = st.lists(st.tuples(*(st.integers(0, 3) for _ in COLUMNS)), min_size=1, max_size=4)


def pipeline(session: MemorySession, steps: list[tuple[str, list[str]]], inputs: dict[str, Frame]) -> Frame:
    frame = inputs["t"]
    for step, picked in steps:
        names = {f"c{place}": name for place, name in enumerate(picked)}
        made = {f"o{place}": name for place, name in enumerate(COLUMNS)}
        text = STEPS[step].format(cols=", ".join(COLUMNS), **names, **made)
        frame = session.sql(text, {"t": frame, "u": inputs["u"]})
    return frame


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(STEPS)), st.permutations(COLUMNS)), min_size=1, max_size=3
    ),
    rows=st.tuples(VALUES, VALUES),
    changed=st.tuples(st.sampled_from(["t", "u"]), st.sampled_from(COLUMNS), st.integers(4, 9)),
)
def test_a_column_that_is_no_origin_interferes_with_nothing(
    steps: list[tuple[str, list[str]]],
    rows: tuple[list[tuple[int, ...]], list[tuple[int, ...]]],
    changed: tuple[str, str, int],
) -> None:
    session = MemoryPlatform({}).open_session(SessionSpec("law"))
    assert isinstance(session, MemorySession)
    given_rows = dict(zip(("t", "u"), rows, strict=True))
    entity, column, other = changed
    place = COLUMNS.index(column)
    altered = [
        (*row[:place], (row[place] * 7 + number * 5 + other) % 11, *row[place + 1 :])
        for number, row in enumerate(given_rows[entity])
    ]
    schema = "a int, b int, c int"
    before = {name: frame_of(session, schema, some) for name, some in given_rows.items()}
    after = {**before, entity: frame_of(session, schema, altered)}
    frame = pipeline(session, steps, before)
    lineage = session.lineage(frame, before)
    assert lineage is not None
    touched = (entity, column)
    if touched in {(one.entity, one.column) for one in lineage.rows}:
        return
    free = [
        name
        for name, origins in lineage.columns
        if touched not in {(one.entity, one.column) for one in origins}
    ]
    seen = [
        ordered(session.preview(session.select(one, [(name, name) for name in free]), 1000).rows)
        if free
        else []
        for one in (frame, pipeline(session, steps, after))
    ]
    assert seen[0] == seen[1]
    counts = [
        dict(session.aggregate(one, [("n", "count(*)")])) for one in (frame, pipeline(session, steps, after))
    ]
    assert counts[0] == counts[1]
