"""What `k.csv(...)`, `k.json(...)` and `k.parquet(...)` may state, checked. Not how files are read."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.names import did_you_mean
from kindling.schemas import Schema, parse_schema

POLICIES = ("fail", "skip", "quarantine")
_PLACES = ("path", "location")
_KNOWN = {
    "csv": ("null_value", "header", "delimiter", "schema", "on_bad_row", "encoding"),
    "json": ("schema", "on_bad_row"),
    "parquet": ("schema",),
}


@dataclass(frozen=True, slots=True)
class FileOptions:
    """The checked options of one entity.

    Attributes:
        null_value: Text that means null besides the empty field; "" for the empty field alone.
        header: Whether the first row of a CSV file names the columns.
        delimiter: One character between fields.
        encoding: Of CSV files, a Python codec name; "" for UTF-8.
        schema: Declared columns, or None.
        on_bad_row: `fail`, `skip` or `quarantine`: what happens to rows that cannot be read.
    """

    null_value: str = ""
    header: bool = True
    delimiter: str = ","
    encoding: str = ""
    schema: Schema | None = None
    on_bad_row: str = "fail"


def entity_name(address: Address) -> str:
    """Return how messages call the entity."""
    return ".".join(address.parts) or address.uri


def parse_options(address: Address) -> FileOptions:
    """Return the options of an address.

    Raises:
        StoreError: KDL-STORE-201, an option is unknown; KDL-STORE-202, a value makes no sense.
    """
    known = _KNOWN[address.storage]
    given = {name: value for name, value in address.options if name not in _PLACES}
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise StoreError(
            "KDL-STORE-201",
            f"{entity_name(address)!r} has the unknown option {unknown!r}",
            why=did_you_mean(unknown, known),
            hint=f"remove it from k.{address.storage}(...)",
        )
    schema = given.get("schema")
    options = FileOptions(
        null_value=str(given.get("null_value") or ""),
        header=bool(given.get("header", True)),
        delimiter=str(given.get("delimiter", ",")),
        encoding=str(given.get("encoding") or ""),
        schema=None if schema is None else parse_schema(schema),
        on_bad_row=str(given.get("on_bad_row", "fail")),
    )
    _check_values(address, options)
    return options


def _check_values(address: Address, options: FileOptions) -> None:
    if options.on_bad_row not in POLICIES:
        raise _senseless(address, "on_bad_row", options.on_bad_row, f"known: {', '.join(POLICIES)}")
    if len(options.delimiter) != 1 or not options.delimiter.isascii() or options.delimiter in '"\r\n':
        raise _senseless(address, "delimiter", options.delimiter, "expected one ASCII character, no quote")
    try:
        codecs.lookup(options.encoding or "utf-8")
    except LookupError:
        raise _senseless(address, "encoding", options.encoding, "Python knows no such codec") from None


def _senseless(address: Address, name: str, value: str, why: str) -> StoreError:
    return StoreError("KDL-STORE-202", f"{entity_name(address)!r} has {name}={value!r}", why=why)
