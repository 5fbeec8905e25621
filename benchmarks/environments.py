"""Environments of the peers: one for each, made once with uv in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from importlib.metadata import distributions, version
from pathlib import Path

from commands import PYTHON, CommandFailed, clean_environment
from places import BENCHMARKS, ROOT

PEERS = BENCHMARKS / "peers"
SETUP_S = 1800
ENGINE = ("duckdb", "deltalake", "pyarrow")  # those who write Delta tables have the engine that we have
ON_OUR_ENGINE = ("dagster", "kedro", "hamilton")
QUIET = {
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "KEDRO_DISABLE_TELEMETRY": "1",
    "HAMILTON_TELEMETRY_ENABLED": "false",
    "SQLMESH__DISABLE_ANONYMIZED_ANALYTICS": "true",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
}


def programs(name: str) -> Path:
    """Return the folder of an environment's programs; it is made where it is not there.

    Args:
        name: A folder of `benchmarks/peers` with a `requirements.txt`; "" is this environment.

    Raises:
        CommandFailed: It could not be made.
    """
    if not name:
        return Path(PYTHON).parent
    wanted = _wanted(name)
    key = hashlib.sha256("\n".join([*wanted, PYTHON]).encode()).hexdigest()[:10]
    folder = _cache() / f"{name}-{key}"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", PYTHON, str(folder))
        _uv(
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
            *(word for line in wanted for word in line.split()),
        )
        (folder / "made").touch()
    return folder / "bin"


def versions(name: str) -> str:
    """Return what an environment has of what it was asked for, as `dagster 1.2, duckdb 2.0`."""
    asked = {line.partition("==")[0].partition("[")[0].lower() for line in _wanted(name) if line[0].isalpha()}
    asked |= {"duckdb", "pyspark"}
    found = {
        one.name.lower(): one.version
        for one in distributions(
            path=[str(path) for path in programs(name).parent.glob("lib/python*/site-packages")]
        )
    }
    return ", ".join(f"{one} {found[one]}" for one in sorted(asked & found.keys()))


def _wanted(name: str) -> list[str]:
    text = (PEERS / name / "requirements.txt").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if name in ON_OUR_ENGINE:
        lines += [f"{one}=={version(one)}" for one in ENGINE]
    return lines


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("KINDLING_BENCH_CACHE") or Path(home) / "kindling-benchmarks")


def _uv(*arguments: str) -> None:
    places = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    uv = shutil.which("uv", path=places)
    if uv is None:
        raise CommandFailed("the peers' environments are made with uv: pip install uv")
    done = subprocess.run(
        [uv, *arguments],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=SETUP_S,
    )
    if done.returncode:
        raise CommandFailed(f"uv {' '.join(arguments)} ended with {done.returncode}\n{done.stderr[-2000:]}")
