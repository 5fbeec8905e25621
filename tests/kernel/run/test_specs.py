from __future__ import annotations

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import ConfigError
from kindling.hooks.executor import Outcome
from kindling.plan.parts import DIGEST_LENGTH, digest
from kindling.plan.planner import Planner, Wish
from kindling.records import Lease
from kindling.run.specs import SpecMaker

NUMBERS = "n bigint"


def same(*frames: pl.LazyFrame) -> pl.LazyFrame:
    return frames[0]


def shop() -> k.App:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))
    middle = app.pipe(raw, name="middle", storage=k.memory())(same)
    app.pipe(middle, raw, name="left", timeout_s=7.5, retries=3)(same)
    app.pipe(middle, name="right")(same)
    return app


class Made:
    """A maker over a plan of the bench, with outcomes that a test adds."""

    def __init__(self, bench: Bench, **wish: object) -> None:
        self.planner: Planner = bench.planner()
        self.outcomes: dict[str, Outcome] = {}
        plan = self.planner.plan(Wish(**wish))
        self.maker = SpecMaker(
            bench.project,
            self.planner,
            plan,
            bench.request(run_id="r1"),
            Lease("shop/dev", 5, 0.0),
            self.outcomes,
        )

    def end(self, key: str, **told: object) -> object:
        self.outcomes[key] = Outcome(key, "done", **told)
        return self.maker.record(key, self.outcomes[key])


@pytest.fixture
def bench_shop(bench: Bench) -> Bench:
    bench.use(shop()).put("raw", NUMBERS, (1,))
    return bench


def test_a_spec_has_all_that_a_task_needs(bench_shop: Bench) -> None:
    made = Made(bench_shop)
    spec = made.maker.make("middle", 2)
    assert (spec.run_id, spec.environment, spec.entity, spec.slice, spec.attempt) == (
        "r1",
        "dev",
        "middle",
        "*",
        2,
    )
    assert (spec.platform, spec.address, spec.lease) == ("scratch", {}, {"key": "shop/dev", "token": 5})
    assert (spec.principal, spec.project) == ("shop", str(bench_shop.path))
    made.end("middle", shared={"engine": "e", "name": "n"})
    left = made.maker.make("left", 1)
    assert left.address == bench_shop.address("left").to_plain()
    assert [(item.entity, item.how, item.version, item.shared) for item in left.inputs] == [
        ("middle", "shared", "", {"engine": "e", "name": "n"}),
        ("raw", "read", "0", {}),
    ]


def test_limits_come_from_the_entity_the_pipe_and_the_run(bench_shop: Bench) -> None:
    made = Made(bench_shop)
    made.outcomes["middle"] = Outcome("middle", "done")
    assert made.maker.make("left", 1).timeout_s == 7.5
    assert made.maker.make("right", 1).timeout_s is None
    assert (made.maker.retries("left"), made.maker.retries("right")) == (3, 2)
    bench_shop.set("run", "timeout_s", value=60.0)
    bench_shop.set("entities", "left", "timeout_s", value=1.5)
    bench_shop.set("entities", "left", "retries", value=0)
    made = Made(bench_shop)
    made.outcomes["middle"] = Outcome("middle", "done")
    assert made.maker.make("left", 1).timeout_s == 1.5
    assert made.maker.make("right", 1).timeout_s == 60.0
    assert made.maker.retries("left") == 0


def test_inputs_are_read_at_the_version_that_this_run_made(bench: Bench) -> None:
    app = k.App("shop")
    first = app.pipe(app.source("raw", k.storage("scratch")), name="first")(same)
    app.pipe(first, name="second")(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    made = Made(bench)
    made.maker.make("first", 1)
    made.end("first", version="42")
    second = made.maker.make("second", 1)
    assert second.inputs[0].version == "42"
    record = made.end("second", version="1", rows=9, seconds=1.23456789, cursors={"first": "42"})
    assert record.parts == tuple(sorted(dict(record.parts).items()))
    assert dict(record.parts)["input:first"] == "42"
    assert (record.fingerprint, record.version, record.rows) == (digest(dict(record.parts)), "1", 9)
    assert (record.seconds, record.cursors, record.run_id) == (1.234568, (("first", "42"),), "r1")


def test_a_version_is_not_pinned_where_a_storage_cannot_travel(bench: Bench) -> None:
    app = k.App("shop")
    app.pipe(app.source("raw", k.storage("lean")), name="out")(same)
    bench.use(app).put("raw", NUMBERS, (1,))
    assert Made(bench).maker.make("out", 1).inputs[0].version == ""


def test_memory_entities_leave_no_record(bench_shop: Bench) -> None:
    made = Made(bench_shop)
    made.maker.make("middle", 1)
    assert made.end("middle", shared={"engine": "e", "name": "n"}) is None


def test_a_forced_task_has_a_fingerprint_of_its_run_that_begins_like_the_plain_one(bench_shop: Bench) -> None:
    bench_shop.run()
    plain = bench_shop.state.tasks("shop", "dev")["left", "*"].fingerprint
    made = Made(bench_shop, full_refresh=True, select=("left",))
    spec = made.maker.make("left", 1)
    assert spec.full_refresh is True
    assert len(spec.fingerprint) > DIGEST_LENGTH
    assert spec.fingerprint.startswith(plain)
    assert made.maker.make("left", 2).fingerprint == spec.fingerprint


def test_a_secret_without_a_vault_leaves_an_empty_version(bench_shop: Bench) -> None:
    made = Made(bench_shop)

    def refuse(reference: str) -> str:
        raise ConfigError("KDL-CONF-020", reference)

    made.planner = Planner(bench_shop.project, dict, refuse)
    made.planner.plan(Wish())
    maker = SpecMaker(
        bench_shop.project,
        made.planner,
        made.planner.plan(Wish()),
        bench_shop.request(),
        Lease("x", 1, 0),
        {},
    )
    maker._outcomes = {"middle": Outcome("middle", "done", settings_read=("run.retries",))}
    maker.make("right", 1)
    record = maker.record("right", Outcome("right", "done", secrets_read=("secret://vault/x",)))
    assert record is not None
    parts = dict(record.parts)
    assert parts["secret:secret://vault/x"] == ""
    assert parts["settings:run.retries"] == bench_shop.project.settings.digest(["run.retries"])


def test_the_version_of_a_secret_that_was_used_is_recorded(bench_shop: Bench) -> None:
    made = Made(bench_shop)
    made.planner._secret_version = lambda _reference: "newer"
    made.maker._outcomes = {"middle": Outcome("middle", "done")}
    made.maker.make("right", 1)
    told = Outcome("right", "done", secrets_read=("secret://v/x",), secret_versions={"secret://v/x": "used"})
    record = made.maker.record("right", told)
    assert record is not None
    assert dict(record.parts)["secret:secret://v/x"] == "used"
