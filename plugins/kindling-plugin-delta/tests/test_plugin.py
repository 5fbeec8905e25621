from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

from kindling_plugin_delta.plugin import kindling_storage_offers

from kindling.hooks.storage import FEATURES, Storage, StorageSpec


def test_the_offer_makes_a_storage() -> None:
    (offer,) = kindling_storage_offers()
    assert offer.name == "delta"
    assert isinstance(offer.factory(StorageSpec("test")), Storage)


def test_entry_points_and_manifest_agree() -> None:
    found = {
        (point.group, point.name): point.value
        for group in ("kindling.storage", "kindling.manifest")
        for point in entry_points(group=group)
        if point.value.startswith("kindling_plugin_delta")
    }
    assert found == {
        ("kindling.storage", "delta"): "kindling_plugin_delta.plugin",
        ("kindling.manifest", "kindling-plugin-delta"): "kindling_plugin_delta",
    }
    manifest = json.loads(files("kindling_plugin_delta").joinpath("kindling.json").read_text())
    assert set(manifest["capabilities"]["storage:delta"]["features"]) == set(FEATURES)


def test_a_credential_is_a_secret_of_storage_options() -> None:
    from kindling_plugin_delta.storage import DeltaStorage

    from kindling.addresses import Address
    from kindling.hooks.platform import SessionSpec
    from kindling.testing.memory_platform import MemoryPlatform

    asked = []

    def secret(reference: str) -> str:
        asked.append(reference)
        return '{"aws_region": "eu-central-1", "timeout": 5}'

    session = MemoryPlatform({}).open_session(SessionSpec("t"))
    address = Address("delta", "lake", ("t",), uri="s3://lake/t", credential="secret://vault/lake")
    store = DeltaStorage(StorageSpec("test", secret=secret)).open(address, session)
    assert asked == ["secret://vault/lake"]
    assert store._table.storage_options == {"aws_region": "eu-central-1", "timeout": "5"}


def test_the_offer_loads_no_library() -> None:
    script = (
        "import sys, kindling_plugin_delta.plugin\n"
        "print('deltalake' in sys.modules or 'pyarrow' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
