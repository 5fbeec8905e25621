"""Are the tables of two sides equal? Row counts and checksums of each column, compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from duckdb import DuckDBPyConnection

DELTA, DUCKDB, KINDLING = "Delta tables", "DuckDB tables", "Delta tables of Kindling"
FILES = ("db.duckdb", "tables.duckdb")
CLOSE = 1e-9  # sums of floats depend on their order
Sums = dict[str, float | int | None]


def sums_of(folder: Path, kind: str, schema: str, names: list[str]) -> dict[str, Sums]:
    """Return count and checksums of each table of one side.

    Args:
        folder: Its project.
        kind: Where tables are: `DELTA`, `DUCKDB` or `KINDLING`.
        schema: Schema of the tables in a DuckDB file.
        names: The tables.
    """
    import duckdb

    with duckdb.connect() as connection:
        if kind == DUCKDB:
            file = next(folder / name for name in FILES if (folder / name).exists())
            connection.execute(f"ATTACH '{file}' AS {file.stem} (READ_ONLY)")  # views name their file
            connection.execute(f"USE {file.stem}")
        return {name: _sums(connection, _scan(folder, kind, schema, name)) for name in names}


def _scan(folder: Path, kind: str, schema: str, name: str) -> str:
    if kind == DUCKDB:
        return f"{schema}.{name}"
    from deltalake import DeltaTable

    lake = folder / "lake" / "dev" / "m" if kind == KINDLING else folder / "lake"
    return f"read_parquet({DeltaTable(str(lake / name)).file_uris()})"


def _sums(connection: DuckDBPyConnection, scan: str) -> Sums:
    found = connection.execute(f"DESCRIBE SELECT * FROM {scan}").fetchall()  # noqa: S608  # our own names
    columns = {str(row[0]): str(row[1]) for row in found}
    exact = [_exact(name, kind) for name, kind in sorted(columns.items()) if not _is_float(kind)]
    parts = {name: f"sum({name})" for name, kind in columns.items() if _is_float(kind)}
    parts["rows"] = "count(*)"
    if exact:
        parts["all exact columns"] = f"CAST(sum(hash({', '.join(exact)})) AS HUGEINT)"
    row = connection.execute(f"SELECT {', '.join(parts.values())} FROM {scan}").fetchone()  # noqa: S608
    return dict(zip(parts, row or (), strict=True))


def _is_float(kind: str) -> bool:
    return kind in {"DOUBLE", "FLOAT"}


def _exact(name: str, kind: str) -> str:
    """Return a column without what engines may choose: width of integers, zone of timestamps."""
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({name})"
    if kind in {"VARCHAR", "DATE", "BOOLEAN"}:
        return name
    return f"CAST({name} AS BIGINT)"


def differences(
    ours: Mapping[str, Mapping[str, float | None]], theirs: Mapping[str, Mapping[str, float | None]]
) -> list[str]:
    """Return what differs between the tables of two sides, in words; empty where they are equal."""
    found: list[str] = []
    for name, wanted in ours.items():
        given: Mapping[str, float | None] = theirs.get(name, {})
        found += [
            f"{name}: {part} is {given.get(part)} instead of {value}"
            for part, value in wanted.items()
            if not _same(value, given.get(part))
        ]
    return found


def _same(one: float | None, two: float | None) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, rel_tol=CLOSE)
    return one == two
