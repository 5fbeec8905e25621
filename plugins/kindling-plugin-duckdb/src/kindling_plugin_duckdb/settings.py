"""Checks of the engine settings of `[spark]`: DuckDB has none of them, so each is either moot or refused."""

from __future__ import annotations

from collections.abc import Mapping

from kindling.errors import ConfigError

_MOOT = tuple(
    """
    spark.app. spark.master spark.submit. spark.driver. spark.executor. spark.default.parallelism
    spark.dynamicAllocation. spark.memory. spark.serializer spark.kryo spark.ui. spark.eventLog.
    spark.network. spark.rpc. spark.shuffle. spark.kubernetes. spark.yarn. spark.jars spark.hadoop.
    spark.python. spark.pyspark. spark.local.dir spark.log spark.task. spark.speculation
    spark.scheduler. spark.sql.shuffle. spark.sql.adaptive. spark.sql.autoBroadcastJoinThreshold
    spark.sql.broadcastTimeout spark.sql.files. spark.sql.warehouse.dir spark.sql.catalog.
    spark.sql.catalogImplementation spark.sql.extensions spark.sql.execution.arrow. spark.sql.codegen.
    spark.sql.cbo. spark.sql.ui. spark.sql.parquet.compression.codec spark.databricks.delta.
    """.split()  # noqa: SIM905  # a table reads better without quotes
)
_SEMANTICS = {
    "spark.sql.session.timezone": ("utc", "etc/utc", "z", "+00:00"),
    "spark.sql.ansi.enabled": ("true",),
    "spark.sql.casesensitive": ("false",),
    "spark.sql.legacy.timeparserpolicy": ("corrected", "exception"),
    "spark.sql.storeassignmentpolicy": ("ansi",),
}


def check_engine_settings(settings: Mapping[str, str], *, where: str = "[spark]") -> None:
    """Accept settings that change nothing on DuckDB; refuse all others.

    Args:
        settings: Dotted keys, with or without the leading `spark.`.
        where: Where they were set, for the error.

    Raises:
        ConfigError: KDL-CONF-040, a setting asks for something else than DuckDB does; KDL-CONF-041, it is
            not known whether it matters.
    """
    for key, value in settings.items():
        name = key if key.startswith("spark.") else f"spark.{key}"
        allowed = _SEMANTICS.get(name.lower())
        if allowed is not None:
            if str(value).lower() not in allowed:
                raise ConfigError(
                    "KDL-CONF-040",
                    f"{name} = {value!r} cannot be honoured on duckdb",
                    why=f"duckdb works as with {allowed[0]!r}",
                    where=where,
                    hint=f"remove it, or set it to {allowed[0]!r}",
                    key=name,
                )
        elif not name.startswith(_MOOT):
            raise ConfigError(
                "KDL-CONF-041",
                f"the engine setting {name!r} is not known to be harmless on duckdb",
                why="a setting that is silently ignored may change results",
                where=where,
                hint="set it for the environments that run on Spark only",
                key=name,
            )
