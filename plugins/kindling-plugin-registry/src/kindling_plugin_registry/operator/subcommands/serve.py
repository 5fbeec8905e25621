"""`kindling registry serve`: the index over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kindling_plugin_registry.operator.options import print_result, registry_option, source_at
from kindling_plugin_registry.operator.serving import make_server


@click.command("serve")
@click.argument("dist", required=False, type=click.Path(path_type=Path))
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 to be reached from elsewhere.")
@click.option("--json", "is_json", is_flag=True, help="Print the address as JSON.")
@registry_option
def command(dist: Path | None, port: int, host: str, folder: Path | None, *, is_json: bool) -> None:
    """Serve DIST, by default dist/ of the registry, until interrupted; without TLS."""
    place = dist or source_at(folder).dist
    with make_server(place, host, port, is_quiet=False) as server:
        url = f"http://{host}:{server.server_port}/"
        print_result(
            "kindling.registry-serve/1", f"serving {str(place)!r} at {url}", is_json=is_json, url=url
        )
        sys.stdout.flush()
        server.serve_forever()
