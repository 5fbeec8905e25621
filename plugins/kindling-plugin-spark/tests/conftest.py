from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kindling.hooks.platform import Platform, PlatformSpec

if TYPE_CHECKING:
    from kindling_plugin_spark.connect import ConnectPlatform

# pyspark and pyspark-client exclude one another, so these tests have a tox environment of their own.
collect_ignore_glob = [] if find_spec("kindling_plugin_spark") else ["test_*.py"]

QUICK = {
    # Tiny queries run a few times: the optimising compiler costs more than it brings, and threads of the
    # parallel collector are too many for two cores.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.driver.memory": "1g",
    "spark.sql.codegen.wholeStage": "false",
}


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One classic Spark, and so one JVM, for all tests of this folder."""
    from kindling_plugin_spark.platform import SparkPlatform

    made = SparkPlatform(PlatformSpec("test", {}, QUICK, str(tmp_path_factory.mktemp("spark"))))
    yield made
    made.close()


@pytest.fixture(scope="session")
def ui_port() -> int:
    """The port of the Connect server's REST interface."""
    return free_port()


@pytest.fixture(scope="session")
def connect(tmp_path_factory: pytest.TempPathFactory, ui_port: int) -> Iterator[ConnectPlatform]:
    """One Connect server in another process for all tests that do not kill it."""
    from kindling_plugin_spark.connect import ConnectPlatform

    shown = {"spark.ui.enabled": "true", "spark.ui.port": str(ui_port)}
    folder: Path = tmp_path_factory.mktemp("connect")
    made = ConnectPlatform(PlatformSpec("test", {}, {**QUICK, **shown}, str(folder)), None)
    yield made
    made.close()
