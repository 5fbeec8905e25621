"""Lineage sinks with one fault each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from fakes import OfListLineage
from mutation import mutant

from kindling.events import Event, RunStarted, TaskSkipped, TaskStarted, TaskTraced
from kindling.testing.list_lineage import ListLineage, Service, Told

if TYPE_CHECKING:
    from kindling.testing.offers import Contract


def lineage_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfListLineage, "made", *kills)


@lineage_mutant("it_says_whether_it_is_essential")
class LineageIsPerhapsEssential(ListLineage):
    def __init__(self, run_id: str, service: Service) -> None:
        super().__init__(run_id, service)
        self.essential = None  # type: ignore[assignment]  # the fault


@lineage_mutant("recording_changes_no_event")
class LineageTakesEventsAway(ListLineage):
    def record(self, events: Sequence[Event]) -> None:
        super().record(events)
        events.clear()  # type: ignore[attr-defined]  # the fault


@lineage_mutant("the_run_begins_first_and_ends_last")
class TellsTheRunAtItsEnd(ListLineage):
    def told(self, event: Event) -> Iterator[Told]:
        if not isinstance(event, RunStarted):
            yield from super().told(event)


@lineage_mutant("each_task_begins_once_and_ends_once")
class TellsEachAttempt(ListLineage):
    def told(self, event: Event) -> Iterator[Told]:
        self.begun.clear()
        yield from super().told(event)


@lineage_mutant("each_task_begins_once_and_ends_once")
class TellsSkippedTasks(ListLineage):
    def told(self, event: Event) -> Iterator[Told]:
        if isinstance(event, TaskSkipped):
            yield self.of_task(event.key, "cancelled")
        yield from super().told(event)


@lineage_mutant("each_task_begins_once_and_ends_once")
class CallsCancelledTasksFailed(ListLineage):
    def of_task(self, key: str, state: str) -> Told:
        return super().of_task(key, "failed" if state == "cancelled" else state)


@lineage_mutant("tasks_belong_to_their_run")
class TasksStandAlone(ListLineage):
    def of_task(self, key: str, state: str) -> Told:
        return replace(super().of_task(key, state), parent="")


@lineage_mutant("tasks_belong_to_their_run")
class EndsAnotherTask(ListLineage):
    def of_task(self, key: str, state: str) -> Told:
        return replace(super().of_task(key, state), identity=self.identity(f"{key} {state}"))


@lineage_mutant("a_task_tells_what_it_read_and_wrote")
class ForgetsAnInput(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return replace(super().with_lineage(known, traced), reads=(str(traced.inputs[0]["entity"]),))


@lineage_mutant("a_task_tells_what_it_read_and_wrote")
class NamesTheTargetByItsTask(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return replace(super().with_lineage(known, traced), writes=traced.key.upper())


@lineage_mutant("versions_are_told_where_they_are_known")
class TellsEmptyVersions(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        versions = {str(one["entity"]): str(one["version"]) for one in (*traced.inputs, traced.target)}
        return replace(super().with_lineage(known, traced), versions=versions)


@lineage_mutant("a_failed_task_tells_its_error_and_no_other_does")
class KeepsErrorsToItself(ListLineage):
    def seen(self, told: Told) -> Told:
        return super().seen(replace(told, error=""))


@lineage_mutant("a_run_that_is_told_again_is_the_same")
class TellsTheTimeOfTelling(ListLineage):
    def seen(self, told: Told) -> Told:
        return replace(super().seen(told), text=f"{time.perf_counter_ns()}")


@lineage_mutant("another_run_has_other_identities")
class KnowsTasksByTheirKeys(ListLineage):
    def identity(self, key: str) -> str:
        return key


@lineage_mutant("no_credential_is_told")
class TellsAddresses(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return replace(super().with_lineage(known, traced), error=str(traced.target["address"]))


@lineage_mutant("closing_twice_tells_nothing_twice")
class ClosingTellsTheLastAgain(ListLineage):
    def close(self) -> None:
        self.service.told.extend(self.service.told[-1:])


@lineage_mutant("columns_tell_what_they_are_made_of")
class ForgetsConstants(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        found = super().with_lineage(known, traced)
        columns = {name: spots for name, spots in (found.columns or {}).items() if spots}
        return replace(found, columns=columns if found.columns is not None else None)


@lineage_mutant("what_decides_about_rows_is_told")
class ForgetsRows(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return replace(super().with_lineage(known, traced), rows=frozenset())


@lineage_mutant("masked_columns_are_told_as_masked")
class HidesMasks(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return replace(super().with_lineage(known, traced), masked=frozenset())


@lineage_mutant("an_opaque_task_tells_its_datasets_and_no_columns")
class GuessesColumns(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        found = super().with_lineage(known, traced)
        return replace(found, columns=found.columns or {})


@lineage_mutant("an_opaque_task_tells_its_datasets_and_no_columns")
class DropsOpaqueTasks(ListLineage):
    def with_lineage(self, known: Told, traced: TaskTraced) -> Told:
        return super().with_lineage(known, traced) if traced.lineage else known


@lineage_mutant("what_is_recorded_is_told_before_the_end")
class TellsAtTheEnd(ListLineage):
    def record(self, events: Sequence[Event]) -> None:
        self.service.waiting.extend(self.seen(told) for event in events for told in self.told(event))


@lineage_mutant("a_service_that_is_away_fails_and_delays_no_run")
class FailsWithItsService(ListLineage):
    def deliver(self) -> None:
        if not self.service.is_up:
            raise ConnectionError("nobody answers")
        super().deliver()


@lineage_mutant("the_next_run_tells_what_waits_in_order")
class DropsWhatWaits(ListLineage):
    def close(self) -> None:
        super().close()
        self.service.waiting.clear()


@lineage_mutant("the_next_run_tells_what_waits_in_order")
class TellsTheNewestFirst(ListLineage):
    def record(self, events: Sequence[Event]) -> None:
        before = list(self.service.waiting)
        self.service.waiting.clear()
        super().record([event for event in events if isinstance(event, TaskStarted)])
        super().record([event for event in events if not isinstance(event, TaskStarted)])
        self.service.waiting.extend(before)
        self.deliver()
