"""A Connect server that dies in the middle of a run: the task is retried on a new one, the run completes."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Shell, make_project, rows

SETTINGS = """
[locations.lake]
uri = "lake/{environment}"

[platform.spark]
url = "local-connect"

[spark]
"spark.driver.memory" = "1g"
"spark.driver.extraJavaOptions" = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"spark.sql.codegen.wholeStage" = "false"
"""
APP = """
import signal
import subprocess
from pathlib import Path


numbers_csv = app.source("raw.numbers", k.csv("numbers/*.csv"), schema="n bigint")


@app.pipe(numbers_csv, name="a.numbers")
def numbers(df: k.DataFrame) -> k.DataFrame:
    mark = Path("killed")
    if not mark.exists():
        server = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "kindling_plugin_spark.server"],
                                capture_output=True, text=True, check=True).stdout.split()[0]
        java = subprocess.run(["pgrep", "-P", server], capture_output=True, text=True, check=True).stdout
        mark.write_text(java)
        os.kill(int(java.split()[0]), signal.SIGKILL)
    return df.where(k.F.col("n") > 0)
"""


@pytest.mark.timeout(900)
def test_a_run_completes_although_its_server_was_killed(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop", APP, SETTINGS)
    (project / "numbers").mkdir()
    (project / "numbers" / "a.csv").write_text("n\n0\n1\n2\n")
    Shell(project, "spark", timeout_s=800)("run")
    assert (project / "killed").exists()
    assert sorted(str(row["n"]) for row in rows(project, "a.numbers")) == ["1", "2"]
