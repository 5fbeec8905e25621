from __future__ import annotations

import pytest

from kindling.testing.storage_contract import StorageContract

MAPS = frozenset({"map<string,bigint>"})  # refused by the memory platform
NESTED = frozenset({"array<int>", "struct<a:int,b:string>", "array<struct<a:int,b:array<string>>>"})


class TestParquet(StorageContract):
    plugin = "kindling_plugin_files"
    capability = "storage:parquet"
    refused_types = MAPS


class TestJson(StorageContract):
    plugin = "kindling_plugin_files"
    capability = "storage:json"
    refused_types = MAPS | {"binary"}


class TestCsv(StorageContract):
    plugin = "kindling_plugin_files"
    capability = "storage:csv"
    refused_types = MAPS | NESTED | {"binary"}


class TestParquetOnDuckDB(TestParquet):
    on = ("kindling_plugin_duckdb", "platform:duckdb")
    refused_types = frozenset()


class TestCsvOnDuckDB(TestCsv):
    on = ("kindling_plugin_duckdb", "platform:duckdb")


class TestJsonOnDuckDB(TestJson):
    on = ("kindling_plugin_duckdb", "platform:duckdb")


@pytest.mark.slow
class TestParquetOnSail(TestParquet):
    on = ("kindling_plugin_sail", "platform:sail")
    refused_types = frozenset()


@pytest.mark.slow
class TestCsvOnSail(TestCsv):
    on = ("kindling_plugin_sail", "platform:sail")


@pytest.mark.slow
class TestJsonOnSail(TestJson):
    on = ("kindling_plugin_sail", "platform:sail")
