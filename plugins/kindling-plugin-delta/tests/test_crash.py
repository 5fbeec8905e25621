"""Writers that are killed, and writers that work at once: done in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from deltalake import DeltaTable

from kindling.intents import append, merge, overwrite
from kindling.polling import poll
from kindling.testing.storage_fixtures import Place

WRITER = """
import sys, time
import pyarrow as pa
from kindling.addresses import Address
from kindling.errors import CommitConflictError
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import CommitInfo, StorageSpec, WriteRequest
from kindling.intents import append, merge, overwrite
from kindling.schemas import Schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession
from kindling_plugin_delta.storage import DeltaStorage

uri, who, intent, count, pause = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
intent = {"append": append(), "overwrite": overwrite(), "merge": merge(on=["k"])}[intent]
schema = Schema.of(k="int", v="string")

class Slow(MemorySession):
    def to_arrow(self, frame):
        rows = super().to_arrow(frame)
        def batches():
            for batch in rows.to_batches(max_chunksize=1):
                print("row", flush=True)
                time.sleep(pause)
                yield batch
        return pa.RecordBatchReader.from_batches(rows.schema, batches())

session = Slow(MemoryPlatform({}), SessionSpec("t"))
address = Address("delta", "lake", ("silver", "orders"), uri=uri)
store = DeltaStorage(StorageSpec("test")).open(address, session)
for number in range(count):
    keys = [number, number + 1] if intent.name == "merge" else [number] * 2
    rows = pa.table({"k": pa.array(keys, pa.int32()), "v": [who, f"{who}{number}"]})
    info = CommitInfo("shop", "test", "silver.orders", "*", f"{who}-{number}", f"{who}-{number}")
    request = WriteRequest(intent, schema, info)
    for attempt in range(200):
        try:
            frame = session.from_arrow(rows, schema)
            act = store.merge if intent.name == "merge" else store.write
            act(frame, request)
            break
        except CommitConflictError:
            time.sleep(0.01 * (1 + attempt % 5))
    else:
        sys.exit("starved")
"""


def writer(place: Place, who: str, intent: str, count: int = 1, pause: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, place.address.uri, who, intent, str(count), str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("intent", ["append", "overwrite", "merge"])
def test_a_writer_that_is_killed_leaves_the_table_as_before(over_arrow: Place, intent: str) -> None:
    over_arrow.write(overwrite(), [(5, "a"), (6, "b")])
    before = (over_arrow.version(), over_arrow.rows())
    with writer(over_arrow, "w", intent, pause=30) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "row\n"
        process.kill()
    assert (over_arrow.version(), over_arrow.rows()) == before
    over_arrow.write(append(), [(7, "c")])
    assert len(over_arrow.rows()) == 3


def test_a_table_whose_first_writer_is_killed_does_not_exist(over_arrow: Place) -> None:
    with writer(over_arrow, "w", "append", pause=30) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    assert over_arrow.version() is None
    over_arrow.write(append(), [(7, "c")])
    assert over_arrow.rows() == [(7, "c")]


def test_a_writer_killed_at_any_moment_leaves_whole_commits(over_arrow: Place) -> None:
    for turn in range(3):
        log = Path(over_arrow.address.uri, "_delta_log")
        commits = len(list(log.glob("*.json"))) if log.exists() else 0
        with writer(over_arrow, f"w{turn}", "append", count=500) as process:
            poll(lambda n=commits: log.exists() and len(list(log.glob("*.json"))) > n + turn, timeout_s=60)  # noqa: B023  # asked within the turn
            time.sleep(0.003 * turn)
            process.kill()
        rows = over_arrow.rows()
        assert len(rows) == 2 * (DeltaTable(over_arrow.address.uri).version() + 1)


@pytest.mark.parametrize("exists", [True, False])
def test_two_writers_append_all_their_rows(over_arrow: Place, *, exists: bool) -> None:
    if exists:
        over_arrow.write(append(), [])
    writers = [writer(over_arrow, who, "append", 6) for who in "ab"]
    assert [(process.communicate(timeout=120), process.returncode)[1] for process in writers] == [0, 0]
    assert len(over_arrow.rows()) == 24
    assert len({row for row in over_arrow.rows() if row[1] in "ab"}) == 12


def test_two_writers_merge_without_losing_a_key(over_arrow: Place) -> None:
    writers = [writer(over_arrow, who, "merge", 5) for who in "ab"]
    assert [(process.communicate(timeout=120), process.returncode)[1] for process in writers] == [0, 0]
    rows = over_arrow.rows()
    assert [key for key, _ in rows] == list(range(6))
    over_arrow.write(merge(on=["k"]), [(0, "z")])
