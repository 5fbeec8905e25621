"""Several sqlframe sessions in one process: the two attributes that are set, and that they stay set."""

from __future__ import annotations

from importlib.metadata import version

from kindling_plugin_duckdb.frame_api import FUNCTIONS
from kindling_plugin_duckdb.plans import PlanSession, prepare_sqlframe
from sqlframe.base.column import Column
from sqlframe.base.session import _BaseSession


def test_the_pinned_sqlframe_is_installed() -> None:
    assert version("sqlframe") == "4.10.0"


def test_sessions_are_many_and_the_prototype_is_none_of_them() -> None:
    prepare_sqlframe()
    prototype = _BaseSession()
    first, second = PlanSession(), PlanSession()
    assert len({id(prototype), id(first), id(second)}) == 3
    first.known_ids.add("x")
    assert "x" not in second.known_ids
    assert _BaseSession() is prototype


def test_a_foreign_sqlframe_session_is_put_aside_when_frames_are_planned() -> None:
    kept = _BaseSession._instance
    _BaseSession._instance = None
    try:
        prepare_sqlframe()
        assert type(_BaseSession._instance) is PlanSession
    finally:
        _BaseSession._instance = kept


def test_python_numbers_become_literals_of_their_own_type() -> None:
    prepare_sqlframe()
    prepare_sqlframe()
    shown = [FUNCTIONS.lit(value).sql() for value in (1, 2.5, -2.5, True, "x", None)]
    assert shown == ["1", "CAST(2.5 AS DOUBLE)", "CAST(-2.5 AS DOUBLE)", "TRUE", "'x'", "NULL"]
    assert (Column("a") * 1.5).sql() == "(a * CAST(1.5 AS DOUBLE))"
