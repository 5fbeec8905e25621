from __future__ import annotations

import pytest
from kindling_plugin_sail.platform import SailPlatform
from kindling_plugin_sail.settings import checked

from kindling.errors import ConfigError, Faults
from kindling.hooks.platform import PlatformSpec, SessionSpec


def test_settings_that_change_results_are_sent_and_tuning_is_not() -> None:
    given = {
        "spark.sql.caseSensitive": "true",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.executor.memory": "2g",
    }
    assert checked(given) == {"spark.sql.caseSensitive": "true"}


def test_an_unknown_setting_is_refused_with_a_proposal() -> None:
    with pytest.raises(ConfigError) as caught:
        checked({"spark.sql.shufle.partitions": "2"})
    assert str(caught.value).splitlines() == [
        "KDL-CONF-030: the platform 'sail' does not know the setting 'spark.sql.shufle.partitions'",
        (
            "  why: did you mean 'spark.sql.shuffle.partitions' or 'spark.sql.files.maxPartitionBytes'"
            " or 'spark.sql.sources.partitionOverwriteMode'?"
        ),
        "  do: take it out of [spark], or set it for another platform only",
    ]


def test_a_value_that_breaks_a_contract_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        checked({"spark.sql.ansi.enabled": "false"})
    assert str(caught.value).splitlines() == [
        "KDL-CONF-031: 'spark.sql.ansi.enabled' cannot be 'false' on the platform 'sail'",
        "  why: it can be 'true'",
    ]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(Faults) as caught:
        checked({"spark.sql.session.timeZone": "Asia/Tokyo", "spark.nonsense": "1"})
    assert [fault.code for fault in caught.value.faults] == ["KDL-CONF-031", "KDL-CONF-030"]


def test_settings_are_refused_before_an_engine_starts() -> None:
    with pytest.raises(ConfigError, match="KDL-CONF-030"):
        SailPlatform(PlatformSpec("test", engine_settings={"spark.bogus": "1"}))


def test_a_session_refuses_them_too(platform: SailPlatform) -> None:
    with pytest.raises(ConfigError, match="KDL-CONF-030"):
        platform.open_session(SessionSpec("bogus", {"spark.bogus": "1"}))
