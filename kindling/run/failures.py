"""What an exception of a task means: its status, its error for people, whether a retry may help."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from traceback import format_tb
from types import NoneType
from typing import TYPE_CHECKING, TypeVar

from kindling.errors import (
    EngineLostError,
    Faults,
    KindlingError,
    RunError,
    TaskCancelledError,
    TaskTimeoutError,
)
from kindling.hooks.executor import Outcome
from kindling.run.expectations import broken, expectation_error
from kindling.run.log import open_log
from kindling.run.traceback import user_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.executor import TaskSpec
    from kindling.hooks.platform import Platform
    from kindling.pipe import Pipe
    from kindling.plan.project import Project

T = TypeVar("T")
_QUOTED = re.compile(r"""(['"`])((?:(?!\1)[^\n])*)\1""")
_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*|")
OWN_ROWS = "call the pipe with rows of your own, in a test: the whole text is shown there"
WITHHELD = "{kind}; its text is left out: it may hold values of classified columns"


class Running:
    """A task in progress, seen from other threads.

    Attributes:
        spec: The task.
        tag: Its session's tag.
        platform: Its platform once it is open.
        stopped: `timed_out` or `cancelled` once it was stopped, else "".
        started: Monotonic seconds.
        is_classified: Whether the task reads classified columns: texts of foreign errors may hold values.
        harmless: An error that was raised before any row was computed, or by the app's own code.
    """

    def __init__(self, spec: TaskSpec, tag: str) -> None:
        self.spec = spec
        self.tag = tag
        self.platform: Platform | None = None
        self.stopped = ""
        self.started = time.monotonic()
        self.is_classified = any(planned.classes for planned in spec.inputs)
        self.harmless: BaseException | None = None

    def withholds(self, error: BaseException) -> bool:
        """Tell whether an error's text may hold a classified value."""
        return self.is_classified and error is not self.harmless


class Failures:
    """Turns exceptions into outcomes.

    Args:
        project: The opened project.
        redact: Hides secret values in a text.
    """

    def __init__(self, project: Project, redact: Callable[[str], str]) -> None:
        self._project = project
        self._redact = redact
        self._entities = project.app.entities()

    def outcome(self, running: Running, pipe: Pipe[...] | None, error: BaseException) -> Outcome:
        """Return the outcome of a task that raised; notes the traceback in the run's log. Never raises."""
        spec = running.spec
        try:
            status, known = self._classified(running, pipe, error)
            transient = status not in ("timed_out", "cancelled") and (
                known.transient or _asked(running.platform, "is_transient", error, default=False)
            )
        except Exception as second:  # noqa: BLE001  # the task boundary: explaining must not lose the outcome
            status, transient = "failed", False
            known = RunError(
                "KDL-RUN-002",
                f"{spec.key!r} failed",
                why=f"{self._text(running, error)}; explaining it failed: {_name(second)}"
                if not running.is_classified
                else f"{self._text(running, error)}; explaining it failed: {type(second).__name__}",
            )
        outcome = Outcome(
            key=spec.key,
            status=status,
            attempt=spec.attempt,
            seconds=time.monotonic() - running.started,
            error=known.to_plain(),  # type: ignore[arg-type]  # facts are JSON types
            transient=transient,
            exit_code=known.exit_code,
        )
        return self._logged(running, error, outcome)

    def _logged(self, running: Running, error: BaseException, outcome: Outcome) -> Outcome:
        spec = running.spec
        try:
            log = open_log(self._project.run_dir(spec.run_id), self._redact, spec)
            if running.is_classified:
                lines = format_tb(error.__traceback__)
                log.error("task failed", error=outcome.error, traceback="".join(lines))
            else:
                log.error("task failed", exc_info=error)
        except Exception as second:  # noqa: BLE001  # a full disk must not lose the outcome
            return replace(outcome, warnings=(f"the run's log cannot be written: {_name(second)}",))
        return outcome

    def _classified(
        self, running: Running, pipe: Pipe[...] | None, error: BaseException
    ) -> tuple[str, KindlingError]:
        spec = running.spec
        where = str(pipe.place) if pipe else ""
        if running.stopped:
            return running.stopped, stopped_error(spec, running.stopped)
        if isinstance(error, EngineLostError):
            return "lost", error
        if isinstance(error, KeyboardInterrupt):
            return "cancelled", TaskCancelledError(
                "KDL-RUN-003", f"{spec.key!r} was interrupted", where=where
            )
        return "failed", self._explained(running, error, where)

    def _explained(self, running: Running, error: BaseException, where: str) -> KindlingError:
        """Return the error that an engine's or a pipe's exception stands for."""
        spec, found = running.spec, broken(error)
        pipe = self._entities.get(found[1]) if found is not None else None
        if found is not None and pipe is not None:
            return expectation_error(found, pipe)  # type: ignore[arg-type]  # only pipes have rules
        if "KDL-DELETES[" in str(error):
            return RunError(
                "KDL-RUN-016",
                f"rows were deleted from the source that {spec.entity!r} reads incrementally",
                where=where,
                hint="choose k.changes(deletes='ignore') or 'include', or run with --full-refresh",
            )
        if isinstance(error, Faults):  # an outcome tells one error; the log has them all
            error = error.faults[0]
        if isinstance(error, KindlingError):
            error.where = error.where or where
            cause = error.__cause__  # a missing file says nothing about rows, other foreign errors may
            if running.withholds(error) and not isinstance(cause, (KindlingError, OSError, NoneType)):
                error.why = WITHHELD.format(kind=type(cause).__name__)
            return error
        return self._foreign(running, error, where)

    def _foreign(self, running: Running, error: BaseException, where: str) -> KindlingError:
        """Return the error for an exception of the pipe's own code or of the engine."""
        place, inside = user_place(error, self._project.code_roots())
        key = running.spec.key
        return RunError(
            "KDL-RUN-001" if inside else "KDL-RUN-002",
            f"{key!r} raised {type(error).__name__}" if inside else f"{key!r} failed on the engine",
            why=self._text(running, error),
            where=place or where,
            hint=OWN_ROWS if running.withholds(error) else "",
        )

    def _text(self, running: Running, error: BaseException) -> str:
        if running.withholds(error):
            return WITHHELD.format(kind=type(error).__name__)
        text = _asked(running.platform, "explain", error, default=str(error)) or type(error).__name__
        return without_values(text) if running.is_classified else text


def without_values(text: str) -> str:
    """Return a text in which quoted things that are no names are `***`."""
    return _QUOTED.sub(
        lambda match: match[0] if _NAME.fullmatch(match[2]) else f"{match[1]}***{match[1]}", text
    )


def _asked(platform: Platform | None, question: str, error: BaseException, *, default: T) -> T:
    """Ask a platform about an error; it is foreign code, and may fail itself."""
    if platform is None:
        return default
    try:
        answer: T = getattr(platform, question)(error)
    except Exception:  # noqa: BLE001  # the plugin boundary: the task's own error matters more
        return default
    return answer


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def stopped_error(spec: TaskSpec, reason: str) -> KindlingError:
    """Return the error of a task that was stopped: `timed_out` or `cancelled`."""
    if reason == "timed_out":
        limit = f" longer than {spec.timeout_s:g} s" if spec.timeout_s else " too long"
        return TaskTimeoutError(
            "KDL-TIME-001",
            f"{spec.key!r} took{limit}",
            why="nothing was committed",
            hint="raise timeout_s of the pipe, or make it faster",
        )
    return TaskCancelledError("KDL-RUN-003", f"{spec.key!r} was cancelled", why="nothing was committed")


def unopened(spec: TaskSpec, error: BaseException, seconds: float) -> Outcome:
    """Return the outcome of a task whose project cannot be opened in its process."""
    known = error
    if not isinstance(known, KindlingError):
        known = RunError("KDL-RUN-004", f"{spec.key!r} cannot be started", why=_name(error))
    return redacted(
        Outcome(
            key=spec.key,
            status="failed",
            attempt=spec.attempt,
            seconds=seconds,
            error=known.to_plain(),  # type: ignore[arg-type]  # facts are JSON types
            transient=known.transient,
            exit_code=known.exit_code,
        ),
        lambda text: text,
    )


def redacted(outcome: Outcome, redact: Callable[[str], str]) -> Outcome:
    """Return an outcome without secret values and without text that UTF-8 cannot hold."""

    def clean(value: object) -> object:
        if isinstance(value, str):
            return redact(value).encode("utf-8", "backslashreplace").decode()
        if isinstance(value, dict):
            return {str(clean(str(key))): clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [clean(item) for item in value]
        # errors of foreign code may carry anything, and an outcome is JSON
        return value if value is None or isinstance(value, (bool, int, float)) else clean(str(value))

    return replace(
        outcome,
        error=clean(outcome.error),  # type: ignore[arg-type]  # a dict stays one
        warnings=tuple(str(clean(text)) for text in outcome.warnings),
    )
