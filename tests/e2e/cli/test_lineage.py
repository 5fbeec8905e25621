from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from terminal import Terminal

SETTINGS = 'app = "shop.app:app"\nplatform.default = "duckdb"\nrun.trace = true\n'


def test_a_column_is_followed_through_python_sql_and_memory(shop: Terminal) -> None:
    shop.write("kindling.toml", SETTINGS)
    done = shop("lineage", "gold.daily")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(
        "KDL-LINE-002: nothing is known of 'gold.daily': it was never made, or its runs are forgotten\n"
    )
    assert done.err.endswith("do: kindling run -s +gold.daily --full-refresh --set run.trace=true\n")
    assert shop("run").code == 0
    assert shop("lineage", "gold.daily.amount").out == (
        "gold.daily.amount\n"
        "└─ silver.orders.amount  (aggregation)\n"
        "   └─ raw.orders.amount  (identity)\n"
        "rows decided by silver.orders.day\n"
    )
    assert shop("lineage", "gold.customers.customer").out.splitlines()[-2:] == [
        "   └─ raw.orders.customer  (identity)  [pii.name]",
        "rows decided by silver.orders.amount, silver.orders.customer",
    ]
    document = shop("lineage", "raw.orders.customer", "--downstream", "--json").json("lineage")
    assert {(edge["target"]["entity"], edge["target"]["column"]) for edge in document["edges"]} == {
        ("silver.orders", "customer"),
        ("gold.customers", "customer"),
    }
    assert shop("lineage", "gold.daily", "--svg", "daily.svg").out == "wrote daily.svg\n"
    assert ET.parse(shop.path / "daily.svg").getroot().tag.endswith("svg")  # noqa: S314  # our own file
    done = shop("lineage", "gold.daily.amout")
    assert (done.code, done.err.splitlines()[:2]) == (
        2,
        ["KDL-LINE-001: 'gold.daily' has no column 'amout'", "  why: did you mean 'amount'?"],
    )
