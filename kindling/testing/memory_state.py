"""State in a `Memory` object that is handed in: two states over one memory share everything.

For tests: nothing survives the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kindling.errors import LeaseHeldError
from kindling.hooks import Plain
from kindling.records import Lease, RunRecord, TaskRecord


@dataclass(slots=True)
class Memory:
    """What is remembered; it stands for the file or the database."""

    tasks: dict[tuple[str, str, str, str], TaskRecord] = field(default_factory=dict)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    outcomes: dict[str, list[dict[str, Plain]]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    leases: dict[str, tuple[Lease, Mapping[str, Plain]]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)


class MemoryState:
    """A state; see `kindling.hooks.state.State`.

    Args:
        memory: Where it is kept.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def tasks(self, app: str, environment: str) -> Mapping[tuple[str, str], TaskRecord]:
        """Return the newest record of each task."""
        with self.memory.lock:
            return {
                key[2:]: record for key, record in self.memory.tasks.items() if key[:2] == (app, environment)
            }

    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        """Store a record."""
        with self.memory.lock:
            self.memory.tasks[app, environment, record.entity, record.slice] = record

    def forget(self, app: str, environment: str, entities: Sequence[str]) -> None:
        """Drop the records of entities."""
        with self.memory.lock:
            for key in list(self.memory.tasks):
                if key[:2] == (app, environment) and key[2] in entities:
                    del self.memory.tasks[key]

    def start_run(self, record: RunRecord) -> RunRecord:
        """Store a run, or return the stored one."""
        with self.memory.lock:
            return self.memory.runs.setdefault(record.run_id, record)

    def update_run(self, record: RunRecord) -> None:
        """Replace a run."""
        with self.memory.lock:
            self.memory.runs[record.run_id] = record

    def put_outcomes(self, run_id: str, outcomes: Sequence[Mapping[str, Plain]]) -> None:
        """Add outcomes."""
        with self.memory.lock:
            self.memory.outcomes.setdefault(run_id, []).extend(dict(outcome) for outcome in outcomes)

    def run(self, run_id: str) -> RunRecord | None:
        """Return a run by its id or a unique prefix."""
        with self.memory.lock:
            found = [record for key, record in self.memory.runs.items() if key.startswith(run_id)]
            return self.memory.runs.get(run_id) or (found[0] if len(found) == 1 else None)

    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        """Return the newest runs first."""
        with self.memory.lock:
            found = [
                record
                for record in self.memory.runs.values()
                if app in ("", record.app) and environment in ("", record.environment)
            ]
        return sorted(found, key=lambda record: record.started, reverse=True)[:limit]

    def outcomes(self, run_id: str) -> Sequence[Mapping[str, Plain]]:
        """Return a run's outcomes in order."""
        with self.memory.lock:
            return tuple(self.memory.outcomes.get(run_id, ()))

    def ask_to_cancel(self, run_id: str) -> bool:
        """Note the wish, for a run that is active."""
        with self.memory.lock:
            record = self.memory.runs.get(run_id)
            active = record is not None and record.status == "running"
            if active:
                self.memory.cancelled.add(run_id)
            return active

    def is_cancelled(self, run_id: str) -> bool:
        """Tell whether the wish was noted."""
        with self.memory.lock:
            return run_id in self.memory.cancelled

    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        """Take a lease that is free or expired."""
        with self.memory.lock:
            held = self.memory.leases.get(key)
            if held is not None and held[0].expires > time.time():
                who = held[1]
                raise LeaseHeldError(
                    "KDL-INFRA-001",
                    f"{key!r} is held by another run",
                    why=f"run {who.get('run_id')} of pid {who.get('pid')} on {who.get('host')} works on it",
                    hint=f"wait for it, or cancel it: kindling runs cancel {who.get('run_id')}",
                    key=key,
                    owner=dict(who),
                )
            self.memory.tokens[key] = self.memory.tokens.get(key, 0) + 1
            lease = Lease(key, self.memory.tokens[key], time.time() + ttl_s)
            self.memory.leases[key] = (lease, dict(owner))
            return lease

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease that is still held."""
        with self.memory.lock:
            if not self.is_valid(lease.key, lease.token):
                return False
            owner = self.memory.leases[lease.key][1]
            self.memory.leases[lease.key] = (lease.replace(expires=time.time() + ttl_s), owner)
            return True

    def is_valid(self, key: str, token: int) -> bool:
        """Tell whether a token is the newest and its lease lives."""
        with self.memory.lock:
            held = self.memory.leases.get(key)
            return held is not None and held[0].token == token and held[0].expires > time.time()

    def release(self, lease: Lease) -> None:
        """Give a lease back, unless somebody else has it."""
        with self.memory.lock:
            held = self.memory.leases.get(lease.key)
            if held is not None and held[0].token == lease.token:
                del self.memory.leases[lease.key]

    def close(self) -> None:
        """Release nothing: the memory belongs to the caller."""
