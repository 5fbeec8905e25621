"""Rows of single data files of a table, partition values and added columns included. Not a snapshot.

Source: Delta Lake protocol, "Partition Value Serialization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.dataset as ds
from pyarrow import fs

from kindling.errors import StoreError
from kindling.hooks.arrow import arrow_schema
from kindling.schemas import Field, Schema
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.tables import Table

_COLUMN_MAPPING_VERSION = 2


def file_stream(
    table: Table, layout: Layout, actions: Sequence[Mapping[str, object]]
) -> pa.RecordBatchReader:
    """Return the rows of files as a stream of the table's columns.

    Raises:
        StoreError: KDL-STORE-012, the table maps columns to other names in its files.
    """
    if layout.reader_version == _COLUMN_MAPPING_VERSION or "columnMapping" in layout.reader_features:
        raise StoreError(
            "KDL-STORE-012",
            f"the changes of {table.name!r} cannot be told",
            why="it maps its columns to other names in its files",
            hint="read everything: `kindling run --full-refresh`",
        )
    schema = arrow_schema(Schema(tuple(Field(f.name, f.type) for f in layout.schema.fields)))
    system, root = _file_system(table)
    form = ds.ParquetFileFormat()
    fragments = [
        form.make_fragment(
            f"{root}/{unquote(str(action['path']))}",
            filesystem=system,
            partition_expression=_partition(schema, layout.partition_by, action),
        )
        for action in actions
    ]
    return ds.FileSystemDataset(fragments, schema, form, system).scanner().to_reader()


def _file_system(table: Table) -> tuple[fs.FileSystem, str]:
    if table.log.local:
        return fs.LocalFileSystem(), table.log.local
    from fsspec.core import url_to_fs

    files, root = url_to_fs(table.log.uri, **table.log.options)
    return fs.PyFileSystem(fs.FSSpecHandler(files)), str(root)


def _partition(
    schema: pa.Schema, columns: Sequence[str], action: Mapping[str, object]
) -> ds.Expression | None:
    values = action.get("partitionValues")
    if not columns or not isinstance(values, dict):
        return None
    whole: ds.Expression | None = None
    for column in columns:
        kind = schema.field(column).type
        text = values.get(column)
        # An empty text stands for null; texts of every type are what Arrow parses.
        value = pa.scalar(text or None, pa.string()).cast(kind)
        term = ds.field(column).is_null() if not text else ds.field(column) == value
        whole = term if whole is None else whole & term
    return whole
