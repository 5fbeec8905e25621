"""The scratch plugin installed for real: a site folder with metadata, and a project of files that uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from workbench import PLUGIN

APP = """
import os
import time
from pathlib import Path

import polars as pl

import kindling as k

app = k.App("shop")
raw = app.source("raw", k.storage("scratch"))


@app.pipe(raw, name="first")
def first(df):
    print("a pipe may print")
    return df


@app.pipe(first, name="second", context=True)
def second(context, df):
    hold = Path("hold")
    Path("second_began").touch()
    while hold.exists():
        time.sleep(0.01)
    if Path("fail").exists():
        raise ValueError("no luck with " + context.secret("secret://env/TOKEN").reveal())
    return df.with_columns(n=pl.col("n") * 2)


app.pipe(second, name="third")(lambda df: df)
"""
SETTINGS = """
app = "shop_files:app"
platform = "scratch"
storage = "scratch"
executor = "inline"
[run]
workers = 1
"""


class Site:
    """A project of files in a folder, and a Python that has the scratch plugin installed.

    Attributes:
        project: The project's folder.
        site: The folder with the plugin and its metadata.
    """

    def __init__(self, root: Path) -> None:
        self.project = root / "project"
        self.site = root / "site"
        self.project.mkdir()
        self.site.mkdir()
        (self.site / PLUGIN.name).symlink_to(PLUGIN)
        self._metadata()
        (self.project / "shop_files.py").write_text(APP, encoding="utf-8")
        (self.project / "kindling.toml").write_text(SETTINGS, encoding="utf-8")

    def _metadata(self) -> None:
        info = self.site / "kindling_plugin_scratch-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: kindling-plugin-scratch\nVersion: 1.0\n\n"
        )
        kinds: dict[str, list[str]] = {}
        for capability in json.loads((PLUGIN / "kindling.json").read_text(encoding="utf-8"))["capabilities"]:
            kind, _, name = capability.partition(":")
            kinds.setdefault(kind, []).append(name)
        groups = [
            "\n".join([f"[kindling.{kind}]", *(f"{name} = {PLUGIN.name}.plugin" for name in names)])
            for kind, names in kinds.items()
        ]
        groups.append(f"[kindling.manifest]\nkindling-plugin-scratch = {PLUGIN.name}")
        (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
        record = [f"{PLUGIN.name}/{file.name},,\n" for file in PLUGIN.glob("*.*")]
        (info / "RECORD").write_text("".join(record))

    def environ(self, **variables: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("KINDLING_")}
        return {**clean, "PYTHONPATH": str(self.site), **variables}

    def python(self, code: str, **variables: str) -> subprocess.Popen[str]:
        """Start Python with code, in the project's folder."""
        return subprocess.Popen(
            [sys.executable, "-c", code],
            env=self.environ(**variables),
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, run_id: str, **asked: object) -> subprocess.Popen[str]:
        """Start a run in a process of its own; it prints its result as one JSON line."""
        overrides, variables = asked.pop("overrides", {}), asked.pop("environ", {})
        code = RUN.format(run_id=run_id, asked=asked, overrides=overrides)
        return self.python(code, **variables)  # type: ignore[arg-type]  # texts


RUN = """
import json, os
from kindling.errors import KindlingError
from kindling.plan.project import open_project
from kindling.run.request import RunRequest
from kindling.run.run import run
from kindling.run.states import open_state

project = open_project(".", overrides={overrides!r})
state = open_state(project)
request = RunRequest(
    app=project.reference,
    project=project.path,
    environment=project.environment,
    run_id={run_id!r},
    **{asked!r},
)
try:
    result = run(project, state, request)
except KindlingError as error:
    print(json.dumps({{"error": error.to_plain(), "pid": os.getpid()}}))
else:
    told = {{key: outcome.status for key, outcome in result.outcomes.items()}}
    print(json.dumps({{
        "status": result.status, "exit_code": result.exit_code, "outcomes": told, "skipped": result.skipped,
        "errors": {{key: outcome.error for key, outcome in result.outcomes.items()}}, "pid": os.getpid(),
    }}))
finally:
    state.close()
"""


def answer(process: subprocess.Popen[str], timeout_s: float = 60.0) -> dict[str, object]:
    """Wait for a run; return what it printed last."""
    out, err = process.communicate(timeout=timeout_s)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert lines, err
    found: dict[str, object] = json.loads(lines[-1])
    return found
