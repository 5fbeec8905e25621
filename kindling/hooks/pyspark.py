"""A session over any PySpark DataFrame API, Connect or classic: shared by its platform plugins.

It imports no pyspark: a platform hands in the live session object and the modules behind it. What
differs between engines stands in the small methods that begin with an underscore.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kindling.errors import DeclarationError, EngineLostError, RunError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import FrameApi, PathRead, PathWrite, Rows, SharedRef
from kindling.hooks.pyspark_keys import KeyRows
from kindling.schemas import Field, Schema, canonical_type, quoted

if TYPE_CHECKING:
    import pyarrow as pa

GUARD = "__kindling_guard"
"""Name of the helper column of `fail_when`; it never leaves the plan."""

_VOID = re.compile(r"(?<=[<:,])void(?=[>,])|^void$")


@dataclass(frozen=True, slots=True)
class PysparkParts:
    """What a platform knows about a session that it opens.

    Attributes:
        platform: The platform's capability name.
        engine: Identity of the live engine process.
        features: What the session can do.
        frames: The modules of the pipe code.
        frame_class: The class of the engine's frames.
        work_dir: Folder for scratch files that the engine sees as well.
    """

    platform: str
    engine: str
    features: frozenset[str]
    frames: FrameApi
    frame_class: type
    work_dir: str


class PysparkSession(KeyRows):
    """Implements Session, ArrowIn, ArrowOut, Paths, Sql, Shares and Keys over a PySpark session object.

    Requests: `schema` asks the engine once per frame and remembers the answer, `cast`, `where` and
    `fail_when` pass it on; every other method but `save`, `aggregate`, `preview`, `to_arrow`,
    `execute` and `share` is lazy.
    """

    def __init__(self, spark: Any, parts: PysparkParts) -> None:  # noqa: ANN401  # a session of whichever pyspark
        self.spark = spark
        self.parts = parts
        self._functions: Any = parts.frames.functions
        self._schemas: dict[int, tuple[Frame, Schema]] = {}
        self._inexact: set[int] = set()
        self._keys: list[object] = []

    @property
    def platform(self) -> str:
        """The platform's capability name."""
        return self.parts.platform

    @property
    def engine(self) -> str:
        """Identity of the live engine process."""
        return self.parts.engine

    @property
    def features(self) -> frozenset[str]:
        """What this session can do."""
        return self.parts.features

    @property
    def frames(self) -> FrameApi:
        """The modules behind `k.F`, `k.Window` and `k.types`."""
        return self.parts.frames

    def is_frame(self, candidate: object) -> bool:
        """Tell whether an object is a frame of this session's engine."""
        return isinstance(candidate, self.parts.frame_class)

    def schema(self, frame: Frame) -> Schema:
        """Return a frame's neutral schema; columns that are always null count as `string`.

        Raises:
            RunError: KDL-PORT-031, a column has a type that no neutral type holds.
        """
        found = self._schemas.get(id(frame))
        if found is not None:
            return found[1]
        fields: list[Field] = []
        for item in self._struct(frame).fields:
            text = item.dataType.simpleString()
            exact = _VOID.sub("string", text)
            if exact != text:
                self._inexact.add(id(frame))
            fields.append(Field(item.name, _neutral(item.name, exact), bool(item.nullable)))
        return self._remember(frame, Schema(tuple(fields)))

    def select(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Frame:
        """Return `(alias, Spark SQL expression)` pairs as a frame, in order, lazily."""
        return self._frame(frame).select(*self._expressions(columns))

    def where(self, frame: Frame, condition: str) -> Frame:
        """Keep the rows for which a Spark SQL condition is true, lazily."""
        return self._same_schema(frame, self._frame(frame).where(condition))

    def cast(self, frame: Frame, schema: Schema) -> Frame:
        """Return exactly the schema's columns; the very same frame where it has them already.

        Raises:
            RunError: KDL-PORT-030, the frame lacks a column of the schema.
        """
        have = self.schema(frame)
        wanted = [(field.name, field.type) for field in schema.fields]
        if id(frame) not in self._inexact and [(field.name, field.type) for field in have.fields] == wanted:
            return frame
        found = [have.field(field.name) for field in schema.fields]
        missing = [name for (name, _), field in zip(wanted, found, strict=True) if field is None]
        if missing:
            raise RunError(
                "KDL-PORT-030",
                f"the frame has no column {', '.join(repr(name) for name in missing)}",
                why=f"it has {', '.join(have.names) or 'no columns'}",
                hint="add the column in the pipe, or take it out of `schema=`",
                missing=missing,
            )
        keep = id(frame) not in self._inexact
        columns, fields = [], []
        for target, source in zip(schema.fields, found, strict=True):
            assert source is not None  # noqa: S101  # narrowed above, for the type checker
            column = self._functions.col(quoted(source.name))
            if source.type != target.type or not keep:
                column = column.cast(target.type)
            columns.append(column.alias(target.name))
            fields.append(Field(target.name, target.type, source.nullable))
        made = self._frame(frame).select(*columns)
        self._remember(made, Schema(tuple(fields)))
        return made

    def aggregate(self, frame: Frame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """Compute one row of `(alias, Spark SQL aggregate)` pairs; one request to the engine."""
        rows = self._rows(self._frame(frame).agg(*self._expressions(columns)))
        return dict(zip((alias for alias, _ in columns), rows.rows[0], strict=True))

    def sql(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Return the result of one Spark SQL query over `frames`, lazily.

        The views exist while the query is analysed only, so two queries may use one name for
        different frames. Engines that analyse later override this method.
        """
        for name, frame in frames.items():
            self._frame(frame).createOrReplaceTempView(name)
        try:
            return self.spark.sql(text)
        finally:
            for name in frames:
                self.spark.catalog.dropTempView(name)

    def fail_when(self, frame: Frame, rules: Mapping[str, str]) -> Frame:
        """Return the frame, made to fail with a rule's marker once a row breaks it.

        The helper column is there for the optimiser: without it Sail merges the condition with the
        pipe's own filters and evaluates it on rows that these have dropped, measured on 0.7.2.
        """
        made: Any = None
        functions = self._functions
        for marker, condition in rules.items():
            bad = functions.coalesce(functions.expr(condition), functions.lit(False))
            error = functions.raise_error(functions.lit(marker))
            made = functions.when(bad, error) if made is None else made.when(bad, error)
        if made is None:
            return frame
        guarded = self._frame(frame).withColumn(GUARD, functions.monotonically_increasing_id())
        # A bigint CASE: of a boolean one Sail makes AND and OR, which evaluate both sides.
        kept = guarded.where(made.otherwise(functions.col(GUARD)).cast("bigint") >= functions.lit(0))
        return self._same_schema(frame, kept.drop(GUARD))

    def preview(self, frame: Frame, limit: int) -> Rows:
        """Bring at most `limit` rows to the driver; one request to the engine."""
        return self._rows(self._frame(frame).limit(limit))

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data with exactly this schema."""
        import pyarrow as pa

        batches = list(neutral_batches(stream, schema))
        table = pa.Table.from_batches(batches, arrow_schema(schema))
        return self.cast(self.spark.createDataFrame(table), schema)

    def to_arrow(self, frame: Frame) -> object:
        """Compute a frame; return a `pyarrow.Table` of the neutral types."""
        return self._table(frame).cast(arrow_schema(nullable(self.schema(frame))))

    def load(self, source: PathRead) -> Frame:
        """Return the files or the table as a frame, lazily.

        Raises:
            RunError: KDL-PORT-032, the session does not read this format.
        """
        self._check_format(source.format)
        reader = self.spark.read.format(source.format)
        if source.schema is not None and source.format != "delta":
            reader = reader.schema(source.schema.ddl())
        if source.version is not None:
            reader = reader.option("versionAsOf", str(source.version))
        return reader.load(source.uris[0] if len(source.uris) == 1 else list(source.uris))

    def save(self, frame: Frame, target: PathWrite) -> None:
        """Compute a frame and write it with the options that `PathWrite` names, and no others.

        Raises:
            RunError: KDL-PORT-032 or KDL-PORT-033, the format or a combination is not offered.
        """
        self._check_write(target)
        writer = self._frame(frame).write.format(target.format).mode(target.mode)
        if target.partition_by:
            writer = writer.partitionBy(*target.partition_by)
        if target.user_metadata:
            writer = writer.option("userMetadata", target.user_metadata)
        if target.overwrite_schema:
            writer = writer.option("overwriteSchema", "true")
        writer.save(target.uri)

    def execute(self, statement: str) -> Rows:
        """Run one Spark SQL statement, DML included, and bring its rows."""
        return self._rows(self.spark.sql(statement))

    def share(self, frame: Frame, name: str) -> SharedRef:
        """Compute a frame once into scratch Parquet, which other sessions read.

        A global temp view would be computed by each reader again (measured on Sail 0.7.2).
        """
        exact = self.cast(frame, self.schema(frame))
        self.save(exact, PathWrite("parquet", self._shared_uri(name), "overwrite"))
        return SharedRef(self.engine, name)

    def attach(self, ref: SharedRef) -> Frame:
        """Return a shared frame in this session.

        Raises:
            EngineLostError: KDL-INFRA-011, the engine that computed it is gone.
        """
        if ref.engine != self.engine:
            raise EngineLostError(
                "KDL-INFRA-011",
                f"the shared frame {ref.name!r} is gone",
                why="the engine that computed it was lost",
            )
        return self.load(PathRead("parquet", (self._shared_uri(ref.name),)))

    def close(self) -> None:
        """Forget what is known about frames; subclasses release the session. Idempotent."""
        self._schemas.clear()
        self._inexact.clear()

    def _frame(self, frame: Frame) -> Any:  # noqa: ANN401  # a frame of whichever pyspark
        return frame

    def _struct(self, frame: Frame) -> Any:  # noqa: ANN401  # a StructType
        """Return the analysed schema: one request on Connect."""
        return self._frame(frame).schema

    def _table(self, frame: Frame) -> pa.Table:
        """Compute a frame; return what the engine gives as Arrow."""
        table: pa.Table = self._frame(frame).toArrow()
        return table

    def _rows(self, frame: Frame) -> Rows:
        return rows_of(self._table(frame))

    def _remember(self, frame: Frame, schema: Schema) -> Schema:
        # The frame is kept beside its schema, or its id could be given to another one.
        self._schemas[id(frame)] = (frame, schema)
        return schema

    def _same_schema(self, frame: Frame, made: Frame) -> Frame:
        if id(frame) in self._schemas:
            self._remember(made, self._schemas[id(frame)][1])
            if id(frame) in self._inexact:
                self._inexact.add(id(made))
        return made

    def _expressions(self, columns: Sequence[tuple[str, str]]) -> list[Any]:
        return [self._functions.expr(text).alias(alias) for alias, text in columns]

    def _shared_uri(self, name: str) -> str:
        folder = hashlib.sha256(f"{self.engine}\n{name}".encode()).hexdigest()[:32]
        return os.path.join(self.parts.work_dir, "shared", folder)

    def _check_format(self, name: str) -> None:
        known = [form for form, need in FORMATS.items() if need in self.features]
        if name not in known:
            raise RunError(
                "KDL-PORT-032",
                f"the platform {self.platform!r} does not offer the format {name!r}",
                why=f"its sessions read and write {', '.join(known) or 'no paths'}",
            )

    def _check_write(self, target: PathWrite) -> None:
        self._check_format(target.format)
        fault = ""
        if target.mode not in ("append", "overwrite", "error"):
            fault = f"the mode {target.mode!r} is not one of append, overwrite, error"
        elif target.format != "delta" and (target.user_metadata or target.overwrite_schema):
            fault = f"{target.format} has neither commit metadata nor a stored schema"
        elif target.overwrite_schema and target.mode != "overwrite":
            fault = "only an overwrite can replace the schema"
        if fault:
            raise RunError("KDL-PORT-033", f"cannot write to {target.uri!r} like this", why=fault)


FORMATS = {"parquet": "paths", "delta": "delta-native"}
"""The feature that a format needs."""


def nullable(schema: Schema) -> Schema:
    """Return the schema with every column nullable: engines drop NOT NULL here and there."""
    return Schema(tuple(Field(field.name, field.type) for field in schema.fields))


def neutral_batches(stream: object, schema: Schema) -> Any:  # noqa: ANN401  # an iterator of pyarrow batches
    """Yield the record batches of an Arrow stream, columns and types as the schema says.

    Views, dictionaries and unsigned integers become what the neutral types are in Arrow; a value
    that does not fit raises `pyarrow.ArrowInvalid`.
    """
    import pyarrow as pa

    wanted = arrow_schema(schema)
    reader = stream if isinstance(stream, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(stream)
    for batch in reader:
        picked = batch.select(list(schema.names))
        yield picked if picked.schema.equals(wanted) else picked.cast(wanted)


def bounded(work: Callable[[], object], limit_s: float) -> object:
    """Call something that may hang in a thread of its own; None for an error or a time-out."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except Exception:  # noqa: BLE001  # whatever goes wrong here means "no answer"
            found.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    return found[0] if found else None


def rows_of(table: pa.Table) -> Rows:
    """Return an Arrow table as rows of Python values; instants are aware UTC datetimes."""
    import pyarrow as pa

    instant = pa.timestamp("us", tz="UTC")  # engines name their zone, and Etc/UTC is no ZoneInfo of UTC
    columns = [
        (column.cast(instant) if pa.types.is_timestamp(column.type) and column.type.tz else column).to_pylist(
            maps_as_pydicts="strict"
        )
        for column in table.columns
    ]
    return Rows(tuple(table.column_names), tuple(zip(*columns, strict=True)))


def _neutral(column: str, text: str) -> str:
    try:
        return canonical_type(text)
    except DeclarationError as error:
        raise RunError(
            "KDL-PORT-031",
            f"the column {column!r} has the type {text!r}",
            why="no engine-neutral type holds it",
            hint=f"cast it in the pipe, for example to a string: F.col({column!r}).cast('string')",
        ) from error
