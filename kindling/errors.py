"""The whole exception tree, and how an error is shown. Not where errors are raised.

KindlingError
├── DeclarationError      KDL-DECL-*   an app, entity, pipe or SQL text is declared wrongly       exit 2
├── ConfigError           KDL-CONF-*   a setting is unknown, of a wrong type or missing           exit 2
├── PluginError           KDL-PLUG-*   a plugin cannot be found, loaded or trusted                exit 2
├── PlanError             KDL-PLAN-*   the declarations and the environment do not fit            exit 2
├── PolicyError           KDL-POL-*    a policy, an owner or a lock refuses                       exit 5
├── RunError              KDL-RUN-*    a task failed                                              exit 1
│   ├── ExpectationError  KDL-EXP-*    rows broke an expectation                                  exit 1
│   ├── TaskTimeoutError  KDL-TIME-*   a task took longer than its `timeout_s`                    exit 1
│   └── InfrastructureError KDL-INFRA-*  an engine, a store or a lease was lost                   exit 4
│       ├── EngineLostError          the engine died or was killed under the task (transient)
│       ├── CommitConflictError      another writer committed first (transient)
│       └── LeaseHeldError           another run works on this app and environment
├── StoreError            KDL-STORE-*  a storage refuses to read or write                         exit 1
└── UsageError            KDL-USE-*    a command or an API call was used wrongly                  exit 2

`Faults` holds several errors that were found in one input and is raised in their place.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class KindlingError(Exception):
    """An error that says what failed, why, where and what to do.

    Attributes:
        code: Stable code such as `KDL-PLAN-003`; `kindling explain CODE` shows its page.
        what: What failed, in the user's own names; lower case, no full stop.
        why: What was found and what was expected, or "".
        where: `file:line` of the declaration or the origin of a setting, or "".
        hint: An exact command or edit, or "".
        facts: The data that the text was made from, by name; JSON types only.
    """

    exit_code = 2
    transient = False

    def __init__(
        self,
        code: str,
        what: str,
        *,
        why: str = "",
        where: str = "",
        hint: str = "",
        **facts: object,
    ) -> None:
        self.code = code
        self.what = what
        self.why = why
        self.where = where
        self.hint = hint
        self.facts = facts
        super().__init__(code, what)

    def __str__(self) -> str:
        """Render up to four lines: what, why, where, what to do."""
        lines = [f"{self.code}: {self.what}"]
        lines += [f"  {word}: {text}" for word, text in self._parts() if text]
        return "\n".join(lines)

    def _parts(self) -> tuple[tuple[str, str], ...]:
        return ("why", self.why), ("where", self.where), ("do", self.hint)

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders, so keyword arguments must survive pickling."""
        state = {"why": self.why, "where": self.where, "hint": self.hint, **self.facts}
        return (_rebuild, (type(self), self.code, self.what, state))

    def to_plain(self) -> dict[str, object]:
        """Return the error as JSON types, keys: code, what, why, where, hint, facts."""
        return {
            "code": self.code,
            "what": self.what,
            "why": self.why,
            "where": self.where,
            "hint": self.hint,
            "facts": dict(self.facts),
        }


def _rebuild(cls: type[KindlingError], code: str, what: str, state: dict[str, object]) -> object:
    error = cls.__new__(cls)
    KindlingError.__init__(error, code, what, **state)  # type: ignore[arg-type]  # the state came from __reduce__
    return error


class DeclarationError(KindlingError):
    """An app, an entity, a pipe or an SQL text is declared wrongly."""


class ConfigError(KindlingError):
    """A setting is unknown, has a wrong type, or is missing."""


class PluginError(KindlingError):
    """A plugin cannot be found, loaded or trusted."""


class PlanError(KindlingError):
    """The declarations and the environment do not fit together."""


class UsageError(KindlingError):
    """A command or an API call was used wrongly."""


class PolicyError(KindlingError):
    """A policy, another app's ownership or a lock refuses what was asked."""

    exit_code = 5


class StoreError(KindlingError):
    """A storage refuses to read or to write; nothing was committed."""

    exit_code = 1


class RunError(KindlingError):
    """A task failed."""

    exit_code = 1


class ExpectationError(RunError):
    """Rows broke an expectation whose `on_fail` is `fail`; nothing was committed."""


class TaskTimeoutError(RunError):
    """A task took longer than its `timeout_s` and was stopped on its engine."""


class TaskCancelledError(RunError):
    """A task was cancelled by a person or because its run stops."""

    exit_code = 130


class InfrastructureError(RunError):
    """An engine, a store or the state was lost."""

    exit_code = 4


class EngineLostError(InfrastructureError):
    """The engine died or was killed while it worked for this task."""

    transient = True


class CommitConflictError(InfrastructureError):
    """Another writer committed first; the task is planned again and retried."""

    transient = True


class LeaseHeldError(InfrastructureError):
    """Another run works on the same app and environment."""


class Faults(KindlingError):  # noqa: N818  # it is a collection of errors, not one more kind
    """Several errors that were found in one input, raised together.

    Attributes:
        faults: The errors, in the order in which they were found; never empty.
    """

    def __init__(self, faults: Sequence[KindlingError]) -> None:
        self.faults = tuple(faults)
        super().__init__("KDL-FAULTS", f"{len(self.faults)} faults")
        self.exit_code = worst_exit_code(fault.exit_code for fault in self.faults)

    def __str__(self) -> str:
        """Render each fault, one after another."""
        return "\n".join(str(fault) for fault in self.faults)

    def __reduce__(self) -> tuple[object, ...]:
        """Faults are rebuilt from the errors they hold."""
        return (Faults, (self.faults,))

    def to_plain(self) -> dict[str, object]:
        """Return the faults as JSON types under the key `faults`."""
        return {"code": self.code, "faults": [fault.to_plain() for fault in self.faults]}


_SEVERITY = (130, 5, 4, 2, 1, 3)


def worst_exit_code(codes: Iterable[int]) -> int:
    """Return the exit code that wins: the first of 130, 5, 4, 2, 1, 3 that occurs, else 0.

    Any other code but 0, of a plugin's own error, counts as 1: a failure is never reported as success.
    """
    found = {code if code in (0, *_SEVERITY) else 1 for code in codes}
    return next((code for code in _SEVERITY if code in found), 0)


def raise_together(faults: Sequence[KindlingError]) -> None:
    """Raise nothing for no faults, the error itself for one, `Faults` for several."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise Faults(faults)
