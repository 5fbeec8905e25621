from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

import kindling as k

Declare = Callable[..., dict[str, object]]


@pytest.fixture
def declare() -> Declare:
    """Run source text as if it stood in a file, so that places in faults are known exactly."""

    def run(source: str, file: str = "shop.py", **names: object) -> dict[str, object]:
        space: dict[str, object] = {"k": k, "__name__": file.partition(".")[0], **names}
        exec(compile(dedent(source).lstrip("\n"), file, "exec"), space)  # noqa: S102  # source of this test
        return space

    return run
