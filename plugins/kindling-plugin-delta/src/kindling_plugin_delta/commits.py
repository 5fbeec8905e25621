"""Whose commits a table holds, and what a commit did. Not how rows are written.

The newest commit with our key is the truth about cursors and owners; state only mirrors it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kindling.errors import CommitConflictError, KindlingError, PolicyError, StoreError
from kindling.hooks.storage import COMMIT_KEY, Commit, CommitInfo, WriteRequest
from kindling_plugin_delta.entries import counts_of, entries_after, parse_entry
from kindling_plugin_delta.probe import carried, commits_with
from kindling_plugin_delta.tables import Table

if TYPE_CHECKING:
    from deltalake import CommitProperties

KEYS_KEY = "kindling.keys"
"""Commits of keyed intents say here (a JSON list) which columns identify a row."""

_CONFLICTS = (
    "Failed to commit transaction",
    "already exists at",
    "version already exists",
    "ProtocolChanged",
    "DELTA_PROTOCOL_CHANGED",
    "DELTA_CONCURRENT",
    "DELTA_METADATA_CHANGED",
    "ConcurrentAppend",
    "ConcurrentDelete",
    "ConcurrentModification",
    "ConcurrentTransaction",
    "ConcurrentWrite",
    "concurrent transaction",
)


def newest_info(table: Table) -> CommitInfo | None:
    """Return what the newest of Kindling's commits carries."""
    found = next((text for _, _, text in commits_with(table.log, COMMIT_KEY)), None)
    return CommitInfo.from_json(found) if found is not None else None


def earlier_commit(table: Table, request: WriteRequest, names: list[str] | None = None) -> Commit | None:
    """Refuse a foreign owner; return the commit that this very request has made before, if any.

    Tasks of other slices may have committed in between, so the commits of the same run are searched.

    Raises:
        PolicyError: KDL-POL-001, another app or environment owns the table.
    """
    wanted = request.info
    for place, (version, content, text) in enumerate(commits_with(table.log, COMMIT_KEY, names)):
        found = CommitInfo.from_json(text)
        if place == 0:
            _refuse_foreign(table, found, wanted)
        if found.run_id != wanted.run_id:
            return None
        if (found.fingerprint, found.slice) == (wanted.fingerprint, wanted.slice):
            entry = parse_entry(version, content)
            rows, metrics = counts_of(entry)
            return Commit(entry.token, rows, metrics)
    return None


def _refuse_foreign(table: Table, found: CommitInfo, wanted: CommitInfo) -> None:
    if (found.app, found.environment) != (wanted.app, wanted.environment):
        raise PolicyError(
            "KDL-POL-001",
            f"{table.name!r} belongs to the app {found.app!r} in {found.environment!r}",
            why=f"this run is app {wanted.app!r} in {wanted.environment!r}",
            where=table.address.uri,
            hint="give the entity another location, or read it with app.ref()",
            owner=found.app,
            owner_environment=found.environment,
        )


def native_metadata(info: CommitInfo) -> str:
    """Return the `userMetadata` that an engine stores in its commit."""
    return json.dumps({COMMIT_KEY: info.to_json()})


def properties(
    info: CommitInfo | None, keys: Sequence[str] = (), *, is_new: bool = False
) -> CommitProperties:
    """Return the properties that deltalake stores in its commit.

    A commit that makes a table is not retried: of two, deltalake 1.6.6 would append the second one's
    rows to the first one's, whatever the mode.
    """
    from deltalake import CommitProperties

    carried_text = {COMMIT_KEY: info.to_json()} if info else {}
    if keys:
        carried_text[KEYS_KEY] = json.dumps(list(keys))
    return CommitProperties(custom_metadata=carried_text, max_commit_retries=0 if is_new else None)


def read_back(
    table: Table,
    before: int,
    request: WriteRequest,
    warnings: Sequence[str] = (),
    names: list[str] | None = None,
) -> Commit:
    """Return the commit that carries the request's info, newer than a version.

    Raises:
        CommitConflictError: KDL-STORE-110, there is none: the engine lost it, or it lost a race.
    """
    wanted = request.info.to_json()
    try:
        for entry in entries_after(table.log, before, names):
            if carried(dict(entry.info), COMMIT_KEY) == wanted:
                rows, metrics = counts_of(entry)
                return Commit(entry.token, rows, metrics, tuple(warnings))
    except FileNotFoundError as error:
        raise _lost(table) from error
    raise _lost(table)


def _lost(table: Table) -> CommitConflictError:
    return CommitConflictError(
        "KDL-STORE-110",
        f"the commit to {table.name!r} cannot be found in the table's log",
        why="the engine reported success, but no newer commit carries this task's mark",
        hint="run it again; if it stays, show `_delta_log` to the engine's developers",
        uri=table.address.uri,
    )


def current(table: Table, warnings: Sequence[str] = ()) -> Commit:
    """Return a commit that changed nothing: the version stays."""
    return Commit(table.log.token() or "", 0, {"rows_inserted": 0, "rows_updated": 0}, tuple(warnings))


def moves_cursors(table: Table, cursors: Mapping[str, str]) -> bool:
    """Tell whether a commit without rows is needed, because cursors moved on."""
    newest = newest_info(table)
    return bool(cursors) and (newest is None or dict(newest.cursors) != dict(cursors))


@contextmanager
def translated(table: Table, cause: Callable[[], BaseException | None] = lambda: None) -> Iterator[None]:
    """Turn the errors of a write into Kindling's.

    Args:
        table: The table that is written.
        cause: Returns the error that a check on the stream has raised: it is raised in its place.

    Raises:
        CommitConflictError: KDL-STORE-111, another writer was first.
        StoreError: KDL-STORE-103, deltalake refuses the write.
    """
    try:
        yield
    except KindlingError:
        raise
    except Exception as error:  # every engine has errors of its own; unknown ones are raised as they came
        from deltalake.exceptions import (
            CommitFailedError,
            DeltaError,
        )  # here, because native writes need no deltalake

        original = cause()
        if original is not None:
            raise original from None
        if isinstance(error, CommitFailedError) or any(mark in str(error) for mark in _CONFLICTS):
            raise _conflict(table, str(error)) from error
        if isinstance(error, DeltaError):
            raise StoreError(
                "KDL-STORE-103",
                f"{table.name!r} refuses the write",
                why=_first_line(str(error)),
                uri=table.address.uri,
            ) from error
        raise


def _conflict(table: Table, text: str) -> CommitConflictError:
    return CommitConflictError(
        "KDL-STORE-111",
        f"another writer committed to {table.name!r} first",
        why=_first_line(text),
        hint="the task is planned again and retried",
        uri=table.address.uri,
    )


def _first_line(text: str) -> str:
    """Return an error's first line: the rest of deltalake's texts shows rows."""
    return text.strip().splitlines()[0][:200] if text.strip() else ""
