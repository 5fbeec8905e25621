"""Moments: bounds of a time column, and slices as conditions. A wall clock and a date count as UTC."""

from __future__ import annotations

from datetime import date, datetime, timezone

import psycopg

from kindling.addresses import Slice
from kindling.errors import StoreError
from kindling.schemas import Schema
from kindling_plugin_postgres.layout import layout_of, missing
from kindling_plugin_postgres.servers import Place, quoted

KINDS = ("timestamp", "timestamp_ntz", "date")


def time_column(schema: Schema, column: str, part: str) -> tuple[str, str]:
    """Return type and stored name of a time column.

    Raises:
        StoreError: KDL-STORE-309, there is no such column, or its type is none of time.
    """
    found = schema.field(column)
    if found is None or found.type not in KINDS:
        raise StoreError(
            "KDL-STORE-309",
            f"{column!r} cannot be sliced by {part}",
            why=f"its type is {found.type}, expected one of {', '.join(KINDS)}"
            if found
            else f"the columns are {', '.join(schema.names)}",
            hint="name a timestamp or date column in by_time()",
            column=column,
        )
    return found.type, found.name


def condition(schema: Schema, column: str, part: Slice) -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition of the rows inside a slice, with its values; "" for everything.

    Raises:
        StoreError: KDL-STORE-309, the slice cannot be applied.
    """
    if part.kind == "all":
        return "", ()
    if part.kind == "key":
        found = schema.field(column)
        if found is None:
            time_column(schema, column, str(part))
            return "", ()
        return f" WHERE {_escaped(found.name)}::text = %s", (part.key,)
    kind, name = time_column(schema, column, str(part))
    side = _escaped(name) if kind == "timestamp" else f"{_escaped(name)}::timestamp"
    edge = "%s::timestamptz" if kind == "timestamp" else "(%s::timestamptz AT TIME ZONE 'UTC')"
    return f" WHERE {side} >= {edge} AND {side} < {edge}", (part.start, part.end)


def _escaped(name: str) -> str:
    """Return an identifier for a query with values, in which `%` is written twice."""
    return quoted(name).replace("%", "%%")


def bounds_of(
    connection: psycopg.Connection, place: Place, entity: str, column: str
) -> tuple[str, str] | None:
    """Return the least and the greatest finite value, RFC 3339 UTC; None if there is none.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-309, it is no time column.
    """
    layout = layout_of(connection, place, entity)
    if layout is None:
        raise missing(entity, place)
    _, name = time_column(layout.schema, column, "time")
    own, table = quoted(name), f"{quoted(place.schema)}.{quoted(place.table)}"
    query = f"SELECT min({own}), max({own}) FROM {table} WHERE isfinite({own})"  # noqa: S608  # quoted names
    low, high = connection.execute(query.encode()).fetchone() or (None, None)
    if not isinstance(low, date) or not isinstance(high, date):
        return None
    return moment_text(low), moment_text(high)


def moment_text(moment: datetime | date) -> str:
    """Return a time value as RFC 3339 UTC, with a fraction where it has one."""
    if not isinstance(moment, datetime):
        return f"{moment.isoformat()}T00:00:00Z"
    has_zone = moment.tzinfo is not None
    instant = moment.astimezone(timezone.utc) if has_zone else moment.replace(tzinfo=timezone.utc)
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{instant.microsecond:06d}Z" if instant.microsecond else f"{text}Z"
