from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

from kindling_plugin_postgres.plugin import kindling_state_offers, kindling_storage_offers

from kindling.hooks.state import State, StateSpec
from kindling.hooks.storage import Storage, StorageSpec


def test_the_offers_make_a_storage_and_a_state_and_connect_to_nothing() -> None:
    (storage,), (state,) = kindling_storage_offers(), kindling_state_offers()
    assert (storage.name, state.name) == ("postgres", "postgres")
    assert isinstance(storage.factory(StorageSpec("test")), Storage)
    made = state.factory(StateSpec("/nowhere", settings={"uri": "postgresql://nowhere.invalid/db"}))
    assert isinstance(made, State)
    made.close()


def test_entry_points_lead_to_the_offers() -> None:
    found = {
        (point.group, point.name): point.value
        for group in ("kindling.storage", "kindling.state", "kindling.manifest")
        for point in entry_points(group=group)
        if point.value.startswith("kindling_plugin_postgres")
    }
    assert found == {
        ("kindling.storage", "postgres"): "kindling_plugin_postgres.plugin",
        ("kindling.state", "postgres"): "kindling_plugin_postgres.plugin",
        ("kindling.manifest", "kindling-plugin-postgres"): "kindling_plugin_postgres",
    }


def test_the_probe_is_light_until_it_is_asked() -> None:
    code = (
        "import sys, kindling_plugin_postgres.probe;"
        "print([n for n in ('psycopg', 'pyarrow', 'dataclasses', 'typing', 'pluggy') if n in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout == b"[]\n"
