"""The built site: every link and anchor leads somewhere, nothing is fetched from elsewhere."""

from __future__ import annotations

import json
import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from kindling.cli.main import COMMANDS
from kindling.cli.pages import codes
from kindling.config.schema import KERNEL
from kindling.events import TYPES
from kindling.hooks import Offer
from kindling.names import KINDS

ROOT = Path(__file__).parent.parent.parent


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.loads += [given["src"]] if "src" in given else []
        self.loads += [given["href"]] if tag == "link" else []


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Return all pages by their place in the site."""
    return {str(path.relative_to(site)): Page(path) for path in site.rglob("*.html")}


def target_of(page: str, link: str) -> tuple[str, str]:
    """Return the place in the site that a link leads to, and the anchor there; "" for another host."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return "", ""
    path = (
        posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path)))
        if parts.path
        else page
    )
    return path, unquote(parts.fragment)


def test_each_link_and_anchor_of_the_site_leads_somewhere(pages: dict[str, Page], site: Path) -> None:
    files = {str(path.relative_to(site)) for path in site.rglob("*") if path.is_file()}
    broken = []
    for name, page in pages.items():
        if name == "404.html":  # its links begin at the root of a server
            continue
        for link in [*page.links, *page.loads]:
            target, anchor = target_of(name, link)
            target = "index.html" if target == "." else target
            is_known = not anchor or anchor.startswith("__") or anchor in pages[target].anchors
            if target and not (target in files and is_known):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_another_host(pages: dict[str, Page]) -> None:
    elsewhere = {link for page in pages.values() for link in page.loads if urlsplit(link).netloc}
    assert elsewhere == set()


def test_every_page_is_reached_from_the_first(pages: dict[str, Page]) -> None:
    seen, waiting = {"index.html"}, ["index.html"]
    while waiting:
        name = waiting.pop()
        new = {target_of(name, link)[0] for link in pages[name].links} & set(pages) - seen
        seen |= new
        waiting += new
    assert set(pages) - seen == {"404.html"}


def test_no_fence_of_a_block_is_left_as_text(site: Path) -> None:
    read = {path.name: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    assert [name for name, text in read.items() if "```" in text] == []


def text_of(built: Path, page: str) -> str:
    return (built / "pages" / page).read_text(encoding="utf-8")


def test_each_command_has_its_place_in_the_reference(built: Path) -> None:
    text = text_of(built, "reference/cli.md")
    assert [name for name in COMMANDS if f"\n## kindling {name}\n" not in text] == []
    assert "\n### kindling plugins lock\n" in text
    assert "\n### kindling registry build\n" in text


def test_each_setting_of_kernel_and_plugins_has_its_row(built: Path) -> None:
    text = text_of(built, "reference/settings.md")
    assert [one.name for one in KERNEL if f"| `{one.name}` |" not in text] == []
    for path in ROOT.glob("plugins/kindling-plugin-*/src/*/kindling.json"):
        for capability, facts in json.loads(path.read_text(encoding="utf-8"))["capabilities"].items():
            names = [f"{capability.replace(':', '.')}.{key}" for key in facts.get("config", {})]
            assert [name for name in names if f"| `{name}` |" not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_hook_has_a_page_with_features_a_plugin_and_its_hook(built: Path, kind: str) -> None:
    text = text_of(built, f"reference/hooks/{kind}.md")
    module = __import__(f"kindling.hooks.{kind}", fromlist=["FEATURES"])
    assert [name for name in module.FEATURES if f"\n- `{name}`" not in text] == []
    assert f"def kindling_{kind}_offers() -> " in text
    assert (
        f"kindling_{kind}_offers() -> tuple[{Offer.__name__}" in text or f"kindling_{kind}_offers()" in text
    )


def test_each_event_and_field_has_its_place(built: Path) -> None:
    text = text_of(built, "reference/events.md")
    for name, cls in TYPES.items():
        assert f"\n## {name}\n" in text
        own = [field for field in cls.__annotations__ if f"| `{field}` |" not in text]
        assert own == []


def test_each_error_code_has_a_page_and_a_row(built: Path) -> None:
    text = text_of(built, "reference/errors/index.md")
    listed = re.findall(r"^\| \[(KDL-\S+)\]", text, re.MULTILINE)
    assert sorted(listed) == codes()
    assert [code for code in codes() if not (built / "site/reference/errors" / f"{code}.html").exists()] == []


def test_each_plugin_of_the_repository_has_a_how_to_page(site: Path) -> None:
    names = {path.name.removeprefix("kindling-plugin-") for path in ROOT.glob("plugins/kindling-plugin-*")}
    assert {f"{name}.html" for name in names} <= {path.name for path in (site / "how-to").iterdir()}
