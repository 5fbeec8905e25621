"""The intent `replace`: some rows make room for others in one commit. Not the whole table.

By slice: deltalake's checked predicate, bounds are looked at on the way. By columns: a merge whose
source ends with one row for each value that occurred, so the frame is computed once.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowOut
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Field, Schema
from kindling_plugin_delta import commits, drift
from kindling_plugin_delta.conditions import (
    column_type,
    first_date,
    moment_text,
    parse_moment,
    slice_condition,
)
from kindling_plugin_delta.drift import Fit
from kindling_plugin_delta.merge import insert_all, unchanged
from kindling_plugin_delta.overwrite import prepare, put
from kindling_plugin_delta.rowkeys import sql_name, stored_names
from kindling_plugin_delta.streams import Batches, Outgoing
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from kindling_plugin_delta.layout import Layout

_DROPS = "__kindling_drops"


def replace(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Replace the rows of a slice, or those whose `by` values occur in the frame.

    Raises:
        StoreError: KDL-STORE-011, a row lies outside of the slice.
    """
    earlier = commits.earlier_commit(table, request)
    if earlier is not None:
        return earlier
    table.need("arrow-out", "replaced in part")
    layout = table.layout()
    how = drift.fit(table.name, layout.schema, request) if layout else drift.new_table(request.schema)
    if request.slice.kind == "interval":
        return _by_slice(table, frame, request, layout, how)
    return _by_columns(table, frame, request, layout, how)


def _by_slice(table: Table, frame: Frame, request: WriteRequest, layout: Layout | None, how: Fit) -> Commit:
    kind, column = column_type(how.schema, request.column, request.slice)
    bounds = _Bounds(table.name, column, kind, request)
    rows = drift.fitted(table.session, frame, how, all_columns=True)
    stream = cast("ArrowOut", table.session).to_arrow(rows)
    flow = Outgoing(stream, how.schema, request.guard, watch=bounds.watch)
    version = prepare(table, layout, how, request, rewrites=False)
    with commits.translated(table, lambda: flow.error):
        put(
            table,
            flow,
            request,
            mode="overwrite",
            schema_mode="merge" if how.added else None,
            predicate=slice_condition(how.schema, column, request.slice, spark=False),
            is_new=layout is None,
        )
    return commits.read_back(table, version, request, how.warnings)


class _Bounds:
    """Refuses rows outside of a slice: the embedded engine would keep them twice."""

    def __init__(self, entity: str, column: str, kind: str, request: WriteRequest) -> None:
        self.entity = entity
        self.column = column
        self.part = request.slice
        low, high = (parse_moment(text) for text in (request.slice.start, request.slice.end))
        edges = (first_date(low), first_date(high)) if kind == "date" else (low, high)
        if kind == "timestamp_ntz":
            edges = (low.replace(tzinfo=None), high.replace(tzinfo=None))
        self.low, self.high = edges

    def watch(self, batch: pa.RecordBatch) -> None:
        """Look at one batch; a null is outside.

        Raises:
            StoreError: KDL-STORE-011, a row is outside; the text shows the first such value.
        """
        column = batch.column(self.column)
        low, high = (pa.scalar(edge, column.type) for edge in (self.low, self.high))
        inside = pc.fill_null(pc.and_(pc.greater_equal(column, low), pc.less(column, high)), fill_value=False)
        place = pc.index(inside, value=False).as_py()
        if place < 0:
            return
        value = column[place].as_py()
        shown = "null" if value is None else moment_text(value)
        raise StoreError(
            "KDL-STORE-011",
            f"a row for {self.entity!r} lies outside of the slice {self.part}",
            why=f"its {self.column!r} is {shown}",
            hint="keep rows in the slice: filter by the column, or use context=True and its slice",
            column=self.column,
            value=str(value) if not isinstance(value, datetime) else value.isoformat(),
        )


def _by_columns(table: Table, frame: Frame, request: WriteRequest, layout: Layout | None, how: Fit) -> Commit:
    given = how.given()
    by = stored_names(table.name, given, request.intent.by or (request.column,), "replace(by=)")
    rows = drift.fitted(table.session, frame, how, all_columns=False)
    stream = cast("ArrowOut", table.session).to_arrow(rows)
    version = prepare(table, layout, how, request, rewrites=False)
    if layout is None:
        flow = Outgoing(stream, given, request.guard)
        with commits.translated(table, lambda: flow.error):
            put(table, flow, request, mode="error", is_new=True)
        return commits.read_back(table, version, request)
    source = _Source(given, by)
    flow = Outgoing(
        stream,
        given,
        request.guard,
        watch=source.watch,
        shape=source.shape,
        finish=source.finish,
        delivered=source.schema,
    )
    with commits.translated(table, lambda: flow.error):
        if not _exchange(table, flow, request, by, merges_schema=bool(how.added)):
            return unchanged(table, request, layout, version, how.warnings)
    return commits.read_back(table, version, request, how.warnings)


class _Source:
    """The merge's source: the frame's rows, then one row for each combination of `by` values."""

    def __init__(self, given: Schema, by: tuple[str, ...]) -> None:
        self.given = given
        self.by = by
        self.schema = arrow_schema(
            Schema((*(Field(f.name, f.type) for f in given.fields), Field(_DROPS, "boolean")))
        )
        self._seen: pa.Table | None = None

    def watch(self, batch: pa.RecordBatch) -> None:
        """Remember the batch's combinations."""
        rows = pa.Table.from_batches([batch.select(list(self.by))])
        both = pa.concat_tables([self._seen, rows]) if self._seen is not None else rows
        self._seen = both.group_by(list(self.by), use_threads=False).aggregate([])

    def shape(self, batch: pa.RecordBatch) -> Batches:
        """Mark a batch as rows to insert."""
        flags = pa.array([False] * batch.num_rows)
        yield pa.RecordBatch.from_arrays([*batch.columns, flags], schema=self.schema)

    def finish(self) -> Batches:
        """Yield the rows that drop the stored ones."""
        if self._seen is None:
            return
        for batch in self._seen.to_batches():
            columns = [
                batch.column(part.name)
                if part.name in self.by
                else pa.array([True] * batch.num_rows)
                if part.name == _DROPS
                else pa.nulls(batch.num_rows, part.type)
                for part in self.schema
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _exchange(
    table: Table, flow: Outgoing, request: WriteRequest, by: tuple[str, ...], *, merges_schema: bool
) -> bool:
    """Run the merge; return whether it changed a row."""
    request.guard()
    match = " AND ".join(f"(t.{sql_name(name)} IS NOT DISTINCT FROM s.{sql_name(name)})" for name in by)
    merger = table.opened().merge(
        flow.reader(),
        f"s.{_DROPS} AND {match}",
        source_alias="s",
        target_alias="t",
        merge_schema=merges_schema,
        commit_properties=commits.properties(request.info),
    )
    merger = merger.when_matched_delete()
    done = insert_all(merger, flow.schema.names, predicate=f"NOT s.{_DROPS}").execute()
    return bool(done["num_target_rows_inserted"] or done["num_target_rows_deleted"])
