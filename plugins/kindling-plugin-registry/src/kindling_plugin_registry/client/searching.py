"""Search the copies: words and filters over one text per registry. It imports neither click nor msgspec."""

from __future__ import annotations

from kindling_plugin_registry.client.copies import Line, ages_text, check_fresh, listed, read_copy
from kindling_plugin_registry.client.registries import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.copies import Copy
    from kindling_plugin_registry.client.registries import Client

MOST = 20


def known_copies(client: Client) -> tuple[Copy, ...] | None:
    """Return the copies of all registries if each is there and counts; None if one must be fetched first.

    Raises:
        UsageError: KDL-REG-101, no registry is configured.
        PolicyError: KDL-REG-104, a copy has expired.
    """
    copies = []
    for registry in client.require_registries():
        copy = read_copy(registry)
        if copy is None:
            return None
        check_fresh(copy)
        copies.append(copy)
    return tuple(copies)


def search(
    copies: Sequence[Copy], words: Sequence[str], *, kind: str = "", capability: str = "", level: str = ""
) -> list[tuple[str, Line]]:
    """Return `(registry, plugin)` for all plugins in which every word occurs, the best first.

    Args:
        copies: In the order of priority; a name that a registry owns is not taken from another.
        words: Compared in lower case with name, capabilities, keywords and summary.
        kind: Only plugins with a capability of that kind.
        capability: Only those that offer it.
        level: Only those of at least that level.
    """
    wanted = [word.lower() for word in words]
    least = LEVELS.index(level) if level else 0
    found: list[tuple[int, int, str, str, Line]] = []
    for place, copy in enumerate(copies):
        for line in _matching(copy, wanted or ([capability] if capability else [])):
            if least > LEVELS.index(line.level) or (
                capability and f",{capability}," not in line.capabilities
            ):
                continue
            if kind and f",{kind}:" not in line.capabilities:
                continue
            score = _score(line, wanted)
            if score is None or not _is_own(copies, place, line.name):
                continue
            found.append((score, -LEVELS.index(line.level), line.name, copy.registry.name, line))
    found.sort(key=lambda item: item[:3])
    return [(registry, line) for _, _, _, registry, line in found]


def found_text(copies: Sequence[Copy], found: Sequence[tuple[str, Line]], most: int) -> str:
    """Return the result as a table, with the age of each copy."""
    from kindling_plugin_registry.client.kernel import table_text

    rows = [("plugin", "version", "level", "capabilities", "summary")]
    for _, line in found[:most]:
        level = f"{line.level} (stale)" if line.stale else line.level
        marks = "".join(f" [{item}]" for item in listed(line.advisories))
        rows.append(
            (line.name, line.version, level, ", ".join(listed(line.capabilities)), f"{line.summary}{marks}")
        )
    text = table_text(rows) if found else ""
    if len(found) > most:
        text += f"and {len(found) - most} more: --limit {len(found)}\n"
    return f"{text}{len(found)} found; index: {ages_text(copies)}\n"


def found_plain(copies: Sequence[Copy], found: Sequence[tuple[str, Line]]) -> dict[str, object]:
    """Return the result as JSON types."""
    return {
        "registries": [
            {
                "name": copy.registry.name,
                "url": copy.registry.url,
                "age_s": copy.age_s(),
                "expires": copy.expires,
                "version": copy.version,
            }
            for copy in copies
        ],
        "plugins": [{"registry": registry, **line.to_plain()} for registry, line in found],
    }


def _matching(copy: Copy, wanted: list[str]) -> list[Line]:
    """Return the lines with the rarest word in them: a search of the whole text, not line by line."""
    if not wanted:
        return list(copy.all())
    text = copy.lines()
    lower = text.lower()
    if len(lower) != len(text):  # a letter whose lower form is longer: places would differ
        return list(copy.all())
    word = min(wanted, key=lower.count) if len(wanted) > 1 else wanted[0]
    found, place = [], 0
    while (place := lower.find(word, place)) >= 0:
        start = text.rfind("\n", 0, place) + 1
        end = text.find("\n", place)
        found.append(Line(*text[start:end].split("\t")))
        place = end
    return found


def _score(line: Line, wanted: list[str]) -> int | None:
    """Return how good a plugin fits, 0 best; None where a word does not occur at all."""
    worst = 0
    short = line.name.removeprefix("kindling-plugin-")
    fields = (line.name, line.capabilities, line.keywords.lower(), line.summary.lower())
    for word in wanted:
        if word in (short, line.name):
            continue
        place = next((place for place, text in enumerate(fields) if word in text), None)
        if place is None:
            return None
        worst = max(worst, place + 1)
    return worst


def _is_own(copies: Sequence[Copy], place: int, name: str) -> bool:
    """Tell whether a name belongs to this copy's registry: no other binds it, no earlier one lists it."""
    if len(copies) == 1:
        return True
    binder = next((copy for copy in copies if copy.registry.binds(name)), None)
    if binder is not None:
        return binder is copies[place]
    return all(copy.find(name) is None for copy in copies[:place])
