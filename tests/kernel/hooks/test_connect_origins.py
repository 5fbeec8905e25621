from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kindling.hooks.connect_origins import Scope, column_name, expression_origins, items, name_parts
from kindling.hooks.traces import OpaqueError, Part, Trace

sys.path.insert(0, str(Path(__file__).parent))  # messages for these tests alone
from connect_messages import LITERAL, Message, alias, call, column, expression, relation

BELOW = Trace.of_input("e", ["a", "b", "c"]).named("t")
FRAME = relation("read")


def scope() -> Scope:
    return Scope(BELOW, {FRAME.common.plan_id: BELOW})


def origins(node: Message) -> str:
    return " ".join(sorted(f"{one.column}:{one.how[0]}" for one in expression_origins(node, scope())))


STAR = expression("unresolved_star")
ORDER = Message(child=column("b"))


@pytest.mark.parametrize(
    ("node", "found"),
    [
        (column("a"), "a:i"),
        (column("t.a"), "a:i"),
        (column("a", FRAME), "a:i"),
        (column("a.field"), "a:t"),
        (alias(column("a"), "n"), "a:i"),
        (LITERAL, ""),
        (call("+", column("a"), column("b")), "a:t b:t"),
        (call("max", column("a")), "a:a"),
        (call("count", STAR), ""),
        (call("when", column("a"), column("b"), column("c")), "a:i b:t c:t"),
        (call("when", column("a"), column("b")), "a:i b:t"),
        (expression("cast", expr=column("a")), "a:t"),
        (expression("expression_string", expression="CASE WHEN a > 1 THEN b END"), "a:i b:t"),
        (expression("window", window_function=call("sum", column("a")), partition_spec=[column("c")],
                    order_spec=[ORDER]), "a:a b:i c:i"),
        (expression("lambda_function", function=column("a")), "a:t"),
        (expression("unresolved_extract_value", child=column("a"), extraction=LITERAL), "a:t"),
        (expression("update_fields", struct_expression=column("a"), value_expression=column("b")), "a:t b:t"),
        (expression("common_inline_user_defined_function", "python_udf", python_udf=Message(eval_type=100),
                    arguments=[column("a")]), "a:t"),
        (expression("named_argument_expression", value=column("a")), "a:t"),
        (expression("sort_order", child=column("a")), "a:i"),
        (expression("unresolved_named_lambda_variable"), ""),
    ],
)  # fmt: skip
def test_an_expression_comes_from_its_columns(node: Message, found: str) -> None:
    assert origins(node) == found


@pytest.mark.parametrize(
    "node",
    [
        column("z"),
        column("a", relation("read")),
        expression("subquery_expression"),
        STAR,
        expression("common_inline_user_defined_function", "python_udf", python_udf=Message(eval_type=202)),
        expression("expression_string", expression="a FROM t"),
        expression("expression_string", expression="(SELECT max(x) FROM t)"),
    ],
)
def test_what_is_not_understood_is_opaque(node: Message) -> None:
    with pytest.raises(OpaqueError):
        origins(node)


def test_a_column_of_a_frame_that_is_there_no_more_is_opaque() -> None:
    replaced = Scope(Trace((Part("a"),)), {FRAME.common.plan_id: BELOW})
    with pytest.raises(OpaqueError):
        expression_origins(column("a", FRAME), replaced)


def test_one_item_may_make_several_columns() -> None:
    everything = scope()
    assert [part.name for part in items(STAR, everything)] == ["a", "b", "c"]
    qualified = expression("unresolved_star", unparsed_target="t.*")
    assert [part.name for part in items(qualified, everything)] == ["a", "b", "c"]
    text = expression("expression_string", expression="explode(a) AS e")
    assert [part.name for part in items(text, everything)] == ["e"]
    generated = alias(call("posexplode", column("b")), "p", "v")
    assert [part.name for part in items(generated, everything)] == ["p", "v"]
    assert {one.column for one in everything.rows} == {"a", "b"}


def test_names_are_taken_apart_as_users_write_them() -> None:
    assert name_parts("a.`b.c`.`d``e`") == ["a", "b.c", "d`e"]
    with pytest.raises(OpaqueError):
        name_parts("")
    field = expression("unresolved_extract_value", child=column("a"), extraction=LITERAL)
    assert (column_name(field), column_name(column("t.y")), column_name(LITERAL)) == ("x", "y", "")
