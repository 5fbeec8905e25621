from __future__ import annotations

import json
from pathlib import Path

from kindling_plugin_twins.counting import Counter

from kindling.testing.sink_contract import SinkContract


class TestTwins(SinkContract):
    plugin = "kindling_plugin_twins"
    capability = "sink:twins"

    def heard(self, sink: Counter, run_dir: Path) -> list[dict[str, object]]:
        return [json.loads(line) for line in (run_dir / "twins.jsonl").open()]
