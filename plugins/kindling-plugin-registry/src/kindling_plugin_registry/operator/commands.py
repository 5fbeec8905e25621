"""`kindling registry`: the group of the operator's commands. One is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from kindling.names import did_you_mean

COMMANDS = {
    "add": "Record releases from their wheels.",
    "advise": "Write a security advisory.",
    "build": "Build the index; only what changed is made again.",
    "init": "Make a new registry with keys and a signed root.",
    "keys": "Show, rotate and renew keys; sign a new root.",
    "mirror": "Verify an index and copy it.",
    "review": "Review a submission: accept, refuse, or ask a person.",
    "revoke": "Revoke releases: clients refuse them.",
    "serve": "Serve a built index over HTTP.",
    "sign": "Sign the built index, or renew signatures.",
    "site": "Write the index as a web site, beside it.",
    "validate": "Check all documents, names, releases and wheels.",
    "yank": "Withdraw a release; exact pins still find it.",
}
PLACES = {
    "review": "kindling_plugin_registry.check.review_command",
    "site": "kindling_plugin_registry.site.commands",
}
"""Commands whose module stands elsewhere."""


class RegistryGroup(click.Group):
    """A group that knows its commands' names and help."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002  # the same
        """Import a command by its name; None if there is none."""
        if name not in COMMANDS:
            return None
        module = import_module(PLACES.get(name, f"kindling_plugin_registry.operator.subcommands.{name}"))
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of an argument list; an unknown one is an error with suggestions."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"there is no command 'registry {name}'; {did_you_mean(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the same
        """List the commands with their help, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group("registry", cls=RegistryGroup)
def command() -> None:
    """Build, sign, serve and mirror a registry of plugins."""
