"""Makes each command of a plugin and asks for its help: `python helps.py SPEC.json RESULT.json`."""

from __future__ import annotations

import importlib
import json
import sys
import traceback

import click
from click.testing import CliRunner

from kindling.hooks.command import CommandSpec


def main() -> None:
    """Write path and reason of each command that fails, by capability."""
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    told = {item: [*faults(item, spec["modules"][item], paths)] for item, paths in spec["paths"].items()}
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(told, file)


def faults(capability: str, module: str, paths: list[str]) -> list[list[str]]:
    """Return path and reason of each path that has no command or no help."""
    found = []
    for path in paths:
        try:
            offers = importlib.import_module(module).kindling_command_offers()
            offer = next(item for item in offers if item.name == capability.partition(":")[2])
            made = offer.factory(CommandSpec("", path))
            if not isinstance(made, click.Command):
                found.append([path, f"it is a {type(made).__name__}, expected a click.Command"])
            elif CliRunner().invoke(made, ["--help"]).exit_code:
                found.append([path, "--help fails"])
        except BaseException:  # noqa: BLE001  # whatever foreign code raises is what is asked for
            found.append([path, traceback.format_exc(limit=-2).strip().splitlines()[-1]])
    return found


main()
