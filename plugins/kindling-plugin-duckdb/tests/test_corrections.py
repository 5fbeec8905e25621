"""Spark SQL text on DuckDB: equal values and types, or a refusal; expected values are Spark's.

`spark_expressions.json` holds `[expression, type, sorted values, reference]` over the rows of `conftest`.
Reference `sail`: computed by Sail 0.7.2. Reference `spark`: Sail differs from Spark on the JVM there, and the
value follows Spark's documentation (4.2 SQL reference) and its ANSI mode.
"""

from __future__ import annotations

import json
import math
import re
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_duckdb.functions import PORTABLE

from kindling.errors import RunError

if TYPE_CHECKING:
    from kindling_plugin_duckdb.session import DuckDBSession

CASES = json.loads((Path(__file__).parent / "spark_expressions.json").read_text(encoding="utf-8"))
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?")


def shown(value: object) -> str:
    return repr(value.replace(tzinfo=None) if isinstance(value, datetime) else value)


def alike(left: str, right: str) -> bool:
    if NUMBER.sub("#", left) != NUMBER.sub("#", right):
        return False
    pairs = zip(NUMBER.findall(left), NUMBER.findall(right), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=1e-12) for a, b in pairs)


@pytest.mark.parametrize(
    ("expression", "kind", "values"), [case[:3] for case in CASES], ids=[c[0] for c in CASES]
)
def test_an_expression_has_the_type_and_the_values_that_spark_gives(
    session: DuckDBSession, table: Any, expression: str, kind: str, values: list[str]
) -> None:
    frame = session.sql(f"SELECT {expression} AS c FROM t", {"t": table})
    assert session.schema(frame).fields[0].type == kind
    found = sorted(shown(row[0]) for row in session.collect(frame).rows)
    assert len(found) == len(values)
    assert all(map(alike, found, values)), found


def test_every_portable_function_stands_in_the_table_of_expressions() -> None:
    text = " ".join(case[0].lower() for case in CASES)
    volatile = {
        "any_value", "approx_count_distinct", "current_timestamp", "max_by", "min_by", "mode", "now", "rand",
        "uuid", "current_date", "curdate", "collect_set", "grouping", "raise_error",
    }  # fmt: skip
    called = set(re.findall(r"\b([a-z_0-9]+)\s*\(", text))
    assert PORTABLE - called - volatile == set()


ANSI_ERRORS = [
    ("1/0", "DIVIDE_BY_ZERO"),
    ("i/0", "DIVIDE_BY_ZERO"),
    ("i % 0", "DIVIDE_BY_ZERO"),
    ("d % 0", "DIVIDE_BY_ZERO"),
    ("pmod(i, 0)", "DIVIDE_BY_ZERO"),
    ("i div 0", "Division by zero"),
    ("cast('2.7' as int)", "CAST_INVALID_INPUT.*'2.7'"),
    ("cast('x' as int)", "CAST_INVALID_INPUT.*'x'"),
    ("cast('1_0' as int)", "CAST_INVALID_INPUT"),
    ("cast('' as int)", "CAST_INVALID_INPUT"),
    ("cast(s as int)", "CAST_INVALID_INPUT"),
    ("int('x')", "CAST_INVALID_INPUT"),
    ("cast('x' as double)", "convert string"),
    ("cast('1_000' as double)", "CAST_INVALID_INPUT"),
    ("cast('maybe' as boolean)", "CAST_INVALID_INPUT"),
    ("cast('2020/01/02' as date)", "CAST_INVALID_INPUT"),
    ("cast('x' as timestamp)", "CAST_INVALID_INPUT"),
    ("cast(300 as tinyint)", "out of range"),
    ("cast(1e20 as bigint)", "out of range"),
    ("cast(dt as int)", "(?i)date"),
    ("2147483647 + 1", "Overflow"),
    ("i * 1000000000", "Overflow"),
    ("9223372036854775807 + 1", "Overflow"),
    ("to_date('x')", "CAST_INVALID_INPUT"),
    ("to_date('2020-1-2', 'yyyy-MM-dd')", "CAST_INVALID_INPUT"),
    ("unix_timestamp(i)", "(?i)cast"),
    ("ceil(s)", "convert string"),
    ("floor(s)", "convert string"),
    ("to_timestamp('x', 'yyyy')", "CAST_INVALID_INPUT|parse"),
    ("element_at(arr, 9)", "INVALID_ARRAY_INDEX"),
    ("arr[5]", "INVALID_ARRAY_INDEX"),
    ("raise_error('boom')", "boom"),
    ("sn > 5", "explicit cast"),
    ("sn + 1", "(?i)cast|operator"),
    ("mp[1]", "Binder Error"),
    ("explode(mp)", "Binder Error"),
    ("explode(st)", "Binder Error"),
    ("size(s)", "Binder Error"),
    ("size(mp)", "Binder Error"),
    ("reverse(arr)", "Binder Error"),
]


@pytest.mark.parametrize(("expression", "text"), ANSI_ERRORS, ids=[case[0] for case in ANSI_ERRORS])
def test_what_ansi_spark_refuses_fails_and_is_never_null(
    session: DuckDBSession, table: Any, expression: str, text: str
) -> None:
    with pytest.raises(Exception, match=text):  # duckdb's own errors and ours
        session.collect(session.sql(f"SELECT {expression} AS c FROM t", {"t": table}))


REFUSED = [
    ("xxhash64(s)", "KDL-PORT-020"),
    ("crc32(s)", "KDL-PORT-020"),
    ("bround(d)", "KDL-PORT-020"),
    ("skewness(i)", "KDL-PORT-020"),
    ("monotonically_increasing_id()", "KDL-PORT-020"),
    ("from_json(s, 'a int')", "KDL-PORT-020"),
    ("typeof(i)", "KDL-PORT-020"),
    ("no_such_function(i)", "KDL-PORT-020"),
    ("nope(i) over (order by i)", "KDL-PORT-020"),
    ("list_transform(arr, x -> x)", "KDL-PORT-020"),
    ("rand(1)", "KDL-PORT-021"),
    ("split(s, 'b', 2)", "KDL-PORT-021"),
    ("split(s, sn)", "KDL-PORT-021"),
    ("sha2(s, 512)", "KDL-PORT-021"),
    ("ceil(d, 2)", "KDL-PORT-021"),
    ("round(d, i)", "KDL-PORT-021"),
    ("round(d, 20)", "KDL-PORT-021"),
    ("trunc(d)", "KDL-PORT-02[08]"),
    ("sort_array(arr, bo)", "KDL-PORT-021"),
    ("array_sort(arr, (a, c) -> 1)", "KDL-PORT-021"),
    ("aggregate(arr, 0, (a, x) -> a + x, a -> a)", "KDL-PORT-021"),
    ("percentile(i, 0.5, 2)", "KDL-PORT-021"),
    ("first(i, bo)", "KDL-PORT-021"),
    ("sum(i) ignore nulls", "KDL-PORT-021"),
    ("row_number() ignore nulls over (order by i)", "KDL-PORT-021"),
    ("extract(second from ts)", "KDL-PORT-021"),
    ("cast(s as array<int>)", "KDL-PORT-021"),
    ("cast(s as interval day)", "KDL-PORT-02[148]"),
    ("upper(distinct s)", "KDL-PORT-021"),
    ("get_json_object(s, '$.a[*]')", "KDL-PORT-021"),
    ("decode(encode(s, 'utf-16'), 'utf-16')", "KDL-PORT-021"),
    ("date_add(day, 1, dt)", "KDL-PORT-021"),
    ("arr[0:1]", "KDL-PORT-02[48]"),
    ("interval '1-2' year to month", "KDL-PORT-024"),
    ("ts at time zone 'UTC'", "KDL-PORT-02[48]"),
    ("date_format(ts, 'QQQ')", "KDL-PORT-026"),
    ("date_trunc('century', ts)", "KDL-PORT-026"),
    ("regexp_replace(s, 'b', '${name}')", "KDL-PORT-026"),
    ("1/2.5", "KDL-PORT-021"),
    ("m / 2", "KDL-PORT-021"),
    ("avg(m)", "KDL-PORT-021"),
    ("ceil(m)", "KDL-PORT-021"),
    ("d div 2", "KDL-PORT-021"),
    ("concat(s, d)", "KDL-PORT-021"),
    ("s || ts", "KDL-PORT-021"),
    ("cast(arr as string)", "KDL-PORT-021"),
    ("cast(i as binary)", "KDL-PORT-021"),
    ("sum(bo)", "KDL-PORT-021"),
    ("dt + interval 1 hour", "KDL-PORT-021"),
    ("sum(m)", "KDL-PORT-025"),
    ("m * 2", "KDL-PORT-025"),
    ("i * 2.5", "KDL-PORT-025"),
    ("coalesce(m, 0)", "KDL-PORT-025"),
    ("interval 1 day", "KDL-PORT-029"),
    ("dt - dt", "KDL-PORT-021: the difference of two dates"),
    ("f > 0.1", "KDL-PORT-021: a float beside a decimal"),
    ("f + 0.5", "KDL-PORT-021: a float beside a decimal"),
    ("-0.5 * f", "KDL-PORT-021: a float beside a decimal"),
    ("f BETWEEN 0.05 AND 0.1", "KDL-PORT-021: a float beside a decimal"),
    ("f IN (0.1)", "KDL-PORT-021: a float beside a decimal"),
    ("i = '10.5'", "KDL-PORT-021: a whole number compared with a fraction in quotes"),
    ("array_join(array(d), ',')", "KDL-PORT-021: joining doubles"),
    ("base64(i)", "KDL-PORT-021"),
    ("ts - ts", "KDL-PORT-02[19]"),
]


@pytest.mark.parametrize(("expression", "code"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_differs_is_refused_with_a_code(
    session: DuckDBSession, table: Any, expression: str, code: str
) -> None:
    def compute() -> None:
        frame = session.sql(f"SELECT {expression} AS c FROM t", {"t": table})
        session.schema(frame)
        session.collect(frame)

    with pytest.raises(RunError, match=code):
        compute()


CLAUSES = [
    ("SELECT a FROM t LATERAL VIEW explode(arr) x AS a", "KDL-PORT-024"),
    ("SELECT * FROM t PIVOT (sum(i) FOR s IN ('abc'))", "KDL-PORT-024"),
    ("SELECT i FROM t TABLESAMPLE (10 PERCENT)", "KDL-PORT-024"),
    ("SELECT i FROM t SORT BY i", "KDL-PORT-024"),
    ("SELECT i FROM t DISTRIBUTE BY i", "KDL-PORT-024"),
    ("SELECT i FROM t CLUSTER BY i", "KDL-PORT-024"),
    ("SELECT * FROM t JOIN t AS u USING (i)", "KDL-PORT-024"),
    ("SELECT * FROM t NATURAL JOIN t AS u", "KDL-PORT-024"),
    (
        "SELECT i FROM t UNION ALL SELECT s FROM t",
        "KDL-PORT-024: a set operation of integer and varchar in 'i'",
    ),
    (
        "WITH c AS (SELECT i FROM t) SELECT x FROM (SELECT i AS x FROM c UNION SELECT bo FROM t)",
        "KDL-PORT-024",
    ),
    ("SELECT id FROM range(5)", "KDL-PORT-024"),
    ("SELECT i FROM elsewhere", "KDL-PORT-027"),
    ("SELECT i FROM db.t", "KDL-PORT-027"),
    ("SELECT i FROM kdl_v1", "KDL-PORT-027"),
    ("SELECT i FROM parquet.`/etc/x`", "KDL-PORT-027"),
    ("DELETE FROM t", "KDL-PORT-028"),
    ("SELECT i FROM t; SELECT j FROM t", "KDL-PORT-028"),
    ("SELECT (i FROM t", "KDL-PORT-028"),
    ("SELECT upper(s) FROM t", "KDL-PORT-022"),
    ("SELECT x FROM (SELECT i + 1 FROM t)", "KDL-PORT-022"),
]


@pytest.mark.parametrize(("text", "code"), CLAUSES, ids=[case[0] for case in CLAUSES])
def test_a_clause_that_differs_is_refused_with_a_code(
    session: DuckDBSession, table: Any, text: str, code: str
) -> None:
    with pytest.raises(RunError, match=code):
        session.sql(text, {"t": table})


ROLLED = [("abc", None, 0, 2), ("abc", 3, 0, 2), ("Zed", None, 0, 1), ("Zed", 5, 0, 1)]
QUERIES = [
    ("SELECT sum(i), count(*), max(d), avg(b), count(n) FROM t", [(11, 3, 2.75, 20.0, 2)]),
    ("SELECT s, count(*) AS c FROM t GROUP BY s ORDER BY s", [("Zed", 1), ("abc", 2)]),
    ("SELECT s, count(*) AS c FROM t GROUP BY 1 HAVING count(*) > 1", [("abc", 2)]),
    ("SELECT n FROM t ORDER BY n", [(None,), (2,), (4,)]),
    ("SELECT n FROM t ORDER BY n DESC", [(4,), (2,), (None,)]),
    ("SELECT n FROM t ORDER BY n DESC NULLS FIRST", [(None,), (4,), (2,)]),
    ("SELECT n FROM t ORDER BY n NULLS LAST LIMIT 2", [(2,), (4,)]),
    ("SELECT i FROM t WHERE s LIKE 'a%' AND n IS NULL", [(3,)]),
    ("WITH a AS (SELECT i, j FROM t), c AS (SELECT i FROM a) SELECT count(*) AS n FROM c", [(3,)]),
    ("SELECT i FROM t WHERE i IN (SELECT max(i) FROM t)", [(5,)]),
    ("SELECT i, (SELECT max(j) FROM t) AS m FROM t WHERE i = 5", [(5, 9)]),
    ("SELECT i FROM t a WHERE EXISTS (SELECT 1 FROM t c WHERE c.j = a.i + 4) ORDER BY i", [(3,), (3,), (5,)]),
    ("SELECT a.i, c.name FROM t a LEFT JOIN u c ON a.i = c.i ORDER BY a.j",
     [(5, None), (3, "three"), (3, "three")]),
    ("SELECT i FROM t LEFT ANTI JOIN u USING (i)", [(5,)]),
    ("SELECT DISTINCT i FROM t LEFT SEMI JOIN u ON t.i = u.i", [(3,)]),
    ("SELECT i FROM t UNION SELECT i FROM u ORDER BY i", [(3,), (5,), (9,)]),
    ("SELECT i FROM t EXCEPT SELECT i FROM u", [(5,)]),
    ("SELECT i FROM t INTERSECT SELECT i FROM u", [(3,)]),
    ("SELECT s, n, row_number() OVER (PARTITION BY s ORDER BY n) AS r FROM t ORDER BY s, r",
     [("Zed", 4, 1), ("abc", None, 1), ("abc", 2, 2)]),
    ("SELECT s, i, grouping(s) g, count(1) c FROM t GROUP BY ROLLUP(s, i) ORDER BY c DESC, g DESC, s DESC, i",
     [(None, None, 1, 3), *ROLLED]),
    ("SELECT i, sum(j) OVER w AS c FROM t WINDOW w AS (ORDER BY j)", [(5, 2), (3, 9), (3, 18)]),
    ("SELECT i FROM t UNION ALL SELECT d FROM t WHERE i = 5 UNION ALL SELECT null ORDER BY i LIMIT 2",
     [(None,), (-1.25,)]),
    ("SELECT corr(i, 1) AS a, kurtosis(1) AS c, stddev(i) AS e FROM t WHERE i = 5", [(None, None, None)]),
    ("SELECT i FROM t WHERE s <> '1.5' AND d > 0.5 AND i > 0.5 AND j = 7", [(3,)]),
    ("SELECT * FROM (SELECT i, j FROM t WHERE j > 7)", [(3, 9)]),
    ("SELECT st.x, st.y FROM t ORDER BY 1", [(1, "q"), (2, "w"), (3, None)]),
    ("SELECT explode(arr) AS e FROM t WHERE i = 5", [(4,), (1,)]),
    ("SELECT CASE WHEN i > 3 THEN 'big' END AS c FROM t ORDER BY i DESC LIMIT 1", [("big",)]),
    ("SELECT x FROM VALUES (1), (2) AS v(x) ORDER BY x", [(1,), (2,)]),
    ("SELECT /*+ BROADCAST(u) */ name FROM t JOIN u ON t.i = u.i WHERE j = 7", [("three",)]),
    ("SELECT cast(d as int) FROM t ORDER BY d", [(-1,), (2,), (2,)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rows"), QUERIES, ids=[case[0] for case in QUERIES])
def test_a_query_returns_the_rows_that_spark_returns(
    session: DuckDBSession, table: Any, others: Any, text: str, rows: list[tuple[object, ...]]
) -> None:
    assert list(session.collect(session.sql(text, {"t": table, "u": others})).rows) == rows


def test_unnamed_aggregates_get_the_names_that_spark_gives(session: DuckDBSession, table: Any) -> None:
    frame = session.sql(
        "SELECT sum(i), count(*), max(D), avg(b), cast(n as bigint) FROM t GROUP BY n", {"t": table}
    )
    assert session.schema(frame).names == ("sum(i)", "count(1)", "max(D)", "avg(b)", "n")
