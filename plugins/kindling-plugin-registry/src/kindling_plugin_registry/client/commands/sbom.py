"""`kindling plugins sbom`: a bill of materials of the lock, or of what is installed."""

from __future__ import annotations

import json
import os
import sys

import click

from kindling_plugin_registry.client.billing import bill_of_lock, bill_of_versions
from kindling_plugin_registry.client.kernel import installed_versions
from kindling_plugin_registry.client.lockfile import read_lock
from kindling_plugin_registry.client.registries import open_client


@click.command("sbom")
@click.option("--installed", "is_installed", is_flag=True, help="Of all installed packages, not of the lock.")
@click.option("--output", "-o", metavar="FILE", default="", help="Write it there instead of stdout.")
@click.option("--json", "_is_json", is_flag=True, help="Accepted for symmetry: it always is JSON.")
def command(is_installed: bool, output: str, _is_json: bool) -> None:
    """Print a CycloneDX bill of materials."""
    client = open_client(os.getcwd())
    lock = read_lock(client.project) if client.project and not is_installed else None
    bill = bill_of_lock(lock) if lock is not None else bill_of_versions(installed_versions())
    text = json.dumps(bill, indent=2) + "\n"
    if not output:
        sys.stdout.write(text)
        return
    with open(output, "w", encoding="utf-8") as file:
        file.write(text)
