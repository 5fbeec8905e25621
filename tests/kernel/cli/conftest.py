"""Projects in scratch folders, and the command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

import kindling

SCHEMAS = Path(kindling.__file__).parent / "cli" / "schemas"
NEEDED = ("duckdb", "delta", "files", "threads")

APP = """
import kindling as k

app = k.App("shop")
orders_csv = app.source(
    "raw.orders",
    k.csv("data/orders.csv"),
    schema="id bigint, customer string, amount double, day date",
    classify={"customer": "pii.name"},
)


@app.pipe(
    orders_csv, name="silver.orders", expect={"positive": "amount > 0"}, on_fail="quarantine", tags=["core"]
)
def orders(df: k.DataFrame) -> k.DataFrame:
    return df.where("id IS NOT NULL")


@app.pipe(orders, name="silver.big", storage=k.memory())
def big(df: k.DataFrame) -> k.DataFrame:
    return df.where("amount > 10")


daily = app.sql(
    "gold.daily",
    "SELECT day, sum(amount) AS amount FROM {orders} GROUP BY day ORDER BY day",
    inputs={"orders": orders},
)
customers = app.sql(
    "gold.customers", "SELECT customer, count(*) AS n FROM {big} GROUP BY customer", inputs={"big": big}
)
"""
ORDERS = """id,customer,amount,day
1,ann,5.5,2024-01-01
2,bob,12.0,2024-01-01
3,ann,40.25,2024-01-02
4,cid,-1.0,2024-01-03
"""
SLOW = """
import time

import kindling as k

app = k.App("slow")
numbers = app.source("raw.numbers", k.csv("data/orders.csv"))


@app.pipe(numbers, name="silver.fast")
def fast(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(fast, name="silver.slow")
def slow(df: k.DataFrame) -> k.DataFrame:
    for _ in range(600):
        time.sleep(0.1)
    return df


@app.pipe(slow, name="gold.after")
def after(df: k.DataFrame) -> k.DataFrame:
    return df
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self, schema: str) -> dict[str, object]:
        """Return stdout as JSON after checking it against its published schema."""
        from jsonschema import Draft202012Validator

        document = json.loads(self.out)
        published = json.loads((SCHEMAS / f"{schema}.json").read_text())
        Draft202012Validator.check_schema(published)
        Draft202012Validator(published).validate(document)
        found: dict[str, object] = document
        return found


def clean_environment(**environ: str) -> dict[str, str]:
    """Return this process's variables without those that change what Kindling says."""
    dropped = ("KINDLING_", "PYTHONDONTWRITEBYTECODE", "PYTEST_", "_KINDLING")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    return {**kept, **environ}


class Project:
    """A project's folder and the command line in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str) -> Path:
        """Write one file."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def environment(self, **environ: str) -> dict[str, str]:
        """Return the variables of a command."""
        return clean_environment(**environ)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command and leave it running."""
        return subprocess.Popen(
            [sys.executable, "-m", "kindling", *arguments],
            cwd=self.path,
            env=self.environment(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, **environ: str) -> Done:
        """Run a command; the project's path is `<project>` in what it prints."""
        process = self.start(*arguments, **environ)
        out, err = process.communicate(timeout=120)
        texts = [text.replace(str(self.path), "<project>") for text in (out, err)]
        return Done(process.returncode, *texts)


def _lacking() -> list[str]:
    lacking = []
    for name in NEEDED:
        try:
            distribution(f"kindling-plugin-{name}")
        except PackageNotFoundError:
            lacking.append(name)
    return lacking


def make_shop(path: Path) -> Project:
    """Write the shop: two sources of truth, five entities, on DuckDB."""
    if lacking := _lacking():
        pytest.skip(f"not installed: {', '.join(lacking)}")
    project = Project(path)
    project.write("kindling.toml", 'app = "shop.app:app"\nplatform.default = "duckdb"\n')
    project.write("shop/__init__.py", "")
    project.write("shop/app.py", APP)
    project.write("data/orders.csv", ORDERS)
    return project


@pytest.fixture(scope="session")
def schemas() -> Path:
    """The folder of the published JSON Schemas."""
    return SCHEMAS


@pytest.fixture
def folder(tmp_path: Path) -> Project:
    """An empty folder, no project."""
    return Project(tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """The shop, nothing made yet."""
    return make_shop(tmp_path)


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The shop after one run. Tests that use it change nothing."""
    project = make_shop(tmp_path_factory.mktemp("made"))
    done = project("run")
    assert done.code == 0, done.err
    return project


@pytest.fixture
def slow(tmp_path: Path) -> Project:
    """A project with a pipe that takes a minute."""
    project = make_shop(tmp_path)
    project.write("shop/app.py", SLOW)
    return project


@pytest.fixture
def broken_site(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a distribution whose manifest is no JSON."""
    site = tmp_path / "site"
    info = site / "kindling_plugin_bad-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kindling-plugin-bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[kindling.platform]\nbad = kindling_plugin_bad.plugin\n"
        "[kindling.manifest]\nkindling-plugin-bad = kindling_plugin_bad\n"
    )
    package = site / "kindling_plugin_bad"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "kindling.json").write_text("{")
    return str(site)
