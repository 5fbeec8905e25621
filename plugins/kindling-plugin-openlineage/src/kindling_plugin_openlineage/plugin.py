"""What this plugin offers: the lineage sink `openlineage`. No implementation."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.lineage import EventSink, LineageOffer, SinkSpec


def open_sink(spec: SinkSpec) -> EventSink:
    """Return the sink of one run; nothing is written or sent before its first event."""
    from kindling_plugin_openlineage.settings import OpenLineageSettings
    from kindling_plugin_openlineage.sink import OpenLineageSink

    return OpenLineageSink(spec, OpenLineageSettings.of(spec.settings))


@hookimpl
def kindling_lineage_offers() -> tuple[LineageOffer, ...]:
    """Offer `openlineage`."""
    return (LineageOffer("openlineage", open_sink),)
