from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kindling.errors import UsageError
from kindling.hooks.executor import InputSpec, Outcome, TaskSpec
from kindling.run.request import RunRequest, decoded, encoded, new_run_id, utc_now

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
REQUESTS = st.builds(
    RunRequest,
    app=TEXTS,
    project=TEXTS,
    environment=TEXTS,
    run_id=TEXTS,
    select=st.lists(TEXTS, max_size=3).map(tuple),
    max_slices=st.integers(0, 9),
    full_refresh=st.booleans(),
    overrides=st.dictionaries(TEXTS, PLAIN, max_size=3),
)


@given(REQUESTS)
def test_a_request_survives_json(request: RunRequest) -> None:
    assert RunRequest.from_json(request.to_json()) == request
    assert "\n" not in request.to_json()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{}", "Object missing required field `app`"),
        ('{"app": 1}', "Expected `str`, got `int` - at `$.app`"),
        ("[]", "Expected `object`, got `array`"),
        ("x", "JSON is malformed: invalid character (byte 0)"),
    ],
)
def test_what_is_no_request_is_refused_with_the_place(text: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        RunRequest.from_json(text)
    assert str(caught.value) == f"KDL-USE-020: this is not a run request\n  why: {why}"


REQUEST = RunRequest(app="a:app", project="/p", environment="dev", run_id="r1")


def test_a_misspelt_key_is_refused_and_not_left_out() -> None:
    text = REQUEST.to_json().replace('"full_refresh"', '"full_refersh"')
    with pytest.raises(UsageError) as caught:
        RunRequest.from_json(text)
    assert str(caught.value) == (
        "KDL-USE-020: this is not a run request\n"
        "  why: unknown key 'full_refersh'; did you mean 'full_refresh'?"
    )


def test_a_request_of_another_form_is_refused() -> None:
    text = REQUEST.to_json().replace("kindling.run-request/1", "kindling.run-request/2")
    with pytest.raises(UsageError) as caught:
        RunRequest.from_json(text)
    assert str(caught.value) == (
        "KDL-USE-020: this is not a run request\n"
        "  why: its schema is 'kindling.run-request/2', expected 'kindling.run-request/1'"
    )


def test_tasks_and_outcomes_are_json_too() -> None:
    spec = TaskSpec(
        run_id="r1",
        app="a:app",
        project="/p",
        environment="dev",
        entity="gold.a",
        slice="*",
        address={"uri": "/x", "options": [["a", 1]]},
        platform="sail",
        inputs=(InputSpec("raw.a", {}, how="shared", shared={"engine": "e", "name": "n"}),),
        fingerprint="f",
        lease={"key": "k", "token": 3},
    )
    assert decoded(TaskSpec, encoded(spec), "a task") == spec
    outcome = Outcome(
        "gold.a", "done", metrics={"rows": 1}, warnings=("w",), error={"code": "x", "facts": {}}
    )
    assert decoded(Outcome, encoded(outcome), "an outcome") == outcome


def test_run_ids_are_new_and_sort_by_time() -> None:
    one = new_run_id()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", one)
    assert len({new_run_id() for _ in range(100)}) == 100


def test_now_is_utc_with_milliseconds() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", utc_now())
