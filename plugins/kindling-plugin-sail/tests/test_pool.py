from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake
from kindling_plugin_sail.platform import SailPlatform
from kindling_plugin_sail.pool import config_request
from kindling_plugin_sail.session import SailSession

from kindling.errors import EngineLostError
from kindling.hooks.platform import PathRead, PathWrite, PlatformSpec, SessionSpec
from kindling.schemas import Schema


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SailPlatform]:
    """A platform whose idle sessions are left by these tests alone; tables by name go to its own folder."""
    folder = tmp_path_factory.mktemp("work")
    with chdir(folder):
        platform = SailPlatform(PlatformSpec("test", work_dir=str(folder)))
    yield platform
    platform.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[SailPlatform]:
    """A platform of the test's own."""
    platform = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
    yield platform
    platform.close()


def opened(platform: SailPlatform, tag: str = "task", **settings: str) -> SailSession:
    session = platform.open_session(SessionSpec(tag, settings))
    assert isinstance(session, SailSession)
    return session


def is_reused(platform: SailPlatform, work: Callable[[SailSession], object]) -> bool:
    """Run a task's work; tell whether the next task gets the same session of the engine."""
    first = opened(platform)
    try:
        work(first)
    finally:
        first.close()
    again = opened(platform)
    try:
        return again.place == first.place
    finally:
        again.close()


def test_the_first_task_gets_the_session_that_was_made_during_the_import(own: SailPlatform) -> None:
    first = opened(own)
    assert first.wire.requests == {}
    ids = {first.place.id}
    first.close()
    again = opened(own)
    assert again.wire.requests == {}
    assert ids == {again.place.id}
    again.close()


@pytest.mark.parametrize("user", [None, "zoë", "u" * 300])
def test_the_first_request_is_one_that_pyspark_would_send(user: str | None) -> None:
    from pyspark.sql.connect.proto import ConfigRequest

    made = ConfigRequest.FromString(config_request("an id", user, {"a": "x", "b": "y" * 200}))
    assert made.session_id == "an id"
    assert made.user_context.user_id == (user or "")
    assert {pair.key: pair.value for pair in made.operation.set.pairs} == {"a": "x", "b": "y" * 200}


def test_each_session_is_told_its_settings_in_one_request_however_it_is_opened(own: SailPlatform) -> None:
    first, second = opened(own, "made during the import"), opened(own, "made for a task")
    assert (first.wire.requests, second.wire.requests) == ({}, {"Config": 1})
    first.close()
    third = opened(own, "left by another task")
    other = opened(own, "with settings", **{"spark.sql.caseSensitive": "true"})
    assert (third.wire.requests, other.wire.requests) == ({}, {"Config": 1})
    keys = ("spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.caseSensitive")
    told = [[session.spark.conf.get(key) for key in keys] for session in (second, third, other)]
    assert told == [["true", "UTC", "false"], ["true", "UTC", "false"], ["true", "UTC", "true"]]
    for session in (second, third, other):
        session.close()


def test_an_engine_that_does_not_start_is_told_by_the_first_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAIL_MODE", "none of these")
    platform = SailPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
    try:
        with pytest.raises(EngineLostError) as caught:
            opened(platform)
    finally:
        platform.close()
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-INFRA-102: the engine of the platform 'sail' did not start"
    assert lines[1].startswith("  why: ")
    assert lines[2:] == ["  do: python -m kindling_plugin_sail.server"]


def test_the_next_task_goes_on_in_a_session_that_was_left_as_it_was(
    pool: SailPlatform, tmp_path: Path
) -> None:
    target = str(tmp_path / "t")

    def work(session: SailSession) -> None:
        frame = session.sql("SELECT id FROM flights WHERE id > 0", {"flights": session.spark.range(5)})
        guarded = session.fail_when(session.cast(frame, session.schema(frame)), {"rule": "id > 9"})
        session.save(guarded, PathWrite("delta", target, "overwrite"))
        session.execute(f"UPDATE delta.`{target}` SET id = 7 WHERE id = 1")
        session.preview(session.load(PathRead("delta", (target,))), 3)
        session.from_arrow(pa.table({"a": [1]}), Schema.of(a="bigint"))
        session.attach(session.share(frame, "shared"))

    assert is_reused(pool, work)


VIEWS: dict[str, Callable[[SailSession], object]] = {
    "view of a frame": lambda s: s.spark.range(1).createOrReplaceTempView("left_behind"),
    "global view": lambda s: s.spark.range(1).createOrReplaceGlobalTempView("left_behind"),
    "view by SQL": lambda s: s.spark.sql("CREATE TEMP VIEW left_behind AS SELECT 1").collect(),
    "view by the session's SQL": lambda s: s.execute("CREATE OR REPLACE TEMP VIEW left_behind AS SELECT 1"),
    "lazy SQL": lambda s: s.sql("CREATE TEMP VIEW left_behind AS SELECT 1", {}),
    "setting": lambda s: s.spark.conf.set("spark.sql.caseSensitive", "true"),
    "table": lambda s: s.spark.range(1).write.saveAsTable("left_behind"),
    "database": lambda s: s.spark.catalog.setCurrentDatabase("default"),
    "function": lambda s: s.spark.udf.register("left_behind", lambda: 1),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_session_in_which_something_was_left_is_not_used_again(pool: SailPlatform, name: str) -> None:
    assert not is_reused(pool, VIEWS[name])
    after = opened(pool)
    with pytest.raises(Exception, match="left_behind"):
        after.preview(after.sql("SELECT * FROM left_behind", {}), 1)
    after.close()


def test_a_session_with_an_error_a_stop_or_half_an_answer_is_not_used_again(pool: SailPlatform) -> None:
    def fail(session: SailSession) -> None:
        with pytest.raises(Exception, match="nowhere"):
            session.schema(session.sql("SELECT * FROM nowhere", {}))

    def stop(session: SailSession) -> None:
        assert pool.cancel("task", 1.0)

    def leave_rows(session: SailSession) -> None:
        next(iter(session.spark.range(100_000).toLocalIterator()))

    for work in (fail, stop, leave_rows):
        assert not is_reused(pool, work), work


def test_a_frame_that_outlives_its_task_cannot_be_computed(pool: SailPlatform) -> None:
    first = opened(pool)
    frame = first.spark.range(3)
    first.close()
    again = opened(pool)
    assert again.place == first.place
    with pytest.raises(Exception, match=r"NO_ACTIVE_SESSION"):
        frame.collect()
    again.close()


def test_pipe_code_that_stops_its_session_stops_no_other(pool: SailPlatform) -> None:
    other = opened(pool, "other")
    assert not is_reused(pool, lambda session: session.spark.stop())
    assert other.preview(other.spark.range(1), 1).rows == ((0,),)
    other.close()


def test_a_session_goes_to_a_task_with_the_same_settings_only(own: SailPlatform) -> None:
    strict = {"spark.sql.caseSensitive": "true"}
    first = opened(own, **strict)
    second = opened(own, "other")
    first.close()
    second.close()
    plain, again = opened(own, "plain"), opened(own, "again", **strict)
    assert plain.place == second.place
    assert again.place == first.place
    with pytest.raises(Exception, match="ID"):
        again.schema(again.select(again.spark.range(1), [("a", "ID")]))
    assert plain.schema(plain.select(plain.spark.range(1), [("a", "ID")])).names == ("a",)
    plain.close()
    again.close()


def test_live_sessions_are_never_shared_and_idle_ones_never_more_than_were_live(own: SailPlatform) -> None:
    live: set[str] = set()
    seen: set[str] = set()
    lock = threading.Lock()

    def task(number: int) -> None:
        session = opened(own, f"task {number}")
        with lock:
            assert session.place.id not in live
            live.add(session.place.id)
            seen.add(session.place.id)
        assert session.preview(session.spark.range(number, number + 1), 1).rows == ((number,),)
        with lock:
            live.remove(session.place.id)
        session.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(task, range(40)))
    assert len(seen) <= 4


def test_a_session_that_is_used_again_sees_what_others_wrote_meanwhile(
    pool: SailPlatform, tmp_path: Path
) -> None:
    files, table = tmp_path / "files", str(tmp_path / "table")
    files.mkdir()
    places = set()
    for round_ in range(3):
        data = pa.table({"a": pa.array([round_] * (round_ + 1), pa.int64())})
        pq.write_table(data, files / "same.parquet")  # type: ignore[no-untyped-call]
        pq.write_table(data, files / f"new{round_}.parquet")  # type: ignore[no-untyped-call]
        write_deltalake(table, data, mode="overwrite")
        session = opened(pool)
        places.add(session.place.id)
        rows = session.preview(session.load(PathRead("delta", (table,))), 9).rows
        assert rows == ((round_,),) * (round_ + 1)
        found = session.aggregate(
            session.load(PathRead("parquet", (str(files),))),
            [("n", "count(*)"), ("s", "sum(a)"), ("m", "max(a)")],
        )
        expected = [*range(round_ + 1), round_]
        counts = [number + 1 for number in expected]
        total = sum(number * count for number, count in zip(expected, counts, strict=True))
        assert found == {"n": sum(counts), "s": total, "m": round_}
        session.close()
    assert len(places) == 1
