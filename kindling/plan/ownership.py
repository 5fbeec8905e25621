"""Whose table it is, and what its newest commit says that the state does not know. It writes nothing."""

from __future__ import annotations

from kindling.errors import PolicyError
from kindling.plan.parts import is_made_from
from kindling.plan.plan import Reason
from kindling.plan.rights import is_classified
from kindling.records import TaskRecord
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.errors import KindlingError
    from kindling.plan.binding import Binding, Bound
    from kindling.plan.facts import Facts


class Standing(Value):
    """What is known about the newest success of a task.

    Attributes:
        record: The newest record, from the state or made of a commit; None for none.
        cursors: Positions in incremental sources that the table holds by now.
        recovered: Whether `record` was made of a commit, and is complete.
        lost: Why the table holds something that no record describes: its task runs again.
    """

    record: TaskRecord | None = None
    cursors: tuple[tuple[str, str], ...] = ()
    recovered: bool = False
    lost: Reason | None = None


class Ownership:
    """Compares tables' newest commits with the records.

    Args:
        binding: The checked declarations.
        facts: What the world looks like.
        mine: App and environment that are planned.
    """

    def __init__(self, binding: Binding, facts: Facts, mine: tuple[str, str]) -> None:
        self._entities = binding.entities
        self._facts = facts
        self._mine = mine

    def fault(
        self, bound: Bound, version: str | None, recorded: Mapping[str, TaskRecord]
    ) -> KindlingError | None:
        """Return why this app may not write a table: another app, environment or somebody else made it.

        Args:
            bound: The entity.
            version: Its newest version.
            recorded: Its records by slice; a version that one of them names was made by this app.
        """
        if version is None or any(record.version == version for record in recorded.values()):
            return None
        found = self._facts.commit(bound)
        if found is None:
            return None if recorded or bound.override("adopt") is True else _unowned(bound)
        theirs = (str(found[1].get("app")), str(found[1].get("environment")))
        return _owned(bound, theirs, self._mine) if theirs != self._mine else None

    def standing(
        self, bound: Bound, record: TaskRecord | None, version: str | None, parts: Mapping[str, str]
    ) -> Standing:
        """Return the newest success: the record, or what a commit says that no record describes.

        A run that is killed between commit and bookkeeping, or another machine with a state of its own,
        leaves such a commit. Its cursors count in any case, else rows would be appended twice.
        """
        if version is None or (record is not None and record.version == version):
            return Standing(record, record.cursors if record else ())
        found = self._facts.commit(bound)
        if found is None:
            return Standing(record, record.cursors if record else ())
        newest, info = found
        cursors = _cursors(info.get("cursors"))
        if newest != version:  # somebody else wrote after our newest commit
            return Standing(record, cursors)
        run_id = str(info.get("run_id", ""))
        if info.get("slice") != "*" or not is_made_from(info.get("fingerprint"), parts):
            return Standing(record, cursors, lost=_lost(run_id, version))
        # Which settings it read, and which classes its columns inherited, is in no commit.
        if (record is None and self._reads_context(bound)) or is_classified(parts.get("rights", "")):
            return Standing(record, cursors, lost=_lost(run_id, version))
        made = TaskRecord(
            bound.name,
            "*",
            str(info.get("fingerprint")),
            tuple(sorted(parts.items())),
            version,
            cursors,
            run_id=run_id,
        )
        return Standing(made, cursors, recovered=True)

    def _reads_context(self, bound: Bound) -> bool:
        """Tell whether a pipe, or a memory entity that is computed for it, may ask for settings."""
        if bound.pipe is not None and bound.pipe.takes_context:
            return True
        memory = (self._entities[name] for name in bound.inputs if self._entities[name].address is None)
        return any(self._reads_context(item) for item in memory)


def _cursors(told: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(told, dict):
        return ()
    return tuple(sorted((str(name), str(token)) for name, token in told.items()))


def _lost(run_id: str, version: str) -> Reason:
    return Reason(
        "recovered",
        f"run {run_id!r} committed version {version}, of which nothing is recorded here: it was killed, "
        "or has another state",
    )


def _owned(bound: Bound, theirs: tuple[str, str], mine: tuple[str, str]) -> PolicyError:
    return PolicyError(
        "KDL-POL-001",
        f"{bound.name!r} belongs to the app {theirs[0]!r} in {theirs[1]!r}",
        why=f"this run is app {mine[0]!r} in {mine[1]!r}",
        where=bound.address.uri if bound.address else "",
        hint="give this environment its own location or naming template",
    )


def _unowned(bound: Bound) -> PolicyError:
    return PolicyError(
        "KDL-POL-002",
        f"the table of {bound.name!r} exists, and Kindling did not make it",
        why="no commit of it carries an app's name",
        where=bound.address.uri if bound.address else "",
        hint=f'move it away, or set [entities."{bound.name}"] adopt = true to let this app own it',
    )
