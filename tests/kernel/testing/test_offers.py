from __future__ import annotations

import json
from pathlib import Path

import fakes
import full_platform
import pytest

from kindling.errors import UsageError
from kindling.hooks.state import State, StateSpec
from kindling.testing.offers import Contract, declared_features, needs, open_capability, read_manifest


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give an importable plugin package."""
    folder = tmp_path / "kindling_plugin_toy"
    folder.mkdir()
    manifest = {"capabilities": {"state:toy": {"api": "1.0", "features": ["history"]}}}
    (folder / "__init__.py").write_text("")
    (folder / "kindling.json").write_text(json.dumps(manifest))
    (folder / "plugin.py").write_text(
        "from kindling.hooks import hookimpl\n"
        "from kindling.hooks.state import StateOffer\n"
        "from kindling.testing.memory_state import Memory, MemoryState\n"
        "@hookimpl\n"
        "def kindling_state_offers():\n"
        "    return (StateOffer('toy', lambda spec: MemoryState(Memory())),)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder.name


def test_features_are_read_from_the_manifest(package: str) -> None:
    assert declared_features(package, "state:toy") == {"history"}


def test_the_factory_behind_a_capability_is_called(package: str) -> None:
    assert isinstance(open_capability(package, "state:toy", StateSpec(path="")), State)


def test_the_kernels_own_capabilities_are_found_by_their_entry_points(tmp_path: Path) -> None:
    made = open_capability("kindling", "state:sqlite", StateSpec(path=str(tmp_path)))
    assert isinstance(made, State)
    made.close()


def test_a_package_that_is_not_installed_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        read_manifest("kindling_plugin_none")
    assert str(caught.value) == (
        "KDL-TEST-002: the plugin package 'kindling_plugin_none' cannot be tested\n"
        "  why: it is not installed\n"
        "  do: pip install -e plugins/kindling-plugin-none"
    )


def test_a_package_without_a_manifest_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        read_manifest("json")
    assert str(caught.value) == (
        "KDL-TEST-002: the plugin package 'json' cannot be tested\n"
        "  why: it has no kindling.json\n"
        "  do: pip install -e plugins/json"
    )


def test_an_undeclared_capability_is_refused(package: str) -> None:
    with pytest.raises(UsageError) as caught:
        declared_features(package, "state:toi")
    assert str(caught.value) == (
        "KDL-TEST-003: 'kindling_plugin_toy' does not declare the capability 'state:toi'\n"
        "  why: did you mean 'state:toy'?\n"
        '  do: add "state:toi" to "capabilities" in its kindling.json'
    )


def test_a_capability_that_is_not_offered_is_refused(package: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_capability(package, "state:other", StateSpec(path=""))
    assert str(caught.value) == (
        "KDL-TEST-003: 'kindling_plugin_toy' does not offer the capability 'state:other'\n"
        "  why: known: toy\n"
        "  do: return an Offer named 'other' from kindling_state_offers() in kindling_plugin_toy.plugin"
    )


class Small(Contract):
    @needs("flies")
    def test_it_flies(self) -> None:
        pass

    def test_it_lives(self) -> None:
        pass


class Stone(Small):
    capability = "thing:stone"


class Bird(Stone):
    capability = "thing:bird"
    features = frozenset({"flies"})


class Hidden(Bird):
    test_it_lives = None  # type: ignore[assignment]  # what an heir must not do


def test_a_test_of_an_undeclared_feature_is_absent() -> None:
    assert (Stone.test_it_flies, Stone.test_it_lives) == (None, Small.test_it_lives)


def test_an_heir_that_declares_more_gets_its_tests_back() -> None:
    assert Bird.test_it_flies is Small.test_it_flies


def test_a_test_cannot_be_hidden_by_hand() -> None:
    assert Hidden.test_it_lives is Small.test_it_lives


def test_undeclared_features_of_a_platform_bring_no_tests() -> None:
    few = {name for name in dir(fakes.OfMemoryPlatform) if "parquet" in name or "cancelling" in name}
    assert {getattr(fakes.OfMemoryPlatform, name) for name in few} == {None}
    assert all(getattr(full_platform.OfFullPlatform, name) for name in few)
