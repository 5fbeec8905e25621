"""`kindling plugins audit`: installed plugins against advisories and revocations."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.asking import Desk, ages_text
from kindling_plugin_registry.client.health import audited, exit_code, plugin_versions, rows_text
from kindling_plugin_registry.client.kernel import document


@click.command("audit")
@click.option("--refresh", "refreshes", is_flag=True, help="Ask the registries first.")
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.audit/1).")
def command(refreshes: bool, is_offline: bool, is_json: bool) -> int:
    """Look for revoked, vulnerable and withdrawn plugins. Exits with 5 if policy refuses one."""
    desk = Desk(refreshes=refreshes, is_offline=is_offline)
    rows = list(audited(desk.market, plugin_versions(desk.catalog)))
    code = exit_code(rows)
    if is_json:
        plain = [row.to_plain() for row in rows]
        sys.stdout.write(document("kindling.audit/1", findings=plain, exit_code=code))
    else:
        sys.stdout.write(rows_text(rows) + ages_text(desk.market))
    return code
