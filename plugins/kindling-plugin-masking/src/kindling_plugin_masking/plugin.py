"""What this plugin offers: six masks. No implementation; their modules are light."""

from __future__ import annotations

from kindling.hooks import hookimpl
from kindling.hooks.masking import MaskingOffer
from kindling_plugin_masking.date_shift import DateShift
from kindling_plugin_masking.generalize import Generalize
from kindling_plugin_masking.keyed_hash import KeyedHash
from kindling_plugin_masking.partial import Partial
from kindling_plugin_masking.redact import Redact
from kindling_plugin_masking.tokens import Token


@hookimpl
def kindling_masking_offers() -> tuple[MaskingOffer, ...]:
    """Offer all six; none has settings."""
    return (
        MaskingOffer("redact", lambda _: Redact()),
        MaskingOffer("partial", lambda _: Partial()),
        MaskingOffer("keyed_hash", lambda _: KeyedHash()),
        MaskingOffer("token", lambda _: Token()),
        MaskingOffer("generalize", lambda _: Generalize()),
        MaskingOffer("date_shift", lambda _: DateShift()),
    )
