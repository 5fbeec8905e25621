"""Every module of the kernel has a test file at the mirrored place."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

TESTED_ELSEWHERE = {
    "testing/*_contract.py": "each of its tests fails on a mutant: tests/kernel/testing/test_mutants.py",
    "testing/*_fixtures.py": "the same",
    "testing/pytest_plugin.py": "a fixture of one line: tests/kernel/testing/test_run.py",
    "__main__.py": "the front door of tests/kernel/cli/test_fast.py",
}
"""Modules whose tests have another place, as patterns, each with its reason."""
PENDING = ("cli/*", "plan/*", "plugins/installed.py", "run/*", "testing/*")
"""Whose tests are being written; to be emptied."""


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
    excused = (*TESTED_ELSEWHERE, *PENDING)
    assert [name for name in missing if not any(fnmatch(name, pattern) for pattern in excused)] == []


def test_every_test_file_of_the_kernel_tests_a_module_or_says_what_else(root: Path) -> None:
    known = set(mirrored(root).values())
    own = root / "tests" / "kernel"
    other = [path for path in own.glob("**/test_*.py") if path not in known]
    assert [path for path in other if path.parent == own] == []
