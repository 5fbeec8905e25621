"""Who sees which column how: the rules of `[policy.masks]`, chosen for one reader. Pure, no plugin.

A rule names classes, a mask, and where it acts: on the inputs of pipes, which run with the rights of the
workload, or on what people are shown. Nothing that is stored depends on who started a run.

A column that a rule masked carries the class no more that it was masked for: the author of the rule says
that the masked value is fit for whoever reads it, so what is made of it inherits nothing from it.
"""

from __future__ import annotations

import sys

from kindling.errors import ConfigError, KindlingError, PlanError, raise_together
from kindling.plan.parts import short_digest
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kindling.config.settings import Settings
    from kindling.lineage import Classes
    from kindling.plugins.catalog import Catalog
    from kindling.values import Plain

PIPES = "pipes"
SHOW = "show"
WORKLOAD = "workload"
CLASSIFIED = "classified"
CLASSES = "classes"
"""Name of the part of a record that tells the classes of its table; no part of its fingerprint."""
_NEARLY = 0.85
"""How like two classes are that differ by a slip: one letter of six, two that changed places."""


class MaskRule(Value):
    """One rule, `[policy.masks.<name>]`.

    Attributes:
        name: Its name.
        class_glob: Which classes it is about, for example `pii.*`.
        mask: Name of a capability `masking:<mask>`.
        key: Reference to the key of a keyed mask, or "".
        on: `pipes` or `show`.
        entities: Globs of the reading pipes, or of the shown entities.
        unless: Principals (`user:ann`, `workload:flights`) and roles (`role:engineer`) that are exempt.
        options: The mask's options as sorted pairs.
    """

    name: str
    class_glob: str
    mask: str
    key: str = ""
    on: str = PIPES
    entities: tuple[str, ...] = ("*",)
    unless: tuple[str, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    def is_about(self, some: Iterable[str]) -> bool:
        """Tell whether one of these classes is the rule's."""
        return any(_matches(one, self.class_glob) for one in some)

    def chosen(self) -> dict[str, Plain]:
        """Return the options of its mask."""
        return dict(self.options)  # type: ignore[arg-type]  # JSON types, from TOML


class Rights:
    """The masks of one project.

    Args:
        settings: Where `[policy.masks]` and `[policy.roles]` stand.

    Raises:
        ConfigError: KDL-GOV-001, a rule lacks its class or its mask; all faults together.
    """

    __slots__ = ("_roles", "rules")

    def __init__(self, settings: Settings) -> None:
        rules = settings.table("policy.masks")
        self._roles = {name: _texts(members) for name, members in settings.table("policy.roles").items()}
        faults = [
            fault for name in sorted(rules) if (fault := _fault(name, rules[name], settings)) is not None
        ]
        raise_together(faults)
        self.rules = tuple(_rule(name, rules[name]) for name in sorted(rules))

    def check(self, catalog: Catalog) -> None:
        """Refuse masks that are not installed, and keyed ones without a key.

        Raises:
            PluginError: What `Catalog.find` raises.
            PlanError: KDL-GOV-002, a keyed mask has no key.
        """
        faults: list[KindlingError] = []
        for rule in self.rules:
            try:
                keyed = "keyed" in catalog.find(f"masking:{rule.mask}").features
            except KindlingError as fault:
                faults.append(fault)
                continue
            if keyed and not rule.key:
                faults.append(
                    PlanError(
                        "KDL-GOV-002",
                        f"the rule {rule.name!r} has no key",
                        why=f"the mask {rule.mask!r} is keyed",
                        hint=f'[policy.masks.{rule.name}] key = "secret://..."',
                    )
                )
        raise_together(faults)

    def mistyped(self, declared: Iterable[str]) -> tuple[str, ...]:
        """Return a sentence for each rule whose class is nearly, but not, one of the declared ones.

        Rules of other apps may stand here as well, so a class that is like no declared one is no mistake.
        """
        known = sorted(declared)
        found = []
        for rule in self.rules:
            if rule.is_about(known):
                continue
            from difflib import get_close_matches

            if close := get_close_matches(rule.class_glob, known, n=1, cutoff=_NEARLY):
                found.append(
                    f"the rule {rule.name!r} masks nothing: no column has its class {rule.class_glob!r}; "
                    f"did you mean {close[0]!r}?"
                )
        return tuple(found)

    def principals(self, principal: str, groups: Iterable[str] = ()) -> frozenset[str]:
        """Return a principal, its groups, and every role that one of them has."""
        own = {principal, *groups}
        return frozenset(
            {*own, *(f"role:{role}" for role, members in self._roles.items() if own & {*members})}
        )

    def acting(self, on: str, entity: str, principals: frozenset[str]) -> tuple[MaskRule, ...]:
        """Return the rules that act on a reading pipe, or a shown entity, for these principals."""
        return tuple(
            rule
            for rule in self.rules
            if rule.on == on
            and not principals.intersection(rule.unless)
            and any(_matches(entity, glob) for glob in rule.entities)
        )


def rights_part(principal: str, acting: Iterable[str], classes: Mapping[str, Classes]) -> str:
    """Return the fingerprint part `rights` of a pipe.

    Args:
        principal: The workload.
        acting: The rules that act on what it reads, as text.
        classes: Classes by column, by entity that it reads.
    """
    columns = sorted((name, sorted(of_one.items())) for name, of_one in classes.items() if of_one)
    who = f"{WORKLOAD}:{principal}"
    return f"{CLASSIFIED}:{short_digest(repr((sorted(acting), columns)))}:{who}" if columns else who


def is_classified(part: str) -> bool:
    """Tell whether a pipe with this part `rights` reads classified columns."""
    return part.startswith(f"{CLASSIFIED}:")


class Ungoverned:
    """What stands for `plan.governance.Governance` where no column is classified: nothing is masked."""

    __slots__ = ("_part",)

    def __init__(self, principal: str) -> None:
        self._part = rights_part(principal, (), {})

    def of(self, _name: str) -> dict[str, tuple[str, ...]]:
        """Return no classes."""
        return {}

    def note(self, name: str, classes: Classes, *, is_whole: bool) -> None:
        """Forget what a task made."""

    def part(self, _name: str) -> str:
        """Return the fingerprint part `rights`."""
        return self._part

    def warnings(self) -> tuple[str, ...]:
        """Return no warning."""
        return ()

    def faults(self, _name: str, _catalog: Catalog) -> list[PlanError]:
        """Return no fault."""
        return []


def masks_of(rules: Iterable[MaskRule], classes: Classes) -> dict[str, MaskRule]:
    """Return the rule of each column to mask; the first rule in the order of their names wins."""
    found: dict[str, MaskRule] = {}
    listed = tuple(rules)
    for column, some in classes.items():
        rule = next((rule for rule in listed if rule.is_about(some)), None)
        if rule is not None:
            found[column] = rule
    return found


def classes_text(classes: Classes) -> str:
    """Return classes as the text of a record's part: `column=class,class;column=class`."""
    from urllib.parse import quote

    return ";".join(
        f"{quote(column)}={','.join(map(quote, sorted(some)))}" for column, some in sorted(classes.items())
    )


def classes_of_text(text: str) -> dict[str, tuple[str, ...]]:
    """Return the classes that `classes_text` wrote."""
    if not text:
        return {}
    from urllib.parse import unquote

    pairs = (item.partition("=") for item in text.split(";"))
    return {unquote(column): tuple(map(unquote, some.split(","))) for column, _, some in pairs}


def _rule(name: str, plain: Plain) -> MaskRule:
    found = plain if isinstance(plain, dict) else {}
    options = found.get("options")
    return MaskRule(
        name,
        sys.intern(str(found.get("class") or "")),
        str(found.get("mask") or ""),
        key=str(found.get("key") or ""),
        on=str(found.get("on") or PIPES),
        entities=_texts(found.get("entities")) or ("*",),
        unless=_texts(found.get("unless")),
        options=tuple(sorted(options.items())) if isinstance(options, dict) else (),
    )


def _fault(name: str, plain: Plain, settings: Settings) -> ConfigError | None:
    found = plain if isinstance(plain, dict) else {}
    lacking = [key for key in ("class", "mask") if not found.get(key)]
    if not lacking:
        return None
    given = next((key for key in found if key != "options"), "")
    return ConfigError(
        "KDL-GOV-001",
        f"the rule {name!r} lacks its {' and its '.join(lacking)}",
        where=settings.origin(f"policy.masks.{name}.{given}") if given else "",
        hint=f'[policy.masks.{name}] class = "pii.*", mask = "redact"',
    )


def _matches(text: str, glob: str) -> bool:
    from fnmatch import fnmatchcase  # imports re: only where there are rules

    return glob == "*" or fnmatchcase(text, glob)


def _texts(plain: Plain) -> tuple[str, ...]:
    return tuple(map(str, plain)) if isinstance(plain, list) else ()
