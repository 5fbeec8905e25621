"""Rows are removed for good: from the table, its old versions, its feeds, its log. Not a plain delete.

A plain DELETE keeps the rows in older files and writes the condition itself into the log, and file
statistics show least and greatest values. So the remaining rows are written anew, without a
condition in the commit; then files and log entries before that are dropped, and it is verified.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from kindling.errors import StoreError
from kindling.hooks.platform import ArrowOut
from kindling.hooks.storage import Commit, CommitInfo, ReadRequest, WriteRequest
from kindling.intents import Intent
from kindling_plugin_delta import commits
from kindling_plugin_delta.entries import counts_of, parse_entry
from kindling_plugin_delta.overwrite import put
from kindling_plugin_delta.reading import read
from kindling_plugin_delta.streams import Outgoing
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from deltalake import DeltaTable

_LOG_RETENTION = "delta.logRetentionDuration"
_FILE_RETENTION = "delta.deletedFileRetentionDuration"
# Defaults of the protocol's reference implementation, in its spelling.
_DEFAULTS = {_LOG_RETENTION: "interval 30 days", _FILE_RETENTION: "interval 1 week"}
_SHORTEST_LITERAL = 4


def erase(table: Table, condition: str, info: CommitInfo) -> Commit:
    """Remove the matching rows so that no version, file or log entry holds them.

    Effects: all older versions are gone, and cursors of readers of changes with them. The newest
    cursors of this entity are carried over.

    Args:
        table: The table.
        condition: Spark SQL.
        info: Goes into the last commit.

    Raises:
        StoreError: KDL-STORE-001, there is no table; KDL-STORE-113, something is left.
    """
    table.known_layout()
    table.need("arrow-out", "erased from")
    mark = _mark(table, info)
    found = table.session.aggregate(
        read(table, ReadRequest()), [("hits", f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)")]
    )
    hits = int(str(found["hits"] or 0))
    if hits:
        _rewrite(table, condition, mark)
    version = _purge(table, mark)
    _verify(table, condition)
    entry = parse_entry(version, table.log.commit(version))
    _, metrics = counts_of(entry)
    files = len(table.opened().file_uris())
    return Commit(entry.token, 0, {**metrics, "files": files, "rows_deleted": hits})


def _mark(table: Table, info: CommitInfo) -> CommitInfo:
    newest = commits.newest_info(table)
    return info if info.cursors or newest is None else replace(info, cursors=dict(newest.cursors))


def _rewrite(table: Table, condition: str, mark: CommitInfo) -> None:
    """Write the other rows in place of all."""
    layout = table.known_layout()
    kept = table.session.where(read(table, ReadRequest()), f"NOT coalesce(({condition}), false)")
    flow = Outgoing(cast("ArrowOut", table.session).to_arrow(kept), layout.schema, guard=lambda: None)
    request = WriteRequest(Intent("overwrite"), layout.schema, mark)
    with commits.translated(table, lambda: flow.error):
        put(table, flow, request, mode="overwrite")


def _purge(table: Table, mark: CommitInfo) -> int:
    """Drop unreferenced files and the log before a new checkpoint; return the last commit's version."""
    with commits.translated(table):
        target = table.opened()
        before = dict(target.metadata().configuration)
        zero = dict.fromkeys(_DEFAULTS, "interval 0 seconds")
        target.alter.set_table_properties(zero)
        target.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
        target = table.opened()
        target.create_checkpoint()
        checkpoint = target.version()
        target.cleanup_metadata()
        _drop_log_before(table, checkpoint)
        after = {name: str(before.get(name) or default) for name, default in _DEFAULTS.items()}
        target = table.opened()
        target.alter.set_table_properties(after, commit_properties=commits.properties(mark))
        return table.opened().version()


def _drop_log_before(table: Table, version: int) -> None:
    """Delete what the clean-up left: it goes by file times, and by whole days."""
    for name in table.log.names():
        if name[:20].isdigit() and int(name[:20]) < version:
            table.log.delete(name)


def _verify(table: Table, condition: str) -> None:
    """Look at every file under the table.

    Raises:
        StoreError: KDL-STORE-113, a row matches, an unreferenced file exists, or a text of the
            condition stands in the log.
    """
    left = []
    found = table.session.aggregate(
        read(table, ReadRequest()), [("hits", f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)")]
    )
    if found["hits"]:
        left.append(f"{found['hits']} matching rows")
    target = table.opened()
    left += [f"file {name}" for name in _unreferenced(table, target)]
    texts = _literals(condition)
    left += [f"log entry {name}" for name in table.log.names() if _holds(table.log.read(name), texts)]
    if left:
        raise StoreError(
            "KDL-STORE-113",
            f"erasing rows of {table.name!r} left {len(left)} traces",
            why="; ".join(left[:5]),
            hint="stop other writers of the table and erase again",
            left=left,
        )


def _unreferenced(table: Table, target: DeltaTable) -> list[str]:
    if not table.log.local:
        return []
    live = {os.path.realpath(unquote(uri.removeprefix("file://"))) for uri in target.file_uris()}
    return [path for path in _data_files(table.log.local) if os.path.realpath(path) not in live]


def _data_files(root: str) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        if "_delta_log" in folders:
            folders.remove("_delta_log")
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118  # os.walk gives texts


def _literals(condition: str) -> tuple[bytes, ...]:
    """Return the condition's texts that are long enough to be told from other things."""
    found = re.findall(r"'((?:[^'\\]|''|\\.)*)'", condition)
    return tuple(text.replace("''", "'").encode() for text in found if len(text) >= _SHORTEST_LITERAL)


def _holds(content: bytes, texts: Sequence[bytes]) -> bool:
    return any(text in content for text in texts)
