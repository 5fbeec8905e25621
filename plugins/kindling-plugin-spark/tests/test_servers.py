from __future__ import annotations

from pathlib import Path

import pytest
from kindling_plugin_spark.client import check
from kindling_plugin_spark.endpoint import Endpoint
from kindling_plugin_spark.servers import OwnServer, RemoteServer

from kindling.errors import EngineLostError, PluginError


def test_a_server_that_does_not_start_tells_the_last_line_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    server = OwnServer({}, str(tmp_path))
    with pytest.raises(EngineLostError) as caught:
        _ = server.endpoint
    what, why, hint = str(caught.value).splitlines()
    assert what == "KDL-INFRA-301: the engine of the platform 'spark' did not start"
    assert "Java gateway process exited" in why
    assert hint == f"  do: look at {server.log.name!r} in the work folder"
    assert not server.alive


def test_a_server_of_somebody_else_is_not_killed_and_counts_as_gone_once_it_was_lost() -> None:
    server = RemoteServer(Endpoint("h", 7, {"token": "geheim"}), 1.0)
    assert server.kill("stop") is False
    assert server.alive
    assert "geheim" not in str(server.lost())
    assert not server.alive


def test_missing_client_libraries_are_told() -> None:
    check(())
    with pytest.raises(PluginError) as caught:
        check(("grpc", "grpc_status"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-324: Spark Connect lacks its client libraries",
        "  why: there is no grpc, grpc_status",
        "  do: pip install 'kindling-plugin-spark[connect]'",
    ]
