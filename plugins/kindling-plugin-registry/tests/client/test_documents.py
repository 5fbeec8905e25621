"""Every command's JSON fits its published schema, and names it in its help."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import kindling_plugin_registry

if TYPE_CHECKING:
    from conftest import Mine

CLIENT = Path(kindling_plugin_registry.__file__).parent / "client"


def test_every_json_document_fits_its_schema(mine: Mine) -> None:
    plugins = mine.bench.plugins
    assert plugins("lock", "--json").plain()["plugins"] == {
        "kindling-plugin-mine": "1.0.0",
        "kindling-plugin-ore": "1.0.0",
    }
    assert plugins("bundle", "-o", "b.tar", "--json").plain()["packages"] == 3
    assert set(plugins("sync", "--json").plain()["installed"]) == {  # type: ignore[call-overload]
        "kindling-plugin-mine",
        "kindling-plugin-ore",
        "tiny-library",
    }
    for words in (
        ["need"],
        ["resolve"],
        ["search"],
        ["why", "storage:ore"],
        ["why-not", "ore"],
        ["diff"],
        ["audit"],
        ["verify"],
        ["doctor"],
        ["update", "--dry-run"],
        ["install", "ore", "--dry-run"],
        ["uninstall", "ore", "--dry-run"],
    ):
        done = plugins(*words, "--json")
        assert done.code in (0, 5), done
        assert done.plain()


def test_every_command_is_a_module_and_has_help_and_json() -> None:
    for path in sorted((CLIENT / "commands").glob("[a-z]*.py")):
        command = import_module(f"kindling_plugin_registry.client.commands.{path.stem}").command
        assert command.name == path.stem.replace("_", "-")
        assert command.help
        assert "is_json" in {parameter.name.lstrip("_") for parameter in command.params}, path.stem
