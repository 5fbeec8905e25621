"""Makes links of the repository's Markdown lead to pages of the site. It reads and writes no file."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CODE = re.compile(r"(^ *(?P<fence>```+).*?^ *(?P=fence) *$)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<text>!?\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<to>[^()\s]+)\)")
SPAN = re.compile(
    r"^#.*$"  # a heading keeps its text
    r"|(?<!\[)`(?P<code>[^`\n]+)`(?!\])"
    r"|(?<![\w\[/`-])(?P<bare>KDL-[A-Z]+-\d{3})(?!\.md|[\w\]`-])",
    re.MULTILINE,
)
"""Where a code of an error or a page of the docs may be named, beside links."""


def outside_of_code(text: str, change: Callable[[str], str]) -> str:
    """Change a text except for its fenced blocks."""
    done, at = [], 0
    for found in CODE.finditer(text):
        done += [change(text[at : found.start()]), found[0]]
        at = found.end()
    return "".join([*done, change(text[at:])])


def relinked(text: str, source: str, page: str, pages: Mapping[str, str]) -> str:
    """Return a text whose links lead to pages.

    Args:
        text: Markdown.
        source: Where it stands in the repository.
        page: Where it will stand in the site.
        pages: All pages: place in the site by place in the repository.

    Raises:
        LookupError: A link leads to something that is no page.
    """
    here = posixpath.dirname(page) or "."

    def link(found: re.Match[str]) -> str:
        to, _, anchor = found["to"].partition("#")
        if not to or ":" in to:
            return found[0]
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(source), to))
        if wanted not in pages:
            raise LookupError(f"{source}: {found['to']} leads to {wanted}, which is no page")
        place = posixpath.relpath(pages[wanted], here)
        return f"{found['text']}({place}{'#' + anchor if anchor else ''})"

    def name(found: re.Match[str]) -> str:
        shown = found["code"] or found["bare"] or ""
        wanted = f"kindling/pages/{shown}.md" if shown.startswith("KDL-") else shown
        if wanted not in pages or pages[wanted] == page or not wanted.endswith(".md"):
            return found[0]
        return f"[`{shown}`]({posixpath.relpath(pages[wanted], here)})"

    return outside_of_code(text, lambda part: SPAN.sub(name, LINK.sub(link, part)))
