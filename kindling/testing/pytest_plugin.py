"""The pytest plugin of pipeline authors: the fixture `kindling_run`. Light until it is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling.testing.run import PipeRunner


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--kindling-platform`."""
    parser.addoption("--kindling-platform", default="", help="Platform that kindling_run uses.")


@pytest.fixture(scope="session")
def kindling_run(request: pytest.FixtureRequest) -> Iterator[PipeRunner]:
    """Run pipes on a real engine: `kindling_run(pipe, given={handle: [{...}]})` returns rows as dicts."""
    from kindling.testing.run import pipe_runner

    with pipe_runner(
        request.config.getoption("--kindling-platform"), project=str(request.config.rootpath)
    ) as runner:
        yield runner
