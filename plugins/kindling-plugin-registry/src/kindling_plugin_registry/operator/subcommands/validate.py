"""`kindling registry validate`: everything that is wrong, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kindling.errors import raise_together
from kindling_plugin_registry.operator.options import (
    counted,
    json_option,
    print_result,
    registry_option,
    source_at,
)
from kindling_plugin_registry.operator.validation import validate

if TYPE_CHECKING:
    from pathlib import Path


@click.command("validate")
@registry_option
@json_option
def command(folder: Path | None, *, is_json: bool) -> None:
    """Check schemas, names, releases against git's HEAD, capabilities, advisories, kept wheels."""
    checked = validate(source_at(folder))
    if is_json or not checked.faults:
        compared = "compared with git" if checked.is_compared else "not compared: no git commit here"
        counts = f"{counted(checked.plugins, 'plugin')}, {counted(checked.releases, 'release')}"
        print_result(
            "kindling.registry-validate/1",
            f"{counts} ({compared}): no faults",
            is_json=is_json,
            plugins=checked.plugins,
            releases=checked.releases,
            compared_with_git=checked.is_compared,
            faults=[fault.to_plain() for fault in checked.faults],
        )
    raise_together(checked.faults)
