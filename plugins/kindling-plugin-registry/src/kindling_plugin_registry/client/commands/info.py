"""`kindling plugins info` of a plugin that is not installed: what the registries say about it."""

from __future__ import annotations

import os
import sys

import click
import msgspec

from kindling_plugin_registry.client.changes import publisher_text
from kindling_plugin_registry.client.copies import listed
from kindling_plugin_registry.client.kernel import document, table_text
from kindling_plugin_registry.client.market import open_market
from kindling_plugin_registry.client.registries import open_client


@click.command("info")
@click.argument("name")
@click.option("--refresh", "refreshes", is_flag=True, help="Ask the registries first.")
@click.option("--offline", "is_offline", is_flag=True, help="Touch no network.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.plugin-info/1).")
def command(name: str, refreshes: bool = False, is_offline: bool = False, is_json: bool = False) -> None:  # noqa: FBT002  # the kernel hands on what it was given
    """Show what the registries say about plugin NAME."""
    market = open_market(open_client(os.getcwd()), refreshes=refreshes, is_offline=is_offline)
    copy, line = market.named(name)
    page = market.page(copy, line)
    if is_json:
        plain = msgspec.to_builtins(page)
        sys.stdout.write(document("kindling.plugin-info/1", registry=copy.registry.name, page=plain))
        return
    record = page.record
    lines = [
        f"{line.name} {line.version}, not installed (registry {copy.registry.name})\n",
        f"{line.summary}\n",
    ]
    lines.append(
        f"{record.license}, {record.lifecycle}; by {', '.join(m.name for m in record.maintainers)}\n"
    )
    lines.append(f"offers: {', '.join(listed(line.capabilities))}\n")
    lines.append(f"may use: {', '.join(listed(line.permissions)) or 'nothing outside of the process'}\n")
    rows = [("version", "released", "level", "publisher", "python", "kernel", "")]
    for release in page.releases:
        level = page.levels[release.version]
        marks = ["yanked"] if release.yanked else []
        marks += [item.id for item in market.affecting(release.name, release.version)]
        marks += ["revoked"] if market.revocation(release.name, release.version) else []
        shown = f"{level.level} (stale)" if level.stale else level.level
        rows.append(
            (
                release.version, release.released_at[:10], shown, publisher_text(release),
                release.requires_python, release.requires_kernel, ", ".join(marks),
            )
        )  # fmt: skip
    lines += [table_text(rows), f"kindling plugins install {line.name}\n"]
    lines.append(f"index: {copy.registry.name} {copy.age_text()} old\n")
    sys.stdout.write("".join(lines))
