from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

IDS = "[item.id for item in catalog.capabilities()]"
FAULTS = "[str(item) for item in catalog.faults]"


def test_the_kernel_offers_its_own_state_and_secrets(site: Site) -> None:
    assert site.tell("[(i.id, i.distribution, i.module) for i in catalog.capabilities()]") == [
        ["secrets:env", "kindling-core", "kindling.run.env_secrets"],
        ["state:sqlite", "kindling-core", "kindling.run.sqlite_plugin"],
    ]


def test_an_installed_plugin_is_found_with_what_its_manifest_says(site: Site) -> None:
    needs = {"read": [{"session": ["delta-native"], "mode": "native"}, {"session": [], "mode": "emulated"}]}
    site.plugin("storage:ore", features=["reads"], needs=needs, config={"key": {"type": "string"}})
    assert site.tell("catalog.find('storage:ore').to_plain()") == {
        "kind": "storage",
        "name": "ore",
        "distribution": "kindling-plugin-ore",
        "version": "1.0",
        "api": "1.0",
        "module": "kindling_plugin_ore.plugin",
        "features": ["reads"],
        "probe": "none",
        "probe_module": "",
        "needs": [["read", [[["delta-native"], "native"], [[], "emulated"]]]],
        "config": {"key": {"type": "string"}},
        "help": "",
        "subcommands": [],
    }


def test_names_are_compared_canonically_on_both_sides(site: Site) -> None:
    site.plugin("storage:ore", distribution="Kindling_Plugin.Ore")
    assert site.tell("catalog.find('storage:ore').distribution") == "kindling-plugin-ore"
    for listed in ("kindling.plugin_ORE", "ORE", "storage:ore", "Kindling-Plugin-Ore"):
        assert site.tell("catalog.has('storage:ore')", settings={"plugins": {"block": [listed]}}) is False
        assert site.tell("catalog.has('storage:ore')", KINDLING_PLUGINS_DISABLE=listed) is False
    assert site.tell("catalog.has('storage:ore')", KINDLING_PLUGINS_ONLY="KINDLING_plugin-ore") is True


def test_a_broken_distribution_breaks_no_other(site: Site) -> None:
    site.plugin("storage:good")
    (site.plugin("storage:empty") / "kindling.json").unlink()
    (site.plugin("storage:torn") / "kindling.json").write_text('{"schema": ')
    (site.plugin("storage:list") / "kindling.json").write_text("[]")
    (site.plugin("storage:bytes") / "kindling.json").write_bytes(b"\xff\xfe\x00")
    site.distribution("kindling-plugin-gone", entries={"kindling.manifest": {"x": "kindling_plugin_gone"}})
    site.distribution("kindling-plugin-mute", entries={"kindling.storage": {"mute": "kindling_plugin_mute"}})
    site.distribution(
        "kindling-plugin-dotted", entries={"kindling.manifest": {"x": "kindling_plugin.dotted"}}
    )
    site.distribution("kindling-plugin-nothing", entries={"console_scripts": {"x": "y:z"}})
    nameless = site.path / "kindling_plugin_nameless-1.0.dist-info"
    nameless.mkdir()
    (nameless / "entry_points.txt").write_text("[kindling.storage]\nx = y\n")
    assert site.tell(IDS) == ["secrets:env", "state:sqlite", "storage:good"]
    told = site.tell(FAULTS)
    assert isinstance(told, list)
    assert sorted(told) == [
        (
            "KDL-PLUG-010: the manifest of 'kindling-plugin-empty' 1.0 cannot be read\n"
            "  why: there is no kindling.json in the package 'kindling_plugin_empty'\n"
            "  do: pip install --force-reinstall kindling-plugin-empty, or tell its authors"
        ),
        (
            "KDL-PLUG-010: the manifest of 'kindling-plugin-gone' 1.0 cannot be read\n"
            "  why: there is no package 'kindling_plugin_gone'\n"
            "  do: pip install --force-reinstall kindling-plugin-gone, or tell its authors"
        ),
        (
            "KDL-PLUG-010: the manifest of 'kindling-plugin-list' 1.0 cannot be read\n"
            "  why: it holds a list, not an object\n"
            "  where: <site>/kindling_plugin_list/kindling.json\n"
            "  do: pip install --force-reinstall kindling-plugin-list, or tell its authors"
        ),
        (
            "KDL-PLUG-010: the manifest of 'kindling-plugin-torn' 1.0 cannot be read\n"
            "  why: Expecting value: line 1 column 12 (char 11)\n"
            "  where: <site>/kindling_plugin_torn/kindling.json\n"
            "  do: pip install --force-reinstall kindling-plugin-torn, or tell its authors"
        ),
        (
            "KDL-PLUG-013: 'kindling-plugin-dotted' 1.0 names no manifest\n"
            "  why: its entry points in the group 'kindling.manifest' are ['kindling_plugin.dotted'], "
            "expected one top-level package\n"
            "  where: <site>/kindling_plugin_dotted-1.0.dist-info\n"
            "  do: pip install --upgrade kindling-plugin-dotted, or tell its authors"
        ),
        (
            "KDL-PLUG-013: 'kindling-plugin-mute' 1.0 names no manifest\n"
            "  why: its entry points in the group 'kindling.manifest' are [], "
            "expected one top-level package\n"
            "  where: <site>/kindling_plugin_mute-1.0.dist-info\n"
            "  do: pip install --upgrade kindling-plugin-mute, or tell its authors"
        ),
        (
            "KDL-PLUG-013: 'kindling-plugin-nothing' 1.0 names no manifest\n"
            "  why: its entry points in the group 'kindling.manifest' are [], "
            "expected one top-level package\n"
            "  where: <site>/kindling_plugin_nothing-1.0.dist-info\n"
            "  do: pip install --upgrade kindling-plugin-nothing, or tell its authors"
        ),
        (
            "KDL-PLUG-013: the metadata of '<site>/kindling_plugin_nameless-1.0.dist-info' cannot be read\n"
            "  why: ValueError: its METADATA has no Name\n"
            "  do: pip install --force-reinstall what it belongs to, or remove the folder"
        ),
        (
            "KDL-PLUG-013: the metadata of 'kindling-plugin-bytes' cannot be read\n"
            "  why: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: "
            "invalid start byte\n"
            "  do: pip install --force-reinstall what it belongs to, or remove the folder"
        ),
    ]
    assert site.tell(FAULTS) == told, "the cache tells the same faults"


def test_the_capability_of_a_broken_distribution_is_refused_with_its_fault(site: Site) -> None:
    (site.plugin("storage:torn") / "kindling.json").write_text("{")
    assert str(site.tell("attempt(catalog.find, 'storage:torn')")).startswith("KDL-PLUG-010: the manifest of")


def test_an_entry_point_that_is_no_module_is_a_fault(site: Site) -> None:
    site.distribution(
        "kindling-plugin-ore",
        entries={
            "kindling.storage": {"ore": "kindling_plugin_ore.plugin:offers"},
            "kindling.manifest": {"x": "kindling_plugin_ore"},
        },
    )
    assert site.tell("attempt(catalog.find, 'storage:ore')") == (
        "KDL-PLUG-012: the entry point of 'storage:ore' in 'kindling-plugin-ore' 1.0 is no module\n"
        "  why: it is 'kindling_plugin_ore.plugin:offers', expected a dotted module name without ':'\n"
        "  do: pip install --upgrade kindling-plugin-ore, or tell its authors"
    )


def test_a_manifest_is_found_without_importing_its_package(site: Site) -> None:
    package = site.plugin("storage:ore")
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    assert site.tell("catalog.has('storage:ore')") is True


def test_a_single_module_holds_no_manifest(site: Site) -> None:
    site.distribution(
        "kindling-plugin-one", entries={"kindling.manifest": {"x": "one"}}, files={"one.py": ""}
    )
    assert site.tell("catalog.faults[0].why") == "there is no package 'one'"


def test_the_first_of_two_installations_on_the_path_counts(site: Site) -> None:
    site.plugin("storage:ore")
    site.distribution(
        "kindling-plugin-ore",
        version="0.5",
        entries={"kindling.storage": {"ore": "elsewhere"}, "kindling.manifest": {"x": "elsewhere"}},
        into=site.kernel,
    )
    assert site.tell("[catalog.find('storage:ore').version, len(catalog.faults)]") == ["1.0", 0]


def test_two_distributions_that_own_one_package_are_refused(site: Site) -> None:
    site.plugin("storage:ore")
    site.plugin("storage:gem", package="kindling_plugin_gem")
    record = site.path / "kindling_plugin_gem-1.0.dist-info" / "RECORD"
    record.write_text(record.read_text() + "kindling_plugin_ore/plugin.py,,\n")
    assert site.tell("attempt(catalog.find, 'storage:ore')") == (
        "KDL-PLUG-007: 'storage:ore' of 'kindling-plugin-ore' cannot be used here\n"
        "  why: 'kindling-plugin-gem' and 'kindling-plugin-ore' all own the package "
        "'kindling_plugin_ore': whose code would run is chance\n"
        "  do: pip uninstall kindling-plugin-gem, then pip install --force-reinstall kindling-plugin-ore"
    )
    assert str(site.tell("attempt(loader.offer, 'storage:gem')")).startswith("KDL-PLUG-007")


def test_a_plugin_that_writes_into_the_kernel_is_refused_and_the_kernel_is_not(site: Site) -> None:
    site.plugin("storage:ore")
    record = site.path / "kindling_plugin_ore-1.0.dist-info" / "RECORD"
    record.write_text("kindling/names.py,,\n")
    assert site.tell("catalog.find('state:sqlite').id") == "state:sqlite"
    assert site.tell("attempt(catalog.find, 'storage:ore')") == (
        "KDL-PLUG-007: 'storage:ore' of 'kindling-plugin-ore' cannot be used here\n"
        "  why: 'kindling-core' and 'kindling-plugin-ore' all own the package 'kindling': "
        "whose code would run is chance\n"
        "  do: pip uninstall kindling-plugin-ore, then pip install --force-reinstall kindling-core"
    )


def test_a_declared_conflict_refuses_the_one_that_declares_it(site: Site) -> None:
    site.plugin("storage:ore", conflicts=("Old_Thing",))
    site.plugin("storage:gem")
    assert site.tell("[i.reason for i in catalog.conflicts]") == []
    site.distribution("old-thing", entries={})
    assert site.tell("attempt(catalog.find, 'storage:ore')") == (
        "KDL-PLUG-008: 'storage:ore' of 'kindling-plugin-ore' cannot be used here\n"
        "  why: its manifest says that it conflicts with 'old-thing', which is installed\n"
        "  do: pip uninstall old-thing"
    )
    assert site.tell("catalog.find('storage:gem').id") == "storage:gem"


def test_pyspark_and_its_client_together_refuse_the_platforms_that_use_them(site: Site) -> None:
    site.plugin("platform:spark", requires=("PySpark>=4.2,<4.3",))
    site.plugin("platform:sail", requires=("kindling-core", 'pyspark_client>=4.2 ; extra == "client"'))
    site.plugin("platform:duck", requires=("sqlframe==4.10",))
    site.distribution("pyspark", entries={}, version="4.2.0")
    assert site.tell("catalog.find('platform:sail').id") == "platform:sail"
    site.distribution("pyspark-client", entries={}, version="4.2.0")
    assert site.tell("[[i.reason, i.subject, i.distributions, i.refused] for i in catalog.conflicts]") == [
        [
            "engine",
            "pyspark",
            ["pyspark", "pyspark-client"],
            ["kindling-plugin-sail", "kindling-plugin-spark"],
        ]
    ]
    assert site.tell("attempt(loader.platform, 'sail')") == (
        "KDL-PLUG-008: 'platform:sail' of 'kindling-plugin-sail' cannot be used here\n"
        "  why: 'pyspark' and 'pyspark-client' are one import package, 'pyspark', and both are installed\n"
        "  do: pip uninstall pyspark pyspark-client, then pip install the one you want"
    )
    assert str(site.tell("attempt(catalog.find, 'platform:spark')")).startswith("KDL-PLUG-008")
    assert str(site.tell("loader.platform('duck').name")) == "duck"


def test_two_hundred_plugins_are_found_and_load_each_by_itself(site: Site) -> None:
    for number in range(200):
        site.plugin(f"storage:p{number}", source="raise OSError" if number == 7 else None)
    assert site.tell("len(catalog.capabilities('storage'))") == 200
    loaded = site.tell("[attempt(loader.storage, f'p{n}')[:12] for n in range(200)]")
    assert isinstance(loaded, list)
    assert [place for place, text in enumerate(loaded) if text.startswith("KDL")] == [7]


def test_an_installation_without_a_record_is_sound(site: Site) -> None:
    site.plugin("storage:ore")
    (site.path / "kindling_plugin_ore-1.0.dist-info" / "RECORD").unlink()
    assert site.tell("catalog.has('storage:ore')") is True


def test_a_changed_manifest_is_noticed_by_the_next_start(site: Site) -> None:
    manifest = site.plugin("storage:ore") / "kindling.json"
    assert site.tell("catalog.find('storage:ore').features") == []
    plain = json.loads(manifest.read_text())
    plain["capabilities"]["storage:ore"]["features"] = ["reads"]
    manifest.write_text(json.dumps(plain))
    assert site.tell("catalog.find('storage:ore').features") == ["reads"]
