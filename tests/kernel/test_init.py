from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import kindling as k

HOME = Path(k.__file__).parent.parent
HEAVY = {
    "click",
    "dataclasses",
    "dynaconf",
    "importlib.metadata",
    "inspect",
    "logging",
    "msgspec",
    "pandas",
    "pathlib",
    "pluggy",
    "pyarrow",
    "pyspark",
    "sqlframe",
    "sqlglot",
    "structlog",
    "tomllib",
    "typing",
}


def loaded_by(source: str) -> set[str]:
    """Return the modules that a program loads in an interpreter without site-packages."""
    start = f"import sys; sys.path.insert(0, {str(HOME)!r})\n"
    end = "\nimport json; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-I", "-S", "-c", start + dedent(source) + end]
    return set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def test_importing_the_package_loads_no_other_module_of_it() -> None:
    assert {name for name in loaded_by("import kindling") if name.startswith("kindling")} == {"kindling"}


def test_loading_an_app_needs_no_engine_and_no_heavy_module() -> None:
    loaded = loaded_by(
        """
        import kindling as k

        app = k.App("shop", storage=k.delta())
        orders = app.source("orders", k.csv("o.csv"), schema="id bigint, price decimal(10,2)")

        @app.pipe(orders, write=k.merge(on=["id"]), expect={"a": "b"}, incremental=k.changes())
        def silver(df: k.DataFrame) -> k.DataFrame:
            first = k.dedupe(df, on=["id"], order_by=["ts"])
            return first.withColumn("x", k.F.lit(1).over(k.Window.orderBy("id")))

        app.sql("gold", "SELECT * FROM {silver}", inputs={"silver": silver})
        app.raise_faults()
        assert list(app.entities()) == ["gold", "orders", "silver"]
        """
    )
    assert loaded & HEAVY == set()
    assert "kindling.signatures" not in loaded


def test_every_public_name_is_found_and_listed() -> None:
    assert sorted(k.__all__) == sorted(set(k.__all__)) == dir(k)
    for name in k.__all__:
        assert getattr(k, name) is not None


def test_a_misspelt_name_is_told_with_the_right_one() -> None:
    with pytest.raises(AttributeError) as error:
        k.mrege  # type: ignore[attr-defined] # noqa: B018  # what is tested
    assert str(error.value) == "module 'kindling' has no attribute 'mrege'; did you mean 'merge'?"
