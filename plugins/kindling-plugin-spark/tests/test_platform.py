"""The classic engine: pools, tags and settings of its sessions."""

from __future__ import annotations

import pytest
from kindling_plugin_spark.platform import SparkPlatform
from kindling_plugin_spark.session import SparkSession

from kindling.errors import ConfigError
from kindling.hooks.platform import SessionSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def opened(platform: SparkPlatform, tag: str, **settings: str) -> SparkSession:
    session = platform.open_session(
        SessionSpec(tag, {f"spark.{key}": text for key, text in settings.items()})
    )
    assert isinstance(session, SparkSession)
    return session


def test_each_live_session_has_a_pool_of_its_own_and_its_jobs_carry_its_tag(spark: SparkPlatform) -> None:
    sessions = [opened(spark, f"pooled-{number}") for number in range(2)]
    assert len({session.pool for session in sessions}) == 2
    for session in sessions:
        assert session.preview(session.spark.range(3).groupBy().count(), 1).rows == ((3,),)
        context = session.spark.sparkContext
        assert context.getLocalProperty("spark.scheduler.pool") == session.pool
        assert [str(tag) for tag in context.getJobTags()] == [session.tag]
        # What the scheduler itself made of it. Source: SparkContext.getPoolForName, Spark 4.2.
        assert context._jsc.sc().getPoolForName(session.pool).isDefined()  # not in pyspark's API
    for session in sessions:
        session.close()


def test_settings_belong_to_one_session(spark: SparkPlatform) -> None:
    first, second = opened(spark, "s1"), opened(spark, "s2", **{"sql.shuffle.partitions": "7"})
    found = [session.spark.conf.get("spark.sql.shuffle.partitions") for session in (first, second)]
    assert found == ["2", "7"]
    for session in (first, second):
        assert session.spark.conf.get("spark.sql.timestampType") == "TIMESTAMP_LTZ"
        session.close()


def test_a_setting_that_no_session_may_have_is_refused(spark: SparkPlatform) -> None:
    with pytest.raises(ConfigError) as caught:
        spark.open_session(SessionSpec("s", {"spark.driver.memory": "7g"}))
    assert str(caught.value).splitlines()[0] == (
        "KDL-INFRA-323: the setting 'spark.driver.memory' cannot be set for a session"
    )
