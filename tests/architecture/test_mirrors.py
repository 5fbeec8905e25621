"""Every module of the kernel has a test file at the mirrored place."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

TESTED_ELSEWHERE = {
    "testing/*_contract.py": "each of its tests fails on a mutant: tests/kernel/testing/test_mutants.py",
    "testing/*_fixtures.py": "the same",
    "testing/pytest_plugin.py": "a fixture of one line: tests/e2e/test_run_pipe.py",
    "testing/run.py": "it needs a platform: tests/e2e/test_run_pipe.py",
    "testing/*.py": "fakes, by the contracts that they pass: tests/kernel/testing/test_fakes.py",
    "cli/*": "by the commands that use them: tests/kernel/cli and tests/e2e/cli",
    "plan/bytecode.py": "parts of the fingerprint: tests/kernel/plan/test_fingerprint.py",
    "plan/contents.py": "the same",
    "plan/homes.py": "the same",
    "plan/reach.py": "the same",
    "plugins/installed.py": "a value: tests/kernel/plugins/test_scan.py",
    "run/database.py": "the file behind the state: tests/kernel/run/test_sqlite.py",
    "run/liveness.py": "the same",
    "run/sqlite_plugin.py": "an offer: tests/kernel/plugins/test_kernel_capabilities.py",
    "__main__.py": "the front door of tests/kernel/cli/test_fast.py",
}
"""Modules whose tests have another place, as patterns, each with its reason."""


def mirrored(root: Path) -> dict[str, Path]:
    """Return the test file of each module of the kernel that has code of its own."""
    found = {}
    for path in sorted(root.glob("kindling/**/*.py")):
        relative = path.relative_to(root / "kindling")
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if path.name == "__init__.py" and len(lines) <= 10 and relative.parent != Path():
            continue  # a package's docstring
        stem = {"__init__": relative.parent.name or "init", "__main__": "main"}.get(path.stem, path.stem)
        found[str(relative)] = root / "tests" / "kernel" / relative.parent / f"test_{stem}.py"
    return found


def test_every_module_of_the_kernel_has_a_test_file(root: Path) -> None:
    missing = [name for name, test in mirrored(root).items() if not test.exists()]
    excused = TESTED_ELSEWHERE
    assert [name for name in missing if not any(fnmatch(name, pattern) for pattern in excused)] == []


def test_every_test_file_of_the_kernel_tests_a_module_or_says_what_else(root: Path) -> None:
    known = set(mirrored(root).values())
    own = root / "tests" / "kernel"
    other = [path for path in own.glob("**/test_*.py") if path not in known]
    assert [path for path in other if path.parent == own] == []
