"""The offer of this plugin. Nothing else: the engine is imported inside the factory."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.platform import Platform, PlatformOffer, PlatformSpec


def open_platform(spec: PlatformSpec) -> Platform:
    """Start the engine's process and return the platform; the engine answers a moment later."""
    from kindling_plugin_sail.platform import SailPlatform

    return SailPlatform(spec)


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    """Offer `platform:sail`."""
    return (PlatformOffer("sail", open_platform),)
