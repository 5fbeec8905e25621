from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kindling_plugin_masking.keyed import pads
from masked import KEY, mask_named

from kindling.errors import ConfigError
from kindling.hooks.masking import Keyed, Secret


@settings(deadline=None)
@given(key=st.text(min_size=32, max_size=200), value=st.binary(max_size=100))
def test_the_pads_make_the_hmac_of_the_standard(key: str, value: bytes) -> None:
    made = pads("m", Secret(key))
    inner = hashlib.sha256(made["inner"] + value).digest()
    found = hashlib.sha256(made["outer"] + inner).digest()
    assert found == hmac.new(key.encode(), value, hashlib.sha256).digest()


def test_masks_of_one_key_and_other_purposes_have_other_pads() -> None:
    made = []
    for name in ("keyed_hash", "token", "date_shift"):
        mask = mask_named(name)
        assert isinstance(mask, Keyed)
        made.append(mask.keys(Secret(KEY))["inner"])
    assert len(set(made)) == 3


@pytest.mark.parametrize("key", ["", "canary-of-31-bytes-0123456789-x", "é" * 15])
def test_a_short_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        pads("token", Secret(key))
    assert str(caught.value) == (
        "KDL-GOV-102: the key of the mask 'token' is too short\n"
        "  why: it has fewer than 32 bytes, so that it could be found by trying\n"
        "  do: store a random one: openssl rand -hex 32"
    )
    assert pads("token", Secret("é" * 16))
