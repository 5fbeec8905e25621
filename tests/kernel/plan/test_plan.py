from __future__ import annotations

import io
import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from workbench import Bench

import kindling as k
from kindling.addresses import Slice, TaskKey
from kindling.plan.plan import DEFERRED, RUN, SKIPPED, UNCHANGED, Plan, PlannedInput, PlannedTask, Reason

UNSEEN = io.StringIO("9")
"""What the digest of a pipe's code cannot see through."""
ACTIONS = (RUN, UNCHANGED, SKIPPED, DEFERRED)


def task(name: str, action: str) -> PlannedTask:
    return PlannedTask(TaskKey(name), action, (Reason("new", "it is new"),))


@given(st.lists(st.sampled_from(ACTIONS), max_size=8))
def test_a_plan_changes_something_if_a_task_runs_or_is_decided_later(actions: list[str]) -> None:
    plan = Plan("shop", "dev", tuple(task(f"e{n}", action) for n, action in enumerate(actions)))
    assert plan.changes == bool({RUN, DEFERRED} & set(actions))
    counts = plan.to_plain()["counts"]
    assert counts == {action: actions.count(action) for action in actions}
    for action in ACTIONS:
        assert [one.action for one in plan.with_action(action)] == [action] * actions.count(action)


def test_a_task_tells_all_that_people_ask_for() -> None:
    whole = task("gold.a", RUN).replace(
        key=TaskKey("gold.a", Slice("interval", "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z")),
        needs=("silver.a",),
        inputs=(PlannedInput("silver.a", "changes", "7"),),
        intent=k.merge(on=["id"]),
        address=k.Address("delta", "lake", ("gold", "a"), "/lake/gold/a"),
        cursor_mode="commit",
        priority=1.23456789,
    )
    assert whole.to_plain() == {
        "key": "gold.a[2024-01-01T00:00:00Z/2024-01-02T00:00:00Z]",
        "entity": "gold.a",
        "slice": "2024-01-01T00:00:00Z/2024-01-02T00:00:00Z",
        "action": "run",
        "reasons": [{"code": "new", "text": "it is new"}],
        "needs": ["silver.a"],
        "platform": "",
        "storage": "",
        "mode": "",
        "intent": {"name": "merge", "on": ["id"], "track": [], "by": []},
        "address": {
            "storage": "delta",
            "location": "lake",
            "parts": ["gold", "a"],
            "uri": "/lake/gold/a",
            "options": [],
            "credential": "",
        },
        "inputs": [{"name": "silver.a", "how": "changes", "incremental": True}],
        "cursor": "commit",
        "priority": 1.234568,
    }


def test_a_real_plan_is_json(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage("scratch"))

    @app.pipe(raw, name="silver.a")
    def silver(df: pl.LazyFrame) -> pl.LazyFrame:
        return df.limit(int(UNSEEN.getvalue()))

    bench.use(app).put("raw.a", "n bigint", (1,))
    plain = json.loads(json.dumps(bench.plan().to_plain()))
    assert (plain["schema"], plain["app"], plain["environment"]) == ("kindling.plan/1", "shop", "dev")
    assert (plain["changes"], plain["counts"], plain["warnings"]) == (True, {"run": 1}, [])
    (opaque,) = plain["opaque"]
    assert opaque["entity"] == "silver.a"
    assert "UNSEEN" in opaque["what"]
