"""Run one task: `execute` is the only code that runs a pipe, in a thread, a process or elsewhere."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from kindling.addresses import Address, Slice
from kindling.errors import LeaseHeldError, RunError
from kindling.hooks.executor import Outcome, TaskSpec
from kindling.hooks.platform import SessionSpec, Shares
from kindling.plan.rights import Rights
from kindling.run.badrows import bad_row_metrics, bad_row_warnings, without_texts, write_bad_rows
from kindling.run.commitment import Commitment
from kindling.run.context import TaskContext
from kindling.run.failures import Failures, Running, redacted, stopped_error, unopened
from kindling.run.governing import Masks
from kindling.run.log import RunLog, open_log
from kindling.run.production import NothingNew, Production, checked_in_memory, shaped

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling.hooks import Frame
    from kindling.hooks.platform import Session
    from kindling.hooks.state import State
    from kindling.pipe import Pipe
    from kindling.plan.project import Project
    from kindling.run.capabilities import Capabilities
    from kindling.schemas import Schema

QUARANTINE = "quarantine"


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
        rights = Rights(project.settings)
        masks = Masks(project, capabilities.secret, capabilities.redactor.add)
        self._rights = (rights, masks) if rights.rules else None
        self._failures = Failures(project, capabilities.redactor.redact)
        self._running: dict[str, Running] = {}
        self._lock = threading.Lock()

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task in the calling thread. Never raises: every error becomes an outcome."""
        running = Running(spec, f"{spec.run_id}/{spec.key}/{spec.attempt}")
        with self._lock:
            self._running[spec.key] = running
        try:
            return self._told(self._attempt(running))
        except BaseException as error:  # noqa: BLE001  # the task boundary: an outcome for every error
            return self._told(self._failures.outcome(running, self._pipes.get(spec.entity), error))
        finally:
            with self._lock:
                if self._running.get(spec.key) is running:
                    del self._running[spec.key]

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop a running task from another thread; see `Runner.interrupt`."""
        with self._lock:
            running = self._running.get(key)
        if running is None:
            return True
        running.stopped = running.stopped or reason
        if running.platform is None:
            return True
        try:
            return running.platform.cancel(running.tag, grace_s)
        except Exception as error:  # noqa: BLE001  # foreign code, in a thread of the executor
            self.log(running.spec).warning("the engine could not be asked to stop", exc_info=error)
            return False

    def start_engine(self, platform: str) -> None:
        """Start an engine before a task needs it; raises what the platform raises."""
        self._capabilities.platform(platform).open_session(SessionSpec("start")).close()

    def log(self, spec: TaskSpec) -> RunLog:
        """Return the log of a task: JSON lines in the run's folder, without secret values."""
        return open_log(self._project.run_dir(spec.run_id), self._capabilities.redactor.redact, spec)

    # --- one attempt -----------------------------------------------------------------------------

    def _attempt(self, running: Running) -> Outcome:
        running.platform = self._capabilities.platform(running.spec.platform)
        session = running.platform.open_session(SessionSpec(running.tag))
        try:
            guard = self._guard(running)
            guard()
            return self._outcome(running, session, guard)
        finally:
            self._close(session, running.spec)

    def _close(self, session: Session, spec: TaskSpec) -> None:
        """Close the session; what was committed stays committed, so an error here is noted only."""
        try:
            session.close()
        except Exception as error:  # noqa: BLE001  # foreign code, and the outcome is settled already
            self.log(spec).warning("the session could not be closed", exc_info=error)

    def _outcome(self, running: Running, session: Session, guard: Callable[[], None]) -> Outcome:
        spec = running.spec
        pipe = self._pipes[spec.entity]
        production = self._production(spec, session)
        try:
            frame = production.frame_of(spec.entity)
            frame, schema, warnings = production.analysed(
                lambda: shaped(
                    session, frame, pipe.schema, entity=spec.entity, drift=pipe.drift, where=str(pipe.place)
                )
            )
        except NothingNew:
            return self._nothing_new(running, production, session)
        finally:
            classified = (self._pipes[name].classes for name in (spec.entity, *production.inlined))
            running.is_classified |= any(classified)
            running.harmless = production.harmless
        if not spec.address:
            return self._share(running, session, (frame, schema), production, warnings)
        storage, name = self._capabilities.storage, self._project.app.name
        commitment = Commitment(spec, session, pipe, storage, name, guard, production.cursors)
        commit, counts, quarantined = commitment.commit(frame, schema)
        metrics = dict(commit.metrics)
        if any(rule.on_fail == "quarantine" for rule in pipe.rules.values()):
            metrics["rows_quarantined"] = quarantined
        classes = _classes(production, schema)
        return replace(
            self._done(running, production, (*warnings, *commit.warnings)),
            classes=classes,
            traced=production.told(schema, commit.version, classes),
            version=commit.version,
            rows=commit.rows,
            metrics={**metrics, **bad_row_metrics(production.bad_rows)},
            expectations={**production.counts, **counts},
            cursors=production.cursors,
        )

    def _done(self, running: Running, production: Production, warnings: tuple[str, ...] = ()) -> Outcome:
        """Return the outcome of a success, with all that does not depend on its kind."""
        spec, context = running.spec, production.context
        kept = self._keep_bad_rows(spec, production)
        return Outcome(
            key=spec.key,
            status="done",
            attempt=spec.attempt,
            seconds=time.monotonic() - running.started,
            metrics=bad_row_metrics(production.bad_rows),
            expectations=dict(production.counts),
            warnings=(*warnings, *production.warnings, *bad_row_warnings(production.bad_rows, kept)),
            read=production.read,
            settings_read=tuple(dict.fromkeys(context.settings_read)),
            secrets_read=tuple(dict.fromkeys(context.secrets_read)),
            secret_versions=dict(context.secret_versions),
        )

    def _keep_bad_rows(self, spec: TaskSpec, production: Production) -> list[str]:
        """Keep samples of unreadable rows where the source declares `on_bad_row="quarantine"`."""
        folder, redact = self._project.run_dir(spec.run_id), self._capabilities.redactor.redact
        kept = [
            name
            for name in production.bad_rows
            if self._entities[name].storage.option("on_bad_row") == QUARANTINE
        ]
        for name in kept:
            found = production.bad_rows[name]
            if any(planned.classes for planned in spec.inputs if planned.entity == name):
                found = without_texts(found)
            write_bad_rows(folder, name, found, redact)
        return kept

    def _production(self, spec: TaskSpec, session: Session) -> Production:
        context = TaskContext(
            session,
            self._project.settings,
            self._capabilities.secret,
            Slice.parse(spec.slice),
            self.log(spec),
        )
        production = Production(
            spec,
            session,
            self._pipes,
            self._inputs,
            {name: entity.schema for name, entity in self._entities.items()},
            self._capabilities.storage,
            context,
            self._rights,
        )
        production.inputs.update({planned.entity: planned for planned in spec.inputs})
        return production

    def _nothing_new(self, running: Running, production: Production, session: Session) -> Outcome:
        """Report an incremental task whose source has no changes: nothing is committed."""
        spec = running.spec
        place = Address.from_plain(spec.address)
        store = self._capabilities.storage(place.storage).open(place, session)
        outcome = self._done(running, production)
        declared = production.classes_of(spec.entity)  # of the rows before, the ledger knows the rest
        version = store.version() or ""
        return replace(outcome, version=version, rows=0, cursors=production.cursors, classes=declared)

    def _share(
        self,
        running: Running,
        session: Session,
        shaped_frame: tuple[Frame, Schema],
        production: Production,
        warnings: tuple[str, ...],
    ) -> Outcome:
        spec = running.spec
        if not isinstance(session, Shares):
            raise RunError("KDL-RUN-019", f"the platform {spec.platform!r} cannot share {spec.entity!r}")
        frame, schema = shaped_frame
        checked = checked_in_memory(session, frame, self._pipes[spec.entity], schema, spec.entity)
        ref = session.share(checked.frame, f"{spec.run_id}_{spec.fingerprint}_{spec.attempt}")
        classes = _classes(production, schema)
        return replace(
            self._done(running, production, warnings),
            classes=classes,
            traced=production.told(schema, "", classes),
            expectations={**production.counts, **checked.counts},
            shared={"engine": ref.engine, "name": ref.name},
        )

    def _guard(self, running: Running) -> Callable[[], None]:
        """Return the check that stands right before each commit."""
        lease = running.spec.lease

        def guard() -> None:
            if running.stopped:
                raise stopped_error(running.spec, running.stopped)
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

    def _told(self, outcome: Outcome) -> Outcome:
        """Return an outcome that may be shown anywhere: no secret value, no text that is not UTF-8."""
        return redacted(outcome, self._capabilities.redactor.redact)


def _classes(production: Production, schema: Schema) -> dict[str, tuple[str, ...]]:
    """Return the classes of a task's columns, as its schema spells them."""
    known = {name.lower(): some for name, some in production.classes_of(production.spec.entity).items()}
    return {name: known[name.lower()] for name in schema.names if name.lower() in known}


def open_worker(spec: TaskSpec, stack: ExitStack) -> Worker:
    """Load the app of a task and open what its run needs; `stack` closes it again.

    Raises:
        Exception: Whatever loading the app, its settings or its state raises.
    """
    from kindling.plan.project import open_project
    from kindling.run.capabilities import Capabilities
    from kindling.run.states import open_state

    project = open_project(spec.project, environment=spec.environment, overrides=spec.overrides, app=spec.app)
    capabilities = Capabilities(project, spec.run_id)
    stack.callback(capabilities.close)
    state = open_state(project)
    stack.callback(state.close)
    return Worker(project, capabilities, state)


def execute(spec: TaskSpec) -> Outcome:
    """Run one task in a process of its own: load the app, open what it needs, close it again.

    Never raises: what cannot be opened fails the task.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        try:
            worker = open_worker(spec, stack)
        except BaseException as error:  # noqa: BLE001  # the process boundary: an outcome for every error
            return unopened(spec, error, time.monotonic() - began)
        return worker.execute(spec)
