"""Write docs/public-api.md: `python tests/architecture/public_api.py`. It reads sources and imports none."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "public-api.md"
FOR_PLUGINS = (
    "hooks",
    "events",
    "polling",
    "errors",
    "testing",
    "addresses",
    "schemas",
    "intents",
    "lineage",
    "records",
    "values",
)
START = """# Public API

Written by `python tests/architecture/public_api.py`; a test keeps it equal to the sources.

A name is public if all of this is true:

1. It is listed on this page.
2. Neither it nor a module on the way to it starts with an underscore.
3. It has a docstring, which says how it behaves.
4. It is reached by the import that is shown here.

What is public stays for two minor versions after it was deprecated; a warning names what replaces it.
Contracts in `kindling.hooks` have versions of their own: `API` in each module.

## For pipelines: `import kindling as k`

| name | what it is |
|---|---|
"""
MIDDLE = """
## For plugins: modules

| module | what it is |
|---|---|
"""


def homes() -> dict[str, tuple[str, ...]]:
    """Return the public names by the module that defines them."""
    tree = ast.parse((ROOT / "kindling" / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            found: dict[str, tuple[str, ...]] = ast.literal_eval(node.value)
            return found
    raise LookupError("_HOMES")


def first_line(module: ast.Module, name: str) -> str:
    """Return the first line of a public name's docstring."""
    for node in ast.walk(module):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return "The active session's own: works while a task runs."


def parsed(path: Path) -> ast.Module:
    """Return a source file's tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def page() -> str:
    """Return the text of the page."""
    rows = {
        name: first_line(parsed(ROOT / "kindling" / f"{home}.py"), name)
        for home, names in homes().items()
        for name in names
    }
    text = START + "".join(f"| `k.{name}` | {rows[name]} |\n" for name in sorted(rows)) + MIDDLE
    for name in FOR_PLUGINS:
        path = ROOT / "kindling" / name
        files = [path.with_suffix(".py")] if path.with_suffix(".py").exists() else sorted(path.glob("*.py"))
        for file in files:
            dotted = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            line = (ast.get_docstring(parsed(file)) or "").partition("\n")[0]
            text += f"| `{dotted}` | {line} |\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
