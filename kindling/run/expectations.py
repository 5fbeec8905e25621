"""Expectations while a task runs: count, drop, quarantine or fail. Not their declaration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import ExpectationError, RunError
from kindling.schemas import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.hooks import Frame
    from kindling.hooks.platform import Session
    from kindling.pipe import Pipe, Rule
    from kindling.schemas import Schema

BROKEN = "_broken"
"""Column of a quarantine: names of the broken expectations, joined by `, `."""
_MARK = re.compile(r"KDL-(EXPECT|NOTNULL)\[([^\[\]#]+)#(\d+)\]")


def bad(condition: str) -> str:
    """Return the condition of a bad row: the expectation is false or null."""
    # on lines of its own: a comment at its end must not swallow the bracket
    return f"NOT coalesce((\n{condition}\n), false)"


def broken(error: BaseException) -> tuple[str, str, int] | None:
    """Return (`EXPECT` or `NOTNULL`, entity, place of the rule or column) of an engine's error, or None."""
    seen: BaseException | None = error
    while seen is not None:
        if match := _MARK.search(str(seen)):
            return match[1], match[2], int(match[3])
        seen = seen.__cause__ or seen.__context__
    return None


def expectation_error(found: tuple[str, str, int], pipe: Pipe[...]) -> ExpectationError:
    """Return the error for a row that broke an expectation, or a column that may not be null."""
    kind, entity, place = found
    if kind == "NOTNULL":
        column = pipe.schema.names[place] if pipe.schema else ""
        return ExpectationError(
            "KDL-EXP-001",
            f"a row of {entity!r} has no value in the column {column!r}",
            why="the schema says NOT NULL; nothing was committed",
            where=str(pipe.place),
            entity=entity,
            expectation=f"not null: {column}",
        )
    name, rule = list(pipe.rules.items())[place]
    return ExpectationError(
        "KDL-EXP-001",
        f"a row of {entity!r} breaks the expectation {name!r}",
        why=f"expected {rule.condition}; nothing was committed",
        where=str(pipe.place),
        hint="mend the data, or choose on_fail='quarantine', 'drop' or 'warn'",
        entity=entity,
        expectation=name,
    )


@dataclass(slots=True)
class Checked:
    """A frame after its expectations.

    Attributes:
        frame: What to commit.
        quarantine: Frame of the broken rows with the column `_broken`, or None.
        counts: Broken rows by expectation, as far as they are known before the commit.
        warn: Expectations to count after the commit, condition of a bad row by name.
    """

    frame: Frame
    quarantine: Frame | None = None
    counts: dict[str, int] = field(default_factory=dict)
    warn: dict[str, str] = field(default_factory=dict)


def apply_rules(
    session: Session,
    frame: Frame,
    rules: Mapping[str, Rule],
    schema: Schema,
    *,
    entity: str,
    keep: Callable[[Frame], Frame],
) -> Checked:
    """Apply expectations and NOT NULL columns to a frame.

    `fail` and NOT NULL are compiled into the frame, `drop` and `warn` beside it are counted in one
    aggregate, `quarantine` splits the frame; `warn` alone is left to be counted after the commit.

    Args:
        session: The task's session.
        frame: The pipe's output, cast to `schema`.
        rules: Expectations by name.
        schema: The frame's schema; its NOT NULL columns are enforced.
        entity: Name of the entity: the markers in an engine's error carry it.
        keep: Called with a frame that is used twice; returns it computed once.
    """
    fatal = _fatal(rules, schema, entity)
    if fatal:
        frame = session.fail_when(frame, fatal)
    checked = Checked(frame, warn=rules_of(rules, "warn"))
    quarantined = rules_of(rules, "quarantine")
    if quarantined:
        _quarantine(session, checked, quarantined, schema, entity, keep)
    dropped = rules_of(rules, "drop")
    if dropped:
        checked.counts.update(count_broken(session, checked.frame, {**dropped, **checked.warn}))
        checked.warn = {}
        any_bad = " OR ".join(f"({text})" for text in dropped.values())
        checked.frame = session.where(checked.frame, f"NOT ({any_bad})")
    return checked


def rules_of(rules: Mapping[str, Rule], on_fail: str) -> dict[str, str]:
    """Return the condition of a bad row by the name of each rule with that consequence."""
    return {name: bad(rule.condition) for name, rule in rules.items() if rule.on_fail == on_fail}


def _fatal(rules: Mapping[str, Rule], schema: Schema, entity: str) -> dict[str, str]:
    """Return conditions by marker. A marker names a rule by its place: names may hold anything."""
    fatal = {
        f"KDL-EXPECT[{entity}#{place}]": bad(rule.condition)
        for place, rule in enumerate(rules.values())
        if rule.on_fail == "fail"
    }
    for place, column in enumerate(schema.fields):
        if not column.nullable:
            fatal[f"KDL-NOTNULL[{entity}#{place}]"] = f"{quoted(column.name)} IS NULL"
    return fatal


def _quarantine(  # one call, in the order of the parameters
    session: Session,
    checked: Checked,
    rules: Mapping[str, str],
    schema: Schema,
    entity: str,
    keep: Callable[[Frame], Frame],
) -> None:
    """Split the frame by the names of the broken rules, computed once."""
    if schema.field(BROKEN) is not None:
        raise RunError(
            "KDL-RUN-025",
            f"{entity!r} has a column {BROKEN!r}, and a quarantine needs that name",
            hint="rename or drop the column",
        )
    columns = [(name, quoted(name)) for name in schema.names]
    names = ", ".join(f"CASE WHEN {text} THEN {_literal(name)} END" for name, text in rules.items())
    marked = keep(session.select(checked.frame, [*columns, (BROKEN, f"concat_ws(', ', {names})")]))
    checked.quarantine = session.where(marked, f"{BROKEN} <> ''")
    checked.frame = session.select(session.where(marked, f"{BROKEN} = ''"), columns)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped or '(unnamed)'}'"  # "" would say that nothing is broken


def count_broken(session: Session, frame: Frame, rules: Mapping[str, str]) -> dict[str, int]:
    """Count the rows that break each rule, in one aggregate."""
    if not rules:
        return {}
    columns = [
        (f"r{number}", f"coalesce(sum(CASE WHEN {text} THEN 1 ELSE 0 END), 0)")
        for number, text in enumerate(rules.values())
    ]
    row = session.aggregate(frame, columns)
    return {name: int(str(row[f"r{number}"])) for number, name in enumerate(rules)}
