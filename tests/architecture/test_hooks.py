"""Each kind of hook has the same five parts, and the plugin in its docstring really works."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import types
from pathlib import Path
from textwrap import dedent

import pluggy
import pytest

from kindling.hooks import PROJECT, Offer
from kindling.names import KINDS

HOOKS = Path(inspect.getfile(Offer)).parent
SHARED = frozenset(
    (
        "__init__",
        "arrow",
        "connect_origins",
        "connect_traces",
        "pyspark",
        "pyspark_connect",
        "pyspark_keys",
        "sql_origins",
        "sql_traces",
        "traces",
    )
)
"""What platforms share; it is no kind."""
MODULES = sorted(path.stem for path in HOOKS.glob("*.py") if path.stem not in SHARED)

each_kind = pytest.mark.parametrize("kind", MODULES)


class Anything:
    """Stands for the class that the example imports from its own package."""

    def __init__(self, *given: object) -> None:
        self.given = given


def hook_module(kind: str) -> types.ModuleType:
    return importlib.import_module(f"kindling.hooks.{kind}")


def specs_of(module: types.ModuleType) -> type:
    (specs,) = [
        item for name, item in vars(module).items() if name.endswith("Specs") and isinstance(item, type)
    ]
    return specs


def test_the_kinds_are_those_that_names_know() -> None:
    assert set(MODULES) <= set(KINDS)


@each_kind
def test_a_kind_has_its_five_parts_in_order(kind: str) -> None:
    module = hook_module(kind)
    source = inspect.getsource(module)
    camel = kind.capitalize()
    parts = [
        r'"""',
        r'\nAPI = "\d+\.\d+"',
        r"\nFEATURES = \(",
        rf"\n{camel}Offer: TypeAlias = Offer\[",
        r"\nclass \w+Specs:",
    ]
    places = [found.start() if (found := re.search(part, source)) else -1 for part in parts]
    assert places == sorted(places)
    assert -1 not in places
    assert "A complete plugin" in str(module.__doc__)
    if kind not in ("command", "lineage"):  # theirs are click's own class, and the one of sinks
        assert "(Protocol):" in source


@each_kind
def test_the_hookspec_collects_offers_of_its_kind(kind: str) -> None:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs_of(hook_module(kind)))
    assert list(vars(manager.hook)) == [f"kindling_{kind}_offers"]


@each_kind
def test_the_complete_plugin_of_the_docstring_works(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = hook_module(kind)
    text = dedent(str(module.__doc__).partition("A complete plugin")[2].partition(":\n")[2])
    package = tmp_path / "kindling_plugin_mine"
    package.mkdir()
    for home, name in re.findall(r"from kindling_plugin_mine\.(\w+) import (\w+)", text):
        (package / f"{home}.py").write_text(
            f"class {name}:\n    def __init__(self, *given): self.given = given\n"
        )
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("kindling_plugin_mine")]:
        monkeypatch.delitem(sys.modules, name)

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs_of(module))
    manager.register(importlib.import_module("kindling_plugin_mine.plugin"))
    manager.check_pending()
    ((offer,),) = getattr(manager.hook, f"kindling_{kind}_offers")()
    assert isinstance(offer, Offer)
    assert offer.name in ("mine", "printer")
    wanted = "SinkSpec" if kind == "lineage" else f"{kind.capitalize()}Spec"
    spec_class = next(item for name, item in vars(module).items() if name == wanted)
    given = [item for item in inspect.signature(spec_class).parameters.values() if item.default is item.empty]
    made = offer.factory(spec_class(**{item.name: "" for item in given}))
    assert made is not None
    for name in [name for name in sys.modules if name.startswith("kindling_plugin_mine")]:
        monkeypatch.delitem(sys.modules, name)
