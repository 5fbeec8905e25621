"""Each distribution's changelog is made of fragments, by its own configuration of towncrier."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
FOLDERS = [ROOT, *sorted(ROOT.glob("plugins/kindling-plugin-*")), ROOT / "plugins" / "_template"]
KINDS = {"added", "changed", "deprecated", "fixed", "removed", "security"}

each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


@each
def test_a_distribution_has_fragments_for_its_first_release(folder: Path) -> None:
    fragments = [path for path in (folder / "changes").iterdir() if path.suffix == ".md"]
    assert fragments
    for path in fragments:
        assert re.fullmatch(rf"\+[a-z0-9-]+\.({'|'.join(sorted(KINDS))})\.md", path.name), path.name
        assert path.read_text(encoding="utf-8").rstrip().endswith((".", "`."))


@each
def test_towncrier_drafts_the_changelog(folder: Path) -> None:
    tables = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(tables["tool"]["towncrier"]["fragment"]) == KINDS
    ended = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"## {tables['project']['version']} (")
    assert "### Added\n" in ended.stdout


@each
def test_a_changelog_has_the_place_where_releases_go(folder: Path) -> None:
    name = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    text = (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert text.startswith(f"# Changelog of {name}\n\n<!-- towncrier release notes start -->\n")
