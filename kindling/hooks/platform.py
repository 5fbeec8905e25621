"""Where frames are computed: opens sessions on an engine. It does not know any table format.

A platform is made once per worker process, `open_session` is called once per task, in the thread that
runs the task. Conditions and expressions that the kernel hands to a session are Spark SQL text;
a platform translates them. Frames of two sessions are never mixed.

A complete plugin (`kindling.json` lists `"platform:mine"` with its features):

    from kindling.hooks import hookimpl
    from kindling.hooks.platform import Platform, PlatformOffer, PlatformSpec

    def open_platform(spec: PlatformSpec) -> Platform:
        from kindling_plugin_mine.engine import MyPlatform   # heavy imports here
        return MyPlatform(spec.settings)

    @hookimpl
    def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
        return (PlatformOffer("mine", open_platform),)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from kindling.frames import FrameApi
from kindling.hooks import Frame, Offer, Plain, Scalar, hookspec
from kindling.lineage import ColumnLineage
from kindling.schemas import Schema

API = "1.1"

FEATURES = (
    "spark-sql",  # Sql.execute takes Spark SQL statements, DML on delta.`path` included
    "arrow-in",  # ArrowIn
    "arrow-out",  # ArrowOut
    "paths",  # Paths: reads and writes parquet files by URI
    "delta-native",  # Paths with format "delta": load, and save with mode append or overwrite
    "cancel",  # Platform.cancel stops the work on the engine
    "share",  # Shares
    "observe",  # reserved: metrics while writing
    "stream",  # reserved
    "isolates",  # a session's views are invisible to pipe code of other sessions
    "hosts-graph",  # reserved: the platform owns the graph
    "lineage",  # Traces (since 1.1)
    "keys",  # Keys (since 1.1)
    "tags",  # the engine shows a task's tag in its own monitoring
)
"""The closed list; `catalog:<name>` and `x-<vendor>-<name>` are allowed as well."""


@dataclass(frozen=True, slots=True)
class PlatformSpec:
    """What a platform's factory gets.

    Attributes:
        environment: The environment's name, for example `dev`.
        settings: The plugin's own checked settings.
        engine_settings: The `[spark]` table flattened to dotted keys; values as text.
        work_dir: An existing folder for this worker's scratch files, removed by the kernel.
        secret: Resolves a `secret://` reference at the time of use.
    """

    environment: str
    settings: Mapping[str, Plain] = field(default_factory=dict)
    engine_settings: Mapping[str, str] = field(default_factory=dict)
    work_dir: str = ""
    secret: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """One task's session.

    Attributes:
        tag: Unique among the live sessions; `Platform.cancel` takes it, engines show it.
        engine_settings: Settings of this task alone, dotted keys.
    """

    tag: str
    engine_settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that were brought to the driver: column names and one tuple per row, in order."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True, slots=True)
class SharedRef:
    """A computed frame that other sessions of the same engine may attach; it dies with the engine."""

    engine: str
    name: str


@dataclass(frozen=True, slots=True)
class PathRead:
    """Files or one table to load.

    Attributes:
        format: `parquet`, or `delta` where the session has `delta-native`.
        uris: Absolute paths or URLs; exactly one for `delta`, never empty.
        schema: The columns to expect; None to take the files' own.
        version: Delta version to read; None for the newest.
    """

    format: str
    uris: tuple[str, ...]
    schema: Schema | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class PathWrite:
    """A folder or one table to save to.

    Attributes:
        format: `parquet`, or `delta` where the session has `delta-native`.
        uri: Absolute path or URL of the folder.
        mode: `append`, `overwrite` or `error` (refuse an existing target).
        partition_by: Partition columns, in order.
        user_metadata: Delta only: stored as `userMetadata` in this very commit.
        overwrite_schema: Delta only, with `overwrite`: the frame's schema replaces the table's.
    """

    format: str
    uri: str
    mode: str
    partition_by: tuple[str, ...] = ()
    user_metadata: str = ""
    overwrite_schema: bool = False


@runtime_checkable
class Session(Protocol):
    """A live connection for one task: its own temporary views, one thread at a time."""

    @property
    def platform(self) -> str:
        """The platform's capability name."""
        ...

    @property
    def engine(self) -> str:
        """Identity of the live engine process; another one after a restart."""
        ...

    @property
    def features(self) -> frozenset[str]:
        """What this session can do, from `FEATURES`."""
        ...

    @property
    def frames(self) -> FrameApi:
        """The modules that pipe code reaches through `k.F`, `k.Window` and `k.types`."""
        ...

    def is_frame(self, candidate: object) -> bool:
        """Tell whether an object is a frame of this session's engine."""
        ...

    def schema(self, frame: Frame) -> Schema:
        """Return a frame's engine-neutral schema, analysed but not computed.

        Types are those that Spark would give: `count(*)` is `bigint`, `sum(int)` is `bigint`,
        `row_number()` is `int`.
        """
        ...

    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        """Return `(alias, Spark SQL expression)` pairs as a frame, in order, lazily."""
        ...

    def where(self, frame: Frame, condition: str) -> Frame:
        """Keep the rows for which a Spark SQL condition is true, lazily."""
        ...

    def cast(self, frame: Frame, schema: Schema) -> Frame:
        """Return exactly the schema's columns in its order, cast to its types, lazily.

        A value that does not fit its type fails the computation, it never becomes null.
        """
        ...

    def aggregate(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """Compute one row of `(alias, Spark SQL aggregate)` pairs; one request to the engine."""
        ...

    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Return the result of a Spark SQL query in which `frames` are visible as tables, lazily.

        Args:
            text: One SELECT (WITH allowed), in Spark's dialect.
            frames: Table names as they stand in the text, plain identifiers.
        """
        ...

    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        """Return the frame, made to fail while it is computed once a row matches.

        Args:
            frame: The frame to guard.
            rules: Spark SQL condition of a *bad* row by marker; the marker stands in the error's text.
        """
        ...

    def preview(self, frame: Frame, limit: int) -> Rows:
        """Bring at most `limit` rows to the driver; one request to the engine."""
        ...

    def close(self) -> None:
        """Drop the session's views and release it; the engine lives on. Idempotent."""
        ...


@runtime_checkable
class ArrowIn(Protocol):
    """Feature `arrow-in`."""

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data with exactly this schema.

        Args:
            stream: Anything with `__arrow_c_stream__`, for example a `pyarrow.Table`.
            schema: Its engine-neutral schema.
        """
        ...


@runtime_checkable
class ArrowOut(Protocol):
    """Feature `arrow-out`."""

    def to_arrow(self, frame: Frame) -> object:
        """Compute a frame; return a `pyarrow.RecordBatchReader` or `Table` of the neutral types."""
        ...


@runtime_checkable
class Paths(Protocol):
    """Features `paths` and `delta-native`."""

    def load(self, source: PathRead) -> Frame:
        """Return the files or the table as a frame, lazily."""
        ...

    def save(self, frame: Frame, target: PathWrite) -> None:
        """Compute a frame and write it; nothing remains visible of a failed write to Delta."""
        ...


@runtime_checkable
class Traces(Protocol):
    """Feature `lineage`."""

    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> ColumnLineage | None:
        """Return what the columns of a frame come from, out of its own plan; nothing is computed.

        Args:
            frame: What a pipe returned, before it is cast to its schema.
            inputs: The frames that the pipe was called with, by entity. Tracing stops at them.

        Returns:
            None where any part of the plan is not understood (opaque): nothing is guessed.
        """
        ...


@runtime_checkable
class Keys(Protocol):
    """Feature `keys`."""

    def select_with_keys(
        self, frame: Frame, columns: Sequence[tuple[str, str]], keys: Mapping[str, bytes]
    ) -> Frame:
        """Return `(alias, Spark SQL expression)` pairs over the frame and one row of keys, lazily.

        Key material stands in no plan, explain, column name, log or error: it goes to the engine once, as
        a view of this session with a name that cannot be guessed.

        Args:
            frame: The frame.
            columns: As in `Session.select`; the expressions may name key columns.
            keys: Binary values by column name; the names are no columns of the frame.
        """
        ...

    def drop_keys(self) -> None:
        """Drop the key views: frames that need them can be computed no more. Idempotent; in `close` too."""
        ...


@runtime_checkable
class Sql(Protocol):
    """Feature `spark-sql`."""

    def execute(self, statement: str) -> Rows:
        """Run one Spark SQL statement, DML included, and bring its rows."""
        ...


@runtime_checkable
class Shares(Protocol):
    """Feature `share`."""

    def share(self, frame: Frame, name: str) -> SharedRef:
        """Compute a frame once and keep it on the engine under a name unique in the run."""
        ...

    def attach(self, ref: SharedRef) -> Frame:
        """Return a shared frame in this session; raises EngineLostError if its engine is gone."""
        ...


@runtime_checkable
class Platform(Protocol):
    """One engine in one worker process; used from several threads."""

    def open_session(self, spec: SessionSpec) -> Session:
        """Start the engine if needed and return a session for the calling thread.

        Raises:
            EngineLostError: The engine cannot be started; the text says why.
        """
        ...

    def cancel(self, tag: str, grace_s: float) -> bool:
        """Stop what the tagged session is doing on the engine, from another thread.

        Escalates interrupt -> health -> kill within about `grace_s`. After a kill the other
        sessions raise EngineLostError and the next `open_session` starts a new engine.

        Returns:
            True once nothing of the session runs on the engine any more.
        """
        ...

    def is_healthy(self) -> bool:
        """Tell whether the engine answers within a few seconds; False before its start."""
        ...

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether an error of this engine may vanish when the task is retried."""
        ...

    def explain(self, error: BaseException) -> str:
        """Return an engine error's message for people: one or two lines, no stack."""
        ...

    def close(self) -> None:
        """Stop the engine and everything that was started. Idempotent, never hangs."""
        ...


PlatformOffer: TypeAlias = Offer[PlatformSpec, Platform]


class PlatformSpecs:
    """The hookspec of the kind."""

    @hookspec
    def kindling_platform_offers(self) -> tuple[PlatformOffer, ...]:  # type: ignore[empty-body]  # a specification
        """Return the platforms that this module implements."""


__all__ = [
    "API",
    "FEATURES",
    "ArrowIn",
    "ArrowOut",
    "FrameApi",
    "PathRead",
    "PathWrite",
    "Paths",
    "Platform",
    "PlatformOffer",
    "PlatformSpec",
    "PlatformSpecs",
    "Rows",
    "Scalar",
    "Session",
    "SessionSpec",
    "SharedRef",
    "Shares",
    "Sql",
]
