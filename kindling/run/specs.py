"""Make TaskSpecs and TaskRecords: the final fingerprint, with the versions that inputs have by now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.hooks.executor import InputSpec, Outcome, TaskSpec
from kindling.plan.parts import FORCED, REDECLARED, digest, forced
from kindling.plan.rights import CLASSES, classes_text
from kindling.records import TaskRecord
from kindling.run.request import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.plan.plan import Plan, PlannedInput, PlannedTask
    from kindling.plan.planner import Planner
    from kindling.plan.project import Project
    from kindling.records import Lease
    from kindling.run.request import RunRequest
    from kindling.values import Plain

REMADE = frozenset({"refresh", "vanished"})
"""Reasons for which a table is made from the beginning."""
_ASKED = ("settings:", "secret:")


class SpecMaker:
    """Makes the specs of one wave, each right before its task starts.

    Args:
        project: The opened project.
        planner: Holds the declarations and what the world looked like.
        plan: The plan of this wave.
        request: The run's request.
        lease: The run's lease; its token is checked before each commit.
        outcomes: Outcomes so far, by key; grows while the wave runs.
    """

    def __init__(  # made in one place
        self,
        project: Project,
        planner: Planner,
        plan: Plan,
        request: RunRequest,
        lease: Lease,
        outcomes: Mapping[str, Outcome],
    ) -> None:
        self._project = project
        self._planner = planner
        self._entities = planner.binding.entities
        self._facts = planner.facts
        self._tasks: dict[str, PlannedTask] = {str(task.key): task for task in plan.tasks}
        self._request = request
        self._lease: dict[str, Plain] = {"key": lease.key, "token": lease.token}
        self._outcomes = outcomes
        self._made: dict[str, str] = {}
        for key, outcome in outcomes.items():
            self._note(key, outcome)
        self._final: dict[str, dict[str, str]] = {}
        self._moment = utc_now()

    def make(self, key: str, attempt: int) -> TaskSpec:
        """Return the spec of a task whose inputs are ready."""
        task, settings = self._tasks[key], self._project.settings
        parts = self._final_parts(task)
        self._final[key] = parts
        codes = {reason.code for reason in task.reasons}
        fingerprint = digest(parts)
        if not codes.isdisjoint(FORCED):
            fingerprint = forced(fingerprint, self._request.run_id)
        return TaskSpec(
            run_id=self._request.run_id,
            app=self._project.reference,
            project=self._project.path,
            environment=self._project.environment,
            entity=task.key.entity,
            slice=str(task.key.slice),
            address=task.address.to_plain() if task.address else {},  # type: ignore[arg-type]  # JSON types
            platform=task.platform,
            inputs=tuple(self._input(planned) for planned in task.inputs),
            fingerprint=fingerprint,
            attempt=attempt,
            timeout_s=self._timeout(task.key.entity),
            grace_s=float(str(settings.get("run.grace_s") or 5.0)),
            principal=self._request.principal or self._project.app.name,
            overrides=dict(self._project.overrides),
            full_refresh=not codes.isdisjoint(REMADE),
            redeclared=not codes.isdisjoint(REDECLARED),
            moment=self._moment,
            lease=dict(self._lease),
            traces=bool(settings.get("run.trace") or settings.get("run.lineage")),
        )

    def _timeout(self, entity: str) -> float | None:
        bound = self._entities[entity]
        own = bound.override("timeout_s") or (bound.pipe.timeout_s if bound.pipe else None)
        value = own if own is not None else self._project.settings.get("run.timeout_s")
        return float(str(value)) if value else None

    def retries(self, entity: str) -> int:
        """Return how often a task is retried after transient errors."""
        bound = self._entities[entity]
        own = bound.override("retries")
        if own is None and bound.pipe is not None:
            own = bound.pipe.retries
        value = own if own is not None else self._project.settings.get("run.retries")
        return int(str(value or 0))

    def _input(self, planned: PlannedInput) -> InputSpec:
        bound = self._entities[planned.name]
        shared = self._outcomes[planned.name].shared if planned.how == "shared" else {}
        travels = (
            bound.address is not None
            and "travels" in self._project.catalog.find(f"storage:{bound.storage}").features
        )
        return InputSpec(
            entity=planned.name,
            address=bound.address.to_plain() if bound.address else {},  # type: ignore[arg-type]  # JSON types
            version=self._version(planned.name) if travels else "",
            how=planned.how,
            cursor=planned.cursor,
            shared=dict(shared),
            classes=self._classes(planned),
        )

    def _classes(self, planned: PlannedInput) -> dict[str, tuple[str, ...]]:
        """Return the classes of a table, or of a frame that a task of this run shared."""
        if planned.how == "shared":
            return dict(self._outcomes[planned.name].classes)
        return self._planner.governance.of(planned.name)

    def _version(self, name: str) -> str:
        """Return the version of a table by now: of this run if it was made in it."""
        return self._made.get(name) or self._facts.version(self._entities[name]) or ""

    def _note(self, key: str, outcome: Outcome) -> None:
        name = key.partition("[")[0]
        if outcome.status != "done" or self._entities[name].address is None:
            return
        if outcome.version:
            self._made[name] = outcome.version
        self._planner.governance.note(name, outcome.classes, is_whole=self._is_whole(key, name))

    def _is_whole(self, key: str, name: str) -> bool:
        """Tell whether a task left no row in its table that was there before."""
        task, bound = self._tasks.get(key), self._entities[name]
        if task is not None and not {reason.code for reason in task.reasons}.isdisjoint(REMADE):
            return True
        pipe = bound.pipe
        is_overwritten = pipe is not None and pipe.write.name == "overwrite" and pipe.incremental is None
        return is_overwritten or self._facts.version(bound) is None

    def _final_parts(self, task: PlannedTask) -> dict[str, str]:
        """Return the fingerprint parts with the inputs' versions of now."""
        parts = {name: text for name, text in task.parts if not name.startswith("input:")}
        parts = parts or self._planner.own_parts(task.key.entity)
        if "rights" in parts:  # inputs may have other classes since tasks of this run made them
            parts["rights"] = self._planner.governance.part(task.key.entity)
        for name in self._entities[task.key.entity].inputs:
            parts[f"input:{name}"] = self._token(name)
        return parts

    def _token(self, name: str) -> str:
        bound = self._entities[name]
        if bound.address is not None:
            return self._version(name)
        parts = self._planner.own_parts(name)
        for item in bound.inputs:
            parts[f"input:{item}"] = self._token(item)
        return digest(parts)

    def record(self, key: str, outcome: Outcome) -> TaskRecord | None:
        """Return what to remember of a task's success; None for memory entities.

        Settings and secrets that the pipe asked for are parts as well: the next plan compares them.
        """
        self._note(key, outcome)
        task = self._tasks[key]
        if task.address is None:
            return None
        parts = self._recorded_parts(task, outcome)
        fingerprint = digest(parts)
        classes = self._planner.governance.of(task.key.entity)
        if classes:
            parts[CLASSES] = classes_text(classes)
        return TaskRecord(
            task.key.entity,
            str(task.key.slice),
            fingerprint,
            tuple(sorted(parts.items())),
            outcome.version,
            tuple(sorted(outcome.cursors.items())),
            run_id=self._request.run_id,
            finished=utc_now(),
            seconds=round(outcome.seconds, 6),
            rows=outcome.rows,
        )

    def _recorded_parts(self, task: PlannedTask, outcome: Outcome) -> dict[str, str]:
        told = [outcome]
        told += [self._outcomes[item.name] for item in task.inputs if item.how == "shared"]
        settings = {name for one in told for name in one.settings_read}
        secrets = {reference for one in told for reference in one.secrets_read}
        # The version that was used: the vault may have a newer one by now, which the next plan must notice.
        used = {name: version for one in told for name, version in one.secret_versions.items()}
        parts = dict(self._final[str(task.key)])
        if not any(item.how == "changes" for item in task.inputs):
            # The pipe was called, so what it did not ask for no longer matters; with no changes it is not.
            parts = {name: text for name, text in parts.items() if not name.startswith(_ASKED)}
        parts.update({f"settings:{name}": self._project.settings.digest([name]) for name in settings})
        for name in secrets:
            parts[f"secret:{name}"] = used.get(name) or self._planner.secret_version(name)
        return parts
