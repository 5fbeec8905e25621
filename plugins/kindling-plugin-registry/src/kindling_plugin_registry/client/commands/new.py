"""`kindling plugins new`: a plugin's project that passes its conformance suite, and its later update."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kindling_plugin_registry.check.scaffold import KINDS, PREFIX, new_plugin, plugin_name, update_plugin
from kindling_plugin_registry.client.kernel import document

SCHEMA = "kindling.plugins-new/1"


@click.command("new")
@click.argument("name", default="")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="What the plugin offers.")
@click.option("--into", type=click.Path(path_type=Path), help="The folder; default: kindling-plugin-NAME.")
@click.option("--author", default="", help="Who is named in its metadata.")
@click.option("--update", "is_update", is_flag=True, help="Update the project here, or in --into.")
@click.option("--json", "is_json", is_flag=True, help=f"Print it as JSON (schema {SCHEMA}).")
def command(
    name: str, kind: str | None, into: Path | None, author: str, is_update: bool, is_json: bool
) -> None:
    """Make a plugin NAME with a backend in memory, tests, manifest and workflows; needs no network.

    With --update, a project that was made so gets the newest version of the template; its own changes stay.
    """
    if is_update:
        folder = into or Path()
        before, after = update_plugin(folder)
        text = f"{before} to {after}; look through the changes: git diff\n"
        sys.stdout.write(
            document(SCHEMA, folder=str(folder), before=before, after=after) if is_json else text
        )
        return
    own, kind = _asked(name, kind)
    folder = into or Path(f"{PREFIX}{own}")
    files = new_plugin(own, kind, folder, author=author)
    if is_json:
        sys.stdout.write(document(SCHEMA, folder=str(folder), files=files))
    else:
        sys.stdout.write(
            f"made {folder} with {len(files)} files\nnext: cd {folder}; kindling plugins check .\n"
        )


def _asked(name: str, kind: str | None) -> tuple[str, str]:
    """Return the name and kind, asking for what is missing on a terminal only."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not is_terminal and not (name and kind):
        msg = f"name and kind are needed: kindling plugins new NAME --kind {'|'.join(KINDS)}"
        raise click.UsageError(msg)
    own = plugin_name(name or click.prompt("name"))
    return own, kind or click.prompt("kind", type=click.Choice(KINDS), default=KINDS[0])
