"""A platform in memory over polars, as a stranger would write one: it knows no table format.

For tests: it shows that plugins which state what they need work with an engine they never heard of.
Spark SQL is parsed and typed by sqlglot and run by polars; polars itself is a test dependency only.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from kindling.errors import EngineLostError, RunError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema, neutral_schema
from kindling.hooks.platform import FrameApi, Rows, Session, SessionSpec, SharedRef
from kindling.hooks.sql_traces import parsed, query_trace
from kindling.hooks.traces import OpaqueError, Trace
from kindling.lineage import ColumnLineage
from kindling.schemas import Schema, canonical_type, quoted

if TYPE_CHECKING:
    import polars as pl
    from sqlglot import exp

FEATURES = frozenset({"arrow-in", "arrow-out", "share", "lineage", "keys"})
DIALECT = "spark, normalization_strategy=case_sensitive"


class MemorySession:
    """One task's session; its frames are polars `LazyFrame`s."""

    def __init__(self, owner: MemoryPlatform, spec: SessionSpec) -> None:
        self.owner = owner
        self.spec = spec
        self.platform = owner.name
        self.engine = owner.engine
        self.features = owner.features
        self._made: dict[int, tuple[Frame, str, Mapping[str, Frame]]] = {}
        self._keys: dict[str, pl.DataFrame] = {}

    @property
    def frames(self) -> FrameApi:
        """Polars in the place of PySpark: `col`, `lit` and aliases exist in both."""
        import polars as pl

        return FrameApi(functions=pl, window=pl.Expr, types=pl.datatypes)

    def is_frame(self, candidate: object) -> bool:
        """Tell whether it is a LazyFrame."""
        import polars as pl

        return isinstance(candidate, pl.LazyFrame)

    def schema(self, frame: Frame) -> Schema:
        """Return the neutral schema; polars resolves it without computing."""
        import polars as pl

        return neutral_schema(pl.DataFrame(schema=lazy(frame).collect_schema()).to_arrow().schema)

    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        """Return the expressions as a frame."""
        listed = ", ".join(f"{text} AS {quoted(alias)}" for alias, text in columns)
        return self.sql(f"SELECT {listed} FROM __frame", {"__frame": frame})  # noqa: S608  # expressions are the contract

    def where(self, frame: Frame, condition: str) -> Frame:
        """Keep the rows for which the condition is true."""
        return self.sql(f"SELECT * FROM __frame WHERE {condition}", {"__frame": frame})  # noqa: S608  # as above

    def cast(self, frame: Frame, schema: Schema) -> Frame:
        """Cast strictly: what does not fit fails."""
        types = {field.name: field.type for field in self.schema(frame).fields}
        listed = ", ".join(
            f"`{field.name}`"
            if types.get(field.name) == field.type
            else f"CAST(`{field.name}` AS {field.type}) AS `{field.name}`"
            for field in schema.fields
        )
        return self._noted(strict(lazy(frame), schema), f"SELECT {listed} FROM __frame", {"__frame": frame})  # noqa: S608  # names of the frame

    def aggregate(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """Compute one row."""
        rows = self.preview(self.select(frame, columns), 1)
        return dict(zip(rows.columns, rows.rows[0], strict=True))

    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Translate and run a query lazily; its columns get the types that Spark would give."""
        import polars as pl

        tables = {name: self._with_chance(text, lazy(frame)) for name, frame in frames.items()}
        tree = typed_tree(text, {name: self.schema(frame) for name, frame in tables.items()})
        found = pl.SQLContext(frames=tables, eager=False).execute(tree.sql("postgres"))
        return self._noted(strict(found, output_schema(tree, self.schema(found))), text, frames)

    def _with_chance(self, text: str, frame: pl.LazyFrame) -> pl.LazyFrame:
        import random

        import polars as pl

        if "rand()" not in text.lower():
            return frame

        def add(batch: pl.DataFrame) -> pl.DataFrame:
            return batch.with_columns(pl.Series("__rand", [random.random() for _ in range(len(batch))]))  # noqa: S311  # Spark's rand()

        return frame.map_batches(add, schema={**frame.collect_schema(), "__rand": pl.Float64()})

    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        """Add one hidden column per rule and look at it while computing."""
        names = [f"__bad_{place}" for place in range(len(rules))]
        listed = ", ".join(f"({text}) AS {name}" for name, text in zip(names, rules.values(), strict=True))
        marked = lazy(self.sql(f"SELECT *, {listed} FROM __frame", {"__frame": frame}))  # noqa: S608  # as above

        def look(batch: pl.DataFrame) -> pl.DataFrame:
            for name, marker in zip(names, rules, strict=True):
                if batch[name].any():
                    raise ValueError(marker)
            return batch.drop(names)

        made = marked.map_batches(
            look,
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
            schema=lazy(frame).collect_schema(),
        )
        conditions = " AND ".join(f"({text})" for text in rules.values()) or "TRUE"
        return self._noted(made, f"SELECT * FROM __frame WHERE {conditions}", {"__frame": frame})  # noqa: S608  # as above

    def lineage(self, frame: Frame, inputs: Mapping[str, Frame]) -> ColumnLineage | None:
        """Follow the texts that frames were made by; what polars' own methods made is opaque."""
        known = {id(found): (entity, found) for entity, found in inputs.items()}

        def traced(one: Frame) -> Trace:
            if id(one) in known:
                return Trace.of_input(known[id(one)][0], self.schema(one).names)
            if id(one) not in self._made:
                raise OpaqueError
            _, text, frames = self._made[id(one)]

            def table(name: str) -> Trace:
                found = next((found for key, found in frames.items() if key.lower() == name.lower()), None)
                if found is None:
                    raise OpaqueError
                return traced(found)

            return query_trace(parsed(text), table)

        try:
            return traced(frame).shown(self.schema(frame).names).lineage()
        except OpaqueError:
            return None

    def select_with_keys(
        self, frame: Frame, columns: Sequence[tuple[str, str]], keys: Mapping[str, bytes]
    ) -> Frame:
        """Scan the keys from this session's memory at the time of computing; no plan holds them."""
        import polars as pl
        from polars.io.plugins import register_io_source

        name = f"__keys_{uuid.uuid4().hex}"
        row = pl.DataFrame(
            {key: [value] for key, value in keys.items()}, schema=dict.fromkeys(keys, pl.Binary)
        )
        held = self._keys
        held[name] = row

        def scan(*_pushed: object) -> Iterator[pl.DataFrame]:
            if name not in held:
                raise RunError("KDL-TEST-004", "the keys of this frame were dropped")
            yield held[name]

        listed = ", ".join(f"{text} AS {quoted(alias)}" for alias, text in columns)
        source = register_io_source(scan, schema=row.schema)
        text = f"SELECT {listed} FROM __frame CROSS JOIN {name}"  # noqa: S608  # expressions are the contract
        return self.sql(text, {"__frame": frame, name: source})

    def drop_keys(self) -> None:
        """Forget the keys."""
        self._keys.clear()

    def _noted(self, made: pl.LazyFrame, text: str, frames: Mapping[str, Frame]) -> pl.LazyFrame:
        """Remember what a frame was made by, and keep it, so that no other frame gets its id."""
        self._made[id(made)] = (made, text, dict(frames))
        return made

    def preview(self, frame: Frame, limit: int) -> Rows:
        """Compute at most `limit` rows."""
        found = self.collect(lazy(frame).head(limit))
        return Rows(tuple(found.columns), tuple(found.rows()))

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Compute a frame; the platform knows meanwhile that this session works."""
        with self.owner.working(self.spec.tag):
            return frame.collect()

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Take Arrow data; maps, which polars does not have, are refused."""
        import polars as pl
        import pyarrow as pa

        maps = [field.name for field in schema.fields if "map<" in field.type]
        if maps:
            raise RunError(
                "KDL-TEST-001",
                f"column {maps[0]!r} is a map",
                why="the memory platform of kindling.testing has no maps",
                hint="use an array of structs, or another platform",
            )
        table = pa.table(stream).cast(arrow_schema(schema))
        made = pl.from_arrow(table)
        return made.lazy() if isinstance(made, pl.DataFrame) else made.to_frame().lazy()

    def to_arrow(self, frame: Frame) -> object:
        """Compute a frame into a `pyarrow.Table` of the neutral types."""
        wanted = arrow_schema(self.schema(frame))
        return self.collect(lazy(frame)).to_arrow().cast(wanted)

    def share(self, frame: Frame, name: str) -> SharedRef:
        """Compute a frame and keep it."""
        self.owner.shared[name] = self.collect(lazy(frame)).lazy()
        return SharedRef(self.engine, name)

    def attach(self, ref: SharedRef) -> Frame:
        """Return a kept frame."""
        if ref.engine != self.engine or ref.name not in self.owner.shared:
            raise EngineLostError(
                "KDL-INFRA-011", f"the shared frame {ref.name!r} is gone", why=f"engine {ref.engine} is gone"
            )
        return self.owner.shared[ref.name]

    def close(self) -> None:
        """Forget the keys; frames are values."""
        self.drop_keys()


class MemoryPlatform:
    """An engine in this process.

    Args:
        shared: Where shared frames are kept.
        name: Capability name.
    """

    def __init__(self, shared: dict[str, pl.LazyFrame], *, name: str = "memory") -> None:
        self.shared = shared
        self.name = name
        self.features = FEATURES
        self.engine = f"{name}-{id(self):x}"
        self._open = False
        self._working: dict[int, str] = {}
        self._numbers = count()
        self._lock = threading.Lock()

    def open_session(self, spec: SessionSpec) -> Session:
        """Return a session; the engine is this process."""
        self._open = True
        return MemorySession(self, spec)

    @contextmanager
    def working(self, tag: str) -> Iterator[None]:
        """Note that a session computes while the block runs."""
        with self._lock:
            number = next(self._numbers)
            self._working[number] = tag
        try:
            yield
        finally:
            with self._lock:
                del self._working[number]

    def cancel(self, tag: str, grace_s: float) -> bool:  # noqa: ARG002  # polars cannot be interrupted
        """Tell whether nothing of the session runs; stopping is not offered."""
        with self._lock:
            return tag not in self._working.values()

    def is_healthy(self) -> bool:
        """Tell whether it is open."""
        return self._open

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether the engine was lost; nothing else vanishes by trying again."""
        return isinstance(error, EngineLostError)

    def explain(self, error: BaseException) -> str:
        """Return the first two lines of an error."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return "\n".join(lines[:2]) or type(error).__name__

    def close(self) -> None:
        """Forget what was shared."""
        self._open = False
        self.shared.clear()


def lazy(frame: Frame) -> pl.LazyFrame:
    """Return a session's frame as what it is."""
    import polars as pl

    if not isinstance(frame, pl.LazyFrame):
        msg = f"{frame!r} is not a frame of the memory platform"
        raise TypeError(msg)
    return frame


def strict(frame: pl.LazyFrame, schema: Schema) -> pl.LazyFrame:
    """Return exactly the schema's columns; a value that does not fit fails."""
    import polars as pl

    empty = pl.from_arrow(arrow_schema(schema).empty_table())
    wanted = empty.schema if isinstance(empty, pl.DataFrame) else empty.to_frame().schema
    given = frame.collect_schema()

    def fit(name: str, kind: pl.DataType) -> pl.Expr:
        text = given.get(name) == pl.String
        if text and kind == pl.Date:
            return pl.col(name).str.to_date(strict=True)
        if text and isinstance(kind, pl.Datetime):
            return pl.col(name).str.to_datetime(time_unit="us", time_zone=kind.time_zone, strict=True)
        return pl.col(name).cast(kind, strict=True)

    return frame.select(fit(name, kind) for name, kind in wanted.items())


def typed_tree(text: str, schemas: Mapping[str, Schema]) -> exp.Query:
    """Parse Spark SQL, resolve its columns and find the types that Spark would give them."""
    from sqlglot import exp, parse_one
    from sqlglot.optimizer.annotate_types import annotate_types
    from sqlglot.optimizer.qualify import qualify

    def adapted(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Rand):
            return exp.column("__rand")
        if isinstance(node, exp.Sum):  # polars says 0 for the sum of nothing, Spark says null
            some = exp.GT(this=exp.Count(this=node.this.copy()), expression=exp.Literal.number(0))
            return exp.Case().when(some, node.copy())
        return exp.cast(node.copy(), "int")  # polars has 8 bits for the parts of a date

    parsed = parse_one(text, read="spark")
    replaced: list[exp.Expression] = list(
        parsed.find_all(exp.Rand, exp.Sum, exp.Year, exp.Month, exp.Day, exp.Hour, exp.Minute)
    )
    for node in replaced:
        node.replace(adapted(node))
    known: dict[str, object] = {
        table: {field.name: field.type for field in schema.fields} for table, schema in schemas.items()
    }
    qualified = qualify(parsed, schema=known, dialect=DIALECT)
    tree = annotate_types(qualified, schema=known, dialect=DIALECT)
    if not isinstance(tree, exp.Query):
        msg = f"{text!r} is not a query"
        raise TypeError(msg)
    return tree


def output_schema(tree: exp.Query, found: Schema) -> Schema:
    """Return the schema of a query's result: Spark's types where they are known, else polars' own."""
    types: dict[str, str] = {}
    for column in tree.selects:
        if column.type is not None and not column.type.is_type("unknown", "null"):
            types[column.alias_or_name] = canonical_type(column.type.sql("spark"))
    return Schema(tuple(field.replace(type=types.get(field.name, field.type)) for field in found.fields))
