"""`k.F`, `k.Window`, `k.types` and `k.DataFrame`: the frame API without an engine. No computation.

At run time the three proxies lead to the modules of the session whose task is running; for type
checkers they are PySpark's own (docs/decisions/0003). They work only while a task runs or inside of
`kindling.testing.run_pipe`: at module level there is no engine, and the error says so.
"""

from __future__ import annotations

from contextvars import ContextVar

from kindling.errors import DeclarationError, UsageError
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from pyspark.sql import Column, DataFrame, Window, types
    from pyspark.sql import functions as F  # noqa: N812  # the field's own name

    T = TypeVar("T")
else:

    class DataFrame:
        """A frame of whichever engine runs the task: for annotations only."""

    class Column:
        """A column expression of whichever engine runs the task: for annotations only."""

    class _Proxy:
        """Leads to one module of the running task's session."""

        __slots__ = ("_attribute", "_name")

        def __init__(self, attribute: str, name: str) -> None:
            self._attribute = attribute
            self._name = name

        def __getattr__(self, name: str) -> object:
            if name.startswith("__"):  # probes of copy, inspect and hasattr are no use of an engine
                raise AttributeError(name)
            return getattr(getattr(active_frames(f"k.{self._name}.{name}"), self._attribute), name)

        def __repr__(self) -> str:
            return f"<k.{self._name}>"

    F = _Proxy("functions", "F")
    Window = _Proxy("window", "Window")
    types = _Proxy("types", "types")


class FrameApi(Value):
    """The modules behind `k.F`, `k.Window` and `k.types` while a task runs."""

    functions: object
    window: object
    types: object


_active: ContextVar[FrameApi] = ContextVar("kindling_frames")


def active_frames(used: str) -> FrameApi:
    """Return the running task's frame API.

    Raises:
        UsageError: KDL-USE-010, no task runs in this context.
    """
    try:
        return _active.get()
    except LookupError:
        raise UsageError(
            "KDL-USE-010",
            f"'{used}' was used while no task runs",
            why="frames and columns exist only inside of a running pipe; a thread that a pipe starts "
            "and code at module level have none",
            hint="move it into the pipe's function, or test the pipe with "
            "kindling.testing.run_pipe (pytest fixture 'kindling_run')",
        ) from None


def with_frames(frames: FrameApi, call: Callable[[], T]) -> T:
    """Call a function in a context of its own in which `k.F` leads to these modules."""
    from contextvars import copy_context

    def enter() -> T:
        _active.set(frames)
        return call()

    return copy_context().run(enter)


def dedupe(frame: DataFrame, *, on: Sequence[str], order_by: Sequence[str]) -> DataFrame:
    """Keep one row per key: the first in an order, which makes the choice repeatable.

    It is `row_number() = 1`, equal on all engines and about three times as fast as `dropDuplicates` on
    Sail.

    Args:
        frame: Any frame.
        on: Key columns.
        order_by: Column names, each may end in ` desc`; nulls come first ascending, last descending.
    """
    if isinstance(on, str) or isinstance(order_by, str) or not on or not order_by:
        raise DeclarationError(
            "KDL-DECL-025", "dedupe needs lists of columns for 'on' and 'order_by'", hint="on=['id']"
        )
    row = "_kindling_row"
    window = Window.partitionBy(*on).orderBy(*(_ordered(text) for text in order_by))
    numbered = frame.withColumn(row, F.row_number().over(window))
    return numbered.where(F.col(row) == 1).drop(row)


def _ordered(text: str) -> Column:
    name, *rest = text.split() or [""]
    direction = rest[0].lower() if rest else "asc"
    if not name or len(rest) > 1 or direction not in ("asc", "desc"):
        raise DeclarationError(
            "KDL-DECL-026",
            f"dedupe(order_by=[{text!r}]) is not understood",
            hint="write 'column' or 'column desc'",
        )
    column = F.col(name)
    return column.asc_nulls_first() if direction == "asc" else column.desc_nulls_last()


__all__ = [
    "Column",
    "DataFrame",
    "F",
    "FrameApi",
    "Window",
    "active_frames",
    "dedupe",
    "types",
    "with_frames",
]
