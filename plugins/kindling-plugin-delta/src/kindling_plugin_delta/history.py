"""The intent `scd2`: each version of a key's row is kept. Not `merge`, which keeps the newest.

The engine finds the rows that are new or changed, so that only those move; deltalake then closes the
old versions and adds the new ones in one commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowOut
from kindling.hooks.storage import Commit, WriteRequest
from kindling.schemas import Field, Schema
from kindling_plugin_delta import commits, drift
from kindling_plugin_delta.comparison import changed_rows, found_schema, refuse_broken, stored_rows
from kindling_plugin_delta.conditions import moment_text, parse_moment
from kindling_plugin_delta.drift import Fit
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.merge import insert_all, unchanged
from kindling_plugin_delta.overwrite import prepare, put
from kindling_plugin_delta.pump import pumped
from kindling_plugin_delta.rowkeys import KeyWatch, sql_name, stored_names
from kindling_plugin_delta.streams import Batches, Outgoing, cast_batches
from kindling_plugin_delta.tables import Table

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"
HISTORY = (Field(FROM, "timestamp"), Field(TO, "timestamp"), Field(CURRENT, "boolean"))
_SINCE, _CLOSES = "__kindling_since", "__kindling_closes"


def historise(table: Table, frame: Frame, request: WriteRequest) -> Commit:
    """Close changed versions at `request.moment` and add the new ones from then on.

    Keys that are missing from the frame stay as they are. Where nothing changed, no version is made.
    """
    earlier = commits.earlier_commit(table, request)
    if earlier is not None:
        return earlier
    for feature in ("arrow-out",) if table.is_native else ("arrow-out", "arrow-in"):
        table.need(feature, "historised")
    _refuse_reserved(table, request.schema)
    keys = stored_names(table.name, request.schema, request.intent.on, "scd2(on=)")
    stored_names(table.name, request.schema, request.intent.track, "scd2(track=)")
    layout = table.layout()
    if layout is None:
        return _first(table, frame, request, keys)
    reserved = tuple(f.name for f in HISTORY)
    stored_names(table.name, layout.schema, reserved, "the history")
    how = drift.fit(table.name, layout.schema, request, reserved=reserved)
    given = how.given()
    keys = stored_names(table.name, given, keys, "scd2(on=)")
    track = stored_names(table.name, given, request.intent.track, "scd2(track=)")
    track = track or tuple(f.name for f in given.fields if f.name not in keys)
    version = prepare(table, layout, how, request, rewrites=False)
    rows = drift.fitted(table.session, frame, how, all_columns=False)
    moved = _Moved(table, request, given, keys)
    changed = moved.batches(_changed(table, rows, layout, keys, track, version))
    first = next(changed, None)
    if first is None:
        return unchanged(table, request, layout, version, how.warnings)
    _commit(moved, _chained(first, changed), how, version)
    return commits.read_back(table, version, request, how.warnings)


def _refuse_reserved(table: Table, frame: Schema) -> None:
    taken = [f.name for f in HISTORY if frame.field(f.name) is not None]
    if taken:
        raise StoreError(
            "KDL-STORE-106",
            f"the pipe of {table.name!r} returns {', '.join(map(repr, taken))}",
            why="scd2 adds valid_from, valid_to and is_current itself",
            hint="rename the column in the pipe",
            columns=taken,
        )


def _first(table: Table, frame: Frame, request: WriteRequest, keys: tuple[str, ...]) -> Commit:
    """Make the table: each row is current from the moment on."""
    watch = KeyWatch(table.name, keys)
    stored = _with_history(request.schema)

    def finish() -> Batches:
        watch.finish()
        return iter(())

    moment = parse_moment(request.moment)
    flow = Outgoing(
        cast("ArrowOut", table.session).to_arrow(frame),
        request.schema,
        request.guard,
        watch=watch.watch,
        finish=finish,
        shape=lambda batch: iter((_opened(batch, moment, arrow_schema(stored)),)),
        delivered=arrow_schema(stored),
    )
    with commits.translated(table, lambda: flow.error):
        put(table, flow, request, mode="error", keys=(*keys, FROM), is_new=True)
    return commits.read_back(table, -1, request)


def _with_history(schema: Schema) -> Schema:
    return Schema((*schema.fields, *HISTORY))


def _opened(batch: pa.RecordBatch, moment: datetime, target: pa.Schema) -> pa.RecordBatch:
    size = batch.num_rows
    since = pa.array([moment] * size, pa.timestamp("us", "UTC"))
    columns = [*batch.columns, since, pa.nulls(size, since.type), pa.array([True] * size)]
    return pa.RecordBatch.from_arrays(columns, schema=target)


def _changed(
    table: Table, rows: Frame, layout: Layout, keys: tuple[str, ...], track: tuple[str, ...], version: int
) -> object:
    """Return a stream of the rows that are new, changed or break the key."""
    known = tuple(name for name in track if layout.schema.field(name) is not None)
    stored = stored_rows(table, layout, (*keys, *known, FROM), version, CURRENT)
    added = tuple(name for name in track if name not in known)
    return changed_rows(table, rows, stored, keys=keys, known=known, added=added, more=((_SINCE, FROM),))


class _Moved:
    """Turns found rows into the merge's source: a closing row for each known key, an opening one for all."""

    def __init__(self, table: Table, request: WriteRequest, given: Schema, keys: tuple[str, ...]) -> None:
        self.table = table
        self.request = request
        self.moment = parse_moment(request.moment)
        self.given = given
        self.keys = keys
        self.source = _with_history(given)
        self.found = found_schema(given, Field(_SINCE, "timestamp"))
        self.schema = arrow_schema(Schema((*self.source.fields, Field(_CLOSES, "boolean"))))

    def batches(self, stream: object) -> Batches:
        """Yield non-empty batches of the merge's source; raises for broken keys and turned-back time."""
        for batch in cast_batches(pumped(stream), self.found):
            refuse_broken(self.table.name, self.keys, batch)
            late = pc.greater(batch.column(_SINCE), pa.scalar(self.moment, batch.column(_SINCE).type))
            place = pc.index(late, value=True).as_py()
            if place >= 0:
                raise self._backwards(batch.select([*self.keys, _SINCE]).slice(place, 1).to_pylist()[0])
            yield from self._exploded(batch)

    def _backwards(self, row: dict[str, object]) -> StoreError:
        since = cast("datetime", row.pop(_SINCE))
        return StoreError(
            "KDL-STORE-112",
            f"the history of {self.table.name!r} would run backwards",
            why=f"the current version of {row} is valid from {moment_text(since)}, "
            f"the run's moment is {moment_text(self.moment)}",
            hint="start a new run: `kindling run`",
        )

    def _exploded(self, batch: pa.RecordBatch) -> Batches:
        given = batch.select(list(self.given.names))
        known = batch.column(_SINCE).is_valid()
        for part, closes in ((given.filter(known), True), (given, False)):
            if part.num_rows:
                whole = _opened(part, self.moment, arrow_schema(self._nullable()))
                flags = pa.array([closes] * part.num_rows)
                yield pa.RecordBatch.from_arrays([*whole.columns, flags], schema=self.schema)

    def _nullable(self) -> Schema:
        return Schema(tuple(Field(f.name, f.type) for f in self.source.fields))


def _chained(first: pa.RecordBatch, rest: Iterable[pa.RecordBatch]) -> Batches:
    yield first
    yield from rest


def _commit(moved: _Moved, batches: Batches, how: Fit, version: int) -> None:
    """Merge onto the version that the rows were compared with: a later commit is a conflict."""
    table, request = moved.table, moved.request
    errors: list[BaseException] = []

    def guarded() -> Batches:
        try:
            yield from batches
            request.guard()
        except BaseException as error:
            errors.append(error)
            raise

    request.guard()
    match = " AND ".join(f"t.{sql_name(key)} = s.{sql_name(key)}" for key in moved.keys)
    with commits.translated(table, lambda: errors[0] if errors else None):
        merger = table.opened(version).merge(
            pa.RecordBatchReader.from_batches(moved.schema, guarded()),
            f"s.{_CLOSES} AND t.{CURRENT} AND {match}",
            source_alias="s",
            target_alias="t",
            merge_schema=bool(how.added),
            commit_properties=commits.properties(request.info, (*moved.keys, FROM)),
        )
        merger = merger.when_matched_update({TO: f"s.{FROM}", CURRENT: "false"})
        insert_all(merger, moved.source.names, predicate=f"NOT s.{_CLOSES}").execute()
