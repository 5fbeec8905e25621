from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

import kindling as k
from kindling.entity import Place
from kindling.errors import DeclarationError
from kindling.options import PipeChecks

PLACE = Place("shop.py", 7)


def settle(**options: object) -> tuple[dict[str, object], list[str]]:
    found: list[DeclarationError] = []
    settled = PipeChecks("gold", PLACE, found).settle(options, k.delta())
    return settled, [str(fault) for fault in found]


def test_options_have_defaults_and_the_storage_of_the_app() -> None:
    assert settle() == (
        {
            "name": "",
            "write": k.overwrite(),
            "incremental": None,
            "expect": {},
            "on_fail": "warn",
            "schema": None,
            "classify": None,
            "storage": k.delta(),
            "tags": (),
            "drift": "fail",
            "partition_by": (),
            "timeout_s": None,
            "retries": None,
            "version": "",
            "platform": "",
        },
        [],
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"time_out_s": 5},
            (
                "KDL-DECL-034: the pipe 'gold' has an unknown option 'time_out_s'"
                "\n  why: did you mean 'timeout_s'?"
            ),
        ),
        ({"write": k.append}, None),
        ({"incremental": "changes"}, "expected Incremental or NoneType"),
        ({"expect": ["a > 1"]}, "expected Mapping"),
        ({"classify": "pii"}, "expected Mapping or NoneType"),
        ({"timeout_s": "5"}, "expected int or float or NoneType"),
        ({"timeout_s": 0}, "expected more than 0"),
        ({"retries": -1}, "expected 0 or more"),
        ({"retries": 1.5}, "expected int or NoneType"),
        ({"storage": "delta"}, "expected StorageChoice or NoneType"),
        ({"version": 2}, "expected str"),
        (
            {"drift": "ignore"},
            "KDL-DECL-036: drift='ignore' of the pipe 'gold' is unknown\n  why: known: evolve, fail, warn",
        ),
        (
            {"on_fail": "quarantaine"},
            (
                "KDL-DECL-036: on_fail='quarantaine' of the pipe 'gold' is unknown"
                "\n  why: did you mean 'quarantine'?"
            ),
        ),
    ],
)
def test_a_wrong_option_is_told_and_its_default_used(options: dict[str, object], text: str | None) -> None:
    settled, faults = settle(**options)
    name, value = next(iter(options.items()))
    if text is None:
        text = "expected Intent"
    if not text.startswith("KDL"):
        text = f"KDL-DECL-035: the option {name!r} of the pipe 'gold' is {value!r}\n  why: {text}"
    assert faults == [f"{text}\n  where: shop.py:7"]
    assert settled == settle()[0]


@pytest.mark.parametrize("name", ["tags", "partition_by"])
def test_a_text_in_place_of_a_list_is_told(name: str) -> None:
    settled, faults = settle(**{name: "day"})
    assert faults == [
        (
            f"KDL-DECL-037: {name} of the pipe 'gold' is the text 'day'\n"
            f"  where: shop.py:7\n  do: write {name}=['day']"
        )
    ]
    assert settled[name] == ()


def test_each_expectation_has_a_consequence() -> None:
    found: list[DeclarationError] = []
    checks = PipeChecks("gold", PLACE, found)
    expect = {"a": "x > 1", "b": k.rule("y > 1", on_fail="drop"), "c": 5, "d": k.rule("z", on_fail="stop")}
    rules = checks.rules(checks.settle({"expect": expect, "on_fail": "fail"}, k.delta()))
    assert rules == {"a": k.Rule("x > 1", "fail"), "b": k.Rule("y > 1", "drop")}
    why = "expected a condition, or k.rule(condition, on_fail=...) with warn, drop, quarantine, fail"
    assert [str(fault) for fault in found] == [
        f"KDL-DECL-038: the expectation 'c' of the pipe 'gold' is 5\n  why: {why}\n  where: shop.py:7",
        (
            "KDL-DECL-038: the expectation 'd' of the pipe 'gold' is Rule(condition='z', on_fail='stop')\n"
            f"  why: {why}\n  where: shop.py:7"
        ),
    ]


def one(a: object) -> object:
    return a


def one_or_two(a: object, b: object = None) -> object:
    return a, b


def many(*frames: object) -> object:
    return frames


def needs_keyword(a: object, *, limit: int, start: int = 0) -> object:
    return a, limit, start


def none() -> None:
    return None


class Methods:
    def one(self, a: object) -> object:
        return a

    @classmethod
    def of_class(cls, a: object) -> object:
        return a

    def __call__(self, a: object) -> object:
        return a


def parameters(function: object, inputs: int, *, context: bool = False) -> list[str]:
    found: list[DeclarationError] = []
    PipeChecks("gold", PLACE, found).parameters(function, inputs, context=context)
    return [fault.what for fault in found]


@pytest.mark.parametrize(
    ("function", "inputs", "context"),
    [
        (one, 1, False),
        (one, 0, True),
        (one_or_two, 1, False),
        (one_or_two, 1, True),
        (many, 5, True),
        (none, 0, False),
        (Methods().one, 1, False),
        (Methods.of_class, 1, False),
        (Methods(), 1, False),
        (partial(one_or_two, b=1), 1, False),
        (len, 1, False),
    ],
)
def test_functions_that_take_their_inputs_are_accepted(
    function: Callable[..., object],
    inputs: int,
    context: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    assert parameters(function, inputs, context=context) == []


@pytest.mark.parametrize(
    ("function", "inputs", "context", "text"),
    [
        (one, 2, False, "has 2 inputs, its function takes a"),
        (one, 1, True, "has 1 input and a context, its function takes a"),
        (one, 0, False, "has 0 inputs, its function takes a"),
        (none, 1, False, "has 1 input, its function takes nothing"),
        (one_or_two, 3, False, "has 3 inputs, its function takes a, b"),
        (needs_keyword, 1, False, "has 1 input, its function takes a, limit="),
        (Methods().one, 2, False, "has 2 inputs, its function takes a"),
    ],
)
def test_functions_that_take_something_else_are_told(
    function: Callable[..., object],
    inputs: int,
    context: bool,  # noqa: FBT001  # a parameter of the test
    text: str,  # a parameter of the test
) -> None:
    assert parameters(function, inputs, context=context) == [f"the pipe 'gold' {text}"]
