from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import PluginError
from kindling.plugins.cache import cache_key, read_cache, write_cache
from kindling.plugins.installed import Conflict, Installed
from kindling.plugins.manifest import Capability, Distribution

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

HEAVY = [
    "importlib.metadata",
    "importlib_metadata",
    "importlib.util",
    "pluggy",
    "dataclasses",
    "typing",
    "pathlib",
    "inspect",
    "logging",
    "tomllib",
    "kindling.hooks",
    "kindling.plugins.scan",
]
LOADED = f"[name for name in sys.modules if name in {HEAVY} or name.startswith('kindling_plugin')]"


def found(*files: Path) -> Installed:
    return Installed(
        capabilities=(
            Capability("storage", "ore", "d", "1", "1.0", "m", needs=(("read", (((), "native"),)),)),
        ),
        distributions=(Distribution("d", "1", "p", "/p/kindling.json", permissions=("files",)),),
        faults=(
            PluginError("KDL-PLUG-010", "broken", why="so", where="here", hint="mend", capabilities=["x"]),
        ),
        conflicts=(Conflict("package", "p", ("a", "b"), ("a",)),),
        files=tuple(map(str, files)),
    )


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    key = cache_key()
    assert write_cache(str(tmp_path), key, found())
    read = read_cache(str(tmp_path), key)
    assert read is not None
    assert read.replace(faults=()) == found().replace(faults=())
    assert [fault.to_plain() for fault in read.faults] == [fault.to_plain() for fault in found().faults]
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_another_key_is_stale(tmp_path: Path) -> None:
    key = cache_key()
    write_cache(str(tmp_path), key, found())
    assert read_cache(str(tmp_path), [*key, "other"]) is None


def test_a_changed_a_lost_and_a_new_manifest_are_noticed(tmp_path: Path) -> None:
    manifest, key = tmp_path / "kindling.json", cache_key()
    for change in (lambda: manifest.write_text("longer"), manifest.unlink, lambda: manifest.write_text("{}")):
        write_cache(str(tmp_path), key, found(manifest))
        assert read_cache(str(tmp_path), key) is not None
        change()
        assert read_cache(str(tmp_path), key) is None


def test_a_changed_time_is_enough(tmp_path: Path) -> None:
    manifest, key = tmp_path / "kindling.json", cache_key()
    manifest.write_text("{}")
    write_cache(str(tmp_path), key, found(manifest))
    os.utime(manifest, ns=(1, 1))
    assert read_cache(str(tmp_path), key) is None


def test_a_corrupt_cache_is_ignored(tmp_path: Path) -> None:
    key = cache_key()
    write_cache(str(tmp_path), key, found())
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    corrupt = (
        "",
        "{",
        "[]",
        "null",
        "{}",
        text[: len(text) // 2],
        text.replace('"capabilities":[{', '"capabilities":[{"surprise":1,'),
        text.replace('"faults":[', '"faults":[1,'),
        text.replace('"needs":[["read"', '"needs":[["read",1'),
    )
    for broken in corrupt:
        assert broken != text
        path.write_text(broken)
        assert read_cache(str(tmp_path), key) is None, broken
    path.write_bytes(b"\xff\xfe")
    assert read_cache(str(tmp_path), key) is None


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not write_cache(str(tmp_path / "file"), cache_key(), found())


def test_a_corrupt_cache_is_written_anew(site: Site) -> None:
    site.plugin("storage:ore")
    assert site.tell("catalog.has('storage:ore')") is True
    (path,) = site.cache.iterdir()
    path.write_text("{")
    assert site.tell("catalog.has('storage:ore')") is True
    assert path.read_text().startswith('{"schema":"kindling.catalog/2"')


def test_a_warm_start_imports_no_plugin_and_nothing_heavy(site: Site) -> None:
    site.plugin("storage:ore", probe="local", probe_module="kindling_plugin_ore.probe")
    assert "kindling.plugins.scan" in str(site.tell(LOADED))
    assert site.tell(f"[catalog.find('storage:ore').id, {LOADED}]") == ["storage:ore", []]


def test_not_even_a_cold_start_imports_a_plugin(site: Site) -> None:
    site.plugin("storage:ore", source="raise SystemExit")
    loaded = site.tell("[name for name in sys.modules if name.startswith('kindling_plugin')]")
    assert loaded == []


def test_an_installation_and_a_removal_are_noticed(site: Site) -> None:
    assert site.tell("catalog.has('storage:ore')") is False
    site.plugin("storage:ore")
    assert site.tell("catalog.has('storage:ore')") is True
    for path in (site.path / "kindling_plugin_ore-1.0.dist-info").iterdir():
        path.unlink()
    (site.path / "kindling_plugin_ore-1.0.dist-info").rmdir()
    assert site.tell("catalog.has('storage:ore')") is False


def test_the_policy_is_no_part_of_the_cache(site: Site) -> None:
    site.plugin("storage:ore")
    assert site.tell("catalog.has('storage:ore')", KINDLING_PLUGINS_NONE="1") is False
    assert site.tell("catalog.has('storage:ore')") is True


def test_without_a_folder_nothing_is_cached(site: Site) -> None:
    site.plugin("storage:ore")
    assert site.tell("read_catalog('', policy).has('storage:ore')") is True


def test_processes_that_start_at_once_leave_one_sound_cache(site: Site) -> None:
    site.plugin("storage:ore")
    code = """
import subprocess
again = "from kindling.plugins.catalog import *; from kindling.plugins.policy import Policy; import os; "
again += "print(read_catalog(os.environ['CACHE'] + '2', Policy()).has('storage:ore'))"
many = [subprocess.Popen([sys.executable, "-S", "-c", again], stdout=subprocess.PIPE) for _ in range(6)]
print([one.communicate()[0].strip().decode() for one in many])
"""
    assert site.script(code) == f"{['True'] * 6}\n"
    assert [path.suffix for path in Path(f"{site.cache}2").iterdir()] == [".json"]
