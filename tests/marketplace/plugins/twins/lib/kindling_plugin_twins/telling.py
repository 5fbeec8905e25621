"""`kindling twins`: how often each type of event was heard in the project's runs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import click

from kindling.hooks import hookimpl
from kindling.hooks.command import CommandOffer, CommandSpec


def make_command(spec: CommandSpec) -> click.Command:
    """Return the command."""

    @click.command("twins")
    def twins() -> None:
        """Show how often each type of event was heard."""
        lines = [line for path in Path(spec.project).rglob("twins.jsonl") for line in path.open()]
        for name, count in sorted(Counter(json.loads(line)["type"] for line in lines).items()):
            click.echo(f"{name} {count}")

    return twins


@hookimpl
def kindling_command_offers() -> tuple[CommandOffer, ...]:
    """Offer the command."""
    return (CommandOffer("twins", make_command),)
