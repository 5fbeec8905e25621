"""The flights example as it is delivered: a classified column, its key in OpenBao, lineage told."""

from __future__ import annotations

import json
import subprocess
import sys
from getpass import getuser
from pathlib import Path

import pytest
from deltalake import DeltaTable
from terminal import Terminal, variables

pytestmark = pytest.mark.timeout(600)
TAIL = "N14228"
"""The plane of the first flight of January."""


def beside_openbao(folder: Path, *arguments: str, code: int = 0) -> str:
    """Run `python -m flights.openbao kindling ...` as the README says; return all that it printed."""
    command = [sys.executable, "-m", "flights.openbao", sys.executable, "-m", "kindling", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables(CI="true", KINDLING_PLATFORM__DEFAULT="duckdb"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_tail_numbers_are_hashed_in_gold_masked_on_screens_and_traced(governed: Path) -> None:
    lay_out = [sys.executable, "-m", "flights.data", "data", "--until", "2013-01"]
    subprocess.run(lay_out, cwd=governed, check=True)
    assert "14 done" in beside_openbao(governed, "run")
    tails = (
        DeltaTable(str(governed / "lake/dev/gold/aircraft")).to_pyarrow_table().column("tailnum").to_pylist()
    )
    assert {len(tail) for tail in tails} == {32}
    raw = (
        DeltaTable(str(governed / "lake/dev/silver/flights")).to_pyarrow_table().column("tailnum").to_pylist()
    )
    assert TAIL in raw
    assert not {tail for tail in raw if tail} & set(tails)

    # The server ended with the run, and the key is the same when it is back.
    assert (
        beside_openbao(governed, "run") == "nothing changed: 13 entities of flights in dev are up to date\n"
    )

    show = ("show", "silver.flights", "-n", "5")
    seen = beside_openbao(governed, *show)
    assert "N***" in seen
    assert "masked for you: tailnum (partial)" in seen
    settings = governed / "kindling.toml"
    written = settings.read_text()
    settings.write_text(written.replace('"group:engineers"', f'"user:{getuser()}"'))
    assert "N***" not in beside_openbao(governed, *show)
    assert "N***" in beside_openbao(governed, *show, "--as", "user:somebody")
    assert "nothing changed" in beside_openbao(governed, "run")  # no stored value depends on who asks
    settings.write_text(written)

    check_lineage(governed)
    check_silence(governed)


def check_lineage(project: Path) -> None:
    told = Terminal(project).process("lineage", "gold.carriers.late").out
    assert "silver.flights.late  (aggregation)" in told
    assert "raw.flights.arr_delay  (identity)" in told
    Terminal(project).process("lineage", "gold.carriers.late", "--svg", "late.svg")
    picture = (project / "late.svg").read_text()
    assert picture.startswith("<svg")
    assert "arr_delay" in picture
    events = [json.loads(line) for line in (project / "lineage.jsonl").read_text().splitlines()]
    (aircraft,) = [
        event
        for event in events
        if event["job"]["name"] == "flights.gold.aircraft" and event["eventType"] == "COMPLETE"
    ]
    fields = aircraft["outputs"][0]["facets"]["columnLineage"]["fields"]
    (transformation,) = [
        step
        for field in fields["tailnum"]["inputFields"]
        for step in field["transformations"]
        if step["masking"]
    ]
    assert transformation["type"] == "DIRECT"


def check_silence(project: Path) -> None:
    """Tail numbers and tokens stand in nothing that a run leaves, but for bronze and silver."""
    kept = json.loads((project / ".openbao" / "unseal.json").read_text())
    folders = [".kindling", "lake/dev/gold", "lineage.jsonl", "late.svg"]
    for folder in folders:
        for file in [project / folder, *(project / folder).rglob("*")]:
            if file.is_file():
                content = file.read_bytes()
                assert TAIL.encode() not in content, file
                assert str(kept["root_token"]).encode() not in content, file


def test_openbao_ends_with_its_command_and_says_how_it_is_used(governed: Path) -> None:
    command = [sys.executable, "-m", "flights.openbao"]
    done = subprocess.run(command, cwd=governed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "usage: python -m flights.openbao COMMAND...\n")
    command += [sys.executable, "-c", "import os, sys; print(os.environ['VAULT_ADDR']); sys.exit(7)"]
    done = subprocess.run(command, cwd=governed, capture_output=True, text=True, check=False)
    assert done.returncode == 7
    assert done.stdout.startswith("http://127.0.0.1:")
    assert list((governed / ".openbao").glob("*.hcl")) == []


def test_a_run_without_openbao_says_which_setting_is_missing_and_where_it_is_used(governed: Path) -> None:
    lay_out = [sys.executable, "-m", "flights.data", "data", "--until", "2013-01"]
    subprocess.run(lay_out, cwd=governed, check=True)
    process = Terminal(governed).start("run", CI="true", KINDLING_PLATFORM__DEFAULT="duckdb")
    out, err = process.communicate(timeout=300)
    assert process.returncode != 0
    assert "neither it nor VAULT_ADDR is set" in out + err
    assert "policy.masks.tails_in_gold, column 'tailnum'" in out + err
    assert not (governed / "lake/dev/gold").exists()
