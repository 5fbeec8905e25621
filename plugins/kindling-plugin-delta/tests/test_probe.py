from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from kindling_plugin_delta import probe

from kindling.addresses import Address
from kindling.errors import StoreError

ROWS = pa.table({"k": [1, 2]})


def address(uri: Path | str) -> Address:
    return Address("delta", "lake", ("t",), uri=str(uri))


def commit(uri: Path, metadata: dict[str, str] | None = None) -> None:
    write_deltalake(uri, ROWS, mode="append", commit_properties=CommitProperties(custom_metadata=metadata))


def test_a_version_is_a_number_and_twelve_hex_digits(tmp_path: Path) -> None:
    commit(tmp_path)
    number, _, digest = str(probe.version(address(tmp_path))).partition("-")
    assert number == "0"
    assert len(digest) == 12
    assert int(digest, 16) >= 0


def test_a_table_that_was_made_anew_has_another_version_of_the_same_number(tmp_path: Path) -> None:
    commit(tmp_path / "t")
    first = probe.version(address(tmp_path / "t"))
    shutil.rmtree(tmp_path / "t")
    commit(tmp_path / "t")
    second = probe.version(address(tmp_path / "t"))
    assert first != second
    assert str(first)[:2] == str(second)[:2] == "0-"


def test_a_foreign_commit_changes_the_version_and_hides_no_cursor(tmp_path: Path) -> None:
    commit(tmp_path, {"kindling": "one"})
    commit(tmp_path, {"kindling": "two"})
    ours = probe.version(address(tmp_path))
    commit(tmp_path)
    assert probe.cursor(address(tmp_path), "kindling") == "two"
    assert probe.committed(address(tmp_path), "kindling") == (ours, "two")
    assert probe.version(address(tmp_path)) != ours


@pytest.mark.parametrize(
    ("info", "text"),
    [
        ({"kindling": "plain"}, "plain"),
        ({"userMetadata": '{"kindling": "inner"}'}, "inner"),
        ({"userMetadata": '{"kindling": {"b": 1, "a": 2}}'}, '{"a":2,"b":1}'),
        ({"userMetadata": "kindling, but no JSON"}, None),
        ({"userMetadata": '["kindling"]'}, None),
        ({"operation": "WRITE"}, None),
    ],
)
def test_both_ways_to_carry_a_text_are_understood(info: dict[str, object], text: str | None) -> None:
    assert probe.carried(info, "kindling") == text


def test_a_file_url_is_a_local_path(tmp_path: Path) -> None:
    commit(tmp_path / "a b")
    plain = probe.version(address(tmp_path / "a b"))
    assert probe.version(address((tmp_path / "a b").as_uri())) == plain


def test_a_url_of_another_kind_is_read_with_fsspec(tmp_path: Path) -> None:
    commit(tmp_path, {"kindling": "far"})
    memory = fsspec.filesystem("memory")
    memory.put(str(tmp_path), "/lake/t", recursive=True)
    far = address("memory://lake/t")
    assert probe.version(far) == probe.version(address(tmp_path))
    assert probe.cursor(far, "kindling") == "far"
    assert probe.version(address("memory://lake/none")) is None


def test_a_checkpoint_stands_for_a_commit_that_was_cleaned_up(tmp_path: Path) -> None:
    commit(tmp_path)
    DeltaTable(tmp_path).create_checkpoint()
    (tmp_path / "_delta_log" / f"{0:020d}.json").unlink()
    assert str(probe.version(address(tmp_path))).startswith("0-")
    assert probe.cursor(address(tmp_path), "kindling") is None


def test_a_folder_without_a_log_is_no_table(tmp_path: Path) -> None:
    assert probe.version(address(tmp_path)) is None
    assert probe.version(address(tmp_path / "missing")) is None
    (tmp_path / "file").write_text("x")
    assert probe.version(address(tmp_path / "file")) is None


def test_the_probe_loads_neither_a_library_nor_an_engine(tmp_path: Path) -> None:
    commit(tmp_path, {"kindling": "x"})
    script = (
        "import sys, json\n"
        "from kindling.addresses import Address\n"
        "from kindling_plugin_delta import probe\n"
        f"a = Address('delta', '', ('t',), uri={str(tmp_path)!r})\n"
        "assert probe.version(a) and probe.cursor(a, 'kindling') == 'x'\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    heavy = {"deltalake", "pyarrow", "fsspec", "dataclasses", "typing", "pluggy", "logging"}
    own = {name for name in loaded if name.startswith("kindling_plugin_delta")}
    assert not heavy & loaded
    assert own == {"kindling_plugin_delta", "kindling_plugin_delta.probe"}


def test_bounds_of_what_is_no_time_or_no_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as missing:
        probe.bounds(address(tmp_path), "k")
    assert str(missing.value) == (
        f"KDL-STORE-001: 't' does not exist\n  why: there is no Delta table at {tmp_path}\n"
        "  do: run the pipe that makes it, or correct the location in kindling.toml"
    )
    commit(tmp_path)
    with pytest.raises(StoreError) as caught:
        probe.bounds(address(tmp_path), "k")
    assert str(caught.value) == (
        "KDL-STORE-108: 'k' cannot be sliced by time\n"
        "  why: its type is bigint, expected one of timestamp, timestamp_ntz, date\n"
        "  do: name a timestamp or date column in by_time()"
    )
    with pytest.raises(StoreError) as unknown:
        probe.bounds(address(tmp_path), "at")
    assert str(unknown.value) == (
        "KDL-STORE-108: 'at' cannot be sliced by *\n  why: the columns are k\n"
        "  do: name a timestamp or date column in by_time()"
    )


def test_bounds_without_statistics_come_from_the_rows(tmp_path: Path) -> None:
    days = pa.array([10, None, 3], pa.date32())
    write_deltalake(tmp_path, pa.table({"d": days}), configuration={"delta.dataSkippingNumIndexedCols": "0"})
    assert probe.bounds(address(tmp_path), "d") == ("1970-01-04T00:00:00Z", "1970-01-11T00:00:00Z")


def test_bounds_of_a_partition_column_come_from_the_rows(tmp_path: Path) -> None:
    days = pa.array([10, 3], pa.date32())
    write_deltalake(tmp_path, pa.table({"d": days, "k": [1, 2]}), partition_by=["d"])
    assert probe.bounds(address(tmp_path), "D") == ("1970-01-04T00:00:00Z", "1970-01-11T00:00:00Z")
