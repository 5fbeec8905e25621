"""Execute a plan: lease, waves, scheduler, records, events. The commands and tests call `run`."""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import KindlingError, UsageError, worst_exit_code
from kindling.events import (
    Heartbeat,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from kindling.hooks.executor import ExecutorSpec, Outcome
from kindling.hooks.sink import SinkSpec
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, UNCHANGED, Plan
from kindling.plan.planner import Planner, Wish
from kindling.records import RunRecord
from kindling.run.capabilities import Capabilities
from kindling.run.request import RunRequest, utc_now
from kindling.run.scheduler import Job, Skipped, run_jobs
from kindling.run.specs import SpecMaker
from kindling.run.stream import EventStream, JsonLines
from kindling.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kindling.hooks.executor import Executor
    from kindling.hooks.sink import EventSink
    from kindling.hooks.state import State
    from kindling.plan.project import Project
    from kindling.records import Lease
    from kindling.values import Plain

LEASE_S = 60.0
POLL_S = 1.0
INTERRUPTED = 130


@dataclass(slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        run_id: The run; "" where nothing had to run.
        plan: The plan as it was first made.
        status: `done`, `failed`, `cancelled` or `unchanged`.
        exit_code: Exit code of the command.
        outcomes: Last outcome of each task that started, in the order in which they ended.
        skipped: Cause by the key of each task that did not start.
        seconds: Wall time.
    """

    run_id: str
    plan: Plan
    status: str = "unchanged"
    exit_code: int = 0
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def wish_of(request: RunRequest, state: State) -> Wish:
    """Return what to ask the planner for; a resumed run keeps its own request's choices.

    Raises:
        UsageError: KDL-USE-021, the run to resume is unknown.
    """
    done: frozenset[str] = frozenset()
    source = request
    if request.resume:
        record = state.run(request.resume)
        if record is None:
            raise UsageError("KDL-USE-021", f"there is no run {request.resume!r}", hint="kindling runs list")
        source = RunRequest.from_json(record.request)
        done = frozenset(str(o["key"]) for o in state.outcomes(record.run_id) if o["status"] == "done")
    return Wish(
        select=source.select,
        exclude=source.exclude,
        full_refresh=source.full_refresh,
        start=source.start,
        end=source.end,
        max_slices=source.max_slices,
        principal=request.principal,
        done=done,
    )


def run(
    project: Project,
    state: State,
    request: RunRequest,
    *,
    sinks: Sequence[EventSink] = (),
    planner: Planner | None = None,
) -> RunResult:
    """Plan and execute; return how it ended. Only faults before the first task are raised.

    Effects: writes entities, the state, and the run's folder with events and log.

    Args:
        project: The opened project.
        state: Its state.
        request: What to run.
        sinks: Further sinks, for example the progress display.
        planner: One that planned already: its code digests are used again.
    """
    planner = planner or Planner(project, lambda: state.tasks(project.app.name, project.environment))
    wish = wish_of(request, state)
    plan = planner.plan(wish)
    for record in plan.recovered:
        state.put_task(project.app.name, project.environment, record)
    if not plan.changes:
        return RunResult("", plan)
    key = f"{project.app.name}/{project.environment}"
    owner: dict[str, Plain] = {"pid": os.getpid(), "host": socket.gethostname(), "run_id": request.run_id}
    lease = state.acquire(key, owner, LEASE_S)
    try:
        return _Run(project, state, request, planner, wish, lease, sinks).execute()
    finally:
        state.release(lease)


class _Run:
    """One run under its lease."""

    def __init__(  # noqa: PLR0917  # made in one place
        self,
        project: Project,
        state: State,
        request: RunRequest,
        planner: Planner,
        wish: Wish,
        lease: Lease,
        sinks: Sequence[EventSink],
    ) -> None:
        self._project = project
        self._state = state
        self._request = request
        self._planner = planner
        self._wish = wish
        self._lease = lease
        self._capabilities = Capabilities(project, request.run_id)
        self._run_dir = project.run_dir(request.run_id)
        own = JsonLines(f"{self._run_dir}/events.jsonl", self._capabilities.redactor.redact)
        self._stream = EventStream(request.run_id, [("events.jsonl", own), *self._all_sinks(sinks)])
        self._slots = request.workers or int(str(project.settings.get("run.workers") or 1))
        self._started = time.monotonic()
        self._reasons: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._next_poll = 0.0
        self._is_cancelled = False
        self.result = RunResult(request.run_id, Plan(project.app.name, project.environment, ()))

    def _all_sinks(self, given: Sequence[EventSink]) -> list[tuple[str, EventSink]]:
        """Return the given sinks and those that the setting `run.sinks` names."""
        found: list[tuple[str, EventSink]] = [(type(sink).__name__, sink) for sink in given]
        names = self._project.settings.get("run.sinks") or []
        for name in names if isinstance(names, list) else []:
            spec = SinkSpec(
                self._request.run_id, self._run_dir, dict(self._project.settings.plugin(f"sink:{name}"))
            )
            found.append((f"sink:{name}", self._project.loader.sink(str(name)).factory(spec)))
        return found

    def execute(self) -> RunResult:
        """Plan again under the lease, run wave after wave, record the end."""
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep_alive, args=(stop,), name="kindling-lease", daemon=True)
        keeper.start()
        try:
            self._execute_waves()
        except KeyboardInterrupt:
            self.result.status, self.result.exit_code = "cancelled", INTERRUPTED
        except KindlingError as error:
            self._finish("failed", error.exit_code)
            raise
        finally:
            stop.set()
            self._capabilities.close()
        self._finish(self.result.status, self.result.exit_code)
        return self.result

    def _execute_waves(self) -> None:
        plan = self._planner.plan(self._wish)
        self.result.plan = plan
        self._record("running")
        self._stream.emit(
            RunStarted,
            app=self._project.app.name,
            environment=self._project.environment,
            platform=str(self._project.settings.get("platform")),
            tasks=tuple(str(task.key) for task in plan.tasks if task.action in (RUN, DEFERRED)),
            unchanged=len(plan.with_action(UNCHANGED)),
            submitter=self._request.submitter,
            principal=self._wish.principal or self._project.app.name,
            slots=self._slots,
        )
        worker = Worker(self._project, self._capabilities, self._state)
        name = str(self._project.settings.get("executor"))
        settings = dict(self._project.settings.plugin(f"executor:{name}"))
        executor = self._project.loader.executor(name).factory(ExecutorSpec(self._slots, worker, settings))
        try:
            self._waves(plan, executor)
        finally:
            executor.close()
        self._conclude()

    def _waves(self, plan: Plan, executor: Executor) -> None:
        """Run what is decided, then decide again about deferred entities, until none is left."""
        while True:
            blocked = _behind_deferred(plan)
            self._wave(plan, blocked, executor)
            is_over = self._is_cancelled or (self.result.skipped and self._on_error() == "stop")
            if not plan.with_action(DEFERRED) or is_over:
                break
            failed = {key for key, outcome in self.result.outcomes.items() if outcome.status != "done"}
            done = frozenset(key for key, outcome in self.result.outcomes.items() if outcome.status == "done")
            again = self._planner.plan(self._wish.replace(done=self._wish.done | done))
            waiting = _behind_failures(again, failed | set(self.result.skipped))
            for key, cause in waiting.items():
                if key not in self.result.outcomes and key not in self.result.skipped:
                    self.skipped(key, cause)
            tasks = tuple(
                task.replace(action=SKIPPED)
                if task.key.entity in {w.partition("[")[0] for w in waiting}
                or str(task.key) in self.result.outcomes
                else task
                for task in again.tasks
            )
            plan = again.replace(tasks=tasks)
            if not plan.with_action(RUN):
                break

    def _wave(self, plan: Plan, blocked: frozenset[str], executor: Executor) -> None:
        tasks = [task for task in plan.with_action(RUN) if task.key.entity not in blocked]
        running = {str(task.key) for task in tasks}
        maker = SpecMaker(
            self._project, self._planner, plan, self._request, self._lease, self.result.outcomes
        )
        self._maker = maker
        self._reasons.update({str(task.key): task.reasons[0].text for task in plan.tasks if task.reasons})
        jobs = [
            Job(
                str(task.key),
                tuple(need for need in task.needs if need in running),
                priority=task.priority,
                retries=maker.retries(task.key.entity),
            )
            for task in tasks
        ]
        ended = run_jobs(
            jobs, executor, maker.make, self, on_error=self._on_error(), is_cancelled=self._cancelled
        )
        # After Ctrl-C the jobs that never started say so: no further wave may begin.
        self._is_cancelled |= any(
            isinstance(end, Skipped) and end.reason == "cancelled" for end in ended.values()
        )

    def _on_error(self) -> str:
        return str(self._project.settings.get("run.on_error") or "skip-dependents")

    def _cancelled(self) -> bool:
        """Look once a second whether somebody asked for cancellation."""
        now = time.monotonic()
        if not self._is_cancelled and now >= self._next_poll:
            self._next_poll = now + POLL_S
            self._is_cancelled = self._state.is_cancelled(self._request.run_id)
        return self._is_cancelled

    # --- what the scheduler tells ----------------------------------------------------------------

    def started(self, key: str, attempt: int) -> None:
        """Note that a task was given to the executor."""
        self._since[key] = time.monotonic()
        self._stream.emit(TaskStarted, key=key, attempt=attempt, why=self._reasons.get(key, ""))

    def retried(self, key: str, attempt: int, wait_s: float, outcome: Outcome) -> None:
        """Note that a task will be tried again."""
        self._since.pop(key, None)
        text = str(outcome.error.get("what", outcome.status))
        self._stream.emit(TaskRetried, key=key, attempt=attempt, wait_s=wait_s, error=text)

    def finished(self, key: str, outcome: Outcome) -> None:
        """Record a task's end: state first, so that what is told is remembered."""
        self._since.pop(key, None)
        self.result.outcomes[key] = outcome
        record = self._maker.record(key, outcome) if outcome.status == "done" else None
        if record is not None:
            self._state.put_task(self._project.app.name, self._project.environment, record)
        self._stream.emit(
            TaskFinished,
            key=key,
            status=outcome.status,
            attempt=outcome.attempt,
            seconds=round(outcome.seconds, 6),
            rows=outcome.rows,
            version=outcome.version,
            metrics=outcome.metrics,
            expectations=outcome.expectations,
            warnings=outcome.warnings,
            error=outcome.error,
        )

    def skipped(self, key: str, cause: str) -> None:
        """Note that a task does not run."""
        self.result.skipped[key] = cause
        self._stream.emit(TaskSkipped, key=key, cause=cause)

    # --- the end ---------------------------------------------------------------------------------

    def _conclude(self) -> None:
        codes = {
            outcome.exit_code or 1 for outcome in self.result.outcomes.values() if outcome.status != "done"
        }
        stopped = any(outcome.status == "cancelled" for outcome in self.result.outcomes.values())
        if self._is_cancelled or stopped:
            codes.add(INTERRUPTED)
        self.result.exit_code = worst_exit_code(codes)
        self.result.status = "failed" if codes or self.result.skipped else "done"
        if self.result.exit_code == INTERRUPTED:
            self.result.status = "cancelled"

    def _finish(self, status: str, exit_code: int) -> None:
        self.result.seconds = time.monotonic() - self._started
        rows = [_plain_outcome(key, outcome) for key, outcome in self.result.outcomes.items()]
        rows += [
            {"key": key, "entity": key.partition("[")[0], "slice": "*", "status": "skipped", "cause": cause}
            for key, cause in self.result.skipped.items()
        ]
        self._state.put_outcomes(self._request.run_id, rows)
        counts = self._counts()
        self._record(status, exit_code=exit_code, counts=counts)
        self._stream.emit(
            RunFinished,
            status=status,
            exit_code=exit_code,
            seconds=round(self.result.seconds, 6),
            counts=counts,
        )
        self._stream.close()

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for outcome in self.result.outcomes.values():
            counts[outcome.status] = counts.get(outcome.status, 0) + 1
        if self.result.skipped:
            counts["skipped"] = len(self.result.skipped)
        unchanged = len(self.result.plan.with_action(UNCHANGED))
        return {**counts, **({"unchanged": unchanged} if unchanged else {})}

    def _record(
        self, status: str, *, exit_code: int | None = None, counts: Mapping[str, int] | None = None
    ) -> None:
        record = RunRecord(
            self._request.run_id,
            self._project.app.name,
            self._project.environment,
            status,
            self._request.to_json(),
            os.getpid(),
            socket.gethostname(),
            getattr(self, "_began", utc_now()),
            ended="" if exit_code is None else utc_now(),
            exit_code=exit_code,
            counts=tuple(sorted((counts or {}).items())),
        )
        if exit_code is None:
            self._began = record.started
            self._state.start_run(record)
        else:
            self._state.update_run(record)

    def _keep_alive(self, stop: threading.Event) -> None:
        """Renew the lease and tell that the run is alive; runs in a thread of its own."""
        every = float(str(self._project.settings.get("run.heartbeat_s") or 30.0))
        beat = time.monotonic() + every
        while not stop.wait(min(LEASE_S / 4, every)):
            self._state.renew(self._lease, LEASE_S)
            if time.monotonic() >= beat:
                beat = time.monotonic() + every
                now = time.monotonic()
                running = tuple((key, round(now - since, 1)) for key, since in list(self._since.items()))
                self._stream.emit(Heartbeat, running=running)


def _plain_outcome(key: str, outcome: Outcome) -> dict[str, Plain]:
    import msgspec

    plain: dict[str, Plain] = msgspec.to_builtins(outcome)
    entity, _, piece = key.partition("[")
    return {**plain, "entity": entity, "slice": piece.rstrip("]") or "*"}


def _behind_deferred(plan: Plan) -> frozenset[str]:
    """Return the entities that must wait: deferred ones, and what reads them."""
    blocked = {task.key.entity for task in plan.with_action(DEFERRED)}
    for task in plan.tasks:  # tasks stand in order, so one pass reaches all readers
        if any(planned.name in blocked for planned in task.inputs):
            blocked.add(task.key.entity)
    return frozenset(blocked)


def _behind_failures(plan: Plan, failed: set[str]) -> dict[str, str]:
    """Return the cause by key of each task that would read what failed."""
    causes = {key.partition("[")[0]: key for key in failed}
    found: dict[str, str] = {}
    for task in plan.tasks:
        if task.action not in (RUN, DEFERRED):
            continue
        cause = causes.get(task.key.entity) or next(
            (causes[planned.name] for planned in task.inputs if planned.name in causes), ""
        )
        if cause:
            found[str(task.key)] = cause
            causes.setdefault(task.key.entity, cause)
    return found


def run_app(
    project: Project, state: State, *, request: Callable[[str], RunRequest] | None = None
) -> RunResult:
    """Run everything of an app that is an object of this process: notebooks and tests."""
    from kindling.run.request import new_run_id

    run_id = new_run_id()
    made = (
        request(run_id)
        if request
        else RunRequest(
            app=project.reference, project=project.path, environment=project.environment, run_id=run_id
        )
    )
    return run(project, state, made)
