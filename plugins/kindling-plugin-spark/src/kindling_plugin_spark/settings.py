"""Which settings the JVM is started with, and which values would break Kindling's contracts."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.errors import ConfigError, KindlingError, raise_together
from kindling.hooks.platform import PlatformSpec

FIXED: Mapping[str, tuple[str, ...]] = {
    "spark.sql.session.timeZone": ("UTC", "Etc/UTC"),
    "spark.sql.ansi.enabled": ("true",),
    "spark.sql.timestampType": ("TIMESTAMP_LTZ",),
    "spark.sql.sources.partitionOverwriteMode": ("STATIC", "static"),
}
"""Settings that change results, with the values that Kindling relies on."""

ALWAYS: Mapping[str, str] = {key: allowed[0] for key, allowed in FIXED.items()}
"""What each session is given, whatever the engine was started with."""

DEFAULTS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    # One machine: the defaults (200 and 50 partitions) make a tiny Delta commit take seconds.
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.scheduler.mode": "FAIR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


def for_start(spec: PlatformSpec) -> dict[str, str]:
    """Return the settings to start Spark with; those that are "" are left out.

    Raises:
        ConfigError: As `checked`.
    """
    made = {
        **DEFAULTS,
        "spark.master": str(spec.settings.get("master", "local[*]")),
        "spark.jars.packages": str(spec.settings.get("packages", "io.delta:delta-spark_2.13:4.4.0")),
        "spark.app.name": f"kindling-{spec.environment}",
        **checked(spec.engine_settings),
    }
    return {key: value for key, value in made.items() if value}


def checked(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the settings as they are.

    Raises:
        ConfigError: KDL-CONF-032 or KDL-CONF-033, a key is not Spark's or a value breaks a contract;
            several are raised together as Faults.
    """
    faults = [fault for key, value in settings.items() if (fault := _fault(key, value)) is not None]
    raise_together(faults)
    return dict(settings)


def _fault(key: str, value: str) -> KindlingError | None:
    if not key.startswith("spark."):
        return ConfigError(
            "KDL-CONF-032", f"{key!r} is not a setting of Spark", why="they all begin with 'spark.'"
        )
    allowed = FIXED.get(key, (value,))
    if value in allowed:
        return None
    return ConfigError(
        "KDL-CONF-033",
        f"{key!r} cannot be {value!r} on the platform 'spark'",
        why=f"it can be {' or '.join(repr(item) for item in allowed)}",
    )
