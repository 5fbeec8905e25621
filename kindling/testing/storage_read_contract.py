"""What reading promises: whole, by version, by slice, only changes; bounds, erasing, maintenance."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kindling.errors import StoreError
from kindling.hooks.storage import Changes, ChangeSet, Erases, Maintains, Times
from kindling.intents import append, merge, overwrite
from kindling.testing.rows import Row, ordered, rows_of
from kindling.testing.storage_fixtures import DAY, MOMENTS, Place, StorageFixtures, of

WHEN = tuple(datetime.fromisoformat(text).astimezone(timezone.utc) for text in MOMENTS)
EVENTS = "at timestamp, v string"
PERSON = "zq7fXw9kPv3LmT1rYc5H"
"""A text that no compression shortens and that nothing else contains."""


class ReadTests(StorageFixtures):
    """Reading and what keeps tables readable."""

    @of("read", "reads")
    def test_reading_what_does_not_exist_is_refused(self, place: Place) -> None:
        with pytest.raises(StoreError) as caught:
            place.rows()
        assert caught.value.code == "KDL-STORE-001"

    @of("read", "reads", "writes")
    def test_a_slice_is_read_half_open(self, place: Place) -> None:
        rows = [(WHEN[0], "before"), (WHEN[1], "start"), (WHEN[2], "end"), (None, "never")]
        place.write(overwrite(), rows, EVENTS)
        frame = place.session.select(place.read(column="at", slice=DAY), [("v", "v")])
        assert rows_of(place.session, frame) == [("start",)]

    @of("travel", "travels", "writes")
    def test_older_versions_are_read_as_they_were(self, place: Place) -> None:
        versions = [
            place.write(intent, rows).version
            for intent, rows in ((overwrite(), [(1, "a")]), (append(), [(2, "b")]), (overwrite(), [(3, "c")]))
        ]
        found = [place.rows(version=version) for version in (*versions, None)]
        assert found == [[(1, "a")], [(1, "a"), (2, "b")], [(3, "c")], [(3, "c")]]

    @of("travel", "travels", "writes")
    def test_an_unknown_version_is_refused(self, place: Place) -> None:
        place.write(overwrite(), [(1, "a")])
        with pytest.raises(StoreError) as caught:
            place.rows(version="99")
        assert caught.value.code == "KDL-STORE-002"

    @of("changes", "changes", "writes")
    def test_all_rows_are_inserts_without_a_cursor(self, place: Place) -> None:
        place.write(append(), [(1, "a"), (2, None)])
        assert changed(place, None) == [("insert", 1, "a"), ("insert", 2, None)]

    @of("changes", "changes", "writes")
    def test_only_rows_added_since_the_cursor_are_told(self, place: Place) -> None:
        place.write(append(), [(1, "a")])
        first = told(place, None)
        place.write(append(), [(2, "b")])
        place.write(append(), [(3, "c")])
        second = told(place, first.cursor)
        assert change_rows(place, second) == [("insert", 2, "b"), ("insert", 3, "c")]
        assert second.rows in (2, None)
        place.write(append(), [(4, "d")])
        assert changed(place, second.cursor) == [("insert", 4, "d")]

    @of("changes", "changes", "writes")
    def test_nothing_changed_means_no_frame(self, place: Place) -> None:
        place.write(append(), [(1, "a")])
        first = told(place, None)
        again = told(place, first.cursor)
        assert again.frame is None
        assert again.rows in (0, None)
        assert told(place, again.cursor).frame is None

    @of("changes", "changes", "writes")
    def test_an_overwrite_is_told_as_deletes_and_inserts_or_refused(self, place: Place) -> None:
        place.write(overwrite(), [(1, "a"), (2, "b")])
        cursor = told(place, None).cursor
        place.write(overwrite(), [(2, "b"), (3, "c")])
        found = changed_or_refused(place, cursor)
        full = [("delete", 1, "a"), ("delete", 2, "b"), ("insert", 2, "b"), ("insert", 3, "c")]
        assert found in (None, full, [("delete", 1, "a"), ("insert", 3, "c")])

    @of("changes", "changes", "merges")
    def test_a_merge_is_told_as_updates_and_inserts_or_refused(self, place: Place) -> None:
        place.write(merge(on=["k"]), [(1, "a"), (2, "b")])
        cursor = told(place, None).cursor
        place.write(merge(on=["k"]), [(2, "B"), (3, "c")])
        assert changed_or_refused(place, cursor) in (None, [("insert", 3, "c"), ("update", 2, "B")])

    @of("changes", "changes", "writes")
    def test_changes_since_an_unknown_cursor_are_refused_with_a_way_out(self, place: Place) -> None:
        place.write(append(), [(1, "a")])
        with pytest.raises(StoreError) as caught:
            told(place, "no cursor of this storage")
        assert caught.value.code == "KDL-STORE-012"
        assert "--full-refresh" in caught.value.hint

    @of("times", "times", "writes")
    def test_the_bounds_of_a_time_column_are_utc_and_the_probe_tells_them_too(self, place: Place) -> None:
        early, late = datetime(2025, 12, 31, 23, 59, 59, tzinfo=timezone.utc), WHEN[3]
        place.write(append(), [(WHEN[0], "a"), (late, "b"), (None, "n")], EVENTS)
        place.write(append(), [(early, "c")], EVENTS)
        store = place.store()
        assert isinstance(store, Times)
        assert store.bounds("at") == ("2025-12-31T23:59:59Z", "2026-01-04T00:00:00Z")
        assert place.probe.bounds(place.address, "at") == ("2025-12-31T23:59:59Z", "2026-01-04T00:00:00Z")

    @of("times", "times", "writes")
    def test_an_empty_entity_has_no_bounds(self, place: Place) -> None:
        place.write(append(), [], EVENTS)
        store = place.store()
        assert isinstance(store, Times)
        assert store.bounds("at") is None

    @of("erase", "erases", "writes")
    def test_erased_rows_are_gone_and_the_others_stay(self, place: Place) -> None:
        place.write(append(), [(1, PERSON), (2, "b"), (3, None)])
        commit = erase(place, f"v = '{PERSON}'")
        assert place.rows() == [(2, "b"), (3, None)]
        assert commit == place.version()

    @of("erase", "erases", "writes")
    def test_nothing_stored_holds_an_erased_value(self, place: Place) -> None:
        place.write(append(), [(1, PERSON), (2, "b")])
        place.write(append(), [(3, PERSON)])
        place.write(overwrite(), [(1, PERSON), (4, "d")])
        assert PERSON.encode() in self.stored_bytes(place.address), "give stored_bytes(address)"
        erase(place, f"v = '{PERSON}'")
        assert PERSON.encode() not in self.stored_bytes(place.address)
        assert place.rows() == [(4, "d")]

    @of("erase", "erases", "travels", "writes")
    def test_no_older_version_shows_an_erased_row(self, place: Place) -> None:
        old = place.write(append(), [(1, PERSON), (2, "b")]).version
        erase(place, f"v = '{PERSON}'")
        try:
            found = place.rows(version=old)
        except StoreError:
            return
        assert PERSON not in repr(found)

    @of("maintain", "maintains", "writes")
    def test_maintenance_keeps_every_row_and_counts_what_it_did(self, place: Place) -> None:
        for number in range(4):
            place.write(append(), [(number, "v")])
        store = place.store()
        assert isinstance(store, Maintains)
        counts = store.maintain(keep_s=0)
        assert all(isinstance(count, int) for count in counts.values())
        assert counts
        assert place.rows() == [(number, "v") for number in range(4)]


def told(place: Place, since: str | None) -> ChangeSet:
    """Ask a fresh store for changes."""
    store = place.store()
    assert isinstance(store, Changes)
    return store.changes(since)


def change_rows(place: Place, found: ChangeSet) -> list[Row]:
    """Return changes as (change, k, v), in the order of their values."""
    if found.frame is None:
        return []
    chosen = [("c", "`_change`"), ("k", "k"), ("v", "v")]
    return ordered(rows_of(place.session, place.session.select(found.frame, chosen)))


def changed(place: Place, since: str | None) -> list[Row]:
    """Return what changed since a cursor."""
    return change_rows(place, told(place, since))


def changed_or_refused(place: Place, since: str) -> list[Row] | None:
    """Return what changed, or None where the storage says that it cannot tell."""
    try:
        return changed(place, since)
    except StoreError as error:
        assert error.code == "KDL-STORE-012"  # noqa: PT017  # the other way out
        return None


def erase(place: Place, condition: str) -> str:
    """Erase rows and return the new version."""
    store = place.store()
    assert isinstance(store, Erases)
    return store.erase(condition, place.info()).version
