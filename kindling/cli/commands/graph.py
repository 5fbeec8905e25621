"""`kindling graph`: the declared pipes as text, Mermaid or JSON."""

from __future__ import annotations

import sys

import click

from kindling.cli.completion import remember_names
from kindling.cli.documents import document
from kindling.cli.graphs import declared_graph, graph_of, mermaid_text, tree_text
from kindling.cli.places import app_opened, common_options
from kindling.errors import UsageError
from kindling.plan.selection import select as selected


@click.command("graph")
@common_options
@click.option(
    "--format",
    "-f",
    "form",
    type=click.Choice(["text", "mermaid", "json"]),
    default="text",
    help="How to draw it (JSON schema kindling.graph/1).",
)
@click.option("--json", "is_json", is_flag=True, help="Short for --format json.")
@click.option("--select", "-s", multiple=True, metavar="EXPR", help="Only these: name, +name, name+, tag:x.")
def command(
    environment: str | None, overrides: tuple[str, ...], form: str, is_json: bool, select: tuple[str, ...]
) -> None:
    """Draw what reads what, as it is declared. Needs no plugin and starts no engine."""
    if any("state:" in text for text in select):
        raise UsageError(
            "KDL-USE-032",
            "the graph knows declarations only, no state",
            hint=f"kindling plan --select '{' '.join(select)}'",
        )
    project = app_opened(environment, overrides)
    nodes = declared_graph(project)
    remember_names(project.state_dir, nodes)
    shown = frozenset(nodes)
    if select:
        tags = {name: node.tags for name, node in nodes.items()}
        shown = selected(select, graph=graph_of(nodes), tags=tags)
    if is_json or form == "json":
        entities = [nodes[name].to_plain() for name in sorted(shown)]
        text = document(
            "kindling.graph/1", app=project.app.name, environment=project.environment, entities=entities
        )
    else:
        text = mermaid_text(nodes, shown) if form == "mermaid" else tree_text(nodes, shown)
    sys.stdout.write(text)
