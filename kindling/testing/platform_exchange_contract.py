"""What the exchange features promise: Arrow, files, Delta tables, SQL statements."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from kindling.errors import KindlingError
from kindling.hooks.arrow import neutral_schema
from kindling.hooks.platform import ArrowIn, ArrowOut, PathRead, Paths, PathWrite, Session, Sql
from kindling.schemas import Field, Schema, parse_schema
from kindling.testing.offers import needs
from kindling.testing.platform_fixtures import PlatformFixtures
from kindling.testing.platform_session_contract import rows, types
from kindling.testing.rows import Row, arrow_rows, arrow_table, ordered, sql_frame

UTC = timezone.utc
VALUES: list[tuple[str, list[object]]] = [
    ("tinyint", [-128, 127, None]),
    ("smallint", [-32768, 32767, None]),
    ("int", [-(2**31), 2**31 - 1, None]),
    ("bigint", [-(2**63), 2**63 - 1, None]),
    ("float", [0.5, -1.25, None]),
    ("double", [0.1, -1e300, None]),
    ("boolean", [True, False, None]),
    ("string", ["", "ä 中 🙂", None]),
    ("binary", [b"", b"\x00\xff", None]),
    ("date", [date(1900, 1, 1), date(2999, 12, 31), None]),
    ("timestamp", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, 999999, UTC), None]),
    ("timestamp_ntz", [datetime(1970, 1, 1), datetime(2024, 2, 29, 23, 59, 59, 999999), None]),  # noqa: DTZ001  # a wall clock
    ("decimal(10,2)", [Decimal("-12345678.90"), Decimal("0.01"), None]),
    ("decimal(38,10)", [Decimal("1234567890123456789012345678.0123456789"), None]),
    ("array<int>", [[1, None, 3], [], None]),
    ("struct<a:int,b:string>", [{"a": 1, "b": "x"}, {"a": None, "b": None}, None]),
    ("map<string,bigint>", [[("k", 1), ("l", None)], [], None]),
    ("array<struct<a:int,b:array<string>>>", [[{"a": 1, "b": ["x"]}], [], None]),
]


class ExchangeTests(PlatformFixtures):
    """Features `arrow-in`, `arrow-out`, `paths`, `delta-native`, `spark-sql`."""

    @needs("arrow-in", "arrow-out")
    @pytest.mark.parametrize(("kind", "values"), VALUES)
    def test_each_neutral_type_travels_unchanged_or_is_refused(
        self, session: Session, kind: str, values: list[object]
    ) -> None:
        assert isinstance(session, ArrowIn)
        assert isinstance(session, ArrowOut)
        schema = Schema((Field("k", "int"), Field("v", kind)))
        given = arrow_table(schema, enumerate(values))
        if kind in self.refused_types:
            with pytest.raises(KindlingError):
                session.from_arrow(given, schema)
            return
        frame = session.from_arrow(given, schema)
        assert types(session, frame) == [("k", "int"), ("v", kind)]
        found = session.to_arrow(frame)
        assert arrow_types(found) == [("k", "int"), ("v", kind)]
        assert ordered(arrow_rows(found)) == ordered(arrow_rows(given))

    @needs("arrow-in")
    def test_arrow_instants_stay_the_same_instants(self, session: Session) -> None:
        assert isinstance(session, ArrowIn)
        schema = parse_schema("t timestamp")
        moment = datetime(2020, 6, 1, 23, 30, tzinfo=UTC)
        frame = session.from_arrow(arrow_table(schema, [(moment,)]), schema)
        assert rows(session, session.select(frame, [("h", "hour(t)"), ("d", "day(t)")])) == [(23, 1)]

    @needs("arrow-in")
    def test_a_stream_of_several_batches_is_taken(self, session: Session) -> None:
        import pyarrow as pa

        assert isinstance(session, ArrowIn)
        schema = parse_schema("n int")
        table = pa.table(arrow_table(schema, [(number,) for number in range(10)]))
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=3))
        frame = session.from_arrow(reader, schema)
        assert dict(session.aggregate(frame, [("n", "count(*)"), ("s", "sum(n)")])) == {"n": 10, "s": 45}
        assert rows(session, session.where(frame, "n > 7")) == [(8,), (9,)]

    @needs("arrow-in", "arrow-out")
    def test_an_empty_frame_has_its_schema_in_arrow(self, session: Session) -> None:
        assert isinstance(session, ArrowIn)
        assert isinstance(session, ArrowOut)
        schema = parse_schema("n int, größe decimal(10,2), t timestamp")
        found = session.to_arrow(session.from_arrow(arrow_table(schema, []), schema))
        assert arrow_types(found) == [("n", "int"), ("größe", "decimal(10,2)"), ("t", "timestamp")]
        assert arrow_rows(found) == []

    @needs("arrow-out")
    def test_arrow_has_the_types_of_the_schema(self, session: Session) -> None:
        assert isinstance(session, ArrowOut)
        frame = sql_frame(session, "n int, d double", [(1, 0.5), (2, None)])
        text = (
            "SELECT count(*) AS c, sum(n) AS s, max(n) AS m, avg(d) AS a,"
            " CAST(sum(n) AS DECIMAL(12,2)) AS x FROM t"
        )
        made = session.sql(text, {"t": frame})
        assert arrow_types(session.to_arrow(made)) == types(session, made)

    @needs("arrow-out")
    def test_arrow_keeps_the_order_of_a_query(self, session: Session) -> None:
        assert isinstance(session, ArrowOut)
        frame = sql_frame(session, "n int", [(2,), (None,), (3,), (1,)])
        made = session.sql("SELECT n FROM t ORDER BY n DESC", {"t": frame})
        assert arrow_rows(session.to_arrow(made)) == [(3,), (2,), (1,), (None,)]

    @needs("arrow-out")
    def test_a_failing_frame_fails_on_its_way_to_arrow(self, session: Session) -> None:
        assert isinstance(session, ArrowOut)
        bad = session.fail_when(sql_frame(session, "n int", [(1,)]), {"M-BAD": "n = 1"})
        with pytest.raises(Exception, match="M-BAD"):
            arrow_rows(session.to_arrow(bad))

    @needs("paths")
    def test_parquet_files_are_written_and_read(self, session: Session, tmp_path: Path) -> None:
        given: list[Row] = [(1, "ä"), (2, None)]
        target = str(tmp_path / "größe")
        save(session, "n int, s string", given, PathWrite("parquet", target, "error"))
        frame = load(session, PathRead("parquet", (target,), parse_schema("n int, s string")))
        assert types(session, frame) == [("n", "int"), ("s", "string")]
        assert rows(session, frame) == given

    @needs("paths")
    def test_parquet_modes_append_overwrite_and_refuse(self, session: Session, tmp_path: Path) -> None:
        target = str(tmp_path / "t")
        save(session, "n int", [(1,)], PathWrite("parquet", target, "error"))
        save(session, "n int", [(2,)], PathWrite("parquet", target, "append"))
        assert rows(session, load(session, PathRead("parquet", (target,)))) == [(1,), (2,)]
        with pytest.raises(Exception):  # noqa: B017, PT011  # whichever the engine raises
            save(session, "n int", [(3,)], PathWrite("parquet", target, "error"))
        save(session, "n int", [(4,)], PathWrite("parquet", target, "overwrite"))
        assert rows(session, load(session, PathRead("parquet", (target,)))) == [(4,)]

    @needs("paths")
    def test_several_parquet_folders_are_read_as_one_frame(self, session: Session, tmp_path: Path) -> None:
        targets = tuple(str(tmp_path / name) for name in ("one", "two"))
        for number, target in enumerate(targets):
            save(session, "n int", [(number,)], PathWrite("parquet", target, "error"))
        assert rows(session, load(session, PathRead("parquet", targets))) == [(0,), (1,)]

    @needs("paths")
    def test_parquet_is_partitioned_as_asked(self, session: Session, tmp_path: Path) -> None:
        target = tmp_path / "t"
        where = PathWrite("parquet", str(target), "error", partition_by=("p",))
        save(session, "n int, p string", [(1, "a"), (2, "b")], where)
        assert sorted(path.name for path in target.iterdir() if path.is_dir()) == ["p=a", "p=b"]

    @needs("delta-native")
    def test_a_delta_commit_carries_its_metadata(self, session: Session, tmp_path: Path) -> None:
        target = tmp_path / "t"
        where = PathWrite("delta", str(target), "overwrite", user_metadata='{"kindling":"ä"}')
        save(session, "n int, s string", [(1, "ä"), (2, None)], where)
        assert rows(session, load(session, PathRead("delta", (str(target),)))) == [(1, "ä"), (2, None)]
        assert '{"kindling":"ä"}' in [found.get("userMetadata") for found in commits(target)]

    @needs("delta-native")
    def test_delta_appends_overwrites_and_reads_older_versions(
        self, session: Session, tmp_path: Path
    ) -> None:
        target = str(tmp_path / "t")
        save(session, "n int", [(1,)], PathWrite("delta", target, "overwrite"))
        save(session, "n int", [(2,)], PathWrite("delta", target, "append"))
        save(session, "n int", [(3,)], PathWrite("delta", target, "overwrite"))
        found = [rows(session, load(session, PathRead("delta", (target,), version=v))) for v in (0, 1, None)]
        assert found == [[(1,)], [(1,), (2,)], [(3,)]]

    @needs("delta-native")
    def test_delta_takes_a_new_schema_only_where_asked(self, session: Session, tmp_path: Path) -> None:
        target = str(tmp_path / "t")
        save(session, "n int", [(1,)], PathWrite("delta", target, "overwrite"))
        where = PathWrite("delta", target, "overwrite", overwrite_schema=True)
        save(session, "m string, k bigint", [("x", 5)], where)
        frame = load(session, PathRead("delta", (target,)))
        assert types(session, frame) == [("m", "string"), ("k", "bigint")]

    @needs("delta-native")
    def test_nothing_is_visible_of_a_failed_delta_write(self, session: Session, tmp_path: Path) -> None:
        assert isinstance(session, Paths)
        target = tmp_path / "t"
        save(session, "n int", [(1,)], PathWrite("delta", str(target), "overwrite"))
        before = len(list(commits(target)))
        bad = session.fail_when(sql_frame(session, "n int", [(2,)]), {"M-BAD": "n = 2"})
        with pytest.raises(Exception, match="M-BAD"):
            session.save(bad, PathWrite("delta", str(target), "append"))
        assert len(list(commits(target))) == before
        assert rows(session, load(session, PathRead("delta", (str(target),)))) == [(1,)]

    @needs("spark-sql")
    def test_a_statement_brings_its_rows(self, session: Session) -> None:
        assert isinstance(session, Sql)
        found = session.execute("SELECT 1 AS a, 'x' AS b")
        assert found.columns == ("a", "b")
        assert [tuple(row) for row in found.rows] == [(1, "x")]

    @needs("spark-sql", "delta-native")
    def test_a_statement_changes_a_delta_table_by_its_path(self, session: Session, tmp_path: Path) -> None:
        assert isinstance(session, Sql)
        target = str(tmp_path / "t")
        save(session, "n int", [(1,), (2,)], PathWrite("delta", target, "overwrite"))
        session.execute(f"DELETE FROM delta.`{target}` WHERE n = 1")  # noqa: S608  # a constant
        assert rows(session, load(session, PathRead("delta", (target,)))) == [(2,)]


def save(session: Session, schema: str, given: list[Row], target: PathWrite) -> None:
    """Write rows through a session."""
    assert isinstance(session, Paths)
    session.save(sql_frame(session, schema, given), target)


def load(session: Session, source: PathRead) -> object:
    """Read through a session."""
    assert isinstance(session, Paths)
    return session.load(source)


def arrow_types(stream: object) -> list[tuple[str, str]]:
    """Return the neutral types of Arrow data; the stream is not consumed."""
    schema = stream.schema  # type: ignore[attr-defined]  # a Table or a RecordBatchReader
    return [(field.name, field.type) for field in neutral_schema(schema).fields]


def commits(table: Path) -> Iterator[dict[str, object]]:
    """Yield the commit information of a Delta table, oldest first.

    Source: Delta transaction log protocol, "Commit Provenance Information".
    """
    for log in sorted((table / "_delta_log").glob("*.json")):
        for line in log.read_text(encoding="utf-8").splitlines():
            action = json.loads(line)
            if "commitInfo" in action:
                yield action["commitInfo"]
