from __future__ import annotations

from pathlib import Path

import pytest

import kindling as k
from kindling.entity import Place, StorageChoice, calling_place


def test_a_place_is_shown_relative_to_the_working_folder_if_it_is_below() -> None:
    below = Path.cwd() / "shop" / "app.py"
    assert str(Place(str(below), 3)) == "shop/app.py:3"
    assert str(Place("/elsewhere/app.py", 3)) == "/elsewhere/app.py:3"
    assert str(Place("<stdin>", 1)) == "<stdin>:1"


@pytest.mark.parametrize("file", ["<stdin>", "<ipython-input-3-abc>", "/tmp/ipykernel_77/123.py", "<string>"])  # noqa: S108  # names only
def test_cells_and_prompts_are_told_from_files(file: str) -> None:
    assert Place(file, 1).is_cell
    assert not Place("/home/me/app.py", 1).is_cell


def test_the_calling_place_is_the_first_one_outside_of_the_kernel() -> None:
    place = calling_place()
    assert place.file == __file__
    handle = k.App("shop").source("a", k.csv("a.csv"))
    assert (handle.place.file, handle.place.line) == (__file__, place.line + 2)


def test_storages_are_data() -> None:
    assert k.storage("kafka", topic="t", group=None) == StorageChoice(
        "kafka", (("group", None), ("topic", "t"))
    )
    assert k.csv("a.csv", null_value="NA") == k.storage("csv", path="a.csv", null_value="NA")
    assert k.csv() == StorageChoice("csv")
    assert (k.json("a"), k.parquet("a")) == (k.storage("json", path="a"), k.storage("parquet", path="a"))
    assert (k.json(), k.parquet(), k.memory()) == tuple(
        StorageChoice(n) for n in ("json", "parquet", "memory")
    )
    assert k.delta(location="lake").option("location") == "lake"
    assert k.delta().option("location") is None


def test_classified_columns_must_be_columns() -> None:
    app = k.App("shop")
    line = calling_place().line + 1
    app.source(
        "people", k.csv("p.csv"), schema="id int, mail string", classify={"Mail": "pii", "email": "pii"}
    )
    place = Place(__file__, line)
    assert [str(fault) for fault in app.faults] == [
        (
            "KDL-DECL-012: 'people' classifies columns that its schema lacks: email\n"
            f"  why: columns: id, mail\n  where: {place}"
        )
    ]


def test_without_a_schema_any_column_may_be_classified() -> None:
    app = k.App("shop")
    people = app.source("people", k.csv("p.csv"), classify={"email": "pii"}, tags=["x"])
    assert (people.classes, people.tags, people.schema, app.faults) == ({"email": "pii"}, ("x",), None, [])
