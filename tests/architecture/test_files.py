"""What is committed works anywhere: no machine's paths, no hosts of registries."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import kindling

MACHINE = re.compile(r"/(?:work|root|home/(?!me\b)\w+|Users/\w+)/|/tmp/w/")  # what is searched for
HOSTS = re.compile(
    "|".join((r"pypi\.or" + "g", r"pythonhoste" + r"d\.org", r"anacond" + r"a\.org", r"npmj" + r"s\."))
)
BINARY = {".png", ".gif", ".ico", ".zip", ".parquet", ".gz", ".webm", ".mp4", ".woff2"}


def test_no_committed_file_names_a_machine_or_a_registry(root: Path, committed: list[Path]) -> None:
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:80]}"
        for path in committed
        if path.suffix not in BINARY and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if MACHINE.search(line) or HOSTS.search(line)
    ]
    assert found == []


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="only tox installs the built wheel")
def test_the_tests_use_the_installed_wheel() -> None:
    assert "site-packages" in str(kindling.__file__)


def test_every_distribution_is_typed(root: Path) -> None:
    packages = [root / "kindling", *root.glob("plugins/kindling-plugin-*/src/kindling_plugin_*")]
    assert [str(path) for path in packages if not (path / "py.typed").exists()] == []
