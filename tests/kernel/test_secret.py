from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from kindling.secret import Secret


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2", "v1")
    shown = (
        f"{secret} {secret!r} {secret!s} {secret!a} {secret:>40} {[secret]} {{'a': {secret}}}" + "%s" % secret  # noqa: UP031  # what is tested
    )  # what is tested
    assert "hunter2" not in shown
    assert f"{secret}" == "***"
    assert (secret.reveal(), secret.version) == ("hunter2", "v1")


@pytest.mark.parametrize("way", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_secret_is_never_copied(way: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as error:
        way(Secret("hunter2"))
    assert str(error.value) == "a secret is never pickled: send its reference and resolve it where it is used"


def test_a_secret_is_no_json() -> None:
    with pytest.raises(TypeError) as error:
        json.dumps({"password": Secret("hunter2")})
    assert "hunter2" not in str(error.value)


def test_a_secret_cannot_be_guessed_by_comparing() -> None:
    secret = Secret("hunter2")
    assert secret != Secret("hunter2")
    assert secret == secret  # noqa: PLR0124  # what is tested
    assert not hasattr(secret, "__dict__")
