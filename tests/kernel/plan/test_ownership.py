from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from workbench import Bench

import kindling as k
from kindling.plan.binding import Binding, bind
from kindling.plan.ownership import Ownership
from kindling.plan.parts import digest, forced
from kindling.records import TaskRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

PARTS = {"code": "c1", "input:raw": "7"}
OTHER = {"code": "c2", "input:raw": "7"}
RECORD = TaskRecord(
    "out", "*", digest(PARTS), tuple(PARTS.items()), "3", cursors=(("raw", "6"),), run_id="r0"
)


class Commits:
    """Facts of one newest commit."""

    def __init__(self, version: str = "", **info: object) -> None:
        self.found = (
            (version, {"app": "shop", "environment": "dev", "slice": "*", "run_id": "r1", **info})
            if version
            else None
        )

    def commit(self, _bound: object) -> tuple[str, Mapping[str, object]] | None:
        return self.found


@pytest.fixture
def binding(bench: Bench) -> Binding:
    app = k.App("shop")
    raw = app.source("raw", k.storage("scratch"))

    @app.pipe(context=True, name="limits", storage=k.memory())
    def limits(context: k.Context) -> k.DataFrame:
        return context.frame([], "n int")

    app.pipe(raw, name="out")(lambda df: df)
    app.pipe(limits, name="asking")(lambda df: df)
    bench.use(app)
    return bind(app, bench.project.settings, bench.project.catalog)


def ownership(binding: Binding, commits: Commits) -> Ownership:
    return Ownership(binding, commits, ("shop", "dev"))  # type: ignore[arg-type]  # it has what is asked for


def test_what_is_recorded_needs_no_look_at_the_table(binding: Binding) -> None:
    found = ownership(binding, None).standing(binding.entities["out"], RECORD, "3", PARTS)  # type: ignore[arg-type]  # never asked
    assert (found.record, found.cursors, found.recovered, found.lost) == (
        RECORD,
        (("raw", "6"),),
        False,
        None,
    )
    missing = ownership(binding, None).standing(binding.entities["out"], RECORD, None, PARTS)  # type: ignore[arg-type]  # never asked
    assert missing.record == RECORD


@pytest.mark.parametrize("fingerprint", [digest(PARTS), forced(digest(PARTS), "r1")])
def test_a_commit_of_the_same_parts_is_a_record(binding: Binding, fingerprint: str) -> None:
    commits = Commits("4", fingerprint=fingerprint, cursors={"raw": "7"})
    found = ownership(binding, commits).standing(binding.entities["out"], RECORD, "4", PARTS)
    assert found.recovered is True
    assert found.record is not None
    assert (found.record.version, found.record.run_id, dict(found.record.parts)) == ("4", "r1", PARTS)
    assert found.cursors == found.record.cursors == (("raw", "7"),)


@pytest.mark.parametrize(
    "told",
    [{"fingerprint": digest(OTHER)}, {"fingerprint": digest(PARTS), "slice": "2024/2025"}, {}],
    ids=["other parts", "a slice", "nothing"],
)
def test_a_commit_of_other_parts_gives_its_cursors_only(binding: Binding, told: dict[str, object]) -> None:
    commits = Commits("4", cursors={"raw": "7"}, **told)
    found = ownership(binding, commits).standing(binding.entities["out"], RECORD, "4", PARTS)
    assert (found.record, found.cursors, found.recovered) == (RECORD, (("raw", "7"),), False)
    assert found.lost is not None
    assert found.lost.text == (
        "run 'r1' committed version 4, of which nothing is recorded here: it was killed, or has another state"
    )


def test_a_change_from_outside_after_our_commit_is_no_lost_record(binding: Binding) -> None:
    commits = Commits("4", fingerprint=digest(PARTS), cursors={"raw": "7"})
    found = ownership(binding, commits).standing(binding.entities["out"], RECORD, "5", PARTS)
    assert (found.record, found.cursors, found.lost) == (RECORD, (("raw", "7"),), None)


def test_a_first_commit_is_no_record_of_what_may_ask_for_settings(binding: Binding) -> None:
    commits = Commits("4", fingerprint=digest(PARTS))
    asking = ownership(binding, commits).standing(binding.entities["asking"], None, "4", PARTS)
    assert (asking.record, asking.recovered) == (None, False)
    plain = ownership(binding, commits).standing(binding.entities["out"], None, "4", PARTS)
    assert plain.recovered is True


def test_cursors_of_another_form_are_none(binding: Binding) -> None:
    commits = Commits("4", fingerprint=digest(OTHER), cursors=json.loads("[1]"))
    assert ownership(binding, commits).standing(binding.entities["out"], None, "4", PARTS).cursors == ()


@pytest.mark.parametrize(
    ("commits", "recorded", "code"),
    [
        (Commits(), {}, "KDL-POL-002"),
        (Commits(), {"*": RECORD}, ""),
        (Commits("4"), {}, ""),
        (Commits("4", app="office"), {}, "KDL-POL-001"),
        (Commits("4", app="office"), {"*": RECORD}, "KDL-POL-001"),
        (Commits("4", environment="prod"), {}, "KDL-POL-001"),
        (Commits("4", app="office"), {"2024/2025": RECORD.replace(version="4")}, ""),
    ],
)
def test_a_table_belongs_to_whom_its_newest_commit_names(
    binding: Binding, commits: Commits, recorded: dict[str, TaskRecord], code: str
) -> None:
    fault = ownership(binding, commits).fault(binding.entities["out"], "4", recorded)
    assert (fault.code if fault else "") == code


def test_a_table_that_does_not_exist_belongs_to_nobody(binding: Binding) -> None:
    assert ownership(binding, Commits()).fault(binding.entities["out"], None, {}) is None
