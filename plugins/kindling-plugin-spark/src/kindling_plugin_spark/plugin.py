"""The offer of this plugin. Nothing else: the engine is imported inside the factory."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.platform import Platform, PlatformOffer, PlatformSpec

LOCAL = "local-connect"
"""The url of a Connect server that is started here, in another process."""


def open_platform(spec: PlatformSpec) -> Platform:
    """Return the platform that the setting `url` chooses; Spark starts with the first session.

    Raises:
        ConfigError: KDL-INFRA-320, the url is not one of Spark Connect.
        PluginError: KDL-INFRA-310 to KDL-INFRA-312 and KDL-INFRA-324, something is not installed.
    """
    from kindling_plugin_spark.endpoint import endpoint_of, resolved

    url = resolved(str(spec.settings.get("url", "")), spec.secret)
    if not url:
        from kindling_plugin_spark.platform import SparkPlatform

        return SparkPlatform(spec)
    from kindling_plugin_spark.connect import ConnectPlatform

    if url == LOCAL:
        return ConnectPlatform(spec, None)
    token = resolved(str(spec.settings.get("token", "")), spec.secret)
    return ConnectPlatform(spec, endpoint_of(url, token))


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    """Offer `platform:spark`."""
    return (PlatformOffer("spark", open_platform),)
