"""The app that is disturbed, its data, and what its tables hold. Times of history are left out."""

from __future__ import annotations

import shutil
from pathlib import Path

from deltalake import DeltaTable
from world import World

APP = """
from __future__ import annotations

import kindling as k

app = k.App("chaos")
events_csv = app.source("raw.events", k.csv("events/*.csv"), schema="id bigint, kind string, v bigint")
customers_csv = app.source("raw.customers", k.csv("customers.csv"), schema="id bigint, city string")


@app.pipe(events_csv, name="bronze.events", write=k.append(), incremental=k.changes())
def events(new: k.DataFrame) -> k.DataFrame:
    return new


@app.pipe(customers_csv, name="silver.customers", write=k.scd2(on=["id"]))
def customers(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(events, name="silver.newest", write=k.merge(on=["id"]), incremental=k.changes())
def newest(new: k.DataFrame) -> k.DataFrame:
    return k.dedupe(new, on=["id"], order_by=["v desc"])


@app.pipe(events, name="silver.good", expect={"positive": "v > 0"}, on_fail="quarantine")
def good(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(events, name="silver.log", write=k.append(), incremental=k.changes(), expect={"positive": "v > 0"},
          on_fail="quarantine")
def log(new: k.DataFrame) -> k.DataFrame:
    return new


@app.pipe(good, name="silver.taxed", context=True)
def taxed(context: k.Context, df: k.DataFrame) -> k.DataFrame:
    rate = int(context.secret("secret://vault/shop/tax#rate").reveal())
    return df.withColumn("tax", k.F.col("v") * k.F.lit(rate))


@app.pipe(newest, name="marts.newest", write=k.merge(on=["id"]), storage=k.storage("postgres", location="db"))
def mart(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(events, name="marts.log", write=k.append(), incremental=k.changes(),
          storage=k.storage("postgres", location="db"))
def mart_log(new: k.DataFrame) -> k.DataFrame:
    return new


totals = app.sql(
    "gold.totals",
    "SELECT kind, sum(v) AS v, sum(tax) AS tax, count(*) AS n FROM {taxed} GROUP BY kind",
    inputs={"taxed": taxed},
)
"""
SETTINGS = """
app = "chaos:app"

[state]
default = "postgres"

[state.postgres]
uri = "{uri}"
credential = "secret://vault/shop/db#login"

[secrets.vault]
address = "{vault}"
mount = "secret"
allow_http = true
cache_s = 0.0

[locations.lake]
uri = "lake"

[locations.db]
uri = "{uri}"
credential = "secret://vault/shop/db#login"
"""
LAKE = (
    "bronze/events",
    "silver/customers",
    "silver/newest",
    "silver/good",
    "silver/good__quarantine",
    "silver/log",
    "silver/log__quarantine",
    "silver/taxed",
    "gold/totals",
)
MARTS = ("newest", "log")


def make(folder: Path, world: World) -> Path:
    """Write the project with its first data."""
    (folder / "events").mkdir(parents=True)
    (folder / "chaos.py").write_text(APP)
    settings = SETTINGS.format(uri=world.postgres.tcp_uri, vault=world.bao.address)
    (folder / "kindling.toml").write_text(settings)
    rows = "\n".join(f"{i},{'ab'[i % 2]},{i - 2}" for i in range(200))
    (folder / "events" / "1.csv").write_text(f"id,kind,v\n{rows}\n")
    people = "\n".join(f"{i},{'XYZ'[i % 3]}" for i in range(50))
    (folder / "customers.csv").write_text(f"id,city\n{people}\n")
    return folder


def add_data(folder: Path) -> None:
    """Write what the disturbed run is about."""
    rows = "\n".join(f"{i},{'abc'[i % 3]},{i * 3 - 320}" for i in range(100, 300))
    (folder / "events" / "2.csv").write_text(f"id,kind,v\n{rows}\n")
    people = "\n".join(f"{i},{'XYW'[i % 3]}" for i in range(10, 60))
    (folder / "customers.csv").write_text(f"id,city\n{people}\n")


def contents(folder: Path, world: World) -> dict[str, list[str]]:
    """Return the sorted rows of each table."""
    found = {}
    for name in LAKE:
        rows = DeltaTable(str(folder / "lake" / name)).to_pyarrow_table().to_pylist()
        for row in rows:
            row.pop("valid_from", None)
            if "valid_to" in row:
                row["valid_to"] = row["valid_to"] is not None
        found[name] = sorted(str(sorted(row.items())) for row in rows)
    for name in MARTS:
        found[f"marts.{name}"] = sorted(str(row) for row in world.sql(f"SELECT * FROM marts.{name}"))
    return found


def relations(world: World) -> list[str]:
    """Return all relations of the database, temporary ones too."""
    query = (
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND c.relkind = 'r'"
    )
    return sorted(str(row[0]) for row in world.sql(query))


def strays(folder: Path) -> list[str]:
    """Return files of the lake that are neither a log's nor data, and what is left beside the runs."""
    lake = (path for path in (folder / "lake").rglob("*") if path.is_file())
    odd = [path for path in lake if not _is_of_a_table(path)]
    known = {"runs", "cache", ".gitignore"}
    own = [path for path in (folder / ".kindling").iterdir() if path.name not in known]
    return sorted(str(path.relative_to(folder)) for path in (*odd, *own))


def _is_of_a_table(path: Path) -> bool:
    in_log = path.parent.name == "_delta_log"
    return path.suffix == ".parquet" or (in_log and path.suffix in (".json", ".crc"))  # Sail's checksums


def unreferenced(folder: Path) -> int:
    """Count data files that no present version names, Delta's own tombstones too; VACUUM removes them."""
    count = 0
    for name in LAKE:
        table = DeltaTable(str(folder / "lake" / name))
        kept = set(table.file_uris())
        there = {
            str(path) for path in (folder / "lake" / name).rglob("*.parquet") if "_delta_log" not in str(path)
        }
        count += len(there - kept)
    return count


def copy(source: Path, target: Path) -> None:
    """Make a folder like another one, which may be a mount."""
    target.mkdir(exist_ok=True)
    for entry in list(target.iterdir()):
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True)
