from __future__ import annotations

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import Faults, KindlingError, PlanError
from kindling.plan.binding import Binding, bind, find_entity

Frame = pl.LazyFrame


def same(*frames: Frame) -> Frame:
    return frames[0]


def bound(bench: Bench, app: k.App, **given: object) -> Binding:
    bench.use(app, **given)
    return bind(app, bench.project.settings, bench.project.catalog)


def refused(bench: Bench, app: k.App, **given: object) -> tuple[KindlingError, ...]:
    with pytest.raises(KindlingError) as caught:
        bound(bench, app, **given)
    return caught.value.faults if isinstance(caught.value, Faults) else (caught.value,)


def shop() -> tuple[k.App, k.Entity]:
    app = k.App("shop")
    return app, app.source("raw.a", k.storage("scratch"))


def test_each_entity_gets_its_place_storage_platform_and_mode(bench: Bench) -> None:
    app, raw = shop()
    app.pipe(raw, name="silver.a", platform="other", tags=["core"])(same)
    app.pipe(raw, name="silver.m", storage=k.memory())(same)
    binding = bound(bench, app)
    silver, memory, source = (binding.entities[name] for name in ("silver.a", "silver.m", "raw.a"))
    assert (silver.storage, silver.platform, silver.mode, silver.probe) == (
        "scratch",
        "other",
        "emulated",
        "local",
    )
    assert silver.address is not None
    assert silver.address.uri == f"{bench.path}/lake/dev/silver/a"
    assert (memory.storage, memory.address, memory.mode) == ("memory", None, "inline")
    assert (source.pipe, source.mode, source.inputs) == (None, "", ())
    assert binding.tags["silver.a"] == ("core",)
    assert binding.readers("raw.a") == ("silver.a", "silver.m")


def test_own_settings_of_an_entity_are_found(bench: Bench) -> None:
    app, raw = shop()
    app.pipe(raw, name="silver.a")(same)
    bench.given["entities", "silver.a", "timeout_s"] = 5.0
    silver = bound(bench, app).entities["silver.a"]
    assert (silver.override("timeout_s"), silver.override("retries")) == (5.0, None)


def test_an_incremental_pipe_says_where_its_cursor_is_kept(bench: Bench) -> None:
    app, raw = shop()
    app.pipe(raw, name="silver.a", write=k.append(), incremental=k.changes())(same)
    app.pipe(raw, name="silver.b", storage=k.storage("lean"), incremental=k.changes())(same)
    entities = bound(bench, app).entities
    assert entities["silver.a"].cursor_mode == "commit"
    assert entities["silver.b"].cursor_mode == "mirrored"


def test_an_intent_that_the_storage_lacks_is_refused(bench: Bench) -> None:
    app, raw = shop()
    made = app.pipe(raw, name="silver.a", storage=k.storage("lean"), write=k.merge(on=["n"]))(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-010: merge into 'silver.a', whose storage 'lean' has none\n"
        "  why: installed storages that have it: scratch\n"
        f"  where: {made.place}\n"
        "  do: choose another storage or another intent"
    )


def test_reading_changes_of_a_storage_that_tells_none_is_refused(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage("lean"))
    made = app.pipe(raw, name="silver.a", write=k.append(), incremental=k.changes())(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-010: changes() of 'raw.a', whose storage 'lean' has none\n"
        "  why: installed storages that have it: scratch\n"
        f"  where: {made.place}\n"
        "  do: choose another storage or another intent"
    )


def test_a_quarantine_in_a_storage_that_cannot_append_is_refused(bench: Bench) -> None:
    app, raw = shop()
    options = {"expect": {"some": "n > 0"}, "on_fail": "quarantine"}
    app.pipe(raw, name="silver.a", storage=k.storage("lean"), **options)(same)
    (fault,) = refused(bench, app)
    assert fault.what == "quarantine into 'silver.a', whose storage 'lean' has none"


def test_a_quarantine_of_a_memory_entity_is_refused(bench: Bench) -> None:
    app, raw = shop()
    rules = {"some": k.rule("n > 0", on_fail="quarantine")}
    made = app.pipe(raw, name="silver.a", storage=k.memory(), expect=rules)(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-016: 'silver.a' is a memory entity with on_fail='quarantine'\n"
        "  why: a memory entity is kept nowhere, and so would be its quarantine\n"
        f"  where: {made.place}\n"
        "  do: give it a storage, or choose 'drop', 'warn' or 'fail'"
    )


def test_a_pipe_that_uses_pyspark_itself_is_refused_on_another_platform(bench: Bench) -> None:
    app, raw = shop()

    @app.pipe(raw, name="silver.a")
    def silver(df: object) -> object:
        from pyspark.sql.types import LongType

        return LongType(), df

    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-017: the pipe 'silver.a' uses PySpark itself, which the platform 'scratch' is not\n"
        "  why: its code names 'pyspark.sql.types'\n"
        f"  where: {silver.place}\n"
        "  do: use k.F, k.Window and k.types, or choose a platform of Spark's family"
    )


def test_a_storage_that_the_platform_cannot_serve_is_refused(bench: Bench) -> None:
    app, raw = shop()
    made = app.pipe(raw, name="silver.a", storage=k.storage("native"))(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-011: overwrite of 'silver.a' (native) does not work on the platform 'scratch'\n"
        "  why: the storage needs a session with delta-native or paths+tags; "
        "the platform has arrow-in, arrow-out, keys, lineage, share\n"
        f"  where: {made.place}\n"
        "  do: choose another platform or storage"
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [({"write": k.append()}, "append"), ({"incremental": k.changes()}, "overwrite")],
)
def test_a_memory_entity_has_no_history(bench: Bench, options: dict[str, object], word: str) -> None:
    app, raw = shop()
    made = app.pipe(raw, name="silver.a", storage=k.memory(), **options)(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        f"KDL-PLAN-012: 'silver.a' is a memory entity with {word!r}\n"
        "  why: a memory entity is computed anew each time: it has no history\n"
        f"  where: {made.place}\n"
        "  do: give it a storage"
    )


@pytest.mark.parametrize("incremental", [k.changes(), k.by_time("at", every="1d")])
def test_an_incremental_pipe_needs_a_table_first(bench: Bench, incremental: k.Incremental) -> None:
    app, raw = shop()
    memory = app.pipe(raw, name="silver.m", storage=k.memory())(same)
    made = app.pipe(memory, name="silver.a", incremental=incremental)(same)

    @app.pipe(name="silver.b", incremental=incremental, context=True)
    def nothing(context: k.Context) -> Frame:
        return context.frame([], "n bigint")

    faults = refused(bench, app)
    assert str(faults[0]) == (
        "KDL-PLAN-013: 'silver.a' is incremental, but its first input is no table\n"
        "  why: changes() and by_time() read the first input\n"
        f"  where: {made.place}"
    )
    assert [fault.what.partition(" ")[0] for fault in faults] == ["'silver.a'", "'silver.b'"]


def test_two_entities_at_one_place_are_refused(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("raw.a", k.storage("scratch", path="data/x"))
    made = app.pipe(raw, name="silver.a", storage=k.storage("scratch", path="data/x"))(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-014: 'raw.a' and 'silver.a' live at one place\n"
        f"  why: both resolve to {bench.path}/data/x\n"
        f"  where: {made.place}\n"
        "  do: change [naming] template, or give one of them its own path"
    )


def test_two_sources_may_be_one_place(bench: Bench) -> None:
    app = k.App("shop")
    for name in ("raw.a", "raw.b"):
        app.source(name, k.storage("scratch", path="data/x"))
    assert set(bound(bench, app).entities) == {"raw.a", "raw.b"}


def composed() -> k.App:
    """Return an app whose included app refers back to it: the one way to a cycle."""
    inner = k.App("crm")
    back = inner.ref("shop", "silver")
    loop = inner.pipe(back, name="loop")(same)
    app = k.App("shop")
    app.include(inner)
    app.pipe(loop, name="silver")(same)
    return app


def test_a_cycle_through_a_reference_to_the_app_itself_is_refused(bench: Bench) -> None:
    app = composed()
    (fault,) = refused(bench, app)
    assert str(fault) == (
        "KDL-PLAN-015: the pipes form a cycle: loop -> silver -> loop\n"
        f"  where: {app.entities()['loop'].place}\n"
        "  do: remove one of these inputs"
    )


def test_a_cycle_of_which_a_part_cannot_be_bound_is_told_with_the_rest(bench: Bench) -> None:
    app = composed()
    for entity in app.entities().values():
        entity.storage = k.storage("atlantis")
    assert [fault.code for fault in refused(bench, app)] == ["KDL-PLUG-002", "KDL-PLAN-015"]


def test_a_reference_to_the_app_itself_is_its_own_entity(bench: Bench) -> None:
    inner = k.App("crm")
    inner.pipe(inner.ref("shop", "silver"), name="customers")(same)
    app, raw = shop()
    app.include(inner)
    app.pipe(raw, name="silver")(same)
    binding = bound(bench, app)
    assert binding.entities["customers"].inputs == ("silver",)
    assert set(binding.entities) == {"customers", "raw.a", "silver"}
    bench.put("raw.a", "n bigint", (1,))
    assert bench.ran() == {"silver": "done", "customers": "done"}


def test_a_reference_to_the_app_itself_that_leads_nowhere_is_refused(bench: Bench) -> None:
    inner = k.App("crm")
    reference = inner.ref("shop", "silvr")
    inner.pipe(reference, name="customers")(same)
    app, raw = shop()
    app.include(inner)
    app.pipe(raw, name="silver")(same)
    (fault,) = refused(bench, app)
    assert str(fault) == (
        f"KDL-PLAN-001: there is no entity 'silvr'\n  why: did you mean 'silver'?\n  where: {reference.place}"
    )


def test_another_apps_entity_is_read_from_that_apps_place(bench: Bench) -> None:
    app = k.App("shop")
    orders = app.ref("sales", "gold.orders")
    app.pipe(orders, name="silver.a")(same)
    bench.use(app, locations__lake__uri="lake/{environment}/{app}")
    address = bind(app, bench.project.settings, bench.project.catalog).entities["sales.gold.orders"].address
    assert address is not None
    assert address.uri == f"{bench.path}/lake/dev/sales/gold/orders"


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("environment", "prod", "lake/prod/gold/orders"),
        ("defer", "prod", "lake/prod/gold/orders"),
        ("location", "sea", "sea/gold/orders"),
    ],
)
def test_references_follow_their_settings(bench: Bench, key: str, value: str, place: str) -> None:
    app = k.App("shop")
    app.pipe(app.ref("sales", "gold.orders"), name="silver.a")(same)
    bench.given["refs", "sales", key] = value
    bench.given["locations", "sea", "uri"] = "sea"
    bench.given["locations", "sea", "shared"] = True
    address = bound(bench, app).entities["sales.gold.orders"].address
    assert address is not None
    assert address.uri == f"{bench.path}/{place}"


def test_all_faults_are_told_together_and_a_missing_plugin_once(bench: Bench) -> None:
    app, raw = shop()
    app.pipe(raw, name="a", storage=k.storage("atlantis"))(same)
    app.pipe(raw, name="b", storage=k.storage("atlantis"))(same)
    app.pipe(raw, name="c", platform="mars")(same)
    app.pipe(raw, name="d", storage=k.storage("native"))(same)
    app.pipe(raw, name="e", on_fail="explode")(same)
    faults = refused(bench, app)
    assert [fault.code for fault in faults] == [
        "KDL-DECL-036",
        "KDL-PLUG-002",
        "KDL-PLUG-002",
        "KDL-PLAN-011",
    ]
    assert [fault.what for fault in faults if fault.code == "KDL-PLUG-002"] == [
        "no installed plugin offers 'storage:atlantis'",
        "no installed plugin offers 'platform:mars'",
    ]


def test_an_unknown_entity_is_refused_with_what_it_may_be(bench: Bench) -> None:
    app, _ = shop()
    with pytest.raises(PlanError) as caught:
        find_entity(bound(bench, app), "raw.b")
    assert str(caught.value) == ("KDL-PLAN-001: there is no entity 'raw.b'\n  why: did you mean 'raw.a'?")
    assert find_entity(bound(bench, app), "raw.a").name == "raw.a"


def test_names_may_have_dots_and_letters_of_any_script(bench: Bench) -> None:
    app = k.App("shop")
    raw = app.source("rohdaten.straßen.ж", k.storage("scratch"))
    app.pipe(raw, name="silber.größe_1")(same)
    bench.use(app).put("rohdaten.straßen.ж", "`größe in m` double", (1.5,))
    assert bench.ran() == {"silber.größe_1": "done"}
    assert bench.columns("silber.größe_1") == ("größe in m",)
    assert bench.plan().changes is False
