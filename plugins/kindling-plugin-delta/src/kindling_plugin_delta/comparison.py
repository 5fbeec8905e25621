"""Rows that are new or differ from the stored ones, found by the engine. Not how they are written.

Only those rows leave the engine. It matters for deltalake too: its merge needs 10 to 40 times as long
where most matched rows stay as they are (336,000 rows, 1.6.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from kindling.hooks import Frame
from kindling.hooks.platform import ArrowIn, ArrowOut, PathRead, Paths
from kindling.schemas import Field, Schema
from kindling_plugin_delta.drift import quoted
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.reading import from_files
from kindling_plugin_delta.rowkeys import refused_key
from kindling_plugin_delta.streams import Incoming
from kindling_plugin_delta.tables import Table

COPIES = "__kindling_copies"
"""Column of the found rows: how many rows of the frame share the key."""


def can_compare(table: Table, layout: Layout, values: Schema) -> bool:
    """Tell whether the engine reads the table itself and can compare the columns: not so for maps."""
    reads = table.is_native or (table.has_paths and layout.plain_files)
    return reads and not any("map<" in f.type for f in values.fields)


def changed_rows(  # what the query is made of
    table: Table,
    rows: Frame,
    stored: Frame,
    *,
    keys: Sequence[str],
    known: Sequence[str],
    added: Sequence[str],
    more: Sequence[tuple[str, str]] = (),
) -> object:
    """Return an Arrow stream of the rows that are new, changed, or break the key.

    Shape: the frame's columns, `COPIES`, then `more`.

    Args:
        table: The table.
        rows: The new rows.
        stored: The stored rows, at most one per key; keys, `known` and the columns of `more`.
        keys: Key columns.
        known: Columns to compare, null-safe.
        added: Columns that the table does not have yet: a value is a change.
        more: (alias, column of `stored`) pairs to add.
    """
    same = " AND ".join(f"s.{quoted(key)} = t.{quoted(key)}" for key in keys)
    tests = [f"s.{COPIES} > 1", f"t.{quoted(keys[0])} IS NULL"]
    tests += [f"NOT (s.{quoted(name)} <=> t.{quoted(name)})" for name in known]
    tests += [f"s.{quoted(name)} IS NOT NULL" for name in added]
    extra = "".join(f", t.{quoted(column)} AS {alias}" for alias, column in more)
    partition = ", ".join(map(quoted, keys))
    text = (
        f"SELECT s.*{extra} FROM "  # noqa: S608  # names are quoted, there are no values
        f"(SELECT *, CAST(count(*) OVER (PARTITION BY {partition}) AS BIGINT) AS {COPIES} FROM given) s "
        f"LEFT JOIN stored t ON {same} WHERE {' OR '.join(tests)}"
    )
    found = table.session.sql(text, {"given": rows, "stored": stored})
    return cast("ArrowOut", table.session).to_arrow(found)


def stored_rows(
    table: Table, layout: Layout, columns: Sequence[str], version: int, condition: str = ""
) -> Frame:
    """Return some columns of a version; `condition` is the same in Spark SQL and deltalake's."""
    session = table.session
    whole: Frame | None = None
    if table.is_native:
        whole = cast("Paths", session).load(PathRead("delta", (table.place,), version=version))
    elif table.has_paths and layout.plain_files and version == layout.version:
        whole = from_files(table, layout)
    if whole is not None:
        kept = session.where(whole, condition) if condition else whole
        return session.select(kept, [(name, quoted(name)) for name in columns])
    target = table.opened(version)
    schema = Schema(tuple(f for name in columns if (f := layout.schema.field(name)) is not None))
    stream = Incoming(lambda: target.scan(columns=list(schema.names), predicate=condition or None), schema)
    return cast("ArrowIn", session).from_arrow(stream, schema)


def found_schema(given: Schema, *more: Field) -> Schema:
    """Return the columns of `changed_rows`, nullable: what breaks the key is among them."""
    fields = (*given.fields, Field(COPIES, "bigint"), *more)
    return Schema(tuple(Field(f.name, f.type) for f in fields))


def refuse_broken(entity: str, keys: Sequence[str], batch: pa.RecordBatch) -> None:
    """Refuse the first row whose key is null or occurs twice.

    Raises:
        StoreError: KDL-STORE-010, there is one.
    """
    broken = pc.greater(batch.column(COPIES), 1)
    for key in keys:
        broken = pc.or_(broken, batch.column(key).is_null())
    place = pc.index(broken, value=True).as_py()
    if place < 0:
        return
    row = batch.select([*keys, COPIES]).slice(place, 1).to_pylist()[0]
    copies = row.pop(COPIES)
    empty = next((name for name, value in row.items() if value is None), None)
    raise refused_key(entity, row, f"{empty!r} is null" if empty else f"{copies} rows share it")
