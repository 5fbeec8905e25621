from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import PlaceOf
from kindling_plugin_postgres import probe
from server import PASSWORD, USER, PostgresServer

from kindling.addresses import Address
from kindling.hooks.storage import COMMIT_KEY
from kindling.intents import append, merge, overwrite
from kindling.testing.storage_fixtures import Place

Run = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def table(place: Place, schema: str) -> str:
    place.write(overwrite(), [(1, "a"), (2, "b")])
    return f'"{schema}".orders'


BEHIND = [
    "INSERT INTO {t} VALUES (3, 'c')",
    "UPDATE {t} SET v = 'z'",
    "DELETE FROM {t} WHERE k = 1",
    "TRUNCATE {t}",
    "SET session_replication_role = replica; DELETE FROM {t}",
    "ALTER TABLE {t} ADD COLUMN n int",
    "ALTER TABLE {t} ALTER COLUMN v TYPE varchar(9)",
    "BEGIN; CREATE TABLE {t}2 AS TABLE {t}; DROP TABLE {t}; ALTER TABLE {t}2 RENAME TO orders; COMMIT",
    "ALTER TABLE {t} DISABLE TRIGGER ALL; DELETE FROM {t} WHERE k = 1",
]


@pytest.mark.parametrize("statement", BEHIND)
def test_a_change_behind_kindlings_back_is_a_new_version(
    place: Place, table: str, sql: Run, statement: str
) -> None:
    before = place.version()
    assert place.version() == before
    sql(statement.format(t=table))
    changed = place.version()
    assert changed != before
    assert place.version() == changed
    commit = probe.committed(place.address, COMMIT_KEY)
    assert commit is None or commit[0] == before


def test_looking_analysing_and_vacuuming_change_nothing(place: Place, table: str, sql: Run) -> None:
    before = place.version()
    sql(f"SELECT * FROM {table}")
    sql(f"ANALYZE {table}")
    sql(f"VACUUM {table}")
    sql(f"BEGIN; DELETE FROM {table}; ROLLBACK")
    assert place.version() == before


def test_kindlings_next_commit_folds_foreign_changes_in(place: Place, table: str, sql: Run) -> None:
    sql(f"INSERT INTO {table} VALUES (3, 'c')")
    commit = place.write(append(), [(4, "d")])
    assert commit.version == place.version()
    assert probe.committed(place.address, COMMIT_KEY) == (
        commit.version,
        probe.cursor(place.address, COMMIT_KEY),
    )
    assert sql("SELECT count(*) FROM kindling.kindling_changes c WHERE c.relid = %s::regclass", table) == [
        (0,)
    ]


def test_a_merge_that_changes_nothing_keeps_the_version(place: Place) -> None:
    place.write(merge(on=["k"]), [(1, "a")])
    before = place.version()
    commit = place.write(merge(on=["k"]), [(1, "a")])
    assert (commit.version, commit.rows) == (before, 0)
    moved = place.write(merge(on=["k"]), [(1, "a")], info=place.info(cursors={"bronze.a": "7"}))
    assert moved.version != before


def test_a_table_of_somebody_else_has_a_version_by_its_rows(place: Place, schema: str, sql: Run) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE TABLE {schema}.orders (k int, v text)")
    seen = [place.version()]
    for statement in (
        "INSERT INTO {t} VALUES (1, 'a'), (2, 'b')",
        "UPDATE {t} SET v = v WHERE k = 1",
        "BEGIN; DELETE FROM {t} WHERE k = 1; INSERT INTO {t} VALUES (1, 'a'); COMMIT",
        "DELETE FROM {t} WHERE k = 1",
    ):
        sql(statement.format(t=f"{schema}.orders"))
        seen.append(place.version())
        sql(f"VACUUM {schema}.orders")
        assert place.version() == seen[-1]
    assert len(set(seen)) == 5
    assert probe.committed(place.address, COMMIT_KEY) is None


def test_a_view_counts_as_changed_always(place: Place, schema: str, sql: Run) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE VIEW {schema}.orders AS SELECT 1 AS k")
    assert place.version() != place.version()


def test_a_partitioned_table_is_compared_with_its_parts(place: Place, schema: str, sql: Run) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE TABLE {schema}.orders (k int) PARTITION BY LIST (k)")
    sql(f"CREATE TABLE {schema}.one PARTITION OF {schema}.orders FOR VALUES IN (1)")
    before = place.version()
    sql(f"INSERT INTO {schema}.one VALUES (1)")
    assert place.version() != before
    assert place.rows() == [(1,)]


def test_another_key_has_no_text(place: Place, table: str) -> None:
    assert probe.cursor(place.address, "another") is None


def test_a_probe_logs_in_with_the_projects_secrets(server: PostgresServer, place: Place, schema: str) -> None:
    commit = place.write(overwrite(), [(1, "a")])
    uri = f"{server.tcp_uri}/{schema}/orders"
    address = Address("postgres", "db", (schema, "orders"), uri=uri, credential="secret://v/login")
    opened = probe.open_probe({"secret://v/login": f"{USER}:{PASSWORD}"}.__getitem__)
    assert opened.version(address) == commit.version
    assert opened.committed(address, COMMIT_KEY) == (commit.version, opened.cursor(address, COMMIT_KEY))
    opened.close()
    assert opened.version(address) == commit.version
    opened.close()


def test_a_probe_asks_again_after_its_connection_was_cut(place: Place, table: str, sql: Run) -> None:
    opened = probe.open_probe(None)
    before = opened.version(place.address)
    sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND application_name = 'kindling'"
    )
    assert opened.version(place.address) == before
    del opened  # its connection ends with it: an open one would warn


def test_a_database_that_is_away_is_an_error_of_the_system() -> None:
    address = Address("postgres", "db", ("a",), uri="postgresql:///db?host=/nowhere&port=1/a")
    with pytest.raises(ConnectionError, match="the connection to postgresql:///db was lost: "):
        probe.version(address)


def test_a_probe_without_rights_says_so(place_of: PlaceOf, place: Place, table: str, sql: Run) -> None:
    sql("DROP ROLE IF EXISTS outsider")
    sql("CREATE ROLE outsider LOGIN")
    uri = place.address.uri.replace(f"user={USER}", "user=outsider")
    outside = place.address.replace(uri=uri)
    with pytest.raises(
        Exception, match=r"KDL-STORE-304.*may not be read\n  why: permission denied for schema"
    ):
        probe.version(outside)


def test_bounds_come_from_the_table(place: Place, sql: Run, schema: str) -> None:
    sql(f"CREATE SCHEMA {schema}")
    sql(f"CREATE TABLE {schema}.orders (at timestamp, d date, n int)")
    sql(
        f"INSERT INTO {schema}.orders VALUES "
        "('2026-01-01 10:00:00.25', '2026-01-03', 1), ('infinity', NULL, 2)"
    )
    assert probe.bounds(place.address, "at") == ("2026-01-01T10:00:00.250000Z", "2026-01-01T10:00:00.250000Z")
    assert probe.bounds(place.address, "d") == ("2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")
    for column, why in (
        ("n", "its type is int, expected one of timestamp, timestamp_ntz, date"),
        ("x", "the columns are at, d, n"),
    ):
        with pytest.raises(Exception, match="KDL") as caught:
            probe.bounds(place.address, column)
        assert str(caught.value) == (
            f"KDL-STORE-309: {column!r} cannot be sliced by time\n  why: {why}\n"
            "  do: name a timestamp or date column in by_time()"
        )
    with pytest.raises(Exception, match="KDL-STORE-001"):
        probe.bounds(
            place.address.replace(uri=place.address.uri.replace("/orders", "/none"), parts=(schema, "none")),
            "at",
        )


def test_a_restored_backup_does_not_repeat_a_version(place: Place, table: str, sql: Run) -> None:
    first = place.write(append(), [(3, "c")]).version
    sql(f"DELETE FROM kindling.kindling_commits WHERE version = '{first}'")
    again = place.write(append(), [(4, "d")]).version
    assert first.partition(".")[0] == again.partition(".")[0]
    assert first != again
