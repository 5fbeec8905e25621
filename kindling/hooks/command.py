"""A command that a plugin adds to the CLI. Imported only when it is called.

`kindling.json` states name and help, so `kindling --help` imports no plugin. With the feature
`subcommands` it also adds to the kernel's own group `plugins`:
`"subcommands": {"plugins": {"search": "Search the registries."}}`.

A complete plugin:

    import click
    from kindling.hooks import hookimpl
    from kindling.hooks.command import CommandOffer, CommandSpec

    def make_command(spec: CommandSpec) -> click.Command:
        return click.Command("mine", callback=lambda: click.echo(spec.project))

    @hookimpl
    def kindling_command_offers() -> tuple[CommandOffer, ...]:
        return (CommandOffer("mine", make_command),)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from kindling.hooks import Offer, hookspec

if TYPE_CHECKING:
    import click

API = "1.1"

FEATURES = ("group", "subcommands")
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """What a factory gets.

    Attributes:
        project: Absolute path of the project folder, or "" outside of one.
        path: What is wanted: "" for the capability's own command, or a group of the kernel and a name
            that the manifest lists under `subcommands`, for example `plugins search`. Since 1.1.
    """

    project: str
    path: str = ""


CommandOffer: TypeAlias = Offer[CommandSpec, "click.Command"]


class CommandSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_command_offers(self) -> tuple[CommandOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the commands that this module implements."""
