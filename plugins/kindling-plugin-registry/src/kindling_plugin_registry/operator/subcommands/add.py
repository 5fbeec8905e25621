"""`kindling registry add`: records from wheels."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kindling_plugin_registry.operator.adding import add_wheels
from kindling_plugin_registry.operator.options import (
    dry_option,
    json_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.source import moment, now


@click.command("add")
@click.argument("wheels", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", default="", help="Address of the folder where these wheels are published.")
@click.option("--no-copy", "is_elsewhere", is_flag=True, help="The package index has the wheels; copy none.")
@click.option(
    "--replace", "is_replacing", is_flag=True, help="Replace a record: nobody has installed it yet."
)
@registry_option
@dry_option
@json_option
def command(
    wheels: tuple[Path, ...],
    url: str,
    folder: Path | None,
    *,
    is_elsewhere: bool,
    is_replacing: bool,
    is_dry: bool,
    is_json: bool,
) -> None:
    """Record the releases of WHEELS. Nothing is installed; a record that exists is not changed."""
    added = add_wheels(
        source_at(folder),
        wheels,
        moment(now()),
        url=url,
        is_kept=not is_elsewhere,
        is_replacing=is_replacing,
        is_dry=is_dry,
    )
    lines = [
        f"{item.name} {item.version}: {item.state}"
        + (f"; complete plugins/{item.name}/plugin.toml" if item.is_first else "")
        for item in added
    ]
    print_result(
        "kindling.registry-add/1",
        "\n".join(lines),
        is_json=is_json,
        added=msgspec.to_builtins(added),
        dry_run=is_dry,
    )
