"""The work that all sides do, and the files that a peer wants it in."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypedDict

from places import BENCHMARKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from places import Scratch

CHANGED = "orders_enriched"
TINY = 30
FIRST = (
    "SELECT CAST(1 AS BIGINT) AS id, CAST(0 AS BIGINT) AS v "
    "UNION ALL SELECT CAST(2 AS BIGINT), CAST(0 AS BIGINT)"
)


class Pipe(TypedDict):
    """One table: inputs, and SQL with `{input}` placeholders."""

    inputs: list[str]
    sql: str


class Work(TypedDict):
    """Sources with the paths of their Parquet files, and tables in an order in which they can be made."""

    sources: dict[str, str]
    pipes: dict[str, Pipe]


def medallion(scratch: Scratch, factor: int = 0) -> Work:
    """Return the twelve pipes over orders and customers as Parquet.

    Args:
        scratch: Where the input is, or is made.
        factor: Changes one pipe where it is not 0: each number gives other tables.
    """
    text = (BENCHMARKS / "apps" / "medallion" / "queries.json").read_text(encoding="utf-8")
    queries = json.loads(text)
    pipes: dict[str, Pipe] = {
        f"bronze_{name}": {"inputs": [name], "sql": f"SELECT * FROM {{{name}}}"}  # noqa: S608  # our own names
        for name in queries["sources"]
    }
    pipes |= queries["pipes"]
    if factor:
        one = pipes[CHANGED]
        pipes[CHANGED] = {
            **one,
            "sql": one["sql"].replace("o.qty * o.price", f"o.qty * o.price * {factor}.0e0"),
        }
    return {"sources": _parquet(scratch, queries["sources"]), "pipes": pipes}


def tiny_chain() -> Work:
    """Return thirty pipes over a table of two rows."""
    pipes: dict[str, Pipe] = {"n0": {"inputs": [], "sql": FIRST}}
    for number in range(1, TINY):
        before = f"n{number - 1}"
        sql = f"SELECT id, v + 1 AS v FROM {{{before}}}"  # noqa: S608  # our own names
        pipes[f"n{number}"] = {"inputs": [before], "sql": sql}
    return {"sources": {}, "pipes": pipes}


def dependents(work: Work, changed: str) -> list[str]:
    """Return a table and all that depend on it, in their order."""
    found = [changed]
    for name, pipe in work["pipes"].items():
        if set(pipe["inputs"]) & set(found):
            found.append(name)
    return found


def _parquet(scratch: Scratch, schemas: dict[str, str]) -> dict[str, str]:
    """Return the paths of the sources as Parquet files, made from the CSV files where they are not there."""
    import duckdb

    folder = scratch.orders()
    found = {name: folder / f"{name}.parquet" for name in schemas}
    for name, path in found.items():
        if path.exists():
            continue
        columns = dict(column.strip().rsplit(" ", 1) for column in schemas[name].split(","))
        listed = ", ".join(
            f"'{column}': '{kind.replace('string', 'varchar')}'" for column, kind in columns.items()
        )
        rows = f"read_csv('{folder}/{name}.csv', header = true, columns = {{{listed}}})"
        duckdb.sql(f"COPY (SELECT * FROM {rows}) TO '{path}' (FORMAT parquet)")  # noqa: S608  # our own names
    return {name: str(path) for name, path in found.items()}


def _texts(work: Work, table: Callable[[str], str]) -> dict[str, str]:
    """Return each pipe's SQL, with sources as scans and tables as a peer names them."""
    scans = {name: f"read_parquet('{path}')" for name, path in work["sources"].items()}

    def place(found: re.Match[str]) -> str:
        return scans.get(found[1]) or table(found[1])

    return {name: re.sub(r"\{(\w+)\}", place, pipe["sql"]) for name, pipe in work["pipes"].items()}


def _write_if_other(path: Path, text: str) -> None:
    """Write a file only where it says something else: some peers go by the time of a change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def sqlmesh(folder: Path, work: Work) -> None:
    """Write models of kind FULL."""
    for name, text in _texts(work, lambda table: f"perf.{table}").items():
        head = f"MODEL (name perf.{name}, kind FULL);\n"
        _write_if_other(folder / "models" / f"{name}.sql", f"{head}{text}\n")


def dbt(folder: Path, work: Work) -> None:
    """Write models that are tables."""
    for name, text in _texts(work, lambda table: f"{{{{ ref('{table}') }}}}").items():
        _write_if_other(folder / "models" / f"{name}.sql", f"{text}\n")


def hamilton(folder: Path, work: Work) -> None:
    """Write one function for each table: Hamilton's cache goes by the code of each."""
    parts = [
        '"""One function for each table; it returns the table\'s version."""\n\nfrom tables import made\n'
    ]
    for name, pipe in work["pipes"].items():
        given = ", ".join(f"{item}: str" for item in pipe["inputs"])
        inputs = ", ".join(f"{item}={item}" for item in pipe["inputs"])
        call = ", ".join(filter(None, [f'"{name}"', f'"""{pipe["sql"]}"""', inputs]))
        parts.append(f"\n\ndef {name}({given}) -> str:\n    return made({call})\n")
    _write_if_other(folder / "pipeline.py", "".join(parts))


WRITERS: dict[str, Callable[[Path, Work], None]] = {"sqlmesh": sqlmesh, "dbt": dbt, "hamilton": hamilton}
