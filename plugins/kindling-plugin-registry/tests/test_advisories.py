from __future__ import annotations

from typing import Any

import pytest
from kindling_plugin_registry.advisories import Advisory
from kindling_plugin_registry.formats import convert

NAME = "kindling-plugin-sample"


def read(samples: Any, *events: dict[str, str], **changes: Any) -> Advisory:
    affected = {
        "package": {"ecosystem": "PyPI", "name": NAME},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }
    return convert(samples.advisory(affected=[affected], **changes), "advisory", Advisory, "")


@pytest.mark.parametrize(
    ("events", "inside", "outside"),
    [
        (({"introduced": "0"},), ("0.0.1", "9"), ()),
        (({"introduced": "1.2"}, {"fixed": "1.10"}), ("1.2", "1.9.9", "1.10rc1"), ("1.1", "1.10", "2")),
        (({"fixed": "2"}, {"introduced": "0"}, {"introduced": "3"}), ("1", "3", "4"), ("2", "2.5")),
        (({"introduced": "1"}, {"last_affected": "2"}), ("1", "2"), ("0.9", "2.0.1")),
    ],
)
def test_ranges_are_walked_in_order_of_version(
    samples: Any, events: Any, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    advisory = read(samples, *events)
    assert all(advisory.is_affected(NAME, version) for version in inside)
    assert not any(advisory.is_affected(NAME, version) for version in outside)
    assert not advisory.is_affected("kindling-plugin-other", "1")


def test_a_withdrawn_advisory_affects_nothing(samples: Any) -> None:
    assert not read(samples, {"introduced": "0"}, withdrawn=samples.NOW).is_affected(NAME, "1")
