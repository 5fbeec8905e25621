from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files

from kindling_plugin_process import __version__
from kindling_plugin_process.plugin import kindling_executor_offers

from kindling.hooks import executor


def test_the_manifest_the_entry_point_and_the_offer_agree() -> None:
    manifest = json.loads(files("kindling_plugin_process").joinpath("kindling.json").read_text())
    (offer,) = kindling_executor_offers()
    (entry,) = entry_points(group="kindling.executor", name="process")
    assert list(manifest["capabilities"]) == [f"executor:{offer.name}"]
    assert set(manifest["capabilities"]["executor:process"]["features"]) <= set(executor.FEATURES)
    assert manifest["capabilities"]["executor:process"]["api"] == executor.API
    assert entry.value == "kindling_plugin_process.plugin"
    assert entry.dist is not None
    assert entry.dist.version == __version__


def test_the_offer_makes_an_executor() -> None:
    class Runner:
        def execute(self, spec: executor.TaskSpec) -> executor.Outcome:
            return executor.Outcome(spec.key, "done")

        def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
            return True

    (offer,) = kindling_executor_offers()
    made = offer.factory(executor.ExecutorSpec(1, Runner()))
    assert isinstance(made, executor.Executor)
    made.close()


def test_offering_imports_no_implementation() -> None:
    code = (
        "import sys, kindling_plugin_process.plugin; print('kindling_plugin_process.executor' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n"
