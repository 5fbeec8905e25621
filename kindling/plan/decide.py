"""Decide what runs and why. Pure: declarations, facts and records in, a Plan out; no engine."""

from __future__ import annotations

from hashlib import blake2b

from kindling.addresses import EVERYTHING, Slice, TaskKey
from kindling.errors import KindlingError, PlanError, PolicyError, raise_together
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, UNCHANGED, Plan, PlannedTask, Reason
from kindling.plan.slices import cut, parse_instant
from kindling.records import TaskRecord
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plan.binding import Binding, Bound
    from kindling.plan.facts import Facts

NOTHING_MASKED = "workload"
"""Digest of effective rights and masks until access and masking plugins exist: the seam is here."""
WORDS = {
    "code": "the pipe's code, or code that it calls, changed",
    "sql": "the SQL text changed",
    "options": "the declaration's options changed",
    "python": "another Python minor version compiles other bytecode",
    "rights": "the effective rights or masks changed",
}


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
    """

    app: str
    environment: str
    selected: frozenset[str]
    refresh: bool = False
    start: str = ""
    end: str = ""
    max_slices: int = 0
    done: frozenset[str] = frozenset()


class _Input(Value):
    """What a reader sees of an entity: its token, whether it will change, whether it can be told."""

    token: str
    will_change: bool = False
    is_unknown: bool = False


def digest(parts: Mapping[str, str]) -> str:
    """Return the fingerprint of named parts, 32 hex digits."""
    text = "\n".join(f"{name}={value}" for name, value in sorted(parts.items()))
    return blake2b(text.encode(), digest_size=16).hexdigest()


class Decider:
    """Makes one Plan.

    Args:
        binding: The checked declarations.
        facts: What the world looks like.
        records: Newest success of each task, by (entity, slice text).
        parts: Fingerprint parts of each pipe without its inputs: `code` or `sql`, `options`,
            `settings:<name>`, `python`, `rights`.
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
        self._records = records
        self._parts = parts
        self._request = request
        self._inputs: dict[str, _Input] = {}
        self._tasks: dict[str, list[PlannedTask]] = {}
        self._recovered: list[TaskRecord] = []
        self._faults: list[KindlingError] = []
        self._warnings: list[str] = []
        self._slices: dict[str, list[str]] = {}
        for entity, piece in records:
            self._slices.setdefault(entity, []).append(piece)

    def plan(self) -> Plan:
        """Return the plan; raises everything that is refused together."""
        for name in self._binding.graph.order():
            bound = self._binding.entities[name]
            if bound.pipe is None:
                self._inputs[name] = self._source(bound)
            elif bound.address is None:
                self._inputs[name] = self._memory(bound)
            else:
                self._table(bound)
        self._check_missing()
        raise_together(self._faults)
        tasks = tuple(task for name in self._binding.graph.order() for task in self._tasks.get(name, ()))
        return Plan(
            self._request.app,
            self._request.environment,
            tasks,
            recovered=tuple(self._recovered),
            warnings=tuple(self._warnings),
        )

    # --- what readers see ------------------------------------------------------------------------

    def _source(self, bound: Bound) -> _Input:
        if not self._facts.is_known(bound):
            return _Input("", is_unknown=True)
        return _Input(self._facts.version(bound) or "")

    def _memory(self, bound: Bound) -> _Input:
        inputs = [self._inputs[name] for name in bound.inputs]
        return _Input(
            digest(self._all_parts(bound)),
            will_change=any(item.will_change for item in inputs),
            is_unknown=any(item.is_unknown for item in inputs),
        )

    def _all_parts(self, bound: Bound) -> dict[str, str]:
        """Return the fingerprint parts, the inputs' present versions included."""
        parts = dict(self._parts[bound.name])
        for name in bound.inputs:
            parts[f"input:{name}"] = self._inputs[name].token
        return parts

    # --- decisions -------------------------------------------------------------------------------

    def _table(self, bound: Bound) -> None:
        name = bound.name
        version = self._facts.version(bound)
        self._check_owner(bound, version)
        if name not in self._request.selected:
            self._put(bound, SKIPPED, (Reason("unselected", "it was not selected"),))
            self._inputs[name] = _Input(version or "")
            return
        incremental = bound.pipe.incremental if bound.pipe else None
        if incremental is not None and incremental.kind == "time":
            self._by_time(bound, version)
            return
        record = self._records.get((name, "*"))
        parts = self._all_parts(bound)
        record = self._recover(bound, record, version, parts)
        reasons = self._reasons(bound, record, version, parts)
        action = RUN if reasons else UNCHANGED
        made = record.finished if record else ""
        self._put(
            bound,
            action,
            tuple(reasons) or (Reason("unchanged", f"nothing changed since {made}"),),
            parts=parts,
            seconds=record.seconds if record else 0.0,
        )
        self._inputs[name] = _Input(version or "", will_change=action == RUN)

    def _reasons(
        self, bound: Bound, record: TaskRecord | None, version: str | None, parts: Mapping[str, str]
    ) -> list[Reason]:
        reasons: list[Reason] = []
        if self._request.refresh and bound.name not in self._request.done:
            reasons.append(Reason("refresh", "--full-refresh was asked for"))
        if record is None:
            where = self._request.environment
            reasons.append(
                Reason(
                    "new",
                    f"it was never made in {where!r}"
                    if version is None
                    else f"nothing is recorded about it in {where!r}",
                )
            )
        elif version is None and self._facts.is_known(bound):
            reasons.append(
                Reason(
                    "vanished", f"its table is gone; version {record.version} was made by run {record.run_id}"
                )
            )
        elif version is not None and version != record.version:
            reasons.append(
                Reason(
                    "outside",
                    f"its table was changed outside of Kindling: version {version}, not {record.version}",
                )
            )
        if record is not None:
            reasons += self._differences(bound, dict(record.parts), parts)
        reasons += self._moving_inputs(bound)
        return reasons

    def _differences(self, bound: Bound, old: Mapping[str, str], new: Mapping[str, str]) -> list[Reason]:
        reasons = []
        is_incremental = bound.pipe is not None and bound.pipe.incremental is not None
        for name in sorted({*old, *new}):
            if old.get(name) == new.get(name):
                continue
            kind, _, detail = name.partition(":")
            if kind == "input":
                reasons.append(self._input_difference(bound, detail, old.get(name), new.get(name)))
            elif kind == "settings":
                reasons.append(Reason("settings", f"the setting {detail!r}, which the pipe reads, changed"))
            else:
                tail = "; new rows only, --full-refresh for all" if is_incremental else ""
                reasons.append(Reason(kind, WORDS.get(kind, f"{kind} changed") + tail))
        return reasons

    def _input_difference(self, bound: Bound, name: str, old: str | None, new: str | None) -> Reason:
        if old is None:
            return Reason("input", f"{name!r} is a new input")
        if new is None:
            return Reason("input", f"{name!r} is no input any more")
        source = self._binding.entities[name]
        if source.address is None:
            return Reason("input", f"the memory entity {name!r} changed: its code or its inputs")
        word = "new data in" if bound.pipe and bound.pipe.incremental else "new version of"
        return Reason("input", f"{word} {name!r}: {new}, was {old}")

    def _moving_inputs(self, bound: Bound) -> list[Reason]:
        reasons = [
            Reason("upstream", f"{name!r} will change")
            for name in bound.inputs
            if self._inputs[name].will_change
        ]
        reasons += [
            Reason("unknown", f"nothing can be known about {name!r} without reading it")
            for name in bound.inputs
            if self._inputs[name].is_unknown
        ]
        return reasons

    def _recover(
        self, bound: Bound, record: TaskRecord | None, version: str | None, parts: Mapping[str, str]
    ) -> TaskRecord | None:
        """Return the record of a commit that a killed run made and could not record, if it is newest."""
        if version is None or (record is not None and record.version == version):
            return record
        found = self._facts.commit(bound)
        if found is None or found[0] != version or self._request.refresh:
            return record
        info = found[1]
        if info.get("fingerprint") != digest(parts) or info.get("slice") != "*":
            return record
        cursors: dict[str, str] = info.get("cursors") or {}  # type: ignore[assignment]  # CommitInfo's JSON
        made = TaskRecord(
            bound.name,
            "*",
            digest(parts),
            tuple(sorted(parts.items())),
            version,
            tuple(sorted(cursors.items())),
            run_id=str(info.get("run_id", "")),
            finished="a run that was killed",
        )
        self._recovered.append(made)
        return made

    def _check_owner(self, bound: Bound, version: str | None) -> None:
        """Refuse a table that another app, environment or somebody else made."""
        if version is None or any(
            key[0] == bound.name for key in ((bound.name, "*"),) if key in self._records
        ):
            return
        if bound.name in self._slices:
            return
        found = self._facts.commit(bound)
        mine = (self._request.app, self._request.environment)
        if found is None:
            if bound.override("adopt") is not True:
                self._faults.append(_unowned(bound))
            return
        theirs = (str(found[1].get("app")), str(found[1].get("environment")))
        if theirs != mine:
            self._faults.append(_owned(bound, theirs, mine))

    # --- slices ----------------------------------------------------------------------------------

    def _by_time(self, bound: Bound, version: str | None) -> None:
        source = self._binding.entities[bound.inputs[0]]
        moving = any(self._inputs[name].will_change for name in bound.inputs)
        if moving and not (self._request.start and self._request.end):
            self._put(
                bound, DEFERRED, (Reason("upstream", f"its slices are known once {source.name!r} has run"),)
            )
            self._inputs[bound.name] = _Input(version or "", will_change=True)
            return
        try:
            wanted = self._wanted_slices(bound, source)
        except PlanError as error:
            error.where = error.where or str(bound.entity.place)
            self._faults.append(error)
            wanted = ()
        self._put_slices(bound, version, wanted)

    def _wanted_slices(self, bound: Bound, source: Bound) -> tuple[Slice, ...]:
        every = bound.pipe.incremental if bound.pipe else None
        request = self._request
        if every is None:
            return ()
        if request.start and request.end:
            first = parse_instant(request.start, what="--from")
            last = parse_instant(request.end, what="--to")
            return tuple(
                piece for piece in cut(first, last, every) if parse_instant(piece.start, what="") < last
            )
        found = self._facts.bounds(source, every.column)
        if found is None:
            return ()
        first = parse_instant(found[0], what="lower bound")
        if every.start:
            first = max(first, parse_instant(every.start, what="by_time(start=)"))
        return cut(first, parse_instant(found[1], what="upper bound"), every)

    def _put_slices(self, bound: Bound, version: str | None, wanted: tuple[Slice, ...]) -> None:
        parts = self._all_parts(bound)
        before, running = "", 0
        limit = self._request.max_slices
        for piece in wanted:
            reasons = self._slice_reasons(bound, str(piece), version, parts)
            action = RUN if reasons else UNCHANGED
            if action == RUN and limit and running >= limit:
                action, reasons = SKIPPED, [Reason("waits", f"--max-slices {limit} was reached")]
            running += action == RUN
            record = self._records.get((bound.name, str(piece)))
            self._put(
                bound,
                action,
                tuple(reasons) or (Reason("unchanged", "the slice is finished"),),
                parts=parts,
                key=TaskKey(bound.name, piece),
                after=before,
                seconds=record.seconds if record else 0.0,
            )
            if action == RUN:
                before = str(TaskKey(bound.name, piece))
        if not wanted:
            self._put(bound, UNCHANGED, (Reason("unchanged", "there is no data to slice"),), parts=parts)
        self._inputs[bound.name] = _Input(version or "", will_change=running > 0)

    def _slice_reasons(
        self, bound: Bound, piece: str, version: str | None, parts: Mapping[str, str]
    ) -> list[Reason]:
        record = self._records.get((bound.name, piece))
        done = str(TaskKey(bound.name, Slice.parse(piece))) in self._request.done
        if self._request.refresh and not done:
            return [Reason("refresh", "--full-refresh was asked for")]
        if self._request.start and not done:
            return [Reason("slice", "--from and --to ask for it")]
        if record is None:
            return [Reason("new", "the slice was never made")]
        if version is None:
            return [Reason("vanished", "the table is gone")]
        source = f"input:{bound.inputs[0]}"
        if dict(record.parts).get(source) != parts.get(source) and self._is_open(bound, piece):
            return [Reason("late", f"{bound.inputs[0]!r} has new data, and the slice may still get some")]
        return []

    def _is_open(self, bound: Bound, piece: str) -> bool:
        """Tell whether a recorded slice may still get data: the newest one, and those in the lookback."""
        from datetime import timedelta

        newest = max(self._slices.get(bound.name, ("",)))
        if piece == newest:
            return True
        every = bound.pipe.incremental if bound.pipe else None
        lookback = every.lookback_s if every else 0
        limit = parse_instant(newest.partition("/")[0], what="slice") - timedelta(seconds=lookback)
        return parse_instant(piece.partition("/")[2], what="slice") > limit

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
            seconds=seconds,
        )
        self._tasks.setdefault(bound.name, []).append(task)

    def _check_missing(self) -> None:
        """Refuse to run a task whose unselected or outside input does not exist."""
        for name, tasks in self._tasks.items():
            if not any(task.action in (RUN, DEFERRED) for task in tasks):
                continue
            for table in self._tables_behind(name):
                seen = self._inputs[table]
                source = self._binding.entities[table]
                if seen.token or seen.will_change or seen.is_unknown:
                    continue
                self._faults.append(_missing(source, name))

    def _tables_behind(self, name: str) -> list[str]:
        """Return the tables that a pipe reads, also those behind its memory entities."""
        found: list[str] = []
        for item in self._binding.entities[name].inputs:
            is_memory = self._binding.entities[item].address is None
            found += self._tables_behind(item) if is_memory else [item]
        return found


def _missing(source: Bound, reader: str) -> PlanError:
    place = source.address.uri if source.address else ""
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


def _owned(bound: Bound, theirs: tuple[str, str], mine: tuple[str, str]) -> PolicyError:
    return PolicyError(
        "KDL-POL-001",
        f"{bound.name!r} belongs to the app {theirs[0]!r} in {theirs[1]!r}",
        why=f"this run is app {mine[0]!r} in {mine[1]!r}",
        where=bound.address.uri if bound.address else "",
        hint="give this environment its own location or naming template",
    )


def _unowned(bound: Bound) -> PolicyError:
    return PolicyError(
        "KDL-POL-002",
        f"the table of {bound.name!r} exists, and Kindling did not make it",
        why="no commit of it carries an app's name",
        where=bound.address.uri if bound.address else "",
        hint=f'move it away, or set [entities."{bound.name}"] adopt = true to let this app own it',
    )
