"""What every write promises, whichever its intent: versions, cursors, owners, drift, guard, failure."""

from __future__ import annotations

import pytest

from kindling.errors import KindlingError, PolicyError, StoreError
from kindling.hooks.storage import (
    COMMIT_KEY,
    Changes,
    CommitInfo,
    Erases,
    Historises,
    Maintains,
    Merges,
    Reads,
    Replaces,
    Times,
    Writes,
)
from kindling.intents import append, overwrite
from kindling.testing.platform_exchange_contract import VALUES
from kindling.testing.rows import frame_of
from kindling.testing.storage_fixtures import COLUMNS, Place, PlaceOf, StorageFixtures, of

PROTOCOLS: tuple[tuple[str, type], ...] = (
    ("reads", Reads),
    ("writes", Writes),
    ("merges", Merges),
    ("historises", Historises),
    ("replaces", Replaces),
    ("changes", Changes),
    ("erases", Erases),
    ("maintains", Maintains),
    ("times", Times),
)
NEEDED = {
    "read": "reads",
    "overwrite": "writes",
    "append": "writes",
    "merge": "merges",
    "scd2": "historises",
    "replace": "replaces",
    "changes": "changes",
}
FIRST = [(1, "a"), (2, "b")]
NEXT = [(2, "c"), (3, "d")]


class GuardError(Exception):
    """Raised by a test's guard."""


class WriteTests(StorageFixtures):
    """All intents, and the two plain ones."""

    @of("read")
    def test_a_declared_feature_is_implemented(self, place: Place) -> None:
        store = place.store()
        missing = [name for name, kind in PROTOCOLS if name in self.features and not isinstance(store, kind)]
        assert missing == []

    @of("read")
    def test_an_implemented_feature_is_declared(self, place: Place) -> None:
        store = place.store()
        assert {name for name, kind in PROTOCOLS if isinstance(store, kind)} <= self.features

    @of("read")
    def test_declared_uses_and_features_agree(self) -> None:
        assert {NEEDED[use] for use in self.uses} == self.features & set(NEEDED.values())

    @of("read")
    def test_what_was_never_written_does_not_exist(self, place: Place) -> None:
        store = place.store()
        assert (store.schema(), store.version(), place.version()) == (None, None, None)
        assert place.probe.cursor(place.address, COMMIT_KEY) is None
        assert place.probe.committed(place.address, COMMIT_KEY) is None

    @of("overwrite", "writes")
    def test_overwriting_replaces_every_row(self, place: Place) -> None:
        place.write(overwrite(), FIRST)
        assert place.rows() == FIRST
        place.write(overwrite(), NEXT)
        assert place.rows() == NEXT

    @of("append", "writes")
    def test_appending_keeps_what_was_there(self, place: Place) -> None:
        place.write(append(), FIRST)
        place.write(append(), NEXT)
        assert place.rows() == [(1, "a"), (2, "b"), (2, "c"), (3, "d")]

    @of("overwrite", "writes")
    def test_each_commit_has_a_new_version_which_the_probe_tells_too(self, place_of: PlaceOf) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            seen = []
            for rows in (FIRST, NEXT):
                commit = place.write(intent, rows)
                assert commit.version == place.version() == place.store().version()
                seen.append(commit.version)
            assert len(set(seen)) == 2, intent.name

    @of("overwrite", "writes")
    def test_rows_written_are_counted_or_unknown(self, place: Place) -> None:
        assert place.write(overwrite(), FIRST).rows in (2, None)
        assert place.write(append(), [(9, "z")]).rows in (1, None)

    @of("overwrite", "writes")
    def test_an_accepted_write_warns_of_nothing(self, place: Place) -> None:
        assert place.write(overwrite(), FIRST).warnings == ()
        assert place.write(append(), NEXT).warnings == ()

    @of("overwrite", "writes")
    @pytest.mark.parametrize(("kind", "values"), VALUES)
    def test_each_neutral_type_is_stored_unchanged_or_refused(
        self, place: Place, kind: str, values: list[object]
    ) -> None:
        schema, rows = f"k int, v {kind}", list(enumerate(values))
        if kind in self.refused_types:
            with pytest.raises(KindlingError):
                place.write(overwrite(), rows, schema)
            assert place.version() is None
            return
        place.write(overwrite(), rows, schema)
        assert place.columns() == {"k": "int", "v": kind}
        given = place.session.select(frame_of(place.session, schema, rows), [("k", "k"), ("v", "v")])
        assert place.session.schema(place.read()) == place.session.schema(given)
        assert [row[0] for row in place.rows()] == list(range(len(values)))
        assert sorted(map(repr, place.rows())) == sorted(map(repr, rows))

    @of("overwrite", "writes")
    def test_columns_of_any_script_are_stored(self, place: Place) -> None:
        schema = "größe int, `имя` string, `長` string"
        place.write(overwrite(), [(1, "Łódź", "日本 🙂"), (2, None, "")], schema)
        assert list(place.columns()) == ["größe", "имя", "長"]
        assert place.rows() == [(1, "Łódź", "日本 🙂"), (2, None, "")]

    @of("overwrite", "writes")
    def test_partitioned_rows_are_all_read(self, place: Place) -> None:
        rows = [(1, "a/b"), (2, "ü =1"), (3, "c")]
        place.write(overwrite(), rows, partition_by=("v",))
        place.write(append(), [(4, "c")], partition_by=("v",))
        assert place.rows(columns="k, v") == [*rows, (4, "c")]

    @of("overwrite", "writes")
    def test_no_rows_make_an_empty_entity(self, place_of: PlaceOf) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            place.write(intent, [])
            assert place.version() is not None, intent.name
            assert list(place.columns())[:2] == ["k", "v"]
            assert place.rows() == []

    @of("overwrite", "writes")
    def test_overwriting_with_no_rows_empties_and_appending_none_keeps(self, place: Place) -> None:
        place.write(overwrite(), FIRST)
        place.write(append(), [])
        assert place.rows() == FIRST
        place.write(overwrite(), [])
        assert place.rows() == []
        assert place.columns() == {"k": "int", "v": "string"}

    @of("overwrite", "writes", "cursors")
    def test_a_commit_carries_who_made_it_and_its_cursors(self, place_of: PlaceOf) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            for rows in (FIRST, NEXT):
                info = place.info(cursors={"bronze.größe": '{"n":1,"t":"ä"}', "bronze.b": "7"})
                commit = place.write(intent, rows, info=info)
                text = place.probe.cursor(place.address, COMMIT_KEY)
                assert text is not None, intent.name
                assert CommitInfo.from_json(text) == info
                assert place.probe.committed(place.address, COMMIT_KEY) == (commit.version, text)

    @of("append", "writes", "cursors")
    def test_the_same_fingerprint_is_never_committed_twice(self, place_of: PlaceOf) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            place.write(intent, FIRST)
            info = place.info()
            first = place.write(intent, NEXT, info=info)
            before = place.rows()
            again = place.write(intent, NEXT, info=info)
            assert again.version == first.version == place.version(), intent.name
            assert place.rows() == before

    @of("overwrite", "writes", "cursors")
    @pytest.mark.parametrize("other", [{"app": "crm"}, {"environment": "prod"}])
    def test_a_table_of_another_app_or_environment_is_refused(
        self, place_of: PlaceOf, other: dict[str, str]
    ) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            place.write(intent, FIRST)
            before = (place.version(), place.rows())
            with pytest.raises(PolicyError) as caught:
                place.write(intent, NEXT, info=place.info(**other))
            assert caught.value.code == "KDL-POL-001"
            assert (place.version(), place.rows()) == before, intent.name

    @of("overwrite", "writes")
    def test_nothing_is_committed_once_the_guard_raises(self, place_of: PlaceOf) -> None:
        def guard() -> None:
            raise GuardError

        for intent in self.offered():
            place = place_of(intent.name)
            with pytest.raises(GuardError):
                place.write(intent, FIRST, guard=guard)
            assert place.version() is None, intent.name
            place.write(intent, FIRST)
            before = (place.version(), place.rows())
            with pytest.raises(GuardError):
                place.write(intent, NEXT, guard=guard)
            assert (place.version(), place.rows()) == before, intent.name

    @of("overwrite", "writes")
    def test_a_failing_computation_leaves_the_old_version(self, place_of: PlaceOf) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            place.write(intent, FIRST)
            before = (place.version(), place.rows())
            frame = place.session.fail_when(frame_of(place.session, COLUMNS, NEXT), {"M-BAD": "k = 3"})
            with pytest.raises(Exception, match="M-BAD"):
                place.write_frame(intent, frame)
            assert (place.version(), place.rows()) == before, intent.name

    @of("append", "writes")
    @pytest.mark.parametrize("columns", ["k int, v string, extra int", "k int", "k int, v int"])
    def test_other_columns_are_refused_unless_drift_is_accepted(
        self, place_of: PlaceOf, columns: str
    ) -> None:
        row = tuple(range(5, 5 + columns.count(",") + 1))
        rows = [tuple(str(v) if "v string" in columns and n == 1 else v for n, v in enumerate(row))]
        for intent in (one for one in self.offered() if one.name != "overwrite"):
            place = place_of(intent.name)
            place.write(intent, FIRST)
            before = (place.version(), place.rows())
            with pytest.raises(StoreError):
                place.write(intent, rows, columns, drift="fail")
            assert (place.version(), place.rows()) == before, intent.name

    @of("append", "writes")
    def test_drift_that_only_warns_leaves_the_column_out_and_says_so(self, place: Place) -> None:
        place.write(append(), FIRST)
        commit = place.write(append(), [(3, "c", 7)], "k int, v string, extra int", drift="warn")
        assert place.columns() == {"k": "int", "v": "string"}
        assert place.rows() == [*FIRST, (3, "c")]
        assert len(commit.warnings) == 1
        assert "extra" in commit.warnings[0]

    @of("append", "writes", "evolves")
    def test_drift_that_evolves_adds_the_column_with_nulls(self, place: Place) -> None:
        place.write(append(), FIRST)
        place.write(append(), [(3, "c", 7)], "k int, v string, extra int", drift="evolve")
        assert place.columns() == {"k": "int", "v": "string", "extra": "int"}
        assert place.rows(columns="k, v, extra") == [(1, "a", None), (2, "b", None), (3, "c", 7)]

    @of("append", "writes", "evolves")
    def test_drift_never_turns_a_type_into_another_one(self, place: Place) -> None:
        place.write(append(), FIRST)
        before = (place.version(), place.rows())
        with pytest.raises(StoreError):
            place.write(append(), [("x", "c")], "k string, v string", drift="evolve")
        assert (place.version(), place.rows()) == before

    @of("overwrite", "writes")
    def test_an_overwrite_by_a_changed_declaration_gives_the_table_its_columns(self, place: Place) -> None:
        place.write(overwrite(), FIRST)
        place.write(overwrite(), [("x", 7)], "k string, extra int", drift="replace")
        assert place.columns() == {"k": "string", "extra": "int"}
        assert place.rows(columns="k, extra") == [("x", 7)]
