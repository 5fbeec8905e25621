"""What a platform's lineage promises: the same origins on every engine, and none where it does not know."""

from __future__ import annotations

import pytest

from kindling.hooks import Frame
from kindling.hooks.platform import Session, Traces
from kindling.lineage import ColumnLineage, Origin
from kindling.testing.offers import needs
from kindling.testing.platform_fixtures import PlatformFixtures
from kindling.testing.rows import Row, sql_frame

ORDERS = "id int, who int, amount double, note string"
PEOPLE = "id int, name string, city string"
ORDER_ROWS: list[Row] = [(1, 1, 2.5, "a"), (2, 1, 4.0, None), (3, 2, None, "b")]
PEOPLE_ROWS: list[Row] = [(1, "ada", "Bonn"), (2, "eve", "Rome")]

SQL_CASES: list[tuple[str, dict[str, str], str]] = [
    ("SELECT id, note AS remark FROM o", {"id": "o.id", "remark": "o.note"}, ""),
    ("SELECT * FROM o", {"id": "o.id", "who": "o.who", "amount": "o.amount", "note": "o.note"}, ""),
    ("SELECT id + who AS s, CAST(amount AS STRING) AS t, 1 AS one FROM o",
     {"s": "T:o.id T:o.who", "t": "T:o.amount", "one": ""}, ""),
    ("SELECT CASE WHEN amount > 3 THEN note ELSE '?' END AS c FROM o", {"c": "I:o.amount T:o.note"}, ""),
    ("SELECT note FROM o WHERE amount > 1", {"note": "o.note"}, "o.amount"),
    ("SELECT who, sum(amount) AS total, count(*) AS n FROM o GROUP BY who",
     {"who": "o.who", "total": "A:o.amount", "n": ""}, "o.who"),
    ("SELECT max(amount) + 1 AS m FROM o HAVING min(id) > 0", {"m": "A:o.amount"}, "o.id"),
    ("SELECT sum(x) AS s FROM (SELECT amount * 2 AS x FROM o) AS q", {"s": "A:o.amount"}, ""),
    ("SELECT id, row_number() OVER (PARTITION BY who ORDER BY amount) AS r FROM o",
     {"id": "o.id", "r": "I:o.amount I:o.who"}, ""),
    ("SELECT id, max(amount) OVER (PARTITION BY who) AS s FROM o",
     {"id": "o.id", "s": "A:o.amount I:o.who"}, ""),
    ("SELECT o.note, p.name FROM o JOIN p ON o.who = p.id",
     {"note": "o.note", "name": "p.name"}, "o.who p.id"),
    ("SELECT o.note, p.name FROM o LEFT JOIN p ON o.who = p.id AND p.city <> 'Rome'",
     {"note": "o.note", "name": "p.name"}, "o.who p.city p.id"),
    ("SELECT o.note, p.name FROM o CROSS JOIN p", {"note": "o.note", "name": "p.name"}, ""),
    ("SELECT id, name FROM p UNION ALL SELECT id, note FROM o",
     {"id": "o.id p.id", "name": "o.note p.name"}, ""),
    ("SELECT DISTINCT city FROM p", {"city": "p.city"}, "p.city"),
    ("SELECT name FROM p ORDER BY city LIMIT 1", {"name": "p.name"}, "p.city"),
    ("WITH big AS (SELECT who FROM o WHERE amount > 3) SELECT p.name FROM big JOIN p ON big.who = p.id",
     {"name": "p.name"}, "o.amount o.who p.id"),
]  # fmt: skip
"""A query over `o` and `p`, the origins of its columns, and of its rows. Prefixes: Transformation,
Aggregation, Indirect."""
_HOWS = {"T": "transformation", "A": "aggregation", "I": "indirect"}


def told(columns: dict[str, str], rows: str) -> ColumnLineage:
    """Return lineage as the cases write it."""
    return ColumnLineage(
        tuple(
            (name, tuple(_origin(one, "identity") for one in text.split())) for name, text in columns.items()
        ),
        tuple(_origin(one, "indirect") for one in rows.split()),
    )


def _origin(text: str, how: str) -> Origin:
    kind, _, place = text.rpartition(":")
    entity, _, column = place.partition(".")
    return Origin({"o": "silver.orders", "p": "silver.people"}[entity], column, _HOWS.get(kind, how))


class TraceTests(PlatformFixtures):
    """Feature `lineage`."""

    @pytest.fixture
    def orders(self, session: Session) -> Frame:
        """Give the rows of one input."""
        return sql_frame(session, ORDERS, ORDER_ROWS)

    @pytest.fixture
    def persons(self, session: Session) -> Frame:
        """Give the rows of another."""
        return sql_frame(session, PEOPLE, PEOPLE_ROWS)

    @needs("lineage")
    @pytest.mark.parametrize(("text", "columns", "rows"), SQL_CASES, ids=range(len(SQL_CASES)))
    def test_columns_and_rows_come_from_what_a_query_says(
        self, session: Session, orders: Frame, persons: Frame, text: str, columns: dict[str, str], rows: str
    ) -> None:
        frame = session.sql(text, {"o": orders, "p": persons})
        found = traces(session).lineage(frame, {"silver.orders": orders, "silver.people": persons})
        assert found == told(columns, rows)

    @needs("lineage")
    def test_lineage_goes_through_each_step_of_a_session(self, session: Session, orders: Frame) -> None:
        first = session.where(session.select(orders, [("k", "who"), ("v", "amount * 2")]), "k > 0")
        frame = session.sql("SELECT k, v FROM t WHERE v > 1", {"t": first})
        assert traces(session).lineage(frame, {"silver.orders": orders}) == told(
            {"k": "o.who", "v": "T:o.amount"}, "o.amount o.who"
        )

    @needs("lineage")
    def test_tracing_stops_at_inputs_however_they_were_made(self, session: Session, orders: Frame) -> None:
        read = session.select(session.where(orders, "amount > 1"), [("id", "id"), ("x", "amount")])
        frame = session.select(read, [("y", "x")])
        found = traces(session).lineage(frame, {"silver.orders": read})
        assert found == ColumnLineage((("y", (Origin("silver.orders", "x"),)),))

    @needs("lineage")
    def test_an_input_that_is_returned_is_its_own_origin(self, session: Session, persons: Frame) -> None:
        assert traces(session).lineage(persons, {"silver.people": persons}) == told(
            {"id": "p.id", "name": "p.name", "city": "p.city"}, ""
        )

    @needs("lineage")
    def test_inputs_of_equal_rows_are_told_apart(self, session: Session) -> None:
        one, two = (sql_frame(session, PEOPLE, PEOPLE_ROWS) for _ in range(2))
        frame = session.sql("SELECT a.name, b.city FROM a JOIN b ON a.id = b.id", {"a": one, "b": two})
        found = traces(session).lineage(frame, {"silver.orders": one, "silver.people": two})
        assert found == told({"name": "o.name", "city": "p.city"}, "o.id p.id")

    @needs("lineage")
    def test_columns_are_told_in_their_own_spelling(self, session: Session) -> None:
        frame = sql_frame(session, "`Größe` int, `id` int", [(1, 2)])
        made = session.select(frame, [("Straße", "`Größe`"), ("b", "`id`")])
        assert traces(session).lineage(made, {"silver.orders": frame}) == told(
            {"Straße": "o.Größe", "b": "o.id"}, ""
        )

    @needs("lineage")
    def test_lineage_computes_nothing(self, session: Session, orders: Frame) -> None:
        failing = session.fail_when(orders, {"BOOM": "id = 1"})
        frame = session.select(failing, [("id", "id")])
        found = traces(session).lineage(frame, {"silver.orders": failing})
        assert found == told({"id": "o.id"}, "")

    @needs("lineage", "arrow-in")
    def test_a_frame_from_elsewhere_is_opaque_or_of_no_input(self, session: Session, orders: Frame) -> None:
        other = sql_frame(session, PEOPLE, PEOPLE_ROWS)
        frame = session.sql("SELECT p.name, o.note FROM o JOIN p ON o.who = p.id", {"o": orders, "p": other})
        found = traces(session).lineage(frame, {"silver.orders": orders})
        assert found in (None, told({"name": "", "note": "o.note"}, "o.who"))


def traces(session: Session) -> Traces:
    """Return a session as what it declares to be."""
    if not isinstance(session, Traces):
        pytest.fail(f"{session!r} has no lineage")
    return session
