"""Where columns come from: what one pipe's frame says about its inputs. Light; it traces nothing itself."""

from __future__ import annotations

from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    from kindling.values import Plain

    Classes: TypeAlias = Mapping[str, tuple[str, ...]]

HOWS = ("identity", "transformation", "aggregation", "indirect")
"""`indirect`: the input decides about the value without being part of it: CASE conditions, window order."""
EVERY_COLUMN = "*"
"""Stands for each column in classes of a table of which it is not known which column carries them."""


class Origin(Value):
    """One input column that a column depends on.

    Attributes:
        entity: Logical name of the input.
        column: Its column, in its own spelling.
        how: One of `HOWS`.
    """

    entity: str
    column: str
    how: str = "identity"


class ColumnLineage(Value):
    """What the columns of a frame come from.

    Attributes:
        columns: `(column, origins)` of each column, in the frame's order; () for constants.
        rows: Inputs that decide which rows there are, and in which groups: filters, joins, grouping, sorting.
    """

    columns: tuple[tuple[str, tuple[Origin, ...]], ...]
    rows: tuple[Origin, ...] = ()

    def to_plain(self) -> dict[str, Plain]:
        """Return `{"columns": {column: [[entity, column, how], ...]}, "rows": [...]}`, JSON types."""
        return {
            "columns": {name: _plain(origins) for name, origins in self.columns},
            "rows": _plain(self.rows),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Plain]) -> ColumnLineage | None:
        """Return what `to_plain` wrote; None for `{}` (opaque)."""
        columns = plain.get("columns")
        if not isinstance(columns, dict):
            return None
        return cls(
            tuple((name, _origins(listed)) for name, listed in columns.items()), _origins(plain.get("rows"))
        )

    def inherited(self, classes: Mapping[str, Classes]) -> dict[str, tuple[str, ...]]:
        """Return the classes that each column inherits: those of the columns that are part of its value.

        Args:
            classes: Classes by column, by input entity.
        """
        found: dict[str, tuple[str, ...]] = {}
        for name, origins in self.columns:
            taken = {
                one
                for origin in origins
                if origin.how != "indirect"
                for one in _of_column(classes.get(origin.entity, {}), origin.column)
            }
            if taken:
                found[name] = tuple(sorted(taken))
        return found


def inherited_by_all(columns: Iterable[str], classes: Mapping[str, Classes]) -> dict[str, tuple[str, ...]]:
    """Return what the columns of an opaque step inherit: every class of every input."""
    every = tuple(
        sorted({one for of_input in classes.values() for some in of_input.values() for one in some})
    )
    return dict.fromkeys(columns, every) if every else {}


def spread(classes: Classes, columns: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return classes by column, those of `EVERY_COLUMN` given to each column."""
    every = classes.get(EVERY_COLUMN, ())
    own = {name: some for name, some in classes.items() if name != EVERY_COLUMN}
    return joined(own, dict.fromkeys(columns, every)) if every else own


def joined(*several: Classes) -> dict[str, tuple[str, ...]]:
    """Return classes by column, of all together; spelling of the first wins, letter case is ignored."""
    found: dict[str, tuple[str, ...]] = {}
    spelt: dict[str, str] = {}
    for classes in several:
        for column, some in classes.items():
            name = spelt.setdefault(column.lower(), column)
            found[name] = tuple(sorted({*found.get(name, ()), *some}))
    return found


def _of_column(classes: Classes, column: str) -> tuple[str, ...]:
    return next((some for name, some in classes.items() if name.lower() == column.lower()), ())


def _plain(origins: tuple[Origin, ...]) -> list[Plain]:
    return [[one.entity, one.column, one.how] for one in origins]


def _origins(listed: Plain) -> tuple[Origin, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(Origin(*map(str, one)) for one in listed if isinstance(one, list))
