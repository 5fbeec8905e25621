"""Which classes tables carry and which mask rules act on which pipe. Pure: no plugin, no engine.

Imported only where a column is classified: see `plan.rights.Ungoverned`.

The classes of a table are its own (`classify=`) and those that its last run inherited by lineage, which
its record remembers. Where a table exists of which nothing is recorded, each of its columns counts as
having all classes of what it is made from.
"""

from __future__ import annotations

from kindling.errors import PlanError
from kindling.lineage import EVERY_COLUMN, joined
from kindling.plan.rights import CLASSES, PIPES, WORKLOAD, classes_of_text, rights_part
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kindling.lineage import Classes
    from kindling.plan.binding import Binding, Bound
    from kindling.plan.rights import MaskRule, Rights
    from kindling.plugins.catalog import Catalog
    from kindling.records import TaskRecord


class Acting(Value):
    """A rule that acts on what a pipe reads.

    Attributes:
        reader: The pipe, or a memory entity that is computed for it.
        rule: The rule.
    """

    reader: str
    rule: MaskRule


class Governance:
    """Classes and rules of one plan.

    Args:
        binding: The checked declarations.
        rights: The mask rules.
        records: Newest success of each task, by (entity, slice text).
        principal: Workload principal that the data is read as.
    """

    __slots__ = ("_declared", "_entities", "_known", "_made", "_principal", "_principals", "_rights")

    def __init__(
        self,
        binding: Binding,
        rights: Rights,
        records: Mapping[tuple[str, str], TaskRecord],
        principal: str,
    ) -> None:
        self._entities = binding.entities
        self._rights = rights
        self._principal = principal
        self._declared = {
            name: {column: (one,) for column, one in bound.entity.classes.items()}
            for name, bound in self._entities.items()
            if bound.entity.classes
        }
        self._known: dict[str, Classes] = {}
        self._made: set[str] = set()
        self._principals = rights.principals(f"{WORKLOAD}:{principal}")
        self._remember(binding.graph.order(), records)

    def _remember(self, order: Iterable[str], records: Mapping[tuple[str, str], TaskRecord]) -> None:
        found: dict[str, Classes] = {}
        for (name, _), record in records.items():
            text = record.parts[0][1] if record.parts and record.parts[0][0] == CLASSES else ""
            found[name] = joined(found.get(name, {}), classes_of_text(text))
        for name in order:  # inputs first
            bound = self._entities[name]
            if bound.address is None:
                continue
            inherited = found.get(name)
            if inherited is None:
                every = tuple(sorted(_all(self.behind(name).values())))
                inherited = {EVERY_COLUMN: every} if every else {}
            self._known[name] = joined(self._declared.get(name, {}), inherited)

    def of(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the classes of a table's columns."""
        return dict(self._known.get(name, {}))

    def note(self, name: str, classes: Classes, *, is_whole: bool) -> None:
        """Take the classes of what a task made.

        Args:
            name: The table.
            classes: As its outcome tells them.
            is_whole: Whether no older row is left; else the table keeps its older classes as well. What
                several tasks of one run make is joined in any case.
        """
        before = {} if is_whole and name not in self._made else self._known.get(name, {})
        self._known[name] = joined(before, classes)
        self._made.add(name)

    def behind(self, name: str) -> dict[str, Classes]:
        """Return the classes of what a pipe reads, by entity; memory entities and what they read too."""
        found: dict[str, Classes] = {}
        todo = [name]
        while todo:
            for item in self._entities[todo.pop()].inputs:
                if item in found:
                    continue
                if _is_computed(self._entities[item]):
                    found[item] = self._declared.get(item, {})
                    todo.append(item)
                else:
                    found[item] = self._known.get(item, {})
        return found

    def acting(self, name: str) -> tuple[Acting, ...]:
        """Return the rules that act on what a pipe reads, by itself or through memory entities."""
        if not self._rights.rules:
            return ()
        readers = [name, *(item for item in self.behind(name) if _is_computed(self._entities[item]))]
        return tuple(
            Acting(reader, rule)
            for reader in sorted(readers)
            for rule in self._rights.acting(PIPES, reader, self._principals)
            if rule.is_about(self._read_by(reader))
        )

    def _read_by(self, reader: str) -> set[str]:
        """Return the classes of all that a pipe reads; what a memory entity reads may be in its columns."""
        return _all(self.behind(reader).values())

    def part(self, name: str) -> str:
        """Return the fingerprint part `rights` of a pipe."""
        return rights_part(self._principal, map(repr, self.acting(name)), self.behind(name))

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence for each rule whose class looks like a slip."""
        return self._rights.mistyped(_all(self._declared.values()))

    def faults(self, name: str, catalog: Catalog) -> list[PlanError]:
        """Return a fault for each keyed rule that acts on a pipe whose platform cannot hide keys."""
        found: list[PlanError] = []
        platform = self._entities[name].platform
        for one in self.acting(name):
            if "keyed" not in catalog.find(f"masking:{one.rule.mask}").features:
                continue
            reader = self._entities[one.reader].pipe
            is_python = reader is not None and reader.function is not None
            needed = ("keys", "share") if is_python else ("keys",)
            lacking = [
                feature for feature in needed if feature not in catalog.find(f"platform:{platform}").features
            ]
            if lacking:
                found.append(_keyless(one, platform, lacking, str(self._entities[name].entity.place)))
        return found


def _is_computed(bound: Bound) -> bool:
    """Tell whether an entity is a memory entity: it is made for those that read it."""
    return bound.address is None and bound.pipe is not None


def _all(several: Iterable[Classes]) -> set[str]:
    return {one for classes in several for some in classes.values() for one in some}


def _keyless(one: Acting, platform: str, lacking: list[str], where: str) -> PlanError:
    return PlanError(
        "KDL-GOV-003",
        f"the rule {one.rule.name!r} cannot act on {one.reader!r} on the platform {platform!r}",
        why=f"the mask {one.rule.mask!r} has a key, and the platform's sessions lack {' and '.join(lacking)}",
        where=where,
        hint="use a mask without a key, or another platform",
    )
