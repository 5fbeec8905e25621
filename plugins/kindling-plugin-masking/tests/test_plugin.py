from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

from kindling_plugin_masking import __version__
from kindling_plugin_masking.plugin import kindling_masking_offers

from kindling.hooks.masking import API, Keyed, Masking, MaskingSpec


def test_the_manifest_the_entry_points_and_the_offers_agree() -> None:
    manifest = json.loads(files("kindling_plugin_masking").joinpath("kindling.json").read_text())
    entries = [
        entry
        for entry in entry_points(group="kindling.masking")
        if entry.value == "kindling_plugin_masking.plugin"
    ]
    offers = {f"masking:{offer.name}": offer for offer in kindling_masking_offers()}
    assert set(manifest["capabilities"]) == set(offers) == {f"masking:{entry.name}" for entry in entries}
    assert {entry.dist.version for entry in entries if entry.dist} == {__version__}
    for name, told in manifest["capabilities"].items():
        made = offers[name].factory(MaskingSpec("test"))
        assert isinstance(made, Masking)
        assert isinstance(made, Keyed) == ("keyed" in told["features"])
        assert told["api"] == API


def test_offering_imports_no_engine() -> None:
    code = (
        "import sys, kindling_plugin_masking.plugin\n"
        "print([name for name in ('pyarrow', 'pyspark', 'duckdb', 'sqlglot') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
