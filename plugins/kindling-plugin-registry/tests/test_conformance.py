from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from kindling.hooks.command import CommandSpec
from kindling.testing.offers import declaration, open_capability


def listed() -> dict[str, str]:
    """Return help by name of the subcommands that the manifest adds to `kindling plugins`."""
    groups = declaration("kindling_plugin_registry", "command:registry")["subcommands"]
    assert isinstance(groups, dict)
    assert list(groups) == ["plugins"]
    found = groups["plugins"]
    assert isinstance(found, dict)
    return {name: str(text) for name, text in found.items()}


class TestRegistry:
    plugin = "kindling_plugin_registry"
    capability = "command:registry"

    def command(self, path: str) -> click.Command:
        made = open_capability(self.plugin, self.capability, CommandSpec("", path))
        assert isinstance(made, click.Command)
        return made

    def test_the_group_is_offered(self) -> None:
        group = self.command("")
        assert isinstance(group, click.Group)
        done = CliRunner().invoke(group, ["--help"])
        assert (done.exit_code, "Usage:" in done.output) == (0, True)

    @pytest.mark.parametrize("name", sorted(listed()))
    def test_each_listed_subcommand_is_offered_and_has_help(self, name: str) -> None:
        done = CliRunner().invoke(self.command(f"plugins {name}"), ["--help"])
        assert done.exit_code == 0, done.output
        assert "Usage:" in done.output
