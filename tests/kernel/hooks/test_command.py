from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from kindling.hooks import command
from kindling.hooks.command import CommandSpec


def test_what_a_factory_is_given_is_frozen() -> None:
    spec = CommandSpec("project")
    for part in fields(spec):
        with pytest.raises(FrozenInstanceError):
            setattr(spec, part.name, "other")


def test_each_feature_is_stated_once() -> None:
    assert len(set(command.FEATURES)) == len(command.FEATURES)
