from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from kindling_plugin_registry.wheels import ordered, read_wheel

from kindling.errors import PluginError

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "x-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def whole(**changes: str) -> dict[str, str]:
    files = {
        "x-1.0.dist-info/METADATA": (
            "Metadata-Version: 2.4\nName: X_y\nVersion: 1.0\nRequires-Python: <4,>=3.11\n"
            'Requires-Dist: kindling-core<0.2,>=0.1\nRequires-Dist: b>=1; python_version < "4"\n'
            'Requires-Dist: a; extra == "more"\nProvides-Extra: more\n\nText.\n'
        ),
        "x-1.0.dist-info/entry_points.txt": (
            "[kindling.storage]\nX = x.plugin\n[kindling.manifest]\nx = x\n[console_scripts]\na = x:main\n"
        ),
        "x/kindling.json": json.dumps({"capabilities": {}}),
    }
    return {**files, **changes}


def test_a_wheel_says_what_it_is_without_being_imported(tmp_path: Path) -> None:
    wheel = read_wheel(made(tmp_path, {**whole(), "x/__init__.py": "raise SystemExit('imported')"}))
    assert (wheel.name, wheel.version, wheel.requires_python) == ("x-y", "1.0", ">=3.11,<4")
    assert wheel.requires_kernel == ">=0.1,<0.2"
    assert wheel.requires_dist == ('b>=1; python_version < "4"',)
    assert wheel.extras == {"more": ('a; extra == "more"',)}
    assert wheel.modules == {"storage:X": "x.plugin"}
    assert wheel.readme == "Text.\n"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a": ""}, "it has 0 files *.dist-info/METADATA, expected one"),
        (
            whole(**{"x-1.0.dist-info/entry_points.txt": "[console_scripts]\na = b\n"}),
            "it has no entry point in the group 'kindling.manifest'",
        ),
        (
            whole(**{"x-1.0.dist-info/entry_points.txt": "[kindling.manifest]\nx = y\n"}),
            "it has no file 'y/kindling.json'",
        ),
        (
            whole(**{"x/kindling.json": "{"}),
            (
                "its kindling.json is not JSON: Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1)"
            ),
        ),
        (
            whole(**{"x/kindling.json": " " * (9 << 20)}),
            "its file 'x/kindling.json' is larger than 8388608 bytes",
        ),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, files: dict[str, str], why: str) -> None:
    path = made(tmp_path, files)
    with pytest.raises(PluginError) as caught:
        read_wheel(path)
    assert str(caught.value) == (
        f"KDL-REG-011: the wheel {path.name!r} cannot be read\n  why: {why}\n  where: {path}"
    )


def test_what_is_no_wheel_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    for prepare, why in (
        (lambda: None, "No such file or directory"),
        (lambda: path.write_text("x"), "File is not a zip file"),
        (
            lambda: made(tmp_path, whole(**{"x-1.0.dist-info/METADATA": "Requires-Dist: ,"})).rename(path),
            "Expected package name",
        ),
    ):
        done: Any = prepare()
        with pytest.raises(PluginError, match="KDL-REG-011") as caught:
            read_wheel(path)
        assert why in caught.value.why, done


def test_specifiers_are_ordered_by_version() -> None:
    assert ordered("!=1.10.*,<2,>=1.9") == ">=1.9,!=1.10.*,<2"
    assert ordered("") == ""
