"""Mutants of a module: one small fault each, made from its syntax tree. Nothing is run here."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault.

    Attributes:
        at: Number of the changed node, in the order of `ast.walk`.
        line: Where.
        what: Which kind of fault.
        was: The text that was changed, shortened.
        other: The node that stands there instead.
    """

    at: int
    line: int
    what: str
    was: str
    other: ast.AST

    def source(self, whole: str) -> str:
        """Return the module with the fault."""
        tree = ast.parse(whole)
        old = list(ast.walk(tree))[self.at]
        return ast.unparse(ast.fix_missing_locations(_Replacing(old, self.other).visit(tree)))


def mutants(whole: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its lines."""
    found = []
    for at, node in enumerate(ast.walk(ast.parse(whole))):
        for what, was, other in _of(node):
            text = ast.unparse(was).partition("\n")[0][:60]
            found.append(Mutant(at, node.lineno, what, text, other))  # type: ignore[attr-defined]  # it has a line
    return sorted(found, key=lambda one: (one.line, one.at))


def _of(node: ast.AST) -> Iterator[tuple[str, ast.AST, ast.AST]]:
    """Yield (kind of fault, what is changed, what stands there instead)."""
    if isinstance(node, ast.Raise):
        yield "a raise is left out", node, ast.Pass()
    elif isinstance(node, ast.If) and not _is_typing(node.test):
        negated = copy.deepcopy(node)
        negated.test = ast.UnaryOp(ast.Not(), negated.test)
        yield "a condition is negated", node.test, negated
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "a call is left out", node, ast.Pass()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        swapped = copy.deepcopy(node)
        swapped.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]  # operators of one kind
        yield "an operator is swapped", node, swapped
    elif isinstance(node, (ast.BinOp, ast.BoolOp)) and type(node.op) in SWAPS:
        other = copy.deepcopy(node)
        other.op = SWAPS[type(node.op)]()  # type: ignore[assignment]  # the same
        yield "an operator is swapped", node, other
    elif isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield "None is returned", node, ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int):
        changed = not node.value if isinstance(node.value, bool) else node.value + 1  # type: ignore[operator]  # an int
        yield "a constant is another", node, ast.Constant(changed)


class _Replacing(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._old:
            return self._new
        found: ast.AST = super().visit(node)
        return found


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
