"""A command that a plugin adds to the CLI. Imported only when it is called.

`kindling.json` states name and help, so `kindling --help` imports no plugin.

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

API = "1.0"

FEATURES = ("group",)
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """What a factory gets.

    Attributes:
        project: Absolute path of the project folder, or "" outside of one.
    """

    project: str


CommandOffer: TypeAlias = Offer[CommandSpec, "click.Command"]


class CommandSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_command_offers(self) -> tuple[CommandOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the commands that this module implements."""
