from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_the_fast_path_and_the_ordinary_command_say_the_same(shop: Terminal, broken_site: str) -> None:
    for extra in ({}, {"PYTHONPATH": broken_site}, {"KINDLING_PLUGINS_NONE": "1"}):
        for arguments in ((), ("--json",)):
            fast = shop("plugins", "list", *arguments, **extra)
            ordinary = shop("-C", ".", "plugins", "list", *arguments, **extra)
            assert fast == ordinary
            assert fast.code == 0


def test_a_plugin_is_disabled_and_enabled_in_the_settings(shop: Terminal) -> None:
    done = shop("plugins", "disable", "duckdb")
    assert (done.code, done.out) == (0, "duckdb is disabled\n")
    assert 'disable = ["duckdb"]' in (shop.path / "kindling.toml").read_text()
    assert "disabled: plugins.disable names 'duckdb'" in shop("plugins", "list").out
    assert shop("plugins", "disable", "duckdb").out == "duckdb was disabled already\n"
    refused = shop("plan")
    assert (refused.code, refused.err.count("KDL-PLUG-005")) == (2, 1)
    assert shop("plugins", "enable", "duckdb").out == "duckdb is enabled\n"
    assert shop("plugins", "enable", "duckdb").out == "duckdb was not disabled\n"
    assert shop("plan").code == 0


def test_an_unknown_plugin_is_not_disabled(shop: Terminal) -> None:
    before = (shop.path / "kindling.toml").read_text()
    done = shop("plugins", "disable", "dukdb")
    assert done.code == 2
    assert done.err == (
        "KDL-USE-040: no installed plugin is called 'dukdb'\n"
        "  why: did you mean 'duckdb'?\n"
        "  do: kindling plugins list\n"
    )
    assert (shop.path / "kindling.toml").read_text() == before


def test_a_plugin_is_described_by_any_of_its_names(shop: Terminal) -> None:
    texts = {
        shop("plugins", "info", name).out for name in ("delta", "kindling_plugin_delta", "storage:delta")
    }
    (text,) = texts
    assert text.startswith("kindling-plugin-delta ")
    assert "\nstorage:delta, API 1.0: ready\n" in text
    assert "overwrite  " in text


def test_json_of_a_plugin_has_needs_and_settings(shop: Terminal) -> None:
    document = shop("plugins", "info", "delta", "--json").json("plugin")
    (capability,) = document["capabilities"]
    assert capability["is_usable"] is True
    assert "overwrite" in [need["use"] for need in capability["needs"]]
    blocked = shop("plugins", "info", "delta", "--json", KINDLING_PLUGINS_NONE="1").json("plugin")
    assert blocked["capabilities"][0]["fault"]["code"] == "KDL-PLUG-005"
