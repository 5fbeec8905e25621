"""Compaction and removal of old files. Not erasure: old versions within `keep_s` stay."""

from __future__ import annotations

from kindling_plugin_delta import commits
from kindling_plugin_delta.tables import Table, missing_table


def maintain(table: Table, keep_s: int) -> dict[str, int]:
    """Compact small files, drop files of versions older than `keep_s` seconds, write a checkpoint.

    Deltalake counts in hours, so `keep_s` is rounded up. Readers of versions older than that fail.

    Returns:
        `files_added`, `files_removed` (by compaction) and `files_deleted` (from the folder).

    Raises:
        StoreError: KDL-STORE-001, there is no table.
        CommitConflictError: KDL-STORE-111, another writer was first.
    """
    if table.log.newest() is None:
        raise missing_table(table)
    with commits.translated(table):
        target = table.opened()
        done = target.optimize.compact(commit_properties=commits.properties(None))
        hours = -(-keep_s // 3600)
        deleted = target.vacuum(hours, dry_run=False, enforce_retention_duration=False)
        target.create_checkpoint()
    return {
        "files_added": int(done["numFilesAdded"]),
        "files_removed": int(done["numFilesRemoved"]),
        "files_deleted": len(deleted),
    }
