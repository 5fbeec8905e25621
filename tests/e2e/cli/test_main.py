"""What people see when they or their files are wrong: whole texts, and exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal


def test_an_unknown_entity_is_refused_with_suggestions(shop: Terminal) -> None:
    done = shop("why", "gold.dialy")
    assert done.code == 2
    assert done.err == ("KDL-PLAN-001: there is no entity 'gold.dialy'\n  why: did you mean 'gold.daily'?\n")


def test_a_missing_platform_is_told_once_with_the_command_that_installs_it(shop: Terminal) -> None:
    done = shop("plan", KINDLING_PLATFORM__DEFAULT="nowhere")
    assert done.code == 2
    assert done.err.count("KDL-PLUG-002") == 1
    assert "KDL-PLUG-002: no installed plugin offers 'platform:nowhere'\n" in done.err
    assert "  do: pip install kindling-plugin-nowhere\n" in done.err


def test_a_protected_environment_must_be_named(shop: Terminal) -> None:
    text = 'app = "shop.app:app"\nenvironments = ["dev", "prod"]\ndefault_environment = "prod"\n'
    shop.write("kindling.toml", text + 'protected = ["prod"]\nplatform.default = "duckdb"\n')
    done = shop("plan")
    assert done.code == 5
    assert done.err == (
        "KDL-POL-010: environment 'prod' is protected\n"
        "  why: it must be named on the command line; a default or a variable is not enough\n"
        "  where: kindling.toml:4\n"
        "  do: add --env prod\n"
    )
    assert shop("plan", "--env", "prod").code == 0


def test_another_folder_can_be_named(shop: Terminal, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = type(shop)(tmp_path_factory.mktemp("elsewhere"))
    assert elsewhere("-C", str(shop.path), "check").code == 0
    done = elsewhere("-C", "nowhere", "check")
    assert done.code == 2
    assert "cannot work in 'nowhere': No such file or directory" in done.err
