"""Whatever a file or a command line says: an error with a code, or an answer; no traceback, no hang.

`KINDLING_FUZZ_S=600 pytest tests/proofs/fuzz` tries each kind of input for ten minutes.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for broken.py
sys.path.insert(0, str(Path(__file__).parents[2] / "kernel" / "cli"))  # and none for terminal.py
from broken import ODD, mutated  # found through the lines above
from judging import SECONDS, judged
from terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(int(12 * SECONDS) + 300)]

APP = """
from __future__ import annotations

import kindling as k

app = k.App("shop", settings={"settings.limit": 3})
raw = app.source("raw.orders", k.csv("orders.csv", null_value="NA"), schema="id bigint, v double")


@app.pipe(raw, name="silver.orders", write=k.merge(on=["id"]), expect={"p": "v > 0"}, on_fail="quarantine",
          classify={"v": "pii.v"})
def orders(df: k.DataFrame) -> k.DataFrame:
    return df.where("id IS NOT NULL")


totals = app.sql("gold.totals", "SELECT sum(v) AS v FROM {orders}", inputs={"orders": orders})
"""
SETTINGS = """app = "shop:app"
environments = ["dev", "prod"]
protected = ["prod"]
platform = "duckdb"

[locations.lake]
uri = "lake/{environment}"

[naming]
template = "{entity_path}"

[run]
workers = 2
on_error = "stop"

[spark]
sql.shuffle.partitions = 2

[policy.roles]
engineer = ["ann", "bob"]

[settings]
limit = 3
"""
FILES = {
    "shop.py": APP,
    "kindling.toml": SETTINGS,
    "kindling.dev.toml": "[run]\nworkers = 1\n",
    ".secrets.toml": '[settings]\nhidden = "hush-hush-hush"\n',
    "orders.csv": "id,v\n1,2.5\n2,NA\n3,4\n",
}
COMMANDS = (
    ("plan", "--json"),
    ("check",),
    ("config", "show", "--origin"),
    ("graph",),
    ("why", "silver.orders"),
)


@pytest.fixture
def project(tmp_path: Path) -> Terminal:
    folder = tmp_path / "project"
    folder.mkdir()
    shop = Terminal(folder)
    for name, text in FILES.items():
        shop.write(name, text)
    return shop


@pytest.mark.parametrize("name", ["kindling.toml", "kindling.dev.toml", ".secrets.toml", "shop.py"])
def test_broken_files_of_a_project(
    project: Terminal, chances: Callable[[], Iterator[random.Random]], name: str
) -> None:
    whole = FILES[name].encode()
    for chance in chances():
        data = mutated(whole, chance)
        (project.path / name).write_bytes(data)
        shutil.rmtree(project.path / "__pycache__", ignore_errors=True)
        assert "hush-hush-hush" not in judged(project, *chance.choice(COMMANDS)).err
    project.write(name, FILES[name])
    assert judged(project, "plan").code == 0


def test_broken_state_is_told_and_left_in_place(
    project: Terminal, chances: Callable[[], Iterator[random.Random]]
) -> None:
    assert judged(project, "run").code == 0
    state = project.path / ".kindling" / "state.db"
    whole = state.read_bytes()
    told = 0
    for chance in chances():
        broken = mutated(whole, chance) if chance.random() < 0.5 else overwritten(whole, chance)
        for suffix in ("-wal", "-shm"):
            Path(f"{state}{suffix}").unlink(missing_ok=True)
        state.write_bytes(broken)
        words = chance.choice((("runs", "list"), ("plan",), ("run",), ("why", "silver.orders")))
        done = judged(project, *words)
        if "KDL-STATE-001" in done.err:
            told += 1
            assert done.code == 4
            # A run may have written its lease before it met the damaged page.
            assert state.exists() if words == ("run",) else state.read_bytes() == broken
    assert told
    state.write_bytes(whole)
    assert judged(project, "runs", "list").code == 0


def overwritten(data: bytes, chance: random.Random) -> bytes:
    """Return bytes of which one piece is noise, of the same length."""
    start = chance.randrange(len(data))
    noise = chance.randbytes(chance.choice((1, 4, 100, 4096)))
    return (data[:start] + noise + data[start + len(noise) :])[: len(data)]


def test_values_of_another_kind_in_the_state(
    project: Terminal, chances: Callable[[], Iterator[random.Random]]
) -> None:
    """What another program may write into a database that is whole."""
    assert judged(project, "run").code == 0
    state = project.path / ".kindling" / "state.db"
    whole = state.read_bytes()
    columns = {
        "tasks": ("fingerprint", "parts", "version", "cursors", "finished", "seconds", "rows", "slice"),
        "runs": ("status", "request", "pid", "host", "started", "ended", "exit_code", "counts", "born"),
        "outcomes": ("body",),
        "leases": ("token", "held", "expires", "pid", "host", "run", "born"),
    }
    for chance in chances():
        for suffix in ("-wal", "-shm"):
            Path(f"{state}{suffix}").unlink(missing_ok=True)
        state.write_bytes(whole)
        table = chance.choice(list(columns))
        value = chance.choice((None, -1, 2**62, 1.5, b"\xff\x00", *ODD))
        connection = sqlite3.connect(state)
        connection.execute(f"UPDATE {table} SET {chance.choice(columns[table])} = ?", (value,))
        connection.commit()
        connection.close()
        words = (("runs", "list"), ("runs", "show", "last"), ("plan",), ("runs", "list", "--json"))
        judged(project, *chance.choice((*words, ("why", "silver.orders"), ("run", "--resume", "last"))))


WORDS = (
    *(
        "run",
        "plan",
        "check",
        "why",
        "show",
        "graph",
        "runs",
        "config",
        "explain",
        "doctor",
        "plugins",
        "init",
    ),
    *("list", "info", "show", "cancel", "completion", "test", "lineage"),
    *(
        "--json",
        "--jsonl",
        "--quiet",
        "--env",
        "--set",
        "--select",
        "--exclude",
        "--from",
        "--to",
        "--resume",
    ),
    *(
        "--dry-run",
        "--locked",
        "--workers",
        "--full-refresh",
        "--exit-code",
        "--max-slices",
        "--project",
        "-h",
    ),
    *(
        "dev",
        "prod",
        "silver.orders",
        "+gold.totals",
        "tag:x",
        "2024-01-01",
        "run.workers=2",
        "a=b=c",
        "=",
        "--",
    ),
    *("KDL-PLAN-001", "bash", "0", "-1", "1.5", "99999999999999999999"),
)


def test_command_lines_of_any_words(
    project: Terminal, chances: Callable[[], Iterator[random.Random]]
) -> None:
    inner = project.path / "inner"
    for chance in chances():
        words = [chance.choice(WORDS[:19])]
        words += [chance.choice((*WORDS, *ODD)) for _ in range(chance.randrange(6))]
        words = [word.replace("\0", "") for word in words]
        if words[0] == "test":  # it starts pytest in this process
            continue
        judged(project, *words)
        shutil.rmtree(inner, ignore_errors=True)


def test_broken_manifests_of_plugins(
    tmp_path: Path, project: Terminal, chances: Callable[[], Iterator[random.Random]]
) -> None:
    site = tmp_path / "site"
    package = site / "kindling_plugin_odd"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    info = site / "kindling_plugin_odd-1.0.dist-info"
    info.mkdir()
    root = Path(__file__).parents[3]
    whole = (root / "plugins/kindling-plugin-delta/src/kindling_plugin_delta/kindling.json").read_bytes()
    whole = whole.replace(b"kindling-plugin-delta", b"kindling-plugin-odd").replace(b":delta", b":odd")
    whole = whole.replace(b"kindling_plugin_delta", b"kindling_plugin_odd")
    files = {
        package / "kindling.json": whole,
        info / "METADATA": b"Metadata-Version: 2.1\nName: kindling-plugin-odd\nVersion: 1.0\n",
        info / "entry_points.txt": (
            b"[kindling.storage]\nodd = kindling_plugin_odd.plugin\n"
            b"[kindling.manifest]\nkindling-plugin-odd = kindling_plugin_odd\n"
        ),
    }
    for chance in chances():
        for path, data in files.items():
            path.write_bytes(data)
        path = chance.choice([package / "kindling.json", *files])
        path.write_bytes(mutated(files[path], chance))
        words = (("plugins", "list"), ("plugins", "info", "kindling-plugin-odd"), ("plan",), ("doctor",))
        judged(project, *chance.choice(words), PYTHONPATH=str(site), KINDLING_CACHE="off")
