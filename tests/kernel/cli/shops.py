"""The projects of the command line's tests, and a plugin that is broken."""

from __future__ import annotations

from pathlib import Path

from terminal import Terminal

APP = """
import kindling as k

app = k.App("shop")
orders_csv = app.source(
    "raw.orders",
    k.csv("data/orders.csv"),
    schema="id bigint, customer string, amount double, day date",
    classify={"customer": "pii.name"},
)


@app.pipe(
    orders_csv, name="silver.orders", expect={"positive": "amount > 0"}, on_fail="quarantine", tags=["core"]
)
def orders(df: k.DataFrame) -> k.DataFrame:
    return df.where("id IS NOT NULL")


@app.pipe(orders, name="silver.big", storage=k.memory())
def big(df: k.DataFrame) -> k.DataFrame:
    return df.where("amount > 10")


daily = app.sql(
    "gold.daily",
    "SELECT day, sum(amount) AS amount FROM {orders} GROUP BY day ORDER BY day",
    inputs={"orders": orders},
)
customers = app.sql(
    "gold.customers", "SELECT customer, count(*) AS n FROM {big} GROUP BY customer", inputs={"big": big}
)
"""
ORDERS = """id,customer,amount,day
1,ann,5.5,2024-01-01
2,bob,12.0,2024-01-01
3,ann,40.25,2024-01-02
4,cid,-1.0,2024-01-03
"""
SLOW = """
import time

import kindling as k

app = k.App("slow")
numbers = app.source("raw.numbers", k.csv("data/orders.csv"))


@app.pipe(numbers, name="silver.fast")
def fast(df: k.DataFrame) -> k.DataFrame:
    return df


@app.pipe(fast, name="silver.slow")
def slow(df: k.DataFrame) -> k.DataFrame:
    for _ in range(600):
        time.sleep(0.1)
    return df


@app.pipe(slow, name="gold.after")
def after(df: k.DataFrame) -> k.DataFrame:
    return df
"""


def make_shop(path: Path) -> Terminal:
    """Write the shop: one source, four entities made of it, on DuckDB and Delta."""
    shop = Terminal(path)
    shop.write("kindling.toml", 'app = "shop.app:app"\nplatform.default = "duckdb"\n')
    shop.write("shop/__init__.py", "")
    shop.write("shop/app.py", APP)
    shop.write("data/orders.csv", ORDERS)
    return shop


def make_slow(path: Path) -> Terminal:
    """Write a project with a pipe that takes a minute."""
    slow = make_shop(path)
    slow.write("kindling.toml", 'app = "shop.app:app"\nplatform.default = "duckdb"\nrun.grace_s = 1\n')
    slow.write("shop/app.py", SLOW)
    return slow


def make_broken_site(path: Path) -> str:
    """Write a folder for PYTHONPATH with a distribution whose manifest is no JSON; return it."""
    site = path / "site"
    info = site / "kindling_plugin_bad-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kindling-plugin-bad\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[kindling.platform]\nbad = kindling_plugin_bad.plugin\n"
        "[kindling.manifest]\nkindling-plugin-bad = kindling_plugin_bad\n"
    )
    package = site / "kindling_plugin_bad"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "kindling.json").write_text("{")
    return str(site)
