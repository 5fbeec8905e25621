from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal

BROKEN = """
import kindling as k


app = k.App("shop")
raw = app.source("raw.orders", k.csv("data/orders.csv"))
one = app.sql("gold.one", "SELECT * FROM {raw} JOIN elsewhere USING (id)", inputs={"raw": raw})
two = app.sql("gold.two", "SELEKT 1", inputs={})


@app.pipe(raw, name="gold.three", on_fial="drop")
def three(df):
    return df
"""


def test_a_sound_project_has_no_fault(shop: Terminal) -> None:
    done = shop("check")
    assert (done.code, done.out, done.err) == (0, "5 entities, 4 pipes: no fault\n", "")


def test_all_faults_are_told_together_each_with_its_line(shop: Terminal) -> None:
    shop.write("shop/app.py", BROKEN)
    done = shop("check", "--set", "executor.default=nothing")
    assert done.code == 2
    assert done.out == ""
    heads = [line for line in done.err.splitlines() if line.startswith("KDL-")]
    assert heads == [
        "KDL-DECL-034: the pipe 'gold.three' has an unknown option 'on_fial'",
        "KDL-DECL-044: the SQL of 'gold.one' reads 'elsewhere', which is not an input",
        "KDL-DECL-043: the SQL of 'gold.two' cannot be parsed",
        "KDL-PLUG-002: no installed plugin offers 'executor:nothing'",
    ]
    assert "  where: shop/app.py:7\n" in done.err


def test_faults_are_told_as_json_too(shop: Terminal) -> None:
    shop.write("shop/app.py", BROKEN)
    done = shop("check", "--json")
    assert (done.code, done.err) == (2, "")
    faults = done.json("check")["faults"]
    assert [fault["code"] for fault in faults] == ["KDL-DECL-034", "KDL-DECL-044", "KDL-DECL-043"]


def test_the_json_of_a_sound_project_counts(shop: Terminal) -> None:
    document = shop("check", "--json").json("check")
    assert (document["entities"], document["pipes"], document["faults"]) == (5, 4, [])
