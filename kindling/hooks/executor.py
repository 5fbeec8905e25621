"""Who runs ready tasks: in threads, processes or elsewhere. It decides neither order nor retries.

One executor per run. The scheduler submits a task the moment its inputs are ready (never more than
`slots` at once) and takes outcomes from `completed()`. Deadlines belong to the executor: a task with
`timeout_s` has an outcome at the latest `timeout_s` plus `grace_s` after its start.

A complete plugin:

    from kindling.hooks import hookimpl
    from kindling.hooks.executor import Executor, ExecutorOffer, ExecutorSpec

    def open_executor(spec: ExecutorSpec) -> Executor:
        from kindling_plugin_mine.executor import MyExecutor
        return MyExecutor(spec)

    @hookimpl
    def kindling_executor_offers() -> tuple[ExecutorOffer, ...]:
        return (ExecutorOffer("mine", open_executor),)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.hooks import Offer, Plain, hookspec

API = "1.0"

FEATURES = ("in-process", "hard-kill", "remote", "memory-limit")
"""The closed list; `x-<vendor>-<name>` is allowed as well."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input of a task.

    Attributes:
        entity: Logical name of the input.
        address: `Address.to_plain()` of where it is read; {} for a memory entity.
        version: Version to read, or "" for the newest.
        how: `read` (from its store), `changes` (since `cursor`), `inline` (call its pipe again) or
            `shared` (attach the frame that a task of this run shared; inlined where that is gone).
        cursor: For `changes`: the token to start from, "" for the beginning.
        shared: For `shared`: `Outcome.shared` of the task that shared it.
        classes: Classes by column: what is masked for the pipes that read it, and inherited by what they
            make. Those of `*` are every column's.
    """

    entity: str
    address: dict[str, Plain]
    version: str = ""
    how: str = "read"
    cursor: str = ""
    shared: dict[str, str] = field(default_factory=dict)
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task, complete: `kindling.run.worker.execute` needs nothing else. JSON types only.

    Attributes:
        run_id: The run.
        app: Reference such as `flights.app:app`; the worker loads it unless it has it already.
        project: Absolute path of the project folder.
        environment: Environment name.
        entity: Logical name of the entity that the task makes.
        slice: `str(Slice)`.
        address: `Address.to_plain()` of the target; {} for a memory entity (the task then shares it).
        platform: Capability name of the platform that computes it.
        inputs: In the order of the pipe's parameters; transitive inputs of inlined memory entities follow.
        fingerprint: What the task makes its rows from.
        attempt: 1 for the first try.
        timeout_s: Seconds from the start after which the work is stopped; None for no limit.
        grace_s: Seconds that stopping may take.
        principal: Workload principal the data is read as.
        overrides: Settings given with `--set` and `App(settings=)`, flat dotted keys.
        full_refresh: Start over: cursors are ignored, the target is rewritten.
        redeclared: The pipe's own code, SQL or options changed, or it never ran: other columns are no drift.
        moment: RFC 3339 UTC instant of the run.
        lease: Key and fencing token that must be valid at the commit, or {}.
        traces: Whether the columns' origins are wanted.
    """

    run_id: str
    app: str
    project: str
    environment: str
    entity: str
    slice: str
    address: dict[str, Plain]
    platform: str
    inputs: tuple[InputSpec, ...]
    fingerprint: str
    attempt: int = 1
    timeout_s: float | None = None
    grace_s: float = 5.0
    principal: str = ""
    overrides: dict[str, Plain] = field(default_factory=dict)
    full_refresh: bool = False
    redeclared: bool = False
    moment: str = ""
    lease: dict[str, Plain] = field(default_factory=dict)
    traces: bool = False

    @property
    def key(self) -> str:
        """The task's key as text: `entity`, or `entity[slice]`."""
        return self.entity if self.slice == "*" else f"{self.entity}[{self.slice}]"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt of a task ended. JSON types only.

    Attributes:
        key: `TaskSpec.key`.
        status: `done`, `failed`, `timed_out`, `cancelled` or `lost` (its engine or process died).
        attempt: Which attempt.
        seconds: Wall time of the attempt.
        version: New version of the target, or "".
        rows: Rows written, or None where unknown.
        metrics: Counts by name, for example `rows_inserted`, `rows_quarantined`.
        expectations: Rows that broke each expectation, by its name.
        warnings: One sentence each.
        cursors: Tokens that were committed, by source entity.
        error: `KindlingError.to_plain()` or {}.
        transient: Whether a retry may help.
        shared: `{"engine": ..., "name": ...}` of the frame that a memory entity's task shared, or {}.
        read: Rows that were read incrementally, by source entity, where free to know.
        settings_read: Names of the settings that the pipe asked its context for.
        secrets_read: References that it asked for.
        secret_versions: Version token of each secret that it was given, by reference.
        exit_code: What the error means for the command, from its class; 0 without one.
        classes: Classes by column of what was made, its own and inherited ones.
        traced: What a `TaskTraced` tells of it, or {}.
    """

    key: str
    status: str
    attempt: int = 1
    seconds: float = 0.0
    version: str = ""
    rows: int | None = None
    metrics: dict[str, int] = field(default_factory=dict)
    expectations: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    cursors: dict[str, str] = field(default_factory=dict)
    error: dict[str, Plain] = field(default_factory=dict)
    transient: bool = False
    shared: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    settings_read: tuple[str, ...] = ()
    secrets_read: tuple[str, ...] = ()
    secret_versions: dict[str, str] = field(default_factory=dict)
    exit_code: int = 0
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    traced: dict[str, Plain] = field(default_factory=dict)


class Runner(Protocol):
    """What the kernel gives to executors that work in its own process."""

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task in the calling thread. Never raises: every error becomes an outcome."""
        ...

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop a running task from another thread: on the engine, and before its commit.

        Args:
            key: `TaskSpec.key`.
            grace_s: Seconds that stopping may take.
            reason: `timed_out` or `cancelled`; becomes the outcome's status.

        Returns:
            True once its engine works for it no more (its Python code may still run, but cannot commit).
        """
        ...


@dataclass(frozen=True, slots=True)
class ExecutorSpec:
    """What an executor's factory gets.

    Attributes:
        slots: How many tasks run at once, at least 1.
        runner: For executors in this process; others call `kindling.run.worker:execute` themselves.
        settings: The plugin's own checked settings.
    """

    slots: int
    runner: Runner
    settings: Mapping[str, Plain] = field(default_factory=dict)


@runtime_checkable
class Executor(Protocol):
    """Runs submitted tasks; called from the scheduler's thread only."""

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        ...

    def submit(self, spec: TaskSpec) -> None:
        """Start a task now; returns at once."""
        ...

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        """Yield outcomes as tasks end; blocks while tasks run, ends when none is left.

        May be called again after more tasks were submitted; submitting between two items is normal.
        Each submitted task has exactly one outcome. An interrupt (Ctrl-C) of the caller loses none,
        nor does an iterator that is dropped before its end.

        Args:
            timeout_s: The iterator also ends once no outcome came for so many seconds, so that the
                scheduler can look at its timers and cancel flags; None waits for as long as it takes.
        """
        ...

    def cancel(self, key: str, grace_s: float) -> None:
        """Stop one task; its outcome says `cancelled` unless it had ended before."""
        ...

    def close(self) -> None:
        """Release threads and processes; running tasks are cancelled first. Idempotent."""
        ...


ExecutorOffer: TypeAlias = Offer[ExecutorSpec, Executor]


class ExecutorSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_executor_offers(self) -> tuple[ExecutorOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the executors that this module implements."""


class Deliveries:
    """How outcomes come from an executor's own threads to the scheduler's; a base for executors.

    An executor adds 1 to `_due` in `submit`; its threads append an outcome to `_done` and then put
    None into `_wake`.
    """

    def __init__(self) -> None:
        self._done: deque[Outcome] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._due = 0

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        """Yield outcomes as tasks end; Ctrl-C while it waits loses none.

        Ends when no task is left, or once no outcome came for `timeout_s`.
        """
        done, wait = self._done, self._wake.get
        while self._due:
            while not done:
                try:
                    wait(True, timeout_s)
                except Empty:
                    if not done:
                        return
            # No call between the two lines and the yield: the interpreter handles signals after calls
            # only, so an outcome is never taken off without being given to the caller.
            outcome = done[0]
            del done[0]
            self._due -= 1
            yield outcome
