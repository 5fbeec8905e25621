"""One run under its lease: waves of tasks, what is told of them, and the end, however it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kindling.errors import KindlingError, worst_exit_code
from kindling.events import (
    Heartbeat,
    RunFinished,
    RunStarted,
    TaskFinished,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
    TaskTraced,
)
from kindling.hooks.executor import ExecutorSpec, Outcome
from kindling.hooks.sink import SinkSpec
from kindling.plan.plan import DEFERRED, RUN, UNCHANGED, Plan
from kindling.run.capabilities import Capabilities
from kindling.run.folders import prune
from kindling.run.keeper import LeaseKeeper
from kindling.run.ledger import Ledger
from kindling.run.log import make_log
from kindling.run.scheduler import Job, Skipped, run_jobs
from kindling.run.specs import SpecMaker
from kindling.run.stream import EventStream, JsonLines
from kindling.run.told import redacted_output
from kindling.run.tracing import traced_fields
from kindling.run.waves import behind_deferred, behind_failures, without
from kindling.run.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kindling.hooks import Offer
    from kindling.hooks.executor import Executor
    from kindling.hooks.sink import EventSink
    from kindling.hooks.state import State
    from kindling.plan.planner import Planner, Wish
    from kindling.plan.project import Project
    from kindling.records import Lease
    from kindling.run.request import RunRequest

POLL_S = 1.0
INTERRUPTED = 130


@dataclass(slots=True)
class RunResult:
    """How a run ended.

    Attributes:
        run_id: The run; "" where nothing had to run.
        plan: The plan under which it began.
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


class Execution:
    """One run under its lease."""

    def __init__(  # made in one place
        self,
        project: Project,
        state: State,
        request: RunRequest,
        planner: Planner,
        wish: Wish,
        sinks: Sequence[EventSink],
    ) -> None:
        self._project = project
        self._state = state
        self._request = request
        self._planner = planner
        self._wish = wish
        self._given = sinks
        self._capabilities = Capabilities(project, request.run_id)
        self._ledger = Ledger(state, project.app.name, project.environment, request)
        self._stream = EventStream(request.run_id, ())
        self._slots = request.workers or int(str(project.settings.get("run.workers") or 1))
        self._started = time.monotonic()
        self._reasons: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._next_poll = 0.0
        self._is_cancelled = False
        self._keeper: LeaseKeeper | None = None
        self.result = RunResult(request.run_id, Plan(project.app.name, project.environment, ()))

    def execute(self, plan: Plan, lease: Lease) -> RunResult:
        """Run wave after wave, and record the end, however it comes."""
        self.result.plan = plan
        self._ledger.open()
        try:
            self._stream = EventStream(self._request.run_id, self._sinks())
            prune(self._state, f"{self._project.state_dir}/runs")
            self._execute_waves(plan, lease)
        except KeyboardInterrupt:
            self._end("cancelled", INTERRUPTED)
        except BaseException as error:
            self._end("failed", error.exit_code if isinstance(error, KindlingError) else 1, error)
            raise
        else:
            self._end(*self._verdict())
        return self.result

    def _sinks(self) -> list[tuple[str, EventSink]]:
        """Return the run's own sink, the given ones, those of `run.sinks` and those of `run.lineage`."""
        folder = self._project.run_dir(self._request.run_id)
        made: list[tuple[str, EventSink]] = []
        for kind, key in (("sink", "run.sinks"), ("lineage", "run.lineage")):
            names = self._project.settings.get(key) or []
            for name in names if isinstance(names, list) else []:
                capability = f"{kind}:{name}"
                offer: Offer[SinkSpec, EventSink] = self._project.loader.offer(capability)  # type: ignore[assignment]  # both kinds offer sinks
                settings = dict(self._project.settings.plugin(capability))
                spec = SinkSpec(
                    self._request.run_id, folder, settings, self._project.path, self._capabilities.resolve
                )
                made.append((capability, offer.factory(spec)))
        own = JsonLines(f"{folder}/events.jsonl", self._capabilities.redactor.redact)
        return [("events.jsonl", own), *((type(sink).__name__, sink) for sink in self._given), *made]

    def _execute_waves(self, plan: Plan, lease: Lease) -> None:
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
        every = float(str(self._project.settings.get("run.heartbeat_s") or 30.0))
        self._keeper = LeaseKeeper(self._state, lease, every, self._beat)
        worker = Worker(self._project, self._capabilities, self._state)
        name = str(self._project.settings.get("executor"))
        settings = dict(self._project.settings.plugin(f"executor:{name}"))
        executor = self._project.loader.executor(name).factory(ExecutorSpec(self._slots, worker, settings))
        try:
            with redacted_output(self._capabilities.redactor.redact):
                self._waves(plan, lease, executor)
        finally:
            executor.close()
        if self._keeper.fault is not None:
            raise self._keeper.fault

    def _waves(self, plan: Plan, lease: Lease, executor: Executor) -> None:
        """Run what is decided, then decide again about deferred entities, until none is left."""
        self._wave(plan, lease, executor)
        while plan.with_action(DEFERRED) and not self._is_over():
            made = {key for key, outcome in self.result.outcomes.items() if outcome.status == "done"}
            again = self._planner.plan(self._wish.replace(made=frozenset(made)))
            lost = {*(self.result.outcomes.keys() - made), *self.result.skipped}
            waiting = behind_failures(again, lost)
            for key, cause in waiting.items():
                if key not in self.result.outcomes and key not in self.result.skipped:
                    self.skipped(key, cause)
            plan = without(again, {*waiting, *self.result.outcomes, *self.result.skipped})
            if not self._wave(plan, lease, executor):
                break
        self._leave(plan)

    def _leave(self, plan: Plan) -> None:
        """Tell of what the run ends without: deferred entities, and tasks that wait for them."""
        blocked = behind_deferred(plan)
        for task in plan.tasks:
            key = str(task.key)
            waits = task.action == DEFERRED or (task.action == RUN and task.key.entity in blocked)
            if waits and key not in self.result.skipped and key not in self.result.outcomes:
                self.skipped(key, self._first_failure())

    def _is_over(self) -> bool:
        return self._cancelled() or (self._on_error() == "stop" and bool(self._first_failure()))

    def _first_failure(self) -> str:
        return next((key for key, outcome in self.result.outcomes.items() if outcome.status != "done"), "")

    def _wave(self, plan: Plan, lease: Lease, executor: Executor) -> bool:
        """Run what is decided and waits for nothing that is not; tell whether there was any such task."""
        blocked = behind_deferred(plan)
        tasks = [task for task in plan.with_action(RUN) if task.key.entity not in blocked]
        running = {str(task.key) for task in tasks}
        maker = SpecMaker(self._project, self._planner, plan, self._request, lease, self.result.outcomes)
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
        return bool(jobs)

    def _on_error(self) -> str:
        return str(self._project.settings.get("run.on_error") or "skip-dependents")

    def _cancelled(self) -> bool:
        """Look once a second whether somebody asked for cancellation, and whether the lease was lost."""
        if self._keeper is not None and self._keeper.fault is not None:
            return True
        now = time.monotonic()
        if not self._is_cancelled and now >= self._next_poll:
            self._next_poll = now + POLL_S
            self._is_cancelled = self._state.is_cancelled(self._request.run_id)
        return self._is_cancelled

    def _beat(self) -> None:
        """Tell that the run is alive; called from the keeper's thread."""
        now = time.monotonic()
        running = tuple((key, round(now - since, 1)) for key, since in self._since.copy().items())
        self._stream.emit(Heartbeat, running=running)

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
        if outcome.status == "done" and outcome.traced:
            self._stream.emit(TaskTraced, key=key, **traced_fields(outcome.traced))
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

    def _verdict(self) -> tuple[str, int]:
        codes = {
            outcome.exit_code or 1 for outcome in self.result.outcomes.values() if outcome.status != "done"
        }
        if self._is_cancelled or any(one.status == "cancelled" for one in self.result.outcomes.values()):
            codes.add(INTERRUPTED)
        elif self.result.skipped and not codes:
            codes.add(1)
        code = worst_exit_code(codes)
        return ("cancelled" if code == INTERRUPTED else "failed" if code else "done"), code

    def _end(self, status: str, exit_code: int, cause: BaseException | None = None) -> None:
        """Record and tell the end, and release everything, whatever of it fails.

        Raises:
            Exception: What failed first, unless the run ends with an error anyway.
        """
        result = self.result
        result.status, result.exit_code = status, exit_code
        result.seconds = time.monotonic() - self._started
        counts = self._counts()
        steps: list[Callable[[], None]] = [
            self._keeper.close if self._keeper is not None else lambda: None,
            lambda: self._ledger.close(status, exit_code, result.outcomes, result.skipped, counts),
            lambda: self._stream.emit(
                RunFinished,
                status=status,
                exit_code=exit_code,
                seconds=round(result.seconds, 6),
                counts=counts,
            ),
            self._stream.close,
            self._close_engines,
        ]
        errors = [error for step in steps if (error := _raised(step)) is not None]
        if errors and cause is None:
            raise errors[0]

    def _close_engines(self) -> None:
        """Stop the engines; what they did is committed, so an error here is noted and changes nothing."""
        error = _raised(self._capabilities.close)
        if error is not None:
            folder = self._project.run_dir(self._request.run_id)
            log = make_log(
                f"{folder}/log.jsonl", self._capabilities.redactor.redact, run_id=self.result.run_id
            )
            log.warning("an engine could not be stopped", exc_info=error)

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for outcome in self.result.outcomes.values():
            counts[outcome.status] = counts.get(outcome.status, 0) + 1
        if self.result.skipped:
            counts["skipped"] = len(self.result.skipped)
        unchanged = len(self.result.plan.with_action(UNCHANGED))
        return {**counts, **({"unchanged": unchanged} if unchanged else {})}


def _raised(step: Callable[[], None]) -> Exception | None:
    """Take one step of the end; return what it raised, so that the others are taken as well."""
    try:
        step()
    except Exception as error:  # noqa: BLE001  # sinks, states and engines are foreign code
        return error
    return None
