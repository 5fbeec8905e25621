"""`kindling plugins doctor`: everything about plugins that may be wrong; survives whatever is broken."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from kindling.errors import KindlingError
from kindling_plugin_registry.client.environment import detect
from kindling_plugin_registry.client.health import (
    FAIL,
    OK,
    WARN,
    Row,
    audited,
    exit_code,
    plugin_versions,
    rows_text,
)
from kindling_plugin_registry.client.judging import named_version
from kindling_plugin_registry.client.kernel import PREFIX, document, installed_versions, read_catalog
from kindling_plugin_registry.client.lockfile import read_lock
from kindling_plugin_registry.client.market import Market
from kindling_plugin_registry.client.refreshing import copy_of
from kindling_plugin_registry.client.registries import Client, open_client

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("doctor")
@click.option("--refresh", "refreshes", is_flag=True, help="Ask the registries first.")
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.plugins-doctor/1).")
def command(refreshes: bool, is_offline: bool, is_json: bool) -> int:
    """Look for broken, revoked, vulnerable, missing and drifting plugins. Exits with 5 on what is refused."""
    client = open_client(os.getcwd())
    rows = [*_environment(), *_installed(client)]
    copies = []
    for registry in client.registries:
        try:
            copy = copy_of(registry, refreshes=refreshes, is_offline=is_offline)
        except KindlingError as fault:
            rows.append(_of(registry.name, FAIL if fault.exit_code == 5 else WARN, fault))  # noqa: PLR2004  # refused
            continue
        age = copy.age_text()
        rows.append(Row(OK, registry.name, "registry", f"copy is {age} old, counts until {copy.expires}"))
        copies.append(copy)
    market = Market(client, tuple(copies), is_offline=is_offline)
    catalog = read_catalog(client.cache, client.policy)
    rows += [*audited(market, plugin_versions(catalog)), *_requests(client), *_lock(client)]
    code = exit_code(rows)
    if is_json:
        plain = [row.to_plain() for row in rows]
        sys.stdout.write(document("kindling.plugins-doctor/1", findings=plain, exit_code=code))
    else:
        sys.stdout.write(rows_text(rows))
    return code


def _environment() -> Iterator[Row]:
    environment = detect()
    try:
        backend = environment.backend()
        yield Row(OK, "environment", "environment", f"{environment.kind} {environment.prefix}, by {backend}")
    except KindlingError as fault:
        yield _of("environment", WARN, fault)


def _installed(client: Client) -> Iterator[Row]:
    catalog = read_catalog(client.cache, client.policy)
    yield Row(OK, "installed", "installed", f"{len(plugin_versions(catalog))} plugins")
    for fault in catalog.faults:
        yield _of(str(fault.facts.get("distribution", "plugin")), WARN, fault)
    for item in catalog.installed():
        refusal = catalog.unusable(item)
        if refusal is not None and refusal.code != "KDL-PLUG-005":
            yield _of(item.distribution, WARN, refusal)


def _requests(client: Client) -> Iterator[Row]:
    versions = installed_versions()
    for text in client.requests:
        name = named_version(text)[0]
        if name not in versions and f"{PREFIX}{name}" not in versions:
            yield Row(WARN, name, "request", "it was asked for and is not installed", "kindling plugins sync")


def _lock(client: Client) -> Iterator[Row]:
    try:
        lock = read_lock(client.project) if client.project else None
    except KindlingError as fault:
        yield _of("lock", WARN, fault)
        return
    found = lock.differences(installed_versions()) if lock is not None else []
    if found:
        yield Row(WARN, "lock", "drift", "; ".join(found), "kindling plugins sync --locked")


def _of(name: str, status: str, fault: KindlingError) -> Row:
    first = next(iter(getattr(fault, "faults", ())), fault)
    return Row(status, name, first.code, f"{first.code}: {first.what}: {first.why}", first.hint)
