"""Rows on their way into a table: streamed by COPY into a temporary table of the same transaction.

So locks on the table itself are short, keys can be looked at, and nothing remains of a write that fails.
"""

from __future__ import annotations

from contextlib import closing
from typing import cast

import psycopg
import pyarrow as pa

from kindling.errors import KindlingError
from kindling.hooks import Frame
from kindling.hooks.platform import ArrowOut, Session
from kindling.schemas import Schema
from kindling_plugin_postgres.encoding import Encoder
from kindling_plugin_postgres.kinds import stored_type
from kindling_plugin_postgres.servers import quoted

NAME = "pg_temp.kindling_rows"


def stage(
    connection: psycopg.Connection, session: Session, frame: Frame, entity: str, schema: Schema
) -> None:
    """Compute a frame into the temporary table; it ends with the transaction.

    Args:
        connection: In a transaction.
        session: The frame's session.
        frame: Exactly the columns of `schema`.
        entity: Name for errors.
        schema: The columns, named as the table names them.
    """
    columns = ", ".join(f"{quoted(field.name)} {stored_type(field.type)}" for field in schema.fields)
    connection.execute(f"CREATE TEMPORARY TABLE kindling_rows ({columns}) ON COMMIT DROP".encode())
    encoder = Encoder(entity, schema)
    stream = cast("ArrowOut", session).to_arrow(frame)
    batches = (
        stream.to_batches() if isinstance(stream, pa.Table) else pa.RecordBatchReader.from_stream(stream)
    )
    names = ", ".join(quoted(field.name) for field in schema.fields)
    with closing(connection.cursor()) as cursor:
        _copy(cursor, f"COPY {NAME} ({names}) FROM STDIN (FORMAT csv)", encoder, batches)


def _copy(cursor: psycopg.Cursor, command: str, encoder: Encoder, batches: object) -> None:
    cause: BaseException | None = None
    try:
        with cursor.copy(command.encode()) as copy:
            try:
                for batch in batches:  # type: ignore[attr-defined]  # a list or a reader of batches
                    for piece in encoder.pieces(batch):
                        copy.write(piece)
            except psycopg.Error:
                raise
            except BaseException as error:  # the engine's or a check's: what psycopg makes of it hides it
                cause = error
                raise
    except (psycopg.Error, KindlingError):
        if cause is not None:
            raise cause from None
        raise
