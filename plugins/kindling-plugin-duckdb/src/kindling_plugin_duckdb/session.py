"""One task's session: a cursor with its own temporary views, and the plans over them."""

# ruff: noqa: S608  # SQL text is what this module makes; names are quoted, data never enters it

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from kindling.errors import EngineLostError, RunError
from kindling.hooks import Frame as AnyFrame
from kindling.hooks.platform import FrameApi, PathRead, PathWrite, Rows, SharedRef
from kindling.schemas import Field, Schema
from kindling_plugin_duckdb import ancestry, parquet
from kindling_plugin_duckdb.corrections import duckdb_sql
from kindling_plugin_duckdb.decimals import is_settled
from kindling_plugin_duckdb.frame_api import FRAME_API
from kindling_plugin_duckdb.frames import Frame
from kindling_plugin_duckdb.neutral import neutral_type, quoted, same_type
from kindling_plugin_duckdb.plans import plan_session
from kindling_plugin_duckdb.portability import unknown_decimal
from kindling_plugin_duckdb.spark_text import parse_query
from kindling_plugin_duckdb.views import Views, cast_column, spark_quoted

if TYPE_CHECKING:
    import duckdb

    from kindling.lineage import ColumnLineage
    from kindling_plugin_duckdb.engine import DuckDBPlatform

FEATURES = frozenset({"arrow-in", "arrow-out", "paths", "cancel", "share", "isolates", "lineage", "keys"})
_IN = "kdl_in"
_KEYS = "kdl_keys"
_BATCH_ROWS = 122_880  # DuckDB's own row group
_ALL_ROWS = 2**62


class DuckDBSession:
    """A session of `platform:duckdb`."""

    platform = "duckdb"
    features = FEATURES

    def __init__(self, home: DuckDBPlatform, cursor: duckdb.DuckDBPyConnection, tag: str) -> None:
        self.tag = tag
        self._home = home
        self._engine = home.engine
        self._cursor = cursor
        self._closed = False
        self._views = Views(cursor, plan_session(self), home.make_macros)
        self._schemas: WeakKeyDictionary[Frame, Schema] = WeakKeyDictionary()

    @property
    def engine(self) -> str:
        """Identity of the DuckDB instance."""
        return self._engine

    @property
    def frames(self) -> FrameApi:
        """PySpark's functions, Window and types over sqlframe."""
        return FRAME_API

    @property
    def is_busy(self) -> bool:
        """Whether a statement runs on the cursor right now."""
        return self._views.is_busy

    def is_frame(self, candidate: object) -> bool:
        """Tell whether an object is a frame of this platform."""
        return isinstance(candidate, Frame)

    def schema(self, frame: AnyFrame) -> Schema:
        """Return a frame's schema as Spark would give it.

        Raises:
            RunError: KDL-PORT-025, a computed decimal whose precision is another on Spark.
        """
        ours = _ours(frame)
        found = self._schemas.get(ours)
        if found is None:
            columns = self._views.describe(ours)
            found = Schema(tuple(Field(name, neutral_type(kind)) for name, kind in columns))
            self._check_decimals(ours, found)
            self._schemas[ours] = found
        return found

    def select(self, frame: AnyFrame, columns: Sequence[tuple[str, str]]) -> Frame:
        """Return `(alias, expression)` pairs as a frame."""
        return self._views.derive(f"SELECT {_listed(columns)} FROM {_IN}", {_IN: _ours(frame)})

    def where(self, frame: AnyFrame, condition: str) -> Frame:
        """Keep the rows for which a condition is true."""
        return self._views.derive(f"SELECT * FROM {_IN} WHERE {condition}", {_IN: _ours(frame)})

    def cast(self, frame: AnyFrame, schema: Schema) -> AnyFrame:
        """Return exactly a schema's columns; the frame itself where it has them already.

        Raises:
            RunError: KDL-INFRA-205, the frame lacks a column.
        """
        columns = self._views.describe(_ours(frame))
        if [name for name, _ in columns] == list(schema.names) and all(
            same_type(kind, field.type) for (_, kind), field in zip(columns, schema.fields, strict=True)
        ):
            return frame
        listed = _cast_list(columns, schema)
        return self._views.add(f"SELECT {listed} FROM ({self._views.compiled(_ours(frame))}) AS {_IN}")

    def aggregate(self, frame: AnyFrame, columns: Sequence[tuple[str, str]]) -> Mapping[str, object]:
        """Compute one row of aggregates."""
        sql = duckdb_sql(parse_query(f"SELECT {_listed(columns)} FROM {_IN}"), {_IN: _IN})
        _, rows = self._views.rows(f"WITH {_IN} AS ({self._views.compiled(_ours(frame))}) {sql}")
        return dict(zip((alias for alias, _ in columns), rows[0], strict=True))

    def sql(self, text: str, frames: Mapping[str, AnyFrame]) -> Frame:
        """Return the result of a Spark SQL query over frames; nothing is computed yet."""
        return self._views.derive(text, {name: _ours(frame) for name, frame in frames.items()})

    def fail_when(self, frame: AnyFrame, rules: Mapping[str, str]) -> Frame:
        """Return the frame; computing it fails with a marker once a row matches the marker's rule."""
        cases = " ".join(
            f"WHEN ({text}) THEN raise_error({_spark_text(mark)})" for mark, text in rules.items()
        )
        return self.where(frame, f"CASE {cases} ELSE TRUE END" if rules else "TRUE")

    def preview(self, frame: AnyFrame, limit: int) -> Rows:
        """Bring at most `limit` rows."""
        sql = self._views.exact(_ours(frame))
        tail = "" if limit >= _ALL_ROWS else f" LIMIT {limit}"
        return Rows(*self._views.rows(f"SELECT * FROM ({sql}) AS {_IN}{tail}"))

    def collect(self, frame: AnyFrame) -> Rows:
        """Bring all rows."""
        return self.preview(frame, _ALL_ROWS)

    def count(self, frame: AnyFrame) -> int:
        """Return how many rows a frame has."""
        _, rows = self._views.rows(
            f"SELECT count(*) AS n FROM ({self._views.compiled(_ours(frame))}) AS {_IN}"
        )
        return cast("int", rows[0][0])

    def from_arrow(self, stream: object, schema: Schema) -> Frame:
        """Return a frame of Arrow data without copying it; a one-way stream is read into memory first."""
        import pyarrow as pa

        table = (
            stream if isinstance(stream, pa.Table) else pa.RecordBatchReader.from_stream(stream).read_all()
        )
        name = self._views.register(table)
        columns = self._views.describe_query(f"SELECT * FROM {name}")
        return self._views.add(f"SELECT {_cast_list(columns, schema)} FROM {name}")

    def to_arrow(self, frame: AnyFrame) -> object:
        """Start computing a frame; return its rows as a RecordBatchReader of exactly the neutral types."""
        sql = self._views.exact(_ours(frame))
        self._home.make_macros(sql)
        return self._views.run(lambda: self._cursor.sql(sql).to_arrow_reader(_BATCH_ROWS))

    def load(self, source: PathRead) -> Frame:
        """Return Parquet files as a frame."""
        made = self._views.add(f"SELECT * FROM {parquet.reading(source.uris)}")
        return made if source.schema is None else _ours(self.cast(made, source.schema))

    def save(self, frame: AnyFrame, target: PathWrite) -> None:
        """Compute a frame and write it as Parquet files; on an error the folder is as before."""
        parquet.write(target, self._views.exact(_ours(frame)), self._views.execute)

    def share(self, frame: AnyFrame, name: str) -> SharedRef:
        """Compute a frame into a table that every session may attach."""
        sql = self._views.exact(_ours(frame))
        self._views.execute(f"CREATE OR REPLACE TABLE {_shared(name)} AS {sql}")
        return SharedRef(self.engine, name)

    def attach(self, ref: SharedRef) -> Frame:
        """Return a shared frame.

        Raises:
            EngineLostError: KDL-INFRA-202, it was shared on an engine that is gone.
        """
        if ref.engine != self.engine:
            raise EngineLostError(
                "KDL-INFRA-202",
                f"the shared frame {ref.name!r} is gone",
                why="the duckdb instance that held it was closed",
                hint="run again: its producer is computed once more",
            )
        return self._views.add(f"SELECT * FROM {_shared(ref.name)}")

    def lineage(self, frame: AnyFrame, inputs: Mapping[str, AnyFrame]) -> ColumnLineage | None:
        """Return what the columns of a frame come from, read off the queries behind it."""
        given = {entity: _ours(found) for entity, found in inputs.items()}
        return ancestry.lineage(self._views, _ours(frame), given)

    def select_with_keys(
        self, frame: AnyFrame, columns: Sequence[tuple[str, str]], keys: Mapping[str, bytes]
    ) -> Frame:
        """Return expressions over a frame and one row of keys, in a table of this cursor alone."""
        frames = {_IN: _ours(frame), _KEYS: self._views.store_keys(keys)}
        return self._views.derive(f"SELECT {_listed(columns)} FROM {_IN} CROSS JOIN {_KEYS}", frames)

    def drop_keys(self) -> None:
        """Drop the keys: frames that need them can be computed no more."""
        if not self._closed:
            self._views.drop_keys()

    def close(self) -> None:
        """Close its cursor, with which its views and its keys go."""
        if not self._closed:
            self._closed = True
            self._home.forget(self)
            self._cursor.close()

    def interrupt(self) -> None:
        """Stop what runs on the cursor; called from another thread."""
        if not self._closed:
            self._cursor.interrupt()

    def _check_decimals(self, frame: Frame, schema: Schema) -> None:
        suspects = [field for field in schema.fields if field.type.startswith("decimal")]
        tree = parse_query(frame._spark_sql()) if suspects else None  # noqa: SLF001  # this plugin's own
        for field in suspects:
            if tree is not None and not is_settled(tree, field.name, self._views.tree):
                raise unknown_decimal(field.name, field.type)


def _ours(frame: AnyFrame) -> Frame:
    return cast("Frame", frame)


def _listed(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{text} AS {spark_quoted(alias)}" for alias, text in columns)


def _cast_list(columns: Sequence[tuple[str, str]], schema: Schema) -> str:
    kinds = {name.lower(): (name, kind) for name, kind in columns}
    listed = []
    for field in schema.fields:
        if field.name.lower() not in kinds:
            raise RunError(
                "KDL-INFRA-205",
                f"the frame has no column {field.name!r}",
                why=f"its columns: {', '.join(name for name, _ in columns)}",
                hint=f"select {field.name!r}, or remove it from the schema",
                column=field.name,
            )
        listed.append(f"{cast_column(*kinds[field.name.lower()], field.type)} AS {quoted(field.name)}")
    return ", ".join(listed)


def _spark_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _shared(name: str) -> str:
    return f"kindling_shared.{quoted(name)}"
