from __future__ import annotations

import json
import threading
from pathlib import Path

from kindling.context import Log
from kindling.hooks.executor import TaskSpec
from kindling.run.log import make_log, open_log


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def hide(text: str) -> str:
    return text.replace("hunter2", "***")


def test_a_line_says_when_where_and_what(tmp_path: Path) -> None:
    spec = TaskSpec("r1", "", "", "dev", "gold.a", "*", {}, "sail", (), "f", attempt=2)
    log = open_log(str(tmp_path), hide, spec)
    log.info("rows counted", rows=3, größe="ß")
    log.warning("late")
    first, second = lines(tmp_path)
    assert {**first, "at": ""} == {
        "run_id": "r1", "task": "gold.a", "attempt": 2, "event": "rows counted", "rows": 3, "größe": "ß",
        "level": "info", "at": "",
    }  # fmt: skip
    assert str(first["at"]).endswith("Z")
    assert second["level"] == "warning"


def test_it_is_what_pipes_get_from_their_context(tmp_path: Path) -> None:
    log: Log = make_log(f"{tmp_path}/log.jsonl", hide)
    log.info("hello")
    assert lines(tmp_path)[0]["event"] == "hello"


def test_secrets_are_hidden_in_events_fields_and_tracebacks(tmp_path: Path) -> None:
    log = make_log(f"{tmp_path}/log.jsonl", hide, token="hunter2")  # noqa: S106  # what is hidden
    error = ValueError("hunter2")
    log.error("with hunter2", given={"deep": ["hunter2"]}, exc_info=error)
    text = (tmp_path / "log.jsonl").read_text(encoding="utf-8")
    assert "hunter2" not in text
    assert text.count("***") >= 4
    assert "ValueError" in str(lines(tmp_path)[0]["exception"])


def test_values_that_are_no_json_are_shown_as_text(tmp_path: Path) -> None:
    make_log(f"{tmp_path}/log.jsonl", hide).info("x", path=Path("/a"), broken="a\udcffb")
    assert lines(tmp_path)[0]["path"] == "/a"
    assert lines(tmp_path)[0]["broken"] == "a\udcffb"


def test_threads_do_not_mix_lines(tmp_path: Path) -> None:
    def write(number: int) -> None:
        log = make_log(f"{tmp_path}/log.jsonl", hide, number=number)
        for count in range(50):
            log.info("x" * 200, count=count)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(tmp_path)) == 200
