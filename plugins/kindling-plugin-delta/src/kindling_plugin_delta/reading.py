"""How a table becomes a frame: natively, from its Parquet files, or as an Arrow stream. Not changes."""

from __future__ import annotations

from typing import cast

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import ArrowIn, PathRead, Paths
from kindling.hooks.storage import ReadRequest
from kindling.schemas import Schema
from kindling_plugin_delta.conditions import slice_condition
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.probe import make_token
from kindling_plugin_delta.streams import Incoming
from kindling_plugin_delta.tables import Table, missing_table


def read(table: Table, request: ReadRequest) -> Frame:
    """Return the rows of a version and a slice, lazily.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-002, the version is gone.
    """
    version = None if request.version is None else version_number(table, request.version)
    if table.is_native:
        if table.log.newest() is None:
            raise missing_table(table)
        frame = cast("Paths", table.session).load(PathRead("delta", (table.place,), version=version))
        if request.slice.kind == "all":
            return frame
        schema = table.session.schema(frame)
        condition = slice_condition(schema, request.column, request.slice, spark=True)
        return table.session.where(frame, condition)
    layout = table.known_layout()
    if version is not None and version != layout.version:
        return from_scan(table, _schema_at(table, version), request, version=version)
    if _reads_files(table, layout) and (frame := from_files(table, layout)) is not None:
        condition = slice_condition(layout.schema, request.column, request.slice, spark=True)
        return table.session.where(frame, condition) if condition else frame
    return from_scan(table, layout.schema, request, version=layout.version)


def _reads_files(table: Table, layout: Layout) -> bool:
    return table.has_paths and layout.plain_files


def from_files(table: Table, layout: Layout) -> Frame | None:
    """Return the frame of a table's Parquet files; None where some lack a column, or there are none."""
    target = table.opened(layout.version)
    uris = tuple(target.file_uris())
    if not uris or not _all_have_columns(target.get_add_actions(flatten=True), layout.schema):
        return None
    return cast("Paths", table.session).load(PathRead("parquet", uris, schema=layout.schema))


def _all_have_columns(adds: object, schema: Schema) -> bool:
    """Tell from the statistics whether each file has each column: files before an evolution do not.

    Engines keep statistics of atoms, and only of the first 32 columns; without them we cannot know.
    """
    import pyarrow as pa

    rows = pa.RecordBatchReader.from_stream(adds).read_all()
    names = set(rows.column_names)
    if rows.num_rows == 1 and "num_records" not in names:
        return False
    for column in schema.fields:
        found = f"null_count.{column.name}"
        if found not in names or rows.column(found).null_count:
            return False
    return True


def from_scan(table: Table, schema: Schema, request: ReadRequest, *, version: int) -> Frame:
    """Return the frame of an Arrow stream that deltalake reads, slices pushed down."""
    table.need("arrow-in", "read")
    condition = slice_condition(schema, request.column, request.slice, spark=False)
    target = table.opened(version)
    stream = Incoming(lambda: target.scan(predicate=condition or None), schema)
    return cast("ArrowIn", table.session).from_arrow(stream, schema)


def _schema_at(table: Table, version: int) -> Schema:
    from kindling_plugin_delta.columns import neutral_columns

    return neutral_columns(table.opened(version).schema().to_json())


def version_number(table: Table, token: str) -> int:
    """Return the number of a version token; a bare number, as people read it in tables, is one too.

    Raises:
        StoreError: KDL-STORE-002, the token is none of this table, or its log entry is gone.
    """
    digits, dash, _ = token.partition("-")
    number = int(digits) if digits.isdecimal() else -1
    newest = table.log.newest()
    if newest is None:
        raise missing_table(table)
    try:
        content = table.log.read(_snapshot_name(newest, number))
        if not dash or make_token(number, content) == token:
            return number
        found = "the commit of that number is another one: the table was made anew"
    except FileNotFoundError:
        found = "no commit of that number is left in its log"
    raise StoreError(
        "KDL-STORE-002",
        f"{table.name!r} cannot be read at version {token!r}",
        why=f"{found}; the newest version is {table.log.token()}",
        hint="read the newest version",
        version=token,
    )


def _snapshot_name(newest: tuple[int, str], number: int) -> str:
    from kindling_plugin_delta.probe import commit_name

    return newest[1] if newest[0] == number else commit_name(number)
