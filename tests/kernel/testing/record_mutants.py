"""States, vaults and sinks with one fault each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from fakes import OfListSink, OfMemorySecrets, OfMemoryState
from mutation import mutant

from kindling.errors import ConfigError
from kindling.events import Event, TaskStarted
from kindling.hooks import Plain
from kindling.hooks.secrets import Secret
from kindling.records import Lease, RunRecord, TaskRecord
from kindling.testing.list_sink import ListSink
from kindling.testing.memory_secrets import MemorySecrets
from kindling.testing.memory_state import Memory, MemoryState

if TYPE_CHECKING:
    from kindling.testing.offers import Contract


def state_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfMemoryState, "made", *kills)


def vault_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfMemorySecrets, "made", *kills)


def sink_mutant(*kills: str) -> Callable[[type], type[Contract]]:
    return mutant(OfListSink, "made", *kills)


@state_mutant("nothing_is_known_at_first")
class KnowsARun(MemoryState):
    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        return super().runs(app, environment, limit) or [RunRecord("r", "a", "e", "done", "", 1, "h", "s")]


@state_mutant("a_task_record_comes_back_as_it_was")
class LosesCursors(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        super().put_task(app, environment, record.replace(cursors=()))


@state_mutant("a_record_without_rows_and_cursors_comes_back_as_it_was")
class RowsBecomeZero(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        super().put_task(app, environment, record.replace(rows=record.rows or 0))


@state_mutant("the_newest_record_of_a_task_counts")
class KeepsTheFirstRecord(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        if (record.entity, record.slice) not in self.tasks(app, environment):
            super().put_task(app, environment, record)


@state_mutant("slices_have_records_of_their_own")
class IgnoresSlices(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        super().put_task(app, environment, record.replace(slice="*"))


@state_mutant("apps_and_environments_are_kept_apart")
class MixesEnvironments(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        super().put_task(app, "dev", record)

    def tasks(self, app: str, environment: str) -> Mapping[tuple[str, str], TaskRecord]:
        return super().tasks(app, "dev")


@state_mutant("forgetting_drops_all_slices_of_the_named_entities_only")
class ForgetsWholeEntitiesOnly(MemoryState):
    def forget(self, app: str, environment: str, entities: Sequence[str]) -> None:
        for entity in entities:
            self.memory.tasks.pop((app, environment, entity, "*"), None)


@state_mutant("another_state_of_the_project_sees_what_was_stored")
class RemembersAlone(MemoryState):
    def __init__(self, memory: Memory) -> None:
        super().__init__(Memory())


@state_mutant("a_run_that_is_submitted_twice_is_stored_once")
class StoresRunsTwice(MemoryState):
    def start_run(self, record: RunRecord) -> RunRecord:
        self.update_run(record)
        return record


@state_mutant("a_run_is_updated")
class NeverUpdates(MemoryState):
    def update_run(self, record: RunRecord) -> None:
        super().start_run(record)


@state_mutant("a_run_is_found_by_a_unique_prefix")
class WantsWholeIds(MemoryState):
    def run(self, run_id: str) -> RunRecord | None:
        return self.memory.runs.get(run_id)


@state_mutant("runs_are_listed_newest_first")
class ListsOldestFirst(MemoryState):
    def runs(self, app: str, environment: str, limit: int) -> Sequence[RunRecord]:
        return super().runs(app, environment, 99)[::-1][:limit]


@state_mutant("outcomes_come_back_in_the_order_in_which_they_ended")
class SortsOutcomes(MemoryState):
    def outcomes(self, run_id: str) -> Sequence[Mapping[str, Plain]]:
        return sorted(super().outcomes(run_id), key=lambda outcome: str(outcome["key"]))


@state_mutant("only_an_active_run_can_be_asked_to_cancel")
class CancelsAnything(MemoryState):
    def ask_to_cancel(self, run_id: str) -> bool:
        self.memory.cancelled.add(run_id)
        return True


@state_mutant("a_held_lease_is_refused_and_its_owner_named", "one_of_many_threads_gets_a_lease")
class LeasesToAnybody(MemoryState):
    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        self.memory.leases.pop(key, None)
        return super().acquire(key, owner, ttl_s)


@state_mutant("keys_are_leased_independently")
class HasOneLease(MemoryState):
    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        return super().acquire("*", owner, ttl_s)


@state_mutant("a_released_lease_can_be_taken_and_its_token_has_grown")
class TokensDoNotGrow(MemoryState):
    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        self.memory.tokens.pop(key, None)
        return super().acquire(key, owner, ttl_s)


@state_mutant("an_expired_lease_can_be_taken_and_its_token_is_worthless")
class LeasesNeverExpire(MemoryState):
    def acquire(self, key: str, owner: Mapping[str, Plain], ttl_s: float) -> Lease:
        return super().acquire(key, owner, ttl_s + 60)


@state_mutant("a_renewed_lease_lives_on")
class RenewsNothing(MemoryState):
    def renew(self, lease: Lease, ttl_s: float) -> bool:
        return self.is_valid(lease.key, lease.token)


@state_mutant("a_released_lease_is_invalid_and_may_be_released_again")
class KeepsReleasedLeases(MemoryState):
    def release(self, lease: Lease) -> None:
        pass


@state_mutant("an_old_holder_does_not_release_the_lease_of_the_new_one")
class ReleasesByKey(MemoryState):
    def release(self, lease: Lease) -> None:
        self.memory.leases.pop(lease.key, None)


@state_mutant("threads_store_records_side_by_side")
class StoresByCopying(MemoryState):
    def put_task(self, app: str, environment: str, record: TaskRecord) -> None:
        tasks = dict(self.memory.tasks)
        time.sleep(0.002)
        tasks[app, environment, record.entity, record.slice] = record
        self.memory.tasks = tasks


@state_mutant("closing_twice_is_harmless")
class StateClosesOnce(MemoryState):
    def close(self) -> None:
        if vars(self).setdefault("closed", 0):
            raise RuntimeError("it is closed")
        vars(self)["closed"] = 1


@vault_mutant("a_secret_has_its_value")
class StripsValues(MemorySecrets):
    def get(self, path: str, field: str) -> Secret:
        return Secret(super().get(path, field).reveal()[1:])


@vault_mutant("fields_of_one_path_have_their_own_values")
class IgnoresFields(MemorySecrets):
    def _value(self, path: str, field: str) -> str:
        return next(value for (known, _), value in self._values.items() if known == path)


class ShownSecret(Secret):
    def __repr__(self) -> str:
        return f"Secret({self.reveal()!r})"


@vault_mutant("a_secret_shows_itself_to_nobody")
class GivesShownSecrets(MemorySecrets):
    def get(self, path: str, field: str) -> Secret:
        return ShownSecret(super().get(path, field).reveal())


@vault_mutant("a_vault_does_not_show_what_it_holds")
class ShowsItsValues(MemorySecrets):
    def __repr__(self) -> str:
        return f"MemorySecrets({dict(self._values)})"


@vault_mutant("nothing_is_printed_or_logged")
class LogsSecrets(MemorySecrets):
    def get(self, path: str, field: str) -> Secret:
        logging.getLogger("vault").debug("read %s = %s", path, self._value(path, field))
        return super().get(path, field)


@vault_mutant("a_missing_secret_is_refused_by_its_name_without_any_value")
class TellsTheOthers(MemorySecrets):
    def get(self, path: str, field: str) -> Secret:
        try:
            return super().get(path, field)
        except ConfigError as error:
            error.why = f"there are {dict(self._values)}"
            raise


@vault_mutant("the_version_of_a_missing_secret_is_refused")
class VersionsWhatIsMissing(MemorySecrets):
    def version(self, path: str, field: str) -> str:
        return super().version(path, field) if (path, field) in self._values else ""


@vault_mutant("a_version_changes_with_its_value_only")
class VersionsStandStill(MemorySecrets):
    def version(self, path: str, field: str) -> str:
        self._value(path, field)
        return "1"


@vault_mutant("a_version_tells_nothing_about_its_value")
class VersionIsAPlainDigest(MemorySecrets):
    def version(self, path: str, field: str) -> str:
        import hashlib

        return hashlib.sha256(self._value(path, field).encode()).hexdigest()


@vault_mutant("paths_below_a_prefix_are_listed_in_order")
class ListsEverything(MemorySecrets):
    def paths(self, prefix: str) -> Sequence[str]:
        return super().paths("")


@sink_mutant("it_says_whether_it_is_essential")
class IsPerhapsEssential(ListSink):
    def __init__(self, heard: list[Event]) -> None:
        super().__init__(heard)
        self.essential = None  # type: ignore[assignment]  # the fault


@sink_mutant("events_are_kept_whole")
class DropsEvents(ListSink):
    def record(self, events: Sequence[Event]) -> None:
        super().record([event for event in events if not isinstance(event, TaskStarted)])


@sink_mutant("events_of_several_calls_stay_in_order")
class NewestFirst(ListSink):
    def record(self, events: Sequence[Event]) -> None:
        self.heard[:0] = events


@sink_mutant("recording_changes_no_event")
class TakesEventsAway(ListSink):
    def record(self, events: Sequence[Event]) -> None:
        super().record(events)
        events.clear()  # type: ignore[attr-defined]  # the fault


@sink_mutant("events_are_safe_once_recorded")
class Buffers(ListSink):
    def record(self, events: Sequence[Event]) -> None:
        vars(self).setdefault("buffer", []).extend(events)

    def close(self) -> None:
        self.heard.extend(vars(self).pop("buffer", []))


@sink_mutant("closing_twice_keeps_what_was_heard")
class ClosingForgets(ListSink):
    def close(self) -> None:
        self.heard.clear()
