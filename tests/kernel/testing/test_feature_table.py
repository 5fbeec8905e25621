from __future__ import annotations

from pathlib import Path

import pytest

from kindling.testing.feature_table import VARIABLE, feature_table, note, read_rows


def row(use: str, verdict: str, platform: str = "sail", storage: str = "delta") -> dict[str, str]:
    return {"storage": storage, "platform": platform, "use": use, "test": "t", "verdict": verdict}


def test_a_use_is_said_to_work_only_where_all_its_tests_passed() -> None:
    rows = [row("merge", "pass"), row("merge", "fail"), row("read", "pass"), row("read", "pass")]
    assert feature_table([*rows, row("x-own", "pass", platform="duckdb")]) == (
        "| storage | platform | read | merge | x-own |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| delta | duckdb |  |  | yes |\n"
        "| delta | sail | yes | no (1 of 2) |  |\n"
    )


def test_rows_are_added_to_the_file_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "rows.jsonl"
    monkeypatch.setenv(VARIABLE, str(target))
    note(row("read", "pass"))
    note(row("größe", "fail"))
    assert read_rows(str(target)) == [row("read", "pass"), row("größe", "fail")]


def test_no_file_is_written_without_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    note(row("read", "pass"))
    assert list(tmp_path.iterdir()) == []


def test_a_conformance_run_notes_what_passed_and_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "rows.jsonl"
    monkeypatch.setenv(VARIABLE, str(target))
    suite = tmp_path / "test_one.py"
    suite.write_text("from storage_mutants import OverwriteAppends as TestOne\n")
    options = ["-p", "no:cacheprovider", "-p", "no:kindling", "-o", "addopts=--import-mode=importlib"]
    chosen = "replaces_every_row or keeps_what_was_there or bounds"
    pytest.main([str(suite), *options, "-k", chosen])
    assert feature_table(read_rows(str(target))) == (
        "| storage | platform | overwrite | append | times |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| memory | memory | no (1 of 1) | yes | yes |\n"
    )
