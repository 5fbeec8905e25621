"""Where the columns of a pipe's frame come from: SQL by its text, Python by the frame's own plan.

What is not understood is opaque: nothing is guessed. It computes nothing, and decides nothing about
masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.errors import EngineLostError
from kindling.hooks.platform import Traces
from kindling.hooks.sql_traces import parsed, query_trace
from kindling.hooks.traces import OpaqueError, Trace, through
from kindling.lineage import HOWS, ColumnLineage, Origin, inherited_by_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kindling.hooks import Frame, Plain
    from kindling.hooks.platform import Session
    from kindling.run.governing import Governed
    from kindling.schemas import Schema


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of one pipe's frame.

    Attributes:
        lineage: Relative to the pipe's own inputs; None where it is opaque.
        classes: What its columns inherit.
    """

    lineage: ColumnLineage | None
    classes: dict[str, tuple[str, ...]]


class Tracer:
    """Traces the pipes of one task, each relative to its own inputs.

    Args:
        session: The task's session.
        warn: Told, in one sentence, that the platform failed at tracing: the task does not.
        wanted: Trace all pipes; else those alone whose inputs have classes, and nothing costs anything.
    """

    def __init__(self, session: Session, warn: Callable[[str], None], *, wanted: bool) -> None:
        self._session = session
        self._warn = warn
        self._wanted = wanted
        self._steps: dict[str, Step] = {}

    def sql(
        self, name: str, frame: Frame, inputs: Mapping[str, Governed], text: str, tables: Mapping[str, str]
    ) -> None:
        """Trace a SQL pipe.

        Args:
            name: The pipe.
            frame: What its query made.
            inputs: What it read, by entity.
            text: The query, bound.
            tables: Entity by the table's name in the text.
        """
        if self._is_wanted(inputs):
            known = {
                table: (entity, self._session.schema(inputs[entity].frame))
                for table, entity in tables.items()
            }
            names = self._session.schema(frame).names
            self._note(name, names, sql_lineage(text, known, names), inputs)

    def python(
        self, name: str, frame: Frame, inputs: Mapping[str, Governed], *, is_opaque: bool = False
    ) -> None:
        """Trace a Python pipe by its frame's plan.

        Args:
            name: The pipe.
            frame: What it returned.
            inputs: What it was called with, by entity.
            is_opaque: It made a frame of rows in Python, of which nobody knows where they come from.
        """
        if not self._is_wanted(inputs):
            return
        frames = {entity: one.frame for entity, one in inputs.items()}
        found = None if is_opaque else frame_lineage(self._session, frame, frames, self._warn)
        names: tuple[str, ...] = ()
        if any(one.classes for one in inputs.values()):  # asking an engine for a schema takes time
            names = self._session.schema(frame).names
            if found is not None and not _has(found, names):
                found = None
        self._note(name, names, found, inputs)

    def _is_wanted(self, inputs: Mapping[str, Governed]) -> bool:
        return self._wanted or any(one.classes for one in inputs.values())

    def _note(
        self,
        name: str,
        columns: Sequence[str],
        lineage: ColumnLineage | None,
        inputs: Mapping[str, Governed],
    ) -> None:
        classes = {entity: one.classes for entity, one in inputs.items()}
        known = lineage.inherited(classes) if lineage else inherited_by_all(columns, classes)
        self._steps[name] = Step(lineage, known)

    def classes(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return the classes that a pipe's columns inherit; all those of its inputs where it is opaque."""
        return self._steps[name].classes if name in self._steps else {}

    def lineage(self, name: str, inlined: Iterable[str]) -> ColumnLineage | None:
        """Return a pipe's lineage relative to what the task read; None where a part is opaque.

        Args:
            name: The pipe.
            inlined: The memory entities that were computed on the way.
        """
        step = self._steps.get(name)
        if step is None or step.lineage is None:
            return None
        listed = tuple(inlined)
        used = {origin.entity for _, origins in step.lineage.columns for origin in origins}
        used |= {origin.entity for origin in step.lineage.rows}
        return composed(step.lineage, {item: self.lineage(item, listed) for item in listed if item in used})


def sql_lineage(
    text: str, tables: Mapping[str, tuple[str, Schema]], columns: Sequence[str]
) -> ColumnLineage | None:
    """Return what the columns of a query come from; None where it is opaque.

    Args:
        text: One SELECT in Spark's dialect, placeholders bound.
        tables: Entity and schema by the table's name in the text.
        columns: The query's columns, as the session's schema names them.
    """
    known = {name.lower(): item for name, item in tables.items()}

    def table(name: str) -> Trace:
        if name.lower() not in known:
            raise OpaqueError
        entity, schema = known[name.lower()]
        return Trace.of_input(entity, schema.names)

    try:
        return query_trace(parsed(text), table).shown(columns).lineage()
    except (OpaqueError, RecursionError):
        return None


def frame_lineage(
    session: Session,
    frame: Frame,
    inputs: Mapping[str, Frame],
    warn: Callable[[str], None],
) -> ColumnLineage | None:
    """Return what an engine says about a frame's columns; None where it cannot or does not know.

    Args:
        session: The task's session.
        frame: What a pipe returned.
        inputs: The frames that it was called with, by entity.
        warn: Told, in one sentence, that the platform failed at tracing: the task does not.
    """
    if "lineage" not in session.features or not isinstance(session, Traces):
        return None
    try:
        found = session.lineage(frame, inputs)
    except EngineLostError:
        raise
    except Exception as error:  # noqa: BLE001  # the plugin boundary: a frame that is not traced is opaque
        warn(f"the platform {session.platform!r} could not trace its frame: {type(error).__name__}")
        return None
    if found is None or any(
        origin.entity not in inputs for _, origins in found.columns for origin in origins
    ):
        return None
    return found


def _has(lineage: ColumnLineage, columns: Iterable[str]) -> bool:
    """Tell whether a lineage tells of each of some columns."""
    return {name.lower() for name, _ in lineage.columns}.issuperset(name.lower() for name in columns)


def about(lineage: ColumnLineage | None, columns: Sequence[str]) -> ColumnLineage | None:
    """Return a lineage of exactly these columns, as they are spelt; None where it does not tell of each."""
    if lineage is None or not _has(lineage, columns):
        return None
    return ColumnLineage(tuple((name, _column(lineage, name)) for name in columns), lineage.rows)


def strongest(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Return each input column once, sorted: as a part of the value where it is one, else as indirect."""
    found: dict[tuple[str, str], str] = {}
    for one in origins:
        key = (one.entity, one.column)
        before = found.get(key)
        if before is None or _weight(one.how) > _weight(before):
            found[key] = one.how
    return tuple(Origin(entity, column, how) for (entity, column), how in sorted(found.items()))


def _weight(how: str) -> int:
    """Order: what is part of a value says more than what only decides about it."""
    return -1 if how == "indirect" else HOWS.index(how)


def composed(outer: ColumnLineage, inner: Mapping[str, ColumnLineage | None]) -> ColumnLineage | None:
    """Return a lineage relative to the inputs of those of its inputs that were computed on the way.

    Args:
        outer: The lineage of a pipe's frame.
        inner: Lineage of each such input by name; None where it is opaque, and so is the whole.
    """
    if any(lineage is None for lineage in inner.values()):
        return None
    known = {name: lineage for name, lineage in inner.items() if lineage is not None}

    def behind(origins: Iterable[Origin]) -> tuple[Origin, ...]:
        found: list[Origin] = []
        for one in origins:
            lineage = known.get(one.entity)
            if lineage is None:
                found.append(one)
                continue
            found += through(frozenset(_column(lineage, one.column)), one.how)
        return strongest(found)

    rows = [*outer.rows, *(step for lineage in known.values() for step in lineage.rows)]
    return ColumnLineage(tuple((name, behind(origins)) for name, origins in outer.columns), behind(rows))


def _column(lineage: ColumnLineage, column: str) -> tuple[Origin, ...]:
    lower = column.lower()
    return next((origins for name, origins in lineage.columns if name.lower() == lower), ())


def traced_fields(plain: Mapping[str, Plain]) -> dict[str, object]:
    """Return `Outcome.traced` as the fields of a `TaskTraced`: JSON has no tuples."""
    inputs, masked, classes = (plain.get(name) for name in ("inputs", "masked", "classes"))
    return {
        **plain,
        "inputs": tuple(inputs) if isinstance(inputs, list) else (),
        "masked": tuple(tuple(one) for one in masked if isinstance(one, list))
        if isinstance(masked, list)
        else (),
        "classes": {column: tuple(some) for column, some in classes.items() if isinstance(some, list)}
        if isinstance(classes, dict)
        else {},
    }
