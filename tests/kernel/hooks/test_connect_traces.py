from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from kindling.hooks.connect_traces import lineage, relation_trace
from kindling.hooks.traces import OpaqueError, Trace
from kindling.testing.traced_frames import told

sys.path.insert(0, str(Path(__file__).parent))  # messages for these tests alone
from connect_messages import LITERAL, Message, alias, call, column, expression, relation

A, B = relation("read"), relation("read")
INPUTS = {
    A.common.plan_id: Trace.of_input("a", ["k", "x"]),
    B.common.plan_id: Trace.of_input("b", ["k", "y"]),
}


def shown(step: Message) -> str:
    return told(relation_trace(step, INPUTS).lineage())


def local(*names: str) -> Message:
    sink = pa.BufferOutputStream()
    table = pa.table({name: [1] for name in names})
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return relation("local_relation", data=sink.getvalue().to_pybytes())


LEFT = relation("subquery_alias", input=A, alias="l")
CASES = {
    "an input": (A, "k=a.k; x=a.x"),
    "a limit": (relation("limit", input=A), "k=a.k; x=a.x"),
    "columns by frame": (relation("project", input=A, expressions=[column("x", A)]), "x=a.x"),
    "a filter": (
        relation("filter", input=A, condition=call(">", column("k"), LITERAL)),
        "k=a.k; x=a.x | a.k",
    ),
    "a join": (
        relation(
            "join", left=LEFT, right=B, join_type=3, join_condition=call("==", column("l.k"), column("y"))
        ),
        "k=a.k; x=a.x; k=b.k; y=b.y | a.k b.y",
    ),
    "a join by name": (
        relation("join", left=A, right=B, join_type=1, using_columns=["k"]),
        "k=a.k; x=a.x; y=b.y | a.k b.k",
    ),
    "a union": (
        relation("set_op", left_input=A, right_input=B, set_op_type=2, is_all=True),
        "k=a.k b.k; x=a.x b.y",
    ),
    "a set union": (
        relation("set_op", left_input=A, right_input=B, set_op_type=2),
        "k=a.k b.k; x=a.x b.y | a.k a.x b.k b.y",
    ),
    "an intersection": (
        relation("set_op", left_input=A, right_input=B, set_op_type=1),
        "k=a.k; x=a.x | a.k a.x b.k b.y",
    ),
    "a sort": (
        relation("sort", input=A, order=[expression("sort_order", child=column("x")).sort_order]),
        "k=a.k; x=a.x | a.x",
    ),
    "groups": (
        relation(
            "aggregate",
            input=A,
            group_type=1,
            grouping_expressions=[column("k")],
            aggregate_expressions=[alias(call("sum", column("x")), "s")],
        ),
        "k=a.k; s=A:a.x | a.k",
    ),
    "distinct rows": (relation("deduplicate", input=A, all_columns_as_keys=True), "k=a.k; x=a.x | a.k a.x"),
    "rows of distinct keys": (relation("deduplicate", input=A, column_names=["k"]), "k=a.k; x=a.x | a.k"),
    "columns that are replaced": (
        relation("with_columns", input=A, aliases=[alias(LITERAL, "x").alias, alias(column("x"), "z").alias]),
        "k=a.k; x=; z=a.x",
    ),
    "renames": (
        relation("with_columns_renamed", input=A, renames=[Message(col_name="K", new_col_name="n")]),
        "n=a.k; x=a.x",
    ),
    "other names": (relation("to_df", input=A, column_names=["c", "d"]), "c=a.k; d=a.x"),
    "dropped by name": (relation("drop", input=A, column_names=["K"]), "x=a.x"),
    "dropped by frame": (
        relation(
            "drop",
            input=relation("join", left=A, right=B, join_type=7),
            columns=[column("k", B)],
        ),
        "k=a.k; x=a.x; y=b.y",
    ),
    "filled": (relation("fill_na", input=A, cols=["x"]), "k=a.k; x=T:a.x"),
    "without nulls": (relation("drop_na", input=A, cols=["x"]), "k=a.k; x=a.x | a.x"),
    "rows in the plan": (local("v"), "v="),
    "a range": (relation("range"), "id="),
    "a query over frames": (
        relation(
            "with_relations",
            root=relation("sql", query="SELECT t.x FROM t WHERE k > 1"),
            references=[relation("subquery_alias", input=A, alias="T")],
        ),
        "x=a.x | a.k",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_plan_is_followed_to_its_inputs(name: str) -> None:
    step, expected = CASES[name]
    assert shown(step) == expected


@pytest.mark.parametrize(
    "step",
    [
        relation("read"),
        relation("map_partitions", input=A),
        Message(common=Message()),
        relation("local_relation"),
        relation("fill_na", input=A),
        relation("join", left=A, right=B, join_type=99),
        relation("set_op", left_input=A, right_input=B, set_op_type=9),
        relation("aggregate", input=A, group_type=4),
        relation("deduplicate", input=A, column_names=["k"], within_watermark=True),
        relation("subquery_alias", input=A, alias="l", qualifier=["q"]),
        relation("with_columns", input=A, aliases=[alias(LITERAL, "x", "y").alias]),
        relation("drop", input=A, columns=[LITERAL]),
        relation("drop", input=relation("join", left=A, right=A, join_type=7), columns=[column("k", A)]),
        relation("with_relations", root=A, references=[B]),
        relation("with_relations", root=relation("sql", query="SELECT 1 AS n"), references=[B]),
        relation("with_relations", root=relation("sql", query="SELECT z FROM other"), references=[]),
    ],
)
def test_what_is_not_understood_is_opaque(step: Message) -> None:
    with pytest.raises(OpaqueError):
        shown(step)


def test_lineage_needs_a_frames_plan_and_the_names_that_the_engine_shows() -> None:
    def frame(step: Message) -> SimpleNamespace:
        plan = SimpleNamespace(_plan_id=step.common.plan_id, plan=lambda _client: step)
        return SimpleNamespace(_plan=plan, _session=SimpleNamespace(client=None))

    given, made = frame(A), frame(relation("limit", input=A))
    assert told(lineage(made, {"a": given}, lambda _: ["k", "x"])) == "k=a.k; x=a.x"
    names = {id(given): ["k", "x"], id(made): ["k", "other"]}
    assert lineage(made, {"a": given}, lambda one: names[id(one)]) is None
