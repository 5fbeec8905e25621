"""Parquet files by path: the SQL that reads them, and writing a folder so that a failure leaves no file."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from kindling.errors import StoreError
from kindling.hooks.platform import PathWrite
from kindling_plugin_duckdb.neutral import quoted


def local_path(uri: str) -> str:
    """Return the local path of a path or a `file:` URL.

    Raises:
        StoreError: KDL-INFRA-203, it is on an object store: DuckDB would download an extension for it.
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return unquote(parts.path)
    if "://" in uri:
        raise StoreError(
            "KDL-INFRA-203",
            f"{uri!r} is not a local path",
            why="duckdb reads object stores only with an extension from the network",
            hint="use a storage that reads by Arrow, such as delta, or another platform",
            uri=uri,
        )
    return uri


def reading(uris: Sequence[str]) -> str:
    """Return the table expression that reads Parquet files and folders; columns are matched by name."""
    patterns = []
    for uri in uris:
        path = local_path(uri)
        patterns.append(os.path.join(path, "**", "*.parquet") if os.path.isdir(path) else path)  # noqa: PTH112, PTH118  # a glob, not a path
    listed = ", ".join("'" + pattern.replace("'", "''") + "'" for pattern in patterns)
    return f"read_parquet([{listed}], union_by_name = true)"


def write(target: PathWrite, sql: str, run: Callable[[str], object]) -> None:
    """Write a query's rows as Parquet files into a folder.

    Effects: files appear in the folder only when all rows are written.

    Args:
        target: Folder, mode and partition columns.
        sql: The query in DuckDB's dialect.
        run: Runs a statement on the session's connection.

    Raises:
        StoreError: KDL-INFRA-204, the target exists and the mode is `error`.
    """
    folder = local_path(target.uri)
    if target.mode == "error" and os.path.isdir(folder) and os.listdir(folder):  # noqa: PTH112, PTH208  # plain paths
        raise StoreError("KDL-INFRA-204", f"{target.uri!r} exists", hint="remove it, or overwrite it")
    fresh = f"{folder.rstrip('/')}.{uuid.uuid4().hex}.tmp"
    os.makedirs(fresh)  # noqa: PTH103  # plain paths
    try:
        run(f"COPY ({sql}) TO '{_place(target, fresh)}' ({_options(target)})")
        _publish(fresh, folder, replace=target.mode == "overwrite")
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _place(target: PathWrite, fresh: str) -> str:
    name = fresh if target.partition_by else os.path.join(fresh, f"part-{uuid.uuid4().hex}.parquet")  # noqa: PTH118
    return name.replace("'", "''")


def _options(target: PathWrite) -> str:
    if not target.partition_by:
        return "FORMAT parquet"
    columns = ", ".join(quoted(name) for name in target.partition_by)
    pattern = f"part-{uuid.uuid4().hex}-{{i}}"
    return f"FORMAT parquet, PARTITION_BY ({columns}), FILENAME_PATTERN '{pattern}', OVERWRITE_OR_IGNORE true"


def _publish(fresh: str, folder: str, *, replace: bool) -> None:
    """Move written files to their place; on `replace` the old folder goes only once the new one is there."""
    if replace or not os.path.isdir(folder):  # noqa: PTH112  # plain paths
        old = f"{fresh}.old"
        if os.path.isdir(folder):  # noqa: PTH112  # the same
            os.rename(folder, old)  # noqa: PTH104  # the same
        os.rename(fresh, folder)  # noqa: PTH104  # the same
        shutil.rmtree(old, ignore_errors=True)
        return
    for parent, _, files in os.walk(fresh):
        into = os.path.join(folder, os.path.relpath(parent, fresh))  # noqa: PTH118  # the same
        os.makedirs(into, exist_ok=True)  # noqa: PTH103  # the same
        for name in files:
            os.rename(os.path.join(parent, name), os.path.join(into, name))  # noqa: PTH104, PTH118  # the same
