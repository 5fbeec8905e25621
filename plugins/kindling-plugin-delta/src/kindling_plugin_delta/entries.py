"""Single commits of a Delta log: their actions and counts. Not the state of the table.

Source: Delta Lake protocol, "Actions"; the spelling of counts is that of Spark, Sail and delta-rs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kindling_plugin_delta.probe import LogFolder, make_token

_COUNTS = {
    "rows_inserted": ("num_target_rows_inserted", "numTargetRowsInserted"),
    "rows_updated": ("num_target_rows_updated", "numTargetRowsUpdated"),
    "rows_deleted": ("num_target_rows_deleted", "numTargetRowsDeleted", "num_deleted_rows", "numDeletedRows"),
}
_WRITTEN = ("num_added_rows", "numOutputRows")


@dataclass(frozen=True, slots=True)
class Entry:
    """One commit.

    Attributes:
        version: Its number.
        token: The version token that the probe gives for it.
        info: `commitInfo`.
        adds: `add` actions.
        removes: `remove` actions.
        feeds: `cdc` actions.
        metadata: The `metaData` action, or None.
        protocol: The `protocol` action, or None.
    """

    version: int
    token: str
    info: Mapping[str, object]
    adds: tuple[Mapping[str, object], ...]
    removes: tuple[Mapping[str, object], ...]
    feeds: tuple[Mapping[str, object], ...]
    metadata: Mapping[str, object] | None
    protocol: Mapping[str, object] | None

    @property
    def changes_rows(self) -> bool:
        """Tell whether the commit changed rows; compaction and settings do not."""
        return any(action.get("dataChange", True) for action in (*self.adds, *self.removes))


def parse_entry(version: int, content: bytes) -> Entry:
    """Return the parts of one commit."""
    found: dict[str, list[dict[str, object]]] = {}
    for line in content.splitlines():
        if line.strip():
            for kind, action in json.loads(line).items():
                found.setdefault(kind, []).append(action)
    return Entry(
        version,
        make_token(version, content),
        info=next(iter(found.get("commitInfo", ())), {}),
        adds=tuple(found.get("add", ())),
        removes=tuple(found.get("remove", ())),
        feeds=tuple(found.get("cdc", ())),
        metadata=next(iter(found.get("metaData", ())), None),
        protocol=next(iter(found.get("protocol", ())), None),
    )


def entries_after(log: LogFolder, version: int, names: list[str] | None = None) -> Iterator[Entry]:
    """Yield the commits with a greater number, oldest first; raises FileNotFoundError for a gap."""
    numbers = [number for number in log.versions(names) if number > version]
    for number in range(version + 1, numbers[-1] + 1 if numbers else 0):
        yield parse_entry(number, log.commit(number))


def statistics(add: Mapping[str, object]) -> Mapping[str, object]:
    """Return an `add` action's statistics, {} where it has none."""
    found = json.loads(str(add.get("stats") or "null"))
    return found if isinstance(found, dict) else {}


def record_count(adds: tuple[Mapping[str, object], ...]) -> int | None:
    """Return how many rows the files hold, None where one of them does not say."""
    counts = [statistics(add).get("numRecords") for add in adds]
    known = [count for count in counts if isinstance(count, int)]
    if len(known) < len(counts) or any(add.get("deletionVector") for add in adds):
        return None
    return sum(known)


def counts_of(entry: Entry) -> tuple[int | None, dict[str, int]]:
    """Return the rows written (inserted plus updated) and the counts of `Commit.metrics`.

    Engines spell their counts differently, and Spark writes numbers as text.
    """
    raw = entry.info.get("operationMetrics")
    told = raw if isinstance(raw, dict) else {}
    metrics = {name: int(told[key]) for name, keys in _COUNTS.items() for key in keys if key in told}
    written = next((int(told[key]) for key in _WRITTEN if key in told), None)
    if "rows_inserted" not in metrics:
        written = written if written is not None else record_count(entry.adds)
        if written is not None:
            metrics["rows_inserted"] = written
    metrics["files"] = len(entry.adds)
    metrics["bytes"] = sum(int(str(add.get("size") or 0)) for add in entry.adds)
    if "rows_inserted" not in metrics:
        return None, metrics
    return metrics["rows_inserted"] + metrics.get("rows_updated", 0), metrics
