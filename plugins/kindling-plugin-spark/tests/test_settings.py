from __future__ import annotations

import pytest
from kindling_plugin_spark.settings import DEFAULTS, checked

from kindling.errors import ConfigError, Faults


def test_settings_of_spark_pass() -> None:
    given = {"spark.sql.shuffle.partitions": "8", "spark.sql.session.timeZone": "UTC", "spark.x.y": "1"}
    assert checked(given) == given
    assert checked(DEFAULTS) == DEFAULTS


def test_other_keys_are_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        checked({"sql.shuffle.partitions": "8"})
    assert str(caught.value).splitlines() == [
        "KDL-CONF-032: 'sql.shuffle.partitions' is not a setting of Spark",
        "  why: they all begin with 'spark.'",
    ]


def test_a_value_that_breaks_a_contract_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        checked({"spark.sql.timestampType": "TIMESTAMP_NTZ"})
    assert str(caught.value).splitlines() == [
        "KDL-CONF-033: 'spark.sql.timestampType' cannot be 'TIMESTAMP_NTZ' on the platform 'spark'",
        "  why: it can be 'TIMESTAMP_LTZ'",
    ]


def test_all_faults_are_told_together() -> None:
    with pytest.raises(Faults) as caught:
        checked({"spark.sql.ansi.enabled": "false", "x": "1"})
    assert [fault.code for fault in caught.value.faults] == ["KDL-CONF-033", "KDL-CONF-032"]
