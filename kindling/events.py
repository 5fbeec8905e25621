"""What happens in a run, as frozen values: the one stream for progress, history, lineage, audit.

An event is stored as one JSON line: `{"schema": "kindling.event/1", "type": "TaskFinished", ...}`.
Sinks receive them in the order of `seq`, which starts at 1 and has no gaps within a run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

SCHEMA = "kindling.event/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have.

    Attributes:
        run_id: The run.
        seq: Place in the run's stream.
        at: RFC 3339 UTC with milliseconds.
    """

    run_id: str
    seq: int
    at: str

    def to_plain(self) -> dict[str, object]:
        """Return the event as JSON types, its class name under `type`."""
        return {"schema": SCHEMA, "type": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """A run begins.

    Attributes:
        app: App name.
        environment: Environment name.
        platform: Default platform.
        tasks: Keys of the tasks that will run, in the order of the plan.
        unchanged: Number of tasks that need not run.
        submitter: Who asked for it.
        principal: Workload principal that the data is read as.
        slots: Tasks that run at once.
    """

    app: str
    environment: str
    platform: str
    tasks: tuple[str, ...]
    unchanged: int
    submitter: str
    principal: str
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStarted(Event):
    """A task was given to the executor.

    Attributes:
        key: Task key as text.
        attempt: 1 for the first try.
        why: Its first reason from the plan.
    """

    key: str
    attempt: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRetried(Event):
    """A task failed with a transient error and will run again.

    Attributes:
        key: Task key as text.
        attempt: The attempt that failed.
        wait_s: Seconds until the next one.
        error: What failed, one line.
    """

    key: str
    attempt: int
    wait_s: float
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished(Event):
    """A task's last attempt ended.

    Attributes:
        key: Task key as text.
        status: `done`, `failed`, `timed_out`, `cancelled` or `lost`.
        attempt: Which attempt.
        seconds: Wall time of the attempt.
        rows: Rows written, or None.
        version: New version of the target, or "".
        metrics: Counts by name.
        expectations: Rows that broke each expectation.
        warnings: One sentence each.
        error: `KindlingError.to_plain()` or {}.
    """

    key: str
    status: str
    attempt: int
    seconds: float
    rows: int | None = None
    version: str = ""
    metrics: dict[str, int] = field(default_factory=dict)
    expectations: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    error: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTraced(Event):
    """What a task that was done read and wrote; told right before its `TaskFinished`, once.

    Told where a lineage sink listens, or `run.trace` is set; not of a task that found nothing new to read.

    Attributes:
        key: Task key as text.
        target: `{"entity", "address" (`Address.to_plain()`), "version", "schema" (DDL)}`.
        inputs: The same of each input that was read, `schema` as it was read.
        lineage: `ColumnLineage.to_plain()`, relative to `inputs`; {} where it is opaque.
        masked: Columns that were masked while reading: `[entity, column, mask]` each.
        classes: Classes by column of the target, its own and inherited ones.
        intent: Name of the write intent.
    """

    key: str
    target: dict[str, object]
    inputs: tuple[dict[str, object], ...] = ()
    lineage: dict[str, object] = field(default_factory=dict)
    masked: tuple[tuple[str, str, str], ...] = ()
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    intent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSkipped(Event):
    """A task did not run because one before it failed or the run stops.

    Attributes:
        key: Task key as text.
        cause: Key of the task that failed first, or "".
    """

    key: str
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat(Event):
    """The run is alive: emitted while nothing else happens.

    Attributes:
        running: Keys and seconds since their start.
    """

    running: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFailed(Event):
    """A sink that is not essential failed and hears no more.

    Attributes:
        sink: Its capability.
        error: What failed, one line.
    """

    sink: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """A run ended.

    Attributes:
        status: `done`, `failed` or `cancelled`.
        exit_code: Of the command.
        seconds: Wall time.
        counts: Tasks by status, skipped and unchanged ones included.
    """

    status: str
    exit_code: int
    seconds: float
    counts: dict[str, int]


TYPES: dict[str, type[Event]] = {
    cls.__name__: cls
    for cls in (
        RunStarted,
        TaskStarted,
        TaskRetried,
        TaskFinished,
        TaskTraced,
        TaskSkipped,
        Heartbeat,
        SinkFailed,
        RunFinished,
    )
}
"""Event classes by name; never changed at run time."""
