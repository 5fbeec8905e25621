"""`kindling registry yank`: a release is withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kindling.names import canonical
from kindling_plugin_registry.operator.changing import yank
from kindling_plugin_registry.operator.options import (
    dry_option,
    json_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.source import moment, now

if TYPE_CHECKING:
    from pathlib import Path


@click.command("yank")
@click.argument("name")
@click.argument("version")
@click.option("--reason", required=True, help="Why, for those who have installed it.")
@registry_option
@dry_option
@json_option
def command(
    name: str, version: str, reason: str, folder: Path | None, *, is_dry: bool, is_json: bool
) -> None:
    """Withdraw release VERSION of plugin NAME: it is not chosen any more, exact pins still find it."""
    name = canonical(name)
    is_changed = yank(source_at(folder), name, version, reason, moment(now()), is_dry=is_dry)
    verb = ("would be" if is_dry else "is") if is_changed else "was already"
    print_result(
        "kindling.registry-yank/1",
        f"{name} {version} {verb} yanked",
        is_json=is_json,
        name=name,
        version=version,
        changed=is_changed,
        dry_run=is_dry,
    )
