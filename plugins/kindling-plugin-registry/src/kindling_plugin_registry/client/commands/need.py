"""`kindling plugins need`: which capabilities the app needs, with no plugin installed."""

from __future__ import annotations

import sys

import click

from kindling_plugin_registry.client.declarations import app_opened
from kindling_plugin_registry.client.kernel import KERNEL, document, permitted, read_catalog
from kindling_plugin_registry.client.needs import infer_needs


@click.command("need")
@click.option("--env", "-e", "environment", metavar="NAME", help="Environment to work in.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a setting.")
@click.option("--why", "is_verbose", is_flag=True, help="Show where each need comes from.")
@click.option("--json", "is_json", is_flag=True, help="Print it as JSON (schema kindling.need/1).")
def command(environment: str | None, overrides: tuple[str, ...], is_verbose: bool, is_json: bool) -> None:
    """List the capabilities and features that the app needs. Imports the app, and no engine."""
    project = app_opened(environment, overrides)
    needs = infer_needs(project)
    found = permitted(project.path)
    catalog = read_catalog(found.cache, project.catalog.policy)
    owners = {item.id: item.distribution for item in catalog.capabilities()}
    if is_json:
        rows = [{**need.to_plain(), "installed": owners.get(need.capability, "")} for need in needs]
        sys.stdout.write(
            document("kindling.need/1", app=project.app.name, environment=project.environment, needs=rows)
        )
        return
    lines = [f"{project.app.name} in {project.environment} needs:\n"]
    for need in needs:
        owner = owners.get(need.capability, "")
        state = "in the kernel" if owner == KERNEL else f"installed: {owner}" if owner else "not installed"
        lines.append(f"  {need}  ({state})\n")
        lines += [f"      {text}\n" for text in need.why] if is_verbose else []
    sys.stdout.write("".join(lines))
