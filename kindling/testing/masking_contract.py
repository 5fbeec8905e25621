"""The contract of `kindling.hooks.masking` as an inheritable test class.

The heir gives a session of a platform on which the expressions are computed. Not a proof that engines agree:
an heir for each platform compares with values of its own.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import ClassVar

import pytest

from kindling.errors import ConfigError
from kindling.hooks import Frame, Plain
from kindling.hooks.masking import Keyed, Masking, MaskingSpec, MaskRequest, Secret
from kindling.hooks.platform import Keys, Session
from kindling.schemas import quoted
from kindling.testing.offers import Contract, needs, open_capability
from kindling.testing.rows import frame_of, rows_of

KEY = "canary-key-5d0c77-of-a-masking-contract-1"
OTHER_KEY = "canary-key-e19a42-of-a-masking-contract-2"
SHORT_KEY = "cnry-7q"
UTC = timezone.utc
SAMPLES: Mapping[str, Sequence[object]] = {
    "string": ("canary@example.org", "Ünïcødé 漢字 😀", "O'Neil \"\\%_${x}", "aaaa", "é", ""),
    "tinyint": (-128, -1, 0, 127),
    "smallint": (-32768, -1, 0, 32767),
    "int": (-(2**31), -1, 0, 1963),
    "bigint": (-(2**40), -1, 0, 4929),
    "decimal(9,2)": (Decimal("-9999999.99"), Decimal("-0.01"), Decimal("0.00"), Decimal("1234.50")),
    "float": (-3.25, 0.0, 1.5, 1e9),
    "double": (-3.25, 0.0, 0.1, 1e300),
    "boolean": (True, False),
    "binary": (b"", b"\x00\xff", b"canary"),
    "date": (date(1903, 2, 28), date(1969, 12, 31), date(2024, 2, 29)),
    "timestamp": (datetime(1903, 2, 28, 1, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 59, 999999, UTC)),
    "timestamp_ntz": (datetime(1903, 2, 28, 1), datetime(2024, 2, 29, 23, 59, 59, 999999)),  # noqa: DTZ001  # a wall clock has none
    "array<bigint>": ([1, 2], []),
}
"""Values of each type; a contract adds null."""
SHORTEST_RAW = 4
"""Texts of fewer letters may be in a mask by accident."""


class MaskingContract(Contract):
    """All tests of a mask.

    Attributes:
        options: Options of a rule that fit each accepted type; `by = "person"` may name another column.
        accepted: Types that the mask accepts, of those in `SAMPLES`.
        refused: Types that it refuses.
    """

    options: ClassVar[Mapping[str, Plain]] = {}
    accepted: ClassVar[tuple[str, ...]] = ("string",)
    refused: ClassVar[tuple[str, ...]] = ()

    def make_mask(self) -> Masking:
        """Return a mask: by default what the plugin offers."""
        made = open_capability(self.plugin, self.capability, MaskingSpec("test", dict(self.settings)))
        assert isinstance(made, Masking), f"{made!r} is no Masking"
        return made

    @pytest.fixture
    def session(self) -> Session:
        """Give a session; one with the feature `keys` for a keyed mask."""
        raise NotImplementedError

    @pytest.fixture
    def mask(self) -> Masking:
        """Give a mask."""
        return self.make_mask()

    def test_it_can_be_asked_for_an_expression(self, mask: Masking) -> None:
        assert isinstance(mask, Masking)
        assert mask.expression(self.request_of(mask, self.accepted[0])).strip()

    def test_nulls_stay_null(self, session: Session, mask: Masking) -> None:
        found = self.masks(session, mask, dict.fromkeys(self.accepted, (None, None)))
        assert found == {type_: [None, None] for type_ in self.accepted}

    def test_no_text_is_found_in_a_mask(self, session: Session, mask: Masking) -> None:
        for type_ in {"string"}.intersection(self.accepted):
            values = SAMPLES[type_]
            told = "\n".join(map(str, self.masks(session, mask, {type_: values})[type_]))
            raw = [value for value in map(str, values) if len(value) >= SHORTEST_RAW]
            assert [value for value in raw if value in told] == []

    def test_a_column_may_have_any_name(self, session: Session, mask: Masking) -> None:
        plain = self.masks(session, mask, self.samples())
        assert self.masks(session, mask, self.samples(), name="Größe 'in` cm-2") == plain

    def test_the_same_request_has_the_same_expression(self, mask: Masking) -> None:
        for type_ in self.accepted:
            request = self.request_of(mask, type_)
            texts = {made.expression(request) for made in (mask, mask, self.make_mask())}
            assert len(texts) == 1

    def test_an_unknown_option_is_refused_by_its_name(self, mask: Masking) -> None:
        request = self.request_of(mask, self.accepted[0], {**self.options, "no_such_option": "canary-value"})
        with pytest.raises(ConfigError) as caught:
            mask.expression(request)
        assert "no_such_option" in str(caught.value)
        assert "canary-value" not in f"{caught.value}{caught.value.to_plain()}"

    def test_other_types_are_refused_by_their_name(self, mask: Masking) -> None:
        for type_ in self.refused:
            with pytest.raises(ConfigError) as caught:
                mask.expression(self.request_of(mask, type_))
            assert type_ in str(caught.value)

    @needs("keeps-type")
    def test_a_masked_column_keeps_its_type(self, session: Session, mask: Masking) -> None:
        frame = self.frame(session, mask, self.samples())
        assert [field.type for field in session.schema(frame).fields] == ["bigint", *self.accepted]

    @needs("deterministic")
    def test_equal_values_have_equal_masks(self, session: Session, mask: Masking) -> None:
        once = self.samples()
        twice = {type_: (*values, *values) for type_, values in once.items()}
        again = self.masks(session, self.make_mask(), once)
        expected = {type_: [*masks, *masks] for type_, masks in again.items()}
        assert self.masks(session, mask, twice) == expected

    @needs("keyed")
    def test_keys_are_bytes_under_plain_names_and_made_of_the_secret_alone(self, mask: Masking) -> None:
        keys = keyed(mask).keys(Secret(KEY))
        assert keys
        assert all(name.isidentifier() and name.isascii() for name in keys)
        assert all(type(value) is bytes and value for value in keys.values())
        assert dict(keys) == dict(keyed(self.make_mask()).keys(Secret(KEY)))

    @needs("keyed")
    def test_another_key_gives_other_masks(self, session: Session, mask: Masking) -> None:
        one, two = (self.masks(session, mask, self.samples(), key) for key in (KEY, OTHER_KEY))
        assert [type_ for type_ in self.accepted if one[type_] == two[type_]] == []

    @needs("keyed")
    def test_a_key_stands_in_no_expression_and_in_no_mask(self, session: Session, mask: Masking) -> None:
        keys = keyed(mask).keys(Secret(KEY))
        told = f"{mask!r} {mask} {vars(mask) if hasattr(mask, '__dict__') else ''}"
        told += "".join(mask.expression(self.request_of(mask, type_)) for type_ in self.accepted)
        told += str(self.masks(session, mask, self.samples()))
        assert [form for form in forms(KEY.encode(), *keys.values()) if form in told] == []

    @needs("keyed")
    def test_a_short_key_is_refused_and_not_told(self, mask: Masking) -> None:
        with pytest.raises(ConfigError) as caught:
            keyed(mask).keys(Secret(SHORT_KEY))
        told = f"{caught.value}{caught.value.to_plain()}{caught.value!r}"
        assert [form for form in forms(SHORT_KEY.encode()) if form in told] == []

    @needs("keyed")
    def test_nothing_is_printed_or_logged_of_a_key(
        self, mask: Masking, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            keys = keyed(mask).keys(Secret(KEY))
            mask.expression(self.request_of(mask, self.accepted[0]))
        printed = capfd.readouterr()
        told = printed.out + printed.err + caplog.text
        assert [form for form in forms(KEY.encode(), *keys.values()) if form in told] == []

    @property
    def is_keyed(self) -> bool:
        """Whether the mask has a key."""
        return "keyed" in self.features

    def samples(self) -> dict[str, Sequence[object]]:
        """Return as many values of each accepted type, null among them."""
        most = max(len(SAMPLES[type_]) for type_ in self.accepted) + 1
        return {type_: (*SAMPLES[type_], *[None] * (most - len(SAMPLES[type_]))) for type_ in self.accepted}

    def request_of(
        self,
        mask: Masking,
        type_: str,
        options: Mapping[str, Plain] | None = None,
        name: str = "value",
        types: Mapping[str, str] | None = None,
    ) -> MaskRequest:
        """Return a request to mask one column of a frame with these types, `id` and `person`."""
        keys = {key: quoted(f"kdl_{key}") for key in keyed(mask).keys(Secret(KEY))} if self.is_keyed else {}
        kept = {"id": "bigint", **(types or {name: type_}), "person": "string"}
        columns = {column: quoted(column) for column in kept}
        given = self.options if options is None else options
        return MaskRequest(quoted(name), type_, given, keys, columns, kept)

    def frame(
        self,
        session: Session,
        mask: Masking,
        values: Mapping[str, Sequence[object]],
        key: str = KEY,
        *,
        name: str = "value",
    ) -> Frame:
        """Return a frame of a number and a masked column for each type; equal rows have equal persons."""
        persons = len(next(iter(self.samples().values())))
        types = {f"{name} {place}": type_ for place, type_ in enumerate(values)}
        lines = [
            (place, *line, f"person {place % persons}")
            for place, line in enumerate(zip(*values.values(), strict=True))
        ]
        ddl = ", ".join(f"value{place} {type_}" for place, type_ in enumerate(values))
        frame = frame_of(session, f"id bigint, {ddl}, person string", lines)
        named = [(column, f"value{place}") for place, column in enumerate(types)]
        frame = session.select(frame, [("id", "id"), *named, ("person", "person")])
        columns = [
            (column, mask.expression(self.request_of(mask, type_, name=column, types=types)))
            for column, type_ in types.items()
        ]
        if not self.is_keyed:
            return session.select(frame, [("id", "id"), *columns])
        assert isinstance(session, Keys), f"{session!r} has no keys"
        keys = {f"kdl_{place}": value for place, value in keyed(mask).keys(Secret(key)).items()}
        return session.select_with_keys(frame, [("id", "id"), *columns], keys)

    def masks(
        self,
        session: Session,
        mask: Masking,
        values: Mapping[str, Sequence[object]],
        key: str = KEY,
        *,
        name: str = "value",
    ) -> dict[str, list[object]]:
        """Return the masks of values by their type, in their order."""
        found = rows_of(session, self.frame(session, mask, values, key, name=name))
        lines = sorted(found, key=lambda row: int(str(row[0])))
        return {type_: [line[place] for line in lines] for place, type_ in enumerate(values, start=1)}


def keyed(mask: Masking) -> Keyed:
    """Return a mask as what it declares to be."""
    if not isinstance(mask, Keyed):
        pytest.fail(f"{mask!r} has no keys")
    return mask


def forms(*secrets: bytes) -> list[str]:
    """Return the texts that betray key material."""
    texts = [secret.decode("latin-1") for secret in secrets]
    return [
        *texts,
        *(repr(text)[1:-1] for text in texts),
        *(secret.hex() for secret in secrets),
        *(base64.b64encode(secret).decode() for secret in secrets),
    ]
