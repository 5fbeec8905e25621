"""Spark Connect on real servers: pools and tags, settings, cancelling, kills, credentials."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from kindling_plugin_spark.connect import ConnectPlatform
from kindling_plugin_spark.connect_session import ConnectSession
from kindling_plugin_spark.endpoint import Endpoint
from kindling_plugin_spark.plugin import open_platform
from kindling_plugin_spark.servers import OwnServer

from kindling.errors import ConfigError, EngineLostError, RunError, TaskCancelledError, UsageError
from kindling.hooks.platform import PlatformSpec, Session, SessionSpec
from kindling.polling import poll

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CROSS_JOIN = "SELECT sum(hash(a.id, b.id)) AS s FROM range(2000000) a CROSS JOIN range(2000000) b"
STAGES = (
    "SELECT a.k, count(*) AS n FROM (SELECT id % 7 AS k, id FROM range(3000000)) a"
    " JOIN (SELECT id % 7 AS k FROM range(3000000)) b ON a.k = b.k GROUP BY a.k"
)
PATIENCE_S = 120.0


def opened(platform: ConnectPlatform, tag: str, **settings: str) -> ConnectSession:
    session = platform.open_session(
        SessionSpec(tag, {f"spark.sql.{key}": text for key, text in settings.items()})
    )
    assert isinstance(session, ConnectSession)
    return session


class Work:
    """A query that runs in a thread, and how it ended."""

    def __init__(self, session: Session, query: str) -> None:
        self.error: BaseException | None = None
        self._session, self._query = session, query
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._session.preview(self._session.sql(self._query, {}), 1)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def ended(self) -> BaseException | None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()
        return self.error


@pytest.fixture
def rest(connect: ConnectPlatform, ui_port: int) -> Callable[[str], list[dict[str, object]]]:
    """Ask the server's own monitoring."""
    opened(connect, "rest").close()
    address = f"http://127.0.0.1:{ui_port}/api/v1/applications"

    def ask(path: str) -> list[dict[str, object]]:
        with urlopen(address) as found:  # a fixed scheme
            app = json.load(found)[0]["id"]
        with urlopen(f"{address}/{app}/{path}") as found:  # noqa: S310  # the same
            answer: list[dict[str, object]] = json.load(found)
        return answer

    return ask


def jobs_of(rest: Callable[[str], list[dict[str, object]]], tag: str) -> list[dict[str, object]]:
    return [
        job
        for job in rest("jobs")
        if any(str(text).endswith(f"_Tag_{tag}") for text in job.get("jobTags", []))
    ]  # type: ignore[attr-defined]  # a list


@pytest.fixture
def remote(connect: ConnectPlatform, tmp_path: Path) -> Iterator[ConnectPlatform]:
    """The server seen as one that somebody else runs."""
    opened(connect, f"start of {tmp_path.name}").close()
    assert connect.server is not None
    made = ConnectPlatform(PlatformSpec("test", work_dir=str(tmp_path)), connect.server.endpoint)
    yield made
    made.close()


def test_settings_belong_to_one_session_and_what_kindling_relies_on_is_always_set(
    connect: ConnectPlatform,
) -> None:
    first, second = opened(connect, "s1"), opened(connect, "s2", **{"shuffle.partitions": "7"})
    found = [session.spark.conf.get("spark.sql.shuffle.partitions") for session in (first, second)]
    assert found == ["2", "7"]
    assert first.spark.conf.get("spark.sql.timestampType") == "TIMESTAMP_LTZ"
    for session in (first, second):
        session.close()


def test_a_setting_that_no_session_may_have_is_refused(connect: ConnectPlatform) -> None:
    with pytest.raises(ConfigError) as caught:
        connect.open_session(SessionSpec("s", {"spark.driver.memory": "7g"}))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-323: the setting 'spark.driver.memory' cannot be set for a session",
        '  why: [CANNOT_MODIFY_CONFIG] Cannot modify the value of the Spark config: "spark.driver.memory".',
        "  do: set it where Spark is started, and take it out of [spark] of this environment",
    ]
    with pytest.raises(ConfigError, match="'false' on the platform 'spark'"):
        connect.open_session(SessionSpec("s", {"spark.sql.ansi.enabled": "false"}))
    opened(connect, "s").close()


def test_each_live_session_has_a_pool_of_its_own_and_its_jobs_carry_its_tag(
    connect: ConnectPlatform, rest: Callable[[str], list[dict[str, object]]]
) -> None:
    sessions = [opened(connect, f"pooled-{number}") for number in range(2)]
    pools = [session.pool for session in sessions]
    assert len(set(pools)) == 2
    for session, pool in zip(sessions, pools, strict=True):
        thread = threading.Thread(target=lambda: session.spark.range(10).count())  # noqa: B023  # it ends below
        thread.start()  # a pipe's own action in a thread of its own carries them too
        thread.join(PATIENCE_S)
        [job, *_] = jobs_of(rest, session.wire.tag)
        [stage, *_] = [one for one in rest("stages") if one["stageId"] in job["stageIds"]]  # type: ignore[operator]  # a list
        assert stage["schedulingPool"] == pool
        session.close()


@pytest.mark.parametrize("query", [CROSS_JOIN, STAGES], ids=["one stage", "several stages"])
@pytest.mark.parametrize("seen_as", ["connect", "remote"])
def test_nothing_of_a_cancelled_session_runs_any_more(
    request: pytest.FixtureRequest, query: str, seen_as: str, rest: Callable[[str], list[dict[str, object]]]
) -> None:
    platform: ConnectPlatform = request.getfixturevalue(seen_as)
    tag = f"long {seen_as} {len(query)}"
    session, other = opened(platform, tag), opened(platform, f"other of {tag}")
    work = Work(session, query)
    assert poll(lambda: any(job["status"] == "RUNNING" for job in jobs_of(rest, tag)), timeout_s=PATIENCE_S)
    assert platform.cancel(tag, PATIENCE_S) is True
    assert [job for job in jobs_of(rest, tag) if job["status"] == "RUNNING"] == []
    assert isinstance(work.ended(), TaskCancelledError)
    assert other.preview(other.sql("SELECT 1 AS n", {}), 1).rows == ((1,),)
    with pytest.raises(TaskCancelledError):
        session.preview(session.sql("SELECT 1 AS n", {}), 1)
    session.close()
    other.close()


def test_rows_shared_on_a_foreign_server_stay_there_until_the_run_ends(
    remote: ConnectPlatform, connect: ConnectPlatform
) -> None:
    first, second = opened(remote, "first"), opened(remote, "second")
    ref = first.share(first.sql("SELECT rand() AS r", {}), "chance")
    first.close()
    found = [second.preview(second.attach(ref), 1).rows for _ in range(2)]
    assert found[0] == found[1]
    view = remote.shared_view("chance")
    probe = opened(connect, "probe")
    assert probe.spark.catalog.tableExists(f"global_temp.{view}")
    remote.close()
    assert not probe.spark.catalog.tableExists(f"global_temp.{view}")
    assert connect.is_healthy(), "a foreign server is never stopped"
    probe.close()


def test_a_tag_is_used_by_one_session_at_a_time(connect: ConnectPlatform) -> None:
    session = opened(connect, "twice")
    with pytest.raises(UsageError) as caught:
        connect.open_session(SessionSpec("twice"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-302: cannot open a session for 'twice'",
        "  why: a live session has this tag",
    ]
    session.close()


def test_a_wrong_token_is_refused_and_shown_nowhere(
    connect: ConnectPlatform, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened(connect, "started").close()
    assert connect.server is not None
    port = connect.server.endpoint.port
    spec = PlatformSpec(
        "test",
        {"url": f"sc://localhost:{port}", "token": "secret://vault/token"},
        work_dir=str(tmp_path),
        secret=lambda _: "wrong-geheim",
    )
    platform = open_platform(spec)
    with pytest.raises(RunError) as caught:
        platform.open_session(SessionSpec("s"))
    platform.close()
    assert str(caught.value).splitlines() == [
        f"KDL-INFRA-322: the Spark Connect server 'sc://localhost:{port}' refuses the credentials",
        "  why: it answers that the token is wrong, missing or not allowed to do this",
        "  do: set `token` of [platform.spark] to a valid one, as secret://vault/path",
    ]
    assert (
        "geheim"
        not in f"{caught.value!r} {caught.value.__cause__} {caplog.text} {platform!r} {vars(platform)}"
    )


def test_a_server_that_is_not_there_is_told_in_bounded_time(tmp_path: Path, unused: int) -> None:
    spec = PlatformSpec("test", {"connect_seconds": 5}, work_dir=str(tmp_path))
    platform = ConnectPlatform(spec, Endpoint("127.0.0.1", unused))
    began = time.monotonic()
    with pytest.raises(EngineLostError) as caught:
        platform.open_session(SessionSpec("s"))
    assert time.monotonic() - began < 60
    lines = str(caught.value).splitlines()
    assert lines[0] == f"KDL-INFRA-321: the Spark Connect server 'sc://127.0.0.1:{unused}' cannot be reached"
    assert "Connection refused" in lines[1]
    assert lines[2] == (
        "  do: check `url` of [platform.spark], that the server runs, and whether it wants use_ssl=true"
    )
    assert platform.is_healthy() is False
    platform.close()


def test_a_killed_server_is_lost_and_the_next_session_starts_another(tmp_path: Path) -> None:
    quick = {"spark.driver.memory": "512m", "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"}
    own = ConnectPlatform(PlatformSpec("test", {}, quick, str(tmp_path)), None)
    session = opened(own, "long")
    server = own.server
    assert isinstance(server, OwnServer)
    foreign = ConnectPlatform(
        PlatformSpec("test", {"patience_seconds": 1}, work_dir=str(tmp_path)), server.endpoint
    )
    guest = opened(foreign, "guest")
    works = [Work(session, CROSS_JOIN), Work(guest, CROSS_JOIN)]
    for one in (session, guest):
        assert poll(lambda: one.wire.active, timeout_s=PATIENCE_S)  # noqa: B023  # it ends here
    os.kill(java_of(server), signal.SIGKILL)
    first, second = (work.ended() for work in works)
    assert str(first).splitlines() == [
        "KDL-INFRA-304: the Spark server of this run was lost",
        "  why: its process ended",
        "  do: run again with --resume; sessions are opened anew",
    ]
    assert str(second).splitlines() == [
        f"KDL-INFRA-304: the Spark Connect server {str(server.endpoint)!r} was lost",
        "  why: it does not answer, or was started anew",
        "  do: run again with --resume; sessions are opened anew",
    ]
    for platform, error, lost in ((own, first, session), (foreign, second, guest)):
        assert isinstance(error, EngineLostError)
        assert platform.is_transient(error)
        lost.close()
    foreign.close()
    after = opened(own, "after")
    assert after.engine != server.name
    assert after.preview(after.sql("SELECT 1 AS n", {}), 1).rows == ((1,),)
    assert_it_ends_with_its_parent(own)


def assert_it_ends_with_its_parent(platform: ConnectPlatform) -> None:
    """Close the pipe whose other end the server reads, as the end of this process would."""
    server = platform.server
    assert isinstance(server, OwnServer)
    java = java_of(server)
    server.leave()
    assert poll(lambda: not Path(f"/proc/{java}").exists(), timeout_s=PATIENCE_S)
    platform.close()


def java_of(server: OwnServer) -> int:
    found = subprocess.run(["pgrep", "-P", str(server.pid)], check=True, capture_output=True, text=True)
    return int(found.stdout.split()[0])


@pytest.fixture
def unused() -> int:
    """A port on which nobody answers."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
