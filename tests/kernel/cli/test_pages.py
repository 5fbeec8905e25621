"""Every code that a message can have has a page, and every page has its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kindling.cli.pages import FOLDER, codes, page, title

ROOT = Path(__file__).parents[3]
CODE = re.compile(r"KDL-[A-Z]+-\d{3}")


def codes_in_sources() -> set[str]:
    files = [*ROOT.glob("kindling/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    # errors.py draws the tree of errors and raises none: its codes are examples
    texts = [file.read_text() for file in files if file != ROOT / "kindling/errors.py"]
    return {code for text in texts for code in CODE.findall(text)}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    found, known = codes_in_sources(), set(codes())
    assert sorted(found - known) == []
    assert sorted(known - found) == []


@pytest.mark.parametrize("code", codes())
def test_a_page_has_a_title_a_text_and_what_to_do(code: str) -> None:
    text = page(code)[1]
    head, _, rest = text.partition("\n\n")
    assert re.fullmatch(rf"# {code}: [^\n]*[^\s.]", head)
    means, _, do = rest.partition("\n## What to do\n")
    assert means.strip()
    assert do.strip()
    assert title(code) == head.removeprefix(f"# {code}: ")


def test_pages_are_installed_with_the_kernel() -> None:
    assert Path(FOLDER).name == "pages"
    assert all(name.endswith(".md") for name in (file.name for file in Path(FOLDER).iterdir()))
