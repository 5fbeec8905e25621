from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import Faults, PlanError
from kindling.plan.graph import Graph
from kindling.plan.selection import select

GRAPH = Graph(
    {
        "bronze.flights": [],
        "bronze.airlines": [],
        "silver.flights": ["bronze.flights"],
        "silver.delays": ["silver.flights"],
        "gold.carriers": ["silver.delays", "bronze.airlines"],
        "gold.report": ["gold.carriers"],
    }
)
TAGS = {"gold.carriers": ("gold", "daily"), "gold.report": ("gold",), "silver.flights": ("daily",)}


def chosen(*expressions: str, exclude: tuple[str, ...] = (), modified: tuple[str, ...] = ()) -> set[str]:
    return set(select(expressions, exclude, graph=GRAPH, tags=TAGS, modified=modified))


def refused(*expressions: str, exclude: tuple[str, ...] = ()) -> str:
    with pytest.raises((PlanError, Faults)) as caught:
        chosen(*expressions, exclude=exclude)
    return str(caught.value)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("gold.report", "gold.report"),
        ("silver.*", "silver.flights silver.delays"),
        ("*.flights", "bronze.flights silver.flights"),
        ("[bg]*.?arriers", "gold.carriers"),
        ("tag:gold", "gold.carriers gold.report"),
        ("tag:d*", "gold.carriers silver.flights"),
        ("state:modified", "silver.delays"),
        ("state:modified+", "silver.delays gold.carriers gold.report"),
        ("+silver.delays", "silver.delays silver.flights bronze.flights"),
        ("1+silver.delays", "silver.delays silver.flights"),
        ("0+silver.delays", "silver.delays"),
        ("silver.delays+1", "silver.delays gold.carriers"),
        ("1+silver.delays+1", "silver.flights silver.delays gold.carriers"),
        ("+gold.carriers,silver.*", "silver.flights silver.delays"),
        ("tag:gold,tag:daily", "gold.carriers"),
        ("tag:gold silver.delays", "gold.carriers gold.report silver.delays"),
        ("silver.* !silver.delays", "silver.flights"),
        ("!silver.* !bronze.*", "gold.carriers gold.report"),
        ("!+gold.carriers", "gold.report"),
        ("+bronze.flights+,tag:daily", "silver.flights gold.carriers"),
    ],
)
def test_an_expression_selects(expression: str, names: str) -> None:
    assert chosen(expression, modified=("silver.delays", "gone")) == set(names.split())


def test_no_expression_stands_for_everything() -> None:
    assert chosen() == chosen("*") == chosen("+*+") == set(GRAPH)
    assert chosen(exclude=("bronze.*",)) == chosen("!bronze.*")


def test_an_app_without_entities_has_nothing_to_select() -> None:
    assert select(("*",), graph=Graph({}), tags={}) == frozenset()


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (
            "silver.flihgts",
            (
                "KDL-PLAN-050: no entity is called 'silver.flihgts'\n"
                "  why: did you mean 'silver.flights' or 'silver.delays'?\n"
                "  do: see what there is: kindling graph"
            ),
        ),
        (
            "xxx*",
            (
                "KDL-PLAN-050: no entity matches 'xxx*'\n"
                "  why: known: bronze.airlines, bronze.flights, gold.carriers, gold.report, silver.delays, "
                "silver.flights\n"
                "  do: see what there is: kindling graph"
            ),
        ),
        (
            "tag:golden",
            (
                "KDL-PLAN-050: no tag is called 'golden'\n"
                "  why: did you mean 'gold'?\n"
                "  do: see what there is: kindling graph"
            ),
        ),
        (
            "a,,b",
            (
                "KDL-PLAN-051: '' in 'a,,b' is not a selection\n"
                "  why: expected a name, a glob, tag:NAME or state:modified, and '+' around it\n"
                "  do: for example 'silver.*', '+gold.report', 'tag:nightly,2+gold.*'"
            ),
        ),
        (
            "state:new",
            (
                "KDL-PLAN-051: 'state:new' is not a selection\n"
                "  why: what stands before the colon may be tag or state, as in state:modified\n"
                "  do: for example 'silver.*', '+gold.report', 'tag:nightly,2+gold.*'"
            ),
        ),
        (
            "silver.*,tag:gold",
            (
                "KDL-PLAN-052: 'silver.*,tag:gold' selects nothing\n"
                "  why: each part of it exists, but no entity is left\n"
                "  do: see what there is: kindling graph"
            ),
        ),
        (
            "silver.* !+gold.report",
            (
                "KDL-PLAN-052: 'silver.*' without '+gold.report' selects nothing\n"
                "  why: each part of it exists, but no entity is left\n"
                "  do: see what there is: kindling graph"
            ),
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_and_what_there_is(expression: str, text: str) -> None:
    # 'a' and 'b' of the third are no entities either; its last fault is the one that is compared
    assert text in refused(expression)


@pytest.mark.parametrize("expression", ["+", "++a", "a++", "2+", "+2+a", "a!b", "tag:", ":a", "tag:a:", "!"])
def test_a_malformed_expression_is_refused(expression: str) -> None:
    assert "KDL-PLAN-05" in refused(expression, "gold.*")


def test_faults_are_collected_those_of_exclusions_too() -> None:
    assert [line.partition(":")[0] for line in refused("x1", "++", exclude=("x2",)).splitlines()[::3]] == [
        "KDL-PLAN-050",
        "KDL-PLAN-051",
        "KDL-PLAN-050",
    ]


def test_a_large_app_is_not_listed_in_full() -> None:
    graph = Graph({f"silver.table{number}": [] for number in range(1000)})
    with pytest.raises(PlanError) as caught:
        select(["zzz"], graph=graph, tags={})
    assert str(caught.value) == (
        "KDL-PLAN-050: no entity is called 'zzz'\n  do: see what there is: kindling graph"
    )


terms = st.sampled_from(
    [*GRAPH, "silver.*", "+gold.report", "bronze.flights+", "1+gold.carriers+1", "tag:gold", "tag:daily", "*"]
)


def found(*expressions: str, exclude: tuple[str, ...] = ()) -> set[str]:
    try:
        return chosen(*expressions, exclude=exclude)
    except PlanError as error:
        assert error.code == "KDL-PLAN-052"  # noqa: PT017  # an empty set is a result here
        return set()


@given(terms, terms, terms)
def test_commas_and_spaces_are_intersection_and_union(one: str, other: str, third: str) -> None:
    assert found(one, other) == found(f"{one} {other}") == found(one) | found(other)
    assert found(f"{one},{other}") == found(one) & found(other)
    assert found(f"{one},{other}", third) == (found(one) & found(other)) | found(third)
    assert found(one, exclude=(other,)) == found(one, f"!{other}") == found(one) - found(other)


@given(terms)
def test_selecting_what_was_selected_changes_nothing(term: str) -> None:
    once = found(term)
    assert found(*once) == once == found(term, term) == found(f"{term},{term}")


@given(st.sampled_from(list(GRAPH)))
def test_a_closure_is_closed(name: str) -> None:
    before, behind = found(f"+{name}"), found(f"{name}+")
    assert found(*[f"+{each}" for each in before]) == before
    assert found(*[f"{each}+" for each in behind]) == behind
    assert before & behind == {name}
    assert found(f"+{name}+") == before | behind
