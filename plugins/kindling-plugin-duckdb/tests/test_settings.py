"""Engine settings: moot ones pass, others are refused, none is ignored unseen."""

from __future__ import annotations

import pytest
from kindling_plugin_duckdb.engine import DuckDBPlatform
from kindling_plugin_duckdb.settings import check_engine_settings

from kindling.errors import ConfigError
from kindling.hooks.platform import PlatformSpec, SessionSpec


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.sql.session.timeZone", "UTC"),
        ("sql.session.timeZone", "Etc/UTC"),
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.caseSensitive", "false"),
        ("spark.sql.shuffle.partitions", "8"),
        ("spark.executor.memory", "4g"),
        ("spark.databricks.delta.optimizeWrite.enabled", "true"),
    ],
)
def test_settings_that_change_nothing_pass(key: str, value: str) -> None:
    check_engine_settings({key: value})


@pytest.mark.parametrize(
    ("key", "value", "need"),
    [
        ("spark.sql.session.timeZone", "Europe/Berlin", "utc"),
        ("spark.sql.ansi.enabled", "false", "true"),
        ("spark.sql.caseSensitive", "true", "false"),
        ("spark.sql.legacy.timeParserPolicy", "LEGACY", "corrected"),
    ],
)
def test_settings_that_change_results_are_refused(key: str, value: str, need: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DuckDBPlatform(PlatformSpec("test", engine_settings={key: value}))
    assert str(caught.value).splitlines() == [
        f"KDL-CONF-040: {key} = {value!r} cannot be honoured on duckdb",
        f"  why: duckdb works as with {need!r}",
        "  where: [spark]",
        f"  do: remove it, or set it to {need!r}",
    ]


def test_unknown_settings_are_refused_for_a_task_too() -> None:
    platform = DuckDBPlatform(PlatformSpec("test"))
    with pytest.raises(ConfigError) as caught:
        platform.open_session(SessionSpec("t1", {"spark.sql.mapKeyDedup": "LAST_WIN"}))
    assert str(caught.value).splitlines() == [
        "KDL-CONF-041: the engine setting 'spark.sql.mapKeyDedup' is not known to be harmless on duckdb",
        "  why: a setting that is silently ignored may change results",
        "  where: settings of the task 't1'",
        "  do: set it for the environments that run on Spark only",
    ]
