from __future__ import annotations

from kindling.errors import EngineLostError, RunError
from kindling.hooks.executor import Outcome, TaskSpec
from kindling.run.failures import redacted, stopped_error, unopened, without_values

SPEC = TaskSpec("r", "a:app", "/", "dev", "gold.a", "*", {}, "sail", (), "f", attempt=3, timeout_s=1.5)


def hide(text: str) -> str:
    return text.replace("hunter2", "***")


def test_secrets_are_hidden_however_deep_and_nothing_else_changes() -> None:
    outcome = Outcome(
        "gold.a",
        "failed",
        rows=3,
        metrics={"rows": 3},
        warnings=("with hunter2",),
        error={
            "what": "hunter2",
            "facts": {"hunter2": ["x", {"deep": "hunter2"}], "n": 1, "b": True, "no": None},
        },
    )
    found = redacted(outcome, hide)
    assert found.error == {
        "what": "***",
        "facts": {"***": ["x", {"deep": "***"}], "n": 1, "b": True, "no": None},
    }
    assert (found.warnings, found.rows, found.metrics) == (("with ***",), 3, {"rows": 3})


def test_what_is_no_json_becomes_text() -> None:
    class Odd:
        def __str__(self) -> str:
            return "odd hunter2 \udcff"

    outcome = Outcome("a", "failed", error={"facts": {"odd": Odd(), "tuple": (1, 2)}})  # type: ignore[dict-item]  # foreign
    assert redacted(outcome, hide).error == {"facts": {"odd": "odd *** \\udcff", "tuple": [1, 2]}}


def test_a_stopped_task_says_why() -> None:
    assert str(stopped_error(SPEC, "timed_out")) == (
        "KDL-TIME-001: 'gold.a' took longer than 1.5 s\n"
        "  why: nothing was committed\n"
        "  do: raise timeout_s of the pipe, or make it faster"
    )
    assert str(stopped_error(SPEC, "cancelled")) == (
        "KDL-RUN-003: 'gold.a' was cancelled\n  why: nothing was committed"
    )


def test_a_task_whose_project_cannot_be_opened_is_a_failed_one() -> None:
    outcome = unopened(SPEC, OSError("no such folder"), 0.5)
    assert (outcome.key, outcome.status, outcome.attempt, outcome.exit_code) == ("gold.a", "failed", 3, 1)
    assert (outcome.error["code"], outcome.error["what"], outcome.error["why"]) == (
        "KDL-RUN-004",
        "'gold.a' cannot be started",
        "OSError: no such folder",
    )
    known = unopened(SPEC, EngineLostError("KDL-INFRA-011", "gone"), 0.5)
    assert (known.error["code"], known.transient, known.exit_code) == ("KDL-INFRA-011", True, 4)
    assert unopened(SPEC, RunError("KDL-RUN-777", "x"), 0.5).error["what"] == "x"


def test_quoted_things_that_are_no_names_are_hidden() -> None:
    told = """no column "mial", did you mean 'raw.mail'; got 'ann@x.org' and "12" for `n`, it's fine"""
    assert without_values(told) == (
        """no column "mial", did you mean 'raw.mail'; got '***' and "***" for `n`, it's fine"""
    )
