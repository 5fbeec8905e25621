"""`kindling lineage`: which columns a column is made of, and what is made of it."""

from __future__ import annotations

import os
import sys

import click

from kindling.cli.ancestry import Tracker, lineage_plain, named, parse_spot
from kindling.cli.completion import complete_entity, remember_names
from kindling.cli.documents import document
from kindling.cli.graphs import declared_graph
from kindling.cli.lineage_text import lineage_text, rich_tree
from kindling.cli.places import common_options, opened
from kindling.cli.traces import last_traces


@click.command("lineage")
@click.argument("column", metavar="ENTITY[.COLUMN]", shell_complete=complete_entity)
@common_options
@click.option("--downstream", "is_downstream", is_flag=True, help="What is made of it instead.")
@click.option("--json", "is_json", is_flag=True, help="Print the answer as JSON (schema kindling.lineage/1).")
@click.option("--svg", "file", metavar="FILE", default="", help="Write a drawing into FILE instead.")
def command(
    column: str,
    environment: str | None,
    overrides: tuple[str, ...],
    is_downstream: bool,
    is_json: bool,
    file: str,
) -> None:
    """Say which columns a column is made of, as the last runs traced it. Starts no engine.

    Runs trace where run.trace is set, or run.lineage names a lineage service.
    """
    with opened(environment, overrides) as (project, state):
        nodes = declared_graph(project)
        remember_names(project.state_dir, nodes)
        entity, name = parse_spot(column, nodes)
        pipes = [node.name for node in nodes.values() if node.kind in ("pipe", "memory")]
        traces = last_traces(state, project.state_dir, project.app.name, project.environment, pipes)
        declared = {key: entity.classes for key, entity in project.app.entities().items() if entity.classes}
    tracker = Tracker(nodes, traces, declared)
    found = tracker.downstream(entity, name) if is_downstream else tracker.upstream(entity, name)
    direction = "downstream" if is_downstream else "upstream"
    if is_json:
        plain = lineage_plain(found, tracker, nodes)
        head = {"app": project.app.name, "environment": project.environment, "direction": direction}
        sys.stdout.write(document("kindling.lineage/1", **head, **plain))
        return
    if file:
        from kindling.cli.lineage_svg import lineage_svg

        with open(file, "w", encoding="utf-8") as out:
            out.write(lineage_svg(found, f"{direction} of {named((entity, name)) if name else entity}"))
        sys.stdout.write(f"wrote {file}\n")
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from rich.console import Console

        Console().print(rich_tree(found, tracker, is_downstream=is_downstream))
    else:
        sys.stdout.write(lineage_text(found, tracker, is_downstream=is_downstream))
    sys.stdout.flush()
    for note in found.notes:
        sys.stderr.write(f"note: {note}\n")
