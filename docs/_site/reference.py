"""Pages on commands and settings, made of the commands themselves and of the schema of settings."""

from __future__ import annotations

import json
import tempfile
from contextlib import chdir
from itertools import groupby
from typing import TYPE_CHECKING

import click
import docstrings
from paths import capabilities_of, start

from kindling.cli.main import cli
from kindling.config.schema import KERNEL, Schema, Setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TABLES = {
    "": "The project",
    "run": "Runs",
    "locations": "Locations and places",
    "naming": "Names",
    "plugins": "Plugins and registries",
    "entities": "Single entities",
    "refs": "Other apps",
    "plan": "Rights",
    "policy": "Policy",
    "spark": "The engine's session",
    "settings": "The app's own values",
}


def overview() -> str:
    """Return the page that lists the references."""
    return "\n".join([*start("reference"), ""])


def command_line() -> str:
    """Return the page on all commands, those of installed plugins included."""
    lines = start("cli")
    with tempfile.TemporaryDirectory() as empty, chdir(empty):  # commands of plugins ask for a project
        for command, context in _commands(cli, click.Context(cli, info_name="kindling")):
            lines += ["", f"{'#' * _level(context)} {context.command_path}", "", *_command(command, context)]
    return "\n".join([*lines, ""])


def _level(context: click.Context) -> int:
    return 2 + context.command_path.count(" ") - 1 if " " in context.command_path else 2


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    yield group, context
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        else:
            yield command, inner


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from ["```text", usage, "```", "", *_help(command)]
    options = [item for item in command.get_params(context) if isinstance(item, click.Option)]
    rows = [row for item in options if "--help" not in item.opts and (row := _option(item, context))]
    if rows:
        yield from ["", "| option | what it does |", "|---|---|", *rows]


def _help(command: click.Command) -> Iterator[str]:
    for line in (command.help or command.short_help or "").replace("\b\n", "\n").splitlines():
        yield line.strip().replace("<", "&lt;")


def _option(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    if record is None:
        return ""
    names, text = record
    return f"| `{docstrings.cell(names)}` | {docstrings.cell(text).replace('<', '&lt;')} |"


def settings(plugins: Iterable[Path]) -> str:
    """Return the page on all settings: the kernel's and those of the given plugins' manifests."""
    lines = start("settings")
    for area, members in groupby(KERNEL, key=_area):
        lines += ["", f"## {TABLES[area]}", "", *_table(members)]
    lines += ["", "## Plugins' own"]
    for plugin in plugins:
        lines += list(_plugin(plugin))
    return "\n".join([*lines, ""])


def _area(setting: Setting) -> str:
    first = setting.name.split(".")[0]
    return first if first in TABLES else ""


def _plugin(plugin: Path) -> Iterator[str]:
    schemas = {name: facts.get("config", {}) for name, facts in capabilities_of(plugin).items()}
    found = [setting for _, setting in Schema(schemas).plugin_settings]
    if found:
        yield from ["", f"### {plugin.name}", "", *_table(found)]


def _table(found: Iterable[Setting]) -> Iterator[str]:
    yield from ["| name | type | default | what it does |", "|---|---|---|---|"]
    for setting in found:
        default = "" if setting.default is None else f"`{json.dumps(setting.default)}`"
        choices = "; one of " + ", ".join(f"`{one}`" for one in setting.choices) if setting.choices else ""
        text = docstrings.cell(setting.doc + choices)
        yield f"| `{setting.name}` | {setting.type} | {docstrings.cell(default)} | {text} |"
