"""`kindling registry advise`: a security advisory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kindling.names import canonical
from kindling_plugin_registry.operator.changing import advise
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


@click.command("advise")
@click.argument("name")
@click.option("--summary", required=True, help="One line.")
@click.option("--details", default="", help="What happens, and what to do.")
@click.option("--introduced", default="0", show_default=True, help="First affected version; 0 for all.")
@click.option("--fixed", default="", help="First version that is not affected.")
@click.option("--alias", "aliases", multiple=True, help="Another id, for example of a CVE; may be repeated.")
@click.option("--link", "links", multiple=True, help="An address with more about it; may be repeated.")
@registry_option
@dry_option
@json_option
def command(
    *,
    name: str,
    summary: str,
    details: str,
    introduced: str,
    fixed: str,
    aliases: tuple[str, ...],
    links: tuple[str, ...],
    folder: Path | None,
    is_dry: bool,
    is_json: bool,
) -> None:
    """Write an advisory about plugin NAME, in the format of OSV, under the next free id."""
    made, affected = advise(
        source_at(folder),
        canonical(name),
        summary=summary,
        details=details,
        introduced=introduced,
        fixed=fixed,
        now=moment(now()),
        aliases=aliases,
        links=links,
        is_dry=is_dry,
    )
    print_result(
        "kindling.registry-advise/1",
        f"{made.id}: affects {canonical(name)} {', '.join(affected)}",
        is_json=is_json,
        id=made.id,
        affected=list(affected),
        dry_run=is_dry,
    )
