"""The cursor of a set of files: which of them were read, and with which columns."""

from __future__ import annotations

import json
from collections.abc import Sequence

from kindling.errors import StoreError
from kindling.schemas import Field, Schema
from kindling_plugin_files.places import FileEntry


def cursor_text(entries: Sequence[FileEntry], schema: Schema) -> str:
    """Return the position after these files: JSON with their names, sizes and stamps, and the columns.

    The columns are kept so that a file that comes later is read with the same types.
    """
    plain = {
        "columns": [(field.name, field.type, field.nullable) for field in schema.fields],
        "files": [entry.known() for entry in entries],
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def read_cursor(entity: str, text: str) -> tuple[Schema, dict[str, tuple[str, int, str]]]:
    """Return the columns and the known files that `cursor_text` wrote.

    Raises:
        StoreError: KDL-STORE-012, the text is of another storage or version.
    """
    try:
        plain = json.loads(text)
        schema = Schema(tuple(Field(*column) for column in plain["columns"]))
        known = {name: (name, size, stamp) for name, size, stamp in plain["files"]}
    except (ValueError, TypeError, KeyError) as error:
        raise _untold(entity, "its cursor is not one of this storage") from error
    return schema, known


def new_files(
    entity: str, entries: Sequence[FileEntry], known: dict[str, tuple[str, int, str]]
) -> tuple[FileEntry, ...]:
    """Return the files that were not there before.

    Raises:
        StoreError: KDL-STORE-012, a known file changed or is gone: which of its rows are new cannot be told.
    """
    now = {entry.name: entry for entry in entries}
    for name, was in known.items():
        found = now.get(name)
        if found is None or found.known() != was:
            raise _untold(entity, f"{name} {'is gone' if found is None else 'changed'} since it was read")
    return tuple(entry for name, entry in now.items() if name not in known)


def _untold(entity: str, why: str) -> StoreError:
    return StoreError(
        "KDL-STORE-012",
        f"the changes of {entity!r} cannot be told",
        why=why,
        hint="kindling run --full-refresh reads all files again",
    )
