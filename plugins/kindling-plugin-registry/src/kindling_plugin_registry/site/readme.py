"""A README, which anybody may have written, as HTML that can do nothing but be read.

Markdown is rendered, then the HTML (also what stood in the Markdown) is rebuilt from a list of tags without
styles, ids or classes. Images become links: a page loads nothing from elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

from kindling_plugin_registry.site.text import address, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

MOST = 200_000
"""Characters that are rendered; the rest is left out, and told."""
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "ins", "kbd", "li", "ol", "p", "pre", "s", "samp", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul", "var",
}  # fmt: skip
_DROPPED = {"script", "style", "iframe", "object", "embed", "noscript", "template", "svg", "math", "title"}
_HEADING = re.compile(r"<(/?)h([1-6])>")


class Renderer:
    """Renders READMEs; one is enough for a whole site."""

    def __init__(self) -> None:
        self._markdown = MarkdownIt("commonmark", {"html": True, "maxNesting": 40})
        self._markdown.enable(["table", "strikethrough"])

    def html(self, text: str, above: int = 2) -> Markup:
        """Return Markdown as safe HTML.

        Args:
            text: The Markdown.
            above: Level of the heading that it stands under; its own begin one below, and skip none.
        """
        cut = visible(text[:MOST])
        tokens = self._markdown.parse(cut)
        _without_images(tokens)
        made: str = self._markdown.renderer.render(tokens, self._markdown.options, {})
        clean = nh3.clean(
            made,
            tags=TAGS,
            clean_content_tags=_DROPPED,
            attributes={"a": {"href"}, "ol": {"start"}},
            url_schemes={"http", "https"},
            url_relative="deny",
            link_rel="nofollow noopener noreferrer ugc",
        )
        if len(text) > MOST:
            clean += "<p>The rest is left out here; the file has all of it.</p>"
        return Markup(_stepped(clean, above))  # noqa: S704  # what nh3 let pass


def _without_images(tokens: Sequence[Token]) -> None:
    """Turn images into links, or into their text where the address is no plain one or a link is around."""
    for token in tokens:
        depth = 0
        for child in token.children or ():
            depth += child.nesting if child.type in {"link_open", "link_close"} else 0
            if child.type == "image":
                _as_text(child, is_linked=depth > 0)


def _as_text(image: Token, *, is_linked: bool) -> None:
    from markdown_it.common.utils import escapeHtml

    place = address(str(image.attrGet("src") or ""))
    words = escapeHtml(image.content or "image")
    image.type, image.tag, image.children = "html_inline", "", None
    image.content = words if is_linked or not place else f'<a href="{escapeHtml(place)}">{words}</a>'


def _stepped(html: str, above: int) -> str:
    """Move headings below the page's own, and never two levels down at once."""
    last = above
    open_levels: list[int] = []

    def moved(found: re.Match[str]) -> str:
        nonlocal last
        if found[1]:
            return f"</h{open_levels.pop() if open_levels else 6}>"
        last = min(int(found[2]) + above, last + 1, 6)
        open_levels.append(last)
        return f"<h{last}>"

    return _HEADING.sub(moved, html)
