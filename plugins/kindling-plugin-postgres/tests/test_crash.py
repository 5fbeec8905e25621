"""Writers that are killed, and a server that stops under them: done in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from kindling_plugin_postgres.faults import DatabaseLostError
from server import PostgresServer

from kindling.intents import Intent, append, merge, overwrite
from kindling.polling import poll
from kindling.testing.storage_fixtures import Place

Run = Callable[..., list[tuple[object, ...]]]
BEFORE = [(1, "a"), (2, "b")]
INTENTS: dict[str, Intent] = {"append": append(), "overwrite": overwrite(), "merge": merge(on=["k"])}
AFTER = {
    "append": [*BEFORE, (2, "w"), (3, "w")],
    "overwrite": [(2, "w"), (3, "w")],
    "merge": [(1, "a"), (2, "w"), (3, "w")],
}
WRITER = """
import sys, time
import pyarrow as pa
from kindling.addresses import Address
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import CommitInfo, StorageSpec, WriteRequest
from kindling.intents import append, merge, overwrite
from kindling.schemas import Schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession
from kindling_plugin_postgres.storage import PostgresStorage

uri, schema, name, when = sys.argv[1:]
intent = {"append": append(), "overwrite": overwrite(), "merge": merge(on=["k"])}[name]
columns = Schema.of(k="int", v="string")

def halt(moment):
    if moment == when:
        print("ready", flush=True)
        time.sleep(600)

class Slow(MemorySession):
    def to_arrow(self, frame):
        rows = super().to_arrow(frame)
        def batches():
            for batch in rows.to_batches(max_chunksize=1):
                yield batch
                halt("streaming")
        return pa.RecordBatchReader.from_batches(rows.schema, batches())

calls = []
def guard():
    calls.append(1)
    halt("staged" if len(calls) == 1 else "changed")

session = Slow(MemoryPlatform({}), SessionSpec("t"))
address = Address("postgres", "db", (schema, "orders"), uri=uri)
store = PostgresStorage(StorageSpec("test")).open(address, session)
info = CommitInfo("shop", "test", f"{schema}.orders", "*", "killed", "killed")
frame = session.from_arrow(pa.table({"k": pa.array([2, 3], pa.int32()), "v": ["w", "w"]}), columns)
act = store.merge if name == "merge" else store.write
act(frame, WriteRequest(intent, columns, info, guard=guard))
halt("committed")
"""


def writer(place: Place, name: str, when: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, place.address.uri, place.address.parts[0], name, when]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait(60)
    process.stdout.close()


def again(place: Place, name: str) -> None:
    info = place.info(run_id="killed", fingerprint="killed")
    place.write(INTENTS[name], [(2, "w"), (3, "w")], info=info)
    assert place.rows() == AFTER[name]


@pytest.mark.parametrize(
    ("name", "when"),
    [
        ("append", "streaming"),
        ("append", "staged"),
        ("append", "changed"),
        ("overwrite", "changed"),
        ("merge", "changed"),
    ],
)
def test_a_writer_that_is_killed_leaves_the_table_as_before(place: Place, name: str, when: str) -> None:
    place.write(overwrite(), BEFORE)
    before = place.version()
    kill(writer(place, name, when))
    assert (place.version(), place.rows()) == (before, BEFORE)
    again(place, name)


@pytest.mark.parametrize("name", ["append", "merge"])
def test_a_writer_that_is_killed_after_its_commit_writes_nothing_twice(place: Place, name: str) -> None:
    place.write(overwrite(), BEFORE)
    kill(writer(place, name, "committed"))
    assert place.rows() == AFTER[name]
    committed = place.version()
    again(place, name)
    assert place.version() == committed


def test_a_table_whose_first_writer_is_killed_does_not_exist(place: Place) -> None:
    kill(writer(place, "append", "changed"))
    assert place.version() is None
    place.write(append(), BEFORE)
    assert place.rows() == BEFORE


@pytest.mark.parametrize("name", ["append", "overwrite", "merge"])
def test_a_server_that_stops_in_the_middle_of_a_write_loses_nothing(
    place: Place, server: PostgresServer, name: str
) -> None:
    place.write(overwrite(), BEFORE)
    before = place.version()
    calls: list[int] = []

    def guard() -> None:
        calls.append(1)
        if len(calls) == 2:
            server.stop(signal.SIGQUIT)

    info = place.info(run_id="killed", fingerprint="killed")
    with pytest.raises(DatabaseLostError) as caught:
        place.write(INTENTS[name], [(2, "w"), (3, "w")], info=info, guard=guard)
    assert caught.value.transient is True
    with pytest.raises(DatabaseLostError):
        place.rows()
    server.start()
    assert (place.version(), place.rows()) == (before, BEFORE)
    again(place, name)


def test_foreign_changes_are_remembered_through_a_crash(
    place: Place, server: PostgresServer, sql: Run
) -> None:
    place.write(overwrite(), BEFORE)
    before = place.version()
    sql(f'DELETE FROM "{place.address.parts[0]}".orders WHERE k = 1')
    changed = place.version()
    server.stop(signal.SIGQUIT)
    server.start()
    assert poll(place.version, timeout_s=30) == changed != before
