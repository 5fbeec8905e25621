"""`kindling plugins bundle`: one file from which the lock is installed without a network."""

from __future__ import annotations

import os
import sys

import click

from kindling.errors import PolicyError
from kindling_plugin_registry.client.bundles import write_bundle
from kindling_plugin_registry.client.kernel import document
from kindling_plugin_registry.client.lockfile import read_lock
from kindling_plugin_registry.client.market import open_market
from kindling_plugin_registry.client.registries import open_client


@click.command("bundle")
@click.option("--output", "-o", default="plugins.bundle.tar", metavar="FILE", help="The file to write.")
@click.option(
    "--all-platforms", "is_whole", is_flag=True, help="Files of all platforms, not only this one's."
)
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.bundle-result/1).")
def command(output: str, is_whole: bool, is_offline: bool, is_json: bool) -> None:
    """Write wheels, lock, the signed slice of the index and a bill of materials into one file."""
    client = open_client(os.getcwd())
    lock = read_lock(client.project) if client.project else None
    if lock is None:
        raise PolicyError("KDL-REG-157", "there is no lock", hint="kindling plugins lock")
    market = open_market(client, refreshes=not is_offline, is_offline=is_offline)
    count = write_bundle(market, lock, output, is_whole=is_whole, is_offline=is_offline)
    expires = min(copy.expires for copy in market.copies)
    if is_json:
        sys.stdout.write(document("kindling.bundle-result/1", path=output, packages=count, expires=expires))
    else:
        sys.stdout.write(f"{count} packages in {output}; its index counts until {expires}\n")
