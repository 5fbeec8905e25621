"""Who does the same work: Kindling, hand-written loops and the peers, each in its fastest documented form."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from commands import clean_environment, run
from environments import PEERS, QUIET, programs
from equality import DELTA, DUCKDB, KINDLING
from projects import WRITERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from figures import Sample
    from projects import Work

LEFT = ("lake", "tables.duckdb", "db.duckdb", "cache", "cursor.json", ".kindling/runs", ".kindling/state.db")


@dataclass(frozen=True, slots=True)
class Side:
    """One contestant.

    Attributes:
        key: Name of its folder while it runs.
        name: What the page calls it.
        project: Its folder in `benchmarks/peers`.
        engine: What computes.
        tables: Where its tables are: `equality.DELTA`, `equality.DUCKDB` or `equality.KINDLING`.
        whole: Command that makes all tables; its first word is a program of its environment.
        primes: Commands before second runs; none where `whole` is what it needs.
        again: Command of a second run; none where it has none but `whole`.
        changed: Command after one pipe was changed; `CHANGED` stands for that, `TABLES` for it and those that
            depend on it.
        how: Which form a whole run has.
        finds: How it finds out what must be made again; "" where it makes all again.
        told: The same after a change, where it does not find out.
        schema: Schema of its tables in a DuckDB file.
        more: Variables of its environment.
        on_jvm: Whether it needs the environment with the whole of pyspark.
    """

    key: str
    name: str
    project: str
    engine: str
    tables: str
    whole: tuple[str, ...]
    primes: tuple[tuple[str, ...], ...] = ()
    again: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    how: str = ""
    finds: str = ""
    told: str = ""
    schema: str = "main"
    more: Mapping[str, str] = field(default_factory=dict)
    on_jvm: bool = False

    @property
    def environment(self) -> str:
        """Name of its environment; "" is the one that measures."""
        if self.on_jvm:
            return "spark"
        return "" if self.project in OWN else self.project


class Project:
    """One side's project in a folder of its own.

    Attributes:
        side: Whose it is.
        folder: Where it is.
    """

    def __init__(self, side: Side, folder: Path, work: Work) -> None:
        self.side = side
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(PEERS / side.project, folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copyfile(PEERS / "body" / "tables.py", folder / "tables.py")
        (folder / "home").mkdir(exist_ok=True)
        if (folder / "dagster.yaml").exists():
            (folder / "dagster.yaml").rename(folder / "home" / "dagster.yaml")
        self.write(work)

    def write(self, work: Work) -> None:
        """Write the work as the side wants it."""
        (self.folder / "work.json").write_text(json.dumps(work, indent=1), encoding="utf-8")
        writer = WRITERS.get(self.side.project)
        if writer is not None:
            writer(self.folder, work)

    def settle(self) -> None:
        """Keep what a second run of dbt compares with: the manifest of the last one."""
        manifest = self.folder / "target" / "manifest.json"
        if manifest.exists():
            (self.folder / "state").mkdir(exist_ok=True)
            shutil.copyfile(manifest, self.folder / "state" / "manifest.json")

    def clear(self) -> None:
        """Remove tables and what is known about them, but not caches, which every user has after a day."""
        for name in LEFT:
            path = self.folder / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            for tail in ("-wal", "-shm", ".wal"):
                Path(f"{path}{tail}").unlink(missing_ok=True)

    def run(self, command: Sequence[str], tables: Sequence[str] = ()) -> Sample:
        """Run a command of the side and return its times.

        Args:
            command: One of the side's.
            tables: What was changed, and what depends on it.

        Raises:
            CommandFailed: It ended with an error.
        """
        bin_ = programs(self.side.environment)
        places = {"TABLES": tables, "CHANGED": tables[:1]}
        words = [word for part in command for word in places.get(part, (part,))]
        env = clean_environment(**QUIET, DAGSTER_HOME=str(self.folder / "home"), **self.side.more)
        return run([str(bin_ / words[0]), *words[1:]], self.folder, env)[0]


OWN = ("loop", "kindling")
ALL_AGAIN = "makes all again"
LOOP = Side(
    "loop",
    "loop by hand",
    "loop",
    "DuckDB",
    DELTA,
    ("python", "loop.py"),
    changed=("python", "loop.py", "TABLES"),
    told="is told which",
)
KINDLING_DUCKDB = Side(
    "kindling",
    "**Kindling**",
    "kindling",
    "DuckDB",
    KINDLING,
    ("kindling", "run", "--workers", "1"),
    how="one worker",
    finds="code, sources and tables are looked at",
    more={"KINDLING_PLATFORM__DEFAULT": "duckdb"},
)
DAGSTER = Side(
    "dagster",
    "Dagster",
    "dagster",
    "DuckDB",
    DELTA,
    ("python", "run.py"),
    primes=(("python", "run.py", "kept"), ("python", "run.py", "stale"), ("python", "run.py", "stale")),
    again=("python", "run.py", "stale"),
    changed=("python", "run.py", "stale"),
    how="`materialize` in process, history in memory",
    finds="automation conditions: code version changed, inputs updated, missing",
)
DAGSTER_KEPT = Side(
    "dagster-kept",
    "Dagster, history kept",
    "dagster",
    "DuckDB",
    DELTA,
    ("python", "run.py", "kept"),
    how="`materialize` in process, history in SQLite",
)
KEDRO = Side(
    "kedro",
    "Kedro",
    "kedro",
    "DuckDB",
    DELTA,
    ("python", "run.py"),
    again=("python", "run.py", "missing"),
    changed=("python", "run.py", "CHANGED"),
    how="`SequentialRunner` in code",
    finds="only missing outputs: sees no changes",
    told="is told from which node on",
    more={"KEDRO_LOGGING_CONFIG": "logging.yml"},
)
HAMILTON = Side(
    "hamilton",
    "Hamilton",
    "hamilton",
    "DuckDB",
    DELTA,
    ("python", "run.py"),
    primes=(("python", "run.py", "cached"),),
    again=("python", "run.py", "cached"),
    changed=("python", "run.py", "cached"),
    how="driver without cache",
    finds="its cache: code, and versions that functions return",
)
NATIVE = Side(
    "native",
    "loop by hand, DuckDB's tables",
    "loop",
    "DuckDB",
    DUCKDB,
    ("python", "native.py"),
    changed=("python", "native.py", "TABLES"),
    told="is told which",
)
SQLMESH = Side(
    "sqlmesh",
    "SQLMesh",
    "sqlmesh",
    "DuckDB",
    DUCKDB,
    ("sqlmesh", "plan", "--auto-apply", "--no-prompts"),
    how="`sqlmesh plan`",
    finds="its plan: code is looked at",
    schema="perf",
)
DBT = Side(
    "dbt",
    "dbt-duckdb",
    "dbt",
    "DuckDB",
    DUCKDB,
    ("dbt", "--quiet", "run"),
    again=("dbt", "--quiet", "run", "--select", "state:modified+", "--state", "state"),
    changed=("dbt", "--quiet", "run", "--select", "state:modified+", "--state", "state"),
    how="`dbt run`, 2 threads",
    finds="`state:modified+`: code is looked at",
)
SAIL = Side("sail", "loop by hand on Sail", "loop", "Sail", DELTA, ("python", "delta_spark.py", "sail"))
KINDLING_SAIL = Side(
    "kindling-sail",
    "**Kindling** on Sail",
    "kindling",
    "Sail",
    KINDLING,
    ("kindling", "run", "--workers", "1"),
    how="one worker",
    finds="code, sources and tables are looked at",
    more={"KINDLING_PLATFORM__DEFAULT": "sail"},
)
JVM = Side(
    "loop",
    "loop by hand on JVM Spark",
    "loop",
    "Spark",
    DELTA,
    ("python", "delta_spark.py", "jvm"),
    how="`local[2]`, 2 shuffle partitions, 1 snapshot partition",
    on_jvm=True,
)
KINDLING_JVM = Side(
    "kindling",
    "**Kindling** on JVM Spark",
    "kindling",
    "Spark",
    KINDLING,
    ("kindling", "run", "--workers", "1"),
    how="one worker, the plugin's defaults, which are the same",
    more={"KINDLING_PLATFORM__DEFAULT": "spark"},
    on_jvm=True,
)
ON_JVM = (JVM, KINDLING_JVM, SAIL, KINDLING_SAIL)
WHOLE = (
    LOOP,
    KINDLING_DUCKDB,
    DAGSTER,
    DAGSTER_KEPT,
    KEDRO,
    HAMILTON,
    NATIVE,
    SQLMESH,
    DBT,
    SAIL,
    KINDLING_SAIL,
)
CHANGES = (LOOP, KINDLING_DUCKDB, DAGSTER, KEDRO, HAMILTON, NATIVE, SQLMESH, DBT)
