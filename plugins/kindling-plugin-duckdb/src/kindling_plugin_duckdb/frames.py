"""The frame that pipe code holds: PySpark's methods over a plan, corrected or refused where they differ."""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from sqlframe.base.dataframe import (
    BaseDataFrame,
    _BaseDataFrameNaFunctions,
    _BaseDataFrameStatFunctions,
)
from sqlframe.base.group import _BaseGroupedData
from sqlframe.base.operations import Operation, operation
from sqlframe.base.types import Row
from sqlframe.base.util import quote_preserving_alias_or_name
from sqlframe.base.window import Window
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

from kindling_plugin_duckdb.frame_api import FUNCTIONS as F
from kindling_plugin_duckdb.frame_api import named
from kindling_plugin_duckdb.methods import REFUSED_METHODS
from kindling_plugin_duckdb.plans import Column, PlanSession, struct_type, types
from kindling_plugin_duckdb.portability import ambiguous_column, refused_method, unknown_attribute
from kindling_plugin_duckdb.spark_text import spark_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.schemas import Schema

_ROW = "kdl_row"
_ALL_ROWS = 2**62
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")
# sqlframe's own annotations are generic over classes that nothing here subclasses.
_SqlframeGroup: Any = _BaseGroupedData
_SqlframeFrame: Any = BaseDataFrame


class Grouped(_SqlframeGroup):  # type: ignore[misc]  # see above
    """A grouped frame."""

    def agg(self, *exprs: Column | dict[str, str]) -> Frame:
        """Aggregate; each result has a name: its alias, or Spark's own where that is known."""
        if not exprs or isinstance(exprs[0], dict):
            return cast("Frame", super().agg(*exprs))
        columns = [named(item) for item in exprs]
        made = cast("Frame", super().agg(*columns))
        made._remember_names([*self.group_by_cols, *columns])  # noqa: SLF001  # frames and groups are one family
        return made

    def count(self) -> Frame:
        """Count the rows of each group as `count`."""
        return self.agg(F.count("*").alias("count"))

    def pivot(self, *_args: object, **_kwargs: object) -> Grouped:
        """Refuse: sqlframe's pivot on DuckDB returns other rows than Spark's."""
        raise refused_method(
            "groupBy(...).pivot",
            "it gives other rows on duckdb than on Spark",
            "aggregate F.when(F.col('c') == 'v', F.col('x')) per value",
        )


class Frame(_SqlframeFrame):  # type: ignore[misc]  # see above
    """A lazy frame of one session."""

    _na = _BaseDataFrameNaFunctions
    _stat = _BaseDataFrameStatFunctions
    _group_data = Grouped

    def __getattr__(self, name: str) -> Column:
        """Return a column by its name; anything else is a misspelt method and fails at once."""
        if name.startswith("_"):
            raise AttributeError(name)
        columns = self.columns
        if name.lower() not in {column.lower() for column in columns}:
            raise unknown_attribute(name, (*columns, *_methods()))
        return cast("Column", self[name])

    def _remember_names(self, columns: Sequence[object]) -> None:
        """Keep the letter case of names, which sqlframe folds to lower case."""
        for column in columns:
            if isinstance(column, Column) and isinstance(column.expression, exp.Alias):
                shown = column.expression.meta.get("display_name")
                if shown:
                    self.display_name_mapping[quote_preserving_alias_or_name(column.expression)] = shown

    # The next three only save work (measured: a third of planning); plans are the same but for CTE names.

    def copy(self, **kwargs: object) -> Frame:
        """Return a copy; what `kwargs` replaces is not copied first."""
        kwargs["join_on_uuid"] = str(uuid4())
        kept = {
            key: value.copy() if hasattr(value, "copy") else copy(value)
            for key, value in vars(self).items()
            if key not in kwargs
        }
        return type(self)(**kept, **kwargs)

    @classmethod
    def _get_outer_select_columns(cls, item: exp.Expression) -> list[Column]:
        """Return the columns of a plan's outer SELECT without parsing their names again."""
        select = item.find(exp.Select)
        names: list[exp.Identifier] = []
        for node in select.expressions if select else ():
            for named_node in node.aliases if isinstance(node, exp.Aliases) else [node]:
                found = named_node.args.get("alias") if isinstance(named_node, exp.Alias) else named_node
                found = found.this if isinstance(found, exp.Column) else found
                if not isinstance(found, exp.Identifier):
                    return cast("list[Column]", super()._get_outer_select_columns(item))
                names.append(found)
        return [_plain_column(name) for name in names]

    def _create_cte_from_expression(
        self,
        expression: exp.Expression,
        branch_id: str,
        sequence_id: str,
        name: str | None = None,
        **kwargs: object,
    ) -> tuple[exp.CTE, str]:
        """Number the steps of a plan in place of hashing their text."""
        session = cast("PlanSession", self.session)
        step = name or f"kdl_step{session.next_step()}"
        made = super()._create_cte_from_expression(expression, branch_id, sequence_id, step, **kwargs)
        return cast("tuple[exp.CTE, str]", made)

    def _spark_sql(self) -> str:
        """Return the plan as Spark SQL text."""
        select = self.expression.copy()
        self._set_display_names(select)
        return spark_sql(cast("exp.Expression", select))

    @property
    def columns(self) -> list[str]:
        """The column names, in order."""
        shown = exp.Select(
            expressions=[item.copy() for item in cast("exp.Select", self.expression).expressions]
        )
        self._set_display_names(shown)
        return list(shown.named_selects)

    @property
    def schema(self) -> types.StructType:
        """The schema as `k.types.StructType`."""
        return struct_type(self._neutral())

    @property
    def dtypes(self) -> list[tuple[str, str]]:
        """Column names and types, as Spark writes them."""
        return [(field.name, field.type) for field in self._neutral().fields]

    def _neutral(self) -> Schema:
        return cast("PlanSession", self.session).runner.schema(self)

    # Planning.

    def select(self, *cols: object, **kwargs: object) -> Frame:
        """Select columns; computed ones need a name, a field of a struct keeps its own."""
        if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
            cols = tuple(cols[0])
        if "append" in kwargs or "skip_update_display_name_mapping" in kwargs:
            return cast("Frame", super().select(*cols, **kwargs))
        self._refuse_ambiguous(cols)
        return cast("Frame", super().select(*(named(column) for column in cols), **kwargs))

    def selectExpr(self, *texts: str | list[str]) -> Frame:  # noqa: N802  # PySpark's name
        """Select Spark SQL expressions."""
        flat = [text for item in texts for text in ([item] if isinstance(item, str) else item)]
        return self.select(*(text if text.strip() == "*" else F.expr(text) for text in flat))

    def where(self, column: Column | str, **kwargs: object) -> Frame:
        """Keep the rows for which a condition is true."""
        condition = F.expr(column) if isinstance(column, str) else column
        self._refuse_ambiguous([condition])
        return cast("Frame", super().where(condition, **kwargs))

    filter = where

    def agg(self, *exprs: Column | dict[str, str], **_kwargs: object) -> Frame:
        """Aggregate the whole frame to one row."""
        return self.groupBy().agg(*exprs)

    def groupBy(self, *cols: object, **kwargs: object) -> Grouped:  # noqa: N802  # PySpark's name
        """Group by columns; a computed one needs a name."""
        if len(cols) == 1 and isinstance(cols[0], (list, tuple)):
            cols = tuple(cols[0])
        self._refuse_ambiguous(cols)
        return cast("Grouped", super().groupBy(*(named(column) for column in cols), **kwargs))

    groupby = groupBy

    def join(self, other: Frame, on: object = None, how: str = "inner", **kwargs: object) -> Frame:
        """Join two frames."""
        # sqlframe keeps the keys of the right side for one of Spark's four spellings only.
        how = "full" if how.lower().replace("_", "") in ("outer", "fullouter") else how
        made = cast("Frame", super().join(other, on, how, **kwargs))
        if how.lower() not in ("inner", "left", "cross") and not isinstance(on, Column):
            # The key of a later `select` would be the left side's alone, null where that has no row.
            made = cast("Frame", made._convert_leaf_to_cte())  # noqa: SLF001  # sqlframe's own
        made.display_name_mapping = {**other.display_name_mapping, **made.display_name_mapping}
        return made

    def crossJoin(self, other: Frame) -> Frame:  # noqa: N802  # PySpark's name
        """Pair each row with each row."""
        return self.join(other, how="cross")

    def withColumn(self, colName: str, col: Column) -> Frame:  # noqa: N802, N803  # PySpark's names
        """Add a column, or replace the one of that name."""
        self._refuse_ambiguous([col])
        return cast("Frame", super().withColumn(colName, col))

    def orderBy(self, *cols: object, **kwargs: object) -> Frame:  # noqa: N802  # PySpark's name
        """Order the rows; nulls come first, or last where the order is descending."""
        self._refuse_ambiguous(cols)
        return cast("Frame", super().orderBy(*cols, **kwargs))

    sort = orderBy

    def _refuse_ambiguous(self, columns: Sequence[object]) -> None:
        """Refuse a bare name that two columns have, as Spark does."""
        names = [str(name).strip("`").lower() for name in cast("exp.Select", self.expression).named_selects]
        if len(set(names)) == len(names):
            return
        for column in columns:
            nodes = column.expression.find_all(exp.Column) if isinstance(column, Column) else ()
            bare = [column] if isinstance(column, str) else [node.name for node in nodes if not node.table]
            for name in bare:
                if names.count(name.lower()) > 1:
                    raise ambiguous_column(name)

    def dropDuplicates(self, subset: list[str] | str | None = None) -> Frame:  # noqa: N802  # PySpark's name
        """Keep one row of each combination of values."""
        if not subset:
            return cast("Frame", self.distinct())
        keys = [subset] if isinstance(subset, str) else list(subset)
        window = Window.partitionBy(*keys).orderBy(*keys)
        ranked = self.withColumn(_ROW, F.row_number().over(window))
        return cast("Frame", ranked.where(F.col(_ROW) == 1).drop(_ROW))

    drop_duplicates = dropDuplicates

    @operation(Operation.FROM)
    def subtract(self, other: Frame) -> Frame:
        """Keep the distinct rows that the other frame does not have."""
        return cast("Frame", self._set_operation(exp.Except, other, True))  # sqlframe's flag for DISTINCT

    def fillna(self, value: object, subset: object = None) -> Frame:
        """Replace nulls (and NaN of fractions) in the columns whose type the value has."""
        values = value if isinstance(value, dict) else dict.fromkeys(_listed(subset) or self.columns, value)
        wanted = {str(name).lower(): item for name, item in values.items()}
        return self.select(*(_filled(*dtype, wanted.get(dtype[0].lower())) for dtype in self.dtypes))

    def dropna(self, how: str = "any", thresh: int | None = None, subset: object = None) -> Frame:
        """Drop rows with nulls (or NaN)."""
        names = {name.lower() for name in _listed(subset) or self.columns}
        present = [_present(*dtype) for dtype in self.dtypes if dtype[0].lower() in names]
        least = thresh if thresh is not None else (len(present) if how == "any" else 1)
        return self.where(
            " + ".join(f"CASE WHEN {test} THEN 1 ELSE 0 END" for test in present) + f" >= {least}"
        )

    def _unchanged(self, *_args: object, **_kwargs: object) -> Frame:
        """Hints on how to compute change nothing here."""
        return self

    cache = persist = unpersist = repartition = coalesce = hint = _unchanged
    repartitionByRange = _unchanged  # noqa: N815  # PySpark's name

    # Computing.

    def collect(self) -> list[Row]:
        """Bring all rows."""
        return self._rows(_ALL_ROWS)

    def take(self, num: int) -> list[Row]:
        """Bring the first rows."""
        return self._rows(num)

    def head(self, n: int | None = None) -> Row | list[Row] | None:
        """Bring the first row, or the first `n` as a list."""
        found = self._rows(1 if n is None else n)
        return found if n is not None else (found[0] if found else None)

    def first(self) -> Row | None:
        """Bring the first row."""
        return cast("Row | None", self.head())

    def isEmpty(self) -> bool:  # noqa: N802  # PySpark's name
        """Tell whether there is no row."""
        return not self._rows(1)

    def count(self) -> int:
        """Count the rows."""
        return cast("PlanSession", self.session).runner.count(self)

    def toArrow(self) -> object:  # noqa: N802  # PySpark's name
        """Bring all rows as a pyarrow.Table."""
        stream = cast("PlanSession", self.session).runner.to_arrow(self)
        return stream.read_all()  # type: ignore[attr-defined]  # a RecordBatchReader

    def _rows(self, limit: int) -> list[Row]:
        found = cast("PlanSession", self.session).runner.preview(self, limit)
        return [_row(found.columns, values) for values in found.rows]


def _plain_column(name: exp.Identifier) -> Column:
    column = Column(exp.column(name.copy()))
    column.expression.meta["display_name"] = name.name
    return column


def _identifier(name: str) -> exp.Identifier:
    """Return a column's identifier, quoted exactly where sqlframe quotes what users write.

    sqlframe compares names together with their quotes, for example in `join(other, "name")`.
    """
    if re.fullmatch(r"[a-z_]\w*", name) and name.upper() not in Spark.Tokenizer.KEYWORDS:
        return exp.to_identifier(name)
    try:
        node = F.col(name).expression
    except SqlglotError:
        node = None
    if isinstance(node, exp.Column) and not node.table and node.name == name:
        return exp.to_identifier(name, quoted=bool(node.this.args.get("quoted")))
    return exp.to_identifier(name, quoted=True)


def _refusal(name: str) -> property:
    def refuse(_frame: Frame) -> object:
        raise refused_method(name, *REFUSED_METHODS[name])

    return property(refuse)


for _name in REFUSED_METHODS:
    setattr(Frame, _name, _refusal(_name))
# sqlframe calls the inner function of its own `select` to add columns to a plan.
Frame.select.__wrapped__ = BaseDataFrame.select.__wrapped__  # type: ignore[attr-defined]  # both are functions
PlanSession._df = Frame  # noqa: SLF001  # sqlframe's way to say which frames a session makes


def leaf(session: PlanSession, relation: str, names: Sequence[str]) -> Frame:
    """Return a frame over a relation of the session's connection."""
    columns = [exp.column(_identifier(name.lower())) for name in names]
    frame = Frame(session, exp.Select().from_(exp.to_table(relation)).select(*columns))
    for name in names:
        if name != name.lower():
            frame.display_name_mapping[name.lower()] = name
            frame.display_name_mapping[f"`{name.lower()}`"] = name
    return frame


def _row(columns: Sequence[str], values: Sequence[object]) -> Row:
    row = Row(*values)
    row.__fields__ = list(columns)
    return row


def _methods() -> list[str]:
    return [name for name in dir(Frame) if not name.startswith("_") and name not in REFUSED_METHODS]


def _listed(subset: object) -> list[str]:
    if subset is None:
        return []
    return [subset] if isinstance(subset, str) else [str(name) for name in cast("list[str]", subset)]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _filled(name: str, kind: str, value: object) -> Column:
    column, base = F.col(_quoted(name)), kind.partition("(")[0]
    fits = (
        (isinstance(value, bool) and base == "boolean")
        or (isinstance(value, (int, float)) and not isinstance(value, bool) and base in _NUMBERS)
        or (isinstance(value, str) and base == "string")
    )
    if not fits:
        return column.alias(name)
    present = F.nanvl(column, F.lit(None)) if base in ("float", "double") else column
    return F.coalesce(present, F.lit(value).cast(kind)).cast(kind).alias(name)


def _present(name: str, kind: str) -> str:
    text = f"{_quoted(name)} IS NOT NULL"
    return f"{text} AND NOT isnan({_quoted(name)})" if kind in ("float", "double") else text
