"""`kindling registry init`: a new registry."""

from __future__ import annotations

from pathlib import Path

import click

from kindling_plugin_registry.operator.options import dry_option, json_option, print_result
from kindling_plugin_registry.operator.starting import Start, check_start, make_registry


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--keys", type=click.Path(path_type=Path), required=True, help="Folder for the private keys.")
@click.option("--name", default="registry", show_default=True, help="Its name in settings and lists.")
@click.option("--title", default="Plugins", show_default=True, help="Its title.")
@click.option("--url", default="", help="Where dist/ will be published.")
@click.option("--package-index", default="", help="Where wheels without an address are found.")
@click.option(
    "--threshold", default=2, show_default=True, type=click.IntRange(1, 10), help="Root keys that must sign."
)
@click.option(
    "--root-keys", default=3, show_default=True, type=click.IntRange(1, 10), help="Root keys to make."
)
@dry_option
@json_option
def command(
    *,
    folder: Path,
    keys: Path,
    name: str,
    title: str,
    url: str,
    package_index: str,
    threshold: int,
    root_keys: int,
    is_dry: bool,
    is_json: bool,
) -> None:
    """Make a new registry in FOLDER: settings, schemas, keys and a root signed by all its keys."""
    if threshold > root_keys:
        msg = f"--threshold {threshold} needs as many root keys: --root-keys {threshold}"
        raise click.UsageError(msg)
    start = Start(
        folder=folder,
        keys=keys,
        name=name,
        title=title,
        url=url,
        package_index=package_index,
        threshold=threshold,
        root_keys=root_keys,
    )
    check_start(start)
    made = [] if is_dry else make_registry(start)
    verb = "would make" if is_dry else "made"
    text = (
        f"{verb} the registry {str(folder)!r}, private keys in {str(keys)!r}\n"
        f"next: move the root keys to {root_keys} safe places; kindling registry add WHEEL; build; sign"
    )
    print_result(
        "kindling.registry-init/1", text, is_json=is_json, registry=str(folder), keys=made, dry_run=is_dry
    )
