"""constraints.txt pins whatever is installed from an index, and names none."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; [^\\]+)? \\$", re.MULTILINE)


def required() -> list[Requirement]:
    """Return what requirements/pin.py takes as its input."""
    spec = importlib.util.spec_from_file_location("pin", ROOT / "requirements" / "pin.py")
    assert spec is not None
    assert spec.loader is not None
    pin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pin)
    return [Requirement(text) for text in pin.requirements()]


def test_constraints_are_names_versions_and_hashes() -> None:
    assert "://" not in TEXT
    others = [
        line
        for line in TEXT.splitlines()
        if not PIN.match(line) and not re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line)
    ]
    assert others == []


def test_every_requirement_is_pinned_to_a_version_that_fits() -> None:
    pins: dict[str, list[Version]] = {}
    for name, version in PIN.findall(TEXT):
        pins.setdefault(canonicalize_name(name), []).append(Version(version))
    listed = required()
    unmet = [
        str(item)
        for item in listed
        if not any(version in item.specifier for version in pins.get(canonicalize_name(item.name), []))
    ]
    assert unmet == []
    assert {"pluggy", "pyspark", "pytest", "tox", "uv_build"} <= {item.name for item in listed}


def test_own_distributions_are_not_pinned() -> None:
    assert "kindling" not in TEXT
