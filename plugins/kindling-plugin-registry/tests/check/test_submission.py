"""Submissions, as authors make them in a clone of a registry."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kindling_plugin_registry.check import review_command
from kindling_plugin_registry.check.opening import build
from kindling_plugin_registry.check.reviewing import Workshop
from kindling_plugin_registry.check.submission import Review, review
from kindling_plugin_registry.operator.adding import add_wheels
from kindling_plugin_registry.operator.source import Source, moment, now
from kindling_plugin_registry.operator.starting import Start, make_registry
from kindling_plugin_registry.operator.verification import Place, verify

from kindling.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Author

NAME = "kindling-plugin-attic"
CLI = Path(sys.executable).with_name("kindling")


class Desk:
    """A registry in git, and an author who submits to it."""

    def __init__(self, author: Author, git: Callable[..., str]) -> None:
        self.author = author
        self.git = git
        self.top = author.folder / "repository"
        self.keys = author.folder / "keys"
        make_registry(
            Start(
                folder=self.top / "registry",
                keys=self.keys,
                name="shop",
                title="Shop",
                url="",
                package_index="",
                threshold=1,
                root_keys=1,
            )
        )
        self.source = Source(self.top / "registry")
        git("init", "--quiet", at=self.top)
        self.commit("The registry")

    def commit(self, text: str) -> None:
        self.git("add", "--all", at=self.top)
        self.git("commit", "--quiet", "--message", text, at=self.top)

    def submit(self, version: str = "0.1.0") -> Path:
        """Build a version, put it and its tests into the registry, and write its record."""
        self.author.put("pyproject.toml", 'version = "0.1.0"', f'version = "{version}"')
        wheel = build(self.author.project, self.author.folder / version)
        self.author.put("pyproject.toml", f'version = "{version}"', 'version = "0.1.0"')
        add_wheels(self.source, [wheel], moment(now()))
        archive = self.source.wheels / f"kindling_plugin_attic-{version}.tar.gz"
        shutil.make_archive(
            str(archive).removesuffix(".tar.gz"),
            "gztar",
            self.author.project.parent,
            self.author.project.name,
        )
        return wheel

    def listed(self) -> None:
        """Submit the first version, and let an operator take it without a look at its tests."""
        self.submit()
        self.commit("attic 0.1.0")

    def review(self, base: str = "HEAD") -> Review:
        return review(
            self.source, base, Workshop(sources=self.author.sources, environment=self.author.environment)
        )


@pytest.fixture
def desk(author: Author, git: Callable[..., str]) -> Desk:
    return Desk(author, git)


def codes(done: Review) -> tuple[str, list[str], list[str]]:
    return done.decision, [f.code for f in done.findings], [q.code for q in done.questions]


def commands_of(workflow: str) -> list[str]:
    """Return the lines of a workflow that call Kindling."""
    text = (review_command.WORKFLOWS / workflow).read_text(encoding="utf-8")
    return re.findall(r"run: (kindling .*)", text)


def test_a_new_version_goes_from_pull_request_to_signed_index_by_the_workflows_commands(
    desk: Desk,
) -> None:
    desk.listed()
    desk.author.put("README.md", "in a list", "in a long list")
    desk.submit("0.2.0")
    variables = {**os.environ, "KINDLING_REGISTRY_KERNEL": desk.author.sources.kernel, "BASE": "HEAD"}

    def run(line: str) -> str:
        words = [os.path.expandvars(word).replace("$BASE", variables["BASE"]) for word in shlex.split(line)]
        done = subprocess.run(
            [str(CLI), *words[1:]], cwd=desk.top, env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    (reviewed,) = (run(line) for line in commands_of("review.yml"))
    assert reviewed == f"{NAME} 0.2.0: conformant\naccepted\n"
    desk.commit("attic 0.2.0")
    variables["BASE"] = "HEAD^"
    published = commands_of("publish.yml")
    assert [line.split()[2] for line in published] == ["review", "validate", "build", "sign"]
    for line in published:
        run(line)
    root = (desk.source.keys / "1.root.json").read_bytes()
    seen = verify(Place(str(desk.source.dist)), root, desk.author.folder / "client")
    index = json.loads((desk.source.dist / "targets" / "index.json").read_text())
    assert [(e["n"], e["v"], e["lv"]) for e in index["plugins"]] == [(NAME, "0.2.0", "conformant")]
    assert seen is not None


def test_a_first_submission_is_for_a_person(desk: Desk) -> None:
    desk.submit()
    done = desk.review()
    assert codes(done) == ("ask", [], ["KDL-REG-260"])
    assert done.questions[0].text() == (
        f"fail  KDL-REG-260: {NAME!r} is submitted for the first time\n"
        "  why: a person looks at name, purpose and people once"
    )
    assert [(one.level, one.exit_code) for one in done.releases[0].checked] == [("conformant", 0)]


def test_a_new_permission_is_for_a_person(desk: Desk) -> None:
    desk.listed()
    desk.author.put(
        "src/kindling_plugin_attic/kindling.json", '"permissions": []', '"permissions": ["network", "files"]'
    )
    desk.submit("0.2.0")
    done = desk.review()
    assert codes(done) == ("ask", [], ["KDL-REG-261"])
    assert done.questions[0].text() == (
        f"fail  KDL-REG-261: {NAME!r} 0.2.0 asks for files, network\n  why: 0.1.0 asked for nothing"
    )


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [("publisher", 'kind = "none"', 'kind = "github"'), ("maintainers", 'name = "unknown"', 'name = "Eve"')],
)
def test_other_people_are_for_a_person(desk: Desk, key: str, old: str, new: str) -> None:
    desk.listed()
    record = desk.source.plugin(NAME) / "plugin.toml"
    record.write_text(record.read_text().replace(old, new))
    done = desk.review()
    assert codes(done) == ("ask", [], ["KDL-REG-262"])
    assert done.questions[0].what == f"the {key} of {NAME!r} changed"


def test_a_disputed_name_is_for_a_person(desk: Desk) -> None:
    desk.listed()
    old, new = desk.source.plugin(NAME), desk.source.plugin("kindling-plugin-attlc")
    shutil.copytree(old, new)
    for file in (new / "plugin.toml", new / "releases" / "0.1.0.json"):
        text = file.read_text().replace('"sink:attic"', '"sink:loft"')
        file.write_text(text.replace(f'"{NAME}"', '"kindling-plugin-attlc"'))
    decision, _, questions = codes(desk.review())
    assert decision != "accept"
    assert "KDL-REG-263" in questions


def test_other_files_are_for_a_person(desk: Desk) -> None:
    desk.listed()
    (desk.source.folder / "policy" / "names.toml").write_text('schema = "kindling.names/1"\nreserved = []\n')
    (desk.top / "workflow.yml").write_text("")
    done = desk.review()
    assert codes(done) == ("ask", [], ["KDL-REG-264"])
    assert done.questions[0].why == "policy/names.toml, workflow.yml"


def test_results_in_a_submission_are_refused(desk: Desk) -> None:
    desk.listed()
    path = desk.source.plugin(NAME) / "conformance" / "0.1.0.json"
    path.parent.mkdir()
    path.write_text("{}")
    done = desk.review()
    assert done.decision == "refuse"
    assert done.findings[0].text() == (
        "fail  KDL-REG-265: a submission brings results of tests\n"
        "  why: they come from the registry's own runs alone\n"
        f"  where: plugins/{NAME}/conformance/0.1.0.json\n"
        f"  do: git rm plugins/{NAME}/conformance/0.1.0.json"
    )


def test_a_record_that_says_what_its_wheel_does_not_is_refused(desk: Desk) -> None:
    desk.listed()
    desk.author.put("README.md", "in a list", "in a long list")
    desk.submit("0.2.0")
    path = desk.source.release_path(NAME, "0.2.0")
    path.write_text(path.read_text().replace('"requires_dist": []', '"requires_dist": ["click"]'))
    done = desk.review()
    assert [finding.text() for finding in done.findings] == [
        (
            f"fail  KDL-REG-251: the record of {NAME!r} 0.2.0 says what its wheels do not\n"
            "  why: different: requires_dist\n"
            f"  where: plugins/{NAME}/releases/0.2.0.json\n"
            "  do: make it again: kindling registry add WHEEL --replace"
        )
    ]


def test_a_wheel_with_another_hash_is_refused(desk: Desk) -> None:
    desk.listed()
    wheel = desk.submit("0.2.0")
    found = desk.author.folder / "elsewhere"
    found.mkdir()
    (found / wheel.name).write_bytes(b"another")
    workshop = Workshop(sources=desk.author.sources, wheels=found)
    (finding,) = review(desk.source, "HEAD", workshop).findings
    assert finding.text() == (
        f"fail  KDL-REG-252: the wheel {wheel.name!r} cannot be checked\n"
        "  why: KDL-REG-252: its SHA-256 is not the one of the record\n"
        f"  where: ../wheels/{wheel.name}\n"
        "  do: publish the wheel first; then kindling registry add WHEEL --url ADDRESS"
    )


def test_an_unknown_base_is_a_wrong_use(desk: Desk) -> None:
    with pytest.raises(UsageError) as caught:
        desk.review("v9")
    assert str(caught.value) == (
        "KDL-REG-250: nothing can be compared with 'v9'\n"
        "  why: git knows no such commit\n"
        f"  where: {desk.source.folder}\n"
        "  do: kindling registry review --base origin/main, in a clone with its history"
    )
