from __future__ import annotations

import polars as pl
import pytest
from workbench import Bench

import kindling as k
from kindling.errors import PlanError
from kindling.plan.governance import Governance
from kindling.plan.rights import CLASSES, Rights, classes_text
from kindling.records import TaskRecord

Frame = pl.LazyFrame
MAIL = {"mail": ("pii.email",)}


def same(df: Frame) -> Frame:
    return df


def shop() -> k.App:
    """Declare raw -> silver -> middle (memory) -> gold, and beside them free -> other."""
    app = k.App("shop")
    raw = app.source(
        "raw", k.storage("scratch"), schema="n bigint, mail string", classify={"mail": "pii.email"}
    )
    free = app.source("free", k.storage("scratch"))
    silver = app.pipe(raw, name="silver")(same)
    middle = app.pipe(silver, name="middle", storage=k.memory())(same)
    app.pipe(middle, name="gold")(same)
    app.pipe(free, name="other")(same)
    return app


def record(name: str, classes: dict[str, tuple[str, ...]], piece: str = "*") -> TaskRecord:
    parts = ((CLASSES, classes_text(classes)), ("code", "1")) if classes else (("code", "1"),)
    return TaskRecord(name, piece, "f", parts, "0")


def governance(bench: Bench, *records: TaskRecord, **given: object) -> Governance:
    bench.use(shop(), **given)
    rights = Rights(bench.project.settings)
    return Governance(
        bench.planner().binding, rights, {(one.entity, one.slice): one for one in records}, "shop"
    )


def test_a_table_has_the_classes_that_its_last_run_found_out(bench: Bench) -> None:
    found = governance(bench, record("silver", {"m": ("pii.email",)}), record("gold", {}))
    assert found.of("raw") == MAIL
    assert found.of("silver") == {"m": ("pii.email",)}
    assert (found.of("gold"), found.of("other"), found.of("middle")) == ({}, {}, {})


def test_each_column_has_all_classes_where_nothing_is_recorded(bench: Bench) -> None:
    found = governance(bench)
    every = {"*": ("pii.email",)}
    assert (found.of("silver"), found.of("gold"), found.of("other")) == (every, every, {})


def test_the_classes_of_all_slices_count(bench: Bench) -> None:
    found = governance(
        bench, record("silver", {"a": ("x",)}, "p1"), record("silver", {"A": ("y",), "b": ("z",)}, "p2")
    )
    assert found.of("silver") == {"a": ("x", "y"), "b": ("z",)}


def test_what_a_task_makes_replaces_older_classes_only_where_no_older_row_is_left(bench: Bench) -> None:
    for is_whole, expected in ((True, {"b": ("y",)}), (False, {"a": ("x",), "b": ("y",)})):
        found = governance(bench, record("silver", {"a": ("x",)}))
        found.note("silver", {"b": ("y",)}, is_whole=is_whole)
        assert found.of("silver") == expected
        found.note("silver", {"c": ("z",)}, is_whole=True)  # another slice of this run
        assert found.of("silver") == {**expected, "c": ("z",)}


def test_a_pipe_reads_what_its_memory_entities_read(bench: Bench) -> None:
    found = governance(bench, record("silver", MAIL))
    assert found.behind("gold") == {"middle": {}, "silver": MAIL}
    assert found.behind("silver") == {"raw": MAIL}


def rule(name: str, **facts: object) -> dict[str, object]:
    told = {"class": "pii.*", "mask": "blank", **facts}
    return {f"policy__masks__{name}__{key}": value for key, value in told.items()}


def acting(found: Governance, name: str) -> list[tuple[str, str]]:
    return [(one.reader, one.rule.name) for one in found.acting(name)]


def test_rules_act_on_the_pipes_that_read_such_classes(bench: Bench) -> None:
    given = {
        **rule("all"),
        **rule("middles", entities=["middle"]),
        **rule("money", **{"class": "fin.*"}),
        **rule("people", on="show"),
        **rule("us", unless=["workload:shop"]),
    }
    found = governance(bench, record("silver", MAIL), **given)
    assert acting(found, "silver") == [("silver", "all")]
    assert acting(found, "gold") == [("gold", "all"), ("middle", "all"), ("middle", "middles")]
    assert acting(found, "other") == []


def test_the_part_changes_with_what_acts_and_with_classes(bench: Bench) -> None:
    free = governance(bench)
    assert free.part("other") == "workload:shop"
    plain = governance(bench, record("silver", MAIL)).part("gold")
    classed = governance(bench, record("silver", {"mail": ("fin",)})).part("gold")
    ruled = governance(bench, record("silver", MAIL), **rule("a", entities=["gold"]))
    assert plain.startswith("classified:")
    assert len({plain, classed, ruled.part("gold")}) == 3
    assert ruled.part("silver") == governance(bench, record("silver", MAIL)).part("silver")


@pytest.mark.parametrize("platform", ["plain", "dim"])
def test_a_keyed_rule_is_refused_where_its_key_could_be_seen(bench: Bench, platform: str) -> None:
    given = rule("tails", mask="stamp", key="secret://env/K", entities=["gold"])
    bench.use(shop(), platform__default=platform, **given).put("raw", "n bigint, mail string", (1, "a"))
    bench.put("free", "n bigint", (1,))
    with pytest.raises(PlanError) as caught:
        bench.plan()
    lacking = {"plain": "keys and share", "dim": "share"}[platform]
    assert str(caught.value).splitlines() == [
        f"KDL-GOV-003: the rule 'tails' cannot act on 'gold' on the platform {platform!r}",
        f"  why: the mask 'stamp' has a key, and the platform's sessions lack {lacking}",
        f"  where: {bench.project.app.entities()['gold'].place}",
        "  do: use a mask without a key, or another platform",
    ]


def test_masks_are_checked_before_anything_is_planned(bench: Bench) -> None:
    bench.use(shop(), **rule("tails", mask="stamp"))
    with pytest.raises(PlanError, match="KDL-GOV-002: the rule 'tails' has no key"):
        bench.planner()
