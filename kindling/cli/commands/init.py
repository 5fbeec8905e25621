"""`kindling init`: a new project whose own tests pass."""

from __future__ import annotations

import os
import shlex
import sys

import click

from kindling.cli.places import catalog_here
from kindling.cli.scaffold import REQUIREMENTS, make_project

NEEDED = ("storage:delta", "storage:csv", "executor:threads")


@click.command("init")
@click.argument("name")
@click.option(
    "--platform",
    "-p",
    type=click.Choice(list(REQUIREMENTS)),
    default="sail",
    show_default=True,
    help="Where frames are computed: sail is Spark without a JVM, duckdb starts fastest.",
)
def command(name: str, platform: str) -> None:
    """Make the project NAME: an app, data, tests and configuration. Overwrites nothing."""
    catalog = catalog_here()
    files = make_project(name, platform)
    path = os.path.abspath(name)
    for file in files:
        sys.stderr.write(f"wrote {os.path.join(name, os.path.relpath(file, path))}\n")
    steps = [] if path == os.getcwd() else [f"cd {shlex.quote(name)}"]
    if not all(catalog.has(item) for item in (f"platform:{platform}", *NEEDED)):
        steps.append("pip install -r requirements.txt")
    steps += ["kindling test", "kindling run", "kindling show gold.revenue"]
    sys.stdout.write("".join(f"next: {step}\n" for step in steps[:3]))
