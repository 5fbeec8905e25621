"""What pages say of the marketplace is so: each attack has its test, the two doors hold no code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ATTACKS = ROOT / "docs" / "registry" / "attacks.md"
DOORS = ROOT / "plugins/kindling-plugin-registry/src/kindling_plugin_registry/client"

pytestmark = pytest.mark.skipif(not ATTACKS.is_file(), reason="tested outside of the repository")


def test_each_attack_of_the_page_has_its_test() -> None:
    named = re.findall(r"\| `(test_\w+)` \|$", ATTACKS.read_text(encoding="utf-8"), re.MULTILINE)
    places = [*(ROOT / "plugins/kindling-plugin-registry/tests").rglob("test_*.py")]
    places += (ROOT / "tests" / "proofs" / "fuzz").glob("test_*.py")
    there = {
        name for path in places for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }
    assert len(named) > 20
    assert [name for name in named if name not in there] == []


@pytest.mark.parametrize(("door", "names"), [("kernel", 28), ("declarations", 5)])
def test_a_door_to_the_kernel_holds_no_code(door: str, names: int) -> None:
    """`docs/decisions/0012`."""
    statements = ast.parse((DOORS / f"{door}.py").read_text(encoding="utf-8")).body
    assert all(isinstance(item, (ast.Expr, ast.ImportFrom, ast.Assign)) for item in statements)
    (listed,) = [item for item in statements if isinstance(item, ast.Assign)]
    assert len(ast.literal_eval(listed.value)) == names
