"""A column has a type only where no other column can be meant; queries give Spark's rows either way."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

SHADOWED = """
    WITH c AS (SELECT i FROM t)
    SELECT (WITH c AS (SELECT s AS i FROM t WHERE j = 7) SELECT CAST(i AS STRING) FROM c) AS c,
           CAST(i AS INT) AS n
    FROM c WHERE i = 5
"""
DAY, WHOLE = "CAST(ts AS DATE)", "CAST(i AS INT)"
# (query, whether its text still asks for a type, rows)
CASES = [
    ("SELECT CAST(i AS INT) AS c FROM t WHERE i = 5", False, [(5,)]),
    ("SELECT CAST(a.i AS INT) AS c FROM t a JOIN u ON a.i = u.i WHERE j = 7", False, [(3,)]),
    ("SELECT CAST(i AS INT) AS c FROM t JOIN u USING (i) WHERE j = 7", False, [(3,)]),
    ("WITH c AS (SELECT s AS i FROM t) SELECT length(CAST(i AS STRING)) AS c FROM c", False, [(3,)] * 3),
    ("WITH c AS (SELECT i FROM t) SELECT CAST(i AS INT) AS c FROM c AS d WHERE i = 5", False, [(5,)]),
    ("SELECT CAST(i AS INT) AS c FROM (SELECT * FROM t) WHERE i = 5", False, [(5,)]),
    ("SELECT CAST(i AS INT) AS i, CAST(i AS INT) AS j FROM t WHERE CAST(i AS INT) = 5", False, [(5, 5)]),
    ("SELECT CAST(i AS INT) AS c FROM t WHERE d > '1.5' AND '2.6' < d AND sn > '1.5'", False, [(3,)]),
    # The name of a widened column, of a field, of VALUES, of an outer query: no type.
    ("SELECT CAST(x AS INT) c FROM (SELECT i AS x FROM t WHERE j = 2 UNION ALL SELECT d FROM t WHERE j = 2)",
     True, [(5,), (-1,)]),
    ("WITH c AS (SELECT s FROM t), d(s) AS (SELECT i FROM t) SELECT CAST(s AS INT) AS c FROM d WHERE s = 5",
     True, [(5,)]),
    ("SELECT CAST(st.y AS STRING) AS c FROM t WHERE i = 5", True, [("w",)]),
    ("SELECT CAST(x AS STRING) AS c FROM VALUES (1), (2) AS v(x) ORDER BY c", True, [("1",), ("2",)]),
    ("SELECT (SELECT max(CAST(t.i AS INT) + u.i) FROM u) AS c FROM t WHERE j = 7", True, [(12,)]),
    (SHADOWED, False, [("abc", 5)]),
    ("SELECT transform(arr, i -> CAST(i AS STRING)) AS c FROM t WHERE i = 5", True, [(["4", "1"],)]),
    # DuckDB takes the alias in HAVING, and the column everywhere else.
    ("SELECT to_date(ts) AS k, count(*) AS ts FROM t GROUP BY to_date(ts) HAVING CAST(ts AS STRING) = '2'",
     True, []),
    (f"SELECT {DAY} AS ts, count(*) AS n FROM t GROUP BY {DAY} ORDER BY CAST({DAY} AS STRING) LIMIT 1",
     False, [(date(2019, 12, 30), 1)]),
    (f"SELECT CAST({WHOLE} AS STRING) AS i, count(*) AS n FROM t GROUP BY {WHOLE} HAVING max({WHOLE}) > 3",
     True, [("5", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "asks", "rows"), CASES, ids=[case[0] for case in CASES])
def test_a_column_has_a_type_only_where_it_is_certain(
    session: DuckDBSession,
    table: Any,
    others: Any,
    text: str,
    rows: list[tuple[object, ...]],
    *,
    asks: bool,
) -> None:
    frame = session.sql(text, {"t": table, "u": others})
    assert list(session.collect(frame).rows) == rows
    view = session._views._leaves[frame]
    made = session._cursor.execute("SELECT sql FROM duckdb_views() WHERE view_name = ?", [view]).fetchall()[
        0
    ][0]
    assert ("kdl_to_" in made.lower()) == asks


def test_the_steps_of_a_frame_know_the_types_of_their_columns(session: DuckDBSession, table: Any) -> None:
    made = table.selectExpr("to_date(ts) AS d", "CAST(i AS STRING) AS s").selectExpr(
        "to_date(d) AS d", "length(CAST(s AS STRING)) AS n"
    )
    assert "kdl_to" not in session._views.compiled(made).lower()
    assert sorted(row[1] for row in session.collect(made).rows) == [1, 1, 1]
