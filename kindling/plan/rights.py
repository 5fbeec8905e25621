"""Who sees which column how: the rules of `[policy.masks]`, chosen for one reader. Pure, no plugin.

A rule names classes, a mask, and where it acts: on the inputs of pipes, which run with the rights of the
workload, or on what people are shown. Nothing that is stored depends on who started a run.

Nothing acts on these rules yet: `check_acted_on` refuses a project that has some, so that nobody believes
that data is masked.
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

    def to_plain(self) -> dict[str, Plain]:
        """Return what a worker needs: `rule`, `mask`, `key`, `options`."""
        options: dict[str, Plain] = dict(self.options)  # type: ignore[arg-type]  # JSON types, from TOML
        return {"rule": self.name, "mask": self.mask, "key": self.key, "options": options}


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

    def check(self, catalog: Catalog, platforms: Iterable[str]) -> None:
        """Refuse masks that are not installed, and keyed ones that a platform cannot compute.

        Raises:
            PluginError: What `Catalog.find` raises.
            PlanError: KDL-GOV-002, a keyed mask has no key; KDL-GOV-003, a platform lacks a feature.
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
            if keyed and rule.on == PIPES:
                faults += [
                    _keyless(rule, name)
                    for name in sorted(set(platforms))
                    if not {"keys", "share"} <= set(catalog.find(f"platform:{name}").features)
                ]
        raise_together(faults)

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

    def part(self, principal: str, rules: Iterable[MaskRule], classes: Mapping[str, Classes]) -> str:
        """Return the fingerprint part `rights` of a pipe.

        Args:
            principal: The workload.
            rules: The rules that act on the pipe.
            classes: Classes by column, by table that it reads.
        """
        every = {one for of_table in classes.values() for some in of_table.values() for one in some}
        told = sorted(repr(rule) for rule in rules if rule.is_about(every))
        columns = sorted((name, sorted(of_table.items())) for name, of_table in classes.items() if of_table)
        if not told and not columns:
            return f"{WORKLOAD}:{principal}"
        return f"{WORKLOAD}:{principal}:{short_digest(repr((told, columns)))}"


def check_acted_on(settings: Settings) -> None:
    """Refuse settings that this version only knows, and does nothing about.

    Raises:
        PlanError: KDL-GOV-004, there are mask rules; KDL-LINE-001, a lineage sink is named; both together.
    """
    faults: list[KindlingError] = []
    rules = settings.table("policy.masks")
    if rules:
        faults.append(
            PlanError(
                "KDL-GOV-004",
                f"the mask rules {', '.join(map(repr, sorted(rules)))} cannot be kept",
                why="this version of Kindling masks nothing",
                hint="remove [policy.masks], and keep classified columns out of what others read",
            )
        )
    if settings.get("run.lineage"):
        faults.append(
            PlanError(
                "KDL-LINE-001",
                "lineage cannot be told",
                why="this version of Kindling traces no lineage",
                where=settings.origin("run.lineage"),
                hint="remove run.lineage",
            )
        )
    raise_together(faults)


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


def _keyless(rule: MaskRule, platform: str) -> PlanError:
    return PlanError(
        "KDL-GOV-003",
        f"the rule {rule.name!r} cannot act on the platform {platform!r}",
        why=f"the keyed mask {rule.mask!r} needs sessions with keys and share",
        hint="use a mask without a key, or another platform",
    )


def _matches(text: str, glob: str) -> bool:
    from fnmatch import fnmatchcase  # imports re: only where there are rules

    return glob == "*" or fnmatchcase(text, glob)


def _texts(plain: Plain) -> tuple[str, ...]:
    return tuple(map(str, plain)) if isinstance(plain, list) else ()
