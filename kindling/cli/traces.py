"""What the last runs traced of each entity, from the state: for `kindling lineage`. It traces nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.cli.history import story
from kindling.lineage import ColumnLineage
from kindling.schemas import parse_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kindling.hooks.state import State
    from kindling.values import Plain

MOST_RUNS = 1000


@dataclass(frozen=True, slots=True)
class Trace:
    """What one task told of what it read and wrote.

    Attributes:
        entity: What it made.
        run_id: Its run.
        columns: Columns of what it made.
        inputs: Columns of each input as it was read, by entity.
        lineage: Relative to the inputs; None where it is opaque.
        masks: Mask by `(entity, column in lower case)` that was masked while reading.
        classes: Classes by column of what it made.
        newer: A later run that made the entity without tracing it, or "".
    """

    entity: str
    run_id: str
    columns: tuple[str, ...]
    inputs: Mapping[str, tuple[str, ...]]
    lineage: ColumnLineage | None
    masks: Mapping[tuple[str, str], str]
    classes: Mapping[str, tuple[str, ...]]
    newer: str = ""


@dataclass(frozen=True, slots=True)
class Traces:
    """The newest trace of each entity.

    Attributes:
        by_entity: Traces by entity.
        untraced: Newest run that made an entity of which there is no trace, by entity.
    """

    by_entity: Mapping[str, Trace]
    untraced: Mapping[str, str]


def last_traces(state: State, state_dir: str, app: str, environment: str, wanted: Iterable[str]) -> Traces:
    """Collect the newest trace of each wanted entity.

    Effects: reads runs, newest first, until each entity was found; of a run that was killed its events.

    Args:
        state: The state.
        state_dir: The folder of the runs' events.
        app: App name.
        environment: Environment name.
        wanted: The app's pipes.
    """
    left = set(wanted)
    found: dict[str, Trace] = {}
    untraced: dict[str, str] = {}
    for run in state.runs(app, environment, MOST_RUNS):
        if not left:
            break
        for row in reversed(story(state, run, state_dir).outcomes):
            name = str(row.get("key", "")).partition("[")[0]
            if name not in left or row.get("status") != "done" or _found_nothing(row):
                continue
            traced = row.get("traced")
            if isinstance(traced, dict) and traced:
                found[name] = _trace(name, run.run_id, traced, untraced.pop(name, ""))
                left.discard(name)
            else:
                untraced.setdefault(name, run.run_id)
    return Traces(found, untraced)


def _found_nothing(row: Mapping[str, Plain]) -> bool:
    """Tell whether an incremental task had nothing to read: it says nothing about columns."""
    return row.get("rows") == 0 and not row.get("traced") and bool(row.get("cursors"))


def _trace(entity: str, run_id: str, traced: Mapping[str, Plain], newer: str) -> Trace:
    lineage, masked, classes = (traced.get(name) for name in ("lineage", "masked", "classes"))
    return Trace(
        entity,
        run_id,
        _columns(traced.get("target")),
        {str(one["entity"]): _columns(one) for one in _dicts(traced.get("inputs"))},
        ColumnLineage.from_plain(lineage) if isinstance(lineage, dict) else None,
        {(str(one[0]), str(one[1]).lower()): str(one[2]) for one in _lists(masked)},
        {column: tuple(map(str, some)) for column, some in classes.items() if isinstance(some, list)}
        if isinstance(classes, dict)
        else {},
        newer,
    )


def _columns(told: Plain) -> tuple[str, ...]:
    ddl = str(told.get("schema") or "") if isinstance(told, dict) else ""
    return parse_schema(ddl).names if ddl else ()


def _dicts(told: Plain) -> list[dict[str, Plain]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _lists(told: Plain) -> list[list[Plain]]:
    return [one for one in told if isinstance(one, list)] if isinstance(told, list) else []
