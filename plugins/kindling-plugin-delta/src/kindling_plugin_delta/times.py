"""The bounds of a time column, from file statistics where they are complete, else from the rows.

No engine is asked: planning needs them before one is started.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from kindling.addresses import EVERYTHING
from kindling.errors import StoreError
from kindling_plugin_delta.conditions import column_type, moment_text
from kindling_plugin_delta.layout import layout_of
from kindling_plugin_delta.probe import LogFolder
from kindling_plugin_delta.tables import missing

if TYPE_CHECKING:
    from deltalake import DeltaTable

_TIMES = ("timestamp", "timestamp_ntz", "date")


def bounds_of(
    log: LogFolder, storage_options: dict[str, str], name: str, column: str
) -> tuple[str, str] | None:
    """Return the least and the greatest value, RFC 3339 UTC; None if there is none.

    Statistics hold milliseconds, rounded down.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-108, it is no time column.
    """
    from deltalake import DeltaTable

    layout = layout_of(log, storage_options)
    if layout is None:
        raise missing(name, log.uri)
    kind, stored = column_type(layout.schema, column, EVERYTHING)
    if kind not in _TIMES:
        raise StoreError(
            "KDL-STORE-108",
            f"{column!r} cannot be sliced by time",
            why=f"its type is {kind}, expected one of {', '.join(_TIMES)}",
            hint="name a timestamp or date column in by_time()",
            column=column,
        )
    table = DeltaTable(log.local or log.uri, storage_options=storage_options)
    # Rows that a deletion vector hides still count in the statistics; partition columns have none.
    hidden = stored in layout.partition_by or "deletionVectors" in layout.reader_features
    known, low, high = (False, None, None) if hidden else _from_statistics(table, stored)
    if not known:
        low, high = _from_rows(table, stored)
    if not isinstance(low, date) or not isinstance(high, date):
        return None
    return moment_text(low), moment_text(high)


def _from_statistics(table: DeltaTable, name: str) -> tuple[bool, object, object]:
    """Return whether the statistics are complete, and the bounds."""
    adds = pa.RecordBatchReader.from_stream(table.get_add_actions(flatten=True)).read_all()
    if adds.num_rows == 0:
        return True, None, None
    counts = ["num_records", f"null_count.{name}"]
    if not set(counts) <= set(adds.column_names) or any(adds[count].null_count for count in counts):
        return False, None, None
    filled = adds.filter(pc.less(adds[counts[1]], adds[counts[0]]))
    edges = [filled[side] for side in (f"min.{name}", f"max.{name}") if side in filled.column_names]
    if filled.num_rows == 0 or len(edges) < 2 or any(edge.null_count for edge in edges):  # noqa: PLR2004  # two edges
        return filled.num_rows == 0, None, None
    return True, pc.min(edges[0]).as_py(), pc.max(edges[1]).as_py()


def _from_rows(table: DeltaTable, name: str) -> tuple[object, object]:
    """Return the bounds of the column's values, batch by batch."""
    lows, highs = [], []
    for batch in pa.RecordBatchReader.from_stream(table.scan(columns=[name])):
        found = pc.min_max(batch.column(0)).as_py()
        lows.append(found["min"])
        highs.append(found["max"])
    known_lows, known_highs = ([v for v in values if v is not None] for values in (lows, highs))
    return (min(known_lows), max(known_highs)) if known_lows else (None, None)
