"""The platform: starting, cancelling, threads, isolation, settings, explaining. On the real engine."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from kindling_plugin_duckdb.engine import DuckDBPlatform

from kindling.errors import EngineLostError, RunError
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling.schemas import Schema

if TYPE_CHECKING:
    from pathlib import Path

    from kindling_plugin_duckdb.session import DuckDBSession

LONG = "SELECT count(*) AS n FROM a CROSS JOIN a AS b CROSS JOIN a AS c WHERE sqrt(a.n * b.n + c.n) > 0.5"


def numbers(session: DuckDBSession, many: int) -> Any:
    import pyarrow as pa

    return session.from_arrow(pa.table({"n": pa.array(range(many), pa.int64())}), Schema.of(n="bigint"))


def test_a_cross_join_of_minutes_is_cancelled_within_a_second(platform: DuckDBPlatform) -> None:
    session: Any = platform.open_session(SessionSpec("long"))
    frame = session.sql(LONG, {"a": numbers(session, 5000)})
    ended: list[BaseException] = []

    def run() -> None:
        try:
            session.preview(frame, 1)
        except duckdb.InterruptException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not session.is_busy:
        time.sleep(0.01)
    time.sleep(0.3)
    began = time.monotonic()
    assert platform.cancel("long", 5.0) is True
    thread.join(5.0)
    assert time.monotonic() - began < 1.0
    assert len(ended) == 1
    assert session.count(numbers(session, 7)) == 7
    session.close()


def test_an_arrow_stream_is_cancelled(platform: DuckDBPlatform) -> None:
    session: Any = platform.open_session(SessionSpec("stream"))
    text = "SELECT a.n, sqrt(a.n * b.n) AS x FROM a CROSS JOIN a AS b CROSS JOIN a AS c"
    frame = session.sql(text, {"a": numbers(session, 2000)})
    stream = session.to_arrow(frame)
    assert stream.read_next_batch().num_rows > 0
    assert platform.cancel("stream", 5.0) is True
    with pytest.raises(Exception, match=r"(?i)interrupt"):
        stream.read_all()
    session.close()


def test_cancelling_an_unknown_session_says_that_nothing_runs(platform: DuckDBPlatform) -> None:
    assert platform.cancel("nobody", 0.1) is True


def pipes(session: Any) -> list[Any]:
    """Return what several different pipes compute."""
    F, W = session.frames.functions, session.frames.window  # noqa: N806  # PySpark's names
    base = numbers(session, 500).withColumn("k", F.col("n") % 7)
    found = []
    for place in range(4):
        ranked = base.where(f"n > {place}").withColumn(
            "r", F.row_number().over(W.partitionBy("k").orderBy("n"))
        )
        grouped = ranked.groupBy("k").agg(F.sum("r").alias("s"), F.avg(F.col("n") / (place + 1)).alias("a"))
        joined = grouped.join(base.groupBy("k").agg(F.max("n").alias("m")), "k").orderBy("k")
        found.append(session.collect(joined).rows)
        found.append(
            session.collect(session.sql("SELECT count(*) AS c FROM t WHERE s > 9", {"t": joined})).rows
        )
    return found


def test_eight_threads_with_several_pipes_each_equal_a_serial_run(platform: DuckDBPlatform) -> None:
    def work(number: int) -> list[Any]:
        session = platform.open_session(SessionSpec(f"worker-{number}"))
        try:
            return pipes(session)
        finally:
            session.close()

    serial = work(0)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(1, 17)))
    assert all(result == serial for result in found)


def test_functions_work_in_threads_that_a_pipe_starts(session: Any, table: Any) -> None:
    F = session.frames.functions  # noqa: N806  # PySpark's name
    with ThreadPoolExecutor(1) as pool:
        frame = pool.submit(lambda: table.select((F.col("i") + 1).alias("x"))).result()
    assert session.count(frame) == 3


def test_two_platforms_live_side_by_side(platform: DuckDBPlatform, tmp_path: Path) -> None:
    other = DuckDBPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
    first: Any = platform.open_session(SessionSpec("first"))
    second: Any = other.open_session(SessionSpec("second"))
    assert first.engine != second.engine
    frames = [numbers(first, 3), numbers(second, 4)]
    assert [first.count(frames[0]), second.count(frames[1])] == [3, 4]
    ref = first.share(frames[0], "kept")
    with pytest.raises(EngineLostError):
        second.attach(ref)
    other.close()
    assert first.count(frames[0]) == 3
    first.close()


def test_sessions_speak_utc(session: Any) -> None:
    found = session._views.rows("SELECT current_setting('TimeZone')")
    assert found[1] == (("UTC",),)


def test_settings_reach_duckdb(tmp_path: Path) -> None:
    settings = {"memory_limit": "500MB", "threads": 1, "temp_directory": str(tmp_path / "spill")}
    made = DuckDBPlatform(PlatformSpec("test", settings=settings))
    session: Any = made.open_session(SessionSpec("a"))
    found = session._views.rows(
        "SELECT current_setting('threads'), current_setting('memory_limit'),"
        " current_setting('temp_directory'), current_setting('autoinstall_known_extensions')"
    )
    assert found[1] == ((1, "476.8 MiB", str(tmp_path / "spill"), False),)
    made.close()


def test_wrong_settings_are_named() -> None:
    made = DuckDBPlatform(PlatformSpec("test", settings={"memory_limit": "lots"}))
    with pytest.raises(EngineLostError) as caught:
        made.open_session(SessionSpec("a"))
    lines = str(caught.value).splitlines()
    assert lines[0] == "KDL-INFRA-201: duckdb cannot be started"
    assert "lots" in lines[1] or "memory" in lines[1].lower()
    assert lines[2] == "  do: correct [platform.duckdb]: memory_limit like '4GB', threads 1 or more"


def test_a_large_sort_spills_into_the_scratch_folder(tmp_path: Path) -> None:
    made = DuckDBPlatform(PlatformSpec("test", settings={"memory_limit": "120MB"}, work_dir=str(tmp_path)))
    session: Any = made.open_session(SessionSpec("a"))
    frame = session._views.add("SELECT i AS n, md5(i::VARCHAR) AS h FROM range(2000000) t(i)")
    ref = session.share(frame.orderBy("h"), "sorted")
    assert session.count(session.attach(ref)) == 2_000_000
    made.close()


def test_a_closed_platform_starts_anew(tmp_path: Path) -> None:
    made = DuckDBPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
    first: Any = made.open_session(SessionSpec("a"))
    engine = first.engine
    assert first.count(first.where(numbers(first, 3), "n / 2 > 0")) == 2
    made.close()
    second: Any = made.open_session(SessionSpec("a"))
    assert second.engine != engine
    assert second.count(second.where(numbers(second, 3), "n / 2 > 0")) == 2
    made.close()
    made.close()


EXPLAINED = [
    ("SELECT nope FROM t", 'Binder Error: Referenced column "nope" not found in FROM clause!'),
    ("SELECT 1 / 0 AS x", "Invalid Input Error: [DIVIDE_BY_ZERO] Division by zero"),
]


@pytest.mark.parametrize(("text", "first"), EXPLAINED)
def test_errors_are_explained_without_stacks(
    platform: DuckDBPlatform, session: Any, table: Any, text: str, first: str
) -> None:
    with pytest.raises(duckdb.Error) as caught:
        session.collect(session.sql(text, {"t": table}))
    lines = platform.explain(caught.value).splitlines()
    assert lines[0] == first
    assert len(lines) <= 2
    assert platform.is_transient(caught.value) is False


def test_a_refusal_inside_of_a_stream_is_explained(platform: DuckDBPlatform) -> None:
    error = OSError(
        "Invalid Input Error: KDL-PORT-021: division of decimals | write CAST(... AS DOUBLE) / ..."
    )
    assert platform.explain(error) == "KDL-PORT-021: division of decimals\nwrite CAST(... AS DOUBLE) / ..."
    assert (
        platform.explain(RunError("KDL-X-001", "what", why="why", hint="hint")) == "KDL-X-001: what\nwhy: why"
    )
    assert platform.explain(ValueError()) == "ValueError"
    wrapped = OSError(
        "Generic DeltaTable error: Arrow error: IOError: Conversion Error: no number\n\nLINE 1: x\n  ^"
    )
    assert platform.explain(wrapped) == "Conversion Error: no number"


def test_neither_pandas_nor_pyspark_is_imported() -> None:
    code = """
import sys
from kindling_plugin_duckdb.engine import DuckDBPlatform
from kindling.hooks.platform import PlatformSpec, SessionSpec
from kindling.schemas import Schema
platform = DuckDBPlatform(PlatformSpec("test"))
session = platform.open_session(SessionSpec("a"))
assert not {"pyarrow", "numpy"} & set(sys.modules), "arrow is imported before it is used"
source = session.sql("SELECT n FROM VALUES (1L), (2L) AS v(n)", {})
frame = session.from_arrow(session.to_arrow(source).read_all(), Schema.of(n="bigint"))
F, W = session.frames.functions, session.frames.window
frame = frame.withColumn("r", F.row_number().over(W.orderBy("n"))).where("r > 0")
summed = session.sql("SELECT sum(n) AS s FROM t", {"t": frame})
assert session.to_arrow(summed).read_all().column("s")[0].as_py() == 3
assert session.preview(frame, 5).rows
platform.close()
print(sorted(name for name in sys.modules if name.split(".")[0] in ("pandas", "pyspark")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.stdout, done.stderr, done.returncode) == ("[]\n", "", 0)


def test_the_offer_imports_no_engine() -> None:
    code = """
import sys
import kindling_plugin_duckdb.plugin as plugin
assert [offer.name for offer in plugin.kindling_platform_offers()] == ["duckdb"]
print(sorted({"duckdb", "sqlframe", "sqlglot", "pyarrow"} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_threads_that_need_one_macro_at_once_all_find_it(tmp_path: Path) -> None:
    """A macro counts as made only once it is: many fresh engines, each asked by four threads at once."""
    for number in range(8):
        made = DuckDBPlatform(PlatformSpec("test", work_dir=str(tmp_path)))
        made.open_session(SessionSpec(f"first{number}")).close()
        gate = threading.Barrier(4)

        def ask(place: int, engine: DuckDBPlatform = made, wait: threading.Barrier = gate) -> list[Any]:
            session: Any = engine.open_session(SessionSpec(f"s{place}"))
            wait.wait()
            engine.make_macros("SELECT kdl_to_bigint(1)")
            return list(session._cursor.execute("SELECT kdl_to_bigint(1)").fetchall())

        with ThreadPoolExecutor(4) as pool:
            assert len(list(pool.map(ask, range(4)))) == 4
        made.close()
