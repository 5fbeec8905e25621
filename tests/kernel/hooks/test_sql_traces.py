from __future__ import annotations

import pytest

from kindling.hooks.sql_traces import parsed, query_trace
from kindling.hooks.traces import OpaqueError, Trace

TABLES = {"a": Trace.of_input("a", ["k", "x", "s"]), "b": Trace.of_input("b", ["k", "y"])}


def table(name: str) -> Trace:
    if name.lower() not in TABLES:
        raise OpaqueError
    return TABLES[name.lower()]


def told(text: str) -> str:
    found = query_trace(parsed(text), table).lineage()
    columns = "; ".join(
        f"{name}=" + " ".join(f"{one.how[0]}:{one.entity}.{one.column}" for one in origins)
        for name, origins in found.columns
    )
    return f"{columns} | " + " ".join(f"{one.entity}.{one.column}" for one in found.rows)


CASES = {
    "SELECT a.*, b.y FROM a JOIN b USING (k)": "k=i:a.k; x=i:a.x; s=i:a.s; y=i:b.y | a.k b.k",
    "SELECT * FROM a JOIN b USING (k)": "k=i:a.k; x=i:a.x; s=i:a.s; y=i:b.y | a.k b.k",
    "SELECT b.k FROM a NATURAL JOIN b": "k=i:b.k | a.k b.k",
    "SELECT * EXCEPT (x) FROM a": "k=i:a.k; s=i:a.s | ",
    "SELECT * FROM a LEFT SEMI JOIN b ON a.k = b.k": "k=i:a.k; x=i:a.x; s=i:a.s | a.k b.k",
    "SELECT q.z FROM (SELECT x AS z FROM a) q": "z=i:a.x | ",
    "SELECT z FROM a AS t(z, w, v)": "z=i:a.k | ",
    "SELECT x AS n, n + 1 AS m FROM a": "n=i:a.x; m=t:a.x | ",
    "SELECT s.f AS f, s['g'] AS g FROM a": "f=t:a.s; g=t:a.s | ",
    "SELECT explode(s) AS e FROM a": "e=t:a.s | a.s",
    "SELECT posexplode(s) AS (p, e) FROM a": "p=t:a.s; e=t:a.s | a.s",
    "SELECT v FROM a LATERAL VIEW explode(s) t AS v": "v=t:a.s | a.s",
    "SELECT x FROM a WHERE k IN (SELECT k FROM b WHERE y > 1)": "x=i:a.x | a.k b.k b.y",
    "SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)": "x=i:a.x | a.k b.k",
    "SELECT (SELECT max(y) FROM b WHERE b.k = a.x) AS m FROM a": "m=a:b.y | a.x b.k",
    "SELECT x FROM a ORDER BY 1": "x=i:a.x | a.x",
    "SELECT k + 1 AS j, count(*) AS n FROM a GROUP BY j": "j=t:a.k; n= | a.k",
    "SELECT k, sum(x) AS t FROM a GROUP BY ALL": "k=i:a.k; t=a:a.x | a.k",
    "SELECT sum(x) FILTER (WHERE k > 1) AS t FROM a": "t=i:a.k a:a.x | ",
    "SELECT rank() OVER w AS r FROM a WINDOW w AS (PARTITION BY k ORDER BY x)": "r=i:a.k i:a.x | ",
    "SELECT x FROM a QUALIFY row_number() OVER (ORDER BY s) = 1": "x=i:a.x | a.s",
    "SELECT k FROM a UNION SELECT y FROM b": "k=i:a.k i:b.y | a.k b.y",
    "SELECT k FROM a EXCEPT SELECT y FROM b": "k=i:a.k | a.k b.y",
    "SELECT k FROM a UNION ALL SELECT k FROM b ORDER BY k": "k=i:a.k i:b.k | a.k b.k",
    "SELECT col1 FROM VALUES (1, 2)": "col1= | ",
    "SELECT d FROM VALUES (1, 2) AS t(c, d)": "d= | ",
    "SELECT 1 AS one": "one= | ",
    "SELECT transform(s, e -> e + x) AS t FROM a": "t=t:a.s t:a.x | ",
    "SELECT if(k > 1, x, 0) AS c FROM a": "c=i:a.k t:a.x | ",
    "WITH q(z) AS (SELECT x FROM a) SELECT z FROM q": "z=i:a.x | ",
    "SELECT x FROM a GROUP BY ROLLUP (x, k)": "x=i:a.x | a.k a.x",
}


@pytest.mark.parametrize("text", CASES)
def test_a_query_is_followed_to_its_tables(text: str) -> None:
    assert told(text) == CASES[text]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT x FROM elsewhere",
        "SELECT x FROM db.a",
        "SELECT nothing FROM a",
        "SELECT x FROM a TABLESAMPLE (10 PERCENT)",
        "SELECT * FROM a PIVOT (sum(x) FOR k IN (1, 2))",
        "SELECT * FROM range(3)",
        "SELECT posexplode(s) FROM a",
        "SELECT x FROM a WHERE :p > 1",
        "SELECT max(*) FROM a",
        "WITH RECURSIVE q AS (SELECT x FROM a UNION ALL SELECT x FROM q) SELECT * FROM q",
        "SELECT x FROM a, LATERAL (SELECT 1)",
        "SELECT row_number() OVER w FROM a",
        "SELECT x FROM a ORDER BY 3",
        "SHOW TABLES",
        "SELECT ((",
        "SELECT z.* FROM a",
    ],
)
def test_what_is_not_understood_is_opaque(text: str) -> None:
    with pytest.raises(OpaqueError):
        told(text)
