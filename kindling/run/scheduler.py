"""Start each task the moment its inputs are ready, on any executor. It runs no task itself.

Of the tasks that are ready, the one with the highest priority starts first; no more than the executor's
slots are in flight. A task that waits for its next attempt holds no slot and blocks nobody.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from threading import current_thread, main_thread
from typing import Protocol, TypeAlias

from kindling.errors import KindlingError, RunError
from kindling.hooks.executor import Executor, Outcome, TaskSpec

POLL_S = 0.1
"""Longest time in which a cancel flag, an interrupt or a due retry is not looked at."""

LOST_RETRIES = 1
"""Least retries of a task whose engine died: most often another task killed it."""

ON_ERROR = ("skip-dependents", "stop")
_LYING = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One task to schedule.

    Attributes:
        key: Its name, unique among the jobs.
        needs: Keys of jobs that must be done before; keys of no job count as done.
        priority: Seconds of its longest remaining path: the highest starts first.
        retries: How many further attempts it may have after a transient error.
    """

    key: str
    needs: tuple[str, ...]
    priority: float = 0.0
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """A job that did not start.

    Attributes:
        key: Its key.
        reason: `upstream` (a job that it needs failed), `stopped` (`on_error` is `stop`) or `cancelled`.
        cause: Key of the job that failed first, or "" where the run was cancelled.
    """

    key: str
    reason: str
    cause: str = ""


Result: TypeAlias = Outcome | Skipped


class Listener(Protocol):
    """Is told what happens, in the scheduler's thread; an error that it raises ends the run."""

    def started(self, key: str, attempt: int) -> None:
        """Hear that an attempt begins."""
        ...

    def retried(self, key: str, attempt: int, wait_s: float, outcome: Outcome) -> None:
        """Hear that an attempt ended with a transient error and the next begins in `wait_s`."""
        ...

    def finished(self, key: str, outcome: Outcome) -> None:
        """Hear a job's last outcome; jobs that need it start after this returns."""
        ...

    def skipped(self, key: str, cause: str) -> None:
        """Hear that a job will not start; `cause` as in `Skipped`."""
        ...


def jittered(attempt: int) -> float:
    """Return how long to wait after an attempt: 1, 2, 4... up to 30 s, each plus up to 1 s at random."""
    from tenacity import RetryCallState, Retrying, wait_exponential_jitter

    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempt
    return float(wait_exponential_jitter(initial=1, max=30, jitter=1)(state))


def run_jobs(  # the brief of a whole run
    jobs: Sequence[Job],
    executor: Executor,
    make_spec: Callable[[str, int], TaskSpec],
    listener: Listener,
    *,
    on_error: str = "skip-dependents",
    is_cancelled: Callable[[], bool] = lambda: False,
    backoff: Callable[[int], float] = jittered,
) -> Mapping[str, Result]:
    """Run jobs to their end, and return the last outcome, or the skip, of each.

    An interrupt (Ctrl-C) cancels all that runs and collects its outcomes; a second one is raised at once.
    After an interrupt or a true `is_cancelled`, jobs that did not start are `Skipped` as `cancelled`.

    Args:
        jobs: In any order; equal priorities start in this order.
        executor: Closed by the caller.
        make_spec: Called with key and attempt when the task starts, so that it may see what happened
            before; a `KindlingError` that it raises is the attempt's outcome.
        listener: Told what happens.
        on_error: `skip-dependents` lets independent jobs finish; `stop` starts nothing after a failure.
        is_cancelled: Asked after each event and at least each `POLL_S`.
        backoff: Seconds to wait after attempt 1, 2...

    Raises:
        RunError: KDL-RUN-020, jobs need each other; KDL-RUN-021, two have one key or `on_error` is unknown.
    """
    _check(jobs, on_error)
    schedule = _Schedule(jobs, executor, make_spec, listener)
    schedule.stops = on_error == "stop"
    schedule.is_cancelled = is_cancelled
    schedule.backoff = backoff
    with _deferred_interrupts(schedule):
        schedule.run()
    return schedule.results


def _check(jobs: Sequence[Job], on_error: str) -> None:
    keys: set[str] = set()
    for job in jobs:
        if job.key in keys:
            raise RunError("KDL-RUN-021", f"two tasks are called {job.key!r}", key=job.key)
        keys.add(job.key)
    if on_error not in ON_ERROR:
        raise RunError(
            "KDL-RUN-021", f"on_error={on_error!r} is unknown", why=f"known: {', '.join(ON_ERROR)}"
        )


@contextmanager
def _deferred_interrupts(schedule: _Schedule) -> Iterator[None]:
    """Turn the first Ctrl-C into a flag, so that it cannot fall between an outcome and its bookkeeping.

    Only where Python's own handler stands: hosts with handlers of their own keep them, and what those
    raise is dealt with in `_Schedule.run`.
    """
    here = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not here:
        yield
        return

    def note(_number: int, _frame: object) -> None:
        if schedule.is_interrupted:
            raise KeyboardInterrupt
        schedule.is_interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class _Schedule:
    """The state of one call of `run_jobs`. Jobs are known by their place in the list."""

    stops = False
    is_interrupted = False
    is_cancelled: Callable[[], bool]
    backoff: Callable[[int], float]

    def __init__(
        self,
        jobs: Sequence[Job],
        executor: Executor,
        make_spec: Callable[[str, int], TaskSpec],
        listener: Listener,
    ) -> None:
        self.results: dict[str, Result] = {}
        self._jobs = jobs
        self._executor = executor
        self._make_spec = make_spec
        self._listener = listener
        self._slots = executor.slots
        self._keys = [job.key for job in jobs]
        self._ranks = [-job.priority for job in jobs]
        self._place = {key: place for place, key in enumerate(self._keys)}
        self._readers: list[list[int]] = [[] for _ in jobs]
        self._waits = [0] * len(jobs)
        self._attempts = [0] * len(jobs)
        self._ready: list[tuple[float, int]] = []
        self._timers: list[tuple[float, int]] = []
        self._unsettled: dict[int, Outcome] = {}
        self._flying: dict[str, float] = {}
        self._halted = False
        self._cancelled = False
        for place, job in enumerate(jobs):
            for need in dict.fromkeys(job.needs):
                if need in self._place:
                    self._readers[self._place[need]].append(place)
                    self._waits[place] += 1
            if not self._waits[place]:
                heappush(self._ready, (self._ranks[place], place))

    def run(self) -> None:
        """Work until each job has a result."""
        while True:
            try:
                self._loop()
            except KeyboardInterrupt:
                if self.is_interrupted:
                    raise
                self.is_interrupted = True
            except BaseException:
                self._cancel_flying()
                raise
            else:
                break
        left = [key for key in self._keys if key not in self.results]
        if left:
            raise RunError("KDL-RUN-020", f"tasks wait for each other: {', '.join(left)}", keys=left)

    def _loop(self) -> None:
        early = 0
        self._advance()
        while self._flying or self._timers:
            pause = self._pause()
            if not self._flying:
                time.sleep(pause)
                self._advance()
                continue
            began, timers, came = time.monotonic(), len(self._timers), False
            for outcome in self._executor.completed(pause):
                came = True
                self._land(outcome)
                self._advance()
                if len(self._timers) > timers:
                    break  # the pause may have become too long
            else:
                early = early + 1 if not came and time.monotonic() - began < pause / 2 else 0
                if early == _LYING:
                    self._give_up()
                self._advance()

    def _pause(self) -> float:
        return max(0.0, min(POLL_S, self._timers[0][0] - time.monotonic())) if self._timers else POLL_S

    def _advance(self) -> None:
        """Look at the cancel flags and timers, then start what may start."""
        if not self._cancelled and (self.is_interrupted or self.is_cancelled()):
            self._cancelled = True
            self._cancel_flying()
            self._halt("cancelled", "")
        while self._timers and self._timers[0][0] <= time.monotonic():
            place = heappop(self._timers)[1]
            heappush(self._ready, (self._ranks[place], place))
        ready, flying, slots = self._ready, self._flying, self._slots
        while ready and len(flying) < slots:
            self._start(heappop(ready)[1])

    def _start(self, place: int) -> None:
        key = self._keys[place]
        self._attempts[place] = attempt = self._attempts[place] + 1
        if attempt > 1:
            self._unsettled.pop(place, None)
        self._listener.started(key, attempt)
        self._flying[key] = 0.0
        try:
            spec = self._make_spec(key, attempt)
            self._flying[key] = spec.grace_s
            self._executor.submit(spec)
        except KindlingError as error:
            self._land(_failed(key, attempt, error))

    def _land(self, outcome: Outcome) -> None:
        key = outcome.key
        if self._flying.pop(key, None) is None:
            return  # a second outcome of one attempt: the first one counts
        place = self._place[key]
        if outcome.status == "done":
            self.results[key] = outcome
            self._listener.finished(key, outcome)
            waits = self._waits
            for reader in self._readers[place]:
                waits[reader] -= 1
                if not waits[reader] and not self._halted and self._keys[reader] not in self.results:
                    heappush(self._ready, (self._ranks[reader], reader))
        elif self._may_retry(place, outcome):
            attempt = self._attempts[place]
            wait_s = self.backoff(attempt)
            self._listener.retried(key, attempt, wait_s, outcome)
            heappush(self._timers, (time.monotonic() + wait_s, place))
            self._unsettled[place] = outcome
        else:
            self._finish(key, outcome)
            self._fail(place)

    def _may_retry(self, place: int, outcome: Outcome) -> bool:
        allowed = self._jobs[place].retries
        if outcome.status == "lost":
            allowed = max(allowed, LOST_RETRIES)
        halted = self._halted or outcome.status == "cancelled"
        return outcome.transient and not halted and self._attempts[place] <= allowed

    def _finish(self, key: str, outcome: Outcome) -> None:
        self.results[key] = outcome
        self._listener.finished(key, outcome)

    def _fail(self, place: int) -> None:
        cause = self._keys[place]
        behind = list(self._readers[place])
        for reader in behind:
            if self._keys[reader] not in self.results:
                self._skip(reader, "upstream", cause)
                behind += self._readers[reader]
        if self.stops and not self._halted:
            self._halt("stopped", cause)

    def _skip(self, place: int, reason: str, cause: str) -> None:
        key = self._keys[place]
        self.results[key] = Skipped(key, reason, cause)
        self._listener.skipped(key, cause)

    def _halt(self, reason: str, cause: str) -> None:
        """Start nothing more: what waits for another attempt keeps its last outcome."""
        self._halted = True
        self._ready.clear()
        self._timers.clear()
        for place, outcome in sorted(self._unsettled.items()):
            self._finish(self._keys[place], outcome)
        for place, key in enumerate(self._keys):
            if key not in self.results and key not in self._flying:
                self._skip(place, reason, cause)

    def _cancel_flying(self) -> None:
        for key, grace_s in tuple(self._flying.items()):
            self._executor.cancel(key, grace_s)

    def _give_up(self) -> None:
        """Settle tasks that the executor no longer knows: it said several times that none is left."""
        for key in tuple(self._flying):
            error = RunError(
                "KDL-RUN-022",
                f"the executor lost {key!r}",
                why=f"{type(self._executor).__name__} has no task left, but gave no outcome for it",
                hint="report this to the maintainers of the executor",
            )
            self._land(_failed(key, self._attempts[self._place[key]], error, status="lost"))


def _failed(key: str, attempt: int, error: KindlingError, *, status: str = "failed") -> Outcome:
    return Outcome(
        key,
        status,
        attempt,
        error=error.to_plain(),  # type: ignore[arg-type]  # JSON types
        transient=error.transient,
        exit_code=error.exit_code,
    )
