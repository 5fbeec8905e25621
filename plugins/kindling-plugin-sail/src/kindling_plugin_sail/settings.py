"""Which `[spark]` settings reach the engine. Sail takes any key and ignores what it does not know."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.errors import ConfigError, KindlingError, raise_together
from kindling.names import did_you_mean

HONOURED: Mapping[str, tuple[str, ...]] = {
    "spark.sql.session.timeZone": ("UTC", "Etc/UTC"),
    "spark.sql.ansi.enabled": ("true",),
    "spark.sql.caseSensitive": ("false", "true"),
    "spark.sql.timestampType": ("TIMESTAMP_LTZ",),
    "spark.sql.sources.partitionOverwriteMode": ("STATIC", "static"),
}
"""Settings that change results, with the values that Kindling's contracts allow; measured on 0.7.2."""

TUNING = (
    "spark.app.name",
    "spark.default.parallelism",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.files.maxPartitionBytes",
    "spark.sql.files.maxRecordsPerFile",
    "spark.sql.shuffle.partitions",
)
"""Settings that only change how fast Spark is: accepted, and not sent, because Sail ignores them."""

TUNING_PREFIXES = (
    "spark.driver.",
    "spark.dynamicAllocation.",
    "spark.eventLog.",
    "spark.executor.",
    "spark.scheduler.",
    "spark.shuffle.",
    "spark.sql.adaptive.",
    "spark.ui.",
)

ALWAYS: Mapping[str, str] = {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC"}
"""What each session is told, in the one request that opens it, whatever the engine's own defaults are:
under heavy load, engines have been seen that were not in ANSI mode."""


def checked(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings to send to the engine.

    Raises:
        ConfigError: KDL-CONF-030 or KDL-CONF-031, a setting is unknown or its value not allowed;
            several are raised together as Faults.
    """
    faults = [fault for key, value in settings.items() if (fault := _fault(key, value)) is not None]
    raise_together(faults)
    return {key: value for key, value in settings.items() if key in HONOURED}


def _fault(key: str, value: str) -> KindlingError | None:
    allowed = HONOURED.get(key)
    if allowed is not None:
        if value in allowed:
            return None
        return ConfigError(
            "KDL-CONF-031",
            f"{key!r} cannot be {value!r} on the platform 'sail'",
            why=f"it can be {' or '.join(repr(item) for item in allowed)}",
        )
    if key in TUNING or key.startswith(TUNING_PREFIXES):
        return None
    return ConfigError(
        "KDL-CONF-030",
        f"the platform 'sail' does not know the setting {key!r}",
        why=did_you_mean(key, (*HONOURED, *TUNING)),
        hint="take it out of [spark], or set it for another platform only",
    )
