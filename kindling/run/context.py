"""The Context that a pipe with `context=True` gets while a task runs. It exposes no session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.errors import ConfigError, RunError
from kindling.hooks.platform import ArrowIn
from kindling.schemas import Schema, parse_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kindling.addresses import Slice
    from kindling.config.settings import Settings
    from kindling.context import Log
    from kindling.frames import DataFrame
    from kindling.hooks.platform import Session
    from kindling.secret import Secret
    from kindling.values import Plain


class TaskContext:
    """Implements `kindling.Context` for one task.

    Attributes:
        slice: The part of the entity that this task makes.
        log: A structured logger bound to run and task.
        settings_read: Names of the settings that the pipe asked for, in order.
        secrets_read: References that it asked for, in order.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        resolve: Callable[[str], Secret],
        piece: Slice,
        log: Log,
    ) -> None:
        self._session = session
        self._settings = settings
        self._resolve = resolve
        self.slice = piece
        self.log = log
        self.settings_read: list[str] = []
        self.secrets_read: list[str] = []

    def frame(self, rows: Sequence[Sequence[object]] | object, schema: object) -> DataFrame:
        """Make a frame of rows or of Arrow data; see `kindling.Context.frame`."""
        neutral = parse_schema(schema)
        if not isinstance(self._session, ArrowIn):
            raise RunError(
                "KDL-RUN-020",
                f"the platform {self._session.platform!r} cannot make frames of rows",
                why="its sessions lack the feature 'arrow-in'",
            )
        data = rows if hasattr(rows, "__arrow_c_stream__") else table_of_rows(rows, neutral)
        made: DataFrame = self._session.from_arrow(data, neutral)  # type: ignore[assignment]  # the engine's own class
        return made

    def setting(self, name: str) -> Plain:
        """Return a setting; what was read enters the fingerprint."""
        self.settings_read.append(name)
        value: Plain = self._settings.get(name)
        return value

    def secret(self, reference: str) -> Secret:
        """Resolve a reference where its value is used."""
        if not reference.startswith("secret://"):
            raise ConfigError(
                "KDL-CONF-021",
                f"{reference!r} is no secret reference",
                hint="write secret://env/NAME",
            )
        self.secrets_read.append(reference)
        return self._resolve(reference)


def table_of_rows(rows: object, schema: Schema) -> object:
    """Return rows (a sequence of tuples in the schema's order, or of dicts) as a `pyarrow.Table`.

    Raises:
        RunError: KDL-RUN-021, a row has another number of values, an unknown column or a wrong type.
    """
    import pyarrow as pa

    from kindling.hooks.arrow import arrow_schema

    names = schema.names
    given: Iterable[Iterable[object]] = rows  # type: ignore[assignment]  # any iterable of tuples or dicts
    listed = [_as_tuple(row, names, number) for number, row in enumerate(given)]
    target = arrow_schema(schema)
    columns = list(zip(*listed, strict=True)) if listed else [() for _ in names]
    try:
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, target, strict=True)]
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise RunError("KDL-RUN-021", "the rows do not fit their schema", why=str(error)) from error
    return pa.Table.from_arrays(arrays, schema=target)


def _as_tuple(row: Iterable[object], names: tuple[str, ...], number: int) -> tuple[object, ...]:
    if isinstance(row, dict):
        unknown = [key for key in row if key not in names]
        if unknown:
            raise RunError(
                "KDL-RUN-021",
                "the rows do not fit their schema",
                why=f"row {number} has the unknown column {unknown[0]!r}; columns: {', '.join(names)}",
            )
        return tuple(row.get(name) for name in names)
    values = tuple(row)
    if len(values) != len(names):
        raise RunError(
            "KDL-RUN-021",
            "the rows do not fit their schema",
            why=f"row {number} has {len(values)} values for {len(names)} columns",
        )
    return values
