"""One live platform for a whole module, and a table with a column of each kind."""

# ruff: noqa: DTZ001  # wall clocks are one of the kinds

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kindling_plugin_duckdb.engine import DuckDBPlatform
from kindling_plugin_duckdb.session import DuckDBSession

from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling.schemas import Schema, parse_schema

KINDS = (
    "i int, j int, b bigint, d double, f float, m decimal(10,2), s string, sn string, bo boolean, dt date,"
    " ts timestamp, tn timestamp_ntz, arr array<int>, mp map<string,int>, st struct<x:int,y:string>, n int"
)
UTC = timezone.utc
ROWS: list[tuple[Any, ...]] = [
    (3, 7, 10, 2.75, 1.5, Decimal("12.35"), "abc", "10", True, date(2020, 5, 17),
     datetime(2020, 5, 17, 13, 4, 5, 500000, UTC), datetime(2020, 5, 17, 13, 4, 5), [1, 2, 3], [("k", 5)],
     {"x": 1, "y": "q"}, None),
    (5, 2, 20, -1.25, 0.1, Decimal("7.05"), "Zed", "2", False, date(2021, 1, 3),
     datetime(2021, 1, 3, tzinfo=UTC), datetime(2021, 1, 3), [4, 1], [("z", 1)], {"x": 2, "y": "w"}, 4),
    (3, 9, 30, 2.5, 2.25, Decimal("-0.05"), "abc", "33", None, date(2019, 12, 30),
     datetime(2019, 12, 30, 23, 59, 59, 999999, UTC), datetime(2019, 12, 30, 1), [7], [("k", 2), ("m", 3)],
     {"x": 3, "y": None}, 2),
]  # fmt: skip


def arrow(schema: Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    fields = arrow_schema(schema)
    columns = list(zip(*rows, strict=True)) or [()] * len(fields)
    return pa.table(
        [pa.array(list(column), field.type) for column, field in zip(columns, fields, strict=True)], fields
    )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBPlatform]:
    made = DuckDBPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("work"))))
    yield made
    made.close()


_NUMBERS = count(1)


@pytest.fixture
def session(platform: DuckDBPlatform) -> Iterator[DuckDBSession]:
    made = platform.open_session(SessionSpec(f"test-{next(_NUMBERS)}"))
    assert isinstance(made, DuckDBSession)
    yield made
    made.close()


@pytest.fixture
def table(session: DuckDBSession) -> Any:
    schema = parse_schema(KINDS)
    return session.from_arrow(arrow(schema, ROWS), schema)


@pytest.fixture
def others(session: DuckDBSession) -> Any:
    schema = parse_schema("i int, name string")
    return session.from_arrow(arrow(schema, [(3, "three"), (9, "nine")]), schema)


@pytest.fixture
def make(session: DuckDBSession) -> Any:
    def makes(ddl: str, rows: list[tuple[Any, ...]]) -> Any:
        schema = parse_schema(ddl)
        return session.from_arrow(arrow(schema, rows), schema)

    return makes


@pytest.fixture
def plugin_root() -> Path:
    return Path(__file__).parent.parent
