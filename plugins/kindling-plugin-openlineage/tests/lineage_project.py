"""A small project whose runs are told, and the events that they told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

Json = dict[str, object]
APP = """
from __future__ import annotations
import kindling as k

app = k.App("shop")


@app.pipe(
    name="raw.people", schema="id bigint, mail string", classify={"mail": "pii.email"}, context=True
)
def raw(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "canary-a@x"), (2, "canary-b@x")], "id bigint, mail string")


app.sql("silver.people", "SELECT id, upper(mail) AS mail FROM {raw} WHERE id > 0", inputs={"raw": raw})
app.sql("silver.bad", "SELECT CAST(mail AS DATE) AS day FROM {raw}", inputs={"raw": raw})
"""
SETTINGS = """
app = "shop:app"
platform.default = "{platform}"
run.retries = 0
run.lineage = ["openlineage"]
[lineage.openlineage]
{own}
"""


def make_project(folder: Path, own: str, platform: str = "duckdb", app: str = APP) -> Path:
    """Write a project into a folder."""
    (folder / "kindling.toml").write_text(SETTINGS.format(platform=platform, own=own), encoding="utf-8")
    (folder / "shop.py").write_text(app, encoding="utf-8")
    return folder


def kindling(project: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command; standard output and error in one text."""
    return subprocess.run(
        [sys.executable, "-m", "kindling", *arguments],
        cwd=project,
        env={**os.environ, "CI": "true", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )


def events_in(file: Path) -> list[Json]:
    """Return the events of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def briefly(events: Sequence[Json]) -> list[tuple[object, object]]:
    """Return (type, job) of events."""
    return [(event["eventType"], event["job"]["name"]) for event in events]  # type: ignore[index]  # JSON
