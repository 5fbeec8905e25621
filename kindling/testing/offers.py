"""What a plugin declares and offers, and how a contract class collects only the tests that apply.

Not a loader: the package named by a test class is imported directly, without catalog and policy.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, TypeVar

from kindling.errors import UsageError
from kindling.hooks import Plain
from kindling.names import did_you_mean

Test = TypeVar("Test", bound=Callable[..., object])


def read_manifest(package: str) -> dict[str, Plain]:
    """Return the `kindling.json` of an installed plugin package; imports nothing.

    Raises:
        UsageError: KDL-TEST-002, the package is not installed or has no `kindling.json`.
    """
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = [Path(place) / "kindling.json" for place in places]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise UsageError(
            "KDL-TEST-002",
            f"the plugin package {package!r} cannot be tested",
            why="it has no kindling.json" if spec else "it is not installed",
            hint=f"pip install -e plugins/{package.replace('_', '-')}",
        )
    manifest: dict[str, Plain] = json.loads(found.read_text(encoding="utf-8"))
    return manifest


def declaration(package: str, capability: str) -> Mapping[str, Plain]:
    """Return what `kindling.json` says of one capability.

    Raises:
        UsageError: KDL-TEST-002 as `read_manifest`; KDL-TEST-003, the capability is not listed.
    """
    listed = read_manifest(package).get("capabilities")
    known = listed if isinstance(listed, dict) else {}
    entry = known.get(capability)
    if not isinstance(entry, dict):
        raise UsageError(
            "KDL-TEST-003",
            f"{package!r} does not declare the capability {capability!r}",
            why=did_you_mean(capability, known),
            hint=f'add "{capability}" to "capabilities" in its kindling.json',
        )
    return entry


def declared_features(package: str, capability: str) -> frozenset[str]:
    """Return the features that `kindling.json` states for a capability."""
    stated = declaration(package, capability).get("features")
    return frozenset(str(name) for name in stated) if isinstance(stated, list) else frozenset()


def open_capability(package: str, capability: str, spec: object) -> object:
    """Import the module behind the capability's entry point and call the factory of its offer.

    Raises:
        UsageError: KDL-TEST-003, the plugin offers no such capability.
    """
    kind, _, name = capability.partition(":")
    values = [found.value for found in entry_points(group=f"kindling.{kind}", name=name)]
    module = next((value for value in values if value.split(".")[0] == package), f"{package}.plugin")
    offers = getattr(import_module(module), f"kindling_{kind}_offers")()
    offered = {offer.name: offer for offer in offers}
    if name not in offered:
        raise UsageError(
            "KDL-TEST-003",
            f"{package!r} does not offer the capability {capability!r}",
            why=did_you_mean(name, offered),
            hint=f"return an Offer named {name!r} from kindling_{kind}_offers() in {module}",
        )
    return offered[name].factory(spec)


def needs(*features: str) -> Callable[[Test], Test]:
    """Mark a contract test as one of features: it exists only where all of them are declared."""

    def mark(test: Test) -> Test:
        test.needs = features  # type: ignore[attr-defined]  # functions take attributes
        return test

    return mark


class Contract:
    """What the contract classes share: an heir names a plugin, or states its features itself.

    A test of a feature that is not declared is *absent*: it is neither collected nor skipped, so that
    no report counts it.

    Attributes:
        plugin: The plugin's import name, for example `kindling_plugin_delta`; "" for a fake.
        capability: For example `storage:delta`.
        features: Read from `kindling.json` where `plugin` is set.
        settings: The plugin's own settings for the tests.
    """

    plugin: ClassVar[str] = ""
    capability: ClassVar[str] = ""
    features: ClassVar[frozenset[str]] = frozenset()
    settings: ClassVar[Mapping[str, Plain]] = {}

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if cls.plugin and "features" not in vars(cls):
            cls.features = declared_features(cls.plugin, cls.capability)
        if cls.capability:
            cls._hide_undeclared()

    @classmethod
    def _hide_undeclared(cls) -> None:
        """Set tests of undeclared features to None, which pytest does not collect, and only those.

        A test that an heir hid by hand comes back: a contract is kept whole.
        """
        stated = cls.stated()
        for name in sorted(name for name in dir(cls) if name.startswith("test_")):
            tests = (vars(kind).get(name) for kind in cls.__mro__)
            test = next((found for found in tests if found is not None), None)
            if not stated.issuperset(getattr(test, "needs", ())):
                setattr(cls, name, None)
            elif getattr(cls, name) is None:
                setattr(cls, name, test)

    @classmethod
    def stated(cls) -> frozenset[str]:
        """Return what `needs` marks are compared with."""
        return cls.features
