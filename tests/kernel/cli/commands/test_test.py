from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from terminal import Terminal

BARE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Other plugins of pytest make each start four times slower."""


@pytest.mark.parametrize(
    ("body", "code"), [("assert True", 0), ("assert False", 1), ("raise KeyboardInterrupt", 130)]
)
def test_the_exit_code_is_that_of_the_tests(folder: Terminal, body: str, code: int) -> None:
    folder.write("kindling.toml", "")
    folder.write("tests/test_it.py", f"def test_it():\n    {body}\n")
    assert folder("test", "-q", **BARE).code == code


def test_arguments_are_handed_through(folder: Terminal) -> None:
    folder.write("kindling.toml", "")
    folder.write(
        "tests/test_it.py", "def test_one():\n    assert True\n\n\ndef test_two():\n    assert False\n"
    )
    done = folder("test", "-q", "-k", "one", **BARE)
    assert done.code == 0
    assert "1 passed, 1 deselected" in done.out
    assert folder("test", "--no-such-option", **BARE).code == 2


def test_no_tests_are_a_misuse_with_a_message(folder: Terminal) -> None:
    folder.write("kindling.toml", "")
    done = folder("test", "-q", **BARE)
    assert done.code == 2
    assert done.err.endswith("no tests were found: write some in tests/test_*.py, or name the file\n")


def test_packages_in_the_project_and_in_src_are_importable_from_any_folder(folder: Terminal) -> None:
    folder.write("kindling.toml", "")
    folder.write("src/inside_src/__init__.py", "")
    folder.write("beside/__init__.py", "")
    folder.write("tests/test_it.py", "import beside, inside_src\n\n\ndef test_it():\n    pass\n")
    inner = type(folder)(folder.path / "tests")
    assert inner("test", "-q", **BARE).code == 0


def test_a_missing_pytest_is_told_with_the_command_that_installs_it(folder: Terminal) -> None:
    folder.write("kindling.toml", "")
    # an import hook in a child process stands for an environment without pytest
    site = folder.write("hook/sitecustomize.py", "import sys\nsys.modules['pytest'] = None\n").parent
    done = folder.process("test", PYTHONPATH=str(site))
    assert done.code == 2
    assert done.err.startswith("KDL-USE-041: there is no pytest in this Python\n")
    assert done.err.endswith("  do: pip install 'kindling-core[testing]'\n")
