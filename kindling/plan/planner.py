"""Plan an opened project: bind, fingerprint, select, decide, wire. It starts no engine."""

from __future__ import annotations

import sys

from kindling.errors import KindlingError, raise_together
from kindling.plan.binding import Binding, bind
from kindling.plan.decide import Decider, Request
from kindling.plan.facts import Facts
from kindling.plan.fingerprint import Fingerprinter
from kindling.plan.parts import short_digest
from kindling.plan.plan import DEFERRED, RUN, Plan
from kindling.plan.rights import Rights, Ungoverned
from kindling.plan.selection import select
from kindling.plan.vaults import Vaults
from kindling.plan.wiring import wire
from kindling.sql import check_sql
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.pipe import Pipe
    from kindling.plan.governance import Governance
    from kindling.plan.project import Project
    from kindling.records import TaskRecord


class Wish(Value):
    """What a command asks the planner for.

    Attributes:
        select: Selection expressions; () for everything.
        exclude: Selection expressions to leave out.
        full_refresh: Start over.
        start: `--from`, or "".
        end: `--to`, or "".
        max_slices: Most slices per entity; 0 for no limit.
        principal: Workload principal.
        done: Keys that the resumed run had finished.
        made: Keys of tasks that ended in this very run: they are not decided again.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    start: str = ""
    end: str = ""
    max_slices: int = 0
    principal: str = ""
    done: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()


class Planner:
    """Plans one project; keep it to plan again, since code digests are remembered.

    Args:
        project: The opened project.
        records: Returns the newest success of each task.
        secret_version: Returns the version token of a secret; by default the project's vaults are asked.

    Attributes:
        binding: The checked declarations.
        facts: What the world looked like for the newest plan.
        governance: Classes and mask rules, as of the newest plan.
    """

    def __init__(
        self,
        project: Project,
        records: Callable[[], Mapping[tuple[str, str], TaskRecord]],
        secret_version: Callable[[str], str] | None = None,
    ) -> None:
        self._project = project
        self._rights = Rights(project.settings)
        self._rights.check(project.catalog)
        self._records = records
        self._vaults = Vaults(project)
        self._secret_version = secret_version or self._vaults.version
        self._checked: set[str] = set()
        self._own: dict[str, dict[str, str]] = {}
        self._codes: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.binding: Binding = bind(project.app, project.settings, project.catalog)
        self.facts = Facts(project.loader, self._vaults.resolve)
        self.governance: Governance | Ungoverned = Ungoverned(project.app.name)
        self._fingerprinter = Fingerprinter(project.code_roots())  # one for all pipes: they share helpers

    def plan(self, wish: Wish) -> Plan:
        """Look at the world and decide."""
        self.facts = Facts(self._project.loader, self._vaults.resolve)
        records = self._records()
        self.governance = self._governance(records, wish.principal or self._project.app.name)
        pipes = {name: bound.pipe for name, bound in self.binding.entities.items() if bound.pipe is not None}
        parts = {name: self._parts(name, pipe, records) for name, pipe in pipes.items()}
        memory = {name: short_digest(repr(sorted(parts[name].items()))) for name in self._memory_names()}
        for name in parts.keys() - memory.keys():
            parts[name]["rights"] = self.governance.part(name)
            parts[name].update({f"memory:{item}": memory[item] for item in self._memory_behind(name)})
        self._own = parts
        request = Request(
            self._project.app.name,
            self._project.environment,
            self._selected(wish, parts, records),
            refresh=wish.full_refresh,
            start=wish.start,
            end=wish.end,
            max_slices=wish.max_slices,
            done=wish.done,
            made=wish.made,
        )
        plan = Decider(self.binding, self.facts, records, parts, request).plan()
        self._check_sql(plan, parts, records)
        self._check_masks(plan)
        shares = {
            name: "share" in self._project.catalog.find(f"platform:{name}").features
            for name in {bound.platform for bound in self.binding.entities.values() if bound.pipe}
        }
        wired = wire(plan, self.binding, shares)
        running = {task.key.entity for task in plan.tasks if task.action in (RUN, DEFERRED)}
        opaque = tuple(
            (name, what) for name in sorted(running) for what in self._codes.get(name, ("", ()))[1]
        )
        return wired.replace(opaque=opaque, warnings=(*wired.warnings, *self.governance.warnings()))

    def own_parts(self, name: str) -> dict[str, str]:
        """Return the fingerprint parts of a pipe without its inputs, as of the newest plan."""
        return dict(self._own[name])

    def secret_version(self, reference: str) -> str:
        """Return the version token of a secret; "" where its vault cannot tell: the task will say why."""
        try:
            return self._secret_version(reference)
        except KindlingError:
            return ""

    def _governance(
        self, records: Mapping[tuple[str, str], TaskRecord], principal: str
    ) -> Governance | Ungoverned:
        if not any(bound.entity.classes for bound in self.binding.entities.values()):
            return Ungoverned(principal)
        from kindling.plan.governance import Governance

        return Governance(self.binding, self._rights, records, principal)

    def _memory_names(self) -> list[str]:
        entities = self.binding.entities
        return [name for name, bound in entities.items() if bound.pipe is not None and bound.address is None]

    def _memory_behind(self, name: str) -> set[str]:
        """Return the memory entities whose code makes a pipe's inputs, however deep."""
        found: set[str] = set()
        todo = [name]
        while todo:
            for item in self.binding.entities[todo.pop()].inputs:
                bound = self.binding.entities[item]
                if bound.pipe is not None and bound.address is None and item not in found:
                    found.add(item)
                    todo.append(item)
        return found

    def _selected(
        self,
        wish: Wish,
        parts: Mapping[str, Mapping[str, str]],
        records: Mapping[tuple[str, str], TaskRecord],
    ) -> frozenset[str]:
        if not wish.select and not wish.exclude:
            return frozenset(parts)
        newest = {entity: dict(record.parts) for (entity, _), record in records.items()}
        modified = {
            name
            for name, now in parts.items()
            if self.binding.entities[name].address is not None  # of memory entities nothing is recorded
            and any(newest.get(name, {}).get(part) != text for part, text in now.items())
        }
        return select(
            wish.select or ("*",),
            wish.exclude,
            graph=self.binding.graph,
            tags=self.binding.tags,
            modified=frozenset(modified),
        )

    def _parts(
        self,
        name: str,
        pipe: Pipe[...],
        records: Mapping[tuple[str, str], TaskRecord],
    ) -> dict[str, str]:
        parts = {
            "options": short_digest(_options(pipe)),
            "order": short_digest(repr(self.binding.entities[name].inputs)),
        }
        if pipe.function is None:
            parts["sql"] = short_digest(pipe.sql)
        else:
            parts["code"] = self._code(name, pipe)[0]
            parts["python"] = f"{sys.version_info[0]}.{sys.version_info[1]}"
        record = records.get((name, "*"))
        for part, _ in record.parts if record else ():
            kind, _, detail = part.partition(":")
            if kind == "settings":
                parts[part] = self._project.settings.digest([detail])
            elif kind == "secret":
                parts[part] = self.secret_version(detail)
        return parts

    def _code(self, name: str, pipe: Pipe[...]) -> tuple[str, tuple[str, ...]]:
        if name not in self._codes:
            digest = self._fingerprinter.code(pipe.function)
            self._codes[name] = (digest.digest, digest.opaque)
        return self._codes[name]

    def _check_masks(self, plan: Plan) -> None:
        """Refuse what would run with a keyed mask where the key could not be hidden."""
        if self._rights.rules:
            running = sorted({task.key.entity for task in plan.tasks if task.action in (RUN, DEFERRED)})
            catalog = self._project.catalog
            raise_together([fault for name in running for fault in self.governance.faults(name, catalog)])

    def _check_sql(
        self,
        plan: Plan,
        parts: Mapping[str, Mapping[str, str]],
        records: Mapping[tuple[str, str], TaskRecord],
    ) -> None:
        """Check the SQL texts of what would run, of memory entities behind it too (sqlglot takes 0.1 s).

        A text that ran as it is was checked then, and so was one that this planner has seen.
        """
        faults: list[KindlingError] = []
        running = {task.key.entity for task in plan.tasks if task.action in (RUN, DEFERRED)}
        behind = {item for name in running for item in self._memory_behind(name)}
        for name in sorted({*running, *behind} - self._checked):
            pipe = self.binding.entities[name].pipe
            if pipe is None or pipe.function is not None:
                continue
            record = records.get((name, "*"))
            same = dict(record.parts) if record is not None else {}
            if same.get("sql") != parts[name]["sql"] or same.get("options") != parts[name]["options"]:
                faults += check_sql(pipe.sql, pipe=name, declared=pipe.placeholders, where=str(pipe.place))
        raise_together(faults)
        self._checked |= {*running, *behind}


def _options(pipe: Pipe[...]) -> str:
    """Return the declaration's options as text: what is not code and changes the result."""
    return repr(
        (
            pipe.write,
            pipe.incremental,
            list(pipe.rules.items()),
            pipe.schema,
            sorted(pipe.classes.items()),
            pipe.drift,
            pipe.partition_by,
            pipe.version,
            pipe.storage,
            pipe.placeholders,
            pipe.takes_context,
        )
    )
