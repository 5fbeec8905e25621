"""Where a frame's columns and a table's differ: refused, dropped or added. Not how they are written.

The engines cannot be trusted here: the embedded one drops unknown columns without a word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import WriteRequest
from kindling.schemas import Field, Schema

_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 20}


@dataclass(frozen=True, slots=True)
class Fit:
    """How a frame enters a table.

    Attributes:
        schema: The table's columns after the write, in order.
        sources: For each of them the frame's column, or "" where the frame has none.
        added: Columns that the table gets.
        widened: Columns whose type the write widens.
        relaxed: Columns that may be null from now on.
        same: Whether the frame can be written as it is.
        replaced: Whether the frame's columns take the place of other ones.
        warnings: Drift that is accepted, one sentence each.
    """

    schema: Schema
    sources: tuple[str, ...]
    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    relaxed: tuple[str, ...] = ()
    same: bool = True
    replaced: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def changes_table(self) -> bool:
        """Tell whether the table's schema changes."""
        return bool(self.added or self.widened or self.relaxed or self.replaced)

    def given(self) -> Schema:
        """Return the part of `schema` that the frame has."""
        return Schema(tuple(f for f, source in zip(self.schema.fields, self.sources, strict=True) if source))


def new_table(frame: Schema, *, instead_of: Schema | None = None) -> Fit:
    """Return the fit of a frame that makes its table, or makes it anew with other columns."""
    return Fit(frame, frame.names, replaced=instead_of is not None and instead_of != frame)


def fit(name: str, table: Schema, request: WriteRequest, *, reserved: Sequence[str] = ()) -> Fit:
    """Decide how a frame enters an existing table.

    Args:
        name: The entity's name, for errors.
        table: The table's columns.
        request: The frame's columns and the drift to allow.
        reserved: Columns that Kindling itself adds (history); they are no drift.

    Raises:
        StoreError: KDL-STORE-101, columns differ and drift is `fail`; KDL-STORE-102, a type differs
            in a way that no allowed drift covers.
    """
    frame, own = request.schema, {column.lower() for column in reserved}
    added = tuple(f for f in frame.fields if table.field(f.name) is None)
    missing = tuple(f.name for f in table.fields if frame.field(f.name) is None and f.name.lower() not in own)
    changed = [
        (old, new)
        for old in table.fields
        if (new := frame.field(old.name)) is not None and not same_type(old.type, new.type)
    ]
    if request.drift == "fail" and (added or missing or changed):
        raise _differs(name, table, frame, request)
    _refuse_types(name, changed, request)
    warnings = _warnings(added, missing, changed, request)
    return _made(table, request, added if request.drift == "evolve" else (), own, warnings)


def _made(
    table: Schema, request: WriteRequest, added: tuple[Field, ...], own: set[str], warnings: tuple[str, ...]
) -> Fit:
    frame, evolves = request.schema, request.drift == "evolve"
    fields, sources, widened, relaxed = [], [], [], []
    for old in table.fields:
        given = frame.field(old.name)
        is_wider = evolves and given is not None and widens(old.type, given.type)
        nullable = old.nullable or (given.nullable if given else old.name.lower() not in own)
        fields.append(Field(old.name, given.type if given and is_wider else old.type, nullable))
        sources.append(given.name if given else "")
        widened += [old.name] * is_wider
        relaxed += [old.name] * (nullable and not old.nullable)
    fields += [Field(f.name, f.type, True) for f in added]
    sources += [f.name for f in added]
    return Fit(
        Schema(tuple(fields)),
        tuple(sources),
        tuple(f.name for f in added),
        tuple(widened),
        tuple(relaxed),
        same=[(f.name, f.type) for f in fields] == [(f.name, f.type) for f in frame.fields],
        warnings=warnings,
    )


def _differs(name: str, table: Schema, frame: Schema, request: WriteRequest) -> StoreError:
    return StoreError(
        "KDL-STORE-101",
        f"the columns of {name!r} differ from those of its pipe",
        why=f"the table has ({_listed(table)}), the pipe gives ({_listed(frame)})",
        hint='declare drift="evolve" to add columns and widen types, or drift="warn" to ignore them',
        table=_listed(table),
        frame=_listed(frame),
        intent=request.intent.name,
    )


def _refuse_types(name: str, changed: list[tuple[Field, Field]], request: WriteRequest) -> None:
    for old, new in changed:
        narrower = widens(new.type, old.type)
        if narrower or (request.drift == "evolve" and widens(old.type, new.type)):
            continue
        raise StoreError(
            "KDL-STORE-102",
            f"column {old.name!r} of {name!r} is {old.type} and cannot become {new.type}",
            why="types only widen" if request.drift == "evolve" else 'drift="warn" changes no type',
            hint=f"cast it in the pipe to {old.type}, or give the new column another name",
            column=old.name,
        )


def _warnings(
    added: Sequence[Field],
    missing: Sequence[str],
    changed: Sequence[tuple[Field, Field]],
    request: WriteRequest,
) -> tuple[str, ...]:
    verb = "added" if request.drift == "evolve" else "not written, the table has no such column"
    texts = [f"column {f.name!r} ({f.type}): {verb}" for f in added]
    texts += [f"column {column!r}: not in the pipe's result, null in the new rows" for column in missing]
    for old, new in changed:
        wider = widens(old.type, new.type)
        texts.append(
            f"column {old.name!r}: {old.type} widened to {new.type}"
            if wider
            else f"column {old.name!r}: {new.type} stored as {old.type}"
        )
    return tuple(texts)


def _listed(schema: Schema) -> str:
    return ", ".join(f"{f.name} {f.type}" for f in schema.fields)


def same_type(one: str, other: str) -> bool:
    """Tell whether two types are equal, letter case of nested names ignored."""
    return one.lower() == other.lower()


def widens(old: str, new: str) -> bool:
    """Tell whether each value of the old type is exactly a value of the new one.

    Source: Delta Lake protocol, "Type Widening", less what changes meaning.
    """
    if old in _INTEGERS:
        if new in _INTEGERS:
            return _INTEGERS.index(new) > _INTEGERS.index(old)
        if new == "double":
            return old != "bigint"
        precision, scale = _decimal(new)
        return precision - scale >= _DIGITS[old]
    if old == "float":
        return new == "double"
    if old == "date":
        return new == "timestamp_ntz"
    before, after = _decimal(old), _decimal(new)
    whole = after[0] - after[1] >= before[0] - before[1]
    return bool(before[0]) and whole and after[1] >= before[1] and after != before


def _decimal(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"decimal\((\d+),(-?\d+)\)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def quoted(column: str) -> str:
    """Return a column's name quoted for Spark SQL."""
    return "`" + column.replace("`", "``") + "`"


def fitted(session: Session, frame: Frame, how: Fit, *, all_columns: bool) -> Frame:
    """Return the frame with the table's columns, lazily; itself where nothing differs.

    Args:
        session: The frame's session.
        frame: Exactly the columns of the request's schema.
        how: The decision.
        all_columns: Whether columns that the frame lacks become nulls, or are left out.
    """
    if how.same:
        return frame
    pairs = zip(how.schema.fields, how.sources, strict=True)
    columns = [(f, quoted(source)) if source else (f, f"CAST(NULL AS {f.type})") for f, source in pairs]
    if not all_columns:
        columns = [pair for pair, source in zip(columns, how.sources, strict=True) if source]
    chosen = session.select(frame, [(f.name, text) for f, text in columns])
    return session.cast(chosen, Schema(tuple(f for f, _ in columns)))
