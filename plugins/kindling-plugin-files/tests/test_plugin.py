from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

import pytest
from kindling_plugin_files import __version__
from kindling_plugin_files.plugin import kindling_storage_offers

from kindling.hooks import storage
from kindling.hooks.platform import FEATURES


def test_the_manifest_the_entry_points_and_the_offers_agree() -> None:
    manifest = json.loads(files("kindling_plugin_files").joinpath("kindling.json").read_text())
    names = [offer.name for offer in kindling_storage_offers()]
    assert list(manifest["capabilities"]) == [f"storage:{name}" for name in names]
    for name in names:
        (entry,) = entry_points(group="kindling.storage", name=name)
        assert (entry.value, entry.dist and entry.dist.version) == (
            "kindling_plugin_files.plugin",
            __version__,
        )
        said = manifest["capabilities"][f"storage:{name}"]
        assert said["api"] == storage.API
        assert set(said["features"]) <= set(storage.FEATURES)
        for ways in said["needs"].values():
            assert all(set(way["session"]) <= set(FEATURES) for way in ways)


@pytest.mark.parametrize("offer", kindling_storage_offers(), ids=lambda offer: offer.name)
def test_each_offer_makes_a_storage(offer: storage.StorageOffer) -> None:
    assert isinstance(offer.factory(storage.StorageSpec("dev")), storage.Storage)


def test_offering_imports_no_implementation() -> None:
    code = "import sys, kindling_plugin_files.plugin; print('pyarrow' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
