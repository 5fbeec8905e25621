from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from kindling.hooks import platform
from kindling.hooks.platform import PlatformSpec, Rows, SessionSpec, SharedRef


def test_what_a_platform_is_given_is_frozen() -> None:
    for value, name in (
        (PlatformSpec("dev"), "environment"),
        (SessionSpec("t1"), "tag"),
        (Rows(("a",), ((1,),)), "rows"),
        (SharedRef("e1", "n"), "name"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(value, name, "other")


def test_each_feature_of_a_session_is_stated_once() -> None:
    assert len(set(platform.FEATURES)) == len(platform.FEATURES)
