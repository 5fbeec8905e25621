"""The Context that a pipe with `context=True` gets while a task runs. It exposes no session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.config.secrets import Reference
from kindling.errors import ConfigError, RunError
from kindling.hooks.platform import ArrowIn
from kindling.names import did_you_mean
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
        secret_versions: Version of each that it was given first.
        frames_made: How many frames it made of rows: nobody knows where those come from.
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
        self.secret_versions: dict[str, str] = {}
        self.frames_made = 0

    def frame(self, rows: Sequence[Sequence[object]] | object, schema: object) -> DataFrame:
        """Make a frame of rows or of Arrow data; see `kindling.Context.frame`."""
        neutral = parse_schema(schema)
        if not isinstance(self._session, ArrowIn):
            raise RunError(
                "KDL-RUN-023",
                f"the platform {self._session.platform!r} cannot make frames of rows",
                why="its sessions lack the feature 'arrow-in'",
            )
        self.frames_made += 1
        data = rows if hasattr(rows, "__arrow_c_stream__") else table_of_rows(rows, neutral)
        made: DataFrame = self._session.from_arrow(data, neutral)  # type: ignore[assignment]  # the engine's own class
        return made

    def setting(self, name: str) -> Plain:
        """Return one of the app's own settings, the table `[settings]`, else any other by its dotted name.

        Raises:
            ConfigError: KDL-CONF-034, nobody sets it.
        """
        for key in (f"settings.{name}", name):
            self.settings_read.append(key)  # what was looked for enters the fingerprint
            value: Plain = self._settings.get(key)
            if value is not None:
                return value
        own = list(self._settings.table("settings"))
        raise ConfigError(
            "KDL-CONF-034",
            f"the pipe asks for the setting {name!r}, which nobody sets",
            why=did_you_mean(name, own),
            hint=f"add {name} = ... to [settings] in kindling.toml",
            name=name,
        )

    def secret(self, reference: str) -> Secret:
        """Resolve a reference where its value is used.

        Raises:
            ConfigError: KDL-CONF-020 or KDL-CONF-021, no such secret, or the text is no reference.
        """
        Reference.parse(reference)
        self.secrets_read.append(reference)
        found = self._resolve(reference)
        self.secret_versions.setdefault(reference, found.version)
        return found


def table_of_rows(rows: object, schema: Schema) -> object:
    """Return rows (a sequence of tuples in the schema's order, or of dicts) as a `pyarrow.Table`.

    Raises:
        RunError: KDL-RUN-024, a row has another number of values, an unknown column or a wrong type.
    """
    import pyarrow as pa

    from kindling.hooks.arrow import arrow_schema

    names = schema.names
    target = arrow_schema(schema)
    try:
        given: Iterable[object] = iter(rows)  # type: ignore[call-overload]  # any iterable of tuples or dicts
        listed = [_as_tuple(row, names, number) for number, row in enumerate(given)]
        columns = list(zip(*listed, strict=True)) if listed else [() for _ in names]
        arrays = [pa.array(column, type=field.type) for column, field in zip(columns, target, strict=True)]
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _misfit(str(error)) from error
    return pa.Table.from_arrays(arrays, schema=target)


def _as_tuple(row: object, names: tuple[str, ...], number: int) -> tuple[object, ...]:
    if isinstance(row, dict):
        unknown = [key for key in row if key not in names]
        if unknown:
            raise _misfit(f"row {number} has the unknown column {unknown[0]!r}; columns: {', '.join(names)}")
        return tuple(row.get(name) for name in names)
    if isinstance(row, (str, bytes)) or not hasattr(row, "__iter__"):
        raise _misfit(f"row {number} is a {type(row).__name__}, expected a tuple or a dict")
    values = tuple(row)
    if len(values) != len(names):
        raise _misfit(f"row {number} has {len(values)} values for {len(names)} columns")
    return values


def _misfit(why: str) -> RunError:
    return RunError("KDL-RUN-024", "the rows do not fit their schema", why=why)
