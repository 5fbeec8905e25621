"""`kindling plugins search`: the verified copies of the registries, by words and filters."""

from __future__ import annotations

import os
import sys

import click

from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.market import open_market
from kindling_plugin_registry.client.registries import LEVELS, open_client
from kindling_plugin_registry.client.searching import MOST, found_plain, found_text, known_copies, search


@click.command("search")
@click.argument("words", nargs=-1)
@click.option("--kind", default="", metavar="KIND", help="Only plugins of this kind, for example storage.")
@click.option(
    "--capability", default="", metavar="ID", help="Only what offers it, for example storage:delta."
)
@click.option("--level", type=click.Choice(LEVELS), default=None, help="Only of at least this level.")
@click.option("--limit", type=click.IntRange(min=1), default=MOST, help="Most rows of the table.")
@click.option("--refresh", "refreshes", is_flag=True, help="Ask the registries first.")
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.search/1).")
def command(
    words: tuple[str, ...],
    kind: str,
    capability: str,
    level: str | None,
    limit: int,
    refreshes: bool,
    is_offline: bool,
    is_json: bool,
) -> None:
    """Search the registries for WORDS; all must occur."""
    client = open_client(os.getcwd())
    copies = None if refreshes else known_copies(client)
    if copies is None:
        copies = open_market(client, refreshes=refreshes, is_offline=is_offline).copies
    found = search(copies, words, kind=kind, capability=capability, level=level or "")
    if is_json:
        sys.stdout.write(document("kindling.search/1", **found_plain(copies, found)))
    else:
        sys.stdout.write(found_text(copies, found, limit))
