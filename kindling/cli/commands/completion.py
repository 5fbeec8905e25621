"""`kindling completion`: the script that makes a shell complete commands, options and entity names."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script for SHELL.

    For example: eval "$(kindling completion bash)"
    """
    from kindling.cli.main import cli

    made = get_completion_class(shell)
    if made is not None:
        sys.stdout.write(made(cli, {}, "kindling", "_KINDLING_COMPLETE").source())
