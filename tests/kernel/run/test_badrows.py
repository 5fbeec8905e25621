from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.hooks.storage import BadRows
from kindling.run.badrows import bad_row_metrics, bad_row_warnings, without_texts, write_bad_rows

BAD = BadRows(3, (("a.csv:2", "x,ä", "it is no number"), ("a.csv:9", "hunter2\udcff", "too short")))


def test_unreadable_rows_are_counted_and_told_with_an_example() -> None:
    assert bad_row_metrics({"raw.a": BAD, "raw.b": BadRows(2)}) == {"rows_unreadable": 5}
    assert bad_row_metrics({}) == {}
    assert bad_row_warnings({"raw.a": BAD, "raw.b": BadRows(2)}) == (
        "3 unreadable rows of 'raw.a' were left out, for example a.csv:2",
        "2 unreadable rows of 'raw.b' were left out",
    )


def test_samples_are_one_json_line_each_without_secrets(tmp_path: Path) -> None:
    path = write_bad_rows(str(tmp_path), "roh.größe", BAD, lambda text: text.replace("hunter2", "***"))
    assert path == f"{tmp_path}/bad_rows/roh.größe.jsonl"
    lines = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
    assert lines == [
        {"place": "a.csv:2", "text": "x,ä", "why": "it is no number"},
        {"place": "a.csv:9", "text": "***\udcff", "why": "too short"},
    ]


def test_samples_that_are_written_again_replace_the_old_ones(tmp_path: Path) -> None:
    for _ in range(2):
        path = write_bad_rows(str(tmp_path), "a", BAD, str)
    assert len(Path(path).read_text(encoding="utf-8").splitlines()) == 2
    assert [file.name for file in (tmp_path / "bad_rows").iterdir()] == ["a.jsonl"]


def lines_app(policy: str, *, storage: str = "scratch") -> k.App:
    app = k.App("shop")
    raw = app.source("raw.lines", k.storage("lines", path="numbers.txt", on_bad_row=policy))

    @app.pipe(raw, name="silver", storage=k.storage(storage))
    def silver(df: pl.LazyFrame) -> pl.LazyFrame:
        return df

    app.pipe(silver, name="one")(silver.function)
    app.pipe(silver, name="two")(silver.function)
    return app


@pytest.mark.parametrize(("policy", "kept"), [("skip", False), ("quarantine", True)])
@pytest.mark.parametrize("storage", ["scratch", "memory"])
def test_a_run_tells_unreadable_rows_and_keeps_samples_where_asked_to(
    bench: Bench, policy: str, *, kept: bool, storage: str
) -> None:
    bench.use(lines_app(policy, storage=storage))
    (bench.path / "numbers.txt").write_text("1\nx\n2\n\n")
    result = bench.run()
    outcome = result.outcomes["silver"]
    assert outcome.metrics["rows_unreadable"] == 2
    told = "2 unreadable rows of 'raw.lines' were left out, for example numbers.txt:2"
    where = "; samples are in the run's folder, bad_rows/raw.lines.jsonl" if kept else ""
    assert outcome.warnings == (told + where,)
    file = bench.run_dir(result) / "bad_rows" / "raw.lines.jsonl"
    assert file.exists() == kept
    if kept:
        assert bench.lines(result, "bad_rows/raw.lines.jsonl") == [
            {"place": "numbers.txt:2", "text": "x", "why": "it is no number"},
            {"place": "numbers.txt:4", "text": "", "why": "it is no number"},
        ]
    assert bench.rows("one") == [(1,), (2,)]


def test_of_rows_with_classified_columns_only_the_place_is_kept() -> None:
    left_out = "left out: the source has classified columns"
    assert without_texts(BAD) == BadRows(3, (("a.csv:2", left_out, ""), ("a.csv:9", left_out, "")))
