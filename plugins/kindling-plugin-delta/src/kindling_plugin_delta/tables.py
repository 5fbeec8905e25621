"""One table at its address, through one session: where everything else starts from. Not an intent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.addresses import Address
from kindling.errors import StoreError
from kindling.hooks.platform import Session
from kindling_plugin_delta.layout import Layout, layout_of
from kindling_plugin_delta.probe import LogFolder

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./:~-]*")

if TYPE_CHECKING:
    from deltalake import DeltaTable


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        address: Where it is.
        session: The task's session.
        log: Its log folder.
        storage_options: Options of the object store, for deltalake.
        change_feed: Whether a new table records a change data feed.
    """

    address: Address
    session: Session
    log: LogFolder
    storage_options: dict[str, str]
    change_feed: bool = False

    @property
    def name(self) -> str:
        """The name to show to people."""
        return ".".join(self.address.parts) or self.address.uri

    @property
    def place(self) -> str:
        """The folder, as engines and deltalake take it."""
        return self.log.local or self.log.uri

    def layout(self, names: list[str] | None = None) -> Layout | None:
        """Return the newest layout; None if there is no table. `names` saves a listing of the log."""
        return layout_of(self.log, self.storage_options, names)

    def known_layout(self) -> Layout:
        """Return the newest layout.

        Raises:
            StoreError: KDL-STORE-001, there is no table.
        """
        layout = self.layout()
        if layout is None:
            raise missing_table(self)
        return layout

    def opened(self, version: int | None = None) -> DeltaTable:
        """Return the table opened with deltalake."""
        from deltalake import DeltaTable

        return DeltaTable(self.place, version=version, storage_options=self.storage_options)

    @property
    def is_native(self) -> bool:
        """Tell whether the session itself may read and write the table.

        Sail 0.7.2 encodes other letters of a path, and so works in another folder.
        """
        return self.session_has("delta-native") and _PLAIN_PATH.fullmatch(self.place) is not None

    @property
    def has_paths(self) -> bool:
        """Tell whether the session itself may read the table's Parquet files."""
        return self.session_has("paths") and _PLAIN_PATH.fullmatch(self.place) is not None

    def session_has(self, *features: str) -> bool:
        """Tell whether the session has all of some features."""
        return self.session.features.issuperset(features)

    def need(self, feature: str, purpose: str) -> None:
        """Refuse what the session cannot do.

        Raises:
            StoreError: KDL-STORE-104, the session lacks the feature.
        """
        if not self.session_has(feature):
            raise StoreError(
                "KDL-STORE-104",
                f"{self.name!r} cannot be {purpose} on {self.session.platform!r}",
                why=f"it needs the session feature {feature!r}, the session has: "
                f"{', '.join(sorted(self.session.features)) or 'none'}",
                hint="choose another platform for this pipe: `kindling plugins list` shows their features",
                feature=feature,
            )


def missing_table(table: Table) -> StoreError:
    """Return the error for a table that does not exist."""
    return missing(table.name, table.address.uri)


def missing(name: str, uri: str) -> StoreError:
    """Return the error for a table that does not exist."""
    return StoreError(
        "KDL-STORE-001",
        f"{name!r} does not exist",
        why=f"there is no Delta table at {uri}",
        hint="run the pipe that makes it, or correct the location in kindling.toml",
        uri=uri,
    )
