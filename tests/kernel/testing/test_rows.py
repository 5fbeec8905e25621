from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kindling.hooks.platform import SessionSpec
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.rows import arrow_rows, arrow_table, frame_of, literal, ordered, rows_of, sql_frame

CELLS = st.tuples(
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8),
)


@given(st.lists(CELLS, max_size=4))
@settings(max_examples=25, deadline=None)
def test_arrow_tables_hold_the_rows_that_they_were_made_from(rows: list[tuple[object, ...]]) -> None:
    assert arrow_rows(arrow_table("a int, b string", rows)) == rows


def test_a_frame_of_sql_equals_a_frame_of_arrow() -> None:
    session = MemoryPlatform({}).open_session(SessionSpec("t"))
    moment = datetime(2026, 1, 1, 23, tzinfo=timezone(timedelta(hours=-2)))
    schema = "i int, s string, b boolean, d date, t timestamp, x decimal(5,2)"
    rows = [(1, "it's \\ ä", True, date(2026, 1, 1), moment, Decimal("1.50")), (None,) * 6]
    made = [rows_of(session, build(session, schema, rows)) for build in (sql_frame, frame_of)]
    in_utc = (*rows[0][:4], moment.astimezone(timezone.utc), Decimal("1.50"))
    assert ordered(made[0]) == ordered(made[1]) == ordered([in_utc, rows[1]])


def test_a_value_without_a_literal_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^\[1\] has no literal$"):
        literal([1])
