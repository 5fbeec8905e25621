from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kindling.errors import StoreError
from kindling.hooks.storage import ReadRequest
from kindling.schemas import Schema, parse_schema

Text = Callable[[str, str | bytes], Path]
UTC = timezone.utc


def refused(files: Any, *arguments: object, **options: object) -> str:
    with pytest.raises(StoreError) as caught:
        files.read(*arguments, **options)
    return str(caught.value)


def test_types_are_inferred_and_made_neutral(files: Any, text: Text) -> None:
    path = text(
        "a.csv",
        "i,f,b,d,w,z,t,s\n1,1.5,true,2013-01-01,2013-01-01 10:00:00,2013-01-01T10:00:00Z,05:30,x\n,,,,,,,\n",
    )
    store = files.store("csv", path)
    assert store.schema() == Schema.of(
        i="bigint",
        f="double",
        b="boolean",
        d="date",
        w="timestamp_ntz",
        z="timestamp",
        t="string",
        s="string",
    )
    first, second = files.rows(store)
    assert first[:5] == (1, 1.5, True, date(2013, 1, 1), datetime(2013, 1, 1, 10))  # noqa: DTZ001  # a wall clock
    assert first[5:] == (datetime(2013, 1, 1, 10, tzinfo=UTC), "05:30", "x")
    assert second == (None,) * 8


def test_the_null_value_is_null_in_any_column_but_not_in_quotes(files: Any, text: Text) -> None:
    path = text("a.csv", 'n,s\n1,NA\nNA,"NA"\n,""\n')
    assert files.read("csv", path, null_value="NA") == [(1, None), (None, "NA"), (None, "")]


def test_an_inferred_type_holds_the_whole_file_not_only_its_beginning(files: Any, text: Text) -> None:
    path = text("a.csv", "tail\n" + "1\n" * 600_000 + "N12A\n")
    assert files.store("csv", path).schema() == Schema.of(tail="string")


def test_files_of_a_set_get_one_type(files: Any, text: Text) -> None:
    text("a.csv", "n,m,k,x\n1,1,,2013-01-01\n")
    text("b.csv", "m,n,k,x\n2.5,2,7,2013-01-02 10:00:00\n")
    text("c.csv", "n,m,k,x\nN3,3,8,2013-01-03\n")
    store = files.store("csv", text("d.csv", "n,m,k,x\n").parent / "*.csv")
    assert store.schema() == Schema.of(n="string", m="double", k="bigint", x="timestamp_ntz")
    assert [row[:3] for row in files.rows(store)] == [("1", 1.0, None), ("2", 2.5, 7), ("N3", 3.0, 8)]


def test_declared_types_are_exact_and_choose_columns_without_letter_case(files: Any, text: Text) -> None:
    path = text("a.csv", "ID,extra,price,at\n007,x,1.50,2013-01-01T10:00:00+02:00\n")
    declared = parse_schema("id string, price decimal(10,2), at timestamp")
    rows = files.rows(files.store("csv", path), ReadRequest(schema=declared))
    assert rows == [("007", Decimal("1.50"), datetime(2013, 1, 1, 8, tzinfo=UTC))]
    assert files.read("csv", path, schema="price decimal(10,2)") == [(Decimal("1.50"),)]


def test_digits_finer_than_microseconds_are_cut_off_declared_or_inferred(files: Any, text: Text) -> None:
    path = text("a.csv", "at\n2013-01-01T10:00:00.1234567Z\n")
    expected = [(datetime(2013, 1, 1, 10, 0, 0, 123456, tzinfo=UTC),)]
    assert files.read("csv", path) == expected
    assert files.read("csv", path, schema="at timestamp") == expected


def test_rows_that_cannot_be_read_fail_with_file_line_column_and_value(files: Any, text: Text) -> None:
    path = text("a.csv", 'id,delay\n1,5\n\nx,5\n2,"a\nb"\n3\n4,1,2\n5,7\n')
    assert refused(files, "csv", path, schema="id int, delay int") == (
        "KDL-STORE-200: 'bronze.flights' has 4 rows that cannot be read\n"
        "  why: a.csv:4: column 'id': 'x' is no int; a.csv:5: column 'delay': 'a\\nb' is no int; "
        "a.csv:7: expected 2 columns, found 1; a.csv:8: expected 2 columns, found 3\n"
        f"  where: {path}\n"
        '  do: mend the files, or declare on_bad_row="skip" or on_bad_row="quarantine"'
    )


def test_at_most_five_bad_rows_are_shown(files: Any, text: Text) -> None:
    path = text("a.csv", "id\n" + "x\n" * 30)
    assert "; a.csv:6: column 'id': 'x' is no int; and 25 more\n" in refused(
        files, "csv", path, schema="id int"
    )


@pytest.mark.parametrize("policy", ["skip", "quarantine"])
def test_bad_rows_may_be_left_out_and_are_reported(files: Any, text: Text, policy: str) -> None:
    path = text("a.csv", 'id,delay\n1,5\nx,NA\n"3",NA\n4\n')
    store = files.store("csv", path, on_bad_row=policy, schema="id int, delay int", null_value="NA")
    assert files.rows(store) == [(1, 5), (3, None)]
    bad = store.bad_rows()
    assert bad.count == 2
    assert bad.samples == (
        ("a.csv:3", "x,NA", "column 'id': 'x' is no int"),
        ("a.csv:5", "4", "expected 2 columns, found 1"),
    )


def test_samples_of_bad_rows_are_at_most_twenty(files: Any, text: Text) -> None:
    store = files.store("csv", text("a.csv", "id\n" + "x\n" * 30), on_bad_row="skip", schema="id int")
    assert files.rows(store) == []
    assert (store.bad_rows().count, len(store.bad_rows().samples)) == (30, 20)


def test_a_null_where_none_may_be_is_a_bad_row(files: Any, text: Text) -> None:
    path = text("a.csv", "id,s\n1,a\n,b\n")
    assert "a.csv:3: column 'id' is null, and must not be\n" in refused(
        files, "csv", path, schema="id bigint not null, s string"
    )


def test_wrong_column_counts_are_bad_rows_of_inferred_files_too(files: Any, text: Text) -> None:
    path = text("a.csv", "a,b\n1,2\n3\n4,5\n")
    assert "a.csv:3: expected 2 columns, found 1\n" in refused(files, "csv", path)
    assert files.read("csv", path, on_bad_row="skip") == [(1, 2), (4, 5)]


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("tinyint", "127", "128"),
        ("int", "-5", "1.0"),
        ("bigint", "9223372036854775807", "9223372036854775808"),
        ("double", "-1.5e3", "1;5"),
        ("boolean", "TRUE", "yes"),
        ("date", "2013-02-28", "2013-02-30"),
        ("timestamp", "2013-01-01T00:00:00Z", "2013-01-01T00:00:00"),
        ("timestamp_ntz", "2013-01-01 00:00:00", "2013-01-01T00:00:00Z"),
        ("decimal(4,2)", "12.34", "12.345"),
    ],
)
def test_a_value_that_does_not_fit_is_never_silently_null(
    files: Any, text: Text, kind: str, good: str, bad: str
) -> None:
    path = text("a.csv", f"v,k\n{good},1\n{bad},2\n")
    store = files.store("csv", path, schema=f"v {kind}, k int", on_bad_row="skip")
    assert [row[1] for row in files.rows(store)] == [1]
    assert store.bad_rows().samples == (("a.csv:3", f"{bad},2", f"column 'v': '{bad}' is no {kind}"),)


def test_gz_and_zip_with_one_member_are_read(files: Any, text: Text, tmp_path: Path) -> None:
    packed = text("a.csv.gz", gzip.compress(b"a\n1\n"))
    with zipfile.ZipFile(tmp_path / "b.csv.zip", "w") as archive:
        archive.writestr("inner/b.csv", "a\n2\n")
        archive.writestr("__MACOSX/b.csv", "")
    assert files.read("csv", packed) == [(1,)]
    assert files.read("csv", tmp_path) == [(1,), (2,)]


def test_bad_rows_of_packed_files_have_lines(files: Any, text: Text) -> None:
    path = text("a.csv.gz", gzip.compress(b"a\n1\nx\n"))
    assert "a.csv.gz:3: column 'a': 'x' is no int\n" in refused(files, "csv", path, schema="a int")


def test_a_zip_with_several_members_is_refused(files: Any, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a\n2\n")
        archive.writestr("b.csv", "a\n2\n")
    assert refused(files, "csv", tmp_path / "b.csv.zip") == (
        "KDL-STORE-207: 'b.csv.zip' has 2 members\n"
        "  why: an archive is read as one file\n"
        f"  where: {tmp_path}/b.csv.zip\n"
        "  do: unpack it and name the folder"
    )


def test_a_file_without_a_byte_needs_declared_columns(files: Any, text: Text) -> None:
    path = text("a.csv", "")
    assert refused(files, "csv", path) == (
        "KDL-STORE-208: 'a.csv' is empty\n"
        "  why: the columns cannot be known\n"
        f"  where: {path}\n"
        "  do: declare them with schema="
    )
    assert files.read("csv", path, schema="a int") == []


def test_a_header_alone_gives_no_rows_and_text_columns(files: Any, text: Text) -> None:
    store = files.store("csv", text("a.csv", "a,b"))
    assert store.schema() == Schema.of(a="string", b="string")
    assert files.rows(store) == []
    assert files.read("csv", text("b.csv", "a,b\n"), schema="b int") == []


def test_a_byte_order_mark_and_unicode_names_are_read(files: Any, text: Text) -> None:
    store = files.store("csv", text("flüge.csv", "\ufeffŻółw,名前\n1,ä\n"))
    assert store.schema() == Schema.of(Żółw="bigint", 名前="string")
    assert files.rows(store) == [(1, "ä")]


def test_two_columns_of_one_name_are_refused(files: Any, text: Text) -> None:
    path = text("a.csv", "Id,name,id\n1,2,3\n")
    assert refused(files, "csv", path) == (
        "KDL-STORE-204: 'bronze.flights' has two columns 'id'\n"
        "  why: names are compared without letter case\n"
        f"  where: {path}\n"
        "  do: rename one of them in the file's first row, or declare header=False with schema="
    )


def test_a_column_without_a_name_gets_its_place(files: Any, text: Text) -> None:
    assert files.store("csv", text("a.csv", ",b\n1,2\n")).schema() == Schema.of(_c0="bigint", b="bigint")


def test_files_without_a_header_get_names_from_the_schema_or_their_place(files: Any, text: Text) -> None:
    path = text("a.csv", "1;x\n2;y\n")
    store = files.store("csv", path, header=False, delimiter=";")
    assert store.schema() == Schema.of(_c0="bigint", _c1="string")
    assert files.read("csv", path, header=False, delimiter=";", schema="id int, s string") == [
        (1, "x"),
        (2, "y"),
    ]


def test_a_declared_column_that_the_file_lacks_is_refused(files: Any, text: Text) -> None:
    path = text("a.csv", "dep_time,arr_time\n1,2\n")
    assert refused(files, "csv", path, schema="dep_tim int") == (
        "KDL-STORE-205: 'bronze.flights' has no column 'dep_tim'\n"
        "  why: did you mean 'dep_time'?\n"
        f"  where: {path}\n"
        "  do: change the declared schema, or the file"
    )


def test_files_with_different_columns_are_refused_by_name(files: Any, text: Text, tmp_path: Path) -> None:
    text("a.csv", "x,y\n1,2\n")
    path = text("b.csv", "x,z\n1,2\n")
    assert refused(files, "csv", tmp_path) == (
        "KDL-STORE-206: the files of 'bronze.flights' have different columns\n"
        "  why: b.csv is without y and with z, compared with a.csv\n"
        f"  where: {path}\n"
        "  do: mend the file, or make the glob of the entity narrower"
    )


def test_other_encodings_are_read_once_they_are_declared(files: Any, text: Text) -> None:
    path = text("a.csv", "s\nä\n".encode("latin-1"))
    assert refused(files, "csv", path) == (
        "KDL-STORE-203: 'bronze.flights' is not text in utf-8\n"
        "  why: 'utf-8' codec can't decode byte 0xe4 in position 2: invalid continuation byte\n"
        f"  where: {path}\n"
        '  do: declare the file\'s encoding, for example encoding="latin-1"'
    )
    late = text("late.csv", b"s\n" + b"x\n" * 100_000 + b"\xe4\n")
    assert "\n  why: column 's' is not UTF-8\n" in refused(files, "csv", late)
    assert "is not text in utf-8\n  why: 'utf-8' codec" in refused(files, "csv", late, schema="s string")
    assert files.read("csv", path, encoding="latin-1") == [("ä",)]
    assert files.read("csv", text("b.csv", "s\nä\n".encode("utf-16")), encoding="utf-16") == [("ä",)]


def test_csv_holds_no_nested_types(files: Any, text: Text) -> None:
    assert refused(files, "csv", text("a.csv", "a\n1\n"), schema="a array<int>") == (
        "KDL-STORE-212: column 'a' of 'bronze.flights' is array<int>, which these files cannot hold\n"
        "  do: choose k.parquet() or k.delta(), or turn the column into text"
    )


VALUES = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(VALUES, st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))), max_size=5))
def test_what_was_written_is_read_back_nulls_and_empty_texts_apart(
    files: Any, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str | None, int | None]]
) -> None:
    store = files.store("csv", tmp_path_factory.mktemp("t") / "out", null_value="NA", delimiter=";")
    files.write(store, {"s": [row[0] for row in rows], "n": [row[1] for row in rows]}, "s string, n bigint")
    assert files.rows(store) == rows


def test_a_single_column_of_nulls_is_read_back(files: Any, tmp_path: Path) -> None:
    store = files.store("csv", tmp_path / "out")
    files.write(store, {"s": [None, "", None, "x", None]}, "s string")
    assert files.rows(store) == [(None,), ("",), (None,), ("x",), (None,)]


def test_every_plain_type_is_read_back_exactly(files: Any, tmp_path: Path) -> None:
    moment = datetime(2013, 1, 1, 10, 0, 0, 5, tzinfo=UTC)
    row = [1, 2.5, True, "x", date(2013, 1, 1), moment, moment.replace(tzinfo=None), Decimal("1.50"), 0.1]
    ddl = (
        "i int, f double, b boolean, s string, d date, z timestamp, w timestamp_ntz, m decimal(9,2), g float"
    )
    store = files.store("csv", tmp_path / "out")
    files.write(store, {f"c{place}": [value, None] for place, value in enumerate(row)}, ddl)
    first, second = files.rows(files.store("csv", tmp_path / "out"))
    assert first[:-1] == tuple(row[:-1])
    assert second == (None,) * len(row)
    assert store.schema() == parse_schema(ddl)


def test_files_are_written_in_utf_8_only_and_without_bytes(files: Any, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        files.write(files.store("csv", tmp_path / "out", encoding="latin-1"), {"a": [1]})
    assert str(caught.value) == (
        "KDL-STORE-212: 'bronze.flights' declares encoding='latin-1', and files are written in UTF-8\n"
        "  do: remove encoding= from k.csv(...)"
    )
    with pytest.raises(
        StoreError, match=r"column 'a' of 'bronze.flights' is binary, which these files cannot"
    ):
        files.write(files.store("csv", tmp_path / "out"), {"a": [b"x"]}, "a binary")
