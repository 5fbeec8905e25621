"""The offers: the group `registry`, and subcommands of the kernel's group `plugins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.hooks import hookimpl
from kindling.hooks.command import CommandOffer, CommandSpec

if TYPE_CHECKING:
    import click


def make_command(spec: CommandSpec) -> click.Command:
    """Import the wanted command's module, and that one only: `registry`, or `plugins <name>`."""
    from importlib import import_module

    group, _, name = spec.path.partition(" ")
    place = f"client.commands.{name.replace('-', '_')}" if group == "plugins" else "operator.commands"
    found: click.Command = import_module(f"kindling_plugin_registry.{place}").command
    return found


@hookimpl
def kindling_command_offers() -> tuple[CommandOffer, ...]:
    """Return the marketplace's commands."""
    return (CommandOffer("registry", make_command),)
