from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import kindling as k
from kindling.run.traceback import user_place

HERE = str(Path(__file__).parent)


def caught(call: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as info:  # noqa: PT011  # any error of the call
        call()
    return info.value


def fail() -> None:
    msg = "mine"
    raise TypeError(msg)


def place(line: int) -> str:
    relative = os.path.relpath(__file__)
    return f"{__file__ if relative.startswith('..') else relative}:{line}"


def test_an_error_of_the_apps_code_is_its_own_and_has_a_line() -> None:
    assert user_place(caught(fail), (HERE,)) == (place(fail.__code__.co_firstlineno + 2), True)


def test_an_error_of_the_standard_library_counts_where_it_was_called() -> None:
    def call() -> None:
        json.loads("{")

    line = call.__code__.co_firstlineno + 1
    assert user_place(caught(call), (HERE,)) == (place(line), True)


def test_a_failed_import_is_the_codes_own() -> None:
    def call() -> None:
        importlib.import_module("surely_not_there")

    assert user_place(caught(call), (HERE,)) == (place(call.__code__.co_firstlineno + 1), True)


def test_a_wrong_use_of_the_kernel_is_the_codes_own() -> None:
    def call() -> None:
        k.F.col("a")

    assert user_place(caught(call), (HERE,)) == (place(call.__code__.co_firstlineno + 1), True)


def test_an_error_of_a_library_is_not_the_codes_own_but_has_its_line() -> None:
    def call() -> None:
        pl.LazyFrame({"a": [1]}).select(pl.col("b")).collect()

    assert user_place(caught(call), (HERE,)) == (place(call.__code__.co_firstlineno + 1), False)


def test_an_error_elsewhere_has_no_place() -> None:
    assert user_place(caught(fail), ("/somewhere/else",)) == ("", False)


def test_a_project_that_lies_beside_another_with_its_name_is_not_mixed_up() -> None:
    assert user_place(caught(fail), (HERE[:-1],)) == ("", False)
