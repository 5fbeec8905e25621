"""How one entity is read and written: a table format or a file format. It never runs pipe code.

`open` is called once per entity and task. A store sees a resolved `Address` and the task's session,
and works with whatever features that session has; `kindling.json` states per intent which
features it needs. The *probe* is a module of its own (named in `kindling.json`), free of engines
and light to import, because planning calls it in every run: see `Probe`.

A complete plugin:

    from kindling.hooks import hookimpl
    from kindling.hooks.storage import Storage, StorageOffer, StorageSpec

    def open_storage(spec: StorageSpec) -> Storage:
        from kindling_plugin_mine.storage import MyStorage
        return MyStorage()

    @hookimpl
    def kindling_storage_offers() -> tuple[StorageOffer, ...]:
        return (StorageOffer("mine", open_storage),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.addresses import Address, Slice
from kindling.hooks import Frame, Offer, Plain, hookspec
from kindling.hooks.platform import Session
from kindling.intents import Intent
from kindling.schemas import Schema

API = "1.0"

FEATURES = (
    "reads",  # Reads
    "writes",  # Writes: overwrite and append
    "merges",  # Merges
    "historises",  # Historises: scd2
    "replaces",  # Replaces: by columns and by slice
    "changes",  # Changes
    "travels",  # Reads.read honours ReadRequest.version
    "evolves",  # drift "evolve" adds columns
    "cursors",  # data and CommitInfo in one commit; without it the plan says "cursor: mirrored"
    "erases",  # Erases
    "maintains",  # Maintains
    "times",  # Times: bounds of a time column, for by_time
)
"""The closed list; `x-<vendor>-<name>` is allowed as well."""

COMMIT_KEY = "kindling"
"""The one kernel-owned key under which a commit carries `CommitInfo.to_json()`."""


@dataclass(frozen=True, slots=True)
class StorageSpec:
    """What a storage's factory gets."""

    environment: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    secret: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """Who commits what: stored inside the commit wherever the format can.

    Attributes:
        app: The app's name: a table that carries another app or environment is refused.
        environment: The environment's name.
        entity: The logical entity name.
        slice: `str(Slice)`.
        run_id: The run.
        fingerprint: What the rows were made from; the same fingerprint is never committed twice.
        cursors: Position in each incremental source after this commit: opaque token by source entity.
    """

    app: str
    environment: str
    entity: str
    slice: str
    run_id: str
    fingerprint: str
    cursors: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the one text form, identical on every engine: sorted keys, no spaces."""
        import json

        plain = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**plain, "cursors": dict(self.cursors)}, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> CommitInfo:
        """Return what `to_json` wrote."""
        import json

        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Which part of an entity to read.

    Attributes:
        version: A version that `Store.version` or a commit gave; None for the newest.
        column: With an interval slice: the timestamp or date column it applies to.
        slice: Rows to read; the default is everything.
        schema: The declared schema, or None.
    """

    version: str | None = None
    column: str = ""
    slice: Slice = field(default_factory=Slice)
    schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """What to do with a frame that already has exactly the columns of `schema`.

    Attributes:
        intent: The named write intent.
        schema: The frame's schema.
        info: Goes into the commit.
        drift: What to do where the table's columns differ: `fail`, `warn` (write the common columns,
            report the rest in `Commit.warnings`), `evolve` (add columns; types only widen) or, with the
            intent `overwrite` alone, `replace` (the table takes exactly the frame's columns: the kernel
            asks for it when the declaration itself changed, since that is no drift).
        partition_by: Partition columns of a new table.
        column: With an interval slice: the column whose rows inside the slice are replaced.
        slice: The slice that the frame holds; rows outside of it are refused.
        guard: Call it right before the commit: it raises when the task was cancelled, timed out or
            lost its lease, and then nothing may be committed.
        moment: RFC 3339 UTC instant of the run; `valid_from` and `valid_to` of scd2.
    """

    intent: Intent
    schema: Schema
    info: CommitInfo
    drift: str = "fail"
    partition_by: tuple[str, ...] = ()
    column: str = ""
    slice: Slice = field(default_factory=Slice)
    guard: Callable[[], None] = lambda: None
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a write did, read back from the storage.

    Attributes:
        version: The new version, an opaque token that the probe gives too.
        rows: Rows written (inserted plus updated); None where the storage cannot know.
        metrics: Counts by name: `rows_inserted`, `rows_updated`, `rows_deleted`, `bytes`, `files`.
        warnings: Drift that was accepted, one sentence each.
    """

    version: str
    rows: int | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Rows that changed since a cursor.

    Attributes:
        frame: The entity's columns plus `_change` (`insert`, `update`, `delete`; for an update the
            new row), or None when nothing changed.
        cursor: Token to continue from.
        rows: Number of changed rows where it is free to know, else None.
    """

    frame: Frame | None
    cursor: str
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class BadRows:
    """Rows of a file that could not be read.

    Attributes:
        count: How many.
        samples: At most 20 of them: (place like `file:line`, the raw text, what is wrong).
    """

    count: int
    samples: tuple[tuple[str, str, str], ...] = ()


class Probe(Protocol):
    """Module-level functions of the probe module. Engine-free, light to import (see budgets).

    `kindling.json` says `"probe": "local"`, `"remote"` or `"none"`; with `none` there is no module
    and readers always run, because nothing is known.

    A remote probe may have one more function, `open_probe(secret) -> Probe`: `secret` resolves the
    `secret://` reference of an address, and what it returns is asked in place of the module during
    one planning. It releases its connections itself when it is dropped.
    """

    def version(self, address: Address) -> str | None:
        """Return the newest version, an opaque token; None if the entity does not exist."""
        ...

    def cursor(self, address: Address, key: str) -> str | None:
        """Return the text under `key` in the newest commit that carries it, or None."""
        ...

    def committed(self, address: Address, key: str) -> tuple[str, str] | None:
        """Return (version right after it, text) of the newest commit that carries `key`, or None.

        If that version is not the newest one, somebody else committed later.
        """
        ...

    def bounds(self, address: Address, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty.

        Needed for `k.by_time()` over this storage (feature `times`); a module without it says that
        bounds are unknown.
        """
        ...


@runtime_checkable
class Store(Protocol):
    """One entity at one address, through one session."""

    def schema(self) -> Schema | None:
        """Return the stored schema; None if the entity does not exist."""
        ...

    def version(self) -> str | None:
        """Return the newest version, equal to the probe's; None if the entity does not exist."""
        ...


@runtime_checkable
class Reads(Protocol):
    """Feature `reads`."""

    def read(self, request: ReadRequest) -> Frame:
        """Return the rows, lazily where the engine can.

        Raises:
            StoreError: KDL-STORE-001, the entity does not exist; KDL-STORE-002, it cannot be read.
        """
        ...


@runtime_checkable
class ReportsBadRows(Protocol):
    """A store whose `read` may meet unreadable rows; asked after each read."""

    def bad_rows(self) -> BadRows:
        """Return what the reads of this store have left out so far."""
        ...


@runtime_checkable
class Writes(Protocol):
    """Feature `writes`: the intents `overwrite` and `append`."""

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Write in one commit; on any error the entity is as before."""
        ...


@runtime_checkable
class Merges(Protocol):
    """Feature `merges`."""

    def merge(self, frame: Frame, request: WriteRequest) -> Commit:
        """Upsert by `request.intent.on` in one commit; creates the entity if it does not exist.

        Raises:
            StoreError: KDL-STORE-010, two rows share a key or a key is null.
        """
        ...


@runtime_checkable
class Historises(Protocol):
    """Feature `historises`: the intent `scd2`."""

    def historise(self, frame: Frame, request: WriteRequest) -> Commit:
        """Close changed versions and add new ones in one commit; unchanged keys add none.

        The stored columns are the frame's plus `valid_from`, `valid_to` and `is_current`.

        Raises:
            StoreError: KDL-STORE-010, two rows share a key or a key is null.
        """
        ...


@runtime_checkable
class Replaces(Protocol):
    """Feature `replaces`."""

    def replace(self, frame: Frame, request: WriteRequest) -> Commit:
        """Replace rows in one commit, and only those.

        With an interval slice: the rows of `request.column` inside it, and a frame with a row
        outside of it is refused (KDL-STORE-011). Else: the rows whose `intent.by` values occur in
        the frame (nulls match nulls).
        """
        ...


@runtime_checkable
class Changes(Protocol):
    """Feature `changes`."""

    def changes(self, since: str | None) -> ChangeSet:
        """Return what changed after a cursor; everything as `insert` for None.

        A plain snapshot in place of changes is never returned: what cannot be told is refused with
        StoreError KDL-STORE-012 and a hint (`--full-refresh`).
        """
        ...


@runtime_checkable
class Times(Protocol):
    """Feature `times`."""

    def bounds(self, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column, RFC 3339 UTC; None if empty."""
        ...


@runtime_checkable
class Erases(Protocol):
    """Feature `erases`: remove rows for good, from history, files and logs too."""

    def erase(self, condition: str, info: CommitInfo) -> Commit:
        """Delete matching rows so that no older version, file or log entry holds them."""
        ...


@runtime_checkable
class Maintains(Protocol):
    """Feature `maintains`."""

    def maintain(self, *, keep_s: int) -> Mapping[str, int]:
        """Compact files and drop versions older than `keep_s` seconds; counts by name."""
        ...


@runtime_checkable
class Storage(Protocol):
    """A storage: opens stores."""

    def open(self, address: Address, session: Session) -> Store:
        """Return the entity's store; touches nothing yet."""
        ...


StorageOffer: TypeAlias = Offer[StorageSpec, Storage]


class StorageSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_storage_offers(self) -> tuple[StorageOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the storages that this module implements."""
