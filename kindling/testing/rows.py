"""Small frames from Python rows, and rows from frames, on any session. Not for large data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal

from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowIn, ArrowOut, Session
from kindling.schemas import Schema, parse_schema

Row = tuple[object, ...]


def arrow_table(schema: Schema | str, rows: Iterable[Sequence[object]]) -> object:
    """Return a `pyarrow.Table` of exactly the neutral schema."""
    import pyarrow as pa

    wanted = arrow_schema(parse_schema(schema))
    lines = [tuple(row) for row in rows]
    columns = [
        pa.array([line[place] for line in lines], wanted.field(place).type) for place in range(len(wanted))
    ]
    return pa.Table.from_arrays(columns, schema=wanted)


def arrow_rows(stream: object) -> list[Row]:
    """Return the rows of anything with `__arrow_c_stream__`; timestamps with a zone are UTC."""
    import pyarrow as pa

    table = pa.table(stream)
    if not len(table):
        return []
    return [in_utc(row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]


def sql_frame(session: Session, schema: Schema | str, rows: Iterable[Sequence[object]]) -> Frame:
    """Return a frame made of a Spark SQL text alone, for sessions without `arrow-in`."""
    fields = parse_schema(schema).fields
    lines = [tuple(row) for row in rows]
    body = lines or [(None,) * len(fields)]
    selects = [
        "SELECT "
        + ", ".join(
            f"CAST({literal(value)} AS {field.type}) AS `{field.name}`"
            for field, value in zip(fields, line, strict=True)
        )
        for line in body
    ]
    frame = session.sql(" UNION ALL ".join(selects), {})
    return frame if lines else session.where(frame, "1 = 0")


def frame_of(session: Session, schema: Schema | str, rows: Iterable[Sequence[object]]) -> Frame:
    """Return a frame of Python rows: by Arrow where the session takes it, else by SQL."""
    neutral = parse_schema(schema)
    if isinstance(session, ArrowIn) and "arrow-in" in session.features:
        return session.from_arrow(arrow_table(neutral, rows), neutral)
    return sql_frame(session, neutral, rows)


def rows_of(session: Session, frame: Frame) -> list[Row]:
    """Return a frame's rows in its order: by Arrow where the session gives it, else by preview."""
    if isinstance(session, ArrowOut) and "arrow-out" in session.features:
        return arrow_rows(session.to_arrow(frame))
    return [in_utc(row) for row in session.preview(frame, 1_000_000).rows]


def in_utc(row: Sequence[object]) -> Row:
    """Return a row whose instants all have the same time zone object, so that they look equal too."""
    return tuple(
        value.astimezone(timezone.utc) if isinstance(value, datetime) and value.tzinfo else value
        for value in row
    )


def ordered(rows: Iterable[Sequence[object]]) -> list[Row]:
    """Return rows in one order that depends on their values alone, nulls and mixed types allowed."""
    return sorted((tuple(row) for row in rows), key=repr)


def literal(value: object) -> str:
    """Return a Python value as a Spark SQL literal.

    Raises:
        TypeError: The value is of another type than None, bool, int, float, Decimal, str, date, datetime.
    """
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc) if value.tzinfo else value
        return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if isinstance(value, (bool, int, float, Decimal)):
        return str(value).upper()
    msg = f"{value!r} has no literal"
    raise TypeError(msg)
