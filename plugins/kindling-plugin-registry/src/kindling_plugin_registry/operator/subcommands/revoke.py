"""`kindling registry revoke`: releases that must not be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kindling.names import canonical
from kindling_plugin_registry.operator.changing import revoke
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

    from kindling_plugin_registry.records import Severity


@click.command("revoke")
@click.argument("name")
@click.argument("versions")
@click.option("--reason", required=True, help="Why.")
@click.option(
    "--severity",
    type=click.Choice(["critical", "high", "low"]),
    default="high",
    show_default=True,
    help="How bad it is to go on using them.",
)
@registry_option
@dry_option
@json_option
def command(
    name: str,
    versions: str,
    reason: str,
    severity: Severity,
    folder: Path | None,
    *,
    is_dry: bool,
    is_json: bool,
) -> None:
    """Revoke releases of plugin NAME: VERSIONS is a specifier like '<1.2', or '*' for all."""
    found = revoke(
        source_at(folder),
        canonical(name),
        versions,
        reason=reason,
        severity=severity,
        now=moment(now()),
        is_dry=is_dry,
    )
    print_result(
        "kindling.registry-revoke/1",
        f"revoked {canonical(name)} {', '.join(found)}",
        is_json=is_json,
        name=canonical(name),
        revoked=list(found),
        dry_run=is_dry,
    )
