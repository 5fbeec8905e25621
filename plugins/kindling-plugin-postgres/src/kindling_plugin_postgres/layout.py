"""The columns of a table, out of the catalog. Not their values."""

from __future__ import annotations

import json
from dataclasses import dataclass

import psycopg

from kindling.errors import StoreError
from kindling.schemas import Field, Schema
from kindling_plugin_postgres.kinds import Column
from kindling_plugin_postgres.probe import Look, look
from kindling_plugin_postgres.servers import LONGEST_NAME, Place

_COLUMNS = """
WITH RECURSIVE base AS (
  SELECT a.attnum, a.attname, a.attnotnull, a.atttypid AS own, t.oid, t.typtype, t.typbasetype,
    t.typcategory, t.typelem, t.typname, CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END AS mod,
    format_type(a.atttypid, a.atttypmod) AS shown, t.typnotnull AS strict
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT b.attnum, b.attname, b.attnotnull, b.own, t.oid, t.typtype, t.typbasetype,
    t.typcategory, t.typelem, t.typname, CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE b.mod END,
    b.shown, b.strict OR t.typnotnull
  FROM base b JOIN pg_type t ON t.oid = b.typbasetype WHERE b.typtype = 'd'
)
SELECT b.attname, b.shown, coalesce(e.typname, b.typname), b.mod, e.oid IS NOT NULL,
  NOT (b.attnotnull OR b.strict)
FROM base b LEFT JOIN pg_type e ON b.typcategory = 'A' AND e.oid = b.typelem
WHERE b.typtype <> 'd' ORDER BY b.attnum
"""
_TYPES = "SELECT types FROM kindling.kindling_commits WHERE relid = %s ORDER BY number DESC LIMIT 1"
_SYSTEM = ("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid")
"""Source: PostgreSQL 15 manual, "System Columns"."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A table's columns.

    Attributes:
        look: What the table is.
        columns: The columns as the catalog tells them, in order.
        schema: The neutral schema, in the same order.
    """

    look: Look
    columns: tuple[Column, ...]
    schema: Schema

    def column(self, name: str) -> Column:
        """Return the column of a name, as it is spelled here."""
        return next(column for column in self.columns if column.name == name)


def layout_of(connection: psycopg.Connection, place: Place, entity: str) -> Layout | None:
    """Return the columns of a table or view; None if there is none.

    Raises:
        StoreError: KDL-STORE-307, a column's values have no neutral type.
    """
    found = look(connection, place)
    if found is None:
        return None
    told = connection.execute(_TYPES, (found.oid,)).fetchone() if found.number else None
    remembered = json.loads(str(told[0])) if told else {}
    rows = connection.execute(_COLUMNS, (found.oid,)).fetchall()
    columns = tuple(
        Column(name, kind, base, modifier, is_array, nullable, remembered.get(name, ""))
        for name, kind, base, modifier, is_array, nullable in rows
    )
    fields = (Field(column.name, column.neutral(entity), column.nullable) for column in columns)
    return Layout(found, columns, Schema(tuple(fields)))


def missing(entity: str, place: Place) -> StoreError:
    """Return the error for a table that does not exist."""
    return StoreError(
        "KDL-STORE-001",
        f"{entity!r} does not exist",
        why=f"there is no table {place.shown}",
        hint="run the pipe that makes it, or correct the location in kindling.toml",
        uri=place.shown,
    )


def check_names(entity: str, place: Place, schema: Schema) -> None:
    """Refuse names that PostgreSQL would cut or that are its own.

    Raises:
        StoreError: KDL-STORE-308, a name is too long, holds a NUL or is one of a system column.
    """
    named = [("schema", place.schema), ("table", place.table)]
    named += [("column", field.name) for field in schema.fields]
    for kind, name in named:
        size = len(name.encode())
        if size > LONGEST_NAME:
            why = f"it has {size} bytes, PostgreSQL keeps {LONGEST_NAME}"
        elif "\0" in name:
            why = "it holds a NUL character"
        elif kind == "column" and name in _SYSTEM:
            why = "each table has a system column of that name"
        else:
            continue
        raise StoreError(
            "KDL-STORE-308",
            f"the {kind} {name!r} of {entity!r} is no name in PostgreSQL",
            why=why,
            hint="rename it in the pipe" if kind == "column" else "choose another name or naming.template",
            name=name,
        )
