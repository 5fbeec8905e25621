"""No module holds state: two apps, two kernels, two runs live in one process (docs/decisions/0006)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

CHANGING = {
    "add",
    "append",
    "clear",
    "discard",
    "extend",
    "insert",
    "pop",
    "popitem",
    "remove",
    "setdefault",
    "update",
}
STATELESS_CALLS = {
    "ContextVar",  # the one exception: the session of the running task
    "FrameApi",
    "Functions",
    "ParamSpec",
    "Setting",
    "Slice",
    "TypeVar",
    "_Proxy",
    "bytes",
    "datetime",
    "frozenset",
    "isoformat",
    "join",
    "object",
    "pluggy.HookimplMarker",
    "pluggy.HookspecMarker",
    "re.compile",
    "tuple",
}


def assigned(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield what a module assigns at its top level."""
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((ast.unparse(target), node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target), node.value


def mutable_names(tree: ast.Module) -> set[str]:
    kinds = (ast.Dict, ast.List, ast.Set, ast.DictComp, ast.ListComp, ast.SetComp)
    return {name for name, value in assigned(tree) if isinstance(value, kinds)}


def changes(tree: ast.Module, names: set[str]) -> Iterator[str]:
    """Yield where a module changes one of its own collections."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            if ast.unparse(node.func.value) in names:
                yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Delete)):
            targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
            for target in targets:
                if isinstance(target, ast.Subscript) and ast.unparse(target.value) in names:
                    yield f"{node.lineno}: {ast.unparse(node)}"


def faults(text: str) -> list[str]:
    tree = ast.parse(text)
    names = mutable_names(tree)
    found = list(changes(tree, names))
    found += [
        f"{node.lineno}: global {node.names}" for node in ast.walk(tree) if isinstance(node, ast.Global)
    ]
    found += [
        f"{name} is lower-case" for name in names if not name.strip("_").isupper() and name != "__all__"
    ]
    for name, value in assigned(tree):
        if isinstance(value, ast.Call):
            made_by = ast.unparse(value.func)
            texts = isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Constant)
            plain = texts or made_by.startswith("os.path.") or made_by.split(".")[-1] in STATELESS_CALLS
            if not plain and made_by not in STATELESS_CALLS:
                found.append(f"{name} = {made_by}(...)")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            marks = {ast.unparse(item).split("(")[0].split(".")[-1] for item in node.decorator_list}
            if node.name == "instance" or marks & {"cache", "lru_cache"}:
                found.append(f"{node.lineno}: {node.name}")
    return found


def test_no_module_holds_state(root: Path, sources: list[Path]) -> None:
    found = {str(path.relative_to(root)): faults(path.read_text(encoding="utf-8")) for path in sources}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_the_search_finds_each_way_to_hold_state() -> None:
    assert faults("cache = {}") == ["cache is lower-case"]
    assert faults("A = {}\ndef f():\n    A['x'] = 1\n    A.update(b=2)\n    del A['x']\n") == [
        "3: A['x'] = 1",
        "5: del A['x']",
        "4: A.update(b=2)",
    ]
    assert faults("A = 1\ndef f():\n    global A\n    A = 2") == ["3: global ['A']"]
    assert faults("manager = Manager()") == ["manager = Manager(...)"]
    assert faults("class A:\n    @classmethod\n    def instance(cls): ...") == ["3: instance"]
    assert faults("@functools.lru_cache(maxsize=1)\ndef f(): ...") == ["2: f"]
    assert faults("A = {'a': 1}\nB = re.compile('x')\n_VAR = ContextVar('x')") == []


def test_nothing_is_mocked(root: Path, committed: list[Path]) -> None:
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in committed
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and str(node.module).startswith("unittest"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("unittest") for alias in node.names))
    ]
    assert found == []
