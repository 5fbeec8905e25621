"""Delta and files on Spark: the storage contract, whose verdicts fill the feature table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kindling_plugin_spark.platform import SparkPlatform

from kindling.hooks.platform import Platform, PlatformSpec
from kindling.testing.storage_contract import StorageContract

MAPS = frozenset({"map<string,bigint>"})
NESTED = frozenset({"array<int>", "struct<a:int,b:string>", "array<struct<a:int,b:array<string>>>"})


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One Spark for all storages."""
    made = SparkPlatform(PlatformSpec("test", work_dir=str(tmp_path_factory.mktemp("spark"))))
    yield made
    made.close()


class OnSpark(StorageContract):
    on = ("kindling_plugin_spark", "platform:spark")

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, spark: Platform) -> Platform:
        return spark


@pytest.mark.slow
@pytest.mark.timeout(600)
class TestDeltaOnSpark(OnSpark):
    plugin = "kindling_plugin_delta"
    capability = "storage:delta"


@pytest.mark.slow
class TestParquetOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:parquet"


@pytest.mark.slow
class TestJsonOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:json"
    refused_types = MAPS | {"binary"}


@pytest.mark.slow
class TestCsvOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:csv"
    refused_types = MAPS | NESTED | {"binary"}
