"""What is remembered between runs: task records, runs, outcomes, mirrors of cursors, leases.

Truth about data is in the data's own commits; state is a mirror of it plus history. It is opened
once per command. The kernel brings `state:sqlite` (one local file); it is called directly, without
pluggy, on the path of an unchanged run.

A complete plugin:

    from kindling.hooks import hookimpl
    from kindling.hooks.state import State, StateOffer, StateSpec

    def open_state(spec: StateSpec) -> State:
        from kindling_plugin_mine.state import MyState
        return MyState(spec)

    @hookimpl
    def kindling_state_offers() -> tuple[StateOffer, ...]:
        return (StateOffer("mine", open_state),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.hooks import Offer, Plain, hookspec
from kindling.records import Lease, RunRecord, TaskRecord

API = "1.0"

FEATURES = ("history", "leases", "shared")
"""The closed list; `x-<vendor>-<name>` is allowed as well. `shared`: several machines may use it."""


@dataclass(frozen=True, slots=True)
class StateSpec:
    """What a state's factory gets.

    Attributes:
        path: Absolute path of the project's `.kindling` folder, which exists.
        settings: The plugin's own checked settings.
        secret: Resolves a `secret://` reference at the time of use.
    """

    path: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    secret: Callable[[str], str] | None = None


@runtime_checkable
class State(Protocol):
    """The state of all apps of one project; safe for several threads and processes."""

    def tasks(self, app: str, environment: str) -> Mapping[tuple[str, str], TaskRecord]:
        """Return the newest successful record of each task, by (entity, slice text)."""
        ...

    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        """Store a successful task, durably, in one local write; replaces the older record."""
        ...

    def forget(self, app: str, environment: str, entities: Sequence[str]) -> None:
        """Drop the records of entities, all slices: they count as never run."""
        ...

    def start_run(self, record: RunRecord) -> RunRecord:
        """Store a new run; returns the stored one where the id exists (idempotent submission)."""
        ...

    def update_run(self, record: RunRecord) -> None:
        """Replace a run's record."""
        ...

    def put_outcomes(self, run_id: str, outcomes: Sequence[Mapping[str, Plain]]) -> None:
        """Add outcomes (JSON form of `Outcome`, plus `entity` and `slice`) to a run."""
        ...

    def run(self, run_id: str) -> RunRecord | None:
        """Return one run; a unique prefix of its id is enough."""
        ...

    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        """Return the newest runs first; "" stands for every app or environment."""
        ...

    def outcomes(self, run_id: str) -> Sequence[Mapping[str, Plain]]:
        """Return a run's outcomes in the order in which they ended."""
        ...

    def ask_to_cancel(self, run_id: str) -> bool:
        """Ask the process that executes a run to cancel it; False if the run is not active."""
        ...

    def is_cancelled(self, run_id: str) -> bool:
        """Tell whether `ask_to_cancel` was called for the run."""
        ...

    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        """Take a lease, with a fencing token greater than any given for this key before.

        Raises:
            LeaseHeldError: KDL-INFRA-001, somebody holds it; names the owner's pid, host and run.
        """
        ...

    def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong a lease; False if it was lost."""
        ...

    def is_valid(self, key: str, token: int) -> bool:
        """Tell whether a fencing token is the newest of its key and its lease has not expired."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back. Idempotent."""
        ...

    def close(self) -> None:
        """Release files and connections. Idempotent."""
        ...


StateOffer: TypeAlias = Offer[StateSpec, State]


class StateSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_state_offers(self) -> tuple[StateOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the states that this module implements."""
