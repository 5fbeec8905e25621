"""Each mask passes the contract on each engine, the JVM's in the tests of kindling-plugin-spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import pytest

from kindling.hooks import Plain
from kindling.hooks.platform import Platform, Session, SessionSpec
from kindling.testing.masking_contract import SAMPLES, MaskingContract

DATES = ("date", "timestamp", "timestamp_ntz")
WHOLE = ("tinyint", "smallint", "int", "bigint")
EXACT = ("string", *WHOLE, "decimal(9,2)", "boolean", "binary", *DATES)
INEXACT = ("float", "double", "array<bigint>")


class OnEngines(MaskingContract):
    plugin = "kindling_plugin_masking"
    capability = "masking:redact"

    @pytest.fixture(params=["sail", "duckdb"])
    def session(self, request: pytest.FixtureRequest) -> Iterator[Session]:
        platform: Platform = request.getfixturevalue(request.param)
        made = platform.open_session(SessionSpec(request.node.name))
        yield made
        made.close()


class OnDuckDB(OnEngines):
    """Other options: that engines agree on them is a law of its own."""

    @pytest.fixture
    def session(self, duckdb: Platform, request: pytest.FixtureRequest) -> Iterator[Session]:
        made = duckdb.open_session(SessionSpec(request.node.name))
        yield made
        made.close()


class TestRedact(OnEngines):
    accepted = (*EXACT, *INEXACT)


class TestRedactByText(OnDuckDB):
    options: ClassVar[Mapping[str, Plain]] = {"with": "it's \\ hidden"}
    refused = tuple(type_ for type_ in (*EXACT, *INEXACT) if type_ != "string")


class TestRedactByBlanks(OnDuckDB):
    options: ClassVar[Mapping[str, Plain]] = {"blank": True}
    accepted = (*EXACT, "float", "double")
    refused = ("array<bigint>",)


class TestPartial(OnEngines):
    capability = "masking:partial"
    options: ClassVar[Mapping[str, Plain]] = {"first": 1, "last": 2}
    refused = tuple(type_ for type_ in (*EXACT, *INEXACT) if type_ != "string")


class TestKeyedHash(OnEngines):
    capability = "masking:keyed_hash"
    accepted = EXACT
    refused = INEXACT


class TestShortKeyedHash(OnDuckDB):
    capability = "masking:keyed_hash"
    options: ClassVar[Mapping[str, Plain]] = {"encoding": "base64", "length": 22}


class TestToken(OnEngines):
    capability = "masking:token"
    options: ClassVar[Mapping[str, Plain]] = {"prefix": "person-", "length": 20}
    accepted = EXACT
    refused = INEXACT


class TestGeneralize(OnEngines):
    capability = "masking:generalize"
    options: ClassVar[Mapping[str, Plain]] = {"width": 10, "unit": "quarter", "keep": 3}
    accepted = ("string", *WHOLE, "decimal(9,2)", "float", "double", *DATES)
    refused = ("boolean", "binary", "array<bigint>")


class TestDateShift(OnEngines):
    capability = "masking:date_shift"
    options: ClassVar[Mapping[str, Plain]] = {"by": "person", "days": 30}
    accepted = DATES
    refused = tuple(type_ for type_ in SAMPLES if type_ not in DATES)
