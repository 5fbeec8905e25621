"""Decide what runs and why. Pure: declarations, facts and records in, a Plan out; no engine."""

from __future__ import annotations

from kindling.addresses import EVERYTHING, TaskKey
from kindling.errors import Faults, KindlingError, PlanError, raise_together
from kindling.plan.intervals import SliceReasons, wanted_slices
from kindling.plan.ownership import Ownership, Standing
from kindling.plan.parts import Seen, digest
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, UNCHANGED, Plan, PlannedTask, Reason
from kindling.plan.reasons import Differences, moving_inputs
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.addresses import Slice
    from kindling.plan.binding import Binding, Bound
    from kindling.plan.facts import Facts
    from kindling.records import TaskRecord


class Request(Value):
    """What was asked for.

    Attributes:
        app: App name.
        environment: Environment name.
        selected: Names of the entities that may run.
        refresh: Run all selected ones from the beginning.
        start: First instant of slices to run again, or "".
        end: End of slices to run again, or "".
        max_slices: Most slices per entity; 0 for no limit.
        done: Keys of tasks that the resumed run had finished already: they are not refreshed again.
        made: Keys of tasks that ended in this very run: they are not decided again.
    """

    app: str
    environment: str
    selected: frozenset[str]
    refresh: bool = False
    start: str = ""
    end: str = ""
    max_slices: int = 0
    done: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()


class Decider:
    """Makes one Plan.

    Args:
        binding: The checked declarations.
        facts: What the world looks like.
        records: Newest success of each task, by (entity, slice text).
        parts: Fingerprint parts of each pipe without its inputs: `code` or `sql`, `options`, `order`,
            `memory:<name>`, `settings:<name>`, `secret:<reference>`, `python`, `rights`.
        request: What was asked for.
    """

    def __init__(
        self,
        binding: Binding,
        facts: Facts,
        records: Mapping[tuple[str, str], TaskRecord],
        parts: Mapping[str, Mapping[str, str]],
        request: Request,
    ) -> None:
        self._binding = binding
        self._facts = facts
        self._parts = parts
        self._request = request
        self._recorded: dict[str, dict[str, TaskRecord]] = {}
        for (entity, piece), record in records.items():
            self._recorded.setdefault(entity, {})[piece] = record
        self._seen: dict[str, Seen] = {}
        self._tasks: dict[str, list[PlannedTask]] = {}
        self._recovered: list[TaskRecord] = []
        self._faults: list[KindlingError] = []
        self._warnings: list[str] = []
        self._differences = Differences(binding, self._seen)
        self._ownership = Ownership(binding, facts, (request.app, request.environment))

    def plan(self) -> Plan:
        """Return the plan; raises everything that is refused together."""
        order = self._binding.graph.order()
        for name in order:
            bound = self._binding.entities[name]
            try:
                self._decide(bound)
            except KindlingError as error:
                self._refuse(bound, error)
        self._check_missing()
        raise_together(self._faults)
        return Plan(
            self._request.app,
            self._request.environment,
            tuple(task for name in order for task in self._tasks.get(name, ())),
            recovered=tuple(self._recovered),
            warnings=tuple(self._warnings),
        )

    def _refuse(self, bound: Bound, error: KindlingError) -> None:
        """Note what is wrong with one entity and go on: all faults are told together."""
        for fault in error.faults if isinstance(error, Faults) else (error,):
            fault.where = fault.where or str(bound.entity.place)
            self._faults.append(fault)
        self._seen[bound.name] = Seen("", is_unknown=True)

    def _decide(self, bound: Bound) -> None:
        if bound.pipe is None:
            self._seen[bound.name] = self._now(bound, self._facts.version(bound))
        elif bound.address is None:
            self._seen[bound.name] = self._memory(bound)
        else:
            self._table(bound)

    # --- what readers see ------------------------------------------------------------------------

    def _now(self, bound: Bound, version: str | None, *, will_change: bool = False) -> Seen:
        return Seen(version or "", will_change, is_unknown=not self._facts.is_known(bound))

    def _memory(self, bound: Bound) -> Seen:
        inputs = [self._seen[name] for name in bound.inputs]
        return Seen(
            digest(self._all_parts(bound)),
            will_change=any(item.will_change for item in inputs),
            is_unknown=any(item.is_unknown for item in inputs),
        )

    def _all_parts(self, bound: Bound) -> dict[str, str]:
        """Return the fingerprint parts, the inputs' present versions included."""
        parts = dict(self._parts[bound.name])
        for name in bound.inputs:
            parts[f"input:{name}"] = self._seen[name].token
        return parts

    # --- decisions -------------------------------------------------------------------------------

    def _table(self, bound: Bound) -> None:
        name = bound.name
        version = self._facts.version(bound)
        recorded = self._recorded.get(name, {})
        fault = self._ownership.fault(bound, version, recorded)
        if fault is not None:
            self._faults.append(fault)
        incremental = bound.pipe.incremental if bound.pipe else None
        if name not in self._request.selected:
            self._put(bound, SKIPPED, (Reason("unselected", "it was not selected"),))
            self._seen[name] = self._now(bound, version)
        elif incremental is not None and incremental.kind == "time":
            self._by_time(bound, version)
        elif name in self._request.made:
            self._put(bound, UNCHANGED, (Reason("unchanged", "this run has made it"),))
            self._seen[name] = self._now(bound, version)
        else:
            self._whole(bound, recorded.get("*"), version)

    def _whole(self, bound: Bound, record: TaskRecord | None, version: str | None) -> None:
        parts = self._all_parts(bound)
        standing = self._ownership.standing(bound, record, version, parts)
        reasons = self._reasons(bound, standing, version, parts)
        if standing.recovered and standing.record is not None:
            self._recovered.append(standing.record)
        self._put(
            bound,
            RUN if reasons else UNCHANGED,
            tuple(reasons) or (_unchanged(standing),),
            parts=parts,
            cursors=standing.cursors,
            seconds=record.seconds if record else 0.0,
        )
        self._seen[bound.name] = self._now(bound, version, will_change=bool(reasons))

    def _reasons(
        self, bound: Bound, standing: Standing, version: str | None, parts: Mapping[str, str]
    ) -> list[Reason]:
        reasons: list[Reason] = []
        if self._request.refresh and bound.name not in self._request.done:
            reasons.append(Reason("refresh", "--full-refresh was asked for"))
        if standing.lost is not None:
            reasons.append(standing.lost)
        elif standing.record is None:
            where = self._request.environment
            text = "it was never made in" if version is None else "nothing is recorded about it in"
            reasons.append(Reason("new", f"{text} {where!r}"))
        else:
            reasons += self._apart(bound, standing.record, version)
        if standing.record is not None:
            reasons += self._differences.reasons(bound, dict(standing.record.parts), parts)
        return reasons + moving_inputs(bound, self._seen)

    def _apart(self, bound: Bound, record: TaskRecord, version: str | None) -> list[Reason]:
        """Return how the table differs from what is recorded."""
        if version is None and self._facts.is_known(bound):
            text = f"its table is gone; version {record.version} was made by run {record.run_id}"
            return [Reason("vanished", text)]
        if version is not None and version != record.version:
            text = f"its table was changed outside of Kindling: version {version}, not {record.version}"
            return [Reason("outside", text)]
        return []

    # --- slices ----------------------------------------------------------------------------------

    def _by_time(self, bound: Bound, version: str | None) -> None:
        source = self._binding.entities[bound.inputs[0]]
        moving = any(self._seen[name].will_change for name in bound.inputs)
        if moving and not (self._request.start and self._request.end):
            reason = Reason("upstream", f"its slices are known once {_movers(bound, self._seen)} ran")
            self._put(bound, DEFERRED, (reason,))
            self._seen[bound.name] = self._now(bound, version, will_change=True)
            return
        every = bound.pipe.incremental if bound.pipe else None
        wanted = wanted_slices(every, source, self._facts, self._request) if every else ()
        self._put_slices(bound, version, wanted)

    def _put_slices(self, bound: Bound, version: str | None, wanted: tuple[Slice, ...]) -> None:
        parts = self._all_parts(bound)
        recorded = self._recorded.get(bound.name, {})
        why = SliceReasons(bound, recorded, self._request)
        finished: list[Slice] = []
        before, running, limit = "", 0, self._request.max_slices
        is_gone = version is None and self._facts.is_known(bound)
        for piece in wanted:
            reasons = why.of(piece, parts, is_gone=is_gone)
            action = RUN if reasons else UNCHANGED
            if action == RUN and limit and running >= limit:
                action, reasons = SKIPPED, [Reason("waits", f"--max-slices {limit} was reached")]
            key = TaskKey(bound.name, piece)
            record = recorded.get(str(piece))
            self._put(
                bound,
                action,
                tuple(reasons) or (Reason("unchanged", "the slice is finished"),),
                parts=parts,
                key=key,
                after=before,
                seconds=record.seconds if record else 0.0,
            )
            if action == RUN:
                before, running = str(key), running + 1
            elif action == UNCHANGED:
                finished.append(piece)
        if not wanted:
            self._nothing_to_slice(bound, parts)
        self._warn_outdated(bound, why.outdated(tuple(finished), parts))
        self._seen[bound.name] = self._now(bound, version, will_change=running > 0)

    def _nothing_to_slice(self, bound: Bound, parts: Mapping[str, str]) -> None:
        source = self._binding.entities[bound.inputs[0]]
        if self._is_missing(source.name):
            self._faults.append(_missing(source, bound.name))
        self._put(bound, UNCHANGED, (Reason("unchanged", "there is no data to slice"),), parts=parts)

    def _warn_outdated(self, bound: Bound, count: int) -> None:
        if count:
            self._warnings.append(
                f"{count} finished slices of {bound.name!r} were made by another version of its code, "
                "options or masks; --full-refresh, or --from and --to, make them again"
            )

    # --- tasks -----------------------------------------------------------------------------------

    def _put(
        self,
        bound: Bound,
        action: str,
        reasons: tuple[Reason, ...],
        *,
        parts: Mapping[str, str] | None = None,
        key: TaskKey | None = None,
        after: str = "",
        cursors: tuple[tuple[str, str], ...] = (),
        seconds: float = 0.0,
    ) -> None:
        task = PlannedTask(
            key or TaskKey(bound.name, EVERYTHING),
            action,
            reasons,
            needs=(after,) if after else (),
            platform=bound.platform,
            storage=bound.storage,
            mode=bound.mode,
            intent=bound.pipe.write if bound.pipe else None,
            address=bound.address,
            parts=tuple(sorted((parts or {}).items())),
            cursor_mode=bound.cursor_mode,
            cursors=cursors,
            seconds=seconds,
        )
        self._tasks.setdefault(bound.name, []).append(task)

    def _check_missing(self) -> None:
        """Refuse to run a task whose unselected or outside input does not exist."""
        for name, tasks in self._tasks.items():
            if not any(task.action in (RUN, DEFERRED) for task in tasks):
                continue
            for table in self._tables_behind(name):
                if self._is_missing(table):
                    self._faults.append(_missing(self._binding.entities[table], name))

    def _is_missing(self, table: str) -> bool:
        seen = self._seen[table]
        return not (seen.token or seen.will_change or seen.is_unknown)

    def _tables_behind(self, name: str) -> dict[str, None]:
        """Return the tables that a pipe reads, also those behind its memory entities, each once."""
        found: dict[str, None] = {}
        for item in self._binding.entities[name].inputs:
            is_memory = self._binding.entities[item].address is None
            found.update(self._tables_behind(item) if is_memory else {item: None})
        return found


def _unchanged(standing: Standing) -> Reason:
    record = standing.record
    if record is None:
        return Reason("unchanged", "nothing changed")
    if standing.recovered:
        return Reason(
            "recovered",
            f"run {record.run_id!r} committed version {record.version} and could not record it; "
            "nothing changed since",
        )
    return Reason("unchanged", f"nothing changed since {record.finished or f'run {record.run_id!r}'}")


def _movers(bound: Bound, seen: Mapping[str, Seen]) -> str:
    return " and ".join(repr(name) for name in dict.fromkeys(bound.inputs) if seen[name].will_change)


def _missing(source: Bound, reader: str) -> PlanError:
    place = source.address.uri or ".".join(source.address.parts) if source.address else ""
    if source.pipe is None:
        return PlanError(
            "KDL-PLAN-020",
            f"{source.name!r}, which {reader!r} reads, does not exist",
            why=f"nothing is found at {place}",
            where=str(source.entity.place),
        )
    return PlanError(
        "KDL-PLAN-021",
        f"{source.name!r}, which {reader!r} reads, was never made and is not selected",
        where=str(source.entity.place),
        hint=f"select it too: --select '+{reader}'",
    )
