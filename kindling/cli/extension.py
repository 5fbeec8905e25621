"""Commands that plugins add, to the command line itself and to groups of the kernel. Loaded when called."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from kindling.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.plugins.manifest import Capability


class ExtensibleGroup(click.Group):
    """A group of the kernel that lists and loads what plugins add to it; its own commands win."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the group's own commands and those of installed plugins."""
        return sorted({*super().list_commands(ctx), *self._added()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return an own command, or load a plugin's; None if there is no such command."""
        own = super().get_command(ctx, name)
        group = str(self.name)
        if own is not None:
            return own
        return load_command(
            lambda item: any(s[:2] == (group, name) for s in item.subcommands), f"{group} {name}"
        )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of an argument list; an unknown one is an error with suggestions."""
        name = args[0]
        found = self.get_command(ctx, name)
        if found is not None:  # click would load a plugin's command a second time
            return name, found, args[1:]
        if not name.startswith("-") and not ctx.resilient_parsing:
            wanted = f"{self.name} {name}"
            text = f"there is no command {wanted!r}; {did_you_mean(name, self.list_commands(ctx))}"
            if not self._added():
                text += "\nmore come with a plugin: pip install kindling-plugin-registry"
            ctx.fail(text)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help, importing no plugin."""
        own = {
            name: super(ExtensibleGroup, self).get_command(ctx, name) for name in super().list_commands(ctx)
        }
        rows = {name: found.get_short_help_str(80) for name, found in own.items() if found is not None}
        with formatter.section("Commands"):
            formatter.write_dl(sorted({**self._added(), **rows}.items()))

    def _added(self) -> dict[str, str]:
        """Return help by name of what installed plugins add to this group, from their manifests."""
        from kindling.cli.places import catalog_here

        return {
            name: text
            for item in catalog_here().capabilities("command")
            for group, name, text in item.subcommands
            if group == self.name
        }


def load_command(is_wanted: Callable[[Capability], bool], path: str = "") -> click.Command | None:
    """Load an installed plugin's command, or return None where none offers it.

    Args:
        is_wanted: Picks the capability.
        path: Group and name of a subcommand, as `CommandSpec` has it.

    Raises:
        KindlingError: The settings cannot be read, so nobody knows whether it may run; or policy refuses it.
    """
    from kindling.cli.permitted import permitted
    from kindling.hooks.command import CommandSpec
    from kindling.plugins.catalog import read_catalog
    from kindling.plugins.loader import Loader

    found = permitted(os.getcwd())
    catalog = read_catalog(found.cache, found.policy)
    wanted = next((item for item in catalog.installed() if item.kind == "command" and is_wanted(item)), None)
    if wanted is None:
        return None
    if found.fault is not None:
        raise found.fault
    return Loader(catalog, found.policy).command(wanted.name).factory(CommandSpec(found.project, path))
