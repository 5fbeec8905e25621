"""Storages with one fault each in an intent that looks at keys: merge, scd2, replace."""

from __future__ import annotations

from dataclasses import replace

from storage_mutants import store_mutant

from kindling.addresses import Slice
from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.storage import Commit, WriteRequest
from kindling.intents import append, overwrite
from kindling.testing.memory_storage import MemoryStore, key_of
from kindling.testing.memory_tables import Line, place


@store_mutant("merging_updates_known_keys_and_inserts_new_ones")
class MergeNeverUpdates(MemoryStore):
    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        if self.newest is None:
            return super().merge(frame, request)
        known = [str(line["k"]) for line in self.newest.lines]
        return super().merge(self.session.where(frame, f"NOT k IN ({', '.join(known)})"), request)


@store_mutant("merging_overwrites_with_nulls_too")
class MergeKeepsOldForNull(MemoryStore):
    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        return super().merge(self.session.where(frame, "v IS NOT NULL OR k IS NULL"), request)


@store_mutant("several_columns_make_one_key")
class MergesByTheFirstColumn(MemoryStore):
    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        intent = request.intent.replace(on=request.intent.on[:1])
        try:
            return super().merge(frame, replace(request, intent=intent))
        except StoreError:
            return super().merge(frame, request)


@store_mutant("merging_null_or_double_keys_is_refused")
class MergesAnyKey(MemoryStore):
    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        try:
            return super().merge(frame, request)
        except StoreError:
            return self.write(frame, replace(request, intent=append()))


def patched(store: MemoryStore, line: Line) -> None:
    """Change every row of the newest version."""
    version = store.tables[place(store.address)].versions[-1]
    version.lines = [{**old, **line} for old in version.lines]


@store_mutant("the_first_load_of_a_history_is_current")
class FirstLoadIsClosed(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        first = self.newest is None
        done = super().historise(frame, request)
        if first:
            patched(self, {"is_current": False})
        return done


@store_mutant("a_history_keeps_its_columns_and_adds_three")
class HistoryLosesAColumn(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        done = super().historise(frame, request)
        version = self.tables[place(self.address)].versions[-1]
        version.schema = version.schema.replace(fields=version.schema.fields[:-1])
        return done


@store_mutant("a_change_closes_the_old_row_and_adds_a_new_one")
class DropsHistory(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        done = super().historise(frame, request)
        version = self.tables[place(self.address)].versions[-1]
        version.lines = [line for line in version.lines if line["is_current"]]
        return done


@store_mutant("an_unchanged_key_adds_no_version")
class EveryLoadIsAVersion(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        version = self.newest
        if version:
            version.lines = [{**line, "was": line["v"], "v": "\0"} for line in version.lines]
        done = super().historise(frame, request)
        lines = self.tables[place(self.address)].versions[-1].lines
        for line in lines:
            line["v"] = None if line["v"] == "\0" else line["v"]
        return done


@store_mutant("from_null_and_to_null_are_changes")
class NullIsNoChange(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        if self.newest is None:
            return super().historise(frame, request)
        return super().historise(self.session.where(frame, "v IS NOT NULL"), request)


@store_mutant("only_tracked_columns_make_versions")
class TracksEverything(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        return super().historise(frame, replace(request, intent=request.intent.replace(track=())))


@store_mutant("a_history_of_null_or_double_keys_is_refused")
class HistorisesGoodKeysOnly(MemoryStore):
    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        try:
            return super().historise(frame, request)
        except StoreError:
            return super().historise(self.session.where(frame, "k = 5"), request)


@store_mutant("replacing_takes_out_only_rows_whose_values_occur", "replacing_with_no_rows_takes_nothing_out")
class ReplacesEverything(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        return self.write(frame, replace(request, intent=overwrite()))


@store_mutant("replacing_matches_nulls_with_nulls")
class NullsMatchNothing(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        nulls = [line for line in self.newest.lines if line["v"] is None] if self.newest else []
        done = super().replace(frame, request)
        self.tables[place(self.address)].versions[-1].lines.extend(nulls)
        return done


@store_mutant("replacing_by_several_columns_matches_whole_pairs")
class MatchesAnyOfTheColumns(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        by = request.intent.by
        new = self._lines(frame)
        kept = self.newest.lines if self.newest else []
        for name in by:
            values = {key_of(line, [name]) for line in new}
            kept = [line for line in kept if key_of(line, [name]) not in values]
        return self.commit(frame, request, lambda _, given: (kept + given, []))


@store_mutant("a_slice_is_replaced_and_its_borders_are_half_open")
class SliceTakesItsEndToo(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        if request.slice.kind == "interval":
            wide = Slice("interval", request.slice.start, request.slice.end + "~")
            return super().replace(frame, replace(request, slice=wide))
        return super().replace(frame, request)


@store_mutant("an_empty_slice_takes_its_rows_out")
class EmptySliceDoesNothing(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        if request.slice.kind == "interval" and not self._lines(frame):
            return Commit(version=self.version() or "")
        return super().replace(frame, request)


@store_mutant("rows_outside_of_their_slice_are_refused")
class TakesRowsOutsideOfTheSlice(MemoryStore):
    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        try:
            return super().replace(frame, request)
        except StoreError:
            return self.write(frame, replace(request, intent=append()))
