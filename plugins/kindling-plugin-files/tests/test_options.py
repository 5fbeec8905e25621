from __future__ import annotations

import pytest
from kindling_plugin_files.options import FileOptions, parse_options

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.schemas import Schema


def address(storage: str = "csv", **options: object) -> Address:
    return Address(storage, "", ("bronze", "flights"), "/x", tuple(sorted(options.items())))  # type: ignore[arg-type]  # also wrong ones


def test_all_options_of_csv_are_taken() -> None:
    found = parse_options(
        address(
            null_value="NA",
            header=False,
            delimiter=";",
            schema="a int",
            on_bad_row="skip",
            encoding="latin-1",
        )
    )
    assert found == FileOptions("NA", False, ";", "latin-1", Schema.of(a="int"), "skip")
    assert parse_options(address()) == FileOptions()
    assert parse_options(address(path="x", location="lake")) == FileOptions()


@pytest.mark.parametrize(
    ("storage", "option", "why"),
    [
        ("csv", "nul_value", "did you mean 'null_value'?"),
        ("json", "header", "known: on_bad_row, schema"),
        ("parquet", "compression", "known: schema"),
    ],
)
def test_an_unknown_option_is_refused(storage: str, option: str, why: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_options(address(storage, **{option: 1}))
    assert str(caught.value) == (
        f"KDL-STORE-201: 'bronze.flights' has the unknown option {option!r}\n"
        f"  why: {why}\n"
        f"  do: remove it from k.{storage}(...)"
    )


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("on_bad_row", "ignore", "known: fail, skip, quarantine"),
        ("delimiter", "||", "expected one ASCII character, no quote"),
        ("delimiter", "", "expected one ASCII character, no quote"),
        ("encoding", "latin-0", "Python knows no such codec"),
    ],
)
def test_a_senseless_value_is_refused(option: str, value: str, why: str) -> None:
    with pytest.raises(StoreError) as caught:
        parse_options(address(**{option: value}))
    assert str(caught.value) == f"KDL-STORE-202: 'bronze.flights' has {option}={value!r}\n  why: {why}"
