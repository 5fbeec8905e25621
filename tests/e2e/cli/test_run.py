from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from pathlib import Path

    from terminal import Terminal


def test_json_results_fit_their_schema(shop: Terminal) -> None:
    done = shop("run", "--json")
    document = done.json("run")
    assert (done.code, document["status"], len(document["tasks"])) == (0, "done", 3)
    again = shop("run", "--json").json("run")
    assert (again["status"], again["tasks"], len(again["unchanged"])) == ("unchanged", [], 3)


def test_events_are_json_lines_that_fit_their_schema(shop: Terminal, schemas: Path) -> None:
    text = (shop.path / "shop/app.py").read_text()
    shop.write("shop/app.py", text.replace('"amount > 10"', '"no_such_column > 10"'))
    done = shop("run", "--jsonl")
    assert done.code == 1
    validator = Draft202012Validator(json.loads((schemas / "event.json").read_text()))
    events = [json.loads(line) for line in done.out.splitlines()]
    for event in events:
        validator.validate(event)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert (events[0]["type"], events[-1]["type"]) == ("RunStarted", "RunFinished")
    (folder,) = (shop.path / ".kindling/runs").iterdir()
    assert [json.loads(line)["seq"] for line in (folder / "events.jsonl").read_text().splitlines()] == [
        event["seq"] for event in events
    ]


def test_a_run_tells_start_and_end_of_each_task_on_stderr(shop: Terminal) -> None:
    done = shop("run", CI="1")
    assert (done.code, done.out) == (0, "")
    for name in ("silver.orders", "gold.daily", "gold.customers"):
        lines = [line for line in done.err.splitlines() if f" {name} " in line and line.startswith("[")]
        assert ["start" in lines[0], "ok" in lines[1]] == [True, True]
    assert "\x1b" not in done.err
