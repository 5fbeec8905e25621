from __future__ import annotations

import pytest

from kindling.hooks.traces import OpaqueError, Part, Trace, merged, through
from kindling.lineage import ColumnLineage, Origin

LEFT = Trace.of_input("a", ["k", "x"])
RIGHT = Trace.of_input("b", ["K", "y"])


def shown(trace: Trace) -> dict[str, list[str]]:
    found = trace.lineage()
    told = {
        name: [f"{one.entity}.{one.column}:{one.how}" for one in origins] for name, origins in found.columns
    }
    return {**told, "": [f"{one.entity}.{one.column}" for one in found.rows]}


def test_an_input_is_the_origin_of_its_columns() -> None:
    assert LEFT.lineage() == ColumnLineage((("k", (Origin("a", "k"),)), ("x", (Origin("a", "x"),))))


def test_the_strongest_step_of_a_way_counts() -> None:
    one = frozenset((Origin("a", "x", "aggregation"),))
    assert through(one, "transformation") == one
    assert through(one, "identity") == one
    assert through(one, "indirect") == {Origin("a", "x", "indirect")}


def test_columns_are_found_by_qualified_names_before_fields() -> None:
    trace = LEFT.named("T")
    assert trace.found(["t", "X"]) == {Origin("a", "x")}
    assert trace.found(["x", "field"]) == {Origin("a", "x", "transformation")}
    assert trace.found(["t", "x", "field"]) == {Origin("a", "x", "transformation")}
    assert trace.found(["z"]) is None


@pytest.mark.parametrize(
    ("kind", "key", "how"),
    [("inner", "a.k", "identity"), ("left", "a.k", "identity"), ("right", "b.K", "identity")],
)
def test_a_join_by_names_keeps_the_key_of_the_side_that_stays(kind: str, key: str, how: str) -> None:
    assert shown(LEFT.joined(RIGHT, kind, ["k"])) == {
        {"right": "K"}.get(kind, "k"): [f"{key}:{how}"],
        "x": ["a.x:identity"],
        "y": ["b.y:identity"],
        "": ["a.k", "b.K"],
    }


def test_a_full_join_by_names_takes_its_key_from_both_sides() -> None:
    assert shown(LEFT.joined(RIGHT, "full", ["k"]))["k"] == ["a.k:transformation", "b.K:transformation"]


@pytest.mark.parametrize("kind", ["semi", "anti"])
def test_a_join_that_only_filters_has_the_columns_of_its_left_side(kind: str) -> None:
    assert shown(LEFT.joined(RIGHT, kind, ["k"])) == {
        "k": ["a.k:identity"],
        "x": ["a.x:identity"],
        "": ["a.k", "b.K"],
    }


def test_columns_of_a_union_come_from_both_sides_by_place_or_by_name() -> None:
    other = Trace.of_input("c", ["x", "k"])
    assert shown(LEFT.united(other))["k"] == ["a.k:identity", "c.x:identity"]
    assert shown(LEFT.united(other, by_name=True))["k"] == ["a.k:identity", "c.k:identity"]
    more = Trace.of_input("c", ["x", "z"])
    assert shown(LEFT.united(more, by_name=True, missing=True)) == {
        "k": ["a.k:identity"],
        "x": ["a.x:identity", "c.x:identity"],
        "z": ["c.z:identity"],
        "": [],
    }


def test_rows_that_are_compared_depend_on_every_column() -> None:
    assert shown(LEFT.compared(RIGHT))[""] == ["a.k", "a.x", "b.K", "b.y"]
    assert shown(LEFT.distinct())[""] == ["a.k", "a.x"]
    assert shown(LEFT.distinct(["x"]))[""] == ["a.x"]


def test_columns_are_replaced_in_their_place_and_new_ones_come_last() -> None:
    made = LEFT.replaced([Part("X", merged([])), Part("z", frozenset((Origin("a", "k"),)))])
    assert shown(made) == {"k": ["a.k:identity"], "x": [], "z": ["a.k:identity"], "": []}
    assert shown(LEFT.without(lambda part: part.name == "x")) == {"k": ["a.k:identity"], "": []}


def test_what_does_not_fit_is_opaque() -> None:
    short, other = Trace.constant(["k"]), Trace.of_input("c", ["k", "q"])
    for step in (
        lambda: LEFT.united(short),
        lambda: LEFT.united(short, by_name=True),
        lambda: short.united(LEFT, by_name=True),
        lambda: LEFT.united(other, by_name=True),
        lambda: LEFT.compared(short),
        lambda: LEFT.renamed(["one"]),
        lambda: LEFT.require(["nope"]),
        lambda: LEFT.of("t"),
        lambda: LEFT.shown(["k"]),
        lambda: LEFT.shown(["k", "other"]),
    ):
        with pytest.raises(OpaqueError):
            step()
    assert shown(LEFT.shown(["K", "X"])) == {"K": ["a.k:identity"], "X": ["a.x:identity"], "": []}
