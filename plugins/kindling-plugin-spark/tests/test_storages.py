"""Delta and files on Spark: the storage contract, whose verdicts fill the feature table."""

from __future__ import annotations

import pytest

from kindling.hooks.platform import Platform
from kindling.hooks.storage import COMMIT_KEY, CommitInfo
from kindling.testing.storage_contract import StorageContract
from kindling.testing.storage_fixtures import PlaceOf, StorageFixtures

MAPS = frozenset({"map<string,bigint>"})
NESTED = frozenset({"array<int>", "struct<a:int,b:string>", "array<struct<a:int,b:array<string>>>"})


class OnSpark(StorageContract):
    on = ("kindling_plugin_spark", "platform:spark")

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, spark: Platform) -> Platform:
        return spark


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestDeltaOnSpark(OnSpark):
    plugin = "kindling_plugin_delta"
    capability = "storage:delta"


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestDeltaOnConnect(StorageFixtures):
    """What is native on the classic engine is so over Connect: the same JVM code, asked in another way."""

    plugin = "kindling_plugin_delta"
    capability = "storage:delta"
    on = OnSpark.on

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, connect: Platform) -> Platform:
        return connect

    def test_each_intent_writes_natively_and_the_probe_finds_what_was_committed(
        self, place_of: PlaceOf
    ) -> None:
        for intent in self.offered():
            place = place_of(intent.name)
            place.write(intent, [(1, "a"), (2, "b")])
            first = place.version()
            info = place.info(cursors={"k": "3"})
            place.write(intent, [(2, "c"), (3, "d")], info=info)
            assert place.version() != first
            assert (3, "d") in place.rows("k, v")
            text = place.probe.cursor(place.address, COMMIT_KEY)
            assert text is not None
            assert CommitInfo.from_json(text) == info


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestParquetOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:parquet"


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestJsonOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:json"
    refused_types = MAPS | {"binary"}


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestCsvOnSpark(OnSpark):
    plugin = "kindling_plugin_files"
    capability = "storage:csv"
    refused_types = MAPS | NESTED | {"binary"}
