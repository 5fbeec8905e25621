"""Masks of values, computed on one session: what a whole run does with one column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kindling_plugin_masking.plugin import kindling_masking_offers

from kindling.hooks import Frame, Plain
from kindling.hooks.masking import Keyed, Masking, MaskingSpec, MaskRequest, Secret
from kindling.hooks.platform import Keys, Session
from kindling.testing.rows import frame_of, rows_of

KEY = "a-key-of-32-bytes-or-more-0123456789"
OTHER_KEY = "b-key-of-32-bytes-or-more-0123456789"


def mask_named(name: str) -> Masking:
    (made,) = [
        offer.factory(MaskingSpec("test")) for offer in kindling_masking_offers() if offer.name == name
    ]
    return made


def request(type_: str = "string", options: Mapping[str, Plain] | None = None, **others: str) -> MaskRequest:
    """Return a request for the column `value` beside others, by their types."""
    types = {"value": type_, **others}
    keys = {"inner": "`kdl_inner`", "outer": "`kdl_outer`"}
    return MaskRequest("`value`", type_, options or {}, keys, {name: f"`{name}`" for name in types}, types)


def masked_frame(
    session: Session,
    name: str,
    type_: str,
    values: Sequence[object],
    options: Mapping[str, Plain] | None = None,
    *,
    key: str = KEY,
    persons: Sequence[str | None] = (),
) -> Frame:
    """Return a frame of a number and a mask for each value; each row had a `person`."""
    mask = mask_named(name)
    whose = persons or ["p"] * len(values)
    lines = [(place, value, person) for place, (value, person) in enumerate(zip(values, whose, strict=True))]
    frame = frame_of(session, f"n bigint, value {type_}, person string", lines)
    columns = [("n", "`n`"), ("value", mask.expression(request(type_, options, person="string")))]
    if not isinstance(mask, Keyed):
        return session.select(frame, columns)
    assert isinstance(session, Keys)
    keys = {f"kdl_{part}": value for part, value in mask.keys(Secret(key)).items()}
    return session.select_with_keys(frame, columns, keys)


def masked(
    session: Session,
    name: str,
    type_: str,
    values: Sequence[object],
    options: Mapping[str, Plain] | None = None,
    *,
    key: str = KEY,
    persons: Sequence[str | None] = (),
) -> list[object]:
    """Return the masks of values in their order."""
    frame = masked_frame(session, name, type_, values, options, key=key, persons=persons)
    assert session.schema(frame).names == ("n", "value")
    return [value for _, value in sorted(rows_of(session, frame), key=lambda row: int(str(row[0])))]
