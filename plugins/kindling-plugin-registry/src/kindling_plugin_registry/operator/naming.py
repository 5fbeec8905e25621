"""Names that must not be taken: reserved ones, and such as look like another plugin's. Not their form.

The form (canonical, ASCII) is the schemas' matter, so letters of other scripts never come here.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import combinations
from typing import TYPE_CHECKING

from kindling.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kindling_plugin_registry.records import Names

PREFIX = "kindling-plugin-"
LEAST = 5
"""Pairs whose longer own part is shorter are only compared by looks: `s3` and `s4` are no typing errors."""
# What people take for one another in common fonts, longest first.
_LOOKS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("-", ""))


def name_faults(names: Sequence[str], policy: Names, where: str) -> Iterator[PolicyError]:
    """Yield KDL-REG-020 for each reserved name and each pair of names that are too alike.

    Args:
        names: All plugins of the registry.
        policy: Reserved names (`*` stands for any letters), exceptions, and pairs that may be alike.
        where: The policy's file.
    """
    exceptions = set(policy.exceptions)
    for name in names:
        pattern = next((item for item in policy.reserved if fnmatchcase(name, item)), None)
        if pattern is not None and name not in exceptions:
            yield _fault(
                f"the name {name!r} is reserved", f"{pattern!r} is reserved", f"exceptions += {name!r}", where
            )
    allowed = {frozenset(pair) for pair in policy.alike}
    for one, other, how in sorted(set(_alike(names))):
        if frozenset((one, other)) not in allowed and not {one, other} & exceptions:
            yield _fault(
                f"the names {one!r} and {other!r} are too alike", how, f"alike += [{one!r}, {other!r}]", where
            )


def is_one_edit(one: str, other: str) -> bool:
    """Tell whether two texts differ by one letter added, lost, changed, or by two neighbours swapped."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or one == other:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    swapped = one[start + 1 : start + 2] + one[start : start + 1]
    return one[start + 1 :] == other[start + 1 :] or swapped + one[start + 2 :] == other[start:]


def _alike(names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Yield pairs that look the same, or are one edit apart.

    Two texts one edit apart become the same by taking one letter out of one or both, so only names that
    share such a rest are compared: 10,000 names take a second instead of an hour.
    """
    looks: dict[str, list[str]] = {}
    rests: dict[str, set[str]] = {}
    for name in names:
        own = name.removeprefix(PREFIX)
        looks.setdefault(_look(own), []).append(name)
        if len(own) >= LEAST - 1:
            for place in range(len(own)):
                rests.setdefault(own[:place] + own[place + 1 :], set()).add(name)
            rests.setdefault(own, set()).add(name)
    for one, other in _pairs(looks.values()):
        yield one, other, "they look the same"
    for one, other in _pairs(rests.values()):
        pair = one.removeprefix(PREFIX), other.removeprefix(PREFIX)
        if max(map(len, pair)) >= LEAST and is_one_edit(*pair):
            yield one, other, "they are one typing error apart"


def _pairs(groups: Iterable[Iterable[str]]) -> Iterator[tuple[str, str]]:
    for group in groups:
        yield from combinations(sorted(group), 2)


def _look(text: str) -> str:
    for seen, taken_for in _LOOKS:
        text = text.replace(seen, taken_for)
    return text


def _fault(what: str, why: str, hint: str, where: str) -> PolicyError:
    return PolicyError(
        "KDL-REG-020", what, why=why, where=where, hint=f"another name; or in policy/names.toml: {hint}"
    )
