from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from kindling.hooks import masking
from kindling.hooks.masking import MaskingSpec, MaskRequest


@pytest.mark.parametrize("given", [MaskingSpec("dev"), MaskRequest("`a`", "string")])
def test_what_a_mask_is_given_is_frozen(given: MaskingSpec | MaskRequest) -> None:
    for part in fields(given):
        with pytest.raises(FrozenInstanceError):
            setattr(given, part.name, "other")


def test_each_feature_is_stated_once() -> None:
    assert len(set(masking.FEATURES)) == len(masking.FEATURES)
