"""The intent `merge`: upsert by keys in one commit, with deltalake. Not SCD2: see `history`.

Sail's own MERGE loses our commit metadata, so every session goes this way; rows are streamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kindling.hooks import Frame
from kindling.hooks.platform import ArrowOut
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_delta import commits, drift
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.overwrite import prepare, put
from kindling_plugin_delta.rowkeys import KeyWatch, sql_name, stored_names
from kindling_plugin_delta.streams import Batches, Outgoing
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from deltalake.table import TableMerger


def merge(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Upsert by `request.intent.on`; rows that are equal already are not written again.

    A merge that changes nothing makes no new version, unless a cursor has to move.
    """
    earlier = commits.earlier_commit(table, request)
    if earlier is not None:
        return earlier
    table.need("arrow-out", "merged into")
    stored_names(table.name, request.schema, request.intent.on, "merge(on=)")
    layout = table.layout()
    how = drift.fit(table.name, layout.schema, request) if layout else drift.new_table(request.schema)
    given = how.given()
    keys = stored_names(table.name, given, request.intent.on, "merge(on=)")
    rows = drift.fitted(table.session, frame, how, all_columns=False)
    watch = KeyWatch(table.name, keys)
    flow = Outgoing(
        cast("ArrowOut", table.session).to_arrow(rows),
        given,
        request.guard,
        watch=watch.watch,
        finish=lambda: _finish(watch),
    )
    version = prepare(table, layout, how, request, rewrites=False)
    with commits.translated(table, lambda: flow.error):
        if layout is None:
            put(table, flow, request, mode="error", keys=keys, is_new=True)
        elif not _upsert(table, flow, request, keys, merges_schema=bool(how.added)):
            return unchanged(table, request, layout, version, how.warnings)
    return commits.read_back(table, version, request, how.warnings)


def _finish(watch: KeyWatch) -> Batches:
    watch.finish()
    return iter(())


def _upsert(
    table: Table, flow: Outgoing, request: WriteRequest, keys: tuple[str, ...], *, merges_schema: bool
) -> bool:
    """Run the merge; return whether it changed a row."""
    request.guard()
    target = table.opened()
    known = {name.lower() for name in (f.name for f in target.schema().fields)}
    values = [f for f in flow.schema.fields if f.name not in keys]
    merger = target.merge(
        flow.reader(),
        " AND ".join(f"t.{sql_name(key)} = s.{sql_name(key)}" for key in keys),
        source_alias="s",
        target_alias="t",
        merge_schema=merges_schema,
        commit_properties=commits.properties(request.info, keys),
    )
    if values:
        merger = merger.when_matched_update(
            {sql_name(f.name): f"s.{sql_name(f.name)}" for f in values},
            predicate=_differs(Schema(tuple(values)), known),
        )
    done = insert_all(merger, flow.schema).execute()
    return bool(done["num_target_rows_inserted"] or done["num_target_rows_updated"])


def _differs(values: Schema, known: set[str]) -> str | None:
    """Return the condition of a changed row; None where a map among them cannot be compared."""
    if any("map<" in f.type for f in values.fields):
        return None
    terms = (
        f"(s.{sql_name(f.name)} IS DISTINCT FROM t.{sql_name(f.name)})"
        if f.name.lower() in known
        else f"(s.{sql_name(f.name)} IS NOT NULL)"
        for f in values.fields
    )
    return " OR ".join(terms)


def insert_all(merger: TableMerger, schema: Schema, predicate: str | None = None) -> TableMerger:
    """Add the insertion of all columns of the source's schema."""
    return merger.when_not_matched_insert(
        {sql_name(f.name): f"s.{sql_name(f.name)}" for f in schema.fields}, predicate=predicate
    )


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
