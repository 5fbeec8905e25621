"""Rows that changed since a version, from the log: files that came and files that went. Not a snapshot.

A range that only adds files is read from those files. Where files went as well, the rows of both
sides are compared, so rows that were only moved do not show. One commit with a change data feed is
read from its feed. What cannot be told is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast
from urllib.parse import unquote

import pyarrow as pa

from kindling.errors import StoreError
from kindling.hooks import Frame
from kindling.hooks.platform import ArrowIn, PathRead, Paths
from kindling.hooks.storage import ChangeSet, ReadRequest
from kindling.schemas import Field, Schema
from kindling_plugin_delta.commits import KEYS_KEY
from kindling_plugin_delta.drift import quoted
from kindling_plugin_delta.entries import Entry, entries_after, record_count
from kindling_plugin_delta.files import file_stream
from kindling_plugin_delta.layout import Layout
from kindling_plugin_delta.probe import carried, make_token
from kindling_plugin_delta.reading import read
from kindling_plugin_delta.streams import Incoming
from kindling_plugin_delta.tables import Table

CHANGE = "_change"
_SIGN, _NUMBER, _NET = "kindling_sign", "kindling_number", "kindling_net"
Action = Mapping[str, object]


def changes(table: Table, since: str | None) -> ChangeSet:
    """Return what changed after a version token; everything as `insert` for None.

    Raises:
        StoreError: KDL-STORE-012, the changes since that version cannot be told any more.
    """
    layout = table.known_layout()
    newest = table.log.token() or ""
    if since is None:
        return _everything(table, newest)
    if since == newest:
        return ChangeSet(None, newest, 0)
    entries = _range(table, since)
    moving = [entry for entry in entries if entry.changes_rows]
    if not moving:
        return ChangeSet(None, entries[-1].token, 0)
    _refuse_vectors(table, moving)
    if layout.feeds_changes and len(moving) == 1 and moving[0].feeds:
        return ChangeSet(_from_feed(table, layout, moving[0]), entries[-1].token)
    net = _Net.of(moving)
    if not _exist(table, net):
        net = _Net.of(entries)  # compaction moved the rows, and the files before it are gone
        if not _exist(table, net):
            raise _untold(table, since, "files of that range have been vacuumed")
    if not net.went:
        frame = _labelled(table, _files(table, layout, net.came), "insert")
        return ChangeSet(frame, entries[-1].token, record_count(net.came))
    frame = _compared(table, layout, net, _common_keys(moving), since)
    return ChangeSet(frame, entries[-1].token)


def _everything(table: Table, newest: str) -> ChangeSet:
    frame = read(table, ReadRequest(version=newest))
    adds = pa.RecordBatchReader.from_stream(table.opened().get_add_actions(flatten=True)).read_all()
    counts = adds["num_records"].to_pylist() if "num_records" in adds.column_names else [None] * adds.num_rows
    rows = None if None in counts else sum(counts)
    return ChangeSet(_labelled(table, frame, "insert"), newest, rows)


def _labelled(table: Table, frame: Frame, change: str) -> Frame:
    names = table.session.schema(frame).names
    return table.session.select(frame, [*((n, quoted(n)) for n in names), (CHANGE, f"'{change}'")])


def _range(table: Table, since: str) -> list[Entry]:
    """Return the commits after a token, oldest first, at least one."""
    try:
        number = int(since.partition("-")[0])
        if make_token(number, table.log.commit(number)) != since:
            raise _untold(table, since, "the table was made anew since then")
        entries = list(entries_after(table.log, number))
    except (ValueError, FileNotFoundError) as error:
        raise _untold(table, since, "the log of that range has been cleaned up") from error
    if not entries:
        raise _untold(table, since, "it is newer than the table")
    return entries


def _untold(table: Table, since: str, why: str) -> StoreError:
    return StoreError(
        "KDL-STORE-012",
        f"the changes of {table.name!r} since version {since!r} cannot be told",
        why=why,
        hint="read everything once: `kindling run --full-refresh`",
        since=since,
    )


def _refuse_vectors(table: Table, entries: Iterable[Entry]) -> None:
    if any(a.get("deletionVector") for entry in entries for a in (*entry.adds, *entry.removes)):
        raise StoreError(
            "KDL-STORE-012",
            f"the changes of {table.name!r} cannot be told",
            why="its commits hold deletion vectors, whose files do not show which rows went",
            hint="set delta.enableDeletionVectors to false on it, and `kindling run --full-refresh` once",
        )


@dataclass(frozen=True, slots=True)
class _Net:
    """Files that came and went over several commits, those that did both left out."""

    came: tuple[Action, ...]
    went: tuple[Action, ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> _Net:
        came: dict[str, Action] = {}
        went: dict[str, Action] = {}
        for entry in entries:
            for remove in entry.removes:
                path = str(remove["path"])
                if came.pop(path, None) is None:
                    went[path] = remove
            for add in entry.adds:
                path = str(add["path"])
                if went.pop(path, None) is None:
                    came[path] = add
        return cls(tuple(came.values()), tuple(went.values()))


def _exist(table: Table, net: _Net) -> bool:
    """Tell whether all files are still there; remote ones are believed to be, reading will tell."""
    paths = (unquote(str(action["path"])) for action in (*net.came, *net.went))
    return not table.log.local or all(os.path.exists(f"{table.log.local}/{p}") for p in paths)  # noqa: PTH110  # many files, one string each


def _files(table: Table, layout: Layout, actions: Sequence[Action]) -> Frame:
    """Return the rows of some of the table's files."""
    if table.has_paths and layout.plain_files and actions:
        uris = tuple(f"{table.place}/{unquote(str(action['path']))}" for action in actions)
        if all(_has_columns(action, layout.schema) for action in actions):
            return cast("Paths", table.session).load(PathRead("parquet", uris, schema=layout.schema))
    table.need("arrow-in", "read incrementally")
    stream = Incoming(lambda: file_stream(table, layout, actions), layout.schema)
    return cast("ArrowIn", table.session).from_arrow(stream, layout.schema)


def _has_columns(action: Action, schema: Schema) -> bool:
    from kindling_plugin_delta.entries import statistics

    counts = statistics(action).get("nullCount")
    return isinstance(counts, dict) and all(f.name in counts for f in schema.fields)


def _common_keys(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Return the key columns if all commits that removed files were keyed by the same, else ()."""
    found = {carried(dict(entry.info), KEYS_KEY) for entry in entries if entry.removes}
    if len(found) != 1 or (text := found.pop()) is None:
        return ()
    return tuple(json.loads(text))


def _compared(table: Table, layout: Layout, net: _Net, keys: tuple[str, ...], since: str) -> Frame:
    """Return the difference of two sets of rows; with keys, updates are told from inserts.

    Equal rows are numbered on both sides, so that each cancels one of the other: EXCEPT ALL, which
    not every engine has.
    """
    if any("map<" in f.type for f in layout.schema.fields):
        raise _untold(table, since, "rows went, and rows with a map cannot be compared")
    sides = {"came": _files(table, layout, net.came), "went": _files(table, layout, net.went)}
    names = ", ".join(quoted(name) for name in layout.schema.names)
    numbered = " UNION ALL ".join(
        f"SELECT {names}, {sign} AS {_SIGN}, row_number() OVER (PARTITION BY {names} ORDER BY "  # noqa: S608  # names are quoted, there are no values
        f"{quoted(layout.schema.names[0])}) AS {_NUMBER} FROM {side}"
        for side, sign in (("came", 1), ("went", -1))
    )
    moved = (
        f"SELECT {names}, sum({_SIGN}) AS {_NET} FROM ({numbered}) "  # noqa: S608  # the same
        f"GROUP BY {names}, {_NUMBER} HAVING sum({_SIGN}) <> 0"
    )
    if not keys:
        kind = f"CASE WHEN {_NET} > 0 THEN 'insert' ELSE 'delete' END"
        return table.session.sql(f"SELECT {names}, {kind} AS {CHANGE} FROM ({moved})", sides)  # noqa: S608  # the same
    per_key = f"OVER (PARTITION BY {', '.join(map(quoted, keys))})"
    paired = (
        f"SELECT {names}, {_NET}, min({_NET}) {per_key} AS {_NET}_low, "  # noqa: S608  # the same
        f"max({_NET}) {per_key} AS {_NET}_high FROM ({moved})"
    )
    kind = f"CASE WHEN {_NET} < 0 THEN 'delete' WHEN {_NET}_low < 0 THEN 'update' ELSE 'insert' END"
    text = (
        f"SELECT {names}, {kind} AS {CHANGE} FROM ({paired}) "  # noqa: S608  # the same
        f"WHERE {_NET} > 0 OR {_NET}_high < 0"
    )
    return table.session.sql(text, sides)


_FEED_KINDS = {"insert": "insert", "update_postimage": "update", "delete": "delete"}


def _from_feed(table: Table, layout: Layout, entry: Entry) -> Frame:
    """Return one commit's change data feed."""
    table.need("arrow-in", "read incrementally")
    schema = Schema((*layout.schema.fields, Field("_change_type", "string")))
    kinds = ", ".join(f"'{kind}'" for kind in _FEED_KINDS)

    def stream() -> object:
        return table.opened().load_cdf(
            starting_version=entry.version,
            ending_version=entry.version,
            columns=list(schema.names),
            predicate=f"_change_type IN ({kinds})",
        )

    frame = cast("ArrowIn", table.session).from_arrow(Incoming(stream, schema), schema)
    label = "CASE WHEN _change_type = 'update_postimage' THEN 'update' ELSE _change_type END"
    return table.session.select(frame, [*((n, quoted(n)) for n in layout.schema.names), (CHANGE, label)])
