"""CSV files to Arrow and back, by pyarrow. The same types on every engine, and no value lost silently.

Why no engine reads CSV: Sail fails on `nullValue` in numeric columns, and each engine infers types in
its own way. An empty field and `null_value` are null unless they stand in quotes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv as pacsv

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema, arrow_type
from kindling.schemas import Schema
from kindling_plugin_files.archives import unpacked
from kindling_plugin_files.badrows import BadRowLog
from kindling_plugin_files.badvalues import IN_MEMORY_BYTES, finer, split_bad_rows
from kindling_plugin_files.columns import (
    check_declared,
    check_names,
    check_same,
    common_types,
    inferred_type,
    no_nested,
    settled,
)
from kindling_plugin_files.options import FileOptions
from kindling_plugin_files.places import FileEntry, LocalPlace, RemotePlace
from kindling_plugin_files.textfiles import DECLARED, KNOWN, OWN


class CsvReader:
    """Reads CSV files of one entity.

    Args:
        entity: How messages call it.
        place: Where its files are.
        options: Its checked options.
        own: Whether Kindling wrote the files: in one column an empty line is then a null.
    """

    def __init__(
        self, entity: str, place: LocalPlace | RemotePlace, options: FileOptions, *, own: bool = False
    ) -> None:
        self._entity = entity
        self._place = place
        self._options = options
        self._own = own
        self._heads: dict[str, tuple[tuple[str, ...], int]] = {}

    def check(
        self, entries: Sequence[FileEntry], schema: Schema | None, origin: str
    ) -> tuple[FileEntry, ...]:
        """Check the names of all files; an empty file holds no rows and is passed over."""
        filled = []
        for entry in entries:
            names, skipped = self._head(entry, schema)
            if not names:
                continue
            self._heads[entry.path] = names, skipped
            check_names(self._entity, entry.path, names)
            filled.append(entry)
            if schema is not None and origin == DECLARED:
                check_declared(self._entity, entry.path, schema, names)
            elif schema is not None and origin == KNOWN:
                check_same(
                    self._entity, ("what was read before", schema.names), (entry.name, names), entry.path
                )
            elif origin != OWN:
                first = filled[0]
                check_same(
                    self._entity, (first.name, self._heads[first.path][0]), (entry.name, names), entry.path
                )
        return tuple(filled)

    def _head(self, entry: FileEntry, schema: Schema | None) -> tuple[tuple[str, ...], int]:
        """Return a file's column names and how many rows stand before its data; () for an empty file."""
        with self._text(entry) as lines:
            blank = 0
            for row in csv.reader(lines, delimiter=self._options.delimiter):
                if not row:
                    blank += 1
                elif self._options.header:
                    return tuple(name or f"_c{place}" for place, name in enumerate(row)), blank + 1
                elif schema is not None and (len(schema.fields) == len(row) or self._own):
                    return schema.names[: len(row)], 0  # columns that came later stand last
                else:
                    return tuple(f"_c{place}" for place in range(len(row))), 0
        return (), 0

    @contextmanager
    def _text(self, entry: FileEntry) -> Iterator[io.TextIOWrapper]:
        encoding = self._options.encoding or "utf-8-sig"
        with unpacked(self._place, entry) as file:
            lines = io.TextIOWrapper(file, encoding=encoding, newline="")
            try:
                yield lines
            except UnicodeDecodeError as error:
                raise self._not_text(entry, str(error)) from error
            finally:
                lines.detach()

    def table(self, entry: FileEntry, schema: Schema | None, log: BadRowLog) -> pa.Table:
        """Read one file; with a schema exactly its types, else what pyarrow infers."""
        names, skipped = self._heads[entry.path]
        types = self._types(schema, names)
        try:
            with unpacked(self._place, entry) as file:
                table = self._parse(file, names, skipped, types, self._options.encoding)
        except pa.ArrowInvalid:
            table = None
        except UnicodeDecodeError as error:
            raise self._not_text(entry, str(error)) from error
        if table is None or _has_forbidden_nulls(table, schema):
            table = self._careful(entry, schema, types, log)
        binary = next(
            (f.name for f in table.schema if pa.types.is_binary(f.type) and f.name not in types), None
        )
        if binary is not None:
            raise self._not_text(entry, f"column {binary!r} is not UTF-8")
        return table

    def _careful(
        self, entry: FileEntry, schema: Schema | None, types: Mapping[str, pa.DataType], log: BadRowLog
    ) -> pa.Table:
        """Read a file row by row, log the bad rows, and let pyarrow read the others."""
        names, skipped = self._heads[entry.path]
        required = {} if schema is None else {f.name.lower() for f in schema.fields if not f.nullable}
        wanted = {
            place: (name, types.get(name, pa.string()), name.lower() in required)
            for place, name in enumerate(names)
            if name in types or name.lower() in required
        }
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as good:
            with self._text(entry) as lines:
                split_bad_rows(
                    lines,
                    self._options,
                    entry.name,
                    (len(names), skipped, wanted),
                    (log, good),
                    keep_blank=self._keeps_blank(names),
                )
            try:
                return self._parse(cast("BinaryIO", good), names, 0, types, "")
            except pa.ArrowInvalid as error:
                raise StoreError(
                    "KDL-STORE-002", f"{self._entity!r} cannot be read", why=str(error), where=entry.path
                ) from error

    def _keeps_blank(self, names: Sequence[str]) -> bool:
        return self._own and len(names) == 1

    def _types(self, schema: Schema | None, names: Sequence[str]) -> dict[str, pa.DataType]:
        """Return Arrow types by the file's own spelling of the names."""
        if schema is None:
            return {}
        nested = next((f for f in schema.fields if "<" in f.type), None)
        if nested is not None:
            raise no_nested(self._entity, nested.name, nested.type)
        spelled = {name.lower(): name for name in names}
        return {
            spelled[f.name.lower()]: arrow_type(f.type) for f in schema.fields if f.name.lower() in spelled
        }

    def _parse(  # one call, in the order of the parameters
        self,
        file: BinaryIO,
        names: Sequence[str],
        skipped: int,
        types: Mapping[str, pa.DataType],
        encoding: str,
    ) -> pa.Table:
        finest = {name: finer(kind)[-1] for name, kind in types.items()}
        start = file.tell()
        try:
            return self._convert(file, names, skipped, types, encoding)
        except pa.ArrowInvalid:
            if finest == types:
                raise
        file.seek(start)
        return self._convert(file, names, skipped, finest, encoding)

    def _convert(  # one call, in the order of the parameters
        self,
        file: BinaryIO,
        names: Sequence[str],
        skipped: int,
        types: Mapping[str, pa.DataType],
        encoding: str,
    ) -> pa.Table:
        read = pacsv.ReadOptions(
            column_names=list(names), skip_rows_after_names=skipped, encoding=encoding or "utf8"
        )
        parse = pacsv.ParseOptions(
            delimiter=self._options.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=not self._keeps_blank(names),
        )
        null = self._options.null_value
        convert = pacsv.ConvertOptions(
            null_values=["", null] if null else [""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            column_types=types,
            include_columns=list(types),
        )
        try:
            return pacsv.read_csv(file, read, parse, convert)
        except pa.ArrowInvalid as error:
            if "Empty CSV file" not in str(error):
                raise
            return pa.table({name: pa.nulls(0, types.get(name, pa.null())) for name in types or names})

    def common(self, schemas: Sequence[tuple[str, pa.Schema]]) -> Schema:
        """Return the schema of a set; what two files disagree about becomes text."""
        return settled(common_types({f.name: inferred_type(f.type) for f in found} for _, found in schemas))

    def fits(self, inferred: pa.Schema, schema: Schema) -> bool:
        """Tell whether the inferred columns are those of the schema, up to the unit of instants."""
        return all(
            pa.types.is_null(field.type)
            or (inferred_type(field.type) == kind and not pa.types.is_time(field.type))
            for field, kind in zip(inferred, (f.type for f in schema.fields), strict=True)
        )

    def _not_text(self, entry: FileEntry, why: str) -> StoreError:
        return StoreError(
            "KDL-STORE-203",
            f"{self._entity!r} is not text in {self._options.encoding or 'utf-8'}",
            why=why,
            where=entry.path,
            hint='declare the file\'s encoding, for example encoding="latin-1"',
        )


def _has_forbidden_nulls(table: pa.Table, schema: Schema | None) -> bool:
    if schema is None:
        return False
    required = {field.name.lower() for field in schema.fields if not field.nullable}
    return any(
        table.column(place).null_count
        for place, name in enumerate(table.column_names)
        if name.lower() in required
    )


def write_csv(
    batches: Iterator[pa.RecordBatch], schema: Schema, file: BinaryIO, options: FileOptions, entity: str
) -> int:
    """Write rows as CSV in UTF-8 and return how many; text is quoted, so that null and "" differ.

    Raises:
        StoreError: KDL-STORE-212, a type or the encoding has no form in CSV files that are written.
    """
    for field in schema.fields:
        if "<" in field.type or field.type == "binary":
            raise no_nested(entity, field.name, field.type)
    if options.encoding and not options.encoding.lower().startswith(("utf-8", "utf8")):
        raise StoreError(
            "KDL-STORE-212",
            f"{entity!r} declares encoding={options.encoding!r}, and files are written in UTF-8",
            hint="remove encoding= from k.csv(...)",
        )
    rows = 0
    form = pacsv.WriteOptions(
        include_header=options.header, delimiter=options.delimiter, quoting_style="needed"
    )
    with pacsv.CSVWriter(file, arrow_schema(schema), write_options=form) as writer:
        for batch in batches:
            writer.write(batch)
            rows += len(batch)
    return rows
