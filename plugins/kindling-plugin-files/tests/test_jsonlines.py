from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kindling.errors import StoreError
from kindling.schemas import Schema, parse_schema

Text = Callable[[str, str | bytes], Path]


def refused(files: Any, *arguments: object, **options: object) -> str:
    with pytest.raises(StoreError) as caught:
        files.read(*arguments, **options)
    return str(caught.value)


def test_lines_are_objects_with_inferred_types_and_text_stays_text(files: Any, text: Text) -> None:
    path = text(
        "a.jsonl", '{"a":1,"t":"2013-01-01T10:00:00Z","l":[1],"o":{"x":"2013-01-01"},"n":null}\n\n{"a":2.5}\n'
    )
    store = files.store("json", path)
    assert store.schema() == Schema.of(
        a="double", t="string", l="array<bigint>", o="struct<x:string>", n="string"
    )
    assert files.rows(store) == [
        (1.0, "2013-01-01T10:00:00Z", [1], {"x": "2013-01-01"}, None),
        (2.5, None, None, None, None),
    ]


def test_files_of_a_set_get_one_schema(files: Any, text: Text, tmp_path: Path) -> None:
    text("a.jsonl", '{"a":1,"b":null}\n')
    text("b.jsonl.gz", gzip.compress(b'{"a":1.5,"c":true}\n'))
    text("c.jsonl", "")
    store = files.store("json", tmp_path)
    assert store.schema() == Schema.of(a="double", b="string", c="boolean")
    assert files.rows(store) == [(1.0, None, None), (1.5, None, True)]


def test_files_that_disagree_about_a_kind_are_refused(files: Any, text: Text, tmp_path: Path) -> None:
    text("a.jsonl", '{"a":1}\n')
    text("b.jsonl", '{"a":"x"}\n')
    assert refused(files, "json", tmp_path) == (
        "KDL-STORE-002: 'bronze.flights' cannot be read\n"
        "  why: Unable to merge: Field a has incompatible types: int64 vs string\n"
        "  where: b.jsonl\n"
        "  do: declare the columns with schema="
    )


def test_one_file_that_disagrees_with_itself_is_refused(files: Any, text: Text) -> None:
    path = text("a.jsonl", '{"a":1}\n{"a":"x"}\n')
    assert refused(files, "json", path) == (
        "KDL-STORE-002: 'bronze.flights' cannot be read\n"
        "  why: JSON parse error: Column(/a) changed from number to string in row 1\n"
        f"  where: {path}\n"
        "  do: declare the columns with schema="
    )


def test_declared_types_are_exact(files: Any, text: Text) -> None:
    path = text("a.json", '{"d":"2013-01-01","t":"2013-01-01T10:00:00Z","m":"1.50","x":9}\n{"m":2}\n')
    assert files.read("json", path, schema="d date, t timestamp, m decimal(9,2)") == [
        (date(2013, 1, 1), datetime(2013, 1, 1, 10, tzinfo=timezone.utc), Decimal("1.50")),
        (None, None, Decimal("2.00")),
    ]


def test_lines_that_cannot_be_read_have_file_line_and_reason(files: Any, text: Text) -> None:
    path = text("a.jsonl", '{"a":1,"d":"2013-01-01"}\n{"a":\n[1]\n{"a":"x"}\n\n{"a":2,"d":"soon"}\n{"a":3}')
    store = files.store("json", path, schema="a int not null, d date", on_bad_row="quarantine")
    assert files.rows(store) == [(1, date(2013, 1, 1)), (3, None)]
    bad = store.bad_rows()
    assert bad.count == 4
    assert [(place, raw) for place, raw, _ in bad.samples] == [
        ("a.jsonl:2", '{"a":'),
        ("a.jsonl:3", "[1]"),
        ("a.jsonl:4", '{"a":"x"}'),
        ("a.jsonl:6", '{"a":2,"d":"soon"}'),
    ]
    assert [reason for _, _, reason in bad.samples][1:3] == [
        "no object but list",
        "Column(/a) changed from number to string",
    ]
    assert refused(files, "json", path, schema="a int, d date").startswith(
        "KDL-STORE-200: 'bronze.flights' has 4 rows that cannot be read\n"
        "  why: a.jsonl:2: no JSON: Expecting value: line 2 column 1 (char 6); "
        "a.jsonl:3: no object but list; "
    )


def test_a_null_where_none_may_be_is_a_bad_row(files: Any, text: Text) -> None:
    store = files.store(
        "json", text("a.json", '{"a":1}\n{"b":2}\n'), schema="a int not null", on_bad_row="skip"
    )
    assert files.rows(store) == [(1,)]
    assert store.bad_rows().samples == (("a.json:2", '{"b":2}', "column 'a' is null, and must not be"),)


def test_what_was_written_is_read_back(files: Any, tmp_path: Path) -> None:
    moment = datetime(2013, 1, 1, 10, 0, 0, 5, tzinfo=timezone.utc)
    ddl = "s string, d date, z timestamp, m decimal(9,2), l array<int>, o struct<x:int>, f double"
    row = ["ä\n", date(2013, 1, 1), moment, Decimal("-1.50"), [1, 2], {"x": 1}, 0.1]
    store = files.store("json", tmp_path / "out")
    files.write(store, {f"c{place}": [value, None] for place, value in enumerate(row)}, ddl)
    assert files.rows(files.store("json", tmp_path / "out")) == [tuple(row), (None,) * len(row)]
    assert store.schema() == parse_schema(ddl)


@pytest.mark.parametrize("kind", ["binary", "array<date>"])
def test_types_without_a_form_in_json_are_refused(files: Any, tmp_path: Path, text: Text, kind: str) -> None:
    wanted = f"column 'a' of 'bronze.flights' is {kind}, which these files cannot hold"
    assert wanted in refused(files, "json", text("a.json", "{}\n"), schema=f"a {kind}")
    with pytest.raises(StoreError, match=wanted):
        files.write(files.store("json", tmp_path / "out"), {"a": [None]}, f"a {kind}")
