from __future__ import annotations

import json
import pickle
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling import errors
from kindling.errors import (
    DeclarationError,
    Faults,
    InfrastructureError,
    KindlingError,
    PolicyError,
    RunError,
    raise_together,
    worst_exit_code,
)

CLASSES = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, KindlingError) and kind is not Faults
]
texts = st.text(max_size=5)


def test_an_error_is_shown_in_at_most_four_lines() -> None:
    error = DeclarationError("KDL-X-001", "'a' is wrong", why="found b", where="shop.py:3", hint="write c")
    assert str(error) == "KDL-X-001: 'a' is wrong\n  why: found b\n  where: shop.py:3\n  do: write c"


def test_lines_without_text_are_left_out() -> None:
    assert (
        str(RunError("KDL-X-001", "it failed", hint="try again")) == "KDL-X-001: it failed\n  do: try again"
    )
    assert str(RunError("KDL-X-001", "it failed")) == "KDL-X-001: it failed"


@given(
    st.sampled_from(CLASSES),
    texts,
    texts,
    texts,
    texts,
    st.dictionaries(st.sampled_from(["name", "known"]), texts),
)
def test_every_error_survives_pickling_with_its_text_and_data(
    kind: type[KindlingError], what: str, why: str, where: str, hint: str, facts: dict[str, str]
) -> None:
    error = kind("KDL-X-001", what, why=why, where=where, hint=hint, **facts)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # its own bytes
    assert type(again) is kind
    assert str(again) == str(error)
    assert again.to_plain() == error.to_plain()
    assert json.loads(json.dumps(error.to_plain())) == error.to_plain()


def test_a_plugin_error_with_a_constructor_of_its_own_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(OwnError(7)))  # noqa: S301  # its own bytes
    assert (type(again), str(again)) == (OwnError, "KDL-X-007: 7 failed")


class OwnError(RunError):
    def __init__(self, number: int) -> None:
        super().__init__("KDL-X-007", f"{number} failed", number=number)


def test_faults_are_shown_one_after_another_and_survive_pickling() -> None:
    faults = Faults([DeclarationError("KDL-X-001", "one", why="b"), PolicyError("KDL-X-002", "two")])
    shown = "KDL-X-001: one\n  why: b\nKDL-X-002: two"
    again = pickle.loads(pickle.dumps(faults))  # noqa: S301  # its own bytes
    assert str(faults) == str(again) == shown
    assert (faults.exit_code, again.exit_code, faults.what) == (5, 5, "2 faults")
    assert [fault["code"] for fault in again.to_plain()["faults"]] == ["KDL-X-001", "KDL-X-002"]


def test_faults_are_raised_together_one_alone_as_itself_none_not_at_all() -> None:
    one, two = DeclarationError("KDL-X-001", "one"), RunError("KDL-X-002", "two")
    raise_together([])
    with pytest.raises(DeclarationError) as alone:
        raise_together([one])
    assert alone.value is one
    with pytest.raises(Faults) as both:
        raise_together([one, two])
    assert both.value.faults == (one, two)


def test_the_exit_code_follows_the_class() -> None:
    assert {kind.__name__: kind("KDL-X-001", "x").exit_code for kind in CLASSES} == {
        "KindlingError": 2,
        "DeclarationError": 2,
        "ConfigError": 2,
        "PluginError": 2,
        "PlanError": 2,
        "UsageError": 2,
        "PolicyError": 5,
        "StoreError": 1,
        "RunError": 1,
        "ExpectationError": 1,
        "TaskTimeoutError": 1,
        "TaskCancelledError": 130,
        "InfrastructureError": 4,
        "EngineLostError": 4,
        "CommitConflictError": 4,
        "LeaseHeldError": 4,
    }


def test_only_a_lost_engine_and_a_lost_race_may_be_tried_again() -> None:
    transient = [kind.__name__ for kind in CLASSES if kind.transient]
    assert transient == ["EngineLostError", "CommitConflictError"]
    assert issubclass(InfrastructureError, RunError)


@given(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 130]), max_size=5))
def test_the_worst_exit_code_depends_on_no_order_and_is_zero_only_for_zeros(codes: list[int]) -> None:
    worst = worst_exit_code(codes)
    assert all(worst_exit_code(order) == worst for order in permutations(codes))
    assert (worst == 0) == (not any(codes))
    assert worst in (0, *codes)


def test_the_order_of_exit_codes_is_the_documented_one() -> None:
    order = [130, 5, 4, 2, 1, 3, 0]
    assert [worst_exit_code(order[place:]) for place in range(len(order))] == order


def test_an_unknown_exit_code_of_a_plugin_still_counts_as_failed() -> None:
    assert worst_exit_code([0, 77]) == 1
    assert worst_exit_code([77, 3]) == 1
    assert worst_exit_code([77, 4]) == 4
