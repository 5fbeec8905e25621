"""The Pipe declaration: a function or an SQL text that makes one entity. It runs nothing."""

from __future__ import annotations

from kindling.entity import Entity
from kindling.errors import UsageError
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Generic, ParamSpec, TypedDict

    from kindling.app import App
    from kindling.entity import Place, StorageChoice
    from kindling.frames import DataFrame
    from kindling.intents import Incremental, Intent

    P = ParamSpec("P")

    class _Called(Generic[P]):
        """Carries the function's parameters for type checkers."""

    class PipeOptions(TypedDict, total=False):
        """Keyword arguments of `App.sql`; see `App.pipe`."""

        write: Intent
        incremental: Incremental
        expect: Mapping[str, str | Rule]
        on_fail: str
        schema: object
        classify: Mapping[str, str]
        storage: StorageChoice
        tags: Sequence[str]
        drift: str
        partition_by: Sequence[str]
        timeout_s: float
        retries: int
        version: str
        platform: str

    class NamedPipeOptions(PipeOptions, total=False):
        """Keyword arguments of `App.pipe`."""

        name: str

else:
    P = None

    class _Called:
        """`typing.Generic` costs 12 ms to import; only type checkers need it."""

        __class_getitem__ = classmethod(lambda cls, _item: cls)


ON_FAIL = ("warn", "drop", "quarantine", "fail")
DRIFT = ("fail", "warn", "evolve")


class Rule(Value):
    """One expectation with its own consequence.

    Attributes:
        condition: Spark SQL condition of a good row; null counts as broken.
        on_fail: `warn`, `drop`, `quarantine` or `fail`.
    """

    condition: str
    on_fail: str = ""


def rule(condition: str, *, on_fail: str) -> Rule:
    """State an expectation whose consequence differs from the pipe's `on_fail`."""
    return Rule(condition, on_fail)


class Pipe(Entity, _Called[P]):
    """A pipe, which is also the entity that it makes; still callable as the plain function.

    Attributes:
        inputs: Handles in the order of the function's parameters.
        function: The plain function, or None for SQL.
        sql: SQL text with `{placeholders}`, or "".
        placeholders: Placeholder names, one for each input; () for functions.
        write: Write intent.
        incremental: How much of the inputs it reads, or None for all.
        rules: Expectations by name, each with its consequence.
        takes_context: Whether the function takes a `Context` first.
        options: `drift`, `partition_by`, `timeout_s`, `retries`, `version`, `platform`.
    """

    __slots__ = (
        "drift",
        "function",
        "incremental",
        "inputs",
        "partition_by",
        "placeholders",
        "platform",
        "retries",
        "rules",
        "sql",
        "takes_context",
        "timeout_s",
        "version",
        "write",
    )

    def __init__(
        self,
        app: App,
        name: str,
        *,
        place: Place,
        inputs: tuple[Entity, ...],
        function: Callable[P, object] | None,
        sql: str = "",
        placeholders: tuple[str, ...] = (),
        takes_context: bool = False,
        rules: Mapping[str, Rule],
        settled: Mapping[str, object],
    ) -> None:
        self.inputs = inputs
        self.function = function
        self.sql = sql
        self.placeholders = placeholders
        self.takes_context = takes_context
        self.rules = dict(rules)
        self.write: Intent = settled["write"]  # type: ignore[assignment]  # App.pipe checked the options
        self.incremental: Incremental | None = settled["incremental"]  # type: ignore[assignment]
        self.drift: str = settled["drift"]  # type: ignore[assignment]
        self.partition_by: tuple[str, ...] = tuple(settled["partition_by"])  # type: ignore[arg-type]
        self.timeout_s: float | None = settled["timeout_s"]  # type: ignore[assignment]
        self.retries: int | None = settled["retries"]  # type: ignore[assignment]
        self.version: str = settled["version"]  # type: ignore[assignment]
        self.platform: str = settled["platform"]  # type: ignore[assignment]
        super().__init__(
            app,
            name,
            place=place,
            storage=settled["storage"],  # type: ignore[arg-type]
            schema=settled["schema"],
            classify=settled["classify"],  # type: ignore[arg-type]
            tags=tuple(settled["tags"]),  # type: ignore[arg-type]
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> DataFrame:
        """Call the plain function: a pipe is unit-tested by calling it."""
        if self.function is None:
            raise UsageError(
                "KDL-USE-011",
                f"{self.name!r} is an SQL pipe and cannot be called",
                hint="test it with kindling.testing.run_pipe",
            )
        return self.function(*args, **kwargs)  # type: ignore[return-value]  # the decorator's type says so
