"""Text of strangers made fit to be shown: hidden characters made visible, lengths cut, addresses checked."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Collection

MOST = 1000
"""Characters of one value that are shown."""
# Controls (but for tab and line breaks), marks that turn or hide text, lone surrogates and non-characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_ADDRESS = re.compile(r"https?://[^\s\"'<>\\]+", re.IGNORECASE)


def visible(text: str) -> str:
    """Return text in which characters that turn, hide or break text are written as `U+202E`."""
    return _HIDDEN.sub(lambda found: f"\N{LEFT CEILING}U+{ord(found[0]):04X}\N{RIGHT CEILING}", text)


def shown(value: object) -> object:
    """Return a template's value as it is printed: `visible`, and cut. HTML that we made is left alone."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return visible(value if len(value) <= MOST else f"{value[:MOST]}\N{HORIZONTAL ELLIPSIS}")


def address(text: str) -> str:
    """Return an address if it is a plain http or https one, else ""."""
    return text if _ADDRESS.fullmatch(text) and not _HIDDEN.search(text) else ""


def slug(text: str, taken: Collection[str] = ()) -> str:
    """Return a file name's stem for any text: lower-case ASCII letters, digits and `-`; none of `taken`."""
    stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]
    is_plain = re.fullmatch(r"[A-Za-z0-9.:_ -]+", text) is not None and len(text) <= len(stem) + 1
    if stem and is_plain and stem not in taken:
        return stem
    return f"{stem or 'other'}-{sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
