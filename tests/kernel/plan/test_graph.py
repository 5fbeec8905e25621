from __future__ import annotations

import graphlib
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.plan.graph import MOST_CYCLES, Graph

names = st.sampled_from([f"n{number}" for number in range(8)])
any_needs = st.dictionaries(names, st.lists(names, max_size=3), max_size=8)


@st.composite
def acyclic(draw: st.DrawFn) -> dict[str, list[str]]:
    count = draw(st.integers(0, 8))
    labels = draw(st.permutations([f"n{number}" for number in range(count)]))
    return {
        label: draw(st.lists(st.sampled_from(labels[:place]), max_size=3)) if place else []
        for place, label in enumerate(labels)
    }


@given(acyclic())
def test_each_node_stands_behind_what_it_needs(needs: dict[str, list[str]]) -> None:
    order = Graph(needs).order()
    assert sorted(order) == sorted(needs)
    assert all(order.index(need) < order.index(name) for name in needs for need in needs[name])


@given(any_needs, st.randoms())
def test_the_order_of_declaration_changes_no_answer(needs: dict[str, list[str]], random: object) -> None:
    items = list(needs.items())
    random.shuffle(items)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    one, other = Graph(needs), Graph(dict(items))
    assert one.order() == other.order()
    assert one.cycles() == other.cycles()
    assert one.critical_path({"n1": 3.0}) == other.critical_path({"n1": 3.0})


@given(acyclic(), names)
def test_removing_a_node_reorders_no_others_that_were_free(needs: dict[str, list[str]], gone: str) -> None:
    before = [name for name in Graph(needs).order() if name != gone]
    graph = Graph(
        {name: [need for need in wanted if need != gone] for name, wanted in needs.items() if name != gone}
    )
    assert sorted(graph.order()) == sorted(before)
    if not any(gone in wanted for wanted in needs.values()):
        assert list(graph.order()) == before


@given(any_needs)
def test_cycles_are_found_exactly_where_graphlib_finds_one(needs: dict[str, list[str]]) -> None:
    try:
        graphlib.TopologicalSorter(needs).prepare()
    except graphlib.CycleError:
        assert Graph(needs).cycles()
    else:
        assert Graph(needs).cycles() == ()


@given(any_needs)
def test_each_cycle_is_closed_real_and_told_once_from_its_smallest_name(needs: dict[str, list[str]]) -> None:
    cycles = Graph(needs).cycles()
    for cycle in cycles:
        assert cycle[0] == cycle[-1] == min(cycle)
        assert len(set(cycle)) == len(cycle) - 1
        assert all(a in needs[b] for a, b in pairwise(cycle))
    assert len(set(cycles)) == len(cycles)


@given(any_needs)
def test_each_edge_on_a_cycle_is_told(needs: dict[str, list[str]]) -> None:
    graph = Graph(needs)
    cycles = graph.cycles()
    told = {edge for cycle in cycles for edge in pairwise(cycle)}
    looping = {
        (need, name)
        for name in graph
        for need in graph.needs[name]
        if need == name or need in graph.descendants(name)
    }
    assert told == looping or len(cycles) == MOST_CYCLES


@given(any_needs)
def test_nodes_on_and_behind_cycles_are_left_out_of_the_order(needs: dict[str, list[str]]) -> None:
    graph = Graph(needs)
    looping = {name for cycle in graph.cycles() for name in cycle}
    behind = {name for name in graph if graph.ancestors(name) & looping}
    assert set(graph) - set(graph.order()) == looping | behind


def test_a_cycle_reads_in_the_direction_of_the_data() -> None:
    graph = Graph({"b": ["a"], "c": ["b"], "a": ["c"], "d": ["d"], "free": []})
    assert graph.cycles() == (("a", "b", "c", "a"), ("d", "d"))
    assert graph.order() == ("free",)


def test_two_cycles_through_one_node_are_both_told() -> None:
    graph = Graph({"a": ["b", "c"], "b": ["a"], "c": ["a"]})
    assert graph.cycles() == (("a", "b", "a"), ("a", "c", "a"))


def test_a_name_that_only_occurs_as_a_need_is_a_node() -> None:
    graph = Graph({"b": ["a", "a"]})
    assert graph.order() == ("a", "b")
    assert (list(graph), len(graph), "a" in graph, "x" in graph) == (["a", "b"], 2, True, False)
    assert graph.needs == {"a": (), "b": ("a",)}
    assert graph.readers("a") == ("b",)


@given(any_needs, names, names)
def test_ancestors_and_descendants_are_each_others_mirror(
    needs: dict[str, list[str]], one: str, other: str
) -> None:
    graph = Graph({one: [], other: [], **needs})
    assert (one in graph.ancestors(other)) == (other in graph.descendants(one))


@pytest.mark.parametrize(("depth", "found"), [(0, ""), (1, "c"), (2, "bc"), (None, "abc")])
def test_a_depth_limits_the_steps(depth: int | None, found: str) -> None:
    graph = Graph({"b": ["a"], "c": ["b"], "d": ["c"]})
    assert graph.ancestors("d", depth=depth) == frozenset(found)
    mirrored = {"a": "d", "b": "c", "c": "b"}
    assert graph.descendants("a", depth=depth) == frozenset(mirrored[name] for name in found)


@given(any_needs, names, names, st.integers(0, 3) | st.none())
def test_what_several_nodes_reach_is_what_each_reaches(
    needs: dict[str, list[str]], one: str, other: str, depth: int | None
) -> None:
    graph = Graph({one: [], other: [], **needs})
    both = graph.ancestors(one, depth=depth) | graph.ancestors(other, depth=depth)
    assert graph.ancestors(one, other, depth=depth) == both - {one, other}


@given(acyclic(), st.dictionaries(names, st.floats(0, 100), max_size=8))
def test_a_priority_is_the_longest_remaining_path(
    needs: dict[str, list[str]], seconds: dict[str, float]
) -> None:
    full = {name: seconds.get(name, 1.0) for name in needs}
    graph = Graph(needs)
    rank = graph.critical_path(full)
    for name in graph:
        assert rank[name] == full[name] + max((rank[reader] for reader in graph.readers(name)), default=0)


def test_unknown_durations_count_as_the_mean_of_the_known() -> None:
    graph = Graph({"b": ["a"], "c": []})
    assert graph.critical_path({}) == {"a": 2.0, "b": 1.0, "c": 1.0}
    assert graph.critical_path({"a": 4.0, "c": 2.0}) == {"a": 7.0, "b": 3.0, "c": 2.0}
    assert graph.critical_path({"a": -4.0}) == {"a": 0.0, "b": 0.0, "c": 0.0}


@pytest.mark.parametrize("shape", ["chain", "ring", "wide", "tail"])
def test_ten_thousand_nodes_take_no_quadratic_time(shape: str) -> None:
    count = 10_000
    needs = {f"n{number}": [f"n{number - 1}"] for number in range(1, count)}
    needs["n0"] = [f"n{count - 1}"] if shape == "ring" else []
    if shape == "wide":
        needs = {f"n{number}": ["root"] for number in range(count)}
    if shape == "tail":
        needs["n0"] = ["n1"]
    started = time.process_time()
    graph = Graph(needs)
    graph.critical_path({})
    assert len(graph.cycles()) == (shape in ("ring", "tail"))
    graph.descendants(graph.readers("root")[0] if shape == "wide" else "n0")
    assert time.process_time() - started < 5
