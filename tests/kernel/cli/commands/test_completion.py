from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(folder: Terminal, shell: str) -> None:
    done = folder("completion", shell)
    assert done.code == 0
    assert "_KINDLING_COMPLETE" in done.out


def complete(project: Terminal, words: str) -> list[str]:
    given = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    done = project(_KINDLING_COMPLETE="bash_complete", **given)
    assert "Traceback" not in done.err
    return [line.partition(",")[2] for line in done.out.splitlines() if line]


def test_commands_options_and_subcommands_are_completed(folder: Terminal) -> None:
    assert complete(folder, "kindling pl") == ["plan", "plugins"]
    assert "--exit-code" in complete(folder, "kindling plan --e")
    assert complete(folder, "kindling runs ca") == ["cancel"]
    assert complete(folder, "kindling nothing x") == []


def test_entity_names_come_from_the_last_command_that_loaded_the_app(shop: Terminal) -> None:
    assert complete(shop, "kindling why gold.") == []
    assert shop("graph").code == 0
    shop.write("shop/app.py", "raise SystemExit('imported')\n")  # completing must not import it
    assert complete(shop, "kindling why gold.") == ["gold.customers", "gold.daily"]
    assert complete(shop, "kindling show raw") == ["raw.orders"]
