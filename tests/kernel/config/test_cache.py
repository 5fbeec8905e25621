from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kindling.config.cache import KEPT, SETTLED_NS, read_entry, stamp, write_entry
from kindling.config.settings import Settings

Load = Callable[..., Settings]
Write = Callable[..., None]
ROOT = 'environments = ["dev", "prod"]\n[run]\nretries = 1\n'

PROBE = """
import sys
from kindling.config.settings import load_settings
settings = load_settings(sys.argv[1])
heavy = "dynaconf tomllib typing pathlib dataclasses inspect logging pluggy msgspec importlib.metadata"
found = sorted(set(heavy.split()) & set(sys.modules))
print(settings.get("run.retries"), settings.origin("run.retries"), *found)
"""


@pytest.fixture
def settled(write: Write, tmp_path: Path) -> Callable[..., None]:
    """Write a file so long ago that the cache trusts it."""

    def put(text: str, name: str = "kindling.toml", *, age_s: float = 60) -> None:
        write(text, name)
        moment = time.time_ns() - int(age_s * 1e9)
        os.utime(tmp_path / name, ns=(moment, moment))

    return put


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / ".kindling" / "cache").glob("*"))


def run_probe(tmp_path: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_warm_load_imports_nothing_heavy(settled: Write, tmp_path: Path) -> None:
    settled(ROOT)
    cold = run_probe(tmp_path)
    assert "dynaconf" in cold
    assert "tomllib" in cold
    assert run_probe(tmp_path) == "1 kindling.toml:3"


def test_a_warm_load_gives_the_same_settings(settled: Write, load: Load) -> None:
    settled(ROOT + '[entities.a.b]\npath = "x"\n[spark]\nspark.x = 1.5\n[settings]\nn = [1, { a = "ä" }]\n')
    cold = load(overrides={"run.workers": "3"})
    warm = load(overrides={"run.workers": "3"})
    assert warm.to_plain() == cold.to_plain()
    assert list(warm.keys()) == list(cold.keys())
    assert [warm.origin(key) for key in warm.keys()] == [cold.origin(key) for key in cold.keys()]  # noqa: SIM118  # a method, no dict


def test_each_kind_of_change_is_seen(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT)
    assert load().get("run.retries") == 1
    settled("[run]\nretries = 2\n", "kindling.dev.toml")
    assert load().get("run.retries") == 2
    settled("[run]\nretries = 3\n", "kindling.dev.toml", age_s=50)
    assert load().get("run.retries") == 3
    (tmp_path / "kindling.dev.toml").unlink()
    assert load().get("run.retries") == 1
    settled(ROOT.replace("retries = 1", "retries = 4"))
    assert load().get("run.retries") == 4
    assert load(environ={"KINDLING_RUN__RETRIES": "5"}).get("run.retries") == 5
    assert load(environ={"KINDLING_RUN__RETRIES": "6"}).get("run.retries") == 6
    assert load(overrides={"run.retries": "7"}).get("run.retries") == 7
    assert load(app_settings={"run.retries": 8}).get("run.retries") == 8
    schema = {"storage:delta": {"x": {"type": "int", "default": 1}}}
    assert load(plugin_schemas=schema).plugin("storage:delta") == {"x": 1}
    schema["storage:delta"]["x"]["default"] = 2
    assert load(plugin_schemas=schema).plugin("storage:delta") == {"x": 2}
    assert load(environment="prod").environment == "prod"
    assert load(environ={"KINDLING_ENV": "prod"}).environment == "prod"
    assert load(platform_defaults={"settings.a": 1}).get("settings.a") == 1
    settled("[run]\nretries = 9\n", ".secrets.toml")
    assert load().get("run.retries") == 9
    (tmp_path / ".secrets.toml").unlink()
    assert load().get("run.retries") == 4


def test_a_replaced_file_of_equal_size_and_time_is_seen(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT)
    assert load().get("run.retries") == 1
    known = (tmp_path / "kindling.toml").stat()
    settled(ROOT.replace("retries = 1", "retries = 2"), "new")
    os.utime(tmp_path / "new", ns=(known.st_mtime_ns, known.st_mtime_ns))
    (tmp_path / "new").replace(tmp_path / "kindling.toml")
    assert load().get("run.retries") == 2


def test_a_file_that_changed_just_now_is_not_cached(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT, age_s=-5)
    load()
    assert entries(tmp_path) == []


def test_with_a_secrets_file_nothing_is_stored(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT)
    settled('[settings]\npassword = "hunter2"\n', ".secrets.toml")
    assert load().get("settings.password") == "hunter2"
    assert not (tmp_path / ".kindling").exists()


def test_the_cache_can_be_switched_off(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT)
    load(environ={"KINDLING_CACHE": "off"})
    assert not (tmp_path / ".kindling").exists()


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": "kindling.settings/1"}', "null"])
def test_a_damaged_entry_is_ignored_and_replaced(
    settled: Write, load: Load, tmp_path: Path, damage: str
) -> None:
    settled(ROOT)
    load()
    (entry,) = entries(tmp_path)
    entry.write_text(damage, encoding="utf-8")
    assert load().get("run.retries") == 1
    assert len(entry.read_text(encoding="utf-8")) > 100


def test_a_project_that_cannot_be_written_still_loads(settled: Write, load: Load, tmp_path: Path) -> None:
    settled(ROOT)
    (tmp_path / ".kindling").write_text("a file in the way", encoding="utf-8")
    assert load().get("run.retries") == 1


def test_entries_are_few_and_readable_by_their_owner_alone(
    settled: Write, load: Load, tmp_path: Path
) -> None:
    settled(ROOT)
    for number in range(KEPT + 3):
        load(overrides={"run.retries": number})
    found = entries(tmp_path)
    assert len(found) == KEPT
    assert {path.stat().st_mode & 0o077 for path in found} == {0}


def test_an_entry_under_another_key_or_of_changed_files_is_none(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x", encoding="utf-8")
    os.utime(file, ns=(1, 1))
    write_entry(str(tmp_path), "key", [(str(file), stamp(str(file)))], "dev", [["a"]])
    assert read_entry(str(tmp_path), "key") == ("dev", [["a"]])
    assert read_entry(str(tmp_path), "other") is None
    (tmp_path / "settings-other.json").write_bytes((tmp_path / "settings-key.json").read_bytes())
    assert read_entry(str(tmp_path), "other") is None
    file.write_text("xy", encoding="utf-8")
    assert read_entry(str(tmp_path), "key") is None
    assert stamp(str(tmp_path / "absent")) == []
    assert SETTLED_NS < 1_000_000_000
