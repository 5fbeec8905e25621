"""Cases on one engine: through a Kindling session, the neutral cast and a Parquet file."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from answers import column_values, sorted_rows
from case_list import Case, inputs
from frames import FRAMES

from kindling.errors import KindlingError
from kindling.frames import with_frames
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import PathWrite, PlatformSpec, SessionSpec
from kindling.hooks.pyspark import nullable
from kindling.schemas import Schema, parse_schema

BATCH = 40
Answer = dict[str, Any]


class Engine:
    """A live platform with the input tables in its session."""

    def __init__(self, name: str, work_dir: Path) -> None:
        module = importlib.import_module(f"kindling_plugin_{name}.plugin")
        self.name = name
        self._work_dir = work_dir
        self._platform = module.kindling_platform_offers()[0].factory(
            PlatformSpec("cross", work_dir=str(work_dir))
        )
        self._made = 0
        self._open()

    def close(self) -> None:
        """Stop the engine."""
        self._platform.close()

    def answers(self, cases: Iterable[Case], alone: set[str]) -> dict[str, Answer]:
        """Return the answer to each case by its id.

        Args:
            cases: What is asked.
            alone: Ids of cases that are known to fail while they are computed: they are not batched.
        """
        found: dict[str, Answer] = {}
        batches: dict[tuple[str, str], list[Case]] = {}
        for case in cases:
            if case.shape in ("query", "frame"):
                found[case.id] = self._whole(case)
            elif case.id in alone:
                found.update(self._columns([case]))
            else:
                batches.setdefault((case.shape, case.table), []).append(case)
        for batch in batches.values():
            for start in range(0, len(batch), BATCH):
                found.update(self._columns(batch[start : start + BATCH]))
        return found

    def _open(self) -> None:
        self._made += 1
        self._session = self._platform.open_session(SessionSpec(f"cross-{self._made}"))
        self._tables = {name: self._input(item) for name, item in inputs().items()}

    def _input(self, item: dict[str, Any]) -> Any:
        schema = parse_schema(item["schema"])
        arrow = arrow_schema(schema)
        columns = list(zip(*item["rows"], strict=True)) or [()] * len(arrow)
        arrays = [
            pa.array([_read(value, field.type) for value in column], field.type)
            for column, field in zip(columns, arrow, strict=True)
        ]
        batch = pa.RecordBatch.from_arrays(arrays, schema=arrow)  # an empty table has a batch too
        return self._session.from_arrow(pa.Table.from_batches([batch]), schema)

    def _frame(self, case: Case) -> Any:
        if case.shape == "frame":
            return with_frames(self._session.frames, lambda: FRAMES[case.text](self._tables))
        return self._session.sql(case.sql, self._tables)

    def _columns(self, cases: list[Case]) -> dict[str, Answer]:
        """Compute cases together; where that fails, in halves, down to the one that fails."""
        key = "g" if cases[0].shape == "group" else "k"
        listed = ", ".join(f"{case.text} AS c{place}" for place, case in enumerate(cases))
        tail = " GROUP BY g" if cases[0].shape == "group" else ""
        text = f"SELECT {key}, {listed} FROM {cases[0].table}{tail}"
        try:
            types, table = self._stored(self._session.sql(text, self._tables))
        except Exception as error:  # noqa: BLE001  # whatever an engine raises is its answer
            self._recover()
            if len(cases) == 1:
                return {cases[0].id: self._error(error)}
            middle = len(cases) // 2
            return {**self._columns(cases[:middle]), **self._columns(cases[middle:])}
        keys = column_values(table.column(0))
        order = sorted(range(len(keys)), key=lambda place: (keys[place] is not None, keys[place]))
        found = {}
        for place, case in enumerate(cases, 1):
            values = column_values(table.column(place))
            found[case.id] = {"types": types[place][1], "rows": [values[at] for at in order]}
        return found

    def _whole(self, case: Case) -> Answer:
        try:
            frame = self._frame(case)
            types, table = self._ordered(frame) if case.is_ordered else self._stored(frame)
        except Exception as error:  # noqa: BLE001  # whatever an engine raises is its answer
            self._recover()
            return self._error(error)
        columns = [column_values(column) for column in table.columns]
        rows = [list(row) for row in zip(*columns, strict=True)]
        return {"types": types, "rows": rows if case.is_ordered else sorted_rows(rows)}

    def _stored(self, frame: Any) -> tuple[list[list[str]], pa.Table]:
        """Write a frame as an output is written, and read the files."""
        schema = self._session.schema(frame)
        self._made += 1
        folder = self._work_dir / f"case{self._made}"
        self._session.save(self._session.cast(frame, schema), PathWrite("parquet", str(folder), "overwrite"))
        table = pa.concat_tables(
            [pq.read_table(path) for path in sorted(folder.rglob("*.parquet"))], promote_options="permissive"
        )
        shutil.rmtree(folder)
        return [[field.name, field.type] for field in schema.fields], _exact(table, schema)

    def _ordered(self, frame: Any) -> tuple[list[list[str]], pa.Table]:
        schema = self._session.schema(frame)
        found = self._session.to_arrow(self._session.cast(frame, schema))
        table = found if isinstance(found, pa.Table) else found.read_all()
        return [[field.name, field.type] for field in schema.fields], _exact(table, schema)

    def _recover(self) -> None:
        """Go on with a new session where the engine was lost; Spark's JVM never is."""
        if self.name == "sail" and not self._platform.is_healthy():
            self._session.close()
            self._open()

    def _error(self, error: Exception) -> Answer:
        if isinstance(error, KindlingError):
            return {"error": error.code, "text": error.what}
        return {"error": type(error).__name__, "text": self._platform.explain(error).split("\n")[0][:200]}


def _exact(table: pa.Table, schema: Schema) -> pa.Table:
    """Return rows in the neutral types: Spark's files do not say that instants are UTC."""
    return table.rename_columns(list(schema.names)).cast(arrow_schema(nullable(schema)))


def _read(value: Any, kind: pa.DataType) -> Any:  # noqa: PLR0911  # one return for each kind
    """Return an input value of JSON as what pyarrow takes for a type."""
    if value is None:
        return None
    if pa.types.is_decimal(kind):
        return Decimal(value)
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if pa.types.is_date(kind):
        return date.fromisoformat(value)
    if pa.types.is_map(kind):
        return [tuple(pair) for pair in value]
    if pa.types.is_floating(kind):
        return float(value)
    return value
