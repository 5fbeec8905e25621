from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from conftest import PlaceOf
from kindling_plugin_postgres.bookkeeping import KEPT_COMMITS
from kindling_plugin_postgres.layout import check_names
from kindling_plugin_postgres.servers import place_of as place_of_address
from server import USER, PostgresServer

from kindling.errors import CommitConflictError, KindlingError, PolicyError, StoreError
from kindling.intents import append, merge, overwrite
from kindling.schemas import Schema
from kindling.testing.rows import frame_of
from kindling.testing.storage_fixtures import Place

Run = Callable[..., list[tuple[object, ...]]]
ROWS = [(1, "a"), (2, "b")]


@pytest.fixture
def table(schema: str) -> str:
    return f'"{schema}".orders'


def refused(call: Callable[[], object]) -> KindlingError:
    with pytest.raises(KindlingError) as caught:
        call()
    return caught.value


def text_of(call: Callable[[], object]) -> str:
    return str(refused(call))


@pytest.mark.parametrize("drift", ["fail", "evolve", "replace"])
def test_rights_and_views_survive_an_overwrite(place: Place, table: str, sql: Run, drift: str) -> None:
    place.write(overwrite(), ROWS)
    sql("DROP ROLE IF EXISTS reader")
    sql("CREATE ROLE reader")
    sql(f"GRANT SELECT ON {table} TO reader")
    sql(f"CREATE VIEW {table}_view AS SELECT k, v FROM {table}")
    place.write(
        overwrite(),
        [(3, "c", 1)] if drift == "evolve" else [(3, "c")],
        "k int, v string, n int" if drift == "evolve" else "k int, v string",
        drift=drift,
    )
    assert sql(f"SELECT * FROM {table}_view") == [(3, "c")]
    assert sql("SELECT has_table_privilege('reader', %s, 'SELECT')", table) == [(True,)]
    sql("DROP OWNED BY reader; DROP ROLE reader")


def test_readers_neither_wait_nor_see_half_of_an_overwrite(
    place: Place, table: str, sql: Run, server: PostgresServer
) -> None:
    place.write(overwrite(), ROWS)
    with psycopg.connect(server.uri) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert old.execute(f"SELECT count(*) FROM {table}").fetchone() == (2,)
        seen = []
        place.write(
            overwrite(), [(3, "c")], guard=lambda: seen.append(sql(f"SELECT * FROM {table} ORDER BY k"))
        )
        assert seen == [ROWS, ROWS]
        assert sql(f"SELECT * FROM {table}") == [(3, "c")]
        assert old.execute(f"SELECT * FROM {table} ORDER BY k").fetchall() == ROWS


def test_a_column_that_a_view_needs_stays(place: Place, table: str, sql: Run) -> None:
    place.write(overwrite(), ROWS)
    sql(f"CREATE VIEW {table}_view AS SELECT v FROM {table}")
    before = place.version()
    error = refused(lambda: place.write(overwrite(), [(1,)], "k int", drift="replace"))
    assert str(error).splitlines() == [
        "KDL-STORE-305: the columns of " + repr(place_name(place)) + " cannot change",
        "  why: cannot drop column v of table "
        + table.replace('"', "")
        + " because other objects depend on it (2BP01): a view or another object depends on them",
        "  do: drop what depends on the table, run again, and create it anew",
    ]
    assert (place.version(), place.rows()) == (before, ROWS)
    assert (
        refused(lambda: place.write(overwrite(), [(1, 2)], "k int, v int", drift="replace")).code
        == "KDL-STORE-305"
    )


def place_name(place: Place) -> str:
    return ".".join(place.address.parts)


def test_a_replaced_declaration_may_change_types_and_nulls(place: Place, sql: Run, table: str) -> None:
    place.write(overwrite(), ROWS, "k int NOT NULL, v string")
    place.write(overwrite(), [("x", "y")], "k string, v string NOT NULL", drift="replace")
    schema = place.store().schema()
    assert schema is not None
    assert schema.ddl() == "`k` string, `v` string NOT NULL"


def test_what_may_not_be_null_is_refused_by_its_column(place: Place) -> None:
    place.write(overwrite(), ROWS, "k int, v string NOT NULL")
    frame = frame_of(place.session, "k int, v string", [(1, None), (2, "b")])
    assert text_of(lambda: place.write_frame(append(), frame, "k int, v string NOT NULL")) == (
        f"KDL-STORE-312: column 'v' of {place_name(place)!r} must not be null, but 1 of its rows are\n"
        "  do: leave rows without it out, or declare the column as nullable"
    )
    place.write(append(), [(1, None)], "k int, v string")
    assert place.rows("v") == [("a",), ("b",), (None,)]


NUL = [
    ("string", "a\0b"),
    ("array<string>", ["x", "a\0b"]),
    ("struct<a:string>", {"a": "\0"}),
]


@pytest.mark.parametrize(("kind", "value"), NUL)
def test_a_nul_character_is_refused_by_its_column(place: Place, kind: str, value: object) -> None:
    assert text_of(lambda: place.write(overwrite(), [(1, value)], f"k int, v {kind}")) == (
        f"KDL-STORE-313: column 'v' of {place_name(place)!r} has a text with a NUL character\n"
        "  why: PostgreSQL stores none\n"
        "  do: remove it in the pipe: translate(v, char(0), ''), or use binary"
    )
    assert place.version() is None
    place.write(overwrite(), [(1, "\\u0000"), (2, "\\.\n\\.")])
    assert place.rows() == [(1, "\\u0000"), (2, "\\.\n\\.")]


def test_names_of_any_case_and_script_are_kept(place_of: PlaceOf) -> None:
    name = 'Or"ders %s; DROP'
    place = place_of(name)
    schema = '`Key` int, `select` string, `a"b%c` string, `äöü長` string'
    for _ in range(2):
        place.write(merge(on=["key"]), [(1, "s", "x", "y")], schema)
    assert list(place.columns()) == ["Key", "select", 'a"b%c', "äöü長"]
    assert place.rows() == [(1, "s", "x", "y")]


LONG = "ä" * 32


@pytest.mark.parametrize(
    ("name", "columns", "what", "why", "do"),
    [
        (
            LONG,
            "k int",
            f"the table {LONG!r}",
            "it has 64 bytes, PostgreSQL keeps 63",
            "choose another name or naming.template",
        ),
        (
            "t",
            f"{LONG} int",
            f"the column {LONG!r}",
            "it has 64 bytes, PostgreSQL keeps 63",
            "rename it in the pipe",
        ),
        (
            "t",
            "xmin int",
            "the column 'xmin'",
            "each table has a system column of that name",
            "rename it in the pipe",
        ),
    ],
)
def test_names_that_would_be_cut_are_refused(
    place_of: PlaceOf, name: str, columns: str, what: str, why: str, do: str
) -> None:
    place = place_of(name)
    assert text_of(lambda: place.write(overwrite(), [(1,)], columns)) == (
        f"KDL-STORE-308: {what} of {place_name(place)!r} is no name in PostgreSQL\n  why: {why}\n  do: {do}"
    )


def test_columns_that_differ_are_told_side_by_side(place: Place) -> None:
    place.write(overwrite(), ROWS)
    assert text_of(lambda: place.write(append(), [(1, 2)], "k int, n int")) == (
        f"KDL-STORE-320: the columns of {place_name(place)!r} differ from those of its pipe\n"
        "  why: the table has (k int, v string), the pipe gives (k int, n int)\n"
        '  do: declare drift="evolve" to add columns and widen types, or drift="warn" to ignore them'
    )
    for drift, why in (("evolve", "types only widen"), ("warn", 'drift="warn" changes no type')):
        assert text_of(lambda d=drift: place.write(append(), [(1, 2)], "k int, v int", drift=d)) == (
            f"KDL-STORE-321: column 'v' of {place_name(place)!r} is string and cannot become int\n"
            f"  why: {why}\n  do: cast it in the pipe to string, or give the new column another name"
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tinyint", "smallint"),
        ("int", "bigint"),
        ("float", "double"),
        ("decimal(5,2)", "decimal(9,3)"),
        ("date", "timestamp_ntz"),
        ("int", "decimal(12,2)"),
        ("bigint", "decimal(19,0)"),
    ],
)
def test_types_widen_in_place(place: Place, old: str, new: str) -> None:
    place.write(overwrite(), [(1, None)], f"k int, v {old}")
    commit = place.write(append(), [(2, None)], f"k int, v {new}", drift="evolve")
    assert place.columns() == {"k": "int", "v": new}
    assert commit.warnings == (f"column 'v': {old} widened to {new}",)
    again = place.write(append(), [(3, None)], f"k int, v {old}", drift="warn")
    assert again.warnings == (f"column 'v': {old} stored as {new}",)
    assert place.rows("k") == [(1,), (2,), (3,)]


def test_missing_columns_get_their_defaults(place: Place, table: str, sql: Run) -> None:
    place.write(overwrite(), ROWS)
    sql(f"ALTER TABLE {table} ALTER COLUMN v SET DEFAULT 'none'")
    commit = place.write(merge(on=["k"]), [(1,), (3,)], "k int", drift="warn")
    assert place.rows() == [(1, "a"), (2, "b"), (3, "none")]
    assert commit.warnings == ("column 'v': not in the pipe's result, its default in new rows",)


def test_partitions_are_not_made_and_this_is_said(place: Place) -> None:
    assert place.write(overwrite(), ROWS, partition_by=("v",)).warnings == (
        f"{place_name(place)!r} is not partitioned: PostgreSQL would need a table for each value",
    )


def test_a_merge_counts_and_leaves_equal_rows_alone(place: Place, table: str, sql: Run) -> None:
    place.write(merge(on=["k"]), [(1, "a", float("nan")), (2, "b", None)], "k int, v string, d double")
    before = sql(f"SELECT xmin::text FROM {table} WHERE k = 1")
    commit = place.write(
        merge(on=["K"]), [(1, "a", float("nan")), (2, "b", 0.5), (3, "c", None)], "K int, v string, d double"
    )
    assert dict(commit.metrics) == {"rows_inserted": 1, "rows_updated": 1}
    assert sql(f"SELECT xmin::text FROM {table} WHERE k = 1") == before


def test_a_merge_of_keys_alone_inserts_only(place: Place) -> None:
    place.write(merge(on=["k"]), [(1,)], "k int")
    assert place.write(merge(on=["k"]), [(1,), (2,)], "k int").rows == 1


def test_bad_keys_are_shown(place: Place) -> None:
    for rows, shown, why in (
        ([(None, "x")], "k=None", "'k' is null"),
        ([(7, "x"), (7, "y")], "k=7", "2 rows share it"),
    ):
        assert text_of(lambda r=rows: place.write(merge(on=["k"]), r)) == (
            f"KDL-STORE-010: the rows for {place_name(place)!r} have the key ({shown})\n"
            f"  why: {why}; a key is not null and occurs once\n"
            "  do: use k.dedupe(df, on=['k'], order_by=...) in the pipe, or correct the key"
        )
    assert text_of(lambda: place.write(merge(on=["x"]), ROWS)) == (
        f"KDL-STORE-317: merge(on=) of {place_name(place)!r} names the column 'x'\n"
        "  why: its columns are k, v\n  do: name a column that the pipe returns"
    )


def test_a_table_of_other_tools_is_adopted_with_its_own_types(
    place: Place, schema: str, sql: Run, table: str
) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE TYPE {schema}.mood AS ENUM ('sad', 'ok')")
    sql(f"CREATE TABLE {table} (id uuid PRIMARY KEY, mood {schema}.mood, j json, c varchar(3))")
    row = ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ok", '{"a": 1}', "abc")
    columns = "id string, mood string, j string, c string"
    for change in (row, (row[0], "sad", '{"a": 1}', "x")):
        place.write(merge(on=["id"]), [change], columns.replace("id string", "id string NOT NULL"))
        assert place.rows() == [change]
    before = place.version()
    assert text_of(
        lambda: place.write(
            append(), [(row[0], "ok", "{}", "abcd")], columns.replace("id string", "id string NOT NULL")
        )
    ) == (
        f"KDL-STORE-306: {place_name(place)!r} refuses the write\n"
        "  why: value too long for type character varying(3) (22001)"
    )
    double = refused(lambda: place.write(append(), [row], columns.replace("id string", "id string NOT NULL")))
    assert (double.code, row[0] in str(double)) == ("KDL-STORE-306", False)
    assert place.version() == before


def test_a_view_is_not_written(place: Place, schema: str, sql: Run) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE VIEW {schema}.orders AS SELECT 1 AS k, 'a'::text AS v")
    assert place.rows() == [(1, "a")]
    assert text_of(lambda: place.write(append(), ROWS)) == (
        f"KDL-STORE-316: {place_name(place)!r} cannot be written\n"
        f"  why: postgresql:///kindling/{schema}/orders is a view, a partitioned or a foreign table\n"
        "  do: give the entity another place"
    )


def test_a_table_of_another_app_is_refused(place: Place, schema: str) -> None:
    place.write(overwrite(), ROWS)
    error = refused(lambda: place.write(overwrite(), ROWS, info=place.info(app="crm")))
    assert isinstance(error, PolicyError)
    assert str(error) == (
        f"KDL-POL-001: {place_name(place)!r} belongs to the app 'shop' in 'test'\n"
        "  why: this run is app 'crm' in 'test'\n"
        f"  where: postgresql:///kindling/{schema}/orders\n"
        "  do: give the entity another location, or read it with app.ref()"
    )


def test_two_entities_do_not_share_a_joined_schema(place: Place, schema: str) -> None:
    base = place.address.uri.removesuffix(f"{schema}/orders")
    first, second = ((schema, "a_b", "orders"), (f"{schema}_a", "b", "orders"))
    for parts in (first, second):
        place.address = place.address.replace(parts=parts, uri=base + "/".join(parts))
        if parts == first:
            place.write(overwrite(), ROWS)
    assert text_of(lambda: place.write(overwrite(), ROWS)) == (
        f"KDL-STORE-315: the table of '{schema}_a.b.orders' is that of '{schema}.a_b.orders'\n"
        f"  why: the names of both become {schema}_a_b.orders\n"
        "  do: rename one of them, or choose another naming.template"
    )


def test_a_login_without_rights_is_told_so(place: Place, sql: Run) -> None:
    place.write(overwrite(), ROWS)
    sql("DROP ROLE IF EXISTS stranger")
    sql("CREATE ROLE stranger LOGIN")
    place.address = place.address.replace(uri=place.address.uri.replace(f"user={USER}", "user=stranger"))
    assert text_of(lambda: place.write(overwrite(), ROWS)) == (
        f"KDL-STORE-304: {place_name(place)!r} may not be written\n"
        "  why: permission denied for schema kindling (42501)\n"
        "  do: grant the login the rights that the plugin's README lists"
    )


def test_a_writer_that_waits_too_long_may_try_again(
    place_of: PlaceOf, table: str, server: PostgresServer
) -> None:
    place = place_of(lock_timeout_s=1)
    place.write(overwrite(), ROWS)
    with psycopg.connect(server.uri) as other:
        other.execute(f"UPDATE {table} SET v = 'z'")
        error = refused(lambda: place.write(overwrite(), [(3, "c")]))
        assert isinstance(error, CommitConflictError)
        assert error.transient is True
        assert str(error) == (
            f"KDL-STORE-311: another transaction is in the way of {place_name(place)!r}\n"
            "  why: canceling statement due to lock timeout (55P03)\n"
            "  do: the task is planned again and retried"
        )
        other.rollback()
    assert place.rows() == ROWS


def test_columns_that_change_while_rows_are_computed_are_a_conflict(
    place: Place, table: str, sql: Run
) -> None:
    place.write(overwrite(), ROWS)
    done: list[object] = []

    def guard() -> None:
        if not done:
            done.append(sql(f"ALTER TABLE {table} ADD COLUMN n int"))

    assert text_of(lambda: place.write(append(), ROWS, guard=guard)) == (
        f"KDL-STORE-311: another transaction is in the way of {place_name(place)!r}\n"
        "  why: its columns changed, or it was made, while the rows were computed\n"
        "  do: the task is planned again and retried"
    )


@pytest.mark.parametrize("exists", [True, False])
def test_writers_at_once_lose_no_row(place_of: PlaceOf, *, exists: bool) -> None:
    if exists:
        place_of().write(append(), [])
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        place = place_of()
        barrier.wait(30)
        for turn in range(3):
            info = place.info(run_id=f"w{number}-{turn}", fingerprint=f"w{number}-{turn}")
            while True:
                try:
                    place.write(append(), [(number, str(turn))], info=info)
                    break
                except CommitConflictError:
                    continue

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert place_of().rows() == [(number, str(turn)) for number in range(4) for turn in range(3)]


def test_writers_at_once_write_the_same_task_once(place_of: PlaceOf) -> None:
    place_of().write(append(), [])
    info = place_of().info(run_id="same", fingerprint="same")
    with ThreadPoolExecutor(3) as pool:
        commits = list(pool.map(lambda _: place_of().write(append(), ROWS, info=info), range(3)))
    assert len({commit.version for commit in commits}) == 1
    assert place_of().rows() == ROWS


def test_only_the_newest_commits_are_remembered(place: Place, table: str, sql: Run) -> None:
    for _ in range(2):
        place.write(overwrite(), ROWS)
    mine = f"relid = '{table}'::regclass"
    sql(f"UPDATE kindling.kindling_commits SET number = {KEPT_COMMITS} + 1 WHERE number = 2 AND {mine}")
    place.write(overwrite(), ROWS)
    assert sql(f"SELECT number - {KEPT_COMMITS} FROM kindling.kindling_commits WHERE {mine} ORDER BY 1") == [
        (1,),
        (2,),
    ]


def test_a_dropped_table_is_forgotten(place: Place, table: str, sql: Run) -> None:
    info = place.info()
    place.write(append(), ROWS, info=info)
    sql(f"DROP TABLE {table}")
    assert place.version() is None
    place.write(append(), ROWS, info=info)
    assert place.rows() == ROWS


def test_an_error_of_a_write_is_a_store_error(place: Place, table: str, sql: Run) -> None:
    place.write(overwrite(), ROWS)
    sql(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK (k < 10)")
    error = refused(lambda: place.write(append(), [(99, "secret-row")]))
    assert isinstance(error, StoreError)
    assert "secret-row" not in str(error)
    assert error.code == "KDL-STORE-306"


def test_a_nul_character_is_in_no_name(place: Place) -> None:
    assert text_of(
        lambda: check_names("gold.a", place_of_address(place.address), Schema.of(**{"a\0": "int"}))
    ) == (
        "KDL-STORE-308: the column 'a\\x00' of 'gold.a' is no name in PostgreSQL\n"
        "  why: it holds a NUL character\n"
        "  do: rename it in the pipe"
    )
