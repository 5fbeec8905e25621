"""`kindling plugins verify`: signatures of the registries, and hashes of the installed files."""

from __future__ import annotations

import os
import sys

import click

from kindling.errors import KindlingError
from kindling_plugin_registry.client.copies import Copy
from kindling_plugin_registry.client.health import (
    FAIL,
    OK,
    Row,
    exit_code,
    plugin_versions,
    rows_text,
    verified_files,
)
from kindling_plugin_registry.client.kernel import document, read_catalog
from kindling_plugin_registry.client.refreshing import copy_of
from kindling_plugin_registry.client.registries import Client, open_client


@click.command("verify")
@click.argument("names", nargs=-1)
@click.option("--offline", "is_offline", is_flag=True, help="Look at the copies only, fetch nothing.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.verify/1).")
def command(names: tuple[str, ...], is_offline: bool, is_json: bool) -> int:
    """Verify the registries, and the files of plugins NAMES, by default of all. Exits with 5 on a fault."""
    client = open_client(os.getcwd())
    rows = [_registry(client, index, is_offline=is_offline) for index in range(len(client.registries))]
    versions = plugin_versions(read_catalog(client.cache, client.policy))
    short = {name.removeprefix("kindling-plugin-"): name for name in versions}
    wanted = [short.get(name, name) for name in names] or sorted(versions)
    rows += [verified_files(name, versions.get(name, "")) for name in wanted]
    code = exit_code(rows)
    if is_json:
        plain = [row.to_plain() for row in rows]
        sys.stdout.write(document("kindling.verify/1", findings=plain, exit_code=code))
    else:
        sys.stdout.write(rows_text(rows))
    return code


def _registry(client: Client, index: int, *, is_offline: bool) -> Row:
    registry = client.registries[index]
    try:
        copy = copy_of(registry, refreshes=not is_offline, is_offline=is_offline)
        for name in ("index.json", "capabilities.json", "files.json", "advisories.json", "policy.json"):
            copy.document(name)
    except KindlingError as fault:
        return Row(FAIL, registry.name, "registry", f"{fault.code}: {fault.what}: {fault.why}", fault.hint)
    return Row(OK, registry.name, "registry", _signed(copy))


def _signed(copy: Copy) -> str:
    return f"signatures verified, version {copy.version}, counts until {copy.expires}"
