from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import ConfigError, DeclarationError, PlanError
from kindling.plan.planner import Planner, Wish
from kindling.records import TaskRecord

Frame = pl.LazyFrame
NUMBERS = "n bigint"


def same(*frames: Frame) -> Frame:
    return frames[0]


@pytest.fixture
def shop(bench: Bench) -> Bench:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage("scratch"))
    silver = app.pipe(raw, name="silver.a", tags=["core"])(same)
    app.pipe(silver, name="gold.a")(same)
    app.pipe(silver, name="gold.b")(same)
    bench.use(app).put("raw.a", NUMBERS, (1,))
    return bench


def running(bench: Bench, **wish: object) -> list[str]:
    return [str(task.key) for task in bench.plan(**wish).with_action("run")]


def test_everything_is_selected_by_default(shop: Bench) -> None:
    assert running(shop) == ["silver.a", "gold.a", "gold.b"]


def test_selections_and_exclusions_are_obeyed(shop: Bench) -> None:
    assert running(shop, select=("+gold.a",)) == ["silver.a", "gold.a"]
    assert running(shop, select=("tag:core",)) == ["silver.a"]
    assert running(shop, exclude=("gold.*",)) == ["silver.a"]
    assert running(shop, select=("silver.a+",), exclude=("gold.b",)) == ["silver.a", "gold.a"]


def test_a_selection_that_matches_nothing_is_refused(shop: Bench) -> None:
    with pytest.raises(PlanError) as caught:
        shop.plan(select=("platinum",))
    assert caught.value.code == "KDL-PLAN-050"


def test_a_planner_looks_anew_each_time_and_remembers_code(shop: Bench) -> None:
    planner = shop.planner()
    assert planner.plan(Wish()).changes is True
    shop.run()
    assert planner.plan(Wish()).changes is False
    shop.put("raw.a", NUMBERS, (2,))
    assert planner.plan(Wish()).changes is True


def test_own_parts_are_what_a_pipe_is_made_from_without_its_inputs(shop: Bench) -> None:
    planner = shop.planner()
    planner.plan(Wish())
    assert set(planner.own_parts("silver.a")) == {"code", "options", "order", "python", "rights"}
    planner.own_parts("silver.a").clear()
    assert planner.own_parts("silver.a") != {}


def test_the_sql_of_a_memory_entity_behind_what_would_run_is_checked_too(shop: Bench) -> None:
    app = shop.project.app
    text = "SELECT * FROM {a} JOIN elsewhere"
    inputs = {"a": app.entities()["silver.a"]}
    hidden = app.sql("m.c", text, inputs=inputs, storage=k.memory())
    app.pipe(hidden, name="gold.c")(same)
    with pytest.raises(DeclarationError) as caught:
        shop.plan()
    assert caught.value.what == "the SQL of 'm.c' reads 'elsewhere', which is not an input"


def test_a_text_that_ran_as_it_is_is_not_checked_again(shop: Bench) -> None:
    app = shop.project.app
    app.sql("gold.c", "SELECT * FROM {a} JOIN elsewhere", inputs={"a": app.entities()["silver.a"]})
    planner = shop.planner()
    with pytest.raises(DeclarationError):
        planner.plan(Wish())
    parts = tuple(sorted(planner.own_parts("gold.c").items()))
    shop.state.put_task("shop", "dev", TaskRecord("gold.c", "*", "f", parts, "0"))
    assert "gold.c" in running(shop)  # its input moved on, its text is as it was


def test_the_sql_of_what_would_run_is_checked(shop: Bench) -> None:
    app = shop.project.app
    app.sql("gold.c", "SELECT * FROM {a} JOIN elsewhere", inputs={"a": app.entities()["silver.a"]})
    shop.use(app)
    with pytest.raises(DeclarationError) as caught:
        shop.plan()
    assert caught.value.code == "KDL-DECL-044"
    assert running(shop, exclude=("gold.c",)) == ["silver.a", "gold.a", "gold.b"]


def test_a_setting_that_a_pipe_asked_for_is_a_part_of_it(bench: Bench) -> None:
    app = k.App("shop")

    @app.pipe(name="made", context=True)
    def made(context: k.Context) -> Frame:
        return context.frame([(context.setting("limit"),)], "n bigint")

    bench.use(app, settings__limit=3)
    bench.run()
    assert bench.rows("made") == [(3,)]
    assert bench.plan().changes is False
    bench.use(app, settings__other=1)
    assert bench.plan().changes is False
    bench.use(app, settings__limit=4)
    assert bench.reasons("made") == [
        ("settings", "the setting 'settings.limit', which the pipe reads, changed")
    ]
    bench.run()
    assert bench.rows("made") == [(4,)]
    assert bench.plan().changes is False


def test_a_setting_that_a_pipe_asks_for_no_more_is_no_part_of_it(bench: Bench) -> None:
    def app(*, asks: bool) -> k.App:
        declared = k.App("shop")

        def asking(context: k.Context) -> Frame:
            return context.frame([(context.setting("limit"),)], "n bigint")

        def silent(context: k.Context) -> Frame:
            return context.frame([(0,)], "n bigint")

        declared.pipe(name="made", context=True)(asking if asks else silent)
        return declared

    bench.use(app(asks=True), settings__limit=3)
    bench.run()
    bench.use(app(asks=False))
    bench.run()
    bench.use(app(asks=False), settings__limit=4)
    assert bench.plan().changes is False


def test_a_setting_of_a_shared_memory_entity_is_a_part_of_its_readers(bench: Bench) -> None:
    app = k.App("shop")

    @app.pipe(name="limits", context=True, storage=k.memory())
    def limits(context: k.Context) -> Frame:
        return context.frame([(context.setting("limit"),)], "n bigint")

    app.pipe(limits, name="left")(same)
    app.pipe(limits, name="right")(same)
    bench.use(app, settings__limit=3)
    assert bench.ran() == {"limits": "done", "left": "done", "right": "done"}
    bench.use(app, settings__limit=4)
    assert bench.reasons("left") == [
        ("settings", "the setting 'settings.limit', which the pipe reads, changed")
    ]
    bench.run()
    assert bench.rows("right") == [(4,)]


@pytest.fixture
def vault(bench: Bench) -> Path:
    file = bench.path / "vault.json"
    file.write_text(json.dumps({"db/password": "hunter2-hunter2"}))
    bench.given["secrets", "vault", "file"] = str(file)
    return file


def secretive() -> k.App:
    app = k.App("shop")

    @app.pipe(name="made", context=True)
    def made(context: k.Context) -> Frame:
        return context.frame([(len(context.secret("secret://vault/db/password").reveal()),)], "n bigint")

    return app


def test_a_secret_is_a_part_by_its_version_and_no_value_is_kept(bench: Bench, vault: Path) -> None:
    bench.use(secretive())
    bench.run()
    assert bench.rows("made") == [(15,)]
    assert bench.plan().changes is False
    vault.write_text(json.dumps({"db/password": "other"}))
    assert bench.reasons("made") == [
        ("settings", "the secret 'secret://vault/db/password', which the pipe reads, changed")
    ]


def test_a_vault_that_cannot_tell_makes_the_task_say_why(bench: Bench, vault: Path) -> None:
    bench.use(secretive())
    bench.run()
    vault.write_text("{}")
    assert bench.decided("made").action == "run"
    outcome = bench.run().outcomes["made"]
    assert (outcome.status, outcome.error["code"]) == ("failed", "KDL-CONF-020")


def test_the_version_of_a_secret_may_come_from_somewhere_else(bench: Bench) -> None:
    bench.use(secretive())

    def refuse(reference: str) -> str:
        raise ConfigError("KDL-CONF-020", reference)

    planner = Planner(bench.project, dict, refuse)
    assert planner.secret_version("secret://vault/x") == ""
    assert Planner(bench.project, dict, str.upper).secret_version("secret://a/b") == "SECRET://A/B"


def test_two_apps_in_one_process_do_not_meet(shop: Bench, tmp_path: Path) -> None:
    other = k.App("office")
    other.pipe(other.source("raw.b", k.storage("scratch")), name="silver.b")(same)
    bench = Bench(tmp_path, shop.state).use(other, locations__lake__uri="lake/{environment}")
    bench.put("raw.b", NUMBERS, (5,))
    assert bench.ran() == {"silver.b": "done"}
    assert set(shop.ran()) == {"silver.a", "gold.a", "gold.b"}
    assert bench.plan().changes is shop.plan().changes is False
    assert {key for key, _ in shop.state.tasks("office", "dev")} == {"silver.b"}


def test_planning_is_light_to_import() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import kindling.plan.planner, kindling.plan.project\n"
        "heavy = {'pluggy', 'msgspec', 'dataclasses', 'typing', 'tomllib', 'pathlib', 'logging', 'inspect', "
        "'importlib.metadata', 'polars', 'pyarrow'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
