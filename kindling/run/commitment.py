"""Commit a task's frame: choose the store's way for the intent, quarantine first, count after."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
from kindling.plan.parts import DIGEST_LENGTH
from kindling.run.expectations import BROKEN, Checked, apply_rules, count_broken, rules_of
from kindling.schemas import Field, Schema, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks import Frame
    from kindling.hooks.executor import TaskSpec
    from kindling.hooks.platform import Session
    from kindling.hooks.storage import Storage, Store
    from kindling.pipe import Pipe

P = TypeVar("P")
QUARANTINE = "__quarantine"
SLICE = "_slice"
"""Column of the quarantine of an entity in slices of time: the slice in which a row was read."""
_ALL = "\0"  # no expectation has this name


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
        checked = apply_rules(
            self.session,
            frame,
            self.pipe.rules,
            schema,
            entity=self.spec.entity,
            keep=self._computed_once,
        )
        counts = dict(checked.counts)
        quarantined = self._commit_quarantine(checked, schema, counts)
        commit = self._write(self.store(), checked.frame, self._request(schema))
        counts.update(self._count_after(checked, schema))
        return commit, counts, quarantined

    def _computed_once(self, frame: Frame) -> Frame:
        """Keep a frame that is used twice, where the session can; else the engine computes it twice."""
        if not isinstance(self.session, Shares):
            return frame
        name = f"{self.spec.run_id}_{self.spec.fingerprint}_{self.spec.attempt}_q"
        return self.session.attach(self.session.share(frame, name))

    def _count_after(self, checked: Checked, schema: Schema) -> dict[str, int]:
        """Count `warn` rules over what was committed if that is the whole table, else over the frame."""
        if not checked.warn:
            return {}
        store = self.store()
        whole = self.pipe.write.name == "overwrite" and self.spec.slice == "*"
        stored = store.schema() if whole and isinstance(store, Reads) else None
        if stored is not None and isinstance(store, Reads) and set(stored.names) >= set(schema.names):
            return count_broken(self.session, store.read(ReadRequest()), checked.warn)
        return count_broken(self.session, checked.frame, checked.warn)

    def _commit_quarantine(self, checked: Checked, schema: Schema, counts: dict[str, int]) -> int:
        """Commit the broken rows before the target; what is read again replaces them or adds none twice."""
        if checked.quarantine is None:
            return 0
        place = quarantine_of(Address.from_plain(self.spec.address))
        store = self.storage(place.storage).open(place, self.session)
        frame, request = self._quarantine_request(checked.quarantine, schema)
        if request.intent.name == "replace":
            _offered(store, Replaces, request).replace(frame, request)
        elif isinstance(store, Writes):
            store.write(frame, request)
        else:
            raise RunError("KDL-RUN-017", f"the storage {place.storage!r} cannot keep a quarantine")
        rules = {**rules_of(self.pipe.rules, "quarantine"), _ALL: "true"}
        broken = count_broken(self.session, checked.quarantine, rules)
        total = broken.pop(_ALL)
        counts.update(broken)
        return total

    def _quarantine_request(self, frame: Frame, schema: Schema) -> tuple[Frame, WriteRequest]:
        """Return how to write the quarantine: as the target is written, so that both hold one state."""
        fields = [Field(field.name, field.type) for field in schema.fields]
        intent = Intent("append" if self.pipe.incremental and not self.spec.full_refresh else "overwrite")
        columns = [(name, quoted(name)) for name in (*schema.names, BROKEN)]
        kept = [*fields, Field(BROKEN, "string")]
        if self.spec.slice != "*":  # its rows may have any time, so the slice is told by a column of its own
            intent = Intent("replace", by=(SLICE,))
            kept.append(Field(SLICE, "string"))
            columns.append((SLICE, f"'{self.spec.slice}'"))
        made = self.session.cast(self.session.select(frame, columns), Schema(tuple(kept)))
        request = self._request(Schema(tuple(kept)))
        # what is read again after a kill has the same fingerprint, but another run id
        token = request.info.fingerprint[:DIGEST_LENGTH]
        info = replace(request.info, entity=request.info.entity + QUARANTINE, run_id=token, fingerprint=token)
        return made, replace(
            request,
            intent=intent,
            info=info,
            drift="replace" if intent.name == "overwrite" else "evolve",
            partition_by=(),
            column="",
            slice=Slice(),
        )

    def _request(self, schema: Schema) -> WriteRequest:
        piece = Slice.parse(self.spec.slice)
        every = self.pipe.incremental
        return WriteRequest(
            intent=self.pipe.write,
            schema=schema,
            info=CommitInfo(
                app=self.app_name,
                environment=self.spec.environment,
                entity=self.spec.entity,
                slice=self.spec.slice,
                run_id=self.spec.run_id,
                fingerprint=self.spec.fingerprint,
                cursors=dict(self.cursors),
            ),
            drift=self._drift(),
            partition_by=self.pipe.partition_by,
            column=every.column if every and piece.kind == "interval" else "",
            slice=piece,
            guard=self.guard,
            moment=self.spec.moment,
        )

    def _drift(self) -> str:
        """Return what to do where columns differ: what the declaration itself changed is no drift."""
        if self.pipe.write.name == "overwrite" and self.spec.redeclared:
            return "replace"
        return "evolve" if self.spec.full_refresh else self.pipe.drift

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
            columns = [(name, quoted(name)) for name in schema.names]
            columns += [
                ("valid_from", f"CAST('{request.moment}' AS TIMESTAMP)"),
                ("valid_to", "CAST(NULL AS TIMESTAMP)"),
                ("is_current", "true"),
            ]
            schema = Schema((*schema.fields, *added))
            frame = self.session.cast(self.session.select(frame, columns), schema)
        return frame, replace(request, intent=Intent("overwrite"), schema=schema, drift="replace")

    def _check_keys(self, frame: Frame, on: tuple[str, ...]) -> None:
        keys = ", ".join(quoted(name) for name in on)
        nulls = " OR ".join(f"{quoted(name)} IS NULL" for name in on)
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
