"""The command line: a lazy click group. Commands are imported when they are called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from kindling.errors import KindlingError
from kindling.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "check": "Check declarations, SQL and settings; no engine starts.",
    "completion": "Print the completion script of a shell.",
    "config": "Show settings and where each comes from.",
    "doctor": "Look at this machine: Python, plugins, engines, state.",
    "explain": "Explain an error code.",
    "graph": "Draw the pipes as text, mermaid or JSON.",
    "init": "Make a new project.",
    "lineage": "Say which columns a column is made of.",
    "plan": "Say what would run, and why.",
    "plugins": "List, inspect, enable and disable plugins.",
    "run": "Run what changed.",
    "runs": "List, show and cancel runs.",
    "show": "Show the first rows of an entity.",
    "test": "Run the project's tests.",
    "why": "Say why an entity would run, or would not.",
}
INTERRUPTED = 130
USAGE = 2


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the kernel's commands and those of installed plugins."""
        return sorted({*COMMANDS, *_plugin_commands()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import a command by its name; None if there is no such command."""
        if name in COMMANDS:
            module = import_module(f"kindling.cli.commands.{name}")
            found: click.Command = module.command
            return found
        return _plugin_command(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of an argument list; an unknown one is an error with suggestions."""
        name = args[0]
        found = self.get_command(ctx, name)
        if found is not None:  # click would load a plugin's command a second time
            return name, found, args[1:]
        if not ctx.resilient_parsing:  # the shell completes
            ctx.fail(f"there is no command {name!r}; {did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Invoke a command; click's own way to treat a closed reader is an exit with 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return _reader_left()

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete a command's name, importing none of them."""
        known = {**COMMANDS, **_plugin_commands()}
        found = [
            CompletionItem(name, help=known[name]) for name in sorted(known) if name.startswith(incomplete)
        ]
        # A group completes its options in the same way as any command does.
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their help, importing none of them."""
        rows = [*COMMANDS.items(), *_plugin_commands().items()]
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows))


def _plugin_commands() -> dict[str, str]:
    """Return help by name of the commands that installed plugins offer, from their manifests."""
    from kindling.cli.places import catalog_here

    return {
        c.name: str(getattr(c, "help", "") or f"From {c.distribution}.")
        for c in catalog_here().capabilities("command")
    }


def _plugin_command(name: str) -> click.Command | None:
    """Load an installed plugin's command, or return None where none offers it.

    Raises:
        KindlingError: The settings cannot be read, so nobody knows whether it may run; or policy refuses it.
    """
    from kindling.cli.extension import load_command

    return load_command(lambda item: item.id == f"command:{name}")


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="kindling-core", message="kindling %(version)s")
@click.option(
    "--project", "-C", "folder", metavar="FOLDER", help="Work in this folder instead of the present one."
)
def cli(folder: str | None) -> None:
    """Declare data pipelines, plan them, run them anywhere."""
    if folder:
        try:
            os.chdir(folder)
        except OSError as error:
            msg = f"cannot work in {folder!r}: {error.strerror}"
            raise click.UsageError(msg) from None


def _reader_left() -> int:
    """Go on without stdout: a reader like `head` closed its end, and nobody is left to tell."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def run_cli(arguments: Sequence[str]) -> int:
    """Run a command line; print errors to stderr; return the exit code."""
    try:
        result = cli.main(args=list(arguments), prog_name="kindling", standalone_mode=False)
        sys.stdout.flush()
    except KindlingError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_left()
    return result if isinstance(result, int) else 0
