"""What people see of classified columns, on the scratch plugin."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import kindling as k
from kindling.cli.preview import Preview, preview, preview_plain, shown_entity
from kindling.cli.viewing import View, check_overrides, check_principal, os_principals, view_of
from kindling.errors import KindlingError, PolicyError, RunError, UsageError
from kindling.plan.binding import bind
from kindling.plan.rights import Rights

if TYPE_CHECKING:
    from workbench import Bench

CANARY = "canary-0f6e@x.org"
PEOPLE = "n bigint, mail string"
ME, _GROUPS = os_principals()


def shop(**options: object) -> k.App:
    """Declare raw -> silver."""
    app = k.App("shop")
    scratch = k.storage("scratch")
    raw = app.source("raw", scratch, schema=PEOPLE, classify={"mail": "pii.email"})
    app.source("free", scratch)
    app.sql("silver", "SELECT n, mail AS address FROM {raw}", inputs={"raw": raw}, **options)
    return app


def masking(name: str = "mails", **facts: object) -> dict[str, object]:
    told = {"class": "pii.*", "mask": "blank", "on": "show", "options__text": "***", **facts}
    return {f"policy__masks__{name}__{key}": value for key, value in told.items()}


def look(bench: Bench, name: str, *, seen_as: str = "", version: str = "") -> Preview:
    project = bench.project
    binding = bind(project.app, project.settings, project.catalog)
    bound = shown_entity(binding, name)
    base = name.removesuffix("__quarantine")
    view = view_of(project, binding, base, seen_as=seen_as)
    return preview(project, bound, view, limit=10, version=version)


@pytest.fixture
def made(bench: Bench) -> Bench:
    bench.use(shop(), **masking()).put("raw", PEOPLE, (1, CANARY))
    bench.put("free", "x string", (CANARY,))
    bench.run()
    return bench


def test_classified_columns_are_masked_for_who_looks(made: Bench) -> None:
    assert look(made, "raw").rows == ((1, "***"),)
    found = look(made, "silver")
    assert (found.rows, found.masked) == (((1, "***"),), (("address", "blank"),))
    assert found.notes == ("masked for you: address (blank)",)
    assert preview_plain(found)["masked"] == [{"column": "address", "mask": "blank"}]
    assert made.rows("silver") == [(1, CANARY)]


def test_what_is_not_classified_is_shown_as_it_is(made: Bench) -> None:
    found = look(made, "free")
    assert (found.rows, found.masked, found.notes) == (((CANARY,),), (), ())


def test_classified_columns_that_no_rule_masks_are_told(bench: Bench) -> None:
    bench.use(shop(), **masking(unless=[ME])).put("raw", PEOPLE, (1, CANARY))
    found = look(bench, "raw")
    assert found.rows == ((1, CANARY),)
    assert found.notes == (
        "classified columns are shown as they are: mail (pii.email); no mask rule acts on them for you",
    )


def test_a_viewer_may_look_with_fewer_rights_and_never_with_more(bench: Bench) -> None:
    given = masking(unless=["role:engineer"])
    for mine, seen_as, shown in (
        ([ME], "", CANARY),
        ([ME], "user:bob", "***"),
        ([ME, "user:bob"], "user:bob", CANARY),
        (["user:bob"], "user:bob", "***"),
        ([], "role:engineer", "***"),
    ):
        bench.use(shop(), **given, policy__roles__engineer=mine).put("raw", PEOPLE, (1, CANARY))
        assert look(bench, "raw", seen_as=seen_as).rows == ((1, shown),)


def test_the_quarantine_is_masked_as_its_entity_is(bench: Bench) -> None:
    app = shop(expect={"positive": "n > 0"}, on_fail="quarantine")
    bench.use(app, **masking()).put("raw", PEOPLE, (-1, CANARY))
    bench.run()
    assert look(bench, "silver__quarantine").rows == ((-1, "***", "positive"),)
    bench.state.forget("shop", "dev", ["silver"])  # of its columns nothing is known any more
    assert CANARY not in str(look(bench, "silver__quarantine").rows)


def test_of_older_versions_every_column_may_be_classified(made: Bench) -> None:
    made.put("raw", PEOPLE, (2, CANARY))
    made.run()
    assert look(made, "silver", version="0").masked == (("n", "blank"), ("address", "blank"))
    assert look(made, "silver", version="1").masked == (("address", "blank"),)
    assert look(made, "raw", version="0").masked == (("mail", "blank"),)


def test_rules_of_pipes_do_not_act_on_people(bench: Bench) -> None:
    bench.use(shop(), **masking(on="pipes")).put("raw", PEOPLE, (1, CANARY))
    assert look(bench, "raw").rows == ((1, CANARY),)


def test_a_rule_is_refused_rather_than_left_out(bench: Bench) -> None:
    bench.use(shop(), **masking(mask="nowhere")).put("raw", PEOPLE, (1, CANARY))
    with pytest.raises(KindlingError, match="KDL-PLUG-002: no installed plugin offers 'masking:nowhere'"):
        look(bench, "raw")


def test_an_error_of_the_engine_shows_no_value(bench: Bench) -> None:
    bench.use(shop()).put("raw", "n string, mail string", ("1", CANARY))
    bench.set("policy", "masks", "bad", "class", value="pii.*")
    bench.set("policy", "masks", "bad", "mask", value="broken")
    bench.set("policy", "masks", "bad", "on", value="show")
    with pytest.raises(RunError) as caught:
        look(bench, "raw")
    assert str(caught.value).splitlines()[:2] == [
        "KDL-RUN-030: 'raw' cannot be shown",
        "  why: InvalidOperationError; its text is left out: it may hold values of classified columns",
    ]


def test_the_operating_system_says_who_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "mallory")
    monkeypatch.setenv("USER", "mallory")
    user, groups = os_principals()
    assert user != "user:mallory"
    assert user.startswith("user:")
    assert len(groups) >= len({os.getgid()})


@pytest.mark.parametrize("text", ["ann", "user:", ":ann", "boss:ann"])
def test_what_is_no_principal_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_principal(text)
    assert str(caught.value).splitlines() == [
        f"KDL-GOV-008: --as {text!r} is no principal",
        "  why: expected user:NAME, group:NAME, role:NAME or workload:NAME",
    ]
    assert check_principal("role:analyst") == "role:analyst"


def test_rules_are_not_changed_for_one_look() -> None:
    check_overrides(("run.workers=1",))
    with pytest.raises(PolicyError) as caught:
        check_overrides(("a=1", "policy.roles.engineer=user:me"))
    assert str(caught.value).splitlines() == [
        "KDL-GOV-007: --set policy.roles.engineer cannot be given to 'kindling show'",
        "  why: rows are shown by the project's own rules",
        "  do: --as user:NAME shows what somebody else sees, never more than you do",
    ]


def test_the_newest_version_may_be_named_by_its_number() -> None:
    view = View((), {"a": ("x",)}, {"*": ("x",)})
    assert [
        view.classes_of(version, "7-ab") == view.classes for version in ("", "7-ab", "7", "6", "7-cd")
    ] == [
        True,
        True,
        True,
        False,
        False,
    ]


def test_no_state_is_read_where_nothing_is_classified(bench: Bench) -> None:
    app = k.App("shop")
    app.source("free", k.storage("scratch"))
    bench.use(app)
    binding = bind(app, bench.project.settings, bench.project.catalog)
    assert view_of(bench.project, binding, "free", seen_as="").rules == ()
    assert Rights(bench.project.settings).rules == ()
