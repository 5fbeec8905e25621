"""`run --locked`: what is installed against what the lock says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kindling.errors import PolicyError
from kindling.plugins.locks import enforce_lock, installed_versions

HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def _package(name: str, version: str, marker: str = "") -> str:
    line = f"marker = {marker!r}\n" if marker else ""
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{line}'


def test_the_environment_as_locked_passes_and_is_remembered(tmp_path: Path) -> None:
    found = installed_versions()
    lock = tmp_path / "pylock.kindling.toml"
    other = _package("nowhere", "1.0", "sys_platform == 'plan9'")
    lock.write_text(HEAD + _package("Click", found["click"]) + other)
    enforce_lock(str(tmp_path), str(tmp_path / "cache"))
    assert (tmp_path / "cache" / "lock.json").exists()
    enforce_lock(str(tmp_path), str(tmp_path / "cache"))
    lock.write_text(HEAD + _package("click", "0.0.1"))
    with pytest.raises(PolicyError, match="KDL-POL-031"):
        enforce_lock(str(tmp_path), str(tmp_path / "cache"))


def test_drift_is_refused_with_every_difference(tmp_path: Path) -> None:
    (tmp_path / "pylock.kindling.toml").write_text(HEAD + _package("click", "0.1") + _package("nowhere", "1"))
    with pytest.raises(PolicyError) as caught:
        enforce_lock(str(tmp_path), "")
    assert caught.value.exit_code == 5
    assert str(caught.value) == (
        "KDL-POL-031: what is installed is not what the lock says\n"
        f"  why: click: locked 0.1, installed {installed_versions()['click']}; "
        "nowhere: locked 1, installed not at all\n"
        f"  where: {tmp_path}/pylock.kindling.toml\n"
        "  do: kindling plugins sync --locked"
    )


@pytest.mark.parametrize(("text", "why"), [(None, "there is no such file"), ("x =", "Invalid value")])
def test_a_lock_that_cannot_be_read_is_refused(text: str | None, why: str, tmp_path: Path) -> None:
    path = tmp_path / "pylock.kindling.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(PolicyError) as caught:
        enforce_lock(str(tmp_path), "")
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-POL-030: the lock of the plugins cannot be read"
    assert lines[1].startswith(f"  why: {why}")
    assert lines[2:] == [f"  where: {path}", "  do: kindling plugins lock, and commit the file"]


def test_the_first_folder_of_the_search_path_counts(tmp_path: Path) -> None:
    (tmp_path / "Click_Thing-2.0.dist-info").mkdir()
    sys.path.insert(0, str(tmp_path))
    try:
        assert installed_versions()["click-thing"] == "2.0"
    finally:
        sys.path.remove(str(tmp_path))
