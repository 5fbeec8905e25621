from __future__ import annotations

import pytest

from kindling.plugins.catalog import read_catalog
from kindling.plugins.loader import Loader
from kindling.plugins.policy import KERNEL, Policy


@pytest.mark.parametrize("capability_id", ["secrets:env", "state:sqlite"])
def test_what_the_installed_kernel_brings_itself_loads_like_any_plugin(capability_id: str) -> None:
    catalog = read_catalog("", Policy())
    assert [item.id for item in catalog.installed() if item.distribution == KERNEL] == [
        "secrets:env",
        "state:sqlite",
    ]
    assert Loader(catalog, Policy()).offer(capability_id).name == capability_id.partition(":")[2]
