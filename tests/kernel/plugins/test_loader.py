from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

KINDS = ("platform", "storage", "executor", "state", "secrets", "sink", "command")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_typed_helper(site: Site, kind: str) -> None:
    site.plugin(f"{kind}:ore")
    told = site.tell(f"[loader.{kind}('ore').name, loader.{kind}('ore') is loader.offer('{kind}:ore')]")
    assert told == ["ore", True]


def test_a_module_is_imported_at_its_first_use_and_not_before(site: Site) -> None:
    site.plugin("storage:ore")
    site.plugin("storage:gem")
    code = "[loader.storage('ore').name, [m for m in sys.modules if m.startswith('kindling_plugin')]]"
    assert site.tell(code) == ["ore", ["kindling_plugin_ore", "kindling_plugin_ore.plugin"]]


def test_one_module_may_offer_several_capabilities(site: Site) -> None:
    source = """
from kindling.hooks import hookimpl
from kindling.hooks.platform import PlatformOffer
from kindling.hooks.storage import StorageOffer

@hookimpl
def kindling_storage_offers():
    return (StorageOffer("ore", print), StorageOffer("gem", print))

@hookimpl
def kindling_platform_offers():
    return (PlatformOffer("ore", print),)
"""
    package = site.plugin("storage:ore", source=source)
    points = site.path / "kindling_plugin_ore-1.0.dist-info" / "entry_points.txt"
    points.write_text(
        points.read_text()
        + "[kindling.platform]\nore = kindling_plugin_ore.plugin\n"
        + "[kindling.storage]\ngem = kindling_plugin_ore.plugin\n"
    )
    (package / "kindling.json").write_text(
        '{"schema": "kindling.manifest/1", "distribution": "kindling-plugin-ore", "capabilities": {'
        '"storage:ore": {"api": "1.0", "probe": "none"}, "storage:gem": {"api": "1.0", "probe": "none"},'
        '"platform:ore": {"api": "1.0"}}}'
    )
    names = "[loader.storage('gem').name, loader.platform('ore').name, loader.storage('ore').name]"
    assert site.tell(names) == ["gem", "ore", "ore"]


def test_a_switch_acts_before_the_import_even_when_the_catalog_does_not_know_it(site: Site) -> None:
    site.plugin("storage:ore", source="import nowhere_to_be_found")
    for environ in (
        {"KINDLING_PLUGINS_NONE": "1"},
        {"KINDLING_PLUGINS_ONLY": "gem"},
        {"KINDLING_PLUGINS_DISABLE": "ore"},
    ):
        permissive = "read_catalog('', Policy())"
        for chosen in ("catalog", permissive):
            told = site.tell(f"attempt(Loader({chosen}, policy).offer, 'storage:ore')", **environ)
            assert str(told).startswith(
                "KDL-PLUG-005: 'storage:ore' of 'kindling-plugin-ore' is switched off"
            )


def test_a_blocked_probe_is_not_imported(site: Site) -> None:
    site.plugin("storage:ore", probe="local", probe_module="kindling_plugin_ore.probe")
    call = "attempt(Loader(read_catalog('', Policy()), policy).probe, 'ore')"
    told = site.tell(call, settings={"plugins": {"block": ["Kindling.Plugin.Ore"]}})
    assert told == (
        "KDL-POL-020: 'storage:ore' of 'kindling-plugin-ore' is blocked\n"
        "  why: plugins.block names 'kindling-plugin-ore'\n"
        "  do: take it from [plugins] block in kindling.toml"
    )


def test_a_storage_without_a_probe_has_none(site: Site) -> None:
    site.plugin("storage:ore")
    assert site.tell("loader.probe('ore')") is None


def test_a_probe_loads_neither_pluggy_nor_the_plugin_module(site: Site) -> None:
    package = site.plugin("storage:ore", probe="local", probe_module="kindling_plugin_ore.probe")
    (package / "probe.py").write_text(
        "def version(address):\n    return 'v1'\n\ndef cursor(address, key):\n    return None\n"
    )
    assert site.tell("loader.probe('ore').version(None)") == "v1"
    heavy = ["pluggy", "dataclasses", "typing", "pathlib", "importlib_metadata", "kindling_plugin_ore.plugin"]
    code = f"[loader.probe('ore') is loader.probe('ore'), [m for m in {heavy} if m in sys.modules]]"
    assert site.tell(code) == [True, []]


def test_a_probe_without_its_functions_is_refused(site: Site) -> None:
    package = site.plugin("storage:ore", probe="local", probe_module="kindling_plugin_ore.probe")
    (package / "probe.py").write_text("version = 1\n")
    assert site.tell("attempt(loader.probe, 'ore')") == (
        "KDL-PLUG-028: the probe 'kindling_plugin_ore.probe' of 'kindling-plugin-ore' 1.0 is not complete\n"
        "  why: it has no function 'version' and no function 'cursor'\n"
        "  where: <site>/kindling_plugin_ore/probe.py\n"
        "  do: pip install --upgrade kindling-plugin-ore, or tell its authors"
    )


def test_threads_that_ask_at_once_import_a_module_once(site: Site) -> None:
    source = "import time; time.sleep(0.1); print('imported', flush=True)\n"
    package = site.plugin("storage:ore")
    plugin = package / "plugin.py"
    plugin.write_text(source + plugin.read_text())
    code = """
from threading import Thread
threads = [Thread(target=loader.storage, args=("ore",)) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    assert site.script(code) == "imported\n"


def test_a_failed_module_fails_again_in_the_same_way(site: Site) -> None:
    site.plugin("storage:ore", source="import decimal as pandas_like\nraise OSError('no disk')")
    told = site.tell("[attempt(loader.storage, 'ore') for _ in range(2)]")
    assert isinstance(told, list)
    assert told[0] == told[1]
