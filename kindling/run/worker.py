"""Run one task: `execute` is the only code that runs a pipe, in a thread, a process or elsewhere."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from kindling.addresses import Slice
from kindling.errors import (
    EngineLostError,
    KindlingError,
    LeaseHeldError,
    RunError,
    TaskCancelledError,
    TaskTimeoutError,
)
from kindling.hooks.executor import Outcome, TaskSpec
from kindling.hooks.platform import SessionSpec, Shares
from kindling.run.commitment import Commitment
from kindling.run.context import TaskContext
from kindling.run.expectations import apply_rules, broken_rule, expectation_error
from kindling.run.log import open_log
from kindling.run.production import NothingNew, Production, shaped
from kindling.run.traceback import user_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks.platform import Platform, Session
    from kindling.hooks.state import State
    from kindling.pipe import Pipe
    from kindling.plan.project import Project
    from kindling.run.capabilities import Capabilities


class _Running:
    """A task in progress, seen from other threads."""

    def __init__(self, spec: TaskSpec, tag: str) -> None:
        self.spec = spec
        self.tag = tag
        self.platform: Platform | None = None
        self.stopped = ""
        self.started = time.monotonic()


class Worker:
    """Runs tasks of one app in one process; implements `kindling.hooks.executor.Runner`.

    Args:
        project: The opened project.
        capabilities: Live platforms and storages of this process.
        state: Where leases are checked before each commit.
    """

    def __init__(self, project: Project, capabilities: Capabilities, state: State | None) -> None:
        self._project = project
        self._capabilities = capabilities
        self._state = state
        self._entities = project.app.entities()
        handles = project.app.names()
        self._pipes: dict[str, Pipe[...]] = {
            name: entity  # type: ignore[misc]  # entities with inputs are pipes
            for name, entity in self._entities.items()
            if hasattr(entity, "inputs")
        }
        self._inputs = {
            name: tuple(project.input_name(handle, handles[id(handle)]) for handle in pipe.inputs)
            for name, pipe in self._pipes.items()
        }
        self._running: dict[str, _Running] = {}
        self._lock = threading.Lock()

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task in the calling thread. Never raises: every error becomes an outcome."""
        running = _Running(spec, f"{spec.run_id}/{spec.key}/{spec.attempt}")
        with self._lock:
            self._running[spec.key] = running
        try:
            return self._attempt(running)
        except BaseException as error:  # noqa: BLE001  # the task boundary: an outcome for every error
            return self._failed(running, error)
        finally:
            with self._lock:
                self._running.pop(spec.key, None)

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop a running task from another thread; see `Runner.interrupt`."""
        with self._lock:
            running = self._running.get(key)
        if running is None:
            return True
        running.stopped = running.stopped or reason
        if running.platform is None:
            return True
        return running.platform.cancel(running.tag, grace_s)

    # --- one attempt -----------------------------------------------------------------------------

    def _attempt(self, running: _Running) -> Outcome:
        spec = running.spec
        pipe = self._pipes[spec.entity]
        running.platform = self._capabilities.platform(spec.platform)
        session = running.platform.open_session(SessionSpec(running.tag))
        try:
            guard = self._guard(running)
            guard()
            production = self._production(spec, session)
            try:
                frame = production.frame_of(spec.entity)
            except NothingNew:
                return self._nothing_new(running, production, session)
            frame, schema, warnings = shaped(
                session, frame, pipe.schema, entity=spec.entity, drift=pipe.drift, where=str(pipe.place)
            )
            if not spec.address:
                return self._share(running, session, frame, production)
            commitment = Commitment(
                spec,
                session,
                pipe,
                self._capabilities.storage,
                self._project.app.name,
                guard,
                production.cursors,
            )
            commit, counts, quarantined = commitment.commit(frame, schema)
            metrics = dict(commit.metrics)
            if quarantined or any(rule.on_fail == "quarantine" for rule in pipe.rules.values()):
                metrics["rows_quarantined"] = quarantined
            return Outcome(
                key=spec.key,
                status="done",
                attempt=spec.attempt,
                seconds=time.monotonic() - running.started,
                version=commit.version,
                rows=commit.rows,
                metrics={**metrics, **_bad_row_metrics(production)},
                expectations=counts,
                warnings=(*warnings, *commit.warnings, *_bad_row_warnings(production)),
                cursors=production.cursors,
                read=production.read,
                settings_read=tuple(dict.fromkeys(production.context.settings_read)),
                secrets_read=tuple(dict.fromkeys(production.context.secrets_read)),
            )
        finally:
            session.close()

    def _production(self, spec: TaskSpec, session: Session) -> Production:
        log = open_log(self._project.run_dir(spec.run_id), self._capabilities.redactor.redact, spec)
        context = TaskContext(
            session, self._project.settings, self._capabilities.secret, Slice.parse(spec.slice), log
        )
        production = Production(
            spec,
            session,
            self._pipes,
            self._inputs,
            {name: entity.schema for name, entity in self._entities.items()},
            self._capabilities.storage,
            context,
            # The govern step: rights and masks of `spec.principal` act here once a masking plugin exists.
            govern=lambda _name, frame: frame,
        )
        production.inputs.update({planned.entity: planned for planned in spec.inputs})
        return production

    def _nothing_new(self, running: _Running, production: Production, session: Session) -> Outcome:
        """Report an incremental task whose source has no changes: nothing is committed."""
        spec = running.spec
        commitment = Commitment(
            spec,
            session,
            self._pipes[spec.entity],
            self._capabilities.storage,
            self._project.app.name,
            lambda: None,
            {},
        )
        return Outcome(
            key=spec.key,
            status="done",
            attempt=spec.attempt,
            seconds=time.monotonic() - running.started,
            version=commitment.store().version() or "",
            rows=0,
            cursors=production.cursors,
            read=production.read,
        )

    def _share(self, running: _Running, session: Session, frame: object, production: Production) -> Outcome:
        spec = running.spec
        if not isinstance(session, Shares):
            raise RunError("KDL-RUN-019", f"the platform {spec.platform!r} cannot share {spec.entity!r}")
        pipe = self._pipes[spec.entity]
        checked = apply_rules(session, frame, pipe.rules, session.schema(frame), lambda kept: kept)
        ref = session.share(checked.frame, f"{spec.run_id}_{spec.fingerprint}")
        return Outcome(
            key=spec.key,
            status="done",
            attempt=spec.attempt,
            seconds=time.monotonic() - running.started,
            expectations=checked.counts,
            shared={"engine": ref.engine, "name": ref.name},
            read=production.read,
        )

    def _guard(self, running: _Running) -> Callable[[], None]:
        """Return the check that stands right before each commit."""
        lease = running.spec.lease

        def guard() -> None:
            if running.stopped:
                raise _stopped(running)
            if lease and self._state is not None:
                key, token = str(lease["key"]), int(str(lease["token"]))
                if not self._state.is_valid(key, token):
                    raise LeaseHeldError(
                        "KDL-INFRA-002",
                        f"the lease of {key!r} was lost before {running.spec.entity!r} could commit",
                        why="it expired, or another run took it; nothing was committed",
                        hint="run again",
                    )

        return guard

    # --- errors ----------------------------------------------------------------------------------

    def _failed(self, running: _Running, error: BaseException) -> Outcome:
        spec = running.spec
        platform = running.platform
        status, known = self._classified(running, error)
        transient = known.transient or (
            status != "cancelled" and platform is not None and platform.is_transient(error)
        )
        if status in ("timed_out", "cancelled"):
            transient = False
        redact = self._capabilities.redactor.redact
        known.what, known.why, known.hint = redact(known.what), redact(known.why), redact(known.hint)
        open_log(self._project.run_dir(spec.run_id), redact, spec).error("task failed", exc_info=error)
        return Outcome(
            key=spec.key,
            status=status,
            attempt=spec.attempt,
            seconds=time.monotonic() - running.started,
            error=known.to_plain(),  # type: ignore[arg-type]  # facts are JSON types
            transient=transient,
            exit_code=known.exit_code,
        )

    def _classified(self, running: _Running, error: BaseException) -> tuple[str, KindlingError]:
        spec = running.spec
        pipe = self._pipes.get(spec.entity)
        where = str(pipe.place) if pipe else ""
        if running.stopped:
            return running.stopped, _stopped(running)
        if isinstance(error, EngineLostError):
            return "lost", error
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            return "cancelled", TaskCancelledError(
                "KDL-RUN-003", f"{spec.key!r} was interrupted", where=where
            )
        return "failed", self._explained(running, error, where)

    def _explained(self, running: _Running, error: BaseException, where: str) -> KindlingError:
        """Return the error that an engine's or a pipe's exception stands for."""
        spec, pipe = running.spec, self._pipes.get(running.spec.entity)
        rule = broken_rule(error)
        if rule is not None and pipe is not None:
            return expectation_error(spec.entity, rule, pipe.rules, where)
        if "KDL-DELETES[" in str(error):
            return RunError(
                "KDL-RUN-016",
                f"rows were deleted from the source that {spec.entity!r} reads incrementally",
                where=where,
                hint="choose k.changes(deletes='ignore') or 'include', or run with --full-refresh",
            )
        if isinstance(error, KindlingError):
            error.where = error.where or where
            return error
        return self._foreign(running, error, where)

    def _foreign(self, running: _Running, error: BaseException, where: str) -> KindlingError:
        """Return the error for an exception of the pipe's own code or of the engine."""
        place, inside = user_place(error, self._project.code_roots())
        platform = running.platform
        text = platform.explain(error) if platform else str(error)
        what = (
            f"{running.spec.key!r} raised {type(error).__name__}"
            if inside
            else f"{running.spec.key!r} failed on the engine"
        )
        return RunError(
            "KDL-RUN-001" if inside else "KDL-RUN-002",
            what,
            why=text or type(error).__name__,
            where=place or where,
        )


def _stopped(running: _Running) -> KindlingError:
    spec = running.spec
    if running.stopped == "timed_out":
        return TaskTimeoutError(
            "KDL-TIME-001",
            f"{spec.key!r} took longer than {spec.timeout_s:g} s"
            if spec.timeout_s
            else f"{spec.key!r} timed out",
            hint="raise timeout_s of the pipe, or make it faster; nothing was committed",
        )
    return TaskCancelledError("KDL-RUN-003", f"{spec.key!r} was cancelled", why="nothing was committed")


def _bad_row_metrics(production: Production) -> dict[str, int]:
    total = sum(found.count for found in production.bad_rows.values())
    return {"rows_unreadable": total} if total else {}


def _bad_row_warnings(production: Production) -> tuple[str, ...]:
    return tuple(
        f"{found.count} unreadable rows of {name!r} were left out, for example {found.samples[0][0]}"
        if found.samples
        else f"{found.count} unreadable rows of {name!r} were left out"
        for name, found in production.bad_rows.items()
    )


def execute(spec: TaskSpec) -> Outcome:
    """Run one task in a process of its own: load the app, open what it needs, close it again."""
    from kindling.plan.project import open_project
    from kindling.run.capabilities import Capabilities
    from kindling.run.states import open_state

    project = open_project(spec.project, environment=spec.environment, overrides=spec.overrides, app=spec.app)
    capabilities = Capabilities(project, spec.run_id)
    state = open_state(project)
    try:
        return Worker(project, capabilities, state).execute(spec)
    finally:
        capabilities.close()
        state.close()
