"""Functions that are annotated with another frame class than `k.DataFrame`. Checked, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import kindling as k

if TYPE_CHECKING:
    from pyspark.sql import DataFrame as SparkFrame
    from sqlframe.duckdb import DuckDBDataFrame

app = k.App("frames")
orders = app.source("orders", k.csv("o.csv"))


class OwnFrame:
    """Any class with the shape of a frame."""

    @property
    def columns(self) -> list[str]:
        """The column names."""
        return []

    def count(self) -> int:
        """The number of rows."""
        return 0


@app.pipe(orders)
def by_spark(df: SparkFrame) -> SparkFrame:
    """PySpark's own class."""
    return df.where("id > 0")


@app.pipe(orders, by_spark)
def by_sqlframe(df: DuckDBDataFrame, _more: DuckDBDataFrame) -> DuckDBDataFrame:
    """A class of sqlframe."""
    return df


@app.pipe(by_sqlframe, context=True)
def by_own(_context: k.Context, df: OwnFrame) -> OwnFrame:
    """A class of one's own."""
    return df


def calls(frame: OwnFrame, context: k.Context) -> k.DataFrame:
    """The parameters keep their classes."""
    return by_own(context, frame)
