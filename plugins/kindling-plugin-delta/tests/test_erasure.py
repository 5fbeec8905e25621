from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from kindling.errors import StoreError
from kindling.hooks.storage import COMMIT_KEY, Commit, CommitInfo, Erases, Maintains
from kindling.intents import append, merge, overwrite
from kindling.testing.storage_fixtures import Place

PERSON = "zz.person@example.org"


def erase(place: Place, condition: str) -> Commit:
    store = place.store()
    assert isinstance(store, Erases)
    return store.erase(condition, place.info())


def traces(folder: str) -> list[str]:
    """Return files under a table that hold the person, Parquet decoded."""
    found = []
    for root, _, names in os.walk(folder):
        for path in (Path(root, name) for name in names):
            text = repr(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else ""
            if PERSON in text or PERSON.encode() in path.read_bytes():
                found.append(path.name)
    return found


@pytest.mark.parametrize("change_feed", [False, True])
def test_no_file_holds_an_erased_row(place: Place, *, change_feed: bool) -> None:
    place.address = place.address.replace(options=(("change_feed", change_feed),))
    place.write(append(), [(1, PERSON), (2, "b")])
    place.write(merge(on=["k"]), [(3, PERSON), (1, f"x {PERSON}")])
    DeltaTable(place.address.uri).delete("k = 2")
    assert traces(place.address.uri)
    commit = erase(place, f"v LIKE '%{PERSON}%'")
    assert traces(place.address.uri) == []
    assert (place.rows(), commit.version) == ([], place.version())
    assert commit.metrics["rows_deleted"] == 2


def test_an_erased_partition_leaves_neither_folder_nor_entry(place: Place) -> None:
    place.write(overwrite(), [(1, PERSON), (2, "b")], partition_by=("v",))
    erase(place, "k = 1")
    assert place.rows("k, v") == [(2, "b")]
    log = Path(place.address.uri, "_delta_log")
    assert not [path for path in log.iterdir() if PERSON.encode() in path.read_bytes()]
    assert not [path for path in Path(place.address.uri).rglob("*.parquet") if PERSON in str(path)]


def test_what_was_erased_from_before_is_purged_too(place: Place) -> None:
    place.write(overwrite(), [(1, PERSON), (2, "b")])
    place.write(overwrite(), [(2, "b")])
    commit = erase(place, f"v = '{PERSON}'")
    assert commit.metrics["rows_deleted"] == 0
    assert traces(place.address.uri) == []
    assert place.rows() == [(2, "b")]


def test_owner_cursors_and_settings_outlive_an_erasure(place: Place) -> None:
    place.write(append(), [(1, PERSON)], info=place.info(cursors={"bronze.orders": "7"}))
    table = DeltaTable(place.address.uri)
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 9 days"})
    erase(place, "k = 1")
    found = CommitInfo.from_json(str(place.probe.cursor(place.address, COMMIT_KEY)))
    assert (found.app, dict(found.cursors)) == ("shop", {"bronze.orders": "7"})
    settings = DeltaTable(place.address.uri).metadata().configuration
    assert settings["delta.logRetentionDuration"] == "interval 9 days"
    assert settings["delta.deletedFileRetentionDuration"] == "interval 1 week"
    place.write(append(), [(5, "e")])
    assert place.rows() == [(5, "e")]


def test_erasing_twice_does_no_harm(place: Place) -> None:
    place.write(append(), [(1, PERSON), (2, "b")])
    erase(place, "k = 1")
    erase(place, "k = 1")
    assert place.rows() == [(2, "b")]


def test_traces_that_are_left_are_told(over_arrow: Place) -> None:
    over_arrow.write(append(), [(1, PERSON), (2, "b")])
    note = Path(over_arrow.address.uri, "_delta_log", "note.txt")
    note.write_text(PERSON)
    with pytest.raises(StoreError) as caught:
        erase(over_arrow, f"v = '{PERSON}'")
    assert str(caught.value) == (
        "KDL-STORE-113: erasing rows of 'silver.orders' left 1 traces\n  why: log entry note.txt\n"
        "  do: stop other writers of the table and erase again"
    )


def test_what_does_not_exist_is_neither_erased_nor_maintained(over_arrow: Place) -> None:
    store = over_arrow.store()
    assert isinstance(store, Maintains)
    for act in (lambda: erase(over_arrow, "k = 1"), lambda: store.maintain(keep_s=0)):
        with pytest.raises(StoreError, match="KDL-STORE-001"):
            act()


def test_maintenance_keeps_young_versions(over_arrow: Place) -> None:
    first = over_arrow.write(append(), [(1, "a")]).version
    over_arrow.write(append(), [(2, "b")])
    store = over_arrow.store()
    assert isinstance(store, Maintains)
    assert store.maintain(keep_s=3600) == {"files_added": 1, "files_removed": 2, "files_deleted": 0}
    assert over_arrow.rows(version=first) == [(1, "a")]
    assert store.maintain(keep_s=0)["files_deleted"] == 2


def test_a_table_with_maps_and_no_neutral_type_is_refused(over_arrow: Place) -> None:
    import pyarrow as pa
    from kindling_plugin_delta.columns import neutral_columns

    write_deltalake(over_arrow.address.uri, pa.table({"k": [1]}))
    with pytest.raises(StoreError) as caught:
        neutral_columns('{"type": "struct", "fields": [{"name": "v", "type": "variant"}]}')
    assert str(caught.value) == (
        "KDL-STORE-107: column 'v' has the Delta type 'variant'\n"
        "  why: no engine-neutral type holds it\n"
        "  do: read the table with an engine that knows the type, and leave the column out"
    )
