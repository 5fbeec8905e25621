from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from kindling_plugin_openlineage.targets import AwayError, FileTarget
from run_events import told
from sinks import events_of, record, sink_of, waiting


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "out.jsonl"
    line = b"x" * 9999 + b"\n"
    with ThreadPoolExecutor(4) as pool:
        for _ in range(40):
            pool.submit(FileTarget(path).send, [line, line])
    assert path.read_bytes() == line * 80


def test_a_file_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    with pytest.raises(AwayError) as caught:
        FileTarget(tmp_path).send([b"x\n"])
    assert caught.value.why == f"'{tmp_path}': Is a directory"
    assert str(FileTarget(tmp_path)) == f"'{tmp_path}'"


def test_a_file_that_comes_back_gets_everything(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "out.jsonl"
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        record(sink_of(tmp_path, file="out.jsonl"))
    assert caplog.messages == [f"lineage: events wait for the next run: '{path}': Is a directory"]
    path.rmdir()
    record(sink_of(tmp_path, file="out.jsonl"))
    assert events_of(path) == told() * 2
    assert waiting(tmp_path) == []
