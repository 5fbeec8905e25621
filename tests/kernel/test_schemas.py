from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import DeclarationError
from kindling.schemas import ATOMS, Field, Schema, canonical_type, is_field_name, parse_schema, split_top

atoms = st.sampled_from(ATOMS)
decimals = st.integers(1, 38).flatmap(
    lambda digits: st.integers(0, digits).map(lambda scale: f"decimal({digits},{scale})")
)
field_names = st.text("abC_ 1é", min_size=1, max_size=3).map(str.strip).filter(is_field_name)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    fields = st.lists(st.tuples(field_names, inner), min_size=1, max_size=3)
    return st.one_of(
        inner.map(lambda item: f"array<{item}>"),
        st.tuples(inner, inner).map(lambda pair: f"map<{pair[0]},{pair[1]}>"),
        fields.map(lambda pairs: f"struct<{','.join(f'{name}:{kind}' for name, kind in pairs)}>"),
    )


types = st.recursive(atoms | decimals, nested, max_leaves=5)
columns = st.lists(
    st.tuples(st.text("aB1,`<(: é\n", min_size=1, max_size=5), types, st.booleans()),
    min_size=1,
    max_size=4,
    unique_by=lambda column: column[0].lower(),
)


def refused(call: object, *args: object) -> str:
    with pytest.raises(DeclarationError) as error:
        call(*args)  # type: ignore[operator]  # a function
    return str(error.value)


@given(types)
def test_a_canonical_type_is_its_own_canonical_form(text: str) -> None:
    assert canonical_type(text) == text


@given(types)
def test_spaces_and_the_case_of_type_names_do_not_matter(text: str) -> None:
    spaced = text.replace("<", " < ").replace(",", " , ").replace(":", " : ").replace(">", " > ")
    assert canonical_type(f" {spaced} ") == text


@given(columns)
def test_a_schema_is_read_back_from_its_ddl(given_columns: list[tuple[str, str, bool]]) -> None:
    schema = Schema(tuple(Field(*column) for column in given_columns))
    assert parse_schema(schema.ddl()) == schema
    assert parse_schema(schema) is schema


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("INTEGER", "int"),
        ("long", "bigint"),
        ("dec", "decimal(10,0)"),
        ("Numeric( 12 , 2 )", "decimal(12,2)"),
        ("decimal(7)", "decimal(7,0)"),
        ("varchar(20)", "string"),
        ("timestamp_ltz", "timestamp"),
        ("STRUCT<`a`: INT, B: ARRAY<real>>", "struct<a:int,B:array<float>>"),
    ],
)
def test_other_spellings_have_one_canonical_form(text: str, canonical: str) -> None:
    assert canonical_type(text) == canonical


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("strng", "did you mean 'string'?"),
        ("integr", "did you mean 'int'?"),
        ("decimal(39,2)", "did you mean 'decimal(10,2)'?"),
        ("decimal(3,4)", "did you mean 'decimal(10,2)'?"),
        ("decimal(0,0)", "did you mean 'decimal(10,2)'?"),
        ("map<int>", "did you mean 'smallint' or 'map<...>'?"),
        ("struct<>", "did you mean 'struct<...>'?"),
        ("struct<a>", None),
        ("struct<a,b:int>", None),
        ("array<>", None),
        ("array<int>>", None),
        ("struct<`a,b`:int>", None),
    ],
)
def test_what_is_no_type_is_refused(text: str, why: str | None) -> None:
    shown = refused(canonical_type, text)
    if why is None:
        assert shown.startswith("KDL-DECL-010: ")
    else:
        assert shown == f"KDL-DECL-010: {text!r} is not a type\n  why: {why}"


def test_a_type_that_looks_like_none_gets_the_list() -> None:
    assert refused(canonical_type, "xyz") == (
        "KDL-DECL-010: 'xyz' is not a type\n  why: known: array<...>, bigint, binary, boolean, date, "
        "decimal(10,2), double, float, int, map<...>, smallint, string, struct<...>, timestamp, "
        "timestamp_ntz, tinyint"
    )


def test_columns_of_ddl_may_be_written_in_every_common_way() -> None:
    text = (
        "id bigint NOT NULL, `full name`: string, price decimal(10, 2) not null, tags array<struct<a: int>>"
    )
    assert parse_schema(text).fields == (
        Field("id", "bigint", nullable=False),
        Field("full name", "string"),
        Field("price", "decimal(10,2)", nullable=False),
        Field("tags", "array<struct<a:int>>"),
    )


class Dated:
    day: dt.date


@dataclass
class Flight(Dated):
    made: ClassVar[int] = 0
    id: int
    name: str | None
    price: "Decimal | None"  # noqa: UP037  # a hint that is text twice
    at: dt.datetime
    ratio: float
    ok: bool
    raw: bytes
    tags: "array<string>"  # type: ignore[valid-type] # noqa: F722  # a type in DDL


def test_a_dataclass_is_a_schema_with_its_inherited_columns_first() -> None:
    assert parse_schema(Flight).ddl() == (
        "`day` date NOT NULL, `id` bigint NOT NULL, `name` string, `price` decimal(38,18), "
        "`at` timestamp NOT NULL, `ratio` double NOT NULL, `ok` boolean NOT NULL, `raw` binary NOT NULL, "
        "`tags` array<string> NOT NULL"
    )


def test_annotations_that_are_objects_are_understood() -> None:
    hints = {"id": int, "at": dt.datetime | None, "day": dt.date, "price": Decimal}
    row = type("Row", (), {"__annotations__": hints})
    assert parse_schema(row).ddl() == (
        "`id` bigint NOT NULL, `at` timestamp, `day` date NOT NULL, `price` decimal(38,18) NOT NULL"
    )


class StructType:
    """What an engine's StructType shows of itself."""

    def __init__(self, *fields: object) -> None:
        self.fields = list(fields)

    def simpleString(self) -> str:  # noqa: N802  # PySpark's name
        return self.fields[0] if isinstance(self.fields[0], str) else "struct<...>"


class StructField:
    def __init__(self, name: str, kind: str, *, nullable: bool) -> None:
        self.name, self.dataType, self.nullable = name, StructType(kind), nullable


def test_an_engine_struct_type_is_a_schema() -> None:
    struct = StructType(
        StructField("a", "INT", nullable=False), StructField("b", "array<long>", nullable=True)
    )
    assert parse_schema(struct).ddl() == "`a` int NOT NULL, `b` array<bigint>"


class Empty:
    """No annotations."""


@pytest.mark.parametrize("declared", ["", " , ", 5, None, Empty, ["id bigint"]])
def test_what_is_no_schema_is_refused(declared: object) -> None:
    assert refused(parse_schema, declared) == (
        f"KDL-DECL-011: {declared!r} is not a schema\n"
        "  do: give a DDL string like 'id bigint, name string', a dataclass or a StructType"
    )


def test_a_column_without_a_type_is_refused() -> None:
    assert refused(parse_schema, "id bigint, name") == (
        "KDL-DECL-011: 'name' is not a column\n  do: write 'name type', like 'id bigint'"
    )


@pytest.mark.parametrize("hint", ["int | str", "None"])
def test_an_annotation_of_no_single_type_is_refused(hint: str) -> None:
    row = type("Row", (), {"__annotations__": {"id": hint}})
    assert refused(parse_schema, row) == f"KDL-DECL-010: {hint!r} is not a type"


def test_two_columns_of_one_name_are_refused() -> None:
    assert refused(parse_schema, "id int, name string, ID bigint") == (
        "KDL-DECL-013: the schema names a column twice: id\n  why: letter case does not tell columns apart"
    )


def test_a_column_is_found_whatever_its_letter_case() -> None:
    schema = Schema.of(Id="long", name="string")
    assert schema.field("iD") == Field("Id", "bigint")
    assert schema.field("x") is None
    assert schema.names == ("Id", "name")


def test_only_separators_outside_of_brackets_and_backticks_split() -> None:
    assert split_top("a, b<c,d>, (e,f), `g,h`,, ") == ("a", "b<c,d>", "(e,f)", "`g,h`")
    assert split_top("a:b<c:d>", ":") == ("a", "b<c:d>")
