"""Where the columns of a pipe and of its table differ: refused, left out or added. Not the SQL for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import WriteRequest
from kindling.schemas import Field, Schema, quoted

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_WIDER = {"float": ("double",), "date": ("timestamp_ntz",)}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a frame enters a table.

    Attributes:
        schema: The table's columns after the write.
        given: Those of them that the frame fills, as the table spells them, in the frame's types.
        sources: The frame's name of each column in `given`.
        added: Columns that the table gets.
        retyped: Columns whose type changes; none is left of the rows where it is no widening.
        relaxed: Columns that may be null from now on.
        strict: Columns that may be null no more; only where the table is emptied.
        dropped: Columns that the table loses; the same.
        warnings: Drift that is accepted, one sentence each.
    """

    schema: Schema
    given: Schema
    sources: tuple[str, ...]
    added: tuple[Field, ...] = ()
    retyped: tuple[Field, ...] = ()
    relaxed: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def new_table(frame: Schema) -> Fit:
    """Return the fit of a frame that makes its table."""
    return Fit(frame, frame, frame.names)


def replaced(table: Schema, frame: Schema) -> Fit:
    """Return the fit of a frame whose columns take the place of a table's, which is emptied.

    A column that keeps its name in another letter case keeps the table's spelling no more: it is another.
    """
    old = {field.name: field for field in table.fields}
    new = {field.name: field for field in frame.fields}
    kept = [(old[name], new[name]) for name in new if name in old]
    return Fit(
        frame,
        frame,
        frame.names,
        added=tuple(field for field in frame.fields if field.name not in old),
        retyped=tuple(after for before, after in kept if before.type != after.type),
        relaxed=tuple(after.name for before, after in kept if after.nullable and not before.nullable),
        strict=tuple(after.name for before, after in kept if before.nullable and not after.nullable),
        dropped=tuple(name for name in old if name not in new),
    )


def fit(entity: str, table: Schema, request: WriteRequest) -> Fit:
    """Decide how a frame enters an existing table.

    Raises:
        StoreError: KDL-STORE-320, columns differ and drift is `fail`; KDL-STORE-321, a type differs in a
            way that no allowed drift covers.
    """
    frame, evolves = request.schema, request.drift == "evolve"
    new = tuple(field for field in frame.fields if table.field(field.name) is None)
    absent = tuple(field for field in table.fields if frame.field(field.name) is None)
    pairs = [(old, found) for old in table.fields if (found := frame.field(old.name)) is not None]
    changed = [(old, found) for old, found in pairs if old.type.lower() != found.type.lower()]
    if request.drift in ("fail", "replace") and (new or absent or changed):
        raise _differs(entity, table, request)
    for old, found in changed:
        _check_type(entity, old, found, evolves=evolves)
    wider = tuple(Field(old.name, found.type) for old, found in changed if evolves and widens(old, found))
    relaxed = tuple(
        old.name for old in table.fields if not old.nullable and _may_be_null(frame.field(old.name))
    )
    added = tuple(Field(field.name, field.type) for field in new) if evolves else ()
    types = {field.name: field.type for field in wider}
    kept = [
        Field(old.name, types.get(old.name, old.type), old.nullable or old.name in relaxed)
        for old in table.fields
    ]
    filled = [field for field in kept if frame.field(field.name) is not None]
    given = (*filled, *added)
    return Fit(
        Schema((*kept, *added)),
        Schema(given),
        tuple(found.name for field in given if (found := frame.field(field.name)) is not None),
        added=added,
        retyped=wider,
        relaxed=relaxed,
        warnings=_warnings(new, absent, changed, evolves=evolves),
    )


def _may_be_null(field: Field | None) -> bool:
    return field is None or field.nullable


def _differs(entity: str, table: Schema, request: WriteRequest) -> StoreError:
    return StoreError(
        "KDL-STORE-320",
        f"the columns of {entity!r} differ from those of its pipe",
        why=f"the table has ({_listed(table)}), the pipe gives ({_listed(request.schema)})",
        hint='declare drift="evolve" to add columns and widen types, or drift="warn" to ignore them',
        table=_listed(table),
        frame=_listed(request.schema),
        intent=request.intent.name,
    )


def _listed(schema: Schema) -> str:
    return ", ".join(f"{field.name} {field.type}" for field in schema.fields)


def _check_type(entity: str, old: Field, new: Field, *, evolves: bool) -> None:
    if widens(new, old) or (evolves and widens(old, new)):
        return
    raise StoreError(
        "KDL-STORE-321",
        f"column {old.name!r} of {entity!r} is {old.type} and cannot become {new.type}",
        why="types only widen" if evolves else 'drift="warn" changes no type',
        hint=f"cast it in the pipe to {old.type}, or give the new column another name",
        column=old.name,
    )


def _warnings(
    new: Sequence[Field], absent: Sequence[Field], changed: Sequence[tuple[Field, Field]], *, evolves: bool
) -> tuple[str, ...]:
    verb = "added" if evolves else "not written, the table has no such column"
    texts = [f"column {field.name!r} ({field.type}): {verb}" for field in new]
    texts += [f"column {field.name!r}: not in the pipe's result, its default in new rows" for field in absent]
    for old, found in changed:
        wider = evolves and widens(old, found)
        text = f"{old.type} widened to {found.type}" if wider else f"{found.type} stored as {old.type}"
        texts.append(f"column {old.name!r}: {text}")
    return tuple(texts)


def widens(old: Field, new: Field) -> bool:
    """Tell whether each value of the old type is exactly one of the new type."""
    if new.type in _WIDER.get(old.type, ()):
        return True
    before, after = _digits(old.type), _digits(new.type)
    if old.type in _INTEGERS:
        if new.type in _INTEGERS:
            return _INTEGERS.index(new.type) > _INTEGERS.index(old.type)
        if new.type == "double":
            return old.type != "bigint"
        return after[0] - after[1] >= _DIGITS[old.type]
    whole = after[0] - after[1] >= before[0] - before[1]
    return before[0] > 0 and whole and after[1] >= before[1] and after != before


def _digits(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"decimal\((\d+),(\d+)\)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def fitted(session: Session, frame: Frame, request: WriteRequest, how: Fit) -> Frame:
    """Return the frame with exactly the columns in `how.given`, lazily; itself where they are its own."""
    wanted = [(field.name, field.type) for field in how.given.fields]
    if wanted == [(field.name, field.type) for field in request.schema.fields]:
        return frame
    pairs = zip(how.given.fields, how.sources, strict=True)
    chosen = session.select(frame, [(field.name, quoted(source)) for field, source in pairs])
    return session.cast(chosen, how.given)
