"""Values of different types side by side: what is computed is as on Spark, what cannot be is refused."""

from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_duckdb.session import DuckDBSession

from kindling.errors import RunError


@pytest.mark.parametrize(
    ("expression", "kind", "values"),
    [
        ("f + i", "double", [4.5, 5.100000001490116, 5.25]),
        ("coalesce(f, 0)", "double", [1.5, 0.10000000149011612, 2.25]),
        ("CASE WHEN i > 3 THEN f ELSE 1 END", "double", [1.0, 0.10000000149011612, 1.0]),
        ("if(i > 3, f, f)", "float", [1.5, 0.10000000149011612, 2.25]),
        ("0.5", "decimal(1,1)", None),
        ("CAST(0.50 AS STRING)", "string", ["0.50", "0.50", "0.50"]),
        ("count_if(i > 100)", "bigint", [0]),
        ("sign(CAST('NaN' AS DOUBLE)) > 1", "boolean", [True, True, True]),
        ("upper('straße')", "string", ["STRASSE"] * 3),
        ("ltrim('a', s)", "string", ["bc", "Zed", "bc"]),
        ("position('b', s, 2)", "int", [2, 0, 2]),
        ("array_append(CAST(NULL AS ARRAY<INT>), 1) IS NULL", "boolean", [True] * 3),
        ("flatten(array(arr, NULL)) IS NULL", "boolean", [True] * 3),
        ("unix_timestamp(TIMESTAMP'1969-12-31 23:59:59.5')", "bigint", [0, 0, 0]),
        (
            "hour(to_utc_timestamp(TIMESTAMP'2024-10-27 02:30:00', 'Europe/Berlin'))",
            "int",
            [0, 0, 0],
        ),
    ],
)
def test_the_result_is_spark_s(
    session: DuckDBSession, table: Any, expression: str, kind: str, values: list[object] | None
) -> None:
    frame = session.sql(f"SELECT {expression} AS c FROM t", {"t": table})
    assert session.schema(frame).fields[0].type == kind
    if values is not None:
        assert [row[0] for row in session.preview(frame, 9).rows] == values


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("i + '1'", "KDL-PORT-024: arithmetic with text is not portable to duckdb"),
        ("s * 2", "KDL-PORT-024: arithmetic with text is not portable to duckdb"),
        ("coalesce(i, '0')", "KDL-PORT-021: this call of 'coalesce' is not portable to duckdb"),
        ("CASE WHEN bo THEN i ELSE 'x' END", "KDL-PORT-021: this call of 'case' is not portable to duckdb"),
        ("CASE WHEN NULL THEN 1 END", "KDL-PORT-024: NULL as a condition is not portable to duckdb"),
        ("arr < arr", "KDL-PORT-024: an order of arrays or structs is not portable to duckdb"),
        (
            "regexp_replace(s, '', '-')",
            "KDL-PORT-021: this call of 'regexp_replace' is not portable to duckdb",
        ),
        (
            "to_timestamp('12:00', 'HH:mm')",
            "KDL-PORT-021: this call of 'to_timestamp' is not portable to duckdb",
        ),
        ("i > ALL (SELECT 1)", "KDL-PORT-024: All (ALL (SELECT 1)) is not portable to duckdb"),
    ],
)
def test_what_cannot_be_spark_s_is_refused(
    session: DuckDBSession, table: Any, expression: str, told: str
) -> None:
    with pytest.raises(RunError) as caught:
        session.sql(f"SELECT {expression} AS c FROM t", {"t": table})
    assert str(caught.value).splitlines()[0] == told


def test_an_approximate_percentile_over_nan_is_refused_while_it_runs(
    session: DuckDBSession, table: Any
) -> None:
    frame = session.sql(
        "SELECT percentile_approx(CASE WHEN i > 3 THEN CAST('NaN' AS DOUBLE) ELSE d END, 0.5) AS c FROM t",
        {"t": table},
    )
    with pytest.raises(RunError, match="KDL-PORT-021: an approximate percentile over NaN"):
        session.preview(frame, 1)


def test_maps_with_a_common_key_are_not_joined(session: DuckDBSession, table: Any) -> None:
    frame = session.sql("SELECT map_concat(mp, mp) AS c FROM t", {"t": table})
    with pytest.raises(Exception, match="DUPLICATED_MAP_KEY"):
        session.preview(frame, 1)
