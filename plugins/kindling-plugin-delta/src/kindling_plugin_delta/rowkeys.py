"""Keys of streamed rows: not null, not twice. Not a join: the engine and deltalake do that."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import StoreError
from kindling.schemas import Schema


class KeyWatch:
    """Watches a stream of rows and keeps their key columns, nothing else.

    Attributes:
        entity: Name for errors.
        keys: Key columns as the stream names them.
    """

    def __init__(self, entity: str, keys: tuple[str, ...]) -> None:
        self.entity = entity
        self.keys = keys
        self._seen: list[pa.RecordBatch] = []

    def watch(self, batch: pa.RecordBatch) -> None:
        """Remember a batch's keys; refuse a null.

        Raises:
            StoreError: KDL-STORE-010, a key is null.
        """
        part = batch.select(list(self.keys))
        for name, column in zip(self.keys, part.columns, strict=True):
            if column.null_count:
                place = pc.index(column.is_null(), value=True).as_py()
                raise self._refused(part.slice(place, 1).to_pylist()[0], f"{name!r} is null")
        self._seen.append(part)

    def finish(self) -> None:
        """Refuse keys that occur twice.

        Raises:
            StoreError: KDL-STORE-010, two rows share a key; the text shows the first such key.
        """
        if not self._seen:
            return
        rows = pa.Table.from_batches(self._seen)
        grouped = rows.group_by(list(self.keys), use_threads=False).aggregate([([], "count_all")])
        twice = grouped.filter(pc.greater(grouped["count_all"], 1))
        if twice.num_rows:
            first = twice.slice(0, 1).to_pylist()[0]
            count = first.pop("count_all")
            raise self._refused(first, f"{count} rows share it")

    def _refused(self, key: dict[str, object], why: str) -> StoreError:
        return refused_key(self.entity, key, why)


def refused_key(entity: str, key: dict[str, object], why: str) -> StoreError:
    """Return the error for a key that is null or occurs twice."""
    shown = ", ".join(f"{name}={value!r}" for name, value in key.items())
    return StoreError(
        "KDL-STORE-010",
        f"the rows for {entity!r} have the key ({shown})",
        why=f"{why}; a key is not null and occurs once",
        hint=f"use k.dedupe(df, on={list(key)!r}, order_by=...) in the pipe, or correct the key",
        columns=list(key),
    )


def stored_names(entity: str, schema: Schema, columns: tuple[str, ...], purpose: str) -> tuple[str, ...]:
    """Return columns as a schema spells them.

    Raises:
        StoreError: KDL-STORE-105, the schema has no such column.
    """
    found = []
    for column in columns:
        known = schema.field(column)
        if known is None:
            raise StoreError(
                "KDL-STORE-105",
                f"{purpose} of {entity!r} names the column {column!r}",
                why=f"its columns are {', '.join(schema.names)}",
                hint="name a column that the pipe returns",
                column=column,
            )
        found.append(known.name)
    return tuple(found)


def sql_name(column: str) -> str:
    """Return a column's name quoted for deltalake's SQL."""
    return '"' + column.replace('"', '""') + '"'
