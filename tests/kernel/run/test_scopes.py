"""What a query says of its columns: `i` identity, `t` transformation, `a` aggregation, `?` indirect."""

from __future__ import annotations

import pytest

from kindling.lineage import HOWS
from kindling.run.scopes import Opaque, Walk
from kindling.schemas import parse_schema

TABLES = {
    "kdl_a": (
        "raw.a",
        parse_schema("Id bigint, name string, amount double, s struct<x:int>, tags array<string>"),
    ),
    "kdl_b": ("raw.b", parse_schema("id bigint, city string")),
}
GROUPED = """
SELECT city, sum(amount) t, count(*) FROM kdl_a a JOIN kdl_b b ON a.id = b.id WHERE name > 'x'
GROUP BY city HAVING max(amount) > 1 ORDER BY t
"""
CHAINED = """
WITH x AS (SELECT id, amount * 2 d FROM kdl_a), y AS (SELECT * FROM x WHERE d > 1)
SELECT d, CASE WHEN city = 'x' THEN d ELSE 0 END FROM y LEFT JOIN kdl_b USING (id)
"""
WINDOWS = """
SELECT row_number() OVER (PARTITION BY name ORDER BY amount), sum(amount) OVER (ORDER BY id) FROM kdl_a
"""
LETTERS = dict(zip(HOWS, "ita?", strict=True))


def shown(origins: object) -> str:
    return " ".join(sorted(f"{one.entity[-1]}.{one.column}:{LETTERS[one.how]}" for one in origins))  # type: ignore[attr-defined]  # origins


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("SELECT ID, name AS n, upper(name), 1 FROM kdl_a", ["a.Id:i", "a.name:i", "a.name:t", ""], ""),
        ("SELECT * FROM kdl_b", ["b.id:i", "b.city:i"], ""),
        ("SELECT a.* EXCEPT (s, tags, name) FROM kdl_a a", ["a.Id:i", "a.amount:i"], ""),
        (
            GROUPED,
            ["b.city:i", "a.amount:a", ""],
            "a.Id:? a.amount:? a.name:? b.city:? b.id:?",
        ),
        (
            CHAINED,
            ["a.amount:t", "a.amount:t b.city:?"],
            "a.Id:? a.amount:? b.id:?",
        ),
        ("SELECT id FROM kdl_a UNION ALL SELECT id FROM kdl_b", ["a.Id:i b.id:i"], ""),
        ("SELECT id FROM kdl_a UNION SELECT id FROM kdl_b ORDER BY id", ["a.Id:i b.id:i"], "a.Id:? b.id:?"),
        ("SELECT id FROM kdl_a EXCEPT SELECT id FROM kdl_b", ["a.Id:i"], "a.Id:? b.id:?"),
        (
            WINDOWS,
            ["a.amount:? a.name:?", "a.Id:? a.amount:a"],
            "",
        ),
        ("SELECT s.x, transform(tags, t -> upper(t)) FROM kdl_a", ["a.s:t", "a.tags:t"], ""),
        ("SELECT DISTINCT name FROM kdl_a", ["a.name:i"], "a.name:?"),
        ("SELECT name, count(*) FROM kdl_a GROUP BY ALL", ["a.name:i", ""], "a.name:?"),
        ("SELECT sum(amount) FILTER (WHERE name = 'x') FROM kdl_a", ["a.amount:a a.name:?"], ""),
        ("SELECT if(id > 1, name, 'y'), my_udf(name) FROM kdl_a", ["a.Id:? a.name:t", "a.name:t"], ""),
        ("SELECT CASE id WHEN 1 THEN name END FROM kdl_a", ["a.Id:? a.name:t"], ""),
        ("SELECT upper(name) AS id FROM kdl_a WHERE id > 3", ["a.name:t"], "a.Id:?"),
        ("SELECT kdl_a.id FROM kdl_a SEMI JOIN kdl_b ON kdl_a.id = kdl_b.id", ["a.Id:i"], "a.Id:? b.id:?"),
        ("SELECT name FROM kdl_a QUALIFY rank() OVER (ORDER BY amount) = 1", ["a.name:i"], "a.amount:?"),
        ("SELECT x.n FROM (SELECT name FROM kdl_a LIMIT 3) x(n)", ["a.name:i"], ""),
        ("SELECT id FROM kdl_a FULL JOIN kdl_b USING (id)", ["a.Id:t b.id:t"], "a.Id:? b.id:?"),
    ],
)
def test_columns_come_from(text: str, columns: list[str], rows: str) -> None:
    found, decide = Walk(text, TABLES).result()
    assert ([shown(one) for one in found], shown(decide)) == (columns, rows)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT explode(tags) FROM kdl_a",
        "SELECT t FROM kdl_a LATERAL VIEW explode(tags) z AS t",
        "SELECT id FROM kdl_a WHERE id IN (SELECT id FROM kdl_b)",
        "SELECT (SELECT max(id) FROM kdl_b) FROM kdl_a",
        "SELECT id FROM kdl_a WHERE EXISTS (SELECT 1 FROM kdl_b)",
        "SELECT * FROM kdl_a PIVOT (sum(amount) FOR name IN ('a', 'b'))",
        "SELECT rank() OVER w FROM kdl_a WINDOW w AS (PARTITION BY name)",
        "SELECT id FROM VALUES (1) t(id)",
        "SELECT id FROM kdl_c",
        "SELECT nowhere FROM kdl_a",
        "SELECT struct(*) FROM kdl_a",
        "SELECT id FROM kdl_a UNION BY NAME SELECT id FROM kdl_b",
        "SELECT name FROM kdl_a SORT BY amount",
        "SELECT id FROM kdl_a, kdl_b",
        "WITH RECURSIVE r AS (SELECT id FROM kdl_a UNION ALL SELECT id FROM r) SELECT * FROM r",
        "no query at all (",
    ],
)
def test_what_is_not_understood_is_opaque(text: str) -> None:
    with pytest.raises(Opaque):
        Walk(text, TABLES).result()
