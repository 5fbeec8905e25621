from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_an_entity_that_was_never_made_says_why_and_what_stands_before_it(shop: Terminal) -> None:
    done = shop("why", "gold.customers")
    assert done.code == 0
    assert done.out.startswith(
        "gold.customers would run\n"
        "  + new: it was never made in 'dev'\n"
        "  + upstream: 'silver.big' will change\n"
        "\nlast made: never\n"
        "\ninputs\n"
        "  - silver.big       memory"
    )
    assert re.search(r"^    \+ silver\.orders +pipe .* it was never made in 'dev'$", done.out, re.MULTILINE)
    assert re.search(
        r"^ +raw\.orders +source +version f-\w+ +csv <project>/data/orders.csv$", done.out, re.MULTILINE
    )


def test_an_unchanged_entity_tells_when_it_was_made(made_shop: Terminal) -> None:
    done = made_shop("why", "gold.daily")
    assert "gold.daily would not run\n  = unchanged: nothing changed since " in done.out
    assert re.search(r"^last made: run \S+, \S+Z, version 0, 2 rows, \d+\.\d\d s$", done.out, re.MULTILINE)


def test_a_source_tells_its_place_and_version(made_shop: Terminal) -> None:
    done = made_shop("why", "raw.orders")
    assert re.fullmatch(r"raw\.orders is a source: csv <project>/data/orders\.csv, version f-\w+\n", done.out)


def test_json_holds_tasks_records_and_inputs(made_shop: Terminal) -> None:
    document = made_shop("why", "gold.daily", "--json").json("why")
    assert document["kind"] == "pipe"
    assert [task["action"] for task in document["tasks"]] == ["unchanged"]
    assert document["records"][0]["rows"] == 2
    assert [(link["name"], link["depth"]) for link in document["inputs"]] == [
        ("silver.orders", 1),
        ("raw.orders", 2),
    ]


def test_json_of_a_source_and_a_memory_entity_fits_too(made_shop: Terminal) -> None:
    assert made_shop("why", "raw.orders", "--json").json("why")["kind"] == "source"
    assert made_shop("why", "silver.big", "--json").json("why")["address"] is None


def test_changed_code_is_named(shop: Terminal) -> None:
    assert shop("run", "-q").code == 0
    text = (shop.path / "shop/app.py").read_text()
    shop.write("shop/app.py", text.replace("amount > 10", "amount > 11"))
    assert "code: the memory entity 'silver.big' changed" in shop("why", "gold.customers").out
