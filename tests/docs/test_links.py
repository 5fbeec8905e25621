"""Links of the repository's Markdown lead to pages of the site, or the build says which does not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "docs" / "_site"))
from links import relinked

PAGES = {
    "docs/design.md": "design.md",
    "plugins/kindling-plugin-x/README.md": "how-to/x.md",
    "kindling/pages/KDL-RUN-001.md": "reference/errors/KDL-RUN-001.md",
}


def of_design(text: str) -> str:
    return relinked(text, "docs/design.md", "design.md", PAGES)


def test_a_link_to_a_readme_leads_to_its_page() -> None:
    assert of_design("[x](../plugins/kindling-plugin-x/README.md#limits)") == "[x](how-to/x.md#limits)"


def test_a_link_to_no_page_is_an_error_that_names_both() -> None:
    with pytest.raises(LookupError) as caught:
        of_design("[x](../setup.py)")
    assert str(caught.value) == "docs/design.md: ../setup.py leads to setup.py, which is no page"


def test_addresses_anchors_and_code_stay() -> None:
    text = "[a](https://example.com) [b](#c)\n```python\n[x](y)\n```\n`KDL-RUN-0` # KDL-RUN-001\n"
    assert of_design(text).startswith(text[:60])


def test_a_code_of_an_error_leads_to_its_page_but_not_in_headings_and_links() -> None:
    link = "[`KDL-RUN-001`](reference/errors/KDL-RUN-001.md)"
    assert of_design("see `KDL-RUN-001`, KDL-RUN-001.") == f"see {link}, {link}."
    for text in ("# KDL-RUN-001: x", "[KDL-RUN-001](https://example.com)", "`kindling explain KDL-RUN-001`"):
        assert of_design(text) == text
