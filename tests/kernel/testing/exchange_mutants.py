"""Platforms with one fault each in what they exchange: Arrow, files, tables, statements."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from full_platform import FullSession
from platform_mutants import session_mutant

from kindling.hooks import Frame
from kindling.hooks.platform import PathRead, PathWrite, Rows
from kindling.schemas import Schema
from kindling.testing.memory_platform import lazy


@session_mutant("each_neutral_type_travels_unchanged_or_is_refused")
class LosesDecimals(FullSession):
    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        return lazy(super().from_arrow(stream, schema)).with_columns(pl.selectors.decimal().cast(pl.Float64))


@session_mutant("arrow_instants_stay_the_same_instants")
class ShiftsArrowInstants(FullSession):
    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        moved = pl.selectors.datetime() + pl.duration(hours=2)
        return lazy(super().from_arrow(stream, schema)).with_columns(moved)


@session_mutant("a_stream_of_several_batches_is_taken")
class TakesTheFirstBatch(FullSession):
    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        return super().from_arrow(pa.Table.from_batches(pa.table(stream).to_batches()[:1]), schema)


@session_mutant("an_empty_frame_has_its_schema_in_arrow")
class EmptyArrowHasNoColumns(FullSession):
    def to_arrow(self, frame: Frame) -> object:
        found = pa.table(super().to_arrow(frame))
        return found if len(found) else pa.table({})


@session_mutant("arrow_has_the_types_of_the_schema")
class ArrowIsAllLong(FullSession):
    def to_arrow(self, frame: Frame) -> object:
        found = pa.table(super().to_arrow(frame))
        wide = [f.with_type(pa.int64()) if pa.types.is_int32(f.type) else f for f in found.schema]
        return found.cast(pa.schema(wide))


@session_mutant("arrow_keeps_the_order_of_a_query")
class ArrowLosesTheOrder(FullSession):
    def to_arrow(self, frame: Frame) -> object:
        found = pa.table(super().to_arrow(frame))
        return found.take(pc.sort_indices(found, [(found.column_names[0], "ascending")]))


@session_mutant("a_failing_frame_fails_on_its_way_to_arrow")
class ArrowSwallowsErrors(FullSession):
    def to_arrow(self, frame: Frame) -> object:
        try:
            return super().to_arrow(frame)
        except (ValueError, pl.exceptions.ComputeError):
            return pa.table({})


@session_mutant("parquet_files_are_written_and_read", "parquet_modes_append_overwrite_and_refuse")
class LosesARow(FullSession):
    def load(self, source: PathRead) -> Frame:
        return lazy(super().load(source)).slice(1)


@session_mutant("parquet_modes_append_overwrite_and_refuse")
class NeverRefuses(FullSession):
    def save(self, frame: Frame, target: PathWrite) -> None:
        super().save(frame, replace(target, mode="append" if target.mode == "error" else target.mode))


@session_mutant("several_parquet_folders_are_read_as_one_frame")
class ReadsTheFirstFolder(FullSession):
    def load(self, source: PathRead) -> Frame:
        return super().load(replace(source, uris=source.uris[:1]))


@session_mutant("parquet_is_partitioned_as_asked")
class IgnoresPartitions(FullSession):
    def save(self, frame: Frame, target: PathWrite) -> None:
        super().save(frame, replace(target, partition_by=()))


@session_mutant("a_delta_commit_carries_its_metadata")
class DropsMetadata(FullSession):
    def save(self, frame: Frame, target: PathWrite) -> None:
        super().save(frame, replace(target, user_metadata=""))


@session_mutant("delta_appends_overwrites_and_reads_older_versions")
class IgnoresVersions(FullSession):
    def load(self, source: PathRead) -> Frame:
        return super().load(replace(source, version=None))


@session_mutant("delta_takes_a_new_schema_only_where_asked")
class NeverTakesANewSchema(FullSession):
    def save(self, frame: Frame, target: PathWrite) -> None:
        super().save(frame, replace(target, overwrite_schema=False))


@session_mutant("nothing_is_visible_of_a_failed_delta_write")
class CommitsBeforeComputing(FullSession):
    def save(self, frame: Frame, target: PathWrite) -> None:
        if target.mode == "append" and target.format == "delta":
            empty = self.schema(frame)
            nothing = self.from_arrow(
                pa.table(super().to_arrow(self.load(PathRead("delta", (target.uri,))))), empty
            )
            super().save(nothing, target)
        super().save(frame, target)


@session_mutant("a_statement_brings_its_rows")
class StatementsBringNothing(FullSession):
    def execute(self, statement: str) -> Rows:
        super().execute(statement)
        return Rows((), ())


@session_mutant("a_statement_changes_a_delta_table_by_its_path")
class StatementsChangeNothing(FullSession):
    def execute(self, statement: str) -> Rows:
        return Rows((), ()) if statement.startswith("DELETE") else super().execute(statement)
