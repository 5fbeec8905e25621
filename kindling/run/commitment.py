"""Commit a task's frame: choose the store's way for the intent, quarantine first, count after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from kindling.addresses import Address, Slice
from kindling.errors import RunError, StoreError
from kindling.hooks.platform import Shares
from kindling.hooks.storage import (
    Commit,
    CommitInfo,
    Historises,
    Merges,
    ReadRequest,
    Reads,
    Replaces,
    WriteRequest,
    Writes,
)
from kindling.intents import Intent
from kindling.run.expectations import BROKEN, Checked, apply_rules, count_broken
from kindling.schemas import Field, Schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks import Frame
    from kindling.hooks.executor import TaskSpec
    from kindling.hooks.platform import Session
    from kindling.hooks.storage import Storage, Store
    from kindling.pipe import Pipe

P = TypeVar("P")
QUARANTINE = "__quarantine"


@dataclass(slots=True)
class Commitment:
    """What committing needs.

    Attributes:
        spec: The task.
        session: Its session.
        pipe: The declaration.
        storage: Opens a storage by capability name.
        app_name: The app that owns the target.
        guard: Raises when the task was stopped or lost its lease.
        cursors: Tokens to commit, by source entity.
    """

    spec: TaskSpec
    session: Session
    pipe: Pipe[...]
    storage: Callable[[str], Storage]
    app_name: str
    guard: Callable[[], None]
    cursors: dict[str, str]

    def store(self) -> Store:
        """Open the target."""
        address = Address.from_plain(self.spec.address)
        return self.storage(address.storage).open(address, self.session)

    def commit(self, frame: Frame, schema: Schema) -> tuple[Commit, dict[str, int], int]:
        """Check expectations and commit.

        Returns:
            The target's commit, broken rows by expectation, rows in quarantine.
        """
        checked = apply_rules(self.session, frame, self.pipe.rules, schema, self._computed_once)
        counts = dict(checked.counts)
        quarantined = self._commit_quarantine(checked, schema, counts)
        commit = self._write(self.store(), checked.frame, self._request(schema))
        counts.update(self._count_after(checked, commit))
        return commit, counts, quarantined

    def _computed_once(self, frame: Frame) -> Frame:
        """Keep a frame that is used twice, where the session can; else the engine computes it twice."""
        if not isinstance(self.session, Shares):
            return frame
        return self.session.attach(self.session.share(frame, f"{self.spec.run_id}_{self.spec.fingerprint}_q"))

    def _count_after(self, checked: Checked, commit: Commit) -> dict[str, int]:
        """Count `warn` rules over what was committed if that is the whole table, else over the frame."""
        if not checked.warn:
            return {}
        store = self.store()
        whole = self.pipe.write.name == "overwrite" and self.spec.slice == "*"
        if whole and isinstance(store, Reads):
            frame = store.read(ReadRequest(version=commit.version))
            return count_broken(self.session, frame, checked.warn)
        return count_broken(self.session, checked.frame, checked.warn)

    def _commit_quarantine(self, checked: Checked, schema: Schema, counts: dict[str, int]) -> int:
        if checked.quarantine is None:
            return 0
        place = quarantine_of(Address.from_plain(self.spec.address))
        store = self.storage(place.storage).open(place, self.session)
        fields = tuple(Field(field.name, field.type) for field in schema.fields)
        kept = Schema((*fields, Field(BROKEN, "string")))
        # Rows that are read again are quarantined again: what replaces the table replaces them as well.
        intent = Intent("append" if self.pipe.incremental else "overwrite")
        request = self._request(kept, intent=intent, entity=self.spec.entity + QUARANTINE, drift="evolve")
        frame = self.session.cast(checked.quarantine, kept)
        if not isinstance(store, Writes):
            raise RunError("KDL-RUN-017", f"the storage {place.storage!r} cannot keep a quarantine")
        commit = store.write(frame, request)
        for name, rule in self.pipe.rules.items():
            if rule.on_fail == "quarantine":
                counts.setdefault(name, 0)
        rows = commit.rows or 0
        if rows:
            names = [name for name, rule in self.pipe.rules.items() if rule.on_fail == "quarantine"]
            bad = {name: f"concat(', ', {BROKEN}, ', ') LIKE '%, {_like(name)}, %'" for name in names}
            counts.update(count_broken(self.session, checked.quarantine, bad))
        return rows

    def _request(
        self, schema: Schema, *, intent: Intent | None = None, entity: str = "", drift: str = ""
    ) -> WriteRequest:
        piece = Slice.parse(self.spec.slice)
        every = self.pipe.incremental
        return WriteRequest(
            intent=intent or self.pipe.write,
            schema=schema,
            info=CommitInfo(
                app=self.app_name,
                environment=self.spec.environment,
                entity=entity or self.spec.entity,
                slice=self.spec.slice,
                # what is read again after a kill has the same fingerprint, but another run id
                run_id=self.spec.fingerprint if entity else self.spec.run_id,
                fingerprint=self.spec.fingerprint,
                cursors=dict(self.cursors),
            ),
            drift=drift or self.pipe.drift,
            partition_by=() if entity else self.pipe.partition_by,
            column=every.column if every and piece.kind == "interval" and not entity else "",
            slice=piece if not entity else Slice(),
            guard=self.guard,
            moment=self.spec.moment,
        )

    def _write(self, store: Store, frame: Frame, request: WriteRequest) -> Commit:
        """Carry out the intent; what a store lacks was refused by the plan already."""
        if request.slice.kind == "interval":
            return _offered(store, Replaces, request).replace(frame, request)
        if self.spec.full_refresh and request.intent.name != "overwrite":
            frame, request = self._from_scratch(frame, request)
        name = request.intent.name
        if name in ("overwrite", "append"):
            return _offered(store, Writes, request).write(frame, request)
        if name == "merge":
            return _offered(store, Merges, request).merge(frame, request)
        if name == "scd2":
            return _offered(store, Historises, request).historise(frame, request)
        return _offered(store, Replaces, request).replace(frame, request)

    def _from_scratch(self, frame: Frame, request: WriteRequest) -> tuple[Frame, WriteRequest]:
        """Turn an intent into an overwrite that has its result on an empty table: `--full-refresh`."""
        intent, schema = request.intent, request.schema
        if intent.on:
            self._check_keys(frame, intent.on)
        if intent.name == "scd2":
            added = (
                Field("valid_from", "timestamp"),
                Field("valid_to", "timestamp"),
                Field("is_current", "boolean"),
            )
            columns = [(n, f"`{n}`") for n in schema.names]
            columns += [
                ("valid_from", f"CAST('{request.moment}' AS TIMESTAMP)"),
                ("valid_to", "CAST(NULL AS TIMESTAMP)"),
                ("is_current", "true"),
            ]
            schema = Schema((*schema.fields, *added))
            frame = self.session.cast(self.session.select(frame, columns), schema)
        fresh = WriteRequest(
            intent=Intent("overwrite"),
            schema=schema,
            info=request.info,
            drift="evolve",
            partition_by=request.partition_by,
            guard=request.guard,
            moment=request.moment,
        )
        return frame, fresh

    def _check_keys(self, frame: Frame, on: tuple[str, ...]) -> None:
        keys = ", ".join(f"`{name}`" for name in on)
        nulls = " OR ".join(f"`{name}` IS NULL" for name in on)
        row = self.session.aggregate(
            frame,
            [
                ("total", "count(1)"),
                ("keys", f"count(DISTINCT {keys})"),
                ("nulls", f"coalesce(sum(CASE WHEN {nulls} THEN 1 ELSE 0 END), 0)"),
            ],
        )
        total, distinct, empty = (int(str(row[name])) for name in ("total", "keys", "nulls"))
        if empty or distinct < total:
            raise StoreError(
                "KDL-STORE-010",
                f"the rows of {self.spec.entity!r} have no unique key",
                why=f"{total} rows, {distinct} distinct values of {', '.join(on)}, {empty} rows with a null",
                hint="use k.dedupe(df, on=[...], order_by=[...]) in the pipe",
            )


def _like(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'").replace("%", "\\\\%").replace("_", "\\\\_")


def quarantine_of(address: Address) -> Address:
    """Return where the rows are kept that broke an entity's expectations."""
    return address.replace(
        parts=(*address.parts[:-1], address.parts[-1] + QUARANTINE),
        uri=address.uri.rstrip("/") + QUARANTINE if address.uri else "",
    )


def _offered(store: Store, protocol: type[P], request: WriteRequest) -> P:
    if not isinstance(store, protocol):
        raise RunError(
            "KDL-RUN-018",
            f"the storage of {request.info.entity!r} does not implement {request.intent.name!r}",
            why=f"it declares it, but its store has no {protocol.__name__}",
            hint="tell the plugin's author: its conformance suite shows it",
        )
    return store
