from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from kindling.lineage import HOWS, ColumnLineage, Origin, inherited_by_all, joined

NAMES = st.sampled_from(["a", "B", "größe", "x y"])
ORIGINS = st.lists(st.builds(Origin, NAMES, NAMES, st.sampled_from(HOWS)), max_size=3).map(tuple)


@given(st.dictionaries(NAMES, ORIGINS, max_size=4), ORIGINS)
def test_lineage_travels_through_json(
    columns: dict[str, tuple[Origin, ...]], rows: tuple[Origin, ...]
) -> None:
    lineage = ColumnLineage(tuple(columns.items()), rows)
    assert ColumnLineage.from_plain(json.loads(json.dumps(lineage.to_plain()))) == lineage


def test_opaque_lineage_is_an_empty_object() -> None:
    assert ColumnLineage.from_plain({}) is None


def test_columns_inherit_the_classes_of_what_is_part_of_their_value() -> None:
    lineage = ColumnLineage(
        (
            ("mail", (Origin("people", "EMAIL"),)),
            (
                "both",
                (Origin("people", "email", "transformation"), Origin("people", "name", "transformation")),
            ),
            ("chosen", (Origin("people", "email", "indirect"), Origin("people", "age"))),
            ("constant", ()),
        ),
        rows=(Origin("people", "name", "indirect"),),
    )
    classes = {"people": {"email": ("pii.email",), "name": ("pii.name", "pii.email")}}
    assert lineage.inherited(classes) == {"mail": ("pii.email",), "both": ("pii.email", "pii.name")}


def test_an_opaque_step_inherits_everything() -> None:
    assert inherited_by_all(["a", "b"], {"p": {"x": ("c",)}, "q": {"y": ("b", "c")}}) == {
        "a": ("b", "c"),
        "b": ("b", "c"),
    }
    assert inherited_by_all(["a"], {"p": {}}) == {}


def test_classes_are_joined_without_regard_to_letter_case() -> None:
    assert joined({"Mail": ("a",)}, {"mail": ("b",), "x": ()}) == {"Mail": ("a", "b"), "x": ()}
