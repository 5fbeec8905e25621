from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from kindling.hooks import Offer
from kindling.hooks.executor import ExecutorOffer


def test_an_offer_of_a_kind_is_made_like_a_plain_offer_and_stays_frozen() -> None:
    offer = ExecutorOffer("mine", lambda spec: spec.settings)  # type: ignore[arg-type,return-value]  # never called
    assert (offer.name, type(offer)) == ("mine", Offer)
    with pytest.raises(FrozenInstanceError):
        offer.name = "other"  # type: ignore[misc]  # what is tested
