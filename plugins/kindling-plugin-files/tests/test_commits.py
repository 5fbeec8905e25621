from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kindling_plugin_files import manifest, probe
from kindling_plugin_files.places import open_place

from kindling.addresses import Address, Slice
from kindling.errors import CommitConflictError, PolicyError, StoreError, TaskCancelledError
from kindling.hooks.storage import CommitInfo
from kindling.intents import overwrite

STORAGES = ["csv", "json", "parquet"]


def info(run: str, *, app: str = "shop", environment: str = "dev", slice_text: str = "*") -> CommitInfo:
    return CommitInfo(app, environment, "silver.x", slice_text, run, "f" + run, {"bronze.a": "t1"})


def address(storage: str, uri: object) -> Address:
    return Address(storage, "", ("silver", "x"), str(uri))


def visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "_kindling")


@pytest.mark.parametrize("storage", STORAGES)
def test_overwrite_replaces_and_append_adds(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "a" / "out")
    first = files.write(store, {"a": [1, 2]}, info=info("r1"))
    assert (first.rows, first.metrics["rows_inserted"], first.metrics["files"]) == (2, 2, 1)
    assert first.version == store.version() == probe.version(address(storage, tmp_path / "a" / "out"))
    second = files.append(store, {"a": [3]}, "r2")
    assert (second.rows, files.rows(store)) == (1, [(1,), (2,), (3,)])
    third = files.write(store, {"b": ["x"]}, info=info("r3"))
    assert files.rows(store) == [("x",)]
    assert len({first.version, second.version, third.version}) == 3
    assert len(visible(tmp_path / "a" / "out")) == 1


@pytest.mark.parametrize("storage", STORAGES)
def test_no_rows_are_a_version_too(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    assert files.write(store, {"a": []}, "a int").rows == 0
    assert files.rows(store) == []
    assert store.version() is not None


@pytest.mark.parametrize("storage", STORAGES)
def test_object_stores_are_written_with_the_manifest_last(files: Any, storage: str) -> None:
    import fsspec

    uri = f"memory://lake-{storage}/x"
    store = files.store(storage, uri)
    try:
        files.append(store, {"a": [1]}, "r1")
        files.append(store, {"a": [2]}, "r2")
        assert files.rows(store) == [(1,), (2,)]
        assert store.version() == probe.version(address(storage, uri))
        assert probe.cursor(address(storage, uri), "kindling") == info("r2").to_json()

        def stop() -> None:
            raise TaskCancelledError("KDL-RUN-000", "stopped")

        with pytest.raises(TaskCancelledError):
            files.append(store, {"a": [3]}, "r3", guard=stop)
        assert files.rows(store) == [(1,), (2,)]
        assert len(fsspec.filesystem("memory").glob(f"/lake-{storage}/x/part-*")) == 2
    finally:
        fsspec.filesystem("memory").rm(f"/lake-{storage}", recursive=True)


def test_the_commit_carries_who_wrote_it_and_the_cursors(files: Any, tmp_path: Path) -> None:
    files.write(files.store("csv", tmp_path / "out"), {"a": [1]}, info=info("r1"))
    found = probe.cursor(address("csv", tmp_path / "out"), "kindling")
    assert found is not None
    assert CommitInfo.from_json(found) == info("r1")
    assert probe.cursor(address("csv", tmp_path / "out"), "other") is None


@pytest.mark.parametrize("storage", STORAGES)
def test_the_same_work_is_committed_once(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    first = files.append(store, {"a": [1]}, "r1")
    files.append(store, {"a": [2]}, "r2")
    again = files.append(store, {"a": [1]}, "r1")
    assert (again.version, again.rows) == (first.version, 1)
    assert files.rows(store) == [(1,), (2,)]
    files.append(store, {"a": [3]}, "r1", info=info("r1", slice_text="key:b"))
    assert files.rows(store) == [(1,), (2,), (3,)]


@pytest.mark.parametrize("other", [{"app": "crm"}, {"environment": "prod"}])
def test_what_another_app_or_environment_owns_is_refused(
    files: Any, tmp_path: Path, other: dict[str, str]
) -> None:
    store = files.store("parquet", tmp_path / "out")
    files.write(store, {"a": [1]}, info=info("r1", **other))
    with pytest.raises(PolicyError) as caught:
        files.write(store, {"a": [2]}, info=info("r2"))
    app, environment = other.get("app", "shop"), other.get("environment", "dev")
    assert str(caught.value) == (
        f"KDL-POL-001: 'silver.x' belongs to the app {app!r} in {environment!r}\n"
        "  why: this run is app 'shop' in 'dev'\n"
        f"  where: {tmp_path}/out\n"
        "  do: give the entity another location, or read it with app.ref"
    )
    assert files.rows(store) == [(1,)]


def test_files_of_somebody_else_are_never_overwritten(files: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a\n1\n")
    expected = (
        "KDL-STORE-209: 'silver.x' would be written over files that Kindling did not write\n"
        "  where: {}\n"
        "  do: name an empty folder, or remove the files"
    )
    for uri in (tmp_path, tmp_path / "a.csv", tmp_path / "*.csv"):
        with pytest.raises(StoreError) as caught:
            files.write(files.store("csv", uri), {"a": [2]})
        assert str(caught.value) == expected.format(uri)
    assert (tmp_path / "a.csv").read_text() == "a\n1\n"


def test_a_slice_is_not_replaced(files: Any, tmp_path: Path) -> None:
    day = Slice("interval", "2013-01-01T00:00:00Z", "2013-01-02T00:00:00Z")
    with pytest.raises(StoreError) as caught:
        files.write(files.store("csv", tmp_path / "out"), {"a": [2]}, slice=day)
    assert str(caught.value) == (
        "KDL-STORE-217: 'silver.x' asks to replace a slice, which storage:csv does not offer\n"
        "  do: choose k.delta()"
    )


def test_partitions_have_no_effect_and_that_is_said(files: Any, tmp_path: Path) -> None:
    commit = files.write(files.store("csv", tmp_path / "out"), {"a": [2]}, partition_by=("a",))
    assert commit.warnings == ("plain files are not partitioned: partition_by had no effect",)


@pytest.mark.parametrize("storage", STORAGES)
def test_nothing_is_committed_where_the_guard_refuses(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")

    def stop() -> None:
        raise TaskCancelledError("KDL-RUN-000", "stopped")

    with pytest.raises(TaskCancelledError):
        files.write(store, {"a": [1]}, guard=stop)
    assert (store.version(), store.schema(), visible(tmp_path / "out")) == (None, None, [])
    files.write(store, {"a": [1]}, info=info("r2"))
    before = store.version()
    with pytest.raises(TaskCancelledError):
        files.write(store, {"a": [2]}, info=info("r3"), guard=stop)
    assert (store.version(), files.rows(store)) == (before, [(1,)])


def test_an_error_of_the_engine_comes_through_unchanged(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    lost = ConnectionResetError("the engine is gone")

    def batches() -> Any:
        yield pa.record_batch({"a": [1]})
        raise lost

    class Broken:
        features = frozenset({"arrow-out"})
        platform = "broken"

        def to_arrow(self, _frame: object) -> pa.RecordBatchReader:
            return pa.RecordBatchReader.from_batches(pa.schema([("a", pa.int64())]), batches())

    frame, schema = files.frame({"a": [1]})
    from kindling.hooks.storage import WriteRequest

    store._session = Broken()
    with pytest.raises(OSError, match="the engine is gone") as caught:
        store.write(frame, WriteRequest(overwrite(), schema, info("r1")))
    assert not isinstance(caught.value, StoreError)
    assert visible(tmp_path / "out") == []


def test_a_platform_without_arrow_is_refused(files: Any, tmp_path: Path) -> None:
    from kindling.hooks.storage import ReadRequest, WriteRequest

    class Bare:
        features = frozenset[str]()
        platform = "bare"

    (tmp_path / "a.csv").write_text("a\n1\n")
    store = files.store("csv", tmp_path / "a.csv")
    store._session = Bare()
    with pytest.raises(StoreError) as caught:
        store.read(ReadRequest())
    assert str(caught.value) == (
        "KDL-STORE-214: platform 'bare' cannot take the files of 'bronze.flights'\n"
        "  why: it does not offer arrow-in\n"
        "  do: run the pipe on another platform"
    )
    store = files.store("csv", tmp_path / "out")
    store._session = Bare()
    frame, schema = files.frame({"a": [1]})
    with pytest.raises(StoreError) as caught:
        store.write(frame, WriteRequest(overwrite(), schema, info("r1")))
    assert str(caught.value) == (
        "KDL-STORE-214: platform 'bare' cannot give the rows of 'bronze.flights'\n"
        "  why: it does not offer arrow-out\n"
        "  do: run the pipe on another platform"
    )


def test_appends_at_once_are_all_kept(files: Any, tmp_path: Path) -> None:
    files.append(files.store("csv", tmp_path / "out"), {"a": [0]}, "r0")
    meeting = threading.Barrier(6, timeout=20)
    failed: list[BaseException] = []

    def add(number: int) -> None:
        try:
            files.append(
                files.store("csv", tmp_path / "out"), {"a": [number]}, f"r{number}", guard=meeting.wait
            )
        except BaseException as error:  # noqa: BLE001  # shown by the assert below
            failed.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(files.read("csv", tmp_path / "out")) == [(number,) for number in range(7)]


def test_of_two_overwrites_at_once_one_is_told(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")

    def other() -> None:
        files.write(files.store("csv", tmp_path / "out"), {"a": [2]}, info=info("r2"))

    with pytest.raises(CommitConflictError) as caught:
        files.write(store, {"a": [1]}, info=info("r1"), guard=other)
    assert str(caught.value) == (
        "KDL-STORE-218: 'silver.x' was written by another run meanwhile\n"
        f"  where: {tmp_path}/out\n"
        "  do: the task is planned again and retried"
    )
    assert caught.value.transient
    assert files.rows(store) == [(2,)]
    assert len(visible(tmp_path / "out")) == 1


def test_a_listed_file_that_is_gone_or_changed_is_refused(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    files.write(store, {"a": [1]})
    (name,) = visible(tmp_path / "out")
    path = tmp_path / "out" / name
    path.write_text("a\n1\n2\n3\n")
    with pytest.raises(StoreError) as caught:
        files.rows(store)
    assert str(caught.value) == (
        "KDL-STORE-002: 'bronze.flights' cannot be read\n"
        f"  why: {name} has another size since it was committed\n"
        f"  where: {path}\n"
        "  do: restore the file, or run the entity again with --full-refresh"
    )
    path.unlink()
    with pytest.raises(StoreError, match=f"why: {name} is gone since it was committed"):
        files.rows(store)


def test_files_that_no_manifest_lists_do_not_count(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    files.write(store, {"a": [1]})
    before = store.version()
    left = tmp_path / "out" / "part-00000-left-behind.csv"
    left.write_text("a\n9\n")
    (tmp_path / "out" / "mine.csv").write_text("a\n8\n")
    assert (files.rows(store), store.version()) == ([(1,)], before)
    files.append(store, {"a": [2]}, "r2")
    assert files.rows(store) == [(1,), (2,)]
    assert left.exists()
    os.utime(left, (1, 1))
    files.append(store, {"a": [3]}, "r3")
    assert not left.exists()
    assert "mine.csv" in visible(tmp_path / "out")


def test_old_manifests_and_old_staging_folders_are_removed(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    stale = tmp_path / "out" / "_kindling" / "staging-1-x"
    for number in range(manifest.KEPT + 3):
        files.append(store, {"a": [number]}, f"r{number}")
        if number == 0:
            stale.mkdir()
            os.utime(stale, (1, 1))
    names = [path.name for path in (tmp_path / "out" / "_kindling").iterdir()]
    assert len(manifest.numbers(open_place(str(tmp_path / "out")))) == manifest.KEPT
    assert not [name for name in names if name.startswith("staging")]
    assert len(files.rows(store)) == manifest.KEPT + 3


WRITER = """
import sys
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import CommitInfo, StorageSpec, WriteRequest
from kindling.addresses import Address
from kindling.hooks.arrow import neutral_schema
from kindling.intents import overwrite
from kindling.testing.memory_platform import MemoryPlatform
from kindling_plugin_files.storage import FilesStorage
import pyarrow as pa

storage, uri, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
session = MemoryPlatform({}).open_session(SessionSpec("t"))
table = pa.table({"a": list(range(rows))})
schema = neutral_schema(table.schema)
"""
DIE = """
import os, signal
def die():
    os.kill(os.getpid(), signal.SIGKILL)
"""


def run_writer(storage: str, uri: Path, rows: int, code: str) -> subprocess.CompletedProcess[str]:
    text = (
        WRITER
        + textwrap.dedent(code)
        + (
            '\naddress = Address(storage, "", ("silver", "x"), uri)\n'
            'store = FilesStorage(StorageSpec("dev")).open(address, session)\n'
            'info = CommitInfo("shop", "dev", "silver.x", "*", "killed", "f")\n'
            "request = WriteRequest(overwrite(), schema, info, guard=guard)\n"
            "store.write(session.from_arrow(table, schema), request)\n"
        )
    )
    command = [sys.executable, "-c", text, storage, str(uri), str(rows)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


KILLS = {
    "before the commit": DIE + "guard = die\n",
    "between the move and the manifest": DIE
    + "from kindling_plugin_files.places import LocalPlace\n"
    + "create = LocalPlace.create\n"
    + "def create_or_die(self, name, content):\n"
    + "    return create(self, name, content) if 'format' in name else die()\n"
    + "LocalPlace.create = create_or_die\n"
    + "guard = lambda: None\n",
}


@pytest.mark.parametrize(
    ("storage", "moment"), [*(("csv", moment) for moment in KILLS), ("parquet", "before the commit")]
)
def test_a_killed_write_leaves_the_old_version(files: Any, tmp_path: Path, storage: str, moment: str) -> None:
    store = files.store(storage, tmp_path / "out")
    first = run_writer(storage, tmp_path / "out", 5, KILLS[moment])
    assert first.returncode == -signal.SIGKILL
    assert (store.version(), store.schema()) == (None, None)
    with pytest.raises(StoreError, match="KDL-STORE-001"):
        files.rows(store)
    files.write(store, {"a": [7]}, info=info("r1"))
    before = store.version()
    second = run_writer(storage, tmp_path / "out", 5, KILLS[moment])
    assert second.returncode == -signal.SIGKILL
    assert (store.version(), files.rows(store)) == (before, [(7,)])
    files.append(store, {"a": [8]}, "r2")
    assert files.rows(store) == [(7,), (8,)]


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_a_full_disk_is_told_and_leaves_the_old_version(files: Any, tmp_path: Path, storage: str) -> None:
    store = files.store(storage, tmp_path / "out")
    files.write(store, {"a": [7]}, info=info("r1"))
    before = store.version()
    limit = f"""
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, {resource.RLIM_INFINITY}))
        guard = lambda: None
    """
    ended = run_writer(storage, tmp_path / "out", 400_000, limit)
    assert ended.returncode == 1
    assert "kindling.errors.StoreError: KDL-STORE-211: 'silver.x' could not be written\n" in ended.stderr
    assert f"\n  where: {tmp_path}/out\n  do: the old version is untouched; check free space" in ended.stderr
    assert (store.version(), files.rows(store), len(visible(tmp_path / "out"))) == (before, [(7,)], 1)
    left = sorted(path.name for path in (tmp_path / "out" / "_kindling").iterdir())
    assert left == ["00000001.json", "format.json"]


def test_the_text_of_a_failed_write(files: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError) as caught:
        files.write(files.store("csv", tmp_path / "file" / "out"), {"a": [1]})
    assert str(caught.value) == (
        "KDL-STORE-211: 'silver.x' could not be written\n"
        "  why: Not a directory\n"
        f"  where: {tmp_path}/file/out\n"
        "  do: the old version is untouched; check free space and rights"
    )


def test_the_manifest_is_plain_json(files: Any, tmp_path: Path) -> None:
    files.write(files.store("csv", tmp_path / "out"), {"a": [1, 2]}, "a int", info=info("r1"))
    plain = json.loads((tmp_path / "out" / "_kindling" / "00000001.json").read_text())
    (file,) = plain.pop("files")
    assert plain == {
        "schema": "kindling.files/1",
        "number": 1,
        "kindling": info("r1").to_json(),
        "columns": [["a", "int", True]],
        "rows": 2,
    }
    assert file == [visible(tmp_path / "out")[0], (tmp_path / "out" / file[0]).stat().st_size, 2]
