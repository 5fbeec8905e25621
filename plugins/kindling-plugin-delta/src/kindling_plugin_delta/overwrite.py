"""The intents `overwrite` and `append`: native where the engine can, else streamed as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from kindling.hooks import Frame
from kindling.hooks.platform import ArrowOut, Paths, PathWrite
from kindling.hooks.storage import Commit, WriteRequest
from kindling_plugin_delta import commits, drift
from kindling_plugin_delta.drift import Fit
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.streams import Outgoing
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from deltalake import DeltaTable


def write(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Write a frame in one commit.

    Widening types on append rewrites the table's files in a commit of its own before.
    """
    names = table.log.names()
    earlier = commits.earlier_commit(table, request, names)
    if earlier is not None:
        return earlier
    layout = table.layout(names)
    replaces = request.intent.name != "append"
    if layout is None or (replaces and request.drift == "replace"):
        how = drift.new_table(request.schema, instead_of=layout.schema if layout else None)
    else:
        how = drift.fit(table.name, layout.schema, request)
    rows = drift.fitted(table.session, frame, how, all_columns=True)
    if _is_native(table, layout, how, replaces=replaces):
        return _native(table, rows, request, layout, how)
    table.need("arrow-out", "written")
    return _streamed(table, rows, request, layout, how)


def _is_native(table: Table, layout: Layout | None, how: Fit, *, replaces: bool) -> bool:
    """Tell whether the engine itself may commit: it adds no columns on append and feeds no changes."""
    if not table.is_native:
        return False
    if layout is None:
        return not table.change_feed
    return not layout.feeds_changes and (replaces or not how.changes_table)


def _native(table: Table, rows: Frame, request: WriteRequest, layout: Layout | None, how: Fit) -> Commit:
    replaces = request.intent.name != "append"
    target = PathWrite(
        "delta",
        table.place,
        "overwrite" if replaces else "append",
        partition_by=layout.partition_by if layout else request.partition_by,
        user_metadata=commits.native_metadata(request.info),
        overwrite_schema=replaces and how.changes_table,
    )
    request.guard()
    with commits.translated(table):
        cast("Paths", table.session).save(rows, target)
    before = layout.version if layout else -1
    names = table.log.names()
    if (table.log.newest(names) or (-1, ""))[0] == before:
        # Sail makes no commit where no row comes or goes; ours must carry its cursors all the same.
        return _streamed(table, rows, request, layout, how)
    return commits.read_back(table, before, request, how.warnings, names)


def _streamed(table: Table, rows: Frame, request: WriteRequest, layout: Layout | None, how: Fit) -> Commit:
    replaces = request.intent.name != "append"
    version = prepare(table, layout, how, request, rewrites=replaces)
    flow = Outgoing(cast("ArrowOut", table.session).to_arrow(rows), how.schema, request.guard)
    with commits.translated(table, lambda: flow.error):
        put(
            table,
            flow,
            request,
            mode="overwrite" if replaces else "append",
            schema_mode=_schema_mode(how, replaces=replaces),
            is_new=layout is None,
        )
    return commits.read_back(table, version, request, how.warnings)


def _schema_mode(how: Fit, *, replaces: bool) -> Literal["merge", "overwrite"] | None:
    if not how.changes_table:
        return None
    return "overwrite" if replaces else "merge"


def put(  # the arguments of one library call, all but two by name
    table: Table,
    flow: Outgoing,
    request: WriteRequest,
    *,
    mode: Literal["error", "append", "overwrite"],
    schema_mode: Literal["merge", "overwrite"] | None = None,
    predicate: str | None = None,
    keys: tuple[str, ...] = (),
    is_new: bool = False,
) -> None:
    """Write a stream with deltalake, in one commit that carries the request's info.

    Of two that make a table at once, one is told.
    """
    from deltalake import write_deltalake

    request.guard()
    write_deltalake(  # type: ignore[misc]  # its stubs have one overload per mode
        table.place,
        flow.reader(),
        mode="error" if is_new else mode,  # type: ignore[arg-type]  # the same
        schema_mode=schema_mode,
        predicate=None if is_new else predicate,
        partition_by=list(request.partition_by) or None if is_new else None,
        configuration=creation_settings(table) if is_new else None,
        storage_options=table.storage_options or None,
        commit_properties=commits.properties(request.info, keys, is_new=is_new),
    )


def creation_settings(table: Table) -> dict[str, str | None] | None:
    """Return the properties of a new table."""
    return {"delta.enableChangeDataFeed": "true"} if table.change_feed else None


def prepare(table: Table, layout: Layout | None, how: Fit, request: WriteRequest, *, rewrites: bool) -> int:
    """Widen types and drop NOT NULL before a write that keeps rows; return the version to write on.

    Effects: for widened types one commit that rewrites the files, for relaxed ones one each; rows
    stay as they are, so a write that fails afterwards leaves the entity's rows untouched.
    """
    if layout is None:
        return -1
    if rewrites or not (how.widened or how.relaxed):
        return layout.version
    request.guard()
    with commits.translated(table):
        target = table.opened()
        if how.widened:
            _rewrite_wider(table, target, layout, how)
        else:
            for column in how.relaxed:
                target.alter.drop_column_not_null(column)
    return table.opened().version()


def _rewrite_wider(table: Table, target: DeltaTable, layout: Layout, how: Fit) -> None:
    """Rewrite all files with wider types: readers without type widening would misread old files."""
    from deltalake import write_deltalake

    from kindling.schemas import Schema

    kept = Schema(how.schema.fields[: len(layout.schema.fields)])
    flow = Outgoing(target.scan(), kept, guard=lambda: None)
    write_deltalake(
        target,
        flow.reader(),
        mode="overwrite",
        schema_mode="overwrite",
        partition_by=list(layout.partition_by) or None,
        storage_options=table.storage_options or None,
    )
