"""The intent `merge`: upsert by keys in one commit, with deltalake. Not SCD2: see `history`.

Sail's own MERGE loses our commit metadata, so every session goes this way; rows are streamed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import pyarrow as pa

from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowOut
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_delta import commits, drift
from kindling_plugin_delta.comparison import (
    can_compare,
    changed_rows,
    found_schema,
    refuse_broken,
    stored_rows,
)
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.overwrite import prepare, put
from kindling_plugin_delta.rowkeys import KeyWatch, sql_name, stored_names
from kindling_plugin_delta.streams import Batches, Outgoing
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from deltalake.table import TableMerger


def merge(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Upsert by `request.intent.on`.

    Where the engine reads the table itself, rows that are equal already are not written again, and a
    merge that changes nothing makes no version, unless a cursor has to move.
    """
    earlier = commits.earlier_commit(table, request)
    if earlier is not None:
        return earlier
    table.need("arrow-out", "merged into")
    stored_names(table.name, request.schema, request.intent.on, "merge(on=)")
    layout = table.layout()
    how = drift.fit(table.name, layout.schema, request) if layout else drift.new_table(request.schema)
    keys = stored_names(table.name, how.given(), request.intent.on, "merge(on=)")
    rows = drift.fitted(table.session, frame, how, all_columns=False)
    version = prepare(table, layout, how, request, rewrites=False)
    if layout is None:
        flow = _whole(table, rows, request, how.given(), keys)
        with commits.translated(table, lambda: flow.error):
            put(table, flow, request, mode="error", keys=keys, is_new=True)
        return commits.read_back(table, version, request)
    current = table.known_layout() if version != layout.version else layout
    compares = can_compare(table, current, how.given())
    made = _changed if compares else _whole
    flow = made(table, rows, request, how.given(), keys)
    with commits.translated(table, lambda: flow.error):
        if not _upsert(table, flow, request, keys, version=version, adds=bool(how.added)):
            return unchanged(table, request, current, version, how.warnings)
    return commits.read_back(table, version, request, how.warnings)


def _whole(
    table: Table, rows: Frame, request: WriteRequest, given: Schema, keys: tuple[str, ...]
) -> Outgoing:
    """Return all rows; their keys are watched."""
    watch = KeyWatch(table.name, keys)

    def finish() -> Batches:
        watch.finish()
        return iter(())

    stream = cast("ArrowOut", table.session).to_arrow(rows)
    return Outgoing(stream, given, request.guard, watch=watch.watch, finish=finish)


def _changed(
    table: Table, rows: Frame, request: WriteRequest, given: Schema, keys: tuple[str, ...]
) -> Outgoing:
    """Return the rows that are new or differ."""
    layout = table.known_layout()
    values = [name for name in given.names if name not in keys]
    known = [name for name in values if layout.schema.field(name) is not None]
    stored = stored_rows(table, layout, (*keys, *known), layout.version)
    added = [name for name in values if name not in known]
    stream = changed_rows(table, rows, stored, keys=keys, known=known, added=added)
    target = arrow_schema(given)
    return Outgoing(
        stream,
        found_schema(given),
        request.guard,
        watch=lambda batch: refuse_broken(table.name, keys, batch),
        shape=lambda batch: iter((pa.RecordBatch.from_arrays(batch.columns[: len(target)], schema=target),)),
        delivered=target,
    )


def _upsert(  # a merge has many sides
    table: Table, flow: Outgoing, request: WriteRequest, keys: tuple[str, ...], *, version: int, adds: bool
) -> bool:
    """Run the merge on the version that was looked at; return whether it changed a row."""
    request.guard()
    names = (flow.delivered or arrow_schema(flow.schema)).names
    values = [name for name in names if name not in keys] or list(keys)
    merger = table.opened(version).merge(
        flow.reader(),
        " AND ".join(f"t.{sql_name(key)} = s.{sql_name(key)}" for key in keys),
        source_alias="s",
        target_alias="t",
        merge_schema=adds,
        commit_properties=commits.properties(request.info, keys),
    )
    merger = merger.when_matched_update({sql_name(name): f"s.{sql_name(name)}" for name in values})
    done = insert_all(merger, names).execute()
    return bool(done["num_target_rows_inserted"] or done["num_target_rows_updated"])


def insert_all(merger: TableMerger, names: Iterable[str], predicate: str | None = None) -> TableMerger:
    """Add the insertion of columns of the source."""
    columns = {sql_name(name): f"s.{sql_name(name)}" for name in names}
    return merger.when_not_matched_insert(columns, predicate=predicate)


def unchanged(
    table: Table, request: WriteRequest, layout: Layout, version: int, warnings: tuple[str, ...]
) -> Commit:
    """Return the current version; commit an empty one where a cursor moves or a schema changed before."""
    if not commits.moves_cursors(table, request.info.cursors):
        return commits.current(table, warnings)
    request.guard()
    target = table.opened()
    target.create_write_transaction(
        [],
        "append",
        target.schema(),
        partition_by=list(layout.partition_by) or None,
        commit_properties=commits.properties(request.info),
    )
    return commits.read_back(table, version, request, warnings)
