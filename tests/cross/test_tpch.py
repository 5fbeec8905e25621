"""The TPC-H shaped app makes equal, non-empty tables on every engine, as one run of 22 pipes.

`tpch/answers.json` holds what Spark on the JVM makes of scale 0.01; fractions are equal to ten digits,
decimals exactly. Make it again in the environment `cross-spark` with KINDLING_TEST_WRITE=1.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contents import differences, summary
from shell import Shell

HERE = Path(__file__).parent
ANSWERS = HERE / "tpch" / "answers.json"
SPARK = '\n[spark]\n"spark.sql.shuffle.partitions" = 2\n"spark.databricks.delta.snapshotPartitions" = 1\n'


@pytest.mark.timeout(900)
def test_twenty_two_questions_have_equal_answers_on_every_engine(tmp_path: Path, engine: str) -> None:
    project = tmp_path / "tpch"
    shutil.copytree(HERE / "tpch", project)
    if engine == "spark":
        with (project / "kindling.toml").open("a") as file:
            file.write(SPARK)
    generator = Path(sys.executable).parent / "tpchgen-cli"
    subprocess.run([generator, "parquet", "-s", "0.01", "-o", "data"], cwd=project, check=True)
    Shell(project, engine, timeout_s=600)("run")
    lake = project / "lake" / "dev" / "answers"
    found = json.loads(json.dumps({path.name: summary(path) for path in sorted(lake.iterdir())}))
    if os.environ.get("KINDLING_TEST_WRITE") and engine == "spark":
        ANSWERS.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert len(found) == 22
    assert [name for name, table in found.items() if _is_empty(table)] == []
    assert differences(found, json.loads(ANSWERS.read_text())) == []


def _is_empty(table: dict[str, object]) -> bool:
    rows = table["content"]
    assert isinstance(rows, list)
    return not rows or all(value is None for value in rows[0])
