"""Revoked and vulnerable plugins: a look at a small file that a client of registries wrote. No registry.

`.kindling/plugin-warnings.json` lists names with PEP 440 specifiers; `kindling plugins` commands renew it.
Where no installed plugin is named, which is the rule, nothing heavy is imported.
"""

from __future__ import annotations

import json

from kindling.errors import KindlingError, PolicyError, raise_together
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kindling.plugins.manifest import Distribution

NAME = "plugin-warnings.json"
SCHEMA = "kindling.plugin-warnings/1"
_DEFAULTS = {"revoked": "refuse", "vulnerable": "warn"}


class Warned(Value):
    """One installed plugin that a registry warns about.

    Attributes:
        name: Canonical name.
        version: Installed version.
        kind: `revoked` or `vulnerable`.
        why: The registry's reason.
        is_refused: Whether policy refuses it; else it is only told.
    """

    name: str
    version: str
    kind: str
    why: str
    is_refused: bool

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.name} {self.version} is {self.kind}: {self.why}"


def warned(
    state_dir: str, distributions: Iterable[Distribution], rules: Mapping[str, object]
) -> tuple[Warned, ...]:
    """Return the installed plugins that registries warn about.

    Args:
        state_dir: The project's `.kindling`.
        distributions: What is installed.
        rules: The settings `[plugins.policy]`.
    """
    try:
        with open(f"{state_dir}/{NAME}", encoding="utf-8") as file:
            plain = json.load(file)
        if plain["schema"] != SCHEMA or not plain["warnings"]:
            return ()
        rows = plain["warnings"]
    except (OSError, ValueError, LookupError, TypeError):
        return ()  # nobody asked a registry yet, or the next one who does writes it anew
    versions = {item.name: item.version for item in distributions}
    return tuple(
        Warned(
            row["name"],
            versions[row["name"]],
            row["kind"],
            f"{row['id']}: {row['why']}" if row["id"] else row["why"],
            (rules.get(row["kind"]) or _DEFAULTS.get(row["kind"])) == "refuse",
        )
        for row in rows
        if row["name"] in versions and _meets(row, versions[row["name"]])
    )


def enforce_warnings(found: Iterable[Warned]) -> None:
    """Raise for what policy refuses.

    Raises:
        PolicyError: KDL-POL-032; several together.
    """
    faults: list[KindlingError] = [
        PolicyError(
            "KDL-POL-032",
            f"the plugin {item.name!r} {item.version} is {item.kind}",
            why=item.why,
            hint=f"kindling plugins update {item.name}, or kindling plugins uninstall {item.name}",
            plugin=item.name,
        )
        for item in found
        if item.is_refused
    ]
    raise_together(faults)


def _meets(row: Mapping[str, list[str]], version: str) -> bool:
    if version in row["versions"] or "*" in row["specifiers"]:
        return True
    from packaging.specifiers import SpecifierSet

    return any(SpecifierSet(text).contains(version, prereleases=True) for text in row["specifiers"])
