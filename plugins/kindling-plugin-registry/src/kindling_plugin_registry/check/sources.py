"""What a Python file defines and imports, read from its text. It is never executed."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Module(Struct, frozen=True, kw_only=True):
    """One file.

    Attributes:
        place: Its path in the wheel.
        names: Names that its top level defines or imports.
        top_imports: Modules that importing it imports, with lines; what only type checkers read is left out.
        imports: All modules that it names anywhere.
        fault: Why it cannot be parsed, or "".
    """

    place: str
    names: tuple[str, ...] = ()
    top_imports: tuple[tuple[str, int], ...] = ()
    imports: tuple[tuple[str, int], ...] = ()
    fault: str = ""


def read_module(place: str, content: bytes) -> Module:
    """Parse a file."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError) as cause:
        return Module(place=place, fault=str(cause))
    executed = list(_executed(tree.body))
    return Module(
        place=place,
        names=tuple(name for node in executed for name in _defined(node)),
        top_imports=tuple(pair for node in executed for pair in _imported(node)),
        imports=tuple(pair for node in ast.walk(tree) for pair in _imported(node)),
    )


def _executed(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at import, also in `if` and `try`; not those of type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.dump(node.test):
                yield from _executed(node.body)
            yield from _executed(node.orelse)
        elif isinstance(node, ast.Try):
            handled = [item for handler in node.handlers for item in handler.body]
            yield from _executed([*node.body, *handled, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.With):
            yield from _executed(node.body)


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (item.asname or item.name for item in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _imported(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        yield from ((item.name, node.lineno) for item in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module, node.lineno
