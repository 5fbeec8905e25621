from __future__ import annotations

from kindling.cli.preview import WIDEST, _cell


def test_cells_are_one_line_without_control_characters() -> None:
    assert _cell(None) == "null"
    assert _cell("a\x1b[31m\nb") == "a\\x1b[31m\\nb"
    assert _cell("ä€") == "ä€"
    assert _cell("x" * 99) == "x" * (WIDEST - 3) + "..."
