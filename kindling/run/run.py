"""Run an app: plan, take the lease, execute, resume. The commands and tests call `run`."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

from kindling.addresses import Slice, TaskKey
from kindling.errors import UsageError
from kindling.plan.planner import Planner, Wish
from kindling.run.execution import Execution, RunResult
from kindling.run.keeper import LEASE_S
from kindling.run.ledger import outcomes_of
from kindling.run.request import RunRequest, new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kindling.hooks.sink import EventSink
    from kindling.hooks.state import State
    from kindling.plan.plan import Plan
    from kindling.plan.project import Project
    from kindling.records import Lease, RunRecord
    from kindling.values import Plain

LOST = 4
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def wish_of(request: RunRequest, state: State) -> Wish:
    """Return what to ask the planner for; a resumed run keeps its own request's choices.

    Raises:
        UsageError: KDL-USE-021, the run to resume is unknown.
    """
    done: set[str] = set()
    source, seen = request, {request.run_id}
    while source.resume and source.resume not in seen:  # a resumed run may have been resumed itself
        seen.add(source.resume)
        record = _to_resume(source.resume, request, state)
        done |= _done_by(record, state)
        source = RunRequest.from_json(record.request)
    return Wish(
        select=source.select,
        exclude=source.exclude,
        full_refresh=source.full_refresh,
        start=source.start,
        end=source.end,
        max_slices=source.max_slices,
        principal=request.principal,
        done=frozenset(done),
    )


def _done_by(record: RunRecord, state: State) -> set[str]:
    """Return the keys of what a run finished; one that was killed left records of tasks, but no outcomes."""
    done = {str(row["key"]) for row in state.outcomes(record.run_id) if row["status"] == "done"}
    records = state.tasks(record.app, record.environment).values()
    made = (one for one in records if one.run_id == record.run_id)
    return done | {str(TaskKey(one.entity, Slice.parse(one.slice))) for one in made}


def _to_resume(run_id: str, request: RunRequest, state: State) -> RunRecord:
    record = state.run(run_id)
    if record is None:
        raise UsageError("KDL-USE-021", f"there is no run {run_id!r}", hint="kindling runs list")
    if record.environment != request.environment:
        raise UsageError(
            "KDL-USE-021",
            f"the run {run_id!r} worked in {record.environment!r}, not in {request.environment!r}",
            hint=f"kindling run --env {record.environment} --resume {run_id}",
        )
    return record


def run(
    project: Project,
    state: State,
    request: RunRequest,
    *,
    sinks: Sequence[EventSink] = (),
    planner: Planner | None = None,
) -> RunResult:
    """Plan and execute; return how it ended. A run id that was executed before is not executed again.

    Effects: writes entities, the state, and the run's folder with events and log.

    Args:
        project: The opened project.
        state: Its state.
        request: What to run.
        sinks: Further sinks, for example the progress display; they are closed with the run.
        planner: One that planned already: its code digests are used again.

    Raises:
        KindlingError: Faults before the first task; later only what ends the run as a whole: the lease or
            the state was lost, an essential sink failed. The run is recorded as failed before.
    """
    _check_run_id(request.run_id)
    planner = planner or Planner(project, lambda: state.tasks(project.app.name, project.environment))
    wish = wish_of(request, state)
    plan = planner.plan(wish)
    stored = state.run(request.run_id)
    if stored is not None and stored.run_id == request.run_id and stored.status != "running":
        return _ended(stored, state, plan)
    if not plan.changes and not plan.recovered:
        return RunResult("", plan)
    lease = _acquired(project, state, request)
    try:
        plan = planner.plan(wish)  # again: another run may have ended while this one waited
        for record in plan.recovered:
            state.put_task(project.app.name, project.environment, record)
        if not plan.changes:
            return RunResult("", plan)
        return Execution(project, state, request, planner, wish, sinks).execute(plan, lease)
    finally:
        state.release(lease)


def _acquired(project: Project, state: State, request: RunRequest) -> Lease:
    key = f"{project.app.name}/{project.environment}"
    owner: dict[str, Plain] = {"pid": os.getpid(), "host": socket.gethostname(), "run_id": request.run_id}
    return state.acquire(key, owner, LEASE_S)


def _check_run_id(run_id: str) -> None:
    """Refuse ids that are no plain names: they become a folder and the names of shared frames."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(
            "KDL-USE-023",
            f"{run_id!r} is no run id",
            why="expected at most 128 letters, digits, '.', '_' and '-', a letter or a digit first",
        )


def _ended(record: RunRecord, state: State, plan: Plan) -> RunResult:
    """Return how a run ended that was submitted with the same id before."""
    outcomes, skipped = outcomes_of(state.outcomes(record.run_id))
    code = record.exit_code if record.exit_code is not None else LOST
    return RunResult(record.run_id, plan, record.status, code, outcomes, skipped)


def run_app(
    project: Project, state: State, *, request: Callable[[str], RunRequest] | None = None
) -> RunResult:
    """Run everything of an app that is an object of this process: notebooks and tests."""
    run_id = new_run_id()
    made = (
        request(run_id)
        if request
        else RunRequest(
            app=project.reference, project=project.path, environment=project.environment, run_id=run_id
        )
    )
    return run(project, state, made)


__all__ = ["RunResult", "run", "run_app", "wish_of"]
