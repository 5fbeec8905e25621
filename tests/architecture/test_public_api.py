from __future__ import annotations

import ast
import runpy
from pathlib import Path

import kindling as k

SCRIPT = runpy.run_path(str(Path(__file__).with_name("public_api.py")))


def test_the_public_names_are_exactly_those_that_resolve() -> None:
    homes = SCRIPT["homes"]()
    assert sorted(name for names in homes.values() for name in names) == sorted(k.__all__)


def test_type_checkers_see_the_same_names_in_the_same_modules(root: Path) -> None:
    tree = ast.parse((root / "kindling" / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        str(node.module).removeprefix("kindling."): tuple(alias.name for alias in node.names)
        for part in tree.body
        if isinstance(part, ast.If)
        for node in part.body
        if isinstance(node, ast.ImportFrom)
    }
    assert seen == SCRIPT["homes"]()


def test_every_public_name_says_what_it_is() -> None:
    assert [line for line in SCRIPT["page"]().splitlines() if line.endswith("|  |")] == []


def test_the_page_of_the_public_api_is_up_to_date() -> None:
    page: Path = SCRIPT["PAGE"]
    assert page.read_text(encoding="utf-8") == SCRIPT["page"](), "run python tests/architecture/public_api.py"
