"""The contract of `kindling.hooks.state` as an inheritable test class.

    class TestMine(StateContract):
        plugin = "kindling_plugin_mine"
        capability = "state:mine"

Not a test of crashes: a plugin kills processes in its own tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kindling.errors import LeaseHeldError
from kindling.hooks import Plain
from kindling.hooks.state import State, StateSpec
from kindling.records import RunRecord, TaskRecord
from kindling.testing.offers import Contract, needs, open_capability

OWNER: dict[str, Plain] = {"pid": 4711, "host": "contract-host", "run_id": "run-of-owner"}
OTHER: dict[str, Plain] = {"pid": 4712, "host": "other-host", "run_id": "run-of-other"}
OpenState = Callable[[], State]


def task(entity: str = "silver.größe", slice_text: str = "*", fingerprint: str = "f1") -> TaskRecord:
    """Return a record with every field set."""
    return TaskRecord(
        entity=entity,
        slice=slice_text,
        fingerprint=fingerprint,
        parts=(("code", "c1"), ("input:bronze.a", "v1")),
        version="7",
        cursors=(("bronze.a", "7:3"),),
        run_id="run-1",
        finished="2026-01-01T00:00:00Z",
        seconds=1.25,
        rows=42,
    )


def run_record(run_id: str = "run-1", started: str = "2026-01-01T00:00:00Z", app: str = "shop") -> RunRecord:
    """Return a running run."""
    return RunRecord(run_id, app, "dev", "running", '{"ä":1}', 4711, "contract-host", started)


class StateContract(Contract):
    """All tests of a state."""

    def make_state(self, folder: Path) -> State:
        """Return a state of the project in the folder; called twice, both see the same."""
        made = open_capability(
            self.plugin, self.capability, StateSpec(path=str(folder), settings=dict(self.settings))
        )
        assert isinstance(made, State), f"{made!r} is no State"
        return made

    @pytest.fixture
    def open_state(self, tmp_path: Path) -> Iterator[OpenState]:
        """Give a function that opens the same state again."""
        opened: list[State] = []

        def opens() -> State:
            opened.append(self.make_state(tmp_path))
            return opened[-1]

        yield opens
        for made in opened:
            made.close()

    @pytest.fixture
    def state(self, open_state: OpenState) -> State:
        """Give one state."""
        return open_state()

    def test_nothing_is_known_at_first(self, state: State) -> None:
        assert dict(state.tasks("shop", "dev")) == {}
        assert list(state.runs("", "", 10)) == []
        assert state.run("run-1") is None
        assert list(state.outcomes("run-1")) == []

    def test_a_task_record_comes_back_as_it_was(self, state: State) -> None:
        state.put_task("shop", "dev", task())
        assert dict(state.tasks("shop", "dev")) == {("silver.größe", "*"): task()}

    def test_a_record_without_rows_and_cursors_comes_back_as_it_was(self, state: State) -> None:
        bare = TaskRecord("gold.a", "*", "f", (), "")
        state.put_task("shop", "dev", bare)
        assert state.tasks("shop", "dev")["gold.a", "*"] == bare

    def test_the_newest_record_of_a_task_counts(self, state: State) -> None:
        for fingerprint in ("f1", "f2", "f3"):
            state.put_task("shop", "dev", task(fingerprint=fingerprint))
        assert [found.fingerprint for found in state.tasks("shop", "dev").values()] == ["f3"]

    def test_slices_have_records_of_their_own(self, state: State) -> None:
        for text in ("2013-01-01T00:00:00Z/2013-01-02T00:00:00Z", "key:a", "*"):
            state.put_task("shop", "dev", task(slice_text=text, fingerprint=text))
        assert {key[1]: found.fingerprint for key, found in state.tasks("shop", "dev").items()} == {
            text: text for text in ("2013-01-01T00:00:00Z/2013-01-02T00:00:00Z", "key:a", "*")
        }

    def test_apps_and_environments_are_kept_apart(self, state: State) -> None:
        state.put_task("shop", "dev", task(fingerprint="shop-dev"))
        state.put_task("shop", "prod", task(fingerprint="shop-prod"))
        state.put_task("crm", "dev", task(fingerprint="crm-dev"))
        found = {
            (app, env): [record.fingerprint for record in state.tasks(app, env).values()]
            for app, env in (("shop", "dev"), ("shop", "prod"), ("crm", "dev"), ("crm", "prod"))
        }
        assert found == {
            ("shop", "dev"): ["shop-dev"],
            ("shop", "prod"): ["shop-prod"],
            ("crm", "dev"): ["crm-dev"],
            ("crm", "prod"): [],
        }

    def test_forgetting_drops_all_slices_of_the_named_entities_only(self, state: State) -> None:
        state.put_task("shop", "dev", task("a"))
        state.put_task("shop", "dev", task("a", "key:1"))
        state.put_task("shop", "dev", task("b"))
        state.put_task("shop", "prod", task("a"))
        state.forget("shop", "dev", ["a", "unknown"])
        assert list(state.tasks("shop", "dev")) == [("b", "*")]
        assert list(state.tasks("shop", "prod")) == [("a", "*")]

    def test_another_state_of_the_project_sees_what_was_stored(self, open_state: OpenState) -> None:
        first = open_state()
        first.put_task("shop", "dev", task())
        first.start_run(run_record())
        first.close()
        second = open_state()
        assert second.tasks("shop", "dev")["silver.größe", "*"] == task()
        assert second.run("run-1") == run_record()

    @needs("history")
    def test_a_run_that_is_submitted_twice_is_stored_once(self, state: State) -> None:
        first = run_record(started="2026-01-01T00:00:00Z")
        assert state.start_run(first) == first
        assert state.start_run(run_record(started="2026-02-02T00:00:00Z")) == first
        assert list(state.runs("shop", "dev", 10)) == [first]

    @needs("history")
    def test_a_run_is_updated(self, state: State) -> None:
        state.start_run(run_record())
        ended = run_record().replace(
            status="done", ended="2026-01-01T00:01:00Z", exit_code=0, counts=(("done", 3), ("failed", 1))
        )
        state.update_run(ended)
        assert state.run("run-1") == ended

    @needs("history")
    def test_a_run_is_found_by_a_unique_prefix(self, state: State) -> None:
        state.start_run(run_record("abc-1"))
        state.start_run(run_record("abd-2"))
        found = state.run("abd")
        assert (found.run_id if found else None) == "abd-2"
        assert state.run("zzz") is None

    @needs("history")
    def test_runs_are_listed_newest_first(self, state: State) -> None:
        for number in (1, 2, 3):
            state.start_run(run_record(f"run-{number}", f"2026-01-0{number}T00:00:00Z"))
        state.start_run(run_record("run-crm", "2026-01-09T00:00:00Z", app="crm"))
        assert [found.run_id for found in state.runs("shop", "dev", 2)] == ["run-3", "run-2"]
        assert [found.run_id for found in state.runs("", "", 9)] == ["run-crm", "run-3", "run-2", "run-1"]
        assert list(state.runs("shop", "prod", 9)) == []

    @needs("history")
    def test_outcomes_come_back_in_the_order_in_which_they_ended(self, state: State) -> None:
        state.start_run(run_record())
        state.put_outcomes("run-1", [{"key": "b", "rows": 1}, {"key": "ä", "metrics": {"n": 2}}])
        state.put_outcomes("run-1", [{"key": "a", "rows": None}])
        state.put_outcomes("run-2", [{"key": "x"}])
        assert [dict(found) for found in state.outcomes("run-1")] == [
            {"key": "b", "rows": 1},
            {"key": "ä", "metrics": {"n": 2}},
            {"key": "a", "rows": None},
        ]

    @needs("history")
    def test_only_an_active_run_can_be_asked_to_cancel(self, open_state: OpenState) -> None:
        runner, person = open_state(), open_state()
        runner.start_run(run_record("run-1"))
        runner.start_run(run_record("run-2"))
        runner.update_run(run_record("run-2").replace(status="done"))
        assert runner.is_cancelled("run-1") is False
        assert [person.ask_to_cancel(run_id) for run_id in ("run-1", "run-2", "run-3")] == [
            True,
            False,
            False,
        ]
        assert [runner.is_cancelled(run_id) for run_id in ("run-1", "run-2", "run-3")] == [True, False, False]

    @needs("leases")
    def test_a_held_lease_is_refused_and_its_owner_named(self, open_state: OpenState) -> None:
        first, second = open_state(), open_state()
        lease = first.acquire("shop/dev", OWNER, 30)
        with pytest.raises(LeaseHeldError) as caught:
            second.acquire("shop/dev", OTHER, 30)
        assert caught.value.code == "KDL-INFRA-001"
        assert [
            word for word in ("4711", "contract-host", "run-of-owner") if word not in str(caught.value)
        ] == []
        assert first.is_valid("shop/dev", lease.token) is True

    @needs("leases")
    def test_keys_are_leased_independently(self, state: State) -> None:
        leases = [state.acquire(key, OWNER, 30) for key in ("shop/dev", "shop/prod", "crm/dev")]
        assert [lease.key for lease in leases] == ["shop/dev", "shop/prod", "crm/dev"]
        state.release(leases[0])
        assert [state.is_valid(lease.key, lease.token) for lease in leases] == [False, True, True]

    @needs("leases")
    def test_a_released_lease_can_be_taken_and_its_token_has_grown(self, open_state: OpenState) -> None:
        first, second = open_state(), open_state()
        tokens = []
        for holder in (first, second, first):
            lease = holder.acquire("shop/dev", OWNER, 30)
            tokens.append(lease.token)
            holder.release(lease)
        assert tokens == sorted(set(tokens))

    @needs("leases")
    def test_an_expired_lease_can_be_taken_and_its_token_is_worthless(self, state: State) -> None:
        old = state.acquire("shop/dev", OWNER, 0.05)
        time.sleep(0.1)
        assert state.is_valid("shop/dev", old.token) is False
        new = state.acquire("shop/dev", OTHER, 30)
        assert new.token > old.token
        assert [state.is_valid("shop/dev", lease.token) for lease in (old, new)] == [False, True]
        assert state.renew(old, 30) is False

    @needs("leases")
    def test_a_renewed_lease_lives_on(self, state: State) -> None:
        lease = state.acquire("shop/dev", OWNER, 0.2)
        assert state.renew(lease, 30) is True
        time.sleep(0.25)
        assert state.is_valid("shop/dev", lease.token) is True
        with pytest.raises(LeaseHeldError):
            state.acquire("shop/dev", OTHER, 30)

    @needs("leases")
    def test_a_released_lease_is_invalid_and_may_be_released_again(self, state: State) -> None:
        lease = state.acquire("shop/dev", OWNER, 30)
        state.release(lease)
        state.release(lease)
        assert state.is_valid("shop/dev", lease.token) is False
        assert state.renew(lease, 30) is False

    @needs("leases")
    def test_an_old_holder_does_not_release_the_lease_of_the_new_one(self, state: State) -> None:
        old = state.acquire("shop/dev", OWNER, 0.05)
        time.sleep(0.1)
        new = state.acquire("shop/dev", OTHER, 30)
        state.release(old)
        assert state.is_valid("shop/dev", new.token) is True

    @needs("leases")
    def test_one_of_many_threads_gets_a_lease(self, open_state: OpenState) -> None:
        states = [open_state() for _ in range(4)]

        def take(state: State) -> bool:
            try:
                state.acquire("shop/dev", OWNER, 30)
            except LeaseHeldError:
                return False
            return True

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(take, states)) == [False, False, False, True]

    def test_threads_store_records_side_by_side(self, state: State) -> None:
        def store(number: int) -> None:
            for place in range(10):
                state.put_task("shop", "dev", task(f"e{number}_{place}"))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(store, range(4)))
        assert len(state.tasks("shop", "dev")) == 40

    def test_closing_twice_is_harmless(self, state: State) -> None:
        state.put_task("shop", "dev", task())
        state.close()
        state.close()
