from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from kindling_plugin_vault.vault import VaultSecrets

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for these modules
from openbao import OpenBao  # found through the line above
from vault_opening import OpenVault, vault_of

NUMBERS = count()


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """Give a server for all tests; those that stop or seal it start their own."""
    server = OpenBao(tmp_path_factory.mktemp("bao"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def own_bao(tmp_path: Path) -> Iterator[OpenBao]:
    """Give a server that one test may seal."""
    folder = tmp_path / "bao"
    folder.mkdir()
    server = OpenBao(folder)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def name() -> str:
    """Give a name that no other test has."""
    return f"t{next(NUMBERS)}"


@pytest.fixture
def mount(bao: OpenBao, name: str) -> str:
    """Give a KV 2 mount of the test's own."""
    return bao.mount(f"kv-{name}")


@pytest.fixture
def open_vault(bao: OpenBao) -> OpenVault:
    """Open a vault as root: `open_vault(mount, token=..., cache_s=...)`; other names are settings."""

    def opened(mount: str, *, environ: dict[str, str] | None = None, **settings: object) -> VaultSecrets:
        variables = {"VAULT_TOKEN": bao.root} if environ is None else environ
        return vault_of(variables, **{"address": bao.address, "mount": mount, **settings})

    return opened
