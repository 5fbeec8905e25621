from __future__ import annotations

import pytest
from kindling_plugin_openlineage import facets
from kindling_plugin_openlineage.naming import Name

from kindling.lineage import HOWS

SOURCE = Name("s3://lake", "raw")


@pytest.mark.parametrize("how", HOWS)
def test_a_column_tells_how_it_is_used(how: str) -> None:
    (step,) = facets.input_field(SOURCE, "n", how)["transformations"]  # type: ignore[misc]  # JSON
    kind = {"type": "INDIRECT"} if how == "indirect" else {"type": "DIRECT", "subtype": how.upper()}
    assert step == {**kind, "masking": False}


@pytest.mark.parametrize("how", HOWS)
def test_a_masked_column_is_never_the_same_value(how: str) -> None:
    (step,) = facets.input_field(SOURCE, "n", how, "hash")["transformations"]  # type: ignore[misc]  # JSON
    assert (step["masking"], step["description"]) == (True, "masked by hash")
    assert step.get("subtype") != "IDENTITY"


def test_each_facet_names_its_producer_and_its_schema() -> None:
    found = facets.version("7")
    assert found == {
        "_producer": "urn:kindling:kindling-plugin-openlineage:0.1.0",
        "_schemaURL": (
            "https://openlineage.io/spec/facets/1-0-1/DatasetVersionDatasetFacet.json"
            "#/$defs/DatasetVersionDatasetFacet"
        ),
        "datasetVersion": "7",
    }
