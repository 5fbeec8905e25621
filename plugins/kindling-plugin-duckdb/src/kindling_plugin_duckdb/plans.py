"""sqlframe as a builder of Spark SQL: sessions that plan and never run anything.

sqlframe can build for DuckDB itself, but then frames and SQL text would need two sets of corrections. Here it
builds Spark SQL text (`_is_spark`), and the one translation of `corrections` serves both.

sqlframe 4.10 keeps one session per process in `_BaseSession._instance`, and its functions ask for it by
calling `_BaseSession()`. They read dialects and flags from it, which are equal for all sessions here, so
that instance is one prototype that holds no data, and any thread may call them. Pinned and tested.
"""

# ruff: noqa: SLF001  # sqlframe has no public way to hold more than one session

from __future__ import annotations

import decimal
import math
from typing import TYPE_CHECKING, Any, Protocol

from sqlframe.base import types
from sqlframe.base.catalog import _BaseCatalog
from sqlframe.base.column import Column
from sqlframe.base.dataframe import BaseDataFrame
from sqlframe.base.readerwriter import _BaseDataFrameReader
from sqlframe.base.session import _BaseSession
from sqlframe.base.util import sqlglot_to_spark
from sqlglot import exp

if TYPE_CHECKING:
    from typing import Self

    from kindling.hooks.platform import Rows
    from kindling.schemas import Schema


class Runner(Protocol):
    """What frames need from the session that computes them."""

    def schema(self, frame: object) -> Schema:
        """Return a frame's neutral schema."""
        ...

    def preview(self, frame: object, limit: int) -> Rows:
        """Bring at most `limit` rows."""
        ...

    def count(self, frame: object) -> int:
        """Return how many rows a frame has."""
        ...

    def to_arrow(self, frame: object) -> object:
        """Return a frame's rows as an Arrow stream."""
        ...


# sqlframe's own annotations are generic over classes that nothing here subclasses.
_SqlframeSession: Any = _BaseSession
_SqlframeColumn: Any = Column


class PlanSession(_SqlframeSession):  # type: ignore[misc]  # see above
    """One task's planning state: the names and ids that sqlframe gives, and who runs the plans."""

    _df: object = BaseDataFrame  # set in frames.py
    _catalog = _BaseCatalog
    _reader = _BaseDataFrameReader
    runner: Runner
    _steps: int

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Make one more session; sqlframe would return the process's only one."""
        return object.__new__(cls)

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        # `_BaseSession()` returns the prototype and then calls this again on it.
        if "input_dialect" not in self.__dict__:
            super().__init__()

    def __copy__(self) -> PlanSession:
        """Frames are copied with their session: keep it, and leave the process's prototype alone."""
        return self

    def next_step(self) -> int:
        """Return a number that no other step of this session's plans has."""
        self._steps = getattr(self, "_steps", 0) + 1
        return self._steps

    @property
    def _is_spark(self) -> bool:
        return True


def plan_session(runner: Runner) -> PlanSession:
    """Return a new planning session."""
    prepare_sqlframe()
    made = PlanSession()
    made.runner = runner
    return made


def prepare_sqlframe() -> None:
    """Make sqlframe's functions work for any thread: see the module's text. Idempotent.

    Effects: sets `_BaseSession._instance` and `Column._lit` for the whole process.
    """
    if type(_SqlframeSession._instance) is not PlanSession:
        _SqlframeSession._instance = PlanSession()
    if _SqlframeColumn._lit.__func__ is not _literal:
        _SqlframeColumn._lit = classmethod(_literal)


_sqlframe_literal = _SqlframeColumn._lit.__func__  # what `_literal` adds to


def _literal(cls: type[Column], value: object) -> Column:
    """Return a Python value as a column with Spark's type: a float is a double, never a decimal."""
    if isinstance(value, float) and not isinstance(value, bool):
        shown = repr(value)
        if not math.isfinite(value):
            shown = "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
        node = exp.Literal.number(shown.lstrip("-")) if math.isfinite(value) else exp.Literal.string(shown)
        negative = math.isfinite(value) and shown.startswith("-")
        return cls(exp.cast(exp.Neg(this=node) if negative else node, exp.DataType.build("double")))
    if isinstance(value, decimal.Decimal):
        _, digits, exponent = value.as_tuple()
        scale = max(-int(exponent), 0)
        precision = max(len(digits) + max(int(exponent), 0), scale, 1)
        text = exp.Literal.string(f"{value:f}")
        return cls(exp.cast(text, exp.DataType.build(f"decimal({precision}, {scale})")))
    made: Column = _sqlframe_literal(cls, value)
    return made


def struct_type(schema: Schema) -> types.StructType:
    """Return a neutral schema as sqlframe's StructType (`k.types`)."""
    return types.StructType(
        [
            types.StructField(
                field.name, sqlglot_to_spark(exp.DataType.build(field.type, dialect="spark")), field.nullable
            )
            for field in schema.fields
        ]
    )


__all__ = ["Column", "PlanSession", "Runner", "plan_session", "prepare_sqlframe", "struct_type", "types"]
