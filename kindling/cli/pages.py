"""The pages that explain error codes, as they are installed with the kernel: for `kindling explain`."""

from __future__ import annotations

import os

from kindling.errors import UsageError
from kindling.names import close_names, did_you_mean

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "pages")


def codes() -> list[str]:
    """Return all codes that have a page, sorted."""
    return sorted(name.removesuffix(".md") for name in os.listdir(FOLDER) if name.endswith(".md"))


def page(code: str) -> tuple[str, str]:
    """Return a code in its stable form and the text of its page.

    Args:
        code: In any letter case, with or without `KDL-`.

    Raises:
        UsageError: KDL-USE-039, there is no such code.
    """
    known = codes()
    wanted = code.strip().upper()
    found = wanted if wanted in known else f"KDL-{wanted}"
    if found not in known:
        near = close_names(found, known)
        raise UsageError(
            "KDL-USE-039",
            f"there is no error code {code!r}",
            why=did_you_mean(found, near) if near else "",
            hint="kindling explain --list",
        )
    with open(os.path.join(FOLDER, f"{found}.md"), encoding="utf-8") as file:
        return found, file.read()


def title(code: str) -> str:
    """Return the first line of a page without its code."""
    text = page(code)[1]
    return text.partition("\n")[0].removeprefix(f"# {code}:").strip()
