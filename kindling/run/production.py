"""Make the frame of one task: read, govern, transform, check the shape. It never writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.addresses import Address, Slice
from kindling.errors import EngineLostError, RunError
from kindling.frames import with_frames
from kindling.hooks.executor import InputSpec
from kindling.hooks.platform import SharedRef, Shares
from kindling.hooks.storage import Changes, ReadRequest, Reads, ReportsBadRows
from kindling.names import did_you_mean
from kindling.schemas import Schema
from kindling.sql import bind, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.hooks import Frame
    from kindling.hooks.executor import TaskSpec
    from kindling.hooks.platform import Session
    from kindling.hooks.storage import BadRows, Storage, Store
    from kindling.pipe import Pipe
    from kindling.run.context import TaskContext


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
        govern: Applies the workload's rights and masks to an input; the identity until masking plugins.
        cursors: Tokens to commit, by source entity.
        read: Rows that were read incrementally, where free to know.
        bad_rows: Unreadable rows by source entity.
    """

    spec: TaskSpec
    session: Session
    pipes: Mapping[str, Pipe[...]]
    names: Mapping[str, tuple[str, ...]]
    schemas: Mapping[str, Schema | None]
    storage: Callable[[str], Storage]
    context: TaskContext
    govern: Callable[[str, Frame], Frame]
    cursors: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    bad_rows: dict[str, BadRows] = field(default_factory=dict)
    inputs: dict[str, InputSpec] = field(default_factory=dict)
    _made: dict[str, Frame] = field(default_factory=dict)

    def frame_of(self, name: str) -> Frame:
        """Return the frame that the pipe `name` makes; raises NothingNew, RunError, StoreError."""
        pipe = self.pipes[name]
        frames = [self._input(item, name) for item in self.names[name]]
        if pipe.function is None:
            tables = {holder: table_of(holder) for holder in pipe.placeholders}
            given = {table_of(holder): frame for holder, frame in zip(pipe.placeholders, frames, strict=True)}
            return self.session.sql(bind(pipe.sql, tables), given)
        arguments = (self.context, *frames) if pipe.takes_context else tuple(frames)
        function: Callable[..., object] = pipe.function
        made = with_frames(self.session.frames, lambda: function(*arguments))
        if not self.session.is_frame(made):
            raise RunError(
                "KDL-RUN-010",
                f"the pipe {name!r} returned {_shown(made)}, not a frame",
                where=str(pipe.place),
                hint="return the frame, for example 'return df.where(...)'",
            )
        return made

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

    def _input(self, name: str, reader: str) -> Frame:
        if name in self._made:
            return self._made[name]
        planned = self.inputs.get(name) or InputSpec(name, {}, how="inline")
        if planned.how == "changes" and reader == self.spec.entity:
            frame = self._changes(planned)
        elif planned.how in ("read", "changes"):
            frame = self._read(planned)
        elif planned.how == "shared" and planned.shared:
            frame = self._shared(planned)
        else:
            frame = self.frame_of(name)
        self._made[name] = self.govern(name, frame)
        return self._made[name]

    def _shared(self, planned: InputSpec) -> Frame:
        """Attach a shared frame; where its engine is another one, compute the entity here."""
        ref = SharedRef(planned.shared["engine"], planned.shared["name"])
        if isinstance(self.session, Shares) and ref.engine == self.session.engine:
            try:
                return self.session.attach(ref)
            except EngineLostError:  # a SharedRef dies with its engine: the producer is called again
                return self.frame_of(planned.entity)
        return self.frame_of(planned.entity)

    def _store(self, planned: InputSpec) -> Store:
        address = Address.from_plain(planned.address)
        return self.storage(address.storage).open(address, self.session)

    def _read(self, planned: InputSpec) -> Frame:
        store = self._store(planned)
        if not isinstance(store, Reads):
            raise RunError("KDL-RUN-011", f"the storage of {planned.entity!r} cannot be read")
        pipe = self.pipes[self.spec.entity]
        piece = Slice.parse(self.spec.slice)
        is_sliced = piece.kind == "interval" and planned.entity == self.names[self.spec.entity][0]
        column = pipe.incremental.column if pipe.incremental and is_sliced else ""
        frame = store.read(
            ReadRequest(
                version=planned.version or None,
                column=column,
                slice=piece if column else Slice(),
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
        if found.frame is None:
            raise NothingNew
        pipe = self.pipes[self.spec.entity]
        deletes = pipe.incremental.deletes if pipe.incremental else "refuse"
        if deletes == "include":
            return found.frame
        frame = found.frame
        if deletes == "refuse":
            frame = self.session.fail_when(frame, {f"KDL-DELETES[{planned.entity}]": "_change = 'delete'"})
        else:
            frame = self.session.where(frame, "_change <> 'delete'")
        names = [n for n in self.session.schema(frame).names if n != "_change"]
        return self.session.select(frame, [(n, f"`{n}`") for n in names])


def shaped(
    session: Session, frame: Frame, declared: Schema | None, *, entity: str, drift: str, where: str
) -> tuple[Frame, Schema, tuple[str, ...]]:
    """Return the frame cast to its declared or inferred schema, that schema, and drift warnings.

    Raises:
        RunError: KDL-RUN-012 to KDL-RUN-014, columns are missing, extra or named twice.
    """
    found = session.schema(frame)
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
    if declared is None:
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


def _shown(made: object) -> str:
    return "None" if made is None else f"a {type(made).__name__}"
