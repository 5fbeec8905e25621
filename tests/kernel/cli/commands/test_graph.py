from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_the_graph_is_drawn_as_a_tree_from_the_sources(shop: Terminal) -> None:
    done = shop("graph")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "raw.orders  (source csv)\n"
        "└─ silver.orders  (overwrite delta)\n"
        "   ├─ gold.daily  (overwrite delta)\n"
        "   └─ silver.big  (memory)\n"
        "      └─ gold.customers  (overwrite delta)\n"
    )


def test_what_was_drawn_in_full_is_not_drawn_again(shop: Terminal) -> None:
    text = (shop.path / "shop/app.py").read_text()
    query = '"SELECT * FROM {a} JOIN {b} USING (day)"'
    both = f'both = app.sql("gold.both", {query}, inputs={{"a": orders, "b": daily}})\n'
    after = 'after = app.sql("gold.z", "SELECT * FROM {both}", inputs={"both": both})\n'
    shop.write("shop/app.py", text + both + after)
    lines = shop("graph", "-s", "+gold.z").out.splitlines()
    assert [line.strip("│├└─ ") for line in lines] == [
        "raw.orders  (source csv)",
        "silver.orders  (overwrite delta)",
        "gold.both  (overwrite delta)",
        "gold.z  (overwrite delta)",
        "gold.daily  (overwrite delta)",
        "gold.both  (overwrite delta)  ...",
    ]


def test_mermaid_names_every_entity_and_edge(shop: Terminal) -> None:
    assert shop("graph", "--format", "mermaid").out == (
        "flowchart LR\n"
        '  n0["gold.customers"]\n'
        '  n1["gold.daily"]\n'
        '  n2[("raw.orders")]\n'
        '  n3(["silver.big"])\n'
        '  n4["silver.orders"]\n'
        "  n3 --> n0\n"
        "  n4 --> n1\n"
        "  n4 --> n3\n"
        "  n2 --> n4\n"
    )


def test_json_tells_kinds_inputs_and_places(shop: Terminal) -> None:
    document = shop("graph", "--json").json("graph")
    found = {entity["name"]: entity for entity in document["entities"]}
    assert found["silver.big"]["kind"] == "memory"
    assert found["gold.daily"]["inputs"] == ["silver.orders"]
    assert found["raw.orders"]["where"].startswith("shop/app.py:")
    assert shop("graph", "-f", "json").json("graph") == document


def test_a_selection_is_drawn_alone(shop: Terminal) -> None:
    assert shop("graph", "-s", "+gold.daily").out == (
        "raw.orders  (source csv)\n└─ silver.orders  (overwrite delta)\n   └─ gold.daily  (overwrite delta)\n"
    )


def test_the_graph_needs_no_plugin(shop: Terminal) -> None:
    assert shop("graph", KINDLING_PLUGINS_NONE="1").code == 0


def test_state_is_a_matter_of_plans(shop: Terminal) -> None:
    done = shop("graph", "-s", "state:modified")
    assert done.code == 2
    assert done.err == (
        "KDL-USE-032: the graph knows declarations only, no state\n"
        "  do: kindling plan --select 'state:modified'\n"
    )
