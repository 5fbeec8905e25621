from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from kindling_plugin_openlineage import __version__
from kindling_plugin_openlineage.plugin import kindling_lineage_offers

from kindling.hooks import lineage


def test_the_manifest_the_entry_point_and_the_offer_agree() -> None:
    manifest = json.loads(files("kindling_plugin_openlineage").joinpath("kindling.json").read_text())
    (offer,) = kindling_lineage_offers()
    (entry,) = entry_points(group="kindling.lineage", name="openlineage")
    assert list(manifest["capabilities"]) == [f"lineage:{offer.name}"]
    assert set(manifest["capabilities"]["lineage:openlineage"]["features"]) == set(lineage.FEATURES)
    assert manifest["capabilities"]["lineage:openlineage"]["api"] == lineage.API
    assert entry.value == "kindling_plugin_openlineage.plugin"
    assert entry.dist is not None
    assert entry.dist.version == __version__


def test_the_offer_makes_a_sink_that_writes_nothing_yet(tmp_path: Path) -> None:
    (offer,) = kindling_lineage_offers()
    made = offer.factory(lineage.SinkSpec("r", str(tmp_path), {"file": "x.jsonl"}))
    assert isinstance(made, lineage.EventSink)
    assert made.essential is False
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_opening_imports_no_client_and_no_network() -> None:
    code = (
        "import sys\n"
        "from kindling.hooks.lineage import SinkSpec\n"
        "from kindling_plugin_openlineage.plugin import open_sink\n"
        "print('kindling_plugin_openlineage.sink' in sys.modules)\n"
        "open_sink(SinkSpec('r', '/nowhere', {'url': 'http://127.0.0.1:1'}))\n"
        "print([name for name in ('openlineage', 'requests', 'http.client', 'ssl') if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n[]\n"
