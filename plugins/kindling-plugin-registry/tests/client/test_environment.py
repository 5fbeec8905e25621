"""Which environment this is, and which command changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from kindling_plugin_registry.client.environment import Environment, detect
from kindling_plugin_registry.client.installers import (
    Order,
    index_options,
    install_command,
    uninstall_command,
)

from kindling.errors import PolicyError, UsageError

MARKS = {"uv-tool": "uv-receipt.toml", "pipx": "pipx_metadata.json"}


@pytest.mark.parametrize("kind", MARKS)
def test_tools_are_known_by_their_marks(kind: str, tmp_path: Path) -> None:
    (tmp_path / MARKS[kind]).write_text("")
    assert detect(str(tmp_path)).kind == kind


def test_conda_venv_managed_and_system(tmp_path: Path) -> None:
    own = str(tmp_path)
    assert detect(own).kind == "venv"
    assert detect(own, own, own).kind == "system"
    (tmp_path / "EXTERNALLY-MANAGED").write_text("")
    managed = detect(own, own, own)
    assert managed.kind == "managed"
    with pytest.raises(PolicyError) as caught:
        managed.backend()
    assert str(caught.value) == (
        "KDL-REG-130: this Python belongs to the operating system\n"
        f"  why: {own} is marked as externally managed (PEP 668)\n"
        "  do: python -m venv .venv && . .venv/bin/activate, then install kindling there"
    )
    (tmp_path / "conda-meta").mkdir()
    assert detect(own, own, own).kind == "conda"


def _made(kind: str, *, uv: str = "", pipx: str = "", has_pip: bool = False) -> Environment:
    return Environment(kind, "/envs/kindling-core", "/envs/kindling-core/bin/python", uv, pipx, has_pip)


def test_the_backend_is_what_made_the_environment() -> None:
    assert _made("uv-tool", uv="/uv").backend() == "uv-tool"
    assert _made("pipx", uv="/uv", pipx="/pipx").backend() == "pipx"
    assert _made("venv", uv="/uv", has_pip=True).backend() == "uv"
    assert _made("conda", has_pip=True).backend() == "pip"
    with pytest.raises(UsageError) as caught:
        _made("venv").backend()
    assert str(caught.value) == (
        "KDL-REG-131: nothing here can install\n"
        "  why: this is a venv environment, found: neither uv nor pip\n"
        "  where: /envs/kindling-core\n"
        "  do: /envs/kindling-core/bin/python -m ensurepip, or install uv"
    )
    with pytest.raises(UsageError, match="the backend 'pipx' cannot be used here"):
        _made("venv", uv="/uv").backend("pipx")


def test_commands_name_the_right_index_and_no_other() -> None:
    order = Order("r.txt", "https://pypi.corp/simple")
    uv = install_command(_made("venv", uv="/uv"), "uv", order)
    assert uv[5:] == ["--default-index", "https://pypi.corp/simple", "-r", "r.txt"]
    pip = install_command(_made("venv", has_pip=True), "pip", order)
    assert pip[1:] == [
        "-m",
        "pip",
        "install",
        "--no-input",
        "--index-url",
        "https://pypi.corp/simple",
        "-r",
        "r.txt",
    ]
    pipx = install_command(_made("pipx", pipx="/pipx"), "pipx", Order("r.txt", is_offline=True))
    assert pipx == ["/pipx", "runpip", "kindling-core", "install", "--no-index", "-r", "r.txt"]
    assert index_options(Order("r.txt", "/wheels"), is_uv=True) == ["--no-index", "--find-links", "/wheels"]
    exact = install_command(_made("venv", uv="/uv"), "uv", Order("r.txt", is_offline=True, is_exact=True))
    assert exact[5:] == ["--no-index", "--offline", "--no-deps", "--require-hashes", "-r", "r.txt"]
    assert uninstall_command(_made("pipx", pipx="/pipx"), "pipx", ["x"])[1:] == [
        "runpip", "kindling-core", "uninstall", "-y", "x",
    ]  # fmt: skip
