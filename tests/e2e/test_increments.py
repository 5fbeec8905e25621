"""Incremental work end to end: changes, slices of time, memory entities, references, resuming."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Shell, make_project, rows, running

pytestmark = pytest.mark.timeout(300)
ENGINES = pytest.mark.parametrize("platform", ["sail", "duckdb"])
SLICES = """
events_csv = app.source("raw.events", k.csv("events/*.csv"), schema="id bigint, at timestamp, v double")


@app.pipe(events_csv, name="bronze.events", write=k.append(), incremental=k.changes())
def events(new: k.DataFrame) -> k.DataFrame:
    return new


@app.pipe(events, name="silver.days", incremental=k.by_time("at", every="1d", lookback="1d"))
def days(df: k.DataFrame) -> k.DataFrame:
    day = k.F.to_timestamp(k.F.date_trunc("DAY", "at"))
    return df.groupBy(day.alias("at")).agg(k.F.sum("v").alias("v"), k.F.count("*").alias("n"))


total = app.sql("gold.total", "SELECT sum(v) AS v, sum(n) AS n FROM {days}", inputs={"days": days})
"""


def day(number: int) -> str:
    return f"silver.days[2024-01-0{number}T00:00:00Z/2024-01-0{number + 1}T00:00:00Z]"


def sliced(folder: Path) -> Path:
    project = make_project(folder, SLICES)
    (project / "events").mkdir()
    lines = "\n".join(f"{n},2024-01-0{n}T10:00:00Z,{n}" for n in (1, 2, 3))
    (project / "events" / "a.csv").write_text(f"id,at,v\n{lines}\n")
    return project


def totals(project: Path) -> list[tuple[object, object]]:
    return [(row["v"], row["n"]) for row in rows(project, "gold.total")]


@ENGINES
def test_slices_of_time_are_made_once_and_again_within_the_lookback(tmp_path: Path, platform: str) -> None:
    project = sliced(tmp_path)
    kindling = Shell(project, platform)
    first = kindling.json("run")
    assert [task["key"] for task in first["tasks"] if "silver" in task["key"]] == [day(1), day(2), day(3)]
    assert totals(project) == [(6.0, 3)]
    assert "nothing changed" in kindling("run").stderr
    (project / "events" / "b.csv").write_text(
        "id,at,v\n4,2024-01-04T10:00:00Z,10\n5,2024-01-02T12:00:00Z,20\n"
    )
    second = {task["key"]: task for task in kindling.json("run")["tasks"]}
    assert [key for key in second if "silver" in key] == [day(2), day(3), day(4)]  # the first is out of reach
    assert second["bronze.events"]["rows"] == 2
    assert totals(project) == [(36.0, 5)]
    assert "nothing changed" in kindling("run").stderr


def test_a_window_makes_its_slices_again_and_no_other(tmp_path: Path) -> None:
    project = sliced(tmp_path)
    kindling = Shell(project, "duckdb")
    kindling("run")
    again = kindling.json("run", "--from", "2024-01-01", "--to", "2024-01-03")
    assert [task["key"] for task in again["tasks"]] == [day(1), day(2), "gold.total"]
    assert totals(project) == [(6.0, 3)]
    assert "KDL-USE-031" in kindling("run", "--from", "2024-01-01", code=2).stderr


def test_max_slices_leaves_the_rest_to_the_next_run(tmp_path: Path) -> None:
    project = sliced(tmp_path)
    kindling = Shell(project, "duckdb")
    kindling("run", "-s", "bronze.events")
    made = []
    for _ in range(3):
        found = kindling.json("run", "--max-slices", "1")
        made += [task["key"] for task in found["tasks"] if "silver" in task["key"]]
    assert made == [day(1), day(2), day(3)]
    assert totals(project) == [(6.0, 3)]
    assert "nothing changed" in kindling("run").stderr


MEMORY = """
def count(name):
    with open("calls", "a") as file:
        file.write(name + " ")


@app.pipe(name="a.one", context=True)
def one(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "x"), (2, "y")], "id bigint, name string")


@app.pipe(one, name="m.read_once", storage=k.memory())
def read_once(df: k.DataFrame) -> k.DataFrame:
    count("once")
    return df.withColumn("a", k.F.col("id") + 1)


@app.pipe(one, name="m.read_twice", storage=k.memory())
def read_twice(df: k.DataFrame) -> k.DataFrame:
    count("twice")
    return df.withColumn("b", k.F.rand())


@app.pipe(read_once, read_twice, name="g.left")
def left(once: k.DataFrame, twice: k.DataFrame) -> k.DataFrame:
    return once.join(twice.select("id", "b"), "id").select("id", "a", "b")


@app.pipe(read_twice, name="g.right")
def right(twice: k.DataFrame) -> k.DataFrame:
    return twice.select("id", "b")
"""


@ENGINES
def test_a_memory_entity_is_inlined_for_one_reader_and_computed_once_for_two(
    tmp_path: Path, platform: str
) -> None:
    project = make_project(tmp_path, MEMORY)
    Shell(project, platform)("run")
    assert sorted((project / "calls").read_text().split()) == ["once", "twice"]
    shared = {row["id"]: row["b"] for row in rows(project, "g.right")}
    assert {row["id"]: row["b"] for row in rows(project, "g.left")} == shared  # random, and yet the same
    assert not (project / "lake" / "dev" / "m").exists()


def test_another_app_is_read_by_reference_and_never_written(tmp_path: Path) -> None:
    owner = make_project(
        tmp_path / "owner", MEMORY, f'locations.lake.uri = "{tmp_path}/lake/{{environment}}"\n'
    )
    Shell(owner, "duckdb")("run")
    code = """
from_shop = app.ref("shop", "a.one")
copied = app.sql("b.copy", "SELECT id FROM {rows}", inputs={"rows": from_shop})
"""
    reader = make_project(
        tmp_path / "reader", code, f'locations.lake.uri = "{tmp_path}/lake/{{environment}}"\n'
    )
    text = (reader / "shop.py").read_text().replace('k.App("shop")', 'k.App("reader")')
    (reader / "shop.py").write_text(text)
    Shell(reader, "duckdb")("run")
    assert [row["id"] for row in rows(tmp_path, "b.copy")] == [1, 2]
    thief = text.partition("from_shop")[0] + MEMORY.partition("@app.pipe(one, name=")[0]
    (reader / "shop.py").write_text(thief)
    refused = Shell(reader, "duckdb")("run", code=5)
    assert "KDL-POL-001: 'a.one' belongs to the app 'shop' in 'dev'" in refused.stderr
    assert len(rows(tmp_path, "a.one")) == 2


def test_a_failed_run_is_resumed_where_it_failed_even_of_a_full_refresh(tmp_path: Path) -> None:
    code = """
@app.pipe(name="a.one", context=True)
def one(context: k.Context) -> k.DataFrame:
    return context.frame([(1, "x")], "id bigint, name string")


@app.pipe(one, name="b.fragile")
def fragile(df: k.DataFrame) -> k.DataFrame:
    if os.path.exists("broken"):
        raise RuntimeError("not today")
    return df


@app.pipe(fragile, name="c.behind")
def behind(df: k.DataFrame) -> k.DataFrame:
    return df
"""
    project = make_project(tmp_path, code)
    kindling = Shell(project, "duckdb")
    kindling("run")
    (project / "broken").touch()
    failed = kindling.json("run", "--full-refresh", code=1)
    assert {task["key"]: task["status"] for task in failed["tasks"]} == {
        "a.one": "done",
        "b.fragile": "failed",
    }
    (project / "broken").unlink()
    resumed = kindling.json("run", "--resume", str(failed["run_id"]))
    assert [task["key"] for task in resumed["tasks"]] == ["b.fragile", "c.behind"]
    assert running(kindling.json("plan")) == set()
    assert "KDL-USE-021" in kindling("run", "--resume", "nonsense", code=2).stderr
