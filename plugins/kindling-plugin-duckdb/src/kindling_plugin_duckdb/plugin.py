"""The offer of this plugin. Nothing here imports DuckDB: the factory does."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.platform import Platform, PlatformOffer, PlatformSpec


def open_platform(spec: PlatformSpec) -> Platform:
    """Return the platform; DuckDB and sqlframe are imported here."""
    from kindling_plugin_duckdb.engine import DuckDBPlatform

    return DuckDBPlatform(spec)


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    """Return the one platform of this plugin."""
    return (PlatformOffer("duckdb", open_platform),)
