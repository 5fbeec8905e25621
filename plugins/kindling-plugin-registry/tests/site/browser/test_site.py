from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python
import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Open = Callable[..., Page]

SAMPLE = "plugin/kindling-plugin-sample.html"
HOSTILE = "plugin/kindling-plugin-hostile.html"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
PATHS = (
    "index.html",
    "search.html",
    "search.html?q=thing",
    "plugins.html",
    "kind/storage.html",
    "capabilities.html",
    "advisories.html",
    "404.html",
    SAMPLE,
    HOSTILE,
)


def settle(page: Page, path: str) -> None:
    if "q=" in path:
        expect(page.locator("#hits li").first).to_be_visible()


def faults(page: Page, only: object) -> list[object]:
    """Return what axe says against a page: rules, and the elements that break them."""
    found = page.evaluate("only => axe.run({runOnly: only})", only)
    assert found["passes"]
    return [(item["id"], [node["html"][:200] for node in item["nodes"]]) for item in found["violations"]]


@pytest.mark.parametrize("path", PATHS)
def test_pages_can_be_used_by_everybody(open_page: Open, path: str) -> None:
    page = open_page(path, color_scheme="light")
    settle(page, path)
    page.evaluate(AXE)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    assert faults(page, rules) == []
    page.emulate_media(color_scheme="dark")  # colours alone differ
    assert faults(page, {"type": "rule", "values": ["color-contrast"]}) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_narrow_screen_needs_no_scrolling_sideways(open_page: Open, path: str) -> None:
    page = open_page(path, width=360)
    settle(page, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_typing_finds_and_a_result_opens(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#results")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("marmalade42")
    expect(page.locator("#found")).to_have_text("1 plugin found")
    expect(page.locator("#browse")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/plugin/kindling-plugin-thing42.html")
    expect(page.locator("h1")).to_have_text("kindling-plugin-thing42")


def test_a_slash_is_typed_where_text_is(open_page: Open) -> None:
    page = open_page()
    page.locator("#q").focus()
    page.keyboard.type("a/b")
    assert page.locator("#q").input_value() == "a/b"
    expect(page.locator("#found")).not_to_have_text("Searching")


def test_search_on_another_page_goes_to_the_search(open_page: Open) -> None:
    page = open_page(SAMPLE)
    page.keyboard.press("/")
    page.keyboard.type("marigold")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=marigold")
    expect(page.locator("#hits a")).to_have_text("kindling-plugin-sample")


def test_what_is_not_there_is_told(open_page: Open) -> None:
    page = open_page("search.html?q=zzzzqqqq")
    expect(page.locator("#found")).to_have_text("Nothing found")


def test_filters_narrow_and_are_kept_in_the_address(open_page: Open) -> None:
    page = open_page("search.html")
    page.get_by_label("storage 2").first.check()
    expect(page.locator("#found")).to_have_text("21 plugins found")
    page.get_by_label("MIT").check()
    expect(page.locator("#found")).to_have_text("Nothing found")
    page.get_by_label("secrets").first.check()
    expect(page.locator("#found")).to_have_text("Nothing found")
    page.get_by_label("platform").first.check()
    expect(page.locator("#found")).to_have_text("18 plugins found")
    page.reload()
    expect(page.locator("#found")).to_have_text("18 plugins found")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#results")).to_be_hidden()
    page.get_by_label("conformant").check()
    expect(page.locator("#hits a")).to_have_text("kindling-plugin-sample")


def test_more_results_are_shown_when_asked_for(open_page: Open) -> None:
    page = open_page("search.html?kind=storage")
    expect(page.locator("#hits li")).to_have_count(20)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#hits li")).to_have_count(21)
    expect(page.locator("#hits li").nth(20).locator("a")).to_be_focused()
    expect(page.locator("#more")).to_be_hidden()


def test_a_line_is_copied(open_page: Open) -> None:
    page = open_page(SAMPLE, permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy the line for pip")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "pip install kindling-plugin-sample==1.0.0"


def test_the_theme_is_switched_by_keyboard_and_kept(open_page: Open) -> None:
    page = open_page(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Use the dark theme").focus()
    page.keyboard.press("Space")
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(page.url.replace("index.html", SAMPLE))
    assert page.evaluate(ground) == dark
    expect(page.get_by_role("button", name="Use the light theme")).to_be_visible()


def test_the_keyboard_reaches_all(open_page: Open) -> None:
    page = open_page(SAMPLE)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(e => e.id || e.getAttribute('aria-label') || e.textContent)(document.activeElement)"
            )
        )
    for wanted in ("q", "theme", "Plugins", "Copy the line for uv", "Versions", "README", "JSON"):
        assert wanted in seen, (wanted, seen)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_all_is_there_without_javascript(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    for hidden in ("#theme", "#results"):
        expect(page.locator(hidden)).to_be_hidden()
    page.get_by_role("link", name="storage 2").click()
    expect(page.locator("h1")).to_have_text("Kind: storage")
    page.goto(page.url.replace("kind/storage.html", "plugins.html"))
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="2").click()
    expect(page.locator("li.row")).to_have_count(13)
    page.locator("li.row h3 a").first.click()
    expect(page.locator("#c-pip")).to_contain_text("pip install kindling-plugin-")
    expect(page.locator("button.copy").first).to_be_hidden()
    page.locator("#q").fill("delta")
    page.keyboard.press("Enter")
    expect(page.locator("#hint")).to_contain_text("needs JavaScript")
    page.get_by_role("navigation", name="Filters").get_by_role("link", name="MIT").click()
    expect(page.locator("li.row")).to_have_count(35)


def test_hostile_words_are_only_shown(open_page: Open) -> None:
    for path in (HOSTILE, "search.html?q=hostile", "plugins.html", "index.html", "capabilities.html"):
        page = open_page(path)
        settle(page, path)
        assert page.evaluate("window.pwned") is None
        assert page.locator("main img, main iframe, main script, main svg, main form[action]").count() == 0
        assert page.locator("body").bounding_box() is not None
    page = open_page(HOSTILE)
    text = page.locator("main").inner_text()
    assert '<img src=x onerror="window.pwned=1">' in text
    assert "\u202e" not in page.content()
    assert "\u2308U+202E\u2309" in text
    places = page.eval_on_selector_all("a[href]", "all => all.map(one => one.protocol)")
    assert set(places) <= {"http:", "https:"}
    expect(page.locator("#readme")).to_be_visible()
    expect(page.get_by_role("region", name="README")).to_contain_text("good")


def test_a_hostile_result_opens_from_the_search(open_page: Open) -> None:
    page = open_page("search.html?q=hostile")
    expect(page.locator("#hits li p").first).to_contain_text("<script>")
    assert page.evaluate("window.pwned") is None
    page.locator("#hits a").first.click()
    page.wait_for_url("**/kindling-plugin-hostile.html")


def test_pages_are_readable_from_files(open_page: Open, full_stall: Any) -> None:
    page = open_page("index.html", base=f"{full_stall.dist.as_uri()}/")
    assert page.evaluate("getComputedStyle(document.querySelector('.rows')).listStyleType") == "none"
    page.get_by_role("link", name="storage 2").click()
    page.locator("li.row h3 a").first.click()
    expect(page.locator("#c-pip")).to_be_visible()
    page.goto(f"{full_stall.dist.as_uri()}/search.html?q=thing")
    expect(page.locator("#found")).to_contain_text("needs a web server")
    expect(page.locator("#browse")).to_be_visible()


def test_a_missing_page_leads_back(open_page: Open, url: str) -> None:
    page = open_page()
    answer = page.goto(f"{url}no/such/page")
    assert answer is not None
    assert answer.status == 404
    expect(page.locator("h1")).to_have_text("There is no such page")
    page.get_by_role("link", name="all plugins").click()
    expect(page.locator("h1")).to_have_text("All plugins")
