"""What a table looks like at one version: columns, partitions, properties, protocol. Not its rows.

A few commit files are read in place of opening the table with a library: a tenth of the time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kindling.schemas import Schema
from kindling_plugin_delta.columns import neutral_columns
from kindling_plugin_delta.entries import parse_entry
from kindling_plugin_delta.probe import LogFolder

# A table whose last schema change is further back is opened with deltalake, which reads checkpoints.
_MOST_COMMITS = 24
_PLAIN_FEATURES = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck"}


@dataclass(frozen=True, slots=True)
class Layout:
    """A table at one version.

    Attributes:
        version: The version's number.
        schema: Columns in order.
        partition_by: Partition columns.
        properties: Table properties such as `delta.enableChangeDataFeed`.
        reader_version: Minimum reader version of the protocol.
        reader_features: Reader features of the protocol.
    """

    version: int
    schema: Schema
    partition_by: tuple[str, ...]
    properties: Mapping[str, str]
    reader_version: int
    reader_features: frozenset[str]

    @property
    def plain_files(self) -> bool:
        """Tell whether the Parquet files alone are the rows: no vectors, no mapping, no partitions."""
        plain = self.reader_version == 1 or (
            self.reader_version >= 3 and self.reader_features <= _PLAIN_FEATURES  # noqa: PLR2004  # the protocol's number
        )
        return plain and not self.partition_by

    @property
    def feeds_changes(self) -> bool:
        """Tell whether the table records a change data feed."""
        return str(self.properties.get("delta.enableChangeDataFeed", "")).lower() == "true"


def layout_of(
    log: LogFolder, storage_options: dict[str, str], names: list[str] | None = None
) -> Layout | None:
    """Return the newest layout; None if there is no table. `names` saves a listing of the log."""
    names = log.names() if names is None else names
    versions = log.versions(names)[::-1]
    if not versions:
        return _opened(log, storage_options) if log.newest(names) else None
    metadata: Mapping[str, object] | None = None
    protocol: Mapping[str, object] | None = None
    for version in versions[:_MOST_COMMITS]:
        content = log.commit(version)
        # Most commits carry neither action, and are not worth parsing.
        if b'"metaData"' in content or b'"protocol"' in content:
            entry = parse_entry(version, content)
            metadata = metadata or entry.metadata
            protocol = protocol or entry.protocol
        elif metadata is None and protocol is None and f"{version:020d}.crc" in names:
            summary = json.loads(log.read(f"{version:020d}.crc"))
            metadata, protocol = summary.get("metadata"), summary.get("protocol")
        if metadata is not None and protocol is not None:
            return _made(versions[0], metadata, protocol)
    return _opened(log, storage_options)


def _made(version: int, metadata: Mapping[str, object], protocol: Mapping[str, object]) -> Layout:
    partitions, properties = metadata.get("partitionColumns"), metadata.get("configuration")
    features = protocol.get("readerFeatures")
    return Layout(
        version,
        neutral_columns(str(metadata["schemaString"])),
        tuple(partitions) if isinstance(partitions, list) else (),
        properties if isinstance(properties, dict) else {},
        int(str(protocol.get("minReaderVersion", 1))),
        frozenset(features) if isinstance(features, list) else frozenset(),
    )


def _opened(log: LogFolder, storage_options: dict[str, str]) -> Layout:
    from deltalake import DeltaTable

    table = DeltaTable(log.local or log.uri, storage_options=storage_options)
    metadata, protocol = table.metadata(), table.protocol()
    return Layout(
        table.version(),
        neutral_columns(table.schema().to_json()),
        tuple(metadata.partition_columns),
        metadata.configuration,
        protocol.min_reader_version,
        frozenset(protocol.reader_features or ()),
    )
