from __future__ import annotations

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
