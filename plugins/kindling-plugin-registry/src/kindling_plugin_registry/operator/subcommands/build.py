"""`kindling registry build`: the index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.options import (
    counted,
    dry_option,
    json_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.source import now

if TYPE_CHECKING:
    from pathlib import Path


@click.command("build")
@click.option(
    "--quick",
    "is_quick",
    is_flag=True,
    help="Look at folders only: files that were changed in place are not seen, as git never does.",
)
@registry_option
@dry_option
@json_option
def command(folder: Path | None, *, is_quick: bool, is_dry: bool, is_json: bool) -> None:
    """Build dist/ of what changed since the last build. Readers see the old index until it is signed."""
    source = source_at(folder)
    built = build(source, now(), is_quick=is_quick, is_dry=is_dry)
    text = f"{counted(built.plugins, 'plugin')}: {len(built.rebuilt)} built, {len(built.removed)} removed"
    if built.without_release:
        text += f"\nwithout a release, not listed: {', '.join(built.without_release)}"
    print_result(
        "kindling.registry-build/1", text, is_json=is_json, **msgspec.to_builtins(built), dry_run=is_dry
    )
