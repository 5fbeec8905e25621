"""The intent `merge`: upsert by keys. It needs no unique index: writers are kept out while it looks.

Rows that are equal already are not written again, and a merge that changes nothing makes no version,
unless a cursor has to move.
"""

from __future__ import annotations

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_postgres import bookkeeping
from kindling_plugin_postgres.kinds import JSON
from kindling_plugin_postgres.servers import quoted
from kindling_plugin_postgres.staging import NAME
from kindling_plugin_postgres.tables import Table
from kindling_plugin_postgres.writing import Turn, transacted


def merge(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Upsert by `request.intent.on`.

    Raises:
        StoreError: KDL-STORE-010, a key is null or occurs twice; KDL-STORE-317, there is no such column.
    """
    stored_names(table.name, request.schema, request.intent.on)
    return transacted(table, frame, request, _merge)


def _merge(turn: Turn) -> dict[str, int] | None:
    keys = stored_names(turn.table.name, turn.how.given, turn.request.intent.on)
    turn.run(f"ANALYZE {NAME}")  # a temporary table is taken for small otherwise
    _check_keys(turn, keys)
    if turn.layout is None:
        return {"rows_inserted": turn.insert(), "rows_updated": 0}
    casts = {field.name: turn.cast(field) for field in turn.how.given.fields}
    same = " AND ".join(f"t.{quoted(key)} = {casts[key]}" for key in keys)
    updated = _update(turn, casts, keys, same)
    inserted = turn.insert(f" WHERE NOT EXISTS (SELECT FROM {turn.table.sql} t WHERE {same})")  # quoted names
    if not (updated or inserted or bookkeeping.moves_cursors(turn.connection, turn.table, turn.request)):
        return None
    return {"rows_inserted": inserted, "rows_updated": updated}


def _update(turn: Turn, casts: dict[str, str], keys: tuple[str, ...], same: str) -> int:
    values = [name for name in casts if name not in keys]
    if not values:
        return 0
    sets = ", ".join(f"{quoted(name)} = {casts[name]}" for name in values)
    differs = " OR ".join(
        f"{_compared(turn, f't.{quoted(name)}', name)} IS DISTINCT FROM {_compared(turn, casts[name], name)}"
        for name in values
    )
    return turn.run(f"UPDATE {turn.table.sql} t SET {sets} FROM {NAME} s WHERE {same} AND ({differs})")  # noqa: S608  # quoted names


def _compared(turn: Turn, expression: str, name: str) -> str:
    """Return what can be compared: `json`, `xml` and the like have no equality, their texts have."""
    kind = turn.layout.column(name).type if turn.layout and turn.layout.schema.field(name) else JSON
    plain = kind.removesuffix("[]")
    return (
        f"{expression}::text" if plain in ("json", "xml", "point", "box", "polygon", "path") else expression
    )


def _check_keys(turn: Turn, keys: tuple[str, ...]) -> None:
    """Refuse null keys and double ones; an example is shown."""
    names = ", ".join(quoted(key) for key in keys)
    nulls = " OR ".join(f"{quoted(key)} IS NULL" for key in keys)
    run = turn.connection.execute
    empty = run(f"SELECT {names} FROM {NAME} WHERE {nulls} LIMIT 1".encode()).fetchone()  # noqa: S608  # quoted names
    if empty is not None:
        place = next(place for place, value in enumerate(empty) if value is None)
        raise _refused(turn.table.name, keys, empty, f"{keys[place]!r} is null")
    double = f"SELECT {names}, count(*) FROM {NAME} GROUP BY {names} HAVING count(*) > 1 LIMIT 1"  # noqa: S608  # quoted names
    twice = run(double.encode()).fetchone()
    if twice is not None:
        raise _refused(turn.table.name, keys, twice[:-1], f"{twice[-1]} rows share it")


def _refused(entity: str, keys: tuple[str, ...], values: tuple[object, ...], why: str) -> StoreError:
    shown = ", ".join(f"{key}={value!r}" for key, value in zip(keys, values, strict=True))
    return StoreError(
        "KDL-STORE-010",
        f"the rows for {entity!r} have the key ({shown})",
        why=f"{why}; a key is not null and occurs once",
        hint=f"use k.dedupe(df, on={list(keys)!r}, order_by=...) in the pipe, or correct the key",
        columns=list(keys),
    )


def stored_names(entity: str, schema: Schema, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Return key columns as a schema spells them.

    Raises:
        StoreError: KDL-STORE-317, the schema has no such column.
    """
    found = []
    for column in columns:
        known = schema.field(column)
        if known is None:
            raise StoreError(
                "KDL-STORE-317",
                f"merge(on=) of {entity!r} names the column {column!r}",
                why=f"its columns are {', '.join(schema.names)}",
                hint="name a column that the pipe returns",
                column=column,
            )
        found.append(known.name)
    return tuple(found)
