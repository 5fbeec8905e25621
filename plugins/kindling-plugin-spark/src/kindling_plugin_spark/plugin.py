"""The offer of this plugin. Nothing else: the engine is imported inside the factory."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.platform import Platform, PlatformOffer, PlatformSpec


def open_platform(spec: PlatformSpec) -> Platform:
    """Return the platform; the JVM starts with the first session."""
    from kindling_plugin_spark.platform import SparkPlatform

    return SparkPlatform(spec)


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    """Offer `platform:spark`."""
    return (PlatformOffer("spark", open_platform),)
