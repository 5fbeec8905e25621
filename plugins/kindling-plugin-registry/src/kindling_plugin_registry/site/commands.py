"""`kindling registry site`: the index as a web site."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kindling_plugin_registry.operator.options import (
    counted,
    json_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.site.writing import make_site


@click.command("site")
@click.argument("dist", required=False, type=click.Path(path_type=Path))
@click.option("--url", help="Address of the site, for feeds and sitemap; by default url of registry.toml.")
@registry_option
@json_option
def command(dist: Path | None, url: str | None, folder: Path | None, *, is_json: bool) -> None:
    """Write the site of the built index into DIST, by default dist/ of the registry; only what changed."""
    place, known = dist, ""
    if place is None:
        source = source_at(folder)
        place, known = source.dist, source.settings().url
    address = known if url is None else url
    made = make_site(place, address)
    text = f"{counted(made.plugins, 'plugin')}: {counted(len(made.written), 'page')} written, "
    text += f"{made.same} unchanged, {len(made.deleted)} deleted, in {str(place)!r}"
    if not address:
        text += "\nwithout feeds and sitemap, which need the site's address: --url, or url in registry.toml"
    print_result("kindling.registry-site/1", text, is_json=is_json, **msgspec.to_builtins(made))
