"""The Plan: what will run, in what order, why, and what is refused. A frozen value, no engine."""

from __future__ import annotations

from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.addresses import Address, TaskKey
    from kindling.intents import Intent
    from kindling.records import TaskRecord

RUN = "run"
UNCHANGED = "unchanged"
SKIPPED = "skipped"
DEFERRED = "deferred"


class Reason(Value):
    """Why a task has its action.

    Attributes:
        code: A stable word: `new`, `code`, `sql`, `options`, `settings`, `python`, `rights`, `input`,
            `upstream`, `outside`, `vanished`, `unknown`, `slice`, `late`, `refresh`, `recovered`,
            `unchanged`, `unselected`, `unread`, `reader`, `waits`.
        text: One sentence for people.
    """

    code: str
    text: str


class PlannedInput(Value):
    """One input of a planned task, in the order of the pipe's parameters.

    Attributes:
        name: Logical name.
        how: `read`, `changes`, `inline` or `shared`.
        cursor: For `changes`: token to start from, "" for the beginning.
    """

    name: str
    how: str = "read"
    cursor: str = ""


class PlannedTask(Value):
    """One task and the decision about it.

    Attributes:
        key: What it makes.
        action: `run`, `unchanged`, `skipped` (not selected, or nobody needs it) or `deferred` (its slices
            are known only after an input ran; it is decided again then).
        reasons: Why, most important first; never empty.
        needs: Keys (as text) of the tasks that run before it.
        platform: Capability name.
        storage: Capability name; `memory` for a memory entity.
        mode: `native`, `emulated`, `inline` or `shared`.
        intent: Write intent.
        inputs: In the order of the parameters; those of inlined memory entities follow.
        parts: What the fingerprint is made of, without inputs that will change.
        cursor_mode: `commit`, `mirrored` or "" where no cursor is kept.
        cursors: Positions in incremental sources that the table holds: token by source entity.
        priority: Longest remaining path in estimated seconds.
        seconds: Estimated duration.
    """

    key: TaskKey
    action: str
    reasons: tuple[Reason, ...]
    needs: tuple[str, ...] = ()
    platform: str = ""
    storage: str = ""
    mode: str = ""
    intent: Intent | None = None
    address: Address | None = None
    inputs: tuple[PlannedInput, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    cursor_mode: str = ""
    cursors: tuple[tuple[str, str], ...] = ()
    priority: float = 0.0
    seconds: float = 0.0

    def to_plain(self) -> dict[str, object]:
        """Return the task as JSON types for `kindling plan --json`."""
        return {
            "key": str(self.key),
            "entity": self.key.entity,
            "slice": str(self.key.slice),
            "action": self.action,
            "reasons": [{"code": reason.code, "text": reason.text} for reason in self.reasons],
            "needs": list(self.needs),
            "platform": self.platform,
            "storage": self.storage,
            "mode": self.mode,
            "intent": self.intent.to_plain() if self.intent else None,
            "address": self.address.to_plain() if self.address else None,
            "inputs": [
                {"name": i.name, "how": i.how, "incremental": i.how == "changes"} for i in self.inputs
            ],
            "cursor": self.cursor_mode,
            "priority": round(self.priority, 6),
        }


class Plan(Value):
    """What one run would do.

    Attributes:
        app: App name.
        environment: Environment name.
        tasks: In the order in which they may run; every entity that a pipe makes occurs.
        recovered: Records of commits that a killed run made but could not record; the run stores them.
        opaque: (entity, what its code fingerprint cannot see) pairs.
        warnings: One sentence each.
    """

    app: str
    environment: str
    tasks: tuple[PlannedTask, ...]
    recovered: tuple[TaskRecord, ...] = ()
    opaque: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

    def with_action(self, action: str) -> tuple[PlannedTask, ...]:
        """Return the tasks of one action, in order."""
        return tuple(task for task in self.tasks if task.action == action)

    @property
    def changes(self) -> bool:
        """Whether anything would run."""
        return any(task.action in (RUN, DEFERRED) for task in self.tasks)

    def to_plain(self) -> dict[str, object]:
        """Return the plan as JSON types, schema `kindling.plan/1`."""
        counts: dict[str, int] = {}
        for task in self.tasks:
            counts[task.action] = counts.get(task.action, 0) + 1
        return {
            "schema": "kindling.plan/1",
            "app": self.app,
            "environment": self.environment,
            "changes": self.changes,
            "counts": counts,
            "tasks": [task.to_plain() for task in self.tasks],
            "opaque": [{"entity": entity, "what": what} for entity, what in self.opaque],
            "warnings": list(self.warnings),
        }
