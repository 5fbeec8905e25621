from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable
from kindling_plugin_sail.platform import SailPlatform
from kindling_plugin_sail.session import SailSession

from kindling.errors import EngineLostError, TaskCancelledError, UsageError
from kindling.hooks.platform import PathRead, PathWrite, PlatformSpec, SessionSpec
from kindling.polling import poll

CROSS_JOIN = "SELECT sum(hash(a.id, b.id)) AS s FROM range(2000000) a CROSS JOIN range(2000000) b"
SCAN = "SELECT sum(hash(id)) AS s FROM range(20000000000)"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SailPlatform]:
    """A platform of the test's own: its engine may be killed."""
    opened = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
    yield opened
    opened.close()


def opened(platform: SailPlatform, tag: str) -> SailSession:
    session = platform.open_session(SessionSpec(tag))
    assert isinstance(session, SailSession)
    return session


def count(session: SailSession, rows: int = 3) -> object:
    return session.aggregate(session.spark.range(rows), [("n", "count(*)")])["n"]


class Work:
    """Something that runs in a thread and keeps how it ended."""

    def __init__(self, session: SailSession, query: str, target: str = "") -> None:
        self.error: BaseException | None = None
        self._session, self._query, self._target = session, query, target
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert poll(lambda: session.wire.active, timeout_s=5)
        time.sleep(0.5)
        assert self._thread.is_alive(), self.error

    def _run(self) -> None:
        frame = self._session.sql(self._query, {})
        try:
            if self._target:
                self._session.save(frame, PathWrite("delta", self._target, "overwrite"))
            else:
                self._session.preview(frame, 1)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def ended(self, timeout_s: float) -> BaseException | None:
        self._thread.join(timeout_s)
        assert not self._thread.is_alive()
        return self.error


@pytest.mark.parametrize("query", [CROSS_JOIN, SCAN])
def test_a_long_query_is_gone_within_three_seconds(own: SailPlatform, query: str) -> None:
    session = opened(own, "long")
    work = Work(session, query)
    began = time.monotonic()
    assert own.cancel("long", 3.0) is True
    assert time.monotonic() - began < 5.0
    assert isinstance(work.ended(1.0), (TaskCancelledError, EngineLostError))
    session.close()
    after = opened(own, "next")
    assert count(after) == 3
    assert after.wire.engine.is_quiet(1.0)


def test_a_cancelled_write_never_looks_like_a_success(own: SailPlatform, tmp_path: Path) -> None:
    target = str(tmp_path / "t")
    session = opened(own, "writer")
    session.save(session.spark.range(3), PathWrite("delta", target, "overwrite"))
    work = Work(session, "SELECT id FROM range(20000000000) WHERE hash(id) = 0 AND id < 0", target)
    assert own.cancel("writer", 3.0) is True
    error = work.ended(1.0)
    assert isinstance(error, TaskCancelledError)
    assert str(error) == "KDL-INFRA-103: the work of 'writer' was stopped on the engine"
    assert DeltaTable(target).version() == 0
    with pytest.raises(TaskCancelledError):
        session.save(session.spark.range(3), PathWrite("delta", target, "append"))


def test_others_work_on_where_an_interrupt_was_enough(own: SailPlatform) -> None:
    other, session = opened(own, "other"), opened(own, "long")
    work, busy = Work(session, SCAN), Work(other, SCAN)
    assert own.cancel("long", 2.0) is True
    assert isinstance(work.ended(1.0), TaskCancelledError)
    assert busy.error is None
    engine = other.wire.engine
    assert opened(own, "later").wire.engine is not engine, "it may still compute, so it gets nothing new"
    assert own.cancel("other", 2.0) is True
    busy.ended(1.0)
    for tag in (session, other):
        tag.close()
    assert not engine.alive, "it ends with its last session"


def test_after_a_kill_other_sessions_know_why_and_new_ones_work(own: SailPlatform) -> None:
    session = opened(own, "victim")
    ref = session.share(session.spark.range(3), "shared")
    assert session.preview(session.attach(ref), 1)
    work = Work(session, SCAN)
    session.wire.engine.kill("it was killed to stop 'silver.flights'")
    for error in (work.ended(2.0), lost(session)):
        assert str(error).splitlines() == [
            "KDL-INFRA-101: the engine of the platform 'sail' was lost",
            "  why: it was killed to stop 'silver.flights'",
            "  do: run again with --resume; the engine is started anew",
        ]
        assert error is not None
        assert own.is_transient(error)
    assert not own.is_healthy()
    session.close()
    after = opened(own, "next")
    assert count(after) == 3
    assert own.is_healthy()
    with pytest.raises(EngineLostError, match="shared"):
        after.attach(ref)


def lost(session: SailSession) -> EngineLostError:
    with pytest.raises(EngineLostError) as caught:
        session.schema(session.spark.range(1))
    return caught.value


def test_an_engine_that_is_killed_from_outside_is_reported_as_lost(own: SailPlatform) -> None:
    session = opened(own, "victim")
    os.kill(session.wire.engine.pid, signal.SIGKILL)
    assert "its process ended with code -9" in str(lost(session))
    assert own.explain(lost(session)).startswith("KDL-INFRA-101")


def test_closing_ends_everything_at_once(own: SailPlatform) -> None:
    session = opened(own, "busy")
    work = Work(session, CROSS_JOIN)
    engine = session.wire.engine
    began = time.monotonic()
    own.close()
    own.close()
    assert time.monotonic() - began < 3.0
    assert not engine.alive
    assert work.ended(2.0) is not None
    with pytest.raises(UsageError) as caught:
        own.open_session(SessionSpec("late"))
    assert str(caught.value).splitlines() == [
        "KDL-INFRA-104: cannot open a session for 'late'",
        "  why: the platform is closed",
    ]


def test_a_tag_names_one_live_session(platform: SailPlatform) -> None:
    session = opened(platform, "once")
    with pytest.raises(UsageError, match="a live session has this tag"):
        platform.open_session(SessionSpec("once"))
    session.close()
    opened(platform, "once").close()


def test_a_tag_may_hold_any_text(platform: SailPlatform) -> None:
    session = opened(platform, "silver.flights[2013-01-01T00:00:00Z/2013-01-02T00:00:00Z], ä")
    assert count(session) == 3
    session.close()


def test_threads_work_side_by_side(platform: SailPlatform, tmp_path: Path) -> None:
    def work(number: int) -> object:
        session = opened(platform, f"thread {number}")
        target = str(tmp_path / str(number))
        frame = session.sql("SELECT id FROM flights", {"flights": session.spark.range(number)})
        session.save(frame, PathWrite("delta", target, "overwrite"))
        found = session.aggregate(session.load(PathRead("delta", (target,))), [("n", "count(*)")])["n"]
        session.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(16))) == list(range(16))


def test_each_session_has_its_own_settings_and_all_have_utc(platform: SailPlatform) -> None:
    strict = platform.open_session(SessionSpec("strict", {"spark.sql.caseSensitive": "true"}))
    loose = platform.open_session(SessionSpec("loose"))
    assert isinstance(strict, SailSession)
    assert isinstance(loose, SailSession)
    with pytest.raises(Exception, match="ID"):
        strict.schema(strict.select(strict.spark.range(1), [("a", "ID")]))
    assert loose.schema(loose.select(loose.spark.range(1), [("a", "ID")])).names == ("a",)
    for session in (strict, loose):
        zone = session.preview(session.select(session.spark.range(1), [("z", "current_timezone()")]), 1)
        assert zone.rows[0][0] in ("UTC", "Etc/UTC")
        session.close()


def test_a_scratch_folder_of_its_own_is_removed() -> None:
    made = SailPlatform(PlatformSpec("test"))
    folder = Path(made._work_dir)
    assert folder.is_dir()
    made.close()
    assert not folder.exists()


WORKER = """
import os, sys, time
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling_plugin_sail.plugin import open_platform

def main(how, folder):
    platform = open_platform(PlatformSpec("test", work_dir=folder))
    session = platform.open_session(SessionSpec("task"))
    assert session.preview(session.spark.range(2), 5).rows == ((0,), (1,))
    assert "pandas" not in sys.modules, "pandas is kept out"
    print(session.wire.engine.pid, flush=True)
    if how == "lost":
        session.wire.engine.kill("test")
    if how == "sleep":
        time.sleep(60)
    if how == "pandas":
        import pandas
        frame = session.spark.createDataFrame(pandas.DataFrame({"a": [1, 2]}))
        assert frame.toPandas()["a"].sum() == 3
        assert pandas.api.types.is_integer_dtype(frame.toPandas()["a"])

main(*sys.argv[1:])
"""


def worker(how: str, folder: Path) -> subprocess.Popen[str]:
    script = folder / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, "-W", "error", str(script), how, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def test_a_killed_worker_takes_its_engine_along(tmp_path: Path) -> None:
    with worker("sleep", tmp_path) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert not is_gone(pid)
        process.kill()
    assert poll(lambda: is_gone(pid), timeout_s=5)


@pytest.mark.parametrize("how", ["forget", "lost", "pandas"])
def test_a_worker_ends_at_once_even_if_it_closes_nothing(tmp_path: Path, how: str) -> None:
    process = worker(how, tmp_path)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert poll(lambda: is_gone(int(output)), timeout_s=5)
