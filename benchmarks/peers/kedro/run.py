"""The tables of `work.json` as a Kedro pipeline with a dataset of its own kind, run in code.

python run.py                   # all nodes
python run.py clean_orders      # from this node on, as `kedro run --from-nodes` does
python run.py missing           # nodes whose outputs are missing, as `kedro run --only-missing-outputs` does
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from kedro.io import AbstractDataset, DataCatalog
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner
from tables import LAKE, PIPES, WORK, connection, scan, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyRelation


class Table(AbstractDataset):
    """A Delta table, or a source of Parquet; what it loads is SQL that scans it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def load(self) -> str:
        """Return what scans the table."""
        return scan(self.name)

    def save(self, data: DuckDBPyRelation) -> None:
        """Write the table."""
        write(self.name, data)

    def _exists(self) -> bool:
        return self.name in WORK["sources"] or DeltaTable.is_deltatable(str(LAKE / self.name))

    def _describe(self) -> dict[str, str]:
        return {"name": self.name}


def body(name: str) -> Callable[..., DuckDBPyRelation]:
    """Return the function of one node."""
    sql, inputs = str(PIPES[name]["sql"]), PIPES[name]["inputs"]

    def one(*scans: str) -> DuckDBPyRelation:
        return connection.sql(sql.format(**dict(zip(inputs, scans, strict=True))))

    return one


def main() -> None:
    """Run all of it, or a part."""
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    pipeline = Pipeline(
        [node(body(name), list(pipe["inputs"]) or None, name, name=name) for name, pipe in PIPES.items()]
    )
    catalog = DataCatalog({name: Table(name) for name in (*WORK["sources"], *PIPES)})
    is_missing = chosen == "missing"
    if chosen and not is_missing:
        pipeline = pipeline.from_nodes(chosen)
    SequentialRunner().run(pipeline, catalog, only_missing_outputs=is_missing)


main()
