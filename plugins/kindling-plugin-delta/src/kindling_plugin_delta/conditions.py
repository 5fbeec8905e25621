"""Slices as conditions in Spark SQL and in deltalake's SQL. Not a translator between the two."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from kindling.addresses import Slice
from kindling.errors import StoreError
from kindling.schemas import Schema
from kindling_plugin_delta.drift import quoted


def slice_condition(schema: Schema, column: str, part: Slice, *, spark: bool) -> str:
    """Return the condition of the rows inside a slice; "" for everything.

    A date counts as its midnight in UTC, a wall clock as UTC.

    Args:
        schema: The table's columns.
        column: The column that the slice applies to.
        part: The slice.
        spark: Whether the text is Spark SQL; else it is deltalake's (DataFusion).

    Raises:
        StoreError: KDL-STORE-108, there is no such column or its type cannot be sliced.
    """
    if part.kind == "all":
        return ""
    kind, name = column_type(schema, column, part)
    left = quoted(name) if spark else '"' + name.replace('"', '""') + '"'
    if part.kind == "key":
        # In Spark two quotes in a row join two texts.
        text = part.key.replace("\\", "\\\\").replace("'", "\\'") if spark else part.key.replace("'", "''")
        return f"CAST({left} AS {'STRING' if spark else 'VARCHAR'}) = '{text}'"
    low, high = (_literal(kind, moment, spark=spark) for moment in (part.start, part.end))
    return f"{left} >= {low} AND {left} < {high}"


def column_type(schema: Schema, column: str, part: Slice) -> tuple[str, str]:
    """Return the type and the stored name of a slice's column; raises KDL-STORE-108."""
    found = schema.field(column)
    kinds = ("timestamp", "timestamp_ntz", "date")
    if found is None or (part.kind == "interval" and found.type not in kinds):
        raise StoreError(
            "KDL-STORE-108",
            f"{column!r} cannot be sliced by {part}",
            why=f"its type is {found.type}, expected one of {', '.join(kinds)}"
            if found
            else f"the columns are {', '.join(schema.names)}",
            hint="name a timestamp or date column in by_time()",
            column=column,
        )
    return found.type, found.name


def _literal(kind: str, moment: str, *, spark: bool) -> str:
    instant = parse_moment(moment)
    if kind == "date":
        return f"DATE '{first_date(instant).isoformat()}'"
    wall = instant.strftime("%Y-%m-%d %H:%M:%S.%f")
    if spark:
        return f"TIMESTAMP_NTZ '{wall}'" if kind == "timestamp_ntz" else f"TIMESTAMP '{wall}+00:00'"
    # A plain literal is one of nanoseconds there, which an overwrite's predicate does not compare.
    zone = "None" if kind == "timestamp_ntz" else 'Some("UTC")'
    return f"arrow_cast('{wall}', 'Timestamp(Microsecond, {zone})')"


def first_date(instant: datetime) -> date:
    """Return the first date whose midnight is not before an instant."""
    day = instant.date()
    return day if instant.time() == datetime.min.time() else day + timedelta(days=1)


def parse_moment(text: str) -> datetime:
    """Return an RFC 3339 text as an aware UTC datetime."""
    return datetime.fromisoformat(text).astimezone(timezone.utc)


def moment_text(moment: datetime | date) -> str:
    """Return a time value as RFC 3339 UTC, with a fraction where it has one; wall clocks count as UTC."""
    if not isinstance(moment, datetime):
        return f"{moment.isoformat()}T00:00:00Z"
    instant = (
        moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    )
    text = instant.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{instant.microsecond:06d}Z" if instant.microsecond else f"{text}Z"
