from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from server import PostgresServer

from kindling.addresses import Address
from kindling.hooks.state import State, StateSpec
from kindling.testing.offers import open_capability
from kindling.testing.state_contract import StateContract
from kindling.testing.storage_contract import StorageContract


class TestPostgres(StorageContract):
    plugin = "kindling_plugin_postgres"
    capability = "storage:postgres"
    refused_types = frozenset({"map<string,bigint>"})  # refused by the memory platform

    @pytest.fixture
    def address_of(self, server: PostgresServer, schema: str) -> Callable[[str], Address]:
        return lambda entity: Address(
            "postgres", "db", (schema, entity), uri=f"{server.uri}/{schema}/{entity}"
        )


class TestPostgresOnDuckDB(TestPostgres):
    on = ("kindling_plugin_duckdb", "platform:duckdb")
    refused_types = frozenset()


class TestPostgresOnSail(TestPostgres):
    on = ("kindling_plugin_sail", "platform:sail")
    refused_types = frozenset()


class TestPostgresState(StateContract):
    plugin = "kindling_plugin_postgres"
    capability = "state:postgres"

    @pytest.fixture(autouse=True)
    def _server(self, server: PostgresServer) -> None:
        self.server = server

    def make_state(self, folder: Path) -> State:
        schema = "state_" + hashlib.sha256(str(folder).encode()).hexdigest()[:12]
        spec = StateSpec(path=str(folder), settings={"uri": self.server.uri, "schema": schema})
        made = open_capability(self.plugin, self.capability, spec)
        assert isinstance(made, State)
        return made
