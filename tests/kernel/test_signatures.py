from __future__ import annotations

import ast
import inspect
from pathlib import Path

import kindling
from kindling.app import App

SOURCE = Path(kindling.__file__).with_name("signatures.py")


def overloads() -> list[ast.FunctionDef]:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and [ast.unparse(item) for item in node.decorator_list] == ["overload"]
    ]


def test_there_is_an_overload_for_zero_to_six_inputs_with_and_without_a_context() -> None:
    shapes = [
        (len(node.args.posonlyargs) - 1, ast.unparse(node.args.kwonlyargs[0].annotation or node))
        for node in overloads()
        if node.args.posonlyargs or not node.args.vararg
    ]
    counted = [(max(count, 0), context) for count, context in shapes]
    assert counted == [(n, f"Literal[{context}]") for context in (False, True) for n in range(7)]


def test_more_inputs_are_allowed_unchecked() -> None:
    assert ast.unparse(overloads()[-1].args) == (
        "self, *inputs: Entity, context: bool=False, **options: Unpack[NamedPipeOptions]"
    )


def test_the_code_takes_what_the_overloads_promise() -> None:
    assert list(inspect.signature(App.pipe).parameters) == ["self", "inputs", "context", "options"]
