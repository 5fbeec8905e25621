from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_the_list_shows_capabilities_and_states(shop: Terminal) -> None:
    done = shop("plugins", "list")
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0] == ["capability", "plugin", "version", "state"]
    assert ["state:sqlite", "kindling-core", "0.1.0", "ready"] in rows
    assert rows[1:] == sorted(rows[1:])


def test_json_fits_its_schema_even_with_a_broken_plugin(folder: Terminal, broken_site: str) -> None:
    document = folder("plugins", "list", "--json", PYTHONPATH=broken_site).json("plugins")
    assert [fault["code"] for fault in document["faults"]] == ["KDL-PLUG-010"]
    folder("-C", ".", "plugins", "list", "--json", PYTHONPATH=broken_site).json("plugins")


def test_the_list_works_where_settings_are_broken(shop: Terminal) -> None:
    shop.write("kindling.toml", "[plugins\n")
    done = shop("plugins", "list")
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("capability")
    assert done.out.splitlines()[-1].startswith("note: [plugins] settings are left out: KDL-CONF-002: ")


def test_a_broken_plugin_can_be_disabled(shop: Terminal, broken_site: str) -> None:
    done = shop("plugins", "disable", "bad", PYTHONPATH=broken_site)
    assert (done.code, done.out) == (0, "bad is disabled\n")


def test_what_is_wrong_with_a_broken_plugin_is_told(folder: Terminal, broken_site: str) -> None:
    done = folder("plugins", "info", "bad", PYTHONPATH=broken_site)
    assert done.code == 2
    assert done.err.startswith("KDL-PLUG-010: the manifest of 'kindling-plugin-bad' 1.0 cannot be read\n")
