"""The flights example on JVM Spark: equal tables, types included, and an unchanged second run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from contents import differences, summary
from example import KEY, KEY_NAME, copied_with_key
from shell import Shell

ROOT = Path(__file__).parents[2]
SETTINGS = """
[spark]
"spark.sql.shuffle.partitions" = 2
"spark.databricks.delta.snapshotPartitions" = 1
"spark.driver.memory" = "2g"
"spark.driver.extraJavaOptions" = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""


@pytest.mark.timeout(900)
def test_every_table_is_equal_on_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_NAME, KEY)
    project = copied_with_key(tmp_path)
    with (project / "kindling.toml").open("a") as file:
        file.write(SETTINGS)
    subprocess.run([sys.executable, "-m", "flights.data", "data"], cwd=project, check=True)
    kindling = Shell(project, "spark", timeout_s=800)
    kindling("run")
    lake = project / "lake" / "dev"
    folders = sorted(log.parent for log in lake.glob("*/*/_delta_log"))
    found = {".".join(folder.relative_to(lake).parts): summary(folder) for folder in folders}
    expected = json.loads((ROOT / "tests" / "e2e" / "flights_tables.json").read_text())
    assert differences(json.loads(json.dumps(found)), expected) == []
    assert "nothing changed" in kindling("run").stderr
