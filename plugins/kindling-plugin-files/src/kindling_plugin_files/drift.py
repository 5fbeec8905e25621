"""A frame whose columns differ from those of the table it is appended to. Decides, then casts."""

from __future__ import annotations

import re

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import WriteRequest
from kindling.schemas import Field, Schema, quoted
from kindling_plugin_files.manifest import Manifest

_WIDER = ("tinyint", "smallint", "int", "bigint")


def fitted(
    session: Session, frame: Frame, request: WriteRequest, table: Manifest
) -> tuple[Frame, Schema, tuple[str, ...]]:
    """Return the frame as it is appended, the table's schema afterwards, and warnings.

    Raises:
        StoreError: KDL-STORE-210, the columns differ and `drift` is `fail`, or a type cannot be widened.
    """
    stored = Schema(tuple(Field(*column) for column in table.columns))
    differences = _differences(stored, request.schema)
    if not differences:
        return _selected(session, frame, request.schema, stored), stored, ()
    if request.drift == "fail":
        raise _refused(request.info.entity, differences)
    if request.drift == "evolve":
        target, impossible = _evolved(stored, request.schema)
        if impossible:
            raise _refused(request.info.entity, impossible)
        return _selected(session, frame, request.schema, target), target, ()
    return _selected(session, frame, request.schema, stored), stored, tuple(differences)


def _differences(stored: Schema, given: Schema) -> list[str]:
    found = [f"column {f.name!r} is new" for f in given.fields if stored.field(f.name) is None]
    found += [f"column {f.name!r} is missing" for f in stored.fields if given.field(f.name) is None]
    for field in stored.fields:
        other = given.field(field.name)
        if other is not None and other.type != field.type:
            found.append(f"column {field.name!r} is {other.type}, and {field.type} in the table")
    return found


def _refused(entity: str, differences: list[str]) -> StoreError:
    return StoreError(
        "KDL-STORE-210",
        f"{entity!r} has other columns than its table",
        why="; ".join(differences),
        hint='change the pipe, declare drift="evolve" or drift="warn", or run with --full-refresh',
    )


def _evolved(stored: Schema, given: Schema) -> tuple[Schema, list[str]]:
    fields, impossible = [], []
    for field in stored.fields:
        other = given.field(field.name)
        kind = field.type if other is None else widened(field.type, other.type)
        if not kind and other is not None:
            impossible.append(f"column {field.name!r} is {other.type}, and {field.type} in the table")
        nullable = field.nullable or other is None or other.nullable
        fields.append(field.replace(type=kind or field.type, nullable=nullable))
    fields += [f.replace(nullable=True) for f in given.fields if stored.field(f.name) is None]
    return Schema(tuple(fields)), impossible


def widened(stored: str, given: str) -> str:
    """Return the type that holds both without loss, "" where there is none."""
    if stored == given:
        return stored
    if stored in _WIDER and given in _WIDER:
        return max(stored, given, key=_WIDER.index)
    if {stored, given} == {"float", "double"}:
        return "double"
    one, other = (re.fullmatch(r"decimal\((\d+),(\d+)\)", kind) for kind in (stored, given))
    if one and other:
        scale = max(int(one[2]), int(other[2]))
        whole = max(int(one[1]) - int(one[2]), int(other[1]) - int(other[2]))
        return f"decimal({whole + scale},{scale})" if whole + scale <= 38 else ""  # noqa: PLR2004  # the widest decimal
    return ""


def _selected(session: Session, frame: Frame, given: Schema, target: Schema) -> Frame:
    """Return the frame with the target's columns in its order, missing ones null."""
    if given == target:
        return frame
    columns = []
    for field in target.fields:
        found = given.field(field.name)
        columns.append((field.name, f"CAST(NULL AS {field.type})" if found is None else quoted(found.name)))
    return session.cast(session.select(frame, columns), target)
