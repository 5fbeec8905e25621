"""The page of features is whole and fits the manifests; that it fits the runs is checked where they run."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("feature_tables.py")
SCRIPT = runpy.run_path(str(FILE))


def page() -> dict[tuple[str, str], dict[str, str]]:
    found: dict[tuple[str, str], dict[str, str]] = SCRIPT["parsed"](
        SCRIPT["PAGE"].read_text(encoding="utf-8")
    )
    return found


def test_every_storage_is_on_the_page_with_every_platform() -> None:
    storages, platforms = SCRIPT["stated"]("storage"), SCRIPT["session_features"]()
    pairs = {(storage, platform) for storage in storages for platform in platforms}
    assert set(SCRIPT["NOT_RUN"]) <= pairs
    assert sorted(page()) == sorted(pairs - set(SCRIPT["NOT_RUN"]))


def test_each_use_is_done_as_the_manifests_say() -> None:
    storages, platforms = SCRIPT["stated"]("storage"), SCRIPT["session_features"]()
    for (storage, platform), uses in page().items():
        needs = storages[storage]["needs"]
        expected = {use: SCRIPT["mode"](needs, use, platforms[platform]) for use in {*needs, *uses}}
        assert uses == expected, (storage, platform)


def test_the_page_is_what_the_script_writes() -> None:
    assert SCRIPT["PAGE"].read_text(encoding="utf-8") == SCRIPT["rendered"](page())


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows of a run on DuckDB that saw what the page says."""
    told = [
        {"storage": storage, "platform": platform, "use": use, "test": "t", "verdict": "pass"}
        for (storage, platform), uses in page().items()
        for use in uses
        if platform == "duckdb"
    ]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in told))
    return file


def checked(rows: Path, *more: str) -> tuple[int, list[str]]:
    command = [sys.executable, str(FILE), str(rows), "--check", "--platforms", "duckdb", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def test_a_run_that_saw_what_the_page_says_passes_the_check(rows: Path) -> None:
    assert checked(rows, "--part") == (0, [])


def test_a_changed_feature_fails_the_check_and_is_told(rows: Path) -> None:
    lines = rows.read_text().splitlines()
    told = [json.loads(line) for line in lines]
    new = {"storage": "csv", "platform": "duckdb", "use": "merge", "test": "t", "verdict": "pass"}
    failed = {"storage": "csv", "platform": "duckdb", "use": "read", "test": "u", "verdict": "fail"}
    left = [row for row in told if (row["storage"], row["use"]) != ("delta", "travel")]
    rows.write_text("".join(f"{json.dumps(row)}\n" for row in (*left, new, failed)))
    code, found = checked(rows)
    assert code == 1
    assert found[:-1] == [
        "csv on duckdb, merge: the run says 'yes', the page ''",
        "csv on duckdb, read: the run says 'no (1 of 2)', the page 'emulated'",
        "delta on duckdb, travel: the run says '', the page 'yes'",
    ]
    assert found[-1].startswith("docs/feature-tables.md is not what was seen; if that is meant: ")


def test_a_storage_that_was_not_tested_at_all_fails_the_check(rows: Path) -> None:
    rows.write_text("")
    code, found = checked(rows)
    assert code == 1
    assert "delta on duckdb, merge: the run says '', the page 'emulated'" in found


def test_a_run_of_some_tests_is_not_compared(rows: Path) -> None:
    rows.write_text("")
    assert checked(rows, "--part", "plugins/x", "-k", "one") == (0, [])
