"""`kindling registry mirror`: a verified copy."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kindling_plugin_registry.operator.mirroring import mirror
from kindling_plugin_registry.operator.options import counted, dry_option, json_option, print_result
from kindling_plugin_registry.operator.verification import Place


@click.command("mirror")
@click.argument("place")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The trusted root: a N.root.json that came by a safe way.",
)
@click.option("--wheels", "has_wheels", is_flag=True, help="Copy wheels that have an address, too.")
@dry_option
@json_option
def command(place: str, folder: Path, root: Path, *, has_wheels: bool, is_dry: bool, is_json: bool) -> None:
    """Verify the index at PLACE, an address or a folder, and copy what changed to FOLDER."""
    done = mirror(Place(place), root.read_bytes(), folder, has_wheels=has_wheels, is_dry=is_dry)
    text = (
        f"verified; {counted(done.copied, 'file')} {'to copy' if is_dry else 'copied'}, {done.same} unchanged"
    )
    text += f", {counted(done.wheels, 'wheel')}" if has_wheels and not is_dry else ""
    text += f"; signed until {done.expires}"
    print_result(
        "kindling.registry-mirror/1", text, is_json=is_json, **msgspec.to_builtins(done), dry_run=is_dry
    )
