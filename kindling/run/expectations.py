"""Expectations while a task runs: count, drop, quarantine or fail. Not their declaration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import ExpectationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.hooks import Frame
    from kindling.hooks.platform import Session
    from kindling.pipe import Rule
    from kindling.schemas import Schema

BROKEN = "_broken"
"""Column of a quarantine: names of the broken expectations, joined by `, `."""
_MARK = re.compile(r"KDL-EXPECT\[(.*?)\]")


def bad(condition: str) -> str:
    """Return the condition of a bad row: the expectation is false or null."""
    return f"NOT coalesce(({condition}), false)"


def marker(name: str) -> str:
    """Return the text that an engine's error carries when a row breaks this expectation."""
    return f"KDL-EXPECT[{name}]"


def broken_rule(error: BaseException) -> str | None:
    """Return the name of the expectation that an engine's error is about, or None."""
    seen: BaseException | None = error
    while seen is not None:
        if match := _MARK.search(str(seen)):
            return match[1]
        seen = seen.__cause__ or seen.__context__
    return None


def expectation_error(entity: str, name: str, rules: Mapping[str, Rule], where: str) -> ExpectationError:
    """Return the error for a row that broke an expectation, or a column that may not be null."""
    rule = rules.get(name)
    what = f"a row of {entity!r} breaks the expectation {name!r}"
    if rule is None:
        what = f"a row of {entity!r} has no value in the column {name.removeprefix('not null: ')!r}"
    return ExpectationError(
        "KDL-EXP-001",
        what,
        why=f"expected {rule.condition}; nothing was committed"
        if rule
        else "the schema says NOT NULL; nothing was committed",
        where=where,
        hint="mend the data, or choose on_fail='quarantine', 'drop' or 'warn'" if rule else "",
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
    session: Session, frame: Frame, rules: Mapping[str, Rule], schema: Schema, keep: object
) -> Checked:
    """Apply expectations and NOT NULL columns to a frame.

    `fail` and NOT NULL are compiled into the frame, `drop` and `warn` beside it are counted in one
    aggregate, `quarantine` splits the frame; `warn` alone is left to be counted after the commit.

    Args:
        session: The task's session.
        frame: The pipe's output, cast to `schema`.
        rules: Expectations by name.
        schema: The frame's schema; its NOT NULL columns are enforced.
        keep: Called with a frame that is used twice; returns it computed once.
    """
    by_kind: dict[str, dict[str, str]] = {"warn": {}, "drop": {}, "quarantine": {}, "fail": {}}
    for name, rule in rules.items():
        by_kind[rule.on_fail][name] = bad(rule.condition)
    fatal = {marker(name): text for name, text in by_kind["fail"].items()}
    for column in schema.fields:
        if not column.nullable:
            fatal[marker(f"not null: {column.name}")] = f"`{column.name}` IS NULL"
    if fatal:
        frame = session.fail_when(frame, fatal)
    checked = Checked(frame, warn=by_kind["warn"])
    if by_kind["quarantine"]:
        _quarantine(session, checked, by_kind["quarantine"], schema, keep)
    if by_kind["drop"]:
        counted = {**by_kind["drop"], **checked.warn}
        checked.counts.update(count_broken(session, checked.frame, counted))
        checked.warn = {}
        any_bad = " OR ".join(f"({text})" for text in by_kind["drop"].values())
        checked.frame = session.where(checked.frame, f"NOT ({any_bad})")
    return checked


def _quarantine(
    session: Session, checked: Checked, rules: Mapping[str, str], schema: Schema, keep: object
) -> None:
    """Split the frame by the names of the broken rules, computed once."""
    columns = [(name, f"`{name}`") for name in schema.names]
    names = ", ".join(f"CASE WHEN {text} THEN '{_quoted(name)}' END" for name, text in rules.items())
    marked = session.select(checked.frame, [*columns, (BROKEN, f"concat_ws(', ', {names})")])
    marked = keep(marked)  # type: ignore[operator]  # a callable; its type would need a Protocol for one use
    checked.quarantine = session.where(marked, f"{BROKEN} <> ''")
    checked.frame = session.select(session.where(marked, f"{BROKEN} = ''"), columns)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


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
