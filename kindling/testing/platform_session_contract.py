"""What every session promises: Spark SQL semantics, neutral schemas, failing casts. No features here."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.schemas import Schema, parse_schema
from kindling.testing.platform_fixtures import OpenSession, PlatformFixtures
from kindling.testing.rows import Row, ordered, sql_frame

PEOPLE = "id int, name string, score double"
ROWS: list[Row] = [(1, "ada", 1.5), (2, None, -2.0), (3, "eve", None)]

SPARK_TYPES = [
    ("count(*)", "bigint"),
    ("count(name)", "bigint"),
    ("sum(id)", "bigint"),
    ("sum(CAST(id AS BIGINT))", "bigint"),
    ("sum(score)", "double"),
    ("avg(id)", "double"),
    ("max(id)", "int"),
    ("min(name)", "string"),
]
SPARK_SCALARS = [
    ("row_number() OVER (ORDER BY id)", "int"),
    ("id + 1", "int"),
    ("id / 2", "double"),
    ("length(name)", "int"),
    ("upper(name)", "string"),
    ("id > 1", "boolean"),
    ("CAST(id AS DECIMAL(10,2))", "decimal(10,2)"),
    ("CAST(id AS SMALLINT)", "smallint"),
    ("1", "int"),
    ("'a'", "string"),
    ("TRUE", "boolean"),
]
UNFIT = [
    ("'abc'", "string", "int"),
    ("'3000000000'", "string", "int"),
    ("3000000000", "bigint", "int"),
    ("300", "int", "tinyint"),
    ("'2020-13-45'", "string", "date"),
    ("123456", "bigint", "decimal(4,2)"),
]


class SessionTests(PlatformFixtures):
    """Schema, select, where, cast, aggregate, sql, fail_when, preview."""

    @pytest.fixture
    def people(self, session: Session) -> Frame:
        """Give three rows with nulls."""
        return sql_frame(session, PEOPLE, ROWS)

    def test_frames_of_the_session_are_told_from_other_objects(self, session: Session, people: Frame) -> None:
        assert session.is_frame(people) is True
        assert [session.is_frame(other) for other in (None, "people", [], object())] == [False] * 4

    def test_the_frame_api_makes_columns_that_frames_take(self, session: Session, people: Frame) -> None:
        api = session.frames
        assert api.window is not None
        assert api.types is not None
        column = api.functions.col("id").alias("number")  # type: ignore[attr-defined]  # whichever engine's
        selected = people.select(column)  # type: ignore[attr-defined]  # whichever engine's
        assert session.is_frame(selected)
        assert session.schema(selected).names == ("number",)

    @pytest.mark.parametrize(("expression", "kind"), SPARK_TYPES)
    def test_aggregates_have_the_types_that_spark_gives(
        self, session: Session, people: Frame, expression: str, kind: str
    ) -> None:
        assert types(session, session.select(people, [("x", expression)])) == [("x", kind)]

    @pytest.mark.parametrize(("expression", "kind"), SPARK_SCALARS)
    def test_expressions_have_the_types_that_spark_gives(
        self, session: Session, people: Frame, expression: str, kind: str
    ) -> None:
        assert types(session, session.select(people, [("x", expression)])) == [("x", kind)]

    def test_a_schema_is_found_without_computing(self, session: Session, people: Frame) -> None:
        failing = session.fail_when(people, {"BOOM": "id = 1"})
        assert session.schema(failing).names == ("id", "name", "score")

    def test_select_keeps_the_order_of_its_aliases(self, session: Session, people: Frame) -> None:
        frame = session.select(people, [("z", "id"), ("a", "id * 10"), ("m", "name")])
        assert session.schema(frame).names == ("z", "a", "m")
        assert rows(session, frame) == ordered([(1, 10, "ada"), (2, 20, None), (3, 30, "eve")])

    def test_select_takes_spark_sql_expressions(self, session: Session, people: Frame) -> None:
        expressions = [
            "coalesce(name, '?')",
            "CASE WHEN score > 0 THEN 'plus' WHEN score < 0 THEN 'minus' END",
            "concat(name, '-', CAST(id AS STRING))",
            "`id` % 2 = 0",
            "name IS NULL AND score BETWEEN -3 AND 0",
        ]
        frame = session.select(people, [(f"c{place}", text) for place, text in enumerate(expressions)])
        assert rows(session, frame) == ordered(
            [
                ("ada", "plus", "ada-1", False, False),
                ("?", "minus", None, True, True),
                ("eve", None, "eve-3", False, False),
            ]
        )

    def test_where_keeps_only_rows_whose_condition_is_true(self, session: Session, people: Frame) -> None:
        assert rows(session, session.where(people, "score > 0")) == [(1, "ada", 1.5)]
        assert rows(session, session.where(people, "NOT score > 0")) == [(2, None, -2.0)]
        assert rows(session, session.where(people, "score IS NULL OR name = 'ada'")) == ordered(
            [(1, "ada", 1.5), (3, "eve", None)]
        )

    def test_cast_gives_exactly_the_columns_asked_for_in_their_order(
        self, session: Session, people: Frame
    ) -> None:
        wanted = parse_schema("score double, id bigint")
        frame = session.cast(people, wanted)
        assert types(session, frame) == [("score", "double"), ("id", "bigint")]
        assert rows(session, frame) == ordered([(1.5, 1), (-2.0, 2), (None, 3)])

    @pytest.mark.parametrize(("value", "given", "kind"), UNFIT)
    def test_a_value_that_does_not_fit_its_type_fails_and_never_becomes_null(
        self, session: Session, value: str, given: str, kind: str
    ) -> None:
        frame = session.sql(f"SELECT CAST({value} AS {given}) AS v", {})
        with pytest.raises(Exception):  # noqa: B017, PT011  # whichever the engine raises
            session.preview(session.cast(frame, Schema.of(v=kind)), 5)

    def test_casting_a_fraction_to_a_whole_number_cuts_it_or_is_refused(self, session: Session) -> None:
        frame = sql_frame(session, "v double", [(2.7,), (-2.7,)])
        try:
            found = rows(session, session.cast(frame, Schema.of(v="int")))
        except Exception:  # noqa: BLE001  # refusing is allowed, whichever the error
            return
        assert found == ordered([(2,), (-2,)])

    def test_cast_keeps_nulls(self, session: Session) -> None:
        frame = sql_frame(session, "v string, w double", [("7", None), (None, 2.0)])
        assert rows(session, session.cast(frame, parse_schema("v int, w double"))) == ordered(
            [(7, None), (None, 2.0)]
        )

    def test_text_is_cast_to_dates_and_instants(self, session: Session) -> None:
        frame = sql_frame(session, "d string, t string", [("2020-02-29", "2020-02-29 23:59:59")])
        cast = session.cast(frame, parse_schema("d date, t timestamp"))
        checks = [("y", "year(d) * 10000 + month(d) * 100 + day(d)"), ("h", "hour(t) * 100 + minute(t)")]
        assert rows(session, session.select(cast, checks)) == [(20200229, 2359)]

    def test_aggregate_gives_values_by_alias(self, session: Session, people: Frame) -> None:
        wanted = [("n", "count(*)"), ("named", "count(name)"), ("total", "sum(id)"), ("best", "max(score)")]
        found = session.aggregate(people, wanted)
        assert dict(found) == {"n": 3, "named": 2, "total": 6, "best": 1.5}

    def test_an_aggregate_of_no_rows_counts_zero_and_sums_null(self, session: Session, people: Frame) -> None:
        none = session.where(people, "id > 100")
        assert dict(session.aggregate(none, [("n", "count(*)"), ("total", "sum(id)")])) == {
            "n": 0,
            "total": None,
        }

    def test_sql_joins_groups_and_nests(self, session: Session, people: Frame) -> None:
        cities = sql_frame(session, "who int, city string", [(1, "Bonn"), (1, "Rome"), (3, "Rome")])
        text = (
            "WITH lived AS (SELECT p.name, c.city FROM people p JOIN cities c ON p.id = c.who)"
            " SELECT city, count(*) AS n, min(name) AS first FROM lived GROUP BY city HAVING count(*) > 0"
        )
        frame = session.sql(text, {"people": people, "cities": cities})
        assert types(session, frame) == [("city", "string"), ("n", "bigint"), ("first", "string")]
        assert rows(session, frame) == ordered([("Bonn", 1, "ada"), ("Rome", 2, "ada")])

    def test_one_table_name_may_stand_for_different_frames_in_two_queries(self, session: Session) -> None:
        made = [
            session.sql("SELECT n + 1 AS n FROM t", {"t": sql_frame(session, "n int", [(number,)])})
            for number in (10, 20, 30)
        ]
        assert [rows(session, frame) for frame in made] == [[(11,)], [(21,)], [(31,)]]

    def test_nulls_come_first_in_ascending_and_last_in_descending_order(
        self, session: Session, people: Frame
    ) -> None:
        up = session.sql("SELECT id FROM t ORDER BY name", {"t": people})
        down = session.sql("SELECT id FROM t ORDER BY name DESC", {"t": people})
        assert [row[0] for row in session.preview(up, 9).rows] == [2, 1, 3]
        assert [row[0] for row in session.preview(down, 9).rows] == [3, 1, 2]

    def test_windows_order_nulls_like_queries_do(self, session: Session, people: Frame) -> None:
        text = (
            "SELECT id, row_number() OVER (ORDER BY name) AS up,"
            " row_number() OVER (ORDER BY name DESC) AS down FROM t"
        )
        assert rows(session, session.sql(text, {"t": people})) == ordered([(1, 2, 2), (2, 1, 3), (3, 3, 1)])

    def test_fail_when_lets_good_rows_pass(self, session: Session, people: Frame) -> None:
        guarded = session.fail_when(people, {"NEGATIVE": "id < 0", "LOW": "score < -100"})
        assert session.schema(guarded) == session.schema(people)
        assert rows(session, guarded) == ordered(ROWS)

    def test_fail_when_fails_while_computing_and_names_the_marker(
        self, session: Session, people: Frame
    ) -> None:
        guarded = session.fail_when(people, {"M-GOOD": "id < 0", "M-BAD": "score < 0"})
        with pytest.raises(Exception, match="M-BAD"):
            session.preview(guarded, 10)

    def test_fail_when_reaches_through_later_steps(self, session: Session, people: Frame) -> None:
        guarded = session.fail_when(people, {"M-BAD": "name = 'eve'"})
        later = session.select(session.where(guarded, "id > 0"), [("n", "id + 1"), ("s", "name")])
        with pytest.raises(Exception, match="M-BAD"):
            session.preview(later, 10)

    def test_a_condition_that_is_null_is_not_bad(self, session: Session, people: Frame) -> None:
        guarded = session.fail_when(people, {"M-BAD": "score > 100"})
        assert len(session.preview(guarded, 10).rows) == 3

    def test_preview_brings_no_more_rows_than_asked(self, session: Session, people: Frame) -> None:
        found = session.preview(session.sql("SELECT id, name FROM t ORDER BY id", {"t": people}), 2)
        assert found.columns == ("id", "name")
        assert [tuple(row) for row in found.rows] == [(1, "ada"), (2, None)]

    def test_columns_and_values_of_any_script_survive(self, session: Session) -> None:
        frame = sql_frame(session, "größe int, `имя` string, `長 さ` string", [(1, "Łódź", "日本 🙂")])
        chosen = session.select(frame, [("ñ", "`größe` + 1"), ("имя", "`имя`"), ("長 さ", "`長 さ`")])
        assert session.schema(chosen).names == ("ñ", "имя", "長 さ")
        assert rows(session, session.where(chosen, "`имя` = 'Łódź'")) == [(2, "Łódź", "日本 🙂")]

    def test_an_empty_frame_keeps_its_schema(self, session: Session, people: Frame) -> None:
        none = session.where(people, "1 = 0")
        assert session.schema(none) == session.schema(people)
        found = session.preview(none, 10)
        assert (found.columns, len(found.rows)) == (("id", "name", "score"), 0)

    def test_decimals_stay_exact(self, session: Session) -> None:
        frame = sql_frame(session, "d decimal(20,4)", [(Decimal("1234567890123456.7891"),)])
        summed = session.select(frame, [("x", "d"), ("twice", "CAST(d + d AS DECIMAL(22,4))")])
        assert rows(session, summed) == [(Decimal("1234567890123456.7891"), Decimal("2469135780246913.5782"))]

    def test_instants_are_shown_in_utc(self, session: Session) -> None:
        moment = datetime(2020, 6, 1, 23, 30, tzinfo=timezone.utc)
        frame = sql_frame(session, "t timestamp", [(moment,)])
        assert types(session, frame) == [("t", "timestamp")]
        assert rows(session, session.select(frame, [("h", "hour(t)"), ("d", "day(t)")])) == [(23, 1)]

    def test_closing_a_session_twice_leaves_the_others_alive(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        frame = sql_frame(second, "n int", [(1,)])
        first.close()
        first.close()
        assert rows(second, frame) == [(1,)]


def types(session: Session, frame: Frame) -> list[tuple[str, str]]:
    """Return a frame's columns and their neutral types."""
    return [(field.name, field.type) for field in session.schema(frame).fields]


def rows(session: Session, frame: Frame) -> list[Row]:
    """Return a frame's rows in the order of their values, without need of any feature."""
    return ordered(session.preview(frame, 1000).rows)
