"""Make the frame of one task: read, govern, transform, check the shape. It never writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from kindling.addresses import Address, Slice
from kindling.errors import EngineLostError, RunError
from kindling.frames import with_frames
from kindling.hooks.executor import InputSpec
from kindling.hooks.platform import SharedRef, Shares
from kindling.hooks.storage import Changes, ReadRequest, Reads, ReportsBadRows
from kindling.lineage import joined
from kindling.names import did_you_mean
from kindling.plan.rights import PIPES, WORKLOAD
from kindling.run.expectations import Checked, apply_rules, count_broken
from kindling.run.governing import Governed, governed, without_keys
from kindling.run.tracing import Tracer, about
from kindling.schemas import Field, Schema, quoted
from kindling.sql import bind, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.hooks import Frame, Plain
    from kindling.hooks.executor import TaskSpec
    from kindling.hooks.platform import Session
    from kindling.hooks.storage import BadRows, Storage, Store
    from kindling.lineage import Classes
    from kindling.pipe import Pipe
    from kindling.plan.rights import Rights
    from kindling.run.context import TaskContext
    from kindling.run.governing import Masks


T = TypeVar("T")


class NothingNew(Exception):  # noqa: N818  # a signal, not an error
    """The incremental input has no changes: the pipe need not be called."""


@dataclass(slots=True)
class Production:
    """What making a frame needs and what it found out.

    Attributes:
        spec: The task.
        session: Its session.
        pipes: Pipes of the app by name.
        names: Input names of each pipe.
        schemas: Declared schemas by entity name.
        storage: Opens a storage by capability name.
        context: The context for pipes that take one.
        rights: The mask rules and the plugins that apply them; None where there are none.
        cursors: Tokens to commit, by source entity.
        read: Rows that were read incrementally, where free to know.
        bad_rows: Unreadable rows by source entity.
        inputs: What is planned for each input, by its name.
        counts: Broken rows by expectation of memory entities that were computed here.
        warnings: Drift of such memory entities, and what could not be traced.
        masked: `(entity, column, mask)` of each column that was masked.
        taken: Frames of the inputs that the task read, as they are kept, by entity.
        inlined: The memory entities that were computed here.
        harmless: An error that pipe code or the analysis of a query raised, before rows were computed.
    """

    spec: TaskSpec
    session: Session
    pipes: Mapping[str, Pipe[...]]
    names: Mapping[str, tuple[str, ...]]
    schemas: Mapping[str, Schema | None]
    storage: Callable[[str], Storage]
    context: TaskContext
    rights: tuple[Rights, Masks] | None = None
    cursors: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    bad_rows: dict[str, BadRows] = field(default_factory=dict)
    inputs: dict[str, InputSpec] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    masked: dict[tuple[str, str, str], None] = field(default_factory=dict)
    taken: dict[str, Frame] = field(default_factory=dict)
    inlined: dict[str, None] = field(default_factory=dict)
    harmless: BaseException | None = None
    _made: dict[str, Frame] = field(default_factory=dict)
    _governed: dict[tuple[str, str], Governed] = field(default_factory=dict)
    _tracer: Tracer | None = None

    @property
    def tracer(self) -> Tracer:
        """Traces the pipes of this task."""
        if self._tracer is None:
            self._tracer = Tracer(self.session, self.warnings.append, wanted=self.spec.traces)
        return self._tracer

    def frame_of(self, name: str) -> Frame:
        """Return the frame that the pipe `name` makes; raises NothingNew, RunError, StoreError."""
        pipe = self.pipes[name]
        inputs = {item: self._input(item, name) for item in dict.fromkeys(self.names[name])}
        frames = [inputs[item].frame for item in self.names[name]]
        if pipe.function is None:
            tables = {holder: table_of(holder) for holder in pipe.placeholders}
            text = bind(pipe.sql, tables)
            given = dict(zip(tables.values(), frames, strict=True))
            made = self.analysed(lambda: self.session.sql(text, given))
            self.tracer.sql(
                name, made, inputs, text, dict(zip(tables.values(), self.names[name], strict=True))
            )
            return made
        arguments = (self.context, *frames) if pipe.takes_context else tuple(frames)
        function: Callable[..., object] = pipe.function
        before = self.context.frames_made if pipe.takes_context else 0
        made = self._called(name, pipe, lambda: function(*arguments))
        is_opaque = pipe.takes_context and self.context.frames_made > before
        self.tracer.python(name, made, inputs, is_opaque=is_opaque)
        return made

    def analysed(self, call: Callable[[], T]) -> T:
        """Call what makes a frame, which computes nothing by itself; remember what it raises."""
        try:
            return call()
        except Exception as error:
            self.harmless = error
            raise

    def _called(self, name: str, pipe: Pipe[...], call: Callable[[], object]) -> Frame:
        made = self.analysed(lambda: with_frames(self.session.frames, call))
        if not self.session.is_frame(made):
            raise RunError(
                "KDL-RUN-010",
                f"the pipe {name!r} returned {_shown(made)}, not a frame",
                where=str(pipe.place),
                hint="return the frame, for example 'return df.where(...)'",
            )
        return made

    def told(self, schema: Schema, version: str, classes: Classes) -> dict[str, Plain]:
        """Return what a `TaskTraced` tells of the task; {} where nobody wants to know."""
        if not self.spec.traces:
            return {}
        spec, pipe = self.spec, self.pipes[self.spec.entity]
        lineage = about(self.tracer.lineage(spec.entity, self.inlined), schema.names)
        inputs: list[Plain] = []
        for planned in spec.inputs:
            if planned.entity in self.taken and planned.entity not in self.inlined:
                read = self.session.schema(self.taken[planned.entity]).ddl()
                inputs.append(_told(planned.entity, planned.address, planned.version, read))
        return {
            "target": _told(spec.entity, spec.address, version, schema.ddl()),
            "inputs": inputs,
            "lineage": lineage.to_plain() if lineage else {},
            "masked": [list(one) for one in self.masked],
            "classes": {column: list(some) for column, some in classes.items()},
            "intent": pipe.write.name if spec.address else "",
        }

    def give(self, name: str, frame: Frame) -> None:
        """Use a frame as an input instead of reading it: for tests of single pipes."""
        self._made[name] = frame

    def missing(self, name: str) -> list[str]:
        """Return the inputs that are neither given, planned nor made by a known pipe."""
        found: list[str] = []
        for item in self.names[name]:
            if item in self._made or item in self.inputs:
                continue
            found += self.missing(item) if item in self.pipes else [item]
        return found

    def _input(self, name: str, reader: str) -> Governed:
        planned = self.inputs.get(name) or InputSpec(name, {}, how="inline")
        # Only the task's own pipe reads a part of an input; a memory entity before it reads everything.
        is_part = reader == self.spec.entity and (planned.how == "changes" or self._is_sliced(name))
        place = f"{name}\0part" if is_part else name
        if place not in self._made:
            self._made[place] = self._frame(planned, is_part=is_part)
            if planned.how != "inline":
                self.taken[name] = self._made[place]
        if (place, reader) not in self._governed:
            self._governed[place, reader] = self._govern(self._made[place], planned, reader)
        return self._governed[place, reader]

    def _govern(self, frame: Frame, planned: InputSpec, reader: str) -> Governed:
        """Mask what a pipe may not see of an input; the rules are those of the pipe that reads it."""
        classes = planned.classes
        if planned.entity in self.inlined:
            classes = joined(classes, self.classes_of(planned.entity))
        if not classes:
            return Governed(frame)
        if self.rights is None:
            return governed(self.session, None, frame, classes, ())
        rights, masks = self.rights
        rules = rights.acting(PIPES, reader, rights.principals(f"{WORKLOAD}:{self.spec.principal}"))
        found = self.analysed(lambda: governed(self.session, masks, frame, classes, rules))
        self.masked.update(dict.fromkeys((planned.entity, *one) for one in found.masked))
        for reference in found.keys:
            self.context.secret(reference)  # a new key makes the rows anew, as any secret does that is read
        if found.is_keyed and self._calls_python(self.spec.entity):
            number = len(self._governed)
            name = f"{self.spec.run_id}_{self.spec.fingerprint}_{self.spec.attempt}_m{number}"
            found = replace(found, frame=without_keys(self.session, found.frame, name), is_keyed=False)
        return found

    def _calls_python(self, name: str) -> bool:
        """Tell whether code of the app may run in this task: a pipe, or a memory entity before it."""
        pipe = self.pipes.get(name)
        if pipe is None:
            return False
        memory = (item for item in self.names[name] if item in self.pipes and self.pipes[item].is_memory)
        return pipe.function is not None or any(self._calls_python(item) for item in memory)

    def classes_of(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the classes of what a pipe made here: declared ones, and those of its inputs."""
        declared = {column: (one,) for column, one in self.pipes[name].classes.items()}
        return joined(declared, self.tracer.classes(name))

    def _is_sliced(self, name: str) -> bool:
        return self.spec.slice != "*" and name == self.names[self.spec.entity][0]

    def _frame(self, planned: InputSpec, *, is_part: bool) -> Frame:
        if planned.how == "changes" and is_part:
            return self._changes(planned)
        if planned.how in ("read", "changes"):
            return self._read(planned, is_part=is_part)
        if planned.how == "shared" and planned.shared:
            return self._shared(planned)
        return self._inlined(planned.entity)

    def _shared(self, planned: InputSpec) -> Frame:
        """Attach a shared frame; where its engine is another one, compute the entity here."""
        ref = SharedRef(planned.shared["engine"], planned.shared["name"])
        if isinstance(self.session, Shares) and ref.engine == self.session.engine:
            try:
                return self.session.attach(ref)
            except EngineLostError:  # a SharedRef dies with its engine: the producer is called again
                return self._inlined(planned.entity)
        return self._inlined(planned.entity)

    def _inlined(self, name: str) -> Frame:
        """Compute a memory entity inside of its reader's task, its schema and expectations applied."""
        pipe = self.pipes[name]
        frame = self.frame_of(name)
        self.inlined[name] = None
        if pipe.schema is None and not pipe.rules:
            return frame
        frame, schema, warnings = shaped(
            self.session, frame, pipe.schema, entity=name, drift=pipe.drift, where=str(pipe.place)
        )
        self.warnings += [f"{name}: {text}" for text in warnings]
        checked = checked_in_memory(self.session, frame, pipe, schema, name)
        self.counts.update({f"{name}: {rule}": count for rule, count in checked.counts.items()})
        return checked.frame

    def _store(self, planned: InputSpec) -> Store:
        address = Address.from_plain(planned.address)
        return self.storage(address.storage).open(address, self.session)

    def _read(self, planned: InputSpec, *, is_part: bool) -> Frame:
        store = self._store(planned)
        if not isinstance(store, Reads):
            raise RunError("KDL-RUN-011", f"the storage of {planned.entity!r} cannot be read")
        every = self.pipes[self.spec.entity].incremental
        column = every.column if every and is_part else ""
        frame = store.read(
            ReadRequest(
                version=planned.version or None,
                column=column,
                slice=Slice.parse(self.spec.slice) if column else Slice(),
                schema=self.schemas.get(planned.entity),
            )
        )
        self._note_bad_rows(planned.entity, store)
        return frame

    def _note_bad_rows(self, name: str, store: Store) -> None:
        if isinstance(store, ReportsBadRows):
            found = store.bad_rows()
            if found.count:
                self.bad_rows[name] = found

    def _changes(self, planned: InputSpec) -> Frame:
        store = self._store(planned)
        if not isinstance(store, Changes):
            raise RunError("KDL-RUN-011", f"the storage of {planned.entity!r} cannot tell changes")
        since = None if self.spec.full_refresh else planned.cursor or None
        found = store.changes(since)
        self._note_bad_rows(planned.entity, store)
        self.cursors[planned.entity] = found.cursor
        if found.rows is not None:
            self.read[planned.entity] = found.rows
        frame = found.frame
        if frame is None and since is not None:
            raise NothingNew
        if frame is None:  # the source is empty: the target is made all the same, its readers need it
            frame = self._no_changes(planned)
        pipe = self.pipes[self.spec.entity]
        deletes = pipe.incremental.deletes if pipe.incremental else "refuse"
        if deletes == "include":
            return frame
        if deletes == "refuse":
            frame = self.session.fail_when(frame, {f"KDL-DELETES[{planned.entity}]": "_change = 'delete'"})
        else:
            frame = self.session.where(frame, "_change <> 'delete'")
        names = [n for n in self.session.schema(frame).names if n != "_change"]
        return self.session.select(frame, [(n, quoted(n)) for n in names])

    def _no_changes(self, planned: InputSpec) -> Frame:
        """Return the columns of an empty source and `_change`, without rows."""
        whole = self._read(planned, is_part=False)
        columns = [(name, quoted(name)) for name in self.session.schema(whole).names]
        marked = self.session.select(whole, [*columns, ("_change", "'insert'")])
        return self.session.where(marked, "_change <> 'insert'")


def _told(entity: str, address: dict[str, Plain], version: str, ddl: str) -> dict[str, Plain]:
    return {"entity": entity, "address": address, "version": version, "schema": ddl}


def shaped(
    session: Session, frame: Frame, declared: Schema | None, *, entity: str, drift: str, where: str
) -> tuple[Frame, Schema, tuple[str, ...]]:
    """Return the frame cast to its declared or inferred schema, that schema, and drift warnings.

    Raises:
        RunError: KDL-RUN-012 to KDL-RUN-015, columns are missing, extra or named twice, or there is none.
    """
    found = session.schema(frame)
    _check_names(found, entity, where)
    if declared is None:  # only a declaration says NOT NULL: what an engine infers changes with the plan
        found = Schema(tuple(Field(column.name, column.type) for column in found.fields))
        return session.cast(frame, found), found, ()
    missing = [name for name in declared.names if found.field(name) is None]
    extra = [field for field in found.fields if declared.field(field.name) is None]
    if missing:
        raise RunError(
            "KDL-RUN-012",
            f"{entity!r} lacks columns that its schema declares: {', '.join(missing)}",
            why=did_you_mean(missing[0], found.names),
            where=where,
        )
    if extra and drift == "fail":
        raise RunError(
            "KDL-RUN-013",
            f"{entity!r} has columns that its schema does not declare: {', '.join(f.name for f in extra)}",
            where=where,
            hint="declare them, drop them, or set drift='warn' or drift='evolve'",
        )
    target = Schema((*declared.fields, *extra)) if drift == "evolve" else declared
    warnings = tuple(f"column {field.name!r} is not declared and was left out" for field in extra)
    return session.cast(frame, target), target, () if drift == "evolve" else warnings


def _check_names(found: Schema, entity: str, where: str) -> None:
    """Refuse a frame without columns, or with columns named twice."""
    lower = [name.lower() for name in found.names]
    doubled = sorted({name for name in found.names if lower.count(name.lower()) > 1})
    if doubled:
        raise RunError(
            "KDL-RUN-014",
            f"{entity!r} has columns named twice: {', '.join(doubled)}",
            why="names that differ in letter case only are equal",
            where=where,
            hint="select or rename them, for example after a join",
        )
    if not found.names:
        raise RunError("KDL-RUN-015", f"{entity!r} has no column", where=where)


def checked_in_memory(session: Session, frame: Frame, pipe: Pipe[...], schema: Schema, name: str) -> Checked:
    """Apply the expectations of a memory entity: nothing is committed, so all is counted at once."""
    checked = apply_rules(session, frame, pipe.rules, schema, entity=name, keep=lambda kept: kept)
    checked.counts.update(count_broken(session, checked.frame, checked.warn))
    checked.warn = {}
    return checked


def _shown(made: object) -> str:
    return "None" if made is None else f"a {type(made).__name__}"
