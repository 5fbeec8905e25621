"""What the end of a task's process means: the outcome of a task that did not tell one itself."""

from __future__ import annotations

import re
import signal
from time import monotonic
from typing import Final

from kindling.errors import (
    EngineLostError,
    InfrastructureError,
    KindlingError,
    RunError,
    TaskCancelledError,
    TaskTimeoutError,
)
from kindling.hooks.executor import Outcome, TaskSpec
from kindling_plugin_process.process import TaskProcess

FAULTS: Final = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP")
"""Signals that a process gets for what its own code did: trying again would end the same way."""

_LINE = re.compile(r'^  File "(.+)", line (\d+)', re.MULTILINE)


def ending(process: TaskProcess, spec: TaskSpec, code: int) -> Outcome:
    """Return the outcome of a task whose process ended without telling one.

    Args:
        process: The process, which has ended.
        spec: Its task.
        code: Its exit code, negative for a signal.
    """
    error, status = _explained(process, spec, code)
    began = process.handed or process.began
    return Outcome(
        spec.key,
        status,
        spec.attempt,
        monotonic() - began,
        error=error.to_plain(),  # type: ignore[arg-type]  # JSON types
        transient=error.transient,
        exit_code=error.exit_code,
    )


def _explained(process: TaskProcess, spec: TaskSpec, code: int) -> tuple[KindlingError, str]:
    if process.reason in ("timed_out", "cancelled"):
        return stopped(spec, process.reason, process.grace_s), process.reason
    if process.reason == "broken":
        return _left(process, spec, code), "failed"
    if process.reason == "memory":
        return _too_big(process, spec), "failed"
    if not process.handed:
        return _unstarted(process, spec, code), "failed"
    if code < 0:
        return _killed(process, spec, _signal_name(-code))
    return _left(process, spec, code), "failed"


def stopped(spec: TaskSpec, reason: str, grace_s: float) -> KindlingError:
    """Return the error of a task whose process was killed because its time was up or it was cancelled."""
    why = f"it did not stop within {grace_s:g} s, and its process was killed"
    if reason == "timed_out":
        return TaskTimeoutError(
            "KDL-TIME-001",
            f"{spec.key!r} took longer than {spec.timeout_s:g} s",
            why=why,
            hint="raise the pipe's timeout_s, or make it do less at once",
        )
    return TaskCancelledError("KDL-RUN-308", f"{spec.key!r} was cancelled", why=why)


def unneeded(spec: TaskSpec) -> Outcome:
    """Return the outcome of a task that was cancelled before its process had begun with it."""
    error = TaskCancelledError("KDL-RUN-308", f"{spec.key!r} was cancelled", why="it had not begun")
    return Outcome(spec.key, "cancelled", spec.attempt, error=error.to_plain(), exit_code=error.exit_code)  # type: ignore[arg-type]  # JSON types


def unstarted(spec: TaskSpec, error: OSError) -> Outcome:
    """Return the outcome of a task for which the system gives no process."""
    told = _no_process(spec, str(error))
    return Outcome(spec.key, "failed", spec.attempt, error=told.to_plain(), exit_code=told.exit_code)  # type: ignore[arg-type]  # JSON types


def broken(spec: TaskSpec, error: BaseException) -> Outcome:
    """Return the outcome of a task that this executor cannot follow any more."""
    told = RunError(
        "KDL-RUN-307",
        f"the executor 'process' cannot follow {spec.key!r} any more",
        why=f"{type(error).__name__}: {error}",
        hint="this is a fault of Kindling, please report it",
    )
    return Outcome(spec.key, "failed", spec.attempt, error=told.to_plain(), exit_code=told.exit_code)  # type: ignore[arg-type]  # JSON types


def _too_big(process: TaskProcess, spec: TaskSpec) -> RunError:
    return RunError(
        "KDL-RUN-302",
        f"{spec.key!r} took too much memory",
        why=f"it used {process.used_mb} MB of the allowed {process.allowed_mb} MB, and was killed",
        hint="raise memory_mb of the executor, or make the pipe hold less at once",
        used_mb=process.used_mb,
        allowed_mb=process.allowed_mb,
    )


def _unstarted(process: TaskProcess, spec: TaskSpec, code: int) -> InfrastructureError:
    ended = "it was not ready in time" if process.reason == "start" else _how(code)
    words = process.words.decode("utf-8", "replace").strip().splitlines()
    return _no_process(spec, ": ".join([ended, *words[-1:]]))


def _no_process(spec: TaskSpec, why: str) -> InfrastructureError:
    return InfrastructureError(
        "KDL-RUN-303",
        f"no process could be started for {spec.key!r}",
        why=why,
        hint="see the log of the run, or raise start_s of the executor",
    )


def _killed(process: TaskProcess, spec: TaskSpec, name: str) -> tuple[KindlingError, str]:
    if name in FAULTS:
        error: KindlingError = RunError(
            "KDL-RUN-304",
            f"{spec.key!r} crashed its process",
            why=f"it was ended by {name}",
            where=_place(process, spec),
            hint="the fault is in compiled code that the pipe calls, not in Python",
            signal=name,
        )
        return error, "failed"
    told = "most often for want of memory: set memory_mb to be told" if name == "SIGKILL" else "from outside"
    lost = EngineLostError(
        "KDL-RUN-305", f"the process of {spec.key!r} was killed", why=f"by {name}, {told}", signal=name
    )
    return lost, "lost"


def _left(process: TaskProcess, spec: TaskSpec, code: int) -> RunError:
    hint = "a pipe returns a frame; it does not end its process"
    why = f"{_how(code)} and told no outcome"
    if process.inbox:
        why = f"{_how(code)} in the middle of its outcome, after {len(process.inbox)} bytes"
    if process.reason == "broken":
        why, hint = "what it told is no outcome", "this is a fault of what runs the task, please report it"
    return RunError(
        "KDL-RUN-306", f"{spec.key!r} left its process without an outcome", why=why, hint=hint, ended=code
    )


def _how(code: int) -> str:
    return f"it was ended by {_signal_name(-code)}" if code < 0 else f"it ended with exit code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _place(process: TaskProcess, spec: TaskSpec) -> str:
    """Return the innermost line of the project's own code in the traceback of a crash, or ""."""
    found = _LINE.findall(process.words.decode("utf-8", "replace"))
    own = [(file, line) for file, line in found if spec.project and file.startswith(f"{spec.project}/")]
    return ":".join((own[0][0].removeprefix(f"{spec.project}/"), own[0][1])) if own else ""
