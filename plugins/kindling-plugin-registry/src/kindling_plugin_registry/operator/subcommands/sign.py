"""`kindling registry sign`: signatures of the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.options import (
    json_option,
    keys_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.signing import sign
from kindling_plugin_registry.operator.source import now

if TYPE_CHECKING:
    from pathlib import Path


@click.command("sign")
@click.option(
    "--role",
    type=click.Choice(["targets", "snapshot", "timestamp"]),
    default="targets",
    help="Sign this role and those that name it; timestamp alone renews what has not changed.",
)
@keys_option
@registry_option
@json_option
def command(role: str, key_folders: tuple[Path, ...], folder: Path | None, *, is_json: bool) -> None:
    """Sign the built index with the online keys; clients see it when this is done."""
    made = sign(source_at(folder), load_keys(key_folders), now(), role)
    lines = [f"{role} {version}, until {made.expires[role]}" for role, version in made.versions.items()]
    print_result(
        "kindling.registry-sign/1",
        "\n".join(lines),
        is_json=is_json,
        versions=made.versions,
        expires=made.expires,
    )
