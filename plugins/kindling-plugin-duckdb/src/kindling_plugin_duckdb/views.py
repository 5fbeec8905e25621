"""The relations of one session: temporary views on its cursor, their columns, and what they were made from.

Nothing is materialised: a view over a query costs about a millisecond, its rows are computed when they are
asked for.
"""

# ruff: noqa: S608  # SQL text is what this module makes; names are quoted, data never enters it

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import duckdb
from sqlglot import exp

from kindling_plugin_duckdb.corrections import Translated, duckdb_expression, duckdb_query
from kindling_plugin_duckdb.frames import Frame, leaf
from kindling_plugin_duckdb.neutral import alike, duckdb_type, neutral_type, quoted, same_type
from kindling_plugin_duckdb.portability import ambiguous_column, refused_syntax, unmarked
from kindling_plugin_duckdb.spark_text import parse_expression, parse_query

if TYPE_CHECKING:
    from kindling_plugin_duckdb.plans import PlanSession

T = TypeVar("T")
Columns = list[tuple[str, str]]
"""Names and DuckDB types, as DESCRIBE writes them."""


class Views:
    """Makes and remembers the views of one session."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, plans: PlanSession, make_macros: Callable[[str], None]
    ) -> None:
        self.is_busy = False
        self._cursor = cursor
        self._plans = plans
        self._make_macros = make_macros
        self._made = 0
        self._keys: list[str] = []
        self._columns: dict[str, Columns] = {}
        self._sources: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._leaves: WeakKeyDictionary[Frame, str] = WeakKeyDictionary()
        self._compiled: WeakKeyDictionary[Frame, str] = WeakKeyDictionary()
        self._described: WeakKeyDictionary[Frame, Columns] = WeakKeyDictionary()

    def run(self, work: Callable[[], T]) -> T:
        """Do something on the cursor; a refusal that DuckDB raised becomes the error it stands for."""
        self.is_busy = True
        try:
            return work()
        except duckdb.Error as error:
            refusal = unmarked(str(error))
            if refusal is None:
                raise
            raise refusal from error
        finally:
            self.is_busy = False

    def execute(self, sql: str) -> None:
        """Run a statement in DuckDB's dialect."""
        self._make_macros(sql)
        self.run(lambda: self._cursor.execute(sql).fetchall())

    def rows(self, sql: str) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
        """Return the column names and rows of a query."""
        self._make_macros(sql)

        def fetch() -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
            found = self._cursor.execute(sql)
            names = tuple(str(column[0]) for column in found.description or ())
            return names, tuple(found.fetchall())

        return self.run(fetch)

    def register(self, table: object) -> str:
        """Make Arrow data visible on the cursor, without copying; returns its name."""
        name = self._next("arrow")
        self.run(lambda: self._cursor.register(name, table))
        return name

    def store_keys(self, keys: Mapping[str, bytes]) -> Frame:
        """Return one row of binary values as a frame; they travel as parameters and stand in no text.

        The table is visible to this cursor only, and its name cannot be guessed.
        """
        name = f"kdl_{uuid.uuid4().hex}"
        typed = ", ".join(f"{quoted(key)} BLOB" for key in keys)
        self.run(lambda: self._cursor.execute(f"CREATE TEMP TABLE {name} ({typed})"))
        marks = ", ".join("?" for _ in keys)
        self.run(lambda: self._cursor.execute(f"INSERT INTO {name} VALUES ({marks})", list(keys.values())))
        self._keys.append(name)
        self._columns[name] = [(key, "BLOB") for key in keys]
        frame = leaf(self._plans, name, list(keys))
        self._leaves[frame] = name
        self._described[frame] = self._columns[name]
        return frame

    def drop_keys(self) -> None:
        """Drop what `store_keys` stored. Idempotent."""
        while self._keys:
            name = self._keys[-1]
            self.run(lambda: self._cursor.execute(f"DROP TABLE IF EXISTS temp.{name}"))  # noqa: B023  # called at once
            self._keys.pop()

    def known(self, frame: Frame) -> str | None:
        """Return the view behind a frame; None if it is a plan."""
        return self._leaves.get(frame)

    def names(self, relation: str) -> list[str]:
        """Return the column names of a view."""
        return [name for name, _ in self._columns[relation]]

    def add(self, sql: str, source: tuple[str, Mapping[str, str]] | None = None) -> Frame:
        """Return a frame over a new view.

        Args:
            sql: The query in DuckDB's dialect.
            source: The Spark text it was made from and the relations its tables stand for; None for
                stored rows.
        """
        columns = self.describe_query(sql)
        seen: set[str] = set()
        for column, _ in columns:  # a view would rename the second one without a word
            if column.lower() in seen:
                raise ambiguous_column(column)
            seen.add(column.lower())
        name = self._next("v")
        self.execute(f"CREATE TEMP VIEW {name} AS {sql}")
        self._columns[name] = columns
        if source is not None:
            self._sources[name] = source
        frame = leaf(self._plans, name, [column for column, _ in columns])
        self._leaves[frame] = name
        self._described[frame] = columns
        return frame

    def derive(self, text: str, frames: Mapping[str, Frame]) -> Frame:
        """Return a Spark query over frames as a frame."""
        tables = {name.lower(): self.relation(frame) for name, frame in frames.items()}
        return self.add(
            self._checked(duckdb_query(parse_query(text), tables, self._columns.get)), (text, tables)
        )

    def relation(self, frame: Frame) -> str:
        """Return the view behind a frame, made now if the frame is a plan."""
        name = self._leaves.get(frame)
        if name is None:
            made = self.add(self.compiled(frame), (frame._spark_sql(), {}))  # noqa: SLF001  # this plugin's own
            name = self._leaves[frame] = self._leaves[made]
        return name

    def compiled(self, frame: Frame) -> str:
        """Return a frame's query in DuckDB's dialect."""
        name = self._leaves.get(frame)
        if name is not None:
            return f"SELECT * FROM {name}"
        found = self._compiled.get(frame)
        if found is None:
            tree = parse_query(frame._spark_sql())  # noqa: SLF001  # this plugin's own
            made = duckdb_query(tree, {name: name for name in self._columns}, self._columns.get)
            found = self._compiled[frame] = self._checked(made)
        return found

    def exact(self, frame: Frame) -> str:
        """Return a frame's query with each column cast to its neutral type, where it is not of it."""
        sql = self.compiled(frame)
        columns = [(name, kind, neutral_type(kind)) for name, kind in self.describe(frame)]
        if all(same_type(kind, wanted) for _, kind, wanted in columns):
            return sql
        listed = (
            f"CAST({quoted(name)} AS {duckdb_type(wanted)}) AS {quoted(name)}" for name, _, wanted in columns
        )
        return f"SELECT {', '.join(listed)} FROM ({sql}) AS kdl_in"

    def describe(self, frame: Frame) -> Columns:
        """Return a frame's columns with DuckDB's types; nothing is computed."""
        found = self._described.get(frame)
        if found is None:
            found = self._described[frame] = self.describe_query(self.compiled(frame))
        return found

    def describe_query(self, sql: str) -> Columns:
        """Return the columns of a query."""
        _, rows = self.rows(f"DESCRIBE {sql}")
        return [(str(row[0]), str(row[1])) for row in rows]

    def tree(self, relation: str) -> exp.Query | None:
        """Return the Spark query behind a view, its tables named by their relations; None for stored rows."""
        source = self._sources.get(relation)
        if source is None:
            return None
        tree = parse_query(source[0])
        ctes = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            name = table.name.lower()
            if name in source[1] and name not in ctes:
                alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name, quoted=True))
                table.set("alias", alias)
                table.set("this", exp.to_identifier(source[1][name]))
        return tree

    def _checked(self, made: Translated) -> str:
        """Return a query's text, once no set operation in it joins columns of different kinds.

        DuckDB makes text of both sides where Spark would cast or fail.
        """
        for left, right in made.unions:
            pairs = zip(self.describe_query(left), self.describe_query(right), strict=False)
            for (column, kind), (_, other) in pairs:
                if not alike(kind, other):
                    raise refused_syntax(
                        f"a set operation of {kind.lower()} and {other.lower()} in {column!r}",
                        "cast one side",
                    )
        return made.sql

    def _next(self, kind: str) -> str:
        self._made += 1
        return f"kdl_{kind}{self._made}"


def cast_column(name: str, kind: str, wanted: str) -> str:
    """Return a column cast from a DuckDB type to a neutral one by Spark's rules, in DuckDB's dialect."""
    if same_type(kind, wanted):
        return quoted(name)
    if "<" in wanted or neutral_type(kind) == wanted:
        return f"CAST({quoted(name)} AS {duckdb_type(wanted)})"
    return duckdb_expression(parse_expression(f"CAST({spark_quoted(name)} AS {wanted})"))


def spark_quoted(name: str) -> str:
    """Return an identifier in Spark's quotes."""
    return "`" + name.replace("`", "``") + "`"
