from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from kindling_plugin_registry import records
from kindling_plugin_registry.check.checking import Request, check
from kindling_plugin_registry.client.commands.check import command
from kindling_plugin_registry.formats import Schemas, sha256_of
from kindling_plugin_registry.levels import level
from kindling_plugin_registry.operator.adding import release_of

from kindling.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Author

SUITE = "tests/test_conformance.py"
SINK = "src/kindling_plugin_attic/sink.py"
WRITES = "        self.heard.extend(events)"


def test_a_faultless_plugin_gives_evidence_that_is_bound_to_its_wheel(
    author: Author, tmp_path: Path, kernel: Path
) -> None:
    output, log = tmp_path / "evidence.json", tmp_path / "log.txt"
    done = CliRunner().invoke(
        command,
        [str(author.project), "--json", "-o", str(output), "--log", str(log), "--kernel", str(kernel)],
        standalone_mode=False,
    )
    assert done.return_value == 0, done.output
    plain = json.loads(output.read_text())
    assert json.loads(done.output) == plain
    result = plain["result"]
    assert plain["schema"] == "kindling.plugins-check/1"
    assert (plain["level"], plain["findings"]) == ("conformant", [])
    assert (result["sha256"], result["runner"]) == (plain["sha256"], "author")
    assert result["capabilities"] == {"sink:attic": {"passed": 6, "failed": 0, "skipped": 0}}
    assert result["observed"] == {"files": [], "network": [], "process": []}
    assert result["log_sha256"] == sha256_of(log.read_bytes())
    kept = {
        "schema": "kindling.conformance/1",
        "name": "kindling-plugin-attic",
        "version": "0.1.0",
        "results": [result],
    }
    assert list(Schemas().check(kept, "conformance", "x")) == []


def test_the_level_comes_from_the_registrys_own_run_and_decays(author: Author) -> None:
    done = check(
        Request(path=author.project, sources=author.sources, runner="registry"), author.folder / "try"
    )
    assert done.wheel is not None
    assert done.result is not None
    release = release_of([done.wheel], done.result.at, "")
    record = records.PluginRecord(
        schema="kindling.plugin-record/1",
        name=done.wheel.name,
        summary="x",
        license="Apache-2.0",
        lifecycle="stable",
        maintainers=(records.Maintainer(name="Ann"),),
        publisher=records.Publisher(kind="none"),
    )

    def level_after(days: int) -> tuple[str, bool]:
        moment = datetime.fromisoformat(done.result.at) + timedelta(days=days)  # type: ignore[union-attr]  # asserted
        found = level(record, release, [done.result], f"{moment:%Y-%m-%dT%H:%M:%SZ}", "0.1.0")  # type: ignore[list-item]  # the same
        return found.level, found.stale

    assert (level_after(0), level_after(91)) == (("conformant", False), ("loadable", True))


def broken_sink(author: Author) -> None:
    author.put(SINK, WRITES, "        self.heard.extend(reversed(events))")


def deselected(author: Author) -> None:
    (author.project / "tests/conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'kept_whole' not in item.name]\n"
    )


def hidden(author: Author) -> None:
    with (author.project / SUITE).open("a") as file:
        file.write("\n\nTestSink.test_events_are_kept_whole = None\n")


def replaced(author: Author) -> None:
    with (author.project / SUITE).open("a") as file:
        file.write("\n    def test_events_are_kept_whole(self) -> None:\n        pass\n")


def skipped(author: Author) -> None:
    with (author.project / SUITE).open("a") as file:
        file.write(
            "\n    def make_sink(self, run_dir):\n        import pytest\n        pytest.skip('no mood')\n"
        )


def no_heir(author: Author) -> None:
    author.put(SUITE, "class TestSink(SinkContract)", "class TestSink")
    author.put(SUITE, "    def heard(", "    def test_nothing(self):\n        pass\n\n    def heard(")


def unimportable(author: Author) -> None:
    author.begin(SUITE, "import kindling_plugin_none")


def writes_undeclared(author: Author) -> None:
    lines = "        with open('events.txt', 'a') as file:\n            file.write('x')\n"
    author.put(SINK, WRITES, lines + WRITES)


SUITES = {
    "a failing test": (
        broken_sink,
        "KDL-REG-233: 'sink:attic' fails 'test_events_are_kept_whole'",
        {"passed": 3, "failed": 3, "skipped": 0},
    ),
    "a deselected test": (
        deselected,
        "KDL-REG-231: the test 'test_events_are_kept_whole' of 'sink:attic' did not run",
        {"passed": 5, "failed": 0, "skipped": 1},
    ),
    "a hidden test": (
        hidden,
        "KDL-REG-231: the test 'test_events_are_kept_whole' of 'sink:attic' did not run",
        {"passed": 5, "failed": 0, "skipped": 1},
    ),
    "a replaced test": (
        replaced,
        "KDL-REG-232: the test 'test_events_are_kept_whole' of 'sink:attic' is not the kernel's own",
        {"passed": 5, "failed": 0, "skipped": 1},
    ),
    "skipped tests": (
        skipped,
        "KDL-REG-234: 6 tests of 'sink:attic' were skipped without an accepted reason\n  why: reasons: no m",
        {"passed": 0, "failed": 0, "skipped": 6},
    ),
    "no heir of the contract": (
        no_heir,
        "KDL-REG-230: 'sink:attic' has no conformance tests\n  why: TestSink is no heir",
        {"passed": 0, "failed": 0, "skipped": 6},
    ),
    "tests that cannot be collected": (unimportable, "KDL-REG-235: the conformance tests cannot run", None),
    "an undeclared permission": (
        writes_undeclared,
        "KDL-REG-227: the plugin used 'files' and does not declare it",
        {"passed": 6, "failed": 0, "skipped": 0},
    ),
}


@pytest.mark.parametrize("case", SUITES)
def test_what_a_suite_does_not_prove_is_told(author: Author, case: str) -> None:
    act, text, count = SUITES[case]
    act(author)
    done = author.tried()
    assert done.result is not None
    assert text in "\n".join(finding.text() for finding in done.findings), done.findings
    found = done.result.capabilities.get("sink:attic")
    if count is not None:
        assert found == records.Count(**count)
    assert (done.exit_code, done.level) == (1, "")


def test_tests_that_need_a_named_service_may_be_skipped(author: Author) -> None:
    skipped(author)
    author.put(SUITE, "no mood", "needs archive")
    with (author.project / "pyproject.toml").open("a") as file:
        file.write('\n[tool.kindling.check]\nservices = ["archive"]\n')
    done = author.tried()
    assert [finding.code for finding in done.findings] == []
    assert done.level == "loadable"  # nothing failed, and nothing was shown either


def test_something_that_is_no_plugin_is_a_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        check(Request(path=tmp_path), tmp_path / "room")
    assert str(caught.value) == (
        f"KDL-REG-200: {str(tmp_path)!r} cannot be checked\n"
        "  why: it is neither a wheel nor a folder with pyproject.toml\n"
        "  do: kindling plugins check FOLDER, or kindling plugins check WHEEL --tests FOLDER"
    )
    assert caught.value.exit_code == 2


def test_tests_that_are_nowhere_are_a_wrong_use(author: Author, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"KDL-REG-200: .*gone.tar.gz' holds no tests"):
        check(Request(path=author.wheel(), tests=tmp_path / "gone.tar.gz"), tmp_path / "room")


def test_a_project_that_cannot_be_built_is_a_finding(author: Author) -> None:
    author.put("pyproject.toml", 'version = "0.1.0"', 'version = "one"')
    (finding,) = author.tried().findings
    assert (finding.code, finding.what) == (
        "KDL-REG-201",
        "the project 'kindling-plugin-attic' cannot be built",
    )
