"""`docs/write-a-plugin.md`, done as it says. `KINDLING_MEASURE=1` writes what was measured into its end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for pages.py
import pytest
from pages import MEASURED, follow

if TYPE_CHECKING:
    from conftest import Desk

PAGE = Path(__file__).parent.parent.parent / "docs" / "write-a-plugin.md"


@pytest.mark.timeout(600)
def test_the_page_leads_from_an_empty_folder_to_an_entry_in_a_registry(desk: Desk) -> None:
    page = PAGE.read_text(encoding="utf-8")
    began = time.monotonic()
    commands, lines, said = follow(page, desk.folder, desk.run)
    seconds = round(time.monotonic() - began)
    print(f"{commands} commands, {lines} lines by hand, {seconds} seconds")  # noqa: T201  # what is measured
    assert "gold.winter" in said
    stated = MEASURED.search(page)
    assert stated is not None
    if os.environ.get("KINDLING_MEASURE"):
        text = f"**{commands} commands, {lines} lines by hand, {seconds} seconds**"
        PAGE.write_text(MEASURED.sub(text, page), encoding="utf-8")
    else:
        assert (int(stated[1]), int(stated[2])) == (commands, lines)
