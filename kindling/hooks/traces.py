"""The columns of a plan's steps and the inputs that they come from: what every platform's lineage adds up.

A platform walks its own plans and calls these steps; what a join or a grouping means for lineage stands
here alone, so that all platforms say the same. Nothing here knows an engine or a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kindling.lineage import HOWS, ColumnLineage, Origin

Origins: TypeAlias = frozenset[Origin]
NONE: Origins = frozenset()
_PLACES = {how: place for place, how in enumerate(HOWS)}

AGGREGATES = frozenset(
    [
        "any",
        "any_value",
        "approx_count_distinct",
        "approx_percentile",
        "array_agg",
        "avg",
        "bit_and",
        "bit_or",
        "bit_xor",
        "bool_and",
        "bool_or",
        "collect_list",
        "collect_set",
        "corr",
        "count",
        "count_if",
        "count_min_sketch",
        "covar_pop",
        "covar_samp",
        "every",
        "first",
        "first_value",
        "grouping",
        "grouping_id",
        "histogram_numeric",
        "hll_sketch_agg",
        "hll_union_agg",
        "kurtosis",
        "last",
        "last_value",
        "listagg",
        "max",
        "max_by",
        "mean",
        "median",
        "min",
        "min_by",
        "mode",
        "percentile",
        "percentile_approx",
        "percentile_cont",
        "percentile_disc",
        "product",
        "regr_avgx",
        "regr_avgy",
        "regr_count",
        "regr_intercept",
        "regr_r2",
        "regr_slope",
        "regr_sxx",
        "regr_sxy",
        "regr_syy",
        "skewness",
        "some",
        "std",
        "stddev",
        "stddev_pop",
        "stddev_samp",
        "string_agg",
        "sum",
        "sum_distinct",
        "try_avg",
        "try_sum",
        "var_pop",
        "var_samp",
        "variance",
    ]
)
"""Spark's aggregate functions, which plans do not tell from others before they are analysed."""
GENERATORS = frozenset(
    [
        "explode",
        "explode_outer",
        "posexplode",
        "posexplode_outer",
        "inline",
        "inline_outer",
        "stack",
        "json_tuple",
        "variant_explode",
        "variant_explode_outer",
    ]
)
"""Spark's functions that make several rows of one."""


class OpaqueError(Exception):
    """A part of a plan is not understood; lineage is unknown then, never guessed."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One column of a step; the same one passes through later steps, so it is compared by identity.

    Attributes:
        name: As the engine shows it.
        origins: What it comes from.
        qualifier: The table's name by which it may be called, in lower case; "" for none.
        mark: What it is known by when it has got another qualifier.
    """

    name: str
    origins: Origins = NONE
    qualifier: str = ""
    mark: object = field(default_factory=object)


@dataclass(frozen=True, slots=True)
class Trace:
    """The columns of one step of a plan.

    Attributes:
        parts: Its columns in order.
        rows: What decides which rows there are.
        hidden: Columns that may be called by their qualified names only: the right side of a USING.
    """

    parts: tuple[Part, ...] = ()
    rows: Origins = NONE
    hidden: tuple[Part, ...] = ()

    @classmethod
    def of_input(cls, entity: str, columns: Iterable[str]) -> Trace:
        """Return the trace of a frame that a pipe was called with."""
        return cls(tuple(Part(name, frozenset((Origin(entity, name),))) for name in columns))

    @classmethod
    def constant(cls, columns: Iterable[str]) -> Trace:
        """Return the trace of rows that stand in the plan itself."""
        return cls(tuple(map(Part, columns)))

    def lineage(self) -> ColumnLineage:
        """Return it as what a platform's `lineage` answers, origins in a fixed order."""
        columns = tuple((part.name, _sorted(part.origins)) for part in self.parts)
        return ColumnLineage(columns, _sorted(self.rows))

    def shown(self, names: Sequence[str]) -> Trace:
        """Return it with the names that the engine shows; one that differs means that a step was misread."""
        if len(names) != len(self.parts) or any(
            part.name and part.name.lower() != name.lower()
            for part, name in zip(self.parts, names, strict=True)
        ):
            raise OpaqueError
        return self.renamed(names)

    def found(self, names: Sequence[str]) -> Origins | None:
        """Return the origins of a column by its name's parts; None where there is none.

        A qualified name is tried first, then a column with fields of a struct.
        """
        lower = [name.lower() for name in names]
        qualified = [
            part
            for part in (*self.parts, *self.hidden)
            if len(lower) > 1 and part.qualifier == lower[0] and part.name.lower() == lower[1]
        ]
        if qualified:
            return _nested(qualified, len(lower) > 2)  # noqa: PLR2004  # table, column, then fields
        plain = [part for part in self.parts if part.name.lower() == lower[0]]
        return _nested(plain, len(lower) > 1) if plain else None

    def named(self, qualifier: str) -> Trace:
        """Return it under a table's name."""
        parts = tuple(replace(part, qualifier=qualifier.lower()) for part in self.parts)
        return Trace(parts, self.rows)

    def renamed(self, names: Sequence[str]) -> Trace:
        """Return it with other column names, by place."""
        if len(names) != len(self.parts):
            raise OpaqueError
        parts = (Part(name, part.origins) for name, part in zip(names, self.parts, strict=True))
        return Trace(tuple(parts), self.rows)

    def of(self, qualifier: str) -> tuple[Part, ...]:
        """Return the columns of one table in scope, for `t.*`."""
        found = tuple(part for part in (*self.parts, *self.hidden) if part.qualifier == qualifier.lower())
        if not found:
            raise OpaqueError
        return found

    def decided(self, *origins: Origins) -> Trace:
        """Return it with more that decides about its rows: a filter, a grouping, a sorting."""
        return replace(self, rows=self.rows | through(merged(origins), "indirect"))

    def distinct(self, names: Iterable[str] | None = None) -> Trace:
        """Return it without duplicates, of some columns or of all."""
        if names is None:
            return self.decided(*(part.origins for part in self.parts))
        return self.decided(*(self.require((name,)) for name in names))

    def require(self, names: Sequence[str]) -> Origins:
        """Return the origins of a column that must be there."""
        found = self.found(names)
        if found is None:
            raise OpaqueError
        return found

    def replaced(self, made: Iterable[Part]) -> Trace:
        """Return it with columns replaced by others of their names, new ones behind them: `withColumn`."""
        new = {part.name.lower(): part for part in made}
        kept = tuple(
            Part(part.name, new[part.name.lower()].origins) if part.name.lower() in new else part
            for part in self.parts
        )
        known = {part.name.lower() for part in self.parts}
        added = tuple(part for name, part in new.items() if name not in known)
        return Trace((*kept, *added), self.rows, self.hidden)

    def without(self, is_dropped: Callable[[Part], bool]) -> Trace:
        """Return it without some columns."""
        return replace(self, parts=tuple(part for part in self.parts if not is_dropped(part)))

    def joined(self, other: Trace, kind: str, using: Sequence[str] = ()) -> Trace:
        """Return a join; a condition is added by `decided`.

        Args:
            other: The right side.
            kind: `inner`, `cross`, `left`, `right`, `full`, `semi` or `anti`.
            using: Columns that both sides have, of which one remains.
        """
        keys = [self.require((name,)) for name in using] + [other.require((name,)) for name in using]
        rows = self.rows | other.rows | through(merged(keys), "indirect")
        if kind in ("semi", "anti"):
            return Trace(self.parts, rows, self.hidden)
        lower = [name.lower() for name in using]
        both = tuple(_both(self._named(name), other._named(name), kind) for name in using)
        left = tuple(part for part in self.parts if part.name.lower() not in lower)
        right = tuple(part for part in other.parts if part.name.lower() not in lower)
        keys_of_both = tuple(
            part for part in (*self.parts, *other.parts) if part.name.lower() in lower and part not in both
        )
        return Trace((*both, *left, *right), rows, (*self.hidden, *other.hidden, *keys_of_both))

    def united(self, other: Trace, *, by_name: bool = False, missing: bool = False) -> Trace:
        """Return the rows of both; columns belong together by place, or by name.

        Args:
            other: The other rows.
            by_name: Match columns by name.
            missing: A column that one side lacks is null there.
        """
        rows = self.rows | other.rows
        if not by_name:
            if len(self.parts) != len(other.parts):
                raise OpaqueError
            pairs = zip(self.parts, other.parts, strict=True)
            return Trace(tuple(Part(one.name, one.origins | two.origins) for one, two in pairs), rows)
        theirs = {part.name.lower(): part for part in other.parts}
        parts = []
        for part in self.parts:
            match = theirs.pop(part.name.lower(), None)
            if match is None and not missing:
                raise OpaqueError
            parts.append(Part(part.name, part.origins | match.origins if match else part.origins))
        if theirs and not missing:
            raise OpaqueError
        return Trace((*parts, *(Part(part.name, part.origins) for part in theirs.values())), rows)

    def compared(self, other: Trace) -> Trace:
        """Return the rows of this side that the other has, or lacks: INTERSECT, EXCEPT."""
        if len(self.parts) != len(other.parts):
            raise OpaqueError
        parts = tuple(Part(part.name, part.origins) for part in self.parts)
        rows = self.rows | other.rows
        return Trace(parts, rows).decided(*(part.origins for part in (*self.parts, *other.parts)))

    def _named(self, name: str) -> Part:
        return next(part for part in self.parts if part.name.lower() == name.lower())


def through(origins: Origins, how: str) -> Origins:
    """Return origins after one more step: the strongest of all steps of a column's way counts."""
    if how == "identity":
        return origins
    place = _PLACES[how]
    return frozenset(Origin(one.entity, one.column, HOWS[max(place, _PLACES[one.how])]) for one in origins)


def merged(origins: Iterable[Origins]) -> Origins:
    """Return the origins of all."""
    return frozenset().union(*origins)


def _nested(parts: Sequence[Part], is_field: bool) -> Origins:  # noqa: FBT001  # private, two callers
    origins = merged(part.origins for part in parts)
    return through(origins, "transformation") if is_field else origins


def _both(left: Part, right: Part, kind: str) -> Part:
    if kind == "right":
        return right
    if kind == "full":
        return Part(left.name, through(left.origins | right.origins, "transformation"))
    return left


def _sorted(origins: Origins) -> tuple[Origin, ...]:
    return tuple(sorted(origins, key=lambda one: (one.entity, one.column, _PLACES[one.how])))
