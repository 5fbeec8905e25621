"""Pages on the hooks and events, made of the sources of `kindling/hooks` and `kindling/events.py`."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import docstrings
from paths import ROOT

from kindling.names import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

HOOKS = ROOT / "kindling" / "hooks"
FEATURE = re.compile(r'"(?P<name>[a-z-]+)",?(?:\s+# (?P<text>.*))?')


def kinds() -> tuple[str, ...]:
    """Return the kinds that have a contract, in the kernel's order."""
    return tuple(kind for kind in KINDS if (HOOKS / f"{kind}.py").exists())


def overview() -> str:
    """Return the page that lists the kinds."""
    rows = [f"| [`{kind}`]({kind}.md) | {_assigned(kind, 'API')} | {_first_line(kind)} |" for kind in kinds()]
    text = docstrings.prose_with_code(
        _docstring(ast.parse((HOOKS / "__init__.py").read_text(encoding="utf-8")))
    )
    return "\n".join(["# Hooks", "", text, "", "| kind | API | what it is |", "|---|---|---|", *rows, ""])


def _first_line(kind: str) -> str:
    return _docstring(_tree(kind)).partition("\n")[0]


def _assigned(kind: str, name: str) -> str:
    for node in _tree(kind).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return str(ast.literal_eval(node.value))
    raise LookupError(f"{kind} has no {name}")


def _tree(kind: str) -> ast.Module:
    return ast.parse((HOOKS / f"{kind}.py").read_text(encoding="utf-8"))


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    return ast.get_docstring(node) or ""


def hook(kind: str) -> str:
    """Return the page of one kind: what it is, a plugin, features, values, protocols."""
    tree = _tree(kind)
    source = (HOOKS / f"{kind}.py").read_text(encoding="utf-8")
    lines = [
        f"# {kind}",
        "",
        f"`kindling.hooks.{kind}`, API {_assigned(kind, 'API')}",
        "",
        docstrings.prose_with_code(_docstring(tree)),
        "",
        "## Features",
        "",
        "What a capability states in `kindling.json`; a name like `x-vendor-name` is allowed as well.",
        "",
        *_features(source, {node.name for node in tree.body if isinstance(node, ast.ClassDef)}),
    ]
    for title, is_wanted in (
        ("What is called", _is_protocol),
        ("Values", _is_value),
        ("The hook", _is_specs),
    ):
        found = [node for node in tree.body if isinstance(node, ast.ClassDef) and is_wanted(node)]
        if found:
            lines += ["", f"## {title}", *(line for node in found for line in _class(node))]
    return "\n".join([*lines, ""])


def _features(source: str, classes: set[str]) -> Iterator[str]:
    body = re.search(r'^FEATURES = \((.*?)\)\n"""', source, re.MULTILINE | re.DOTALL)

    def link(found: re.Match[str]) -> str:
        return f"[`{found[0]}`](#{found[0].lower()})" if found[0] in classes else found[0]

    for found in FEATURE.finditer(body[1] if body else ""):
        text = re.sub(r"^\w+", link, found["text"] or "")
        yield f"- `{found['name']}`" + (f": {text}" if text else "")


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).startswith("Protocol") for base in node.bases)


def _is_specs(node: ast.ClassDef) -> bool:
    return node.name.endswith("Specs")


def _is_value(node: ast.ClassDef) -> bool:
    return not _is_protocol(node) and not _is_specs(node) and not node.name.startswith("_")


def _class(node: ast.ClassDef) -> Iterator[str]:
    prose, sections = docstrings.split(_docstring(node))
    yield from ["", f"### {node.name}", "", prose]
    yield from docstrings.items("Attributes", _typed(node, sections.get("Attributes", {})))
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
            yield from _method(inner)


def _typed(node: ast.ClassDef, texts: dict[str, str]) -> dict[str, str]:
    fields = {
        ast.unparse(inner.target): f"`{ast.unparse(inner.annotation)}`"
        for inner in node.body
        if isinstance(inner, ast.AnnAssign)
    }
    return {name: f"{kind}. {texts.get(name, '')}".strip() for name, kind in fields.items()} | {
        name: text for name, text in texts.items() if name not in fields
    }


def _method(node: ast.FunctionDef) -> Iterator[str]:
    prose, sections = docstrings.split(_docstring(node))
    is_property = any(ast.unparse(mark) == "property" for mark in node.decorator_list)
    returns = ast.unparse(node.returns) if node.returns else "object"
    shown = f"{node.name}: {returns}" if is_property else f"{node.name}({_arguments(node)}) -> {returns}"
    yield from ["", "```python", shown, "```", "", prose]
    for title, entries in sections.items():
        yield from docstrings.items(title, entries)


def _arguments(node: ast.FunctionDef) -> str:
    text = ast.unparse(node.args)
    return text.removeprefix("self").removeprefix(", ")


def events() -> str:
    """Return the page on the events of a run."""
    tree = ast.parse((ROOT / "kindling" / "events.py").read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    start = ["# Events", "", docstrings.prose_with_code(_docstring(tree))]
    stored = "A run's events stand in `.kindling/runs/<run id>/events.jsonl`."
    more = ["", f"{stored} A [sink](hooks/sink.md) hears them as they happen."]
    lines = [*start, *more]
    for node in classes:
        prose, sections = docstrings.split(_docstring(node))
        fields = _typed(node, sections.get("Attributes", {}))
        rows = [f"| `{name}` | {docstrings.cell(text)} |" for name, text in fields.items()]
        lines += ["", f"## {node.name}", "", prose, "", "| field | type and meaning |", "|---|---|", *rows]
    return "\n".join([*lines, ""])
