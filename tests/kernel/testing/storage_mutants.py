"""Storages with one fault each: what reading and every write promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes import OfMemoryStorage
from mutation import mutant

from kindling.addresses import Address
from kindling.errors import KindlingError, StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import Session
from kindling.hooks.storage import ChangeSet, Commit, CommitInfo, ReadRequest, WriteRequest
from kindling.schemas import Field, Schema
from kindling.testing.memory_storage import MemoryStorage, MemoryStore
from kindling.testing.memory_tables import Line, MemoryProbe, Table, Version, place

if TYPE_CHECKING:
    from kindling.testing.offers import Contract

Work = Callable[[list[Line], list[Line]], tuple[list[Line], list[tuple[str, Line]]]]


def store_mutant(*kills: str) -> Callable[[type[MemoryStore]], type[Contract]]:
    def build(broken: type[MemoryStore]) -> type[Contract]:
        def opens(self: MemoryStorage, address: Address, session: Session) -> MemoryStore:
            return broken(self.tables, address, session)

        return mutant(OfMemoryStorage, "made", *kills)(
            type(broken.__name__, (MemoryStorage,), {"open": opens})
        )

    return build


@store_mutant("a_declared_feature_is_implemented")
class LacksMerge(MemoryStore):
    merge = None  # type: ignore[assignment]  # the fault


@store_mutant("what_was_never_written_does_not_exist")
class MakesTablesOnOpening(MemoryStore):
    def __init__(self, tables: dict[str, Table], address: Address, session: Session) -> None:
        super().__init__(tables, address, session)
        info = CommitInfo("shop", "test", "e", "*", "r", "f").to_json()
        tables.setdefault(place(address), Table([Version(Schema(()), [], [], info)]))


@store_mutant("reading_what_does_not_exist_is_refused")
class ReadsNothingFromNothing(MemoryStore):
    def read(self, request: ReadRequest) -> Frame:
        return super().read(request) if self.newest else self._frame(Schema((Field("k", "int"),)), [])


@store_mutant("overwriting_replaces_every_row")
class OverwriteAppends(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        return super().write(frame, replace(request, intent=request.intent.replace(name="append")))


@store_mutant("appending_keeps_what_was_there")
class AppendOverwrites(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        return super().write(frame, replace(request, intent=request.intent.replace(name="overwrite")))


@store_mutant("each_commit_has_a_new_version_which_the_probe_tells_too")
class CommitsTellTheOldVersion(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        before = self.version()
        done = super().commit(frame, request, work, extra)
        return replace(done, version=before or done.version)


@store_mutant("rows_written_are_counted_or_unknown", "a_merge_counts_what_it_did_or_says_nothing")
class CountsTwice(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        done = super().commit(frame, request, work, extra)
        return replace(done, rows=2 * (done.rows or 0))


@store_mutant("an_accepted_write_warns_of_nothing")
class AlwaysWarns(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        return replace(super().write(frame, request), warnings=("something may be wrong",))


@store_mutant("each_neutral_type_is_stored_unchanged_or_refused")
class StoresDecimalsAsText(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        fields = [f.replace(type="string") if "decimal" in f.type else f for f in request.schema.fields]
        schema = Schema(tuple(fields))
        return super().write(self.session.cast(frame, schema), replace(request, schema=schema))


@store_mutant("columns_of_any_script_are_stored")
class StoresAsciiNames(MemoryStore):
    def schema(self) -> Schema | None:
        found = super().schema()
        fields = found.fields if found else ()
        return Schema(tuple(f.replace(name=f.name.encode("ascii", "replace").decode()) for f in fields))


@store_mutant("partitioned_rows_are_all_read")
class LosesOddPartitions(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        kept = self.session.where(frame, "v NOT LIKE '%/%'") if request.partition_by else frame
        return super().write(kept, request)


@store_mutant("no_rows_make_an_empty_entity")
class NoRowsNoCommit(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        if not self._lines(frame):
            return Commit(version=self.version() or "")
        return super().commit(frame, request, work, extra)


@store_mutant("overwriting_with_no_rows_empties_and_appending_none_keeps")
class NoRowsChangeNothing(MemoryStore):
    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        rows = self._lines(frame)
        return super().write(frame, request) if rows else Commit(version=self.version() or "")


@store_mutant("a_commit_carries_who_made_it_and_its_cursors")
class CursorsAreLost(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        bare = replace(request, info=replace(request.info, cursors={}))
        return super().commit(frame, bare, work, extra)


@store_mutant("the_same_fingerprint_is_never_committed_twice")
class CommitsTwice(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        number = len(self.tables.get(place(self.address), Table()).versions)
        other = replace(request.info, fingerprint=f"{request.info.fingerprint}-{number}")
        return super().commit(frame, replace(request, info=other), work, extra)


@store_mutant("a_table_of_another_app_or_environment_is_refused")
class IgnoresOwners(MemoryStore):
    def check_owner(self, last: CommitInfo, info: CommitInfo) -> None:
        pass


@store_mutant("nothing_is_committed_once_the_guard_raises")
class GuardIsIgnored(MemoryStore):
    def guard(self, request: WriteRequest) -> None:
        pass


@store_mutant("a_failing_computation_leaves_the_old_version")
class EmptiesBeforeComputing(MemoryStore):
    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        table = self.tables.get(place(self.address))
        if table:
            last = table.versions[-1]
            table.versions.append(Version(last.schema, [], [], last.info))
            done = super().commit(frame, request, lambda _, new: work(last.lines, new), extra)
            del table.versions[-2]
            return replace(done, version=self.version() or "")
        return super().commit(frame, request, work, extra)


@store_mutant("other_columns_are_refused_unless_drift_is_accepted")
class DriftIsSilent(MemoryStore):
    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        return super().drifted(stored, replace(request, drift="warn"), extra)


@store_mutant("drift_that_only_warns_leaves_the_column_out_and_says_so")
class DriftWarnsNobody(MemoryStore):
    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        return super().drifted(stored, request, extra)[0], ()


@store_mutant("drift_that_evolves_adds_the_column_with_nulls")
class NeverEvolves(MemoryStore):
    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        return super().drifted(stored, replace(request, drift="warn"), extra)


@store_mutant("an_overwrite_by_a_changed_declaration_gives_the_table_its_columns")
class KeepsOldColumns(MemoryStore):
    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        found = super().drifted(stored, request, extra)
        return (stored, ()) if stored is not None and request.drift == "replace" else found


@store_mutant("drift_never_turns_a_type_into_another_one")
class EvolvesIntoAnything(MemoryStore):
    def drifted(
        self, stored: Schema | None, request: WriteRequest, extra: tuple[Field, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        return (Schema((*request.schema.fields, *extra)), ())

    def commit(
        self, frame: Frame, request: WriteRequest, work: Work, extra: tuple[Field, ...] = ()
    ) -> Commit:
        def text(old: list[Line], new: list[Line]) -> tuple[list[Line], list[tuple[str, Line]]]:
            return work([{k: str(v) for k, v in line.items()} if request.drift == "evolve" else line
                         for line in old], new)  # fmt: skip

        return super().commit(frame, request, text, extra)


@store_mutant("a_slice_is_read_half_open")
class ReadsTheEndToo(MemoryStore):
    def read(self, request: ReadRequest) -> Frame:
        if request.slice.kind != "interval":
            return super().read(request)
        return super().read(replace(request, slice=request.slice.replace(end=request.slice.end + "~")))


@store_mutant("older_versions_are_read_as_they_were", "no_older_version_shows_an_erased_row")
class ReadsTheNewestAlways(MemoryStore):
    def read(self, request: ReadRequest) -> Frame:
        shown = self.tables[place(self.address)].versions[0] if request.version else None
        return (
            self._frame(shown.schema, [{"k": 1, "v": "zq7fXw9kPv3LmT1rYc5H"}])
            if shown
            else super().read(request)
        )


@store_mutant("an_unknown_version_is_refused")
class ReadsTheNewestForAnUnknownVersion(MemoryStore):
    def read(self, request: ReadRequest) -> Frame:
        try:
            return super().read(request)
        except StoreError:
            return super().read(replace(request, version=None))


@store_mutant(
    "only_rows_added_since_the_cursor_are_told",
    "nothing_changed_means_no_frame",
    "an_overwrite_is_told_as_deletes_and_inserts_or_refused",
    "a_merge_is_told_as_updates_and_inserts_or_refused",
)
class ChangesAreASnapshot(MemoryStore):
    def changes(self, since: str | None) -> ChangeSet:
        return super().changes(None)


@store_mutant("all_rows_are_inserts_without_a_cursor")
class FirstChangesAreUpdates(MemoryStore):
    def changes(self, since: str | None) -> ChangeSet:
        found = super().changes(since)
        chosen = [("k", "k"), ("v", "v"), ("_change", "'update'")]
        return replace(found, frame=self.session.select(found.frame, chosen))


@store_mutant("changes_since_an_unknown_cursor_are_refused_with_a_way_out")
class UnknownCursorsMeanEverything(MemoryStore):
    def changes(self, since: str | None) -> ChangeSet:
        try:
            return super().changes(since)
        except KindlingError:
            return super().changes(None)


@store_mutant("erased_rows_are_gone_and_the_others_stay")
class ErasesNullsToo(MemoryStore):
    def erase(self, condition: str, info: CommitInfo) -> Commit:
        return super().erase(f"coalesce({condition}, TRUE)", info)


@store_mutant("nothing_stored_holds_an_erased_value")
class ErasesFromTheNewestVersion(MemoryStore):
    def erase(self, condition: str, info: CommitInfo) -> Commit:
        old = [
            Version(v.schema, v.lines, v.changes, v.info) for v in self.tables[place(self.address)].versions
        ]
        done = super().erase(condition, info)
        table = self.tables[place(self.address)]
        table.versions[: len(old)] = old
        return done


@store_mutant("maintenance_keeps_every_row_and_counts_what_it_did")
class MaintenanceDropsRows(MemoryStore):
    def maintain(self, *, keep_s: int) -> Mapping[str, int]:
        counts = super().maintain(keep_s=keep_s)
        self.tables[place(self.address)].versions[-1].lines.pop()
        return counts


class OfLessDeclared(OfMemoryStorage):
    features = OfMemoryStorage.features - {"erases"}


class OfMoreUses(OfMemoryStorage):
    uses = OfMemoryStorage.uses - {"merge"}


DeclaresLess = mutant(OfLessDeclared, "made", "an_implemented_feature_is_declared")(
    type("DeclaresLessOfAStorage", (MemoryStorage,), {})
)
UsesDiffer = mutant(OfMoreUses, "made", "declared_uses_and_features_agree")(
    type("UsesDiffer", (MemoryStorage,), {})
)


@mutant(OfMemoryStorage, "probed", "the_bounds_of_a_time_column_are_utc_and_the_probe_tells_them_too")
class ProbeGivesLocalTimes(MemoryProbe):
    def bounds(self, address: Address, column: str) -> tuple[str, str] | None:
        found = super().bounds(address, column)
        return (found[0].replace("Z", "+01:00"), found[1]) if found else None


@store_mutant("an_empty_entity_has_no_bounds")
class BoundsOfNothing(MemoryStore):
    def bounds(self, column: str) -> tuple[str, str] | None:
        return super().bounds(column) or ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z")
