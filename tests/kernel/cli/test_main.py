"""What people see when they or their files are wrong: whole texts, and exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from strangers import install

from kindling import __version__
from kindling.cli.main import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

    from terminal import Terminal


def test_the_version_is_told(folder: Terminal) -> None:
    done = folder("--version")
    assert (done.code, done.out, done.err) == (0, f"kindling {__version__}\n", "")


def test_help_lists_every_command(folder: Terminal) -> None:
    done = folder("--help")
    assert done.code == 0
    for name, text in COMMANDS.items():
        assert f"  {name} " in done.out
        assert text in done.out


def test_each_command_has_help_and_can_be_imported(folder: Terminal) -> None:
    from importlib import import_module

    for name in COMMANDS:
        command = import_module(f"kindling.cli.commands.{name}").command
        assert command.name == name
        assert command.help


def test_an_unknown_command_is_refused_with_suggestions(folder: Terminal) -> None:
    done = folder("pln")
    assert done.code == 2
    assert done.out == ""
    assert done.err == (
        "Usage: kindling [OPTIONS] COMMAND [ARGS]...\n"
        "Try 'kindling --help' for help.\n\n"
        "Error: there is no command 'pln'; did you mean 'plan' or 'plugins' or 'explain'?\n"
    )


def test_an_unknown_option_is_refused_with_suggestions(folder: Terminal) -> None:
    done = folder("plan", "--exit-cod")
    assert done.code == 2
    assert "No such option" in done.err
    assert "--exit-code" in done.err


def test_outside_of_a_project_commands_say_so(folder: Terminal) -> None:
    done = folder("plan")
    assert done.code == 2
    assert done.err == (
        "KDL-CONF-001: there is no kindling.toml here\n"
        "  why: neither '<project>' nor a folder above it has one\n"
        "  do: run kindling init, or change to the project's folder\n"
    )


def test_a_broken_file_is_told_with_its_line(shop: Terminal) -> None:
    shop.write("kindling.toml", 'app = "shop.app:app"\nplatform.default = \n')
    done = shop("plan")
    assert done.code == 2
    assert done.err.startswith("KDL-CONF-002: ")
    assert "where: kindling.toml:2" in done.err


def test_an_unknown_setting_is_told_with_its_line(shop: Terminal) -> None:
    shop.write("kindling.toml", 'app = "shop.app:app"\nplatform.default = "duckdb"\nrun.worker = 2\n')
    done = shop("plan")
    assert done.code == 2
    assert done.err == (
        "KDL-CONF-003: 'run.worker' is not a setting\n"
        "  where: kindling.toml:3\n"
        "  do: did you mean 'workers'?\n"
    )


def test_an_app_that_does_not_import_is_told_with_the_line_in_it(shop: Terminal) -> None:
    shop.write("shop/app.py", "import kindling as k\n\nimport nothing_like_this\n")
    done = shop("plan")
    assert done.code == 2
    assert done.err == (
        "KDL-DECL-051: the app's module 'shop.app' cannot be imported\n"
        "  why: ModuleNotFoundError: No module named 'nothing_like_this'\n"
        "  where: shop/app.py:3\n"
    )


def test_a_missing_app_module_is_told_with_the_setting(shop: Terminal) -> None:
    shop.write("kindling.toml", 'app = "shopp.app:app"\n')
    done = shop("plan")
    assert done.code == 2
    assert done.err == (
        "KDL-DECL-051: the app's module 'shopp.app' does not exist\n"
        "  where: kindling.toml:1\n"
        "  do: it is looked for in the project's folder and its src/\n"
    )


def test_a_setting_on_the_command_line_needs_a_value(shop: Terminal) -> None:
    done = shop("plan", "--set", "run.workers")
    assert (done.code, done.err) == (
        2,
        "KDL-USE-030: --set 'run.workers' is no setting\n  do: write --set run.workers=4\n",
    )


def test_half_a_window_is_refused(shop: Terminal) -> None:
    done = shop("plan", "--from", "2024-01-01")
    assert (done.code, done.err) == (2, "KDL-USE-031: --from and --to go together\n  do: give both\n")
    done = shop("plan", "--from", "2024-01-02", "--to", "2024-01-01")
    assert (done.code, done.err) == (2, "KDL-USE-031: --from 2024-01-02 is not before --to 2024-01-01\n")


def test_a_reader_that_closes_its_end_is_no_error(shop: Terminal) -> None:
    process = shop.start("config", "schema")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""


@pytest.fixture
def command_site(tmp_path: Path) -> str:
    """A folder for PYTHONPATH with a plugin that offers the command `greet`."""
    greet = {
        "api": "1.1",
        "features": ["subcommands"],
        "help": "Greet the world.",
        "subcommands": {"plugins": {"wave": "Wave at a plugin."}},
    }
    return str(install(tmp_path, "greet", {"command:greet": greet}, GREET))


GREET = """
import click
from kindling.hooks import hookimpl
from kindling.hooks.command import CommandOffer


@hookimpl
def kindling_command_offers():
    def make(spec):
        said = f"called for {spec.path}" if spec.path else "hello"
        return click.Command("greet", callback=lambda: click.echo(said))

    return (CommandOffer("greet", make),)
"""


def test_a_plugin_adds_a_command(folder: Terminal, command_site: str) -> None:
    listed = folder("--help", PYTHONPATH=command_site)
    assert "  greet       Greet the world.\n" in listed.out
    done = folder("greet", PYTHONPATH=command_site)
    assert (done.code, done.out) == (0, "hello\n")


def test_a_plugin_adds_a_command_to_a_group_of_the_kernel(folder: Terminal, command_site: str) -> None:
    text = folder("plugins", "--help", PYTHONPATH=command_site).out
    assert "wave Wave at a plugin." in " ".join(text.split())  # columns are as wide as what is installed
    done = folder("plugins", "wave", PYTHONPATH=command_site)
    assert (done.code, done.out) == (0, "called for plugins wave\n")


def test_a_group_suggests_the_commands_of_plugins_too(folder: Terminal, command_site: str) -> None:
    done = folder("plugins", "weve", PYTHONPATH=command_site)
    assert done.code == 2
    assert "Error: there is no command 'plugins weve'; did you mean 'wave'?" in done.err


def test_a_command_that_policy_blocks_is_refused_and_not_listed(folder: Terminal, command_site: str) -> None:
    folder.write("kindling.toml", '[plugins]\nblock = ["greet"]\n')
    assert "greet" not in folder("--help", PYTHONPATH=command_site).out
    done = folder("greet", PYTHONPATH=command_site)
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("KDL-POL-020: 'command:greet' of 'kindling-plugin-greet' is blocked\n")


def test_where_settings_cannot_be_read_no_plugin_command_runs(folder: Terminal, command_site: str) -> None:
    folder.write("kindling.toml", "[plugins\n")
    done = folder("greet", PYTHONPATH=command_site)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("KDL-CONF-002: ")
