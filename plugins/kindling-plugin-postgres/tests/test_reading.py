from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal

import pyarrow as pa
import pytest
from conftest import PlaceOf
from kindling_plugin_postgres import decoding
from kindling_plugin_postgres.faults import DatabaseLostError
from kindling_plugin_postgres.kinds import stored_type

from kindling.addresses import Slice
from kindling.errors import KindlingError
from kindling.hooks import Frame
from kindling.hooks.storage import ReadRequest
from kindling.intents import overwrite
from kindling.schemas import Schema
from kindling.testing.memory_platform import MemorySession
from kindling.testing.storage_fixtures import Place

Run = Callable[..., list[tuple[object, ...]]]
UTC = timezone.utc
INF = float("inf")


@pytest.fixture
def made(place: Place, schema: str, sql: Run) -> Callable[[str, str], Place]:
    """Make a table behind Kindling's back."""

    def make(columns: str, values: str) -> Place:
        sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        sql(f"CREATE TABLE {schema}.orders ({columns})")
        sql(f"INSERT INTO {schema}.orders VALUES {values}")
        return place

    return make


FOREIGN = [
    ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "string", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    ("jsonb", """'{"b": 1, "a": [true]}'""", "string", '{"a": [true], "b": 1}'),
    ("numeric", "12.5", "decimal(38,18)", Decimal("12.500000000000000000")),
    ("numeric(7,3)", "12.5", "decimal(7,3)", Decimal("12.500")),
    ("varchar(5)", "'ab'", "string", "ab"),
    ("char(4)", "'ab'", "string", "ab"),
    ("name", "'n'", "string", "n"),
    ("oid", "4294967295", "bigint", 4294967295),
    ("interval", "'1 day 02:00'", "string", "1 day 02:00:00"),
    ("time", "'10:00'", "string", "10:00:00"),
    ("inet", "'10.0.0.1/8'", "string", "10.0.0.1/8"),
    ("money", "'1.50'", "string", "$1.50"),
    ("text[]", '\'{a,NULL,"b\\"c"}\'', "array<string>", ["a", None, 'b"c']),
    (
        "uuid[]",
        "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'",
        "array<string>",
        ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ),
    ("numeric(5,1)[]", "'{1.5,NULL}'", "array<decimal(5,1)>", [Decimal("1.5"), None]),
    ("timestamptz(3)", "'2026-01-01 12:00+02'", "timestamp", datetime(2026, 1, 1, 10, tzinfo=UTC)),
    ("float8", "'-Infinity'", "double", -INF),
]


@pytest.mark.parametrize(("kind", "value", "neutral", "found"), FOREIGN)
def test_each_type_of_postgresql_has_a_neutral_one(
    made: Callable[[str, str], Place], kind: str, value: str, neutral: str, found: object
) -> None:
    place = made(f"v {kind}", f"({value}), (NULL)")
    assert place.columns() == {"v": neutral}
    assert sorted(map(repr, place.rows())) == sorted(map(repr, [(found,), (None,)]))


def test_domains_are_what_they_stand_on(place: Place, schema: str, sql: Run) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(
        f"CREATE DOMAIN {schema}.price AS numeric(7,2) NOT NULL; CREATE DOMAIN {schema}.net AS {schema}.price"
    )
    sql(f"CREATE TABLE {schema}.orders (p {schema}.net)")
    sql(f"INSERT INTO {schema}.orders VALUES (1.5)")
    stored = place.store().schema()
    assert stored is not None
    assert stored.ddl() == "`p` decimal(7,2) NOT NULL"
    assert place.rows() == [(Decimal("1.50"),)]


@pytest.mark.parametrize(
    ("kind", "value", "arrow", "why"),
    [
        ("numeric", "'NaN'", "decimal128(38, 18)", "NaN"),
        ("numeric", "1e30", "decimal128(38, 18)", "Precision"),
        ("timestamptz", "'infinity'", "", "timestamp too large (after year 10K): 'infinity'"),
        ("date", "'0044-03-15 BC'", "", "date too small"),
        ("int[]", "'{{1,2},{3,4}}'", "list", "int"),
    ],
)
def test_a_value_without_a_counterpart_fails_the_read(
    made: Callable[[str, str], Place], kind: str, value: str, arrow: str, why: str
) -> None:
    place = made(f"v {kind}", f"({value})")
    with pytest.raises(KindlingError) as caught:
        place.rows()
    lines = str(caught.value).splitlines()
    assert caught.value.code == ("KDL-STORE-314" if arrow else "KDL-STORE-306")
    assert why.split(":", maxsplit=1)[0].lower() in lines[1].lower()
    if arrow:
        assert lines[0].startswith(
            f"KDL-STORE-314: column 'v' of {'.'.join(place.address.parts)!r} has a value that is no {arrow}"
        )
        assert lines[2] == "  do: read a view that casts the column, or leaves such values out"


@pytest.mark.parametrize("kind", ["numeric(60,2)", "numeric(5,-2)", "numeric(3,5)"])
def test_decimals_that_engines_lack_are_refused(made: Callable[[str, str], Place], kind: str) -> None:
    place = made(f"v {kind}", "(0)")
    with pytest.raises(KindlingError) as caught:
        place.rows()
    assert str(caught.value) == (
        f"KDL-STORE-307: column 'v' of {'.'.join(place.address.parts)!r} is {kind}\n"
        "  why: decimals have at most 38 digits, and no more of them behind the point\n"
        "  do: read a view that casts or leaves out the column"
    )


NESTED = [
    ("map<int,decimal(5,2)>", [(1, Decimal("0.10")), (2, None)]),
    ("struct<f:float,d:double,b:binary,t:timestamp,n:timestamp_ntz,y:date,z:boolean>", {
        "f": 0.10000000149011612, "d": float("nan"),
        "b": b"\x00\xff", "t": datetime(2026, 1, 1, 1, 2, 3, 4, UTC),
        "n": datetime(2026, 1, 1, 1, 2, 3, 4), "y": date(1, 1, 1), "z": None}),  # noqa: DTZ001  # a wall clock
    ("array<array<double>>", [[INF, -INF], None, []]),
    ("array<binary>", [b'\\\x00"', None, b""]),
    ("array<string>", ["", 'a"b\\,{}', None, "NULL"]),
    ("array<timestamp>", [datetime(2026, 1, 1, 1, 2, 3, 4, UTC), None]),
    ("array<boolean>", [True, False]),
    ("array<tinyint>", [1, -128]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), NESTED)
def test_nested_values_come_back_as_they_were(kind: str, value: object) -> None:
    from kindling_plugin_postgres.encoding import Encoder
    from kindling_plugin_postgres.kinds import is_nested

    schema = Schema.of(v=kind)
    batch = pa.RecordBatch.from_arrays(
        [pa.array([value, None], decoding.arrow_schema(schema).field(0).type)], ["v"]
    )
    text = b"".join(Encoder("e", schema).pieces(batch)).decode()
    assert stored_type(kind) == ("jsonb" if is_nested(kind) else stored_type(kind))
    if is_nested(kind):
        stored = text.rpartition("\n\n")[0][1:-1].replace('""', '"')
        fetched = iter([[(stored,), (None,)], []])
        (again,) = decoding.batches(lambda _: next(fetched), "e", schema)
        assert repr(again.column(0).to_pylist()) == repr(batch.column(0).to_pylist())


@pytest.mark.parametrize(("kind", "value"), [pair for pair in NESTED if not pair[0].startswith("map")])
def test_nested_values_are_stored_as_they_were(place: Place, kind: str, value: object) -> None:
    place.write(overwrite(), [(1, value), (2, None)], f"k int, v {kind}")
    assert place.columns() == {"k": "int", "v": kind}
    found = repr(place.rows()).replace("zoneinfo.ZoneInfo(key='UTC')", "datetime.timezone.utc")
    assert found == repr([(1, value), (2, None)])


def test_floats_that_are_no_numbers_are_kept(place: Place) -> None:
    rows = [(1, INF, -INF), (2, float("nan"), 5e-324), (3, 1.401298464324817e-45, 1.7976931348623157e308)]
    place.write(overwrite(), rows, "k int, f float, d double")
    assert repr(place.rows()) == repr(rows)


def test_one_column_of_nulls_keeps_its_rows(place: Place) -> None:
    place.write(overwrite(), [(None,), ("",), (None,)], "v string")
    assert place.rows() == [("",), (None,), (None,)]


def test_rows_come_in_batches_of_bounded_size(place: Place) -> None:
    rows = [(n, "x" * 20_000) for n in range(1500)]
    place.write(overwrite(), rows)
    sizes: list[int] = []

    class Counting(MemorySession):
        def from_arrow(self, stream: object, schema: Schema) -> Frame:
            sizes.extend(batch.num_rows for batch in pa.RecordBatchReader.from_stream(stream))
            return None

    session = Counting(place.session.owner, place.session.spec)  # type: ignore[attr-defined]  # a memory session
    place.storage.open(place.address, session).read(ReadRequest())  # type: ignore[attr-defined]  # it reads
    assert sum(sizes) == 1500
    assert sizes[0] == decoding.FIRST_ROWS
    assert max(sizes) < 500


def test_dates_and_wall_clocks_are_sliced_in_utc(made: Callable[[str, str], Place]) -> None:
    place = made(
        'd date, "n%" timestamp',
        "('2026-01-01', '2026-01-01 12:00'), ('2026-01-02', '2026-01-02 12:00'), (NULL, NULL)",
    )
    part = Slice("interval", "2026-01-01T12:00:00Z", "2026-01-02T12:00:00Z")
    assert place.rows("d", column="d", slice=part) == [(date(2026, 1, 2),)]
    assert place.rows("d", column="N%", slice=part) == [(date(2026, 1, 1),)]
    assert place.rows("d", column="d", slice=Slice("key", key="2026-01-01")) == [(date(2026, 1, 1),)]


def test_older_versions_are_gone(place: Place) -> None:
    first = place.write(overwrite(), [(1, "a")]).version
    assert place.rows(version=first) == [(1, "a")]
    newest = place.write(overwrite(), [(2, "b")]).version
    with pytest.raises(KindlingError) as caught:
        place.rows(version=first)
    assert str(caught.value) == (
        f"KDL-STORE-002: {'.'.join(place.address.parts)!r} cannot be read at version {first!r}\n"
        f"  why: PostgreSQL keeps the newest rows only, at version {newest}\n"
        "  do: read the newest version"
    )


def test_a_table_that_is_missing_is_told_by_its_place(place: Place, schema: str) -> None:
    with pytest.raises(KindlingError) as caught:
        place.rows()
    assert str(caught.value) == (
        f"KDL-STORE-001: {schema + '.orders'!r} does not exist\n"
        f"  why: there is no table postgresql:///kindling/{schema}/orders\n"
        "  do: run the pipe that makes it, or correct the location in kindling.toml"
    )


def test_a_read_whose_connection_breaks_may_be_tried_again(place_of: PlaceOf, sql: Run) -> None:
    place = place_of()
    place.write(overwrite(), [(n, "x" * 1000) for n in range(5000)])

    class Cut(MemorySession):
        def from_arrow(self, stream: object, schema: Schema) -> Frame:
            for _ in pa.RecordBatchReader.from_stream(stream):
                sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE pid <> pg_backend_pid() AND application_name = 'kindling'"
                )
            return None

    session = Cut(place.session.owner, place.session.spec)  # type: ignore[attr-defined]  # a memory session
    with pytest.raises(DatabaseLostError) as caught:
        place.storage.open(place.address, session).read(ReadRequest())  # type: ignore[attr-defined]  # it reads
    assert caught.value.transient is True
    assert str(caught.value) == (
        "KDL-STORE-310: the connection to postgresql:///kindling/"
        + "/".join(place.address.parts)
        + " was lost\n"
        "  why: terminating connection due to administrator command (57P01)\n"
        "  do: the task is retried; see that the server runs and can be reached"
    )
