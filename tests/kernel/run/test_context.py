from __future__ import annotations

from pathlib import Path

import pytest
from workbench import settings

from kindling.addresses import Slice
from kindling.context import Context
from kindling.errors import ConfigError, KindlingError, RunError
from kindling.hooks.platform import Session, SessionSpec
from kindling.run.context import TaskContext, table_of_rows
from kindling.run.log import make_log
from kindling.schemas import parse_schema
from kindling.secret import Secret
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.rows import arrow_table, rows_of

GIVEN = {("settings", "limit"): 3, ("settings", "deep", "er"): "x", ("settings", "run"): "own"}


@pytest.fixture
def session() -> Session:
    return MemoryPlatform({}).open_session(SessionSpec("t"))


@pytest.fixture
def context(tmp_path: Path, session: Session) -> TaskContext:
    log = make_log(f"{tmp_path}/log.jsonl", str)
    resolve = {"secret://env/A": Secret("value", "v1")}.__getitem__
    return TaskContext(session, settings(tmp_path, GIVEN), resolve, Slice(), log)


def test_it_is_what_pipes_are_promised(context: TaskContext) -> None:
    assert isinstance(context, Context)
    assert str(context.slice) == "*"
    assert not hasattr(context, "session")


def test_frames_are_made_of_tuples_dicts_and_arrow(context: TaskContext, session: Session) -> None:
    schema = "id bigint, name string"
    expected = [(1, "a"), (2, None)]
    for rows in (
        expected,
        iter(expected),
        [{"id": 1, "name": "a"}, {"id": 2}],
        arrow_table(schema, expected),
    ):
        assert rows_of(session, context.frame(rows, schema)) == expected
    assert rows_of(session, context.frame([], schema)) == []


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(1,)], "row 0 has 1 values for 2 columns"),
        ([(1, "a"), (1, "a", 2)], "row 1 has 3 values for 2 columns"),
        ([{"id": 1, "nme": "a"}], "row 0 has the unknown column 'nme'; columns: id, name"),
        (["ab"], "row 0 is a str, expected a tuple or a dict"),
        ([7], "row 0 is a int, expected a tuple or a dict"),
        (7, "'int' object is not iterable"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows: object, why: str) -> None:
    with pytest.raises(RunError) as caught:
        table_of_rows(rows, parse_schema("id bigint, name string"))
    assert str(caught.value) == f"KDL-RUN-024: the rows do not fit their schema\n  why: {why}"


@pytest.mark.parametrize(
    ("kind", "value"), [("bigint", "x"), ("bigint", 2**70), ("int", 2**40), ("date", "x"), ("string", 3)]
)
def test_values_of_another_type_are_refused(kind: str, value: object) -> None:
    with pytest.raises(RunError) as caught:
        table_of_rows([(value,)], parse_schema(f"a {kind}"))
    assert caught.value.code == "KDL-RUN-024"
    assert caught.value.__cause__ is not None


class Bare:
    """A session that takes no Arrow."""

    platform = "bare"


def test_a_platform_without_arrow_cannot_make_frames(tmp_path: Path) -> None:
    log = make_log(f"{tmp_path}/log.jsonl", str)
    context = TaskContext(Bare(), settings(tmp_path), Secret, Slice(), log)  # type: ignore[arg-type]  # enough for this
    with pytest.raises(RunError) as caught:
        context.frame([], "a int")
    assert str(caught.value) == (
        "KDL-RUN-023: the platform 'bare' cannot make frames of rows\n"
        "  why: its sessions lack the feature 'arrow-in'"
    )


def test_settings_of_the_app_come_first_and_all_that_was_looked_for_is_noted(context: TaskContext) -> None:
    assert context.setting("limit") == 3
    assert context.setting("deep.er") == "x"
    assert context.setting("deep") == {"er": "x"}
    assert context.setting("run") == "own"
    assert context.setting("run.retries") == 2
    assert context.settings_read == [
        "settings.limit",
        "settings.deep.er",
        "settings.deep",
        "settings.run",
        "settings.run.retries",
        "run.retries",
    ]


def test_a_setting_that_nobody_sets_is_refused(context: TaskContext) -> None:
    with pytest.raises(ConfigError) as caught:
        context.setting("limt")
    assert str(caught.value) == (
        "KDL-CONF-034: the pipe asks for the setting 'limt', which nobody sets\n"
        "  why: did you mean 'limit'?\n"
        "  do: add limt = ... to [settings] in kindling.toml"
    )


def test_secrets_are_resolved_and_noted(context: TaskContext) -> None:
    found = context.secret("secret://env/A")
    assert (found.reveal(), context.secrets_read) == ("value", ["secret://env/A"])


def test_a_value_in_place_of_a_reference_is_refused_and_not_shown(context: TaskContext) -> None:
    with pytest.raises(KindlingError) as caught:
        context.secret("hunter2")
    assert caught.value.code == "KDL-CONF-021"
    assert "hunter2" not in str(caught.value)
    assert context.secrets_read == []
