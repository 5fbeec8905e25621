"""The files that people who contribute go by are short, complete and true."""

from __future__ import annotations

import re
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
WORDS = """
App Entity Address Pipe Slice TaskKey Plan Run RunRequest Kind Capability Feature Plugin Offer
Session Store Workspace Registry Index Lock KDA
"""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def environments() -> set[str]:
    settings = ConfigParser(interpolation=None)
    settings.read_string(text_of("tox.ini"))
    names = [name.removeprefix("testenv:") for name in settings.sections() if name.startswith("testenv:")]
    return {one for name in names for one in _spelt_out(name)}


def _spelt_out(name: str) -> list[str]:
    """Return the environments of a section like `cross-{sail,duckdb}`."""
    found = re.fullmatch(r"(.*)\{(.+)\}", name)
    return [f"{found[1]}{factor}" for factor in found[2].split(",")] if found else [name]


def test_contributing_is_short_and_opens_with_the_three_commands() -> None:
    lines = text_of("CONTRIBUTING.md").splitlines()
    assert len(lines) < 150
    commands = [line.partition("#")[0].strip() for line in lines[2:7]]
    assert commands == ["```console", "$ tox -e fix", "$ tox -e check", "$ tox", "```"]


def test_contributing_names_each_environment_of_tox_and_no_other() -> None:
    named = set(re.findall(r"tox -e ([\w-]+)", text_of("CONTRIBUTING.md")))
    assert named == environments()


def test_the_workflow_calls_tox_only() -> None:
    workflow = text_of(".github/workflows/tests.yml")
    commands = re.findall(r"- run: (.+)", workflow)
    assert commands == ["python -m pip install tox", "tox -e ${{ matrix.environment }}"]
    listed = re.search(r"environment: \[(.+)\]", workflow)
    assert listed is not None
    assert environments() - set(listed[1].split(", ")) == {"fix", "bench"}


def test_every_folder_has_owners() -> None:
    owned = set(re.findall(r"^/(\S+)", text_of("CODEOWNERS"), re.MULTILINE))
    assert [entry for entry in owned if not (ROOT / entry).exists()] == []
    plugins = {
        f"plugins/{path.name}/" for path in ROOT.glob("plugins/*") if (path / "pyproject.toml").exists()
    }
    assert plugins <= owned


def test_a_pull_request_has_six_boxes() -> None:
    assert text_of(".github/PULL_REQUEST_TEMPLATE.md").count("- [ ] ") == 6


def test_the_glossary_has_each_word_of_the_vocabulary_once_in_order() -> None:
    words = re.findall(r"^\| \*\*(.+?)\*\* \| .+ \|$", text_of("docs/glossary.md"), re.MULTILINE)
    assert set(WORDS.split()) <= set(words)
    assert words == sorted(set(words), key=str.lower)
