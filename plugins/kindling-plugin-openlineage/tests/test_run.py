"""Whole runs through the command, on each engine, told into a file or to a collector."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from lineage_project import briefly, events_in, kindling, make_project
from published import faults
from receiver import closed_port, receiver
from run_events import facet

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize("platform", ["duckdb", "sail"])
def test_a_run_is_told_from_its_start_to_its_end(tmp_path: Path, platform: str) -> None:
    project = make_project(tmp_path, 'file = "out/lineage.jsonl"', platform)
    ended = kindling(project, "run")
    assert ended.returncode == 1, ended.stdout
    events = events_in(project / "out" / "lineage.jsonl")
    assert [fault for event in events for fault in faults(event)] == []
    assert sorted(map(str, briefly(events))) == sorted(
        str((kind, name))
        for kind, name in [
            ("START", "shop"),
            ("START", "shop.raw.people"),
            ("COMPLETE", "shop.raw.people"),
            ("START", "shop.silver.people"),
            ("COMPLETE", "shop.silver.people"),
            ("START", "shop.silver.bad"),
            ("FAIL", "shop.silver.bad"),
            ("FAIL", "shop"),
        ]
    )
    assert briefly(events)[0] == ("START", "shop")
    assert briefly(events)[-1] == ("FAIL", "shop")
    (silver,) = (event for event in events if briefly([event]) == [("COMPLETE", "shop.silver.people")])
    columns = facet(silver, "outputs", "columnLineage")
    assert columns is not None
    fields = columns["fields"]
    assert isinstance(fields, dict)
    assert [fields[name]["inputFields"][0]["field"] for name in ("id", "mail")] == ["id", "mail"]
    assert facet(silver, "outputs", "outputStatistics") == {"rowCount": 2}
    assert facet(silver, "inputs", "version") is not None
    (bad,) = (event for event in events if briefly([event]) == [("FAIL", "shop.silver.bad")])
    message = facet(bad, "run", "errorMessage")
    assert message is not None
    assert str(message["message"]).startswith("KDL-RUN-002: 'silver.bad' failed on the engine")
    text = (project / "out" / "lineage.jsonl").read_text(encoding="utf-8")
    assert "canary" not in text
    assert list((project / ".kindling" / "outbox" / "openlineage").iterdir()) == []


def test_a_run_without_a_target_says_what_to_set(tmp_path: Path) -> None:
    ended = kindling(make_project(tmp_path, ""), "run")
    assert ended.returncode == 2
    assert "KDL-LINE-100: the setting 'lineage.openlineage.url' cannot be used" in ended.stdout


DEADLY = """
from __future__ import annotations
import os
import pathlib
import signal
import kindling as k

app = k.App("shop")


@app.pipe(name="raw.people", context=True)
def raw(context: k.Context) -> k.DataFrame:
    mark = pathlib.Path(__file__).with_name("was-killed")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return context.frame([(1,)], "id bigint")
"""


def test_what_a_killed_run_told_is_sent_by_the_next_one_with_the_key(tmp_path: Path) -> None:
    with receiver(lambda _: (503, {}) if not (tmp_path / "was-killed").exists() else (201, {})) as server:
        own = f'url = "{server.url}"\napi_key = "secret://env/LINEAGE_KEY"\ndrain_s = 60'
        project = make_project(tmp_path, own, app=DEADLY)
        key = {"LINEAGE_KEY": "canary-key-5d1f"}
        assert kindling(project, "run", **key).returncode == -signal.SIGKILL
        assert "canary" not in told_texts(project)
        before = len(server.taken)
        ended = kindling(project, "run", **key)
        assert ended.returncode == 0, ended.stdout
        assert server.headers["Authorization"] == "Bearer canary-key-5d1f"
        assert before <= 2
        assert sorted(set(briefly(server.taken[:-4]))) == [
            ("ABORT", "shop"),
            ("ABORT", "shop.raw.people"),
            ("START", "shop"),
            ("START", "shop.raw.people"),
        ]
        assert briefly(server.taken[-4:]) == [
            ("START", "shop"),
            ("START", "shop.raw.people"),
            ("COMPLETE", "shop.raw.people"),
            ("COMPLETE", "shop"),
        ]
        assert [fault for event in server.taken for fault in faults(event)] == []
    assert "canary" not in told_texts(project) + ended.stdout


def test_a_collector_that_is_away_fails_no_run_and_is_told(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    app = DEADLY.replace("if not mark.exists():", "if not mark.parent.exists():")
    ended = kindling(make_project(tmp_path, f'url = "{url}"\ndrain_s = 60', app=app), "run")
    assert ended.returncode == 0, ended.stdout
    assert f"lineage: events wait for the next run: {url}/api/v1/lineage: Connection refused" in ended.stdout


def told_texts(project: Path) -> str:
    """Return all that a run left in the project's own folder."""
    files = (path for path in (project / ".kindling").rglob("*") if path.is_file())
    return "".join(path.read_bytes().decode("latin-1") for path in files)
