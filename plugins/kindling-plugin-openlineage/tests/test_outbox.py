from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from kindling_plugin_openlineage.outbox import Outbox, RunFile
from receiver import closed_port
from run_events import run_events
from sinks import OUTBOX, record, sink_of, waiting

from kindling.errors import InfrastructureError


def test_lines_are_read_back_from_where_a_target_got_to(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    file.append([b"a", b"bb", b"c" * (3 << 20)])
    file.append([b"d"])
    assert file.unsent("http", 2) == [b"a\n", b"bb\n"]
    file.advance("http", 5)
    assert [len(line) for line in file.unsent("http", 9)] == [(3 << 20) + 1, 2]
    assert file.unsent("file", 1) == [b"a\n"]
    assert not file.is_delivered(["http", "file"])
    file.release()
    again = RunFile.claim(file.path)
    assert again is not None
    assert (again.mark("http"), again.mark("file")) == (5, 0)
    again.advance("http", again.size)
    assert again.is_delivered(["http"])
    again.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_somebody_holds_cannot_be_taken_over(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    assert RunFile.claim(file.path) is None
    file.release()
    file.release()
    taken = RunFile.claim(file.path)
    assert taken is not None
    taken.remove()
    assert RunFile.claim(file.path) is None


def test_the_ends_of_a_file_are_found_however_long_its_lines_are(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    assert file.ends() == (b"", b"")
    file.append([b"a"])
    assert file.ends() == (b"a\n", b"a\n")
    file.append([b"b", b"c" * 100_000])
    assert file.ends() == (b"a\n", b"c" * 100_000 + b"\n")
    file.remove()


def test_a_new_file_has_no_name_before_it_is_held(tmp_path: Path) -> None:
    stop = Event()
    taken: list[RunFile] = []

    def take() -> None:
        while not stop.is_set():
            taken.extend(Outbox(tmp_path, 10_000, 1 << 20).claim()[0])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(take)
        try:
            files = [RunFile.create(tmp_path, f"r{number}") for number in range(300)]
        finally:
            stop.set()
    assert taken == []
    assert len({file.path for file in files}) == 300
    for file in files:
        file.remove()


def test_a_damaged_mark_means_that_everything_is_told_again(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "r")
    file.append([b"a"])
    for damage in (b"x", b"\xff", b"-1", b"999999"):
        file.path.with_name(f"{file.path.name}.http").write_bytes(damage)
        file.release()
        found = RunFile.claim(file.path)
        assert found is not None
        assert found.mark("http") == (2 if damage == b"999999" else 0)
        file = found
    file.release()


def test_the_name_of_a_run_may_be_anything(tmp_path: Path) -> None:
    file = RunFile.create(tmp_path, "../größe/" + "x" * 300)
    assert file.path.parent == tmp_path
    assert file.path.exists()
    file.release()


def left(folder: Path, name: str, size: int) -> None:
    (folder / f"{name}.jsonl").write_bytes(b"x" * (size - 1) + b"\n")
    (folder / f"{name}.jsonl.http").write_bytes(b"0")


def test_the_oldest_runs_are_dropped_where_too_many_wait(tmp_path: Path) -> None:
    for name in ("1-a", "2-b", "3-c"):
        left(tmp_path, name, 10)
    files, dropped = Outbox(tmp_path, 2, 1000).claim()
    assert ([file.path.name for file in files], dropped) == (["2-b.jsonl", "3-c.jsonl"], 1)
    assert not list(tmp_path.glob("1-a*"))


def test_the_oldest_runs_are_dropped_where_they_are_too_large(tmp_path: Path) -> None:
    for name, size in (("1-a", 10), ("2-b", 60), ("3-c", 30)):
        left(tmp_path, name, size)
    files, dropped = Outbox(tmp_path, 9, 50).claim()
    assert ([file.path.name for file in files], dropped) == (["3-c.jsonl"], 2)


def test_marks_without_their_file_are_removed(tmp_path: Path) -> None:
    (tmp_path / "1-a.jsonl.http").write_bytes(b"0")
    (tmp_path / "2-b.77.new").touch()
    os.utime(tmp_path / "2-b.77.new", (1, 1))
    (tmp_path / "refused.ndjson").write_bytes(b"{}\n")
    assert Outbox(tmp_path, 9, 50).claim() == ([], 0)
    assert [path.name for path in tmp_path.iterdir()] == ["refused.ndjson"]


def test_dropped_runs_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    for run in ("a", "b", "c"):
        record(sink_of(tmp_path, run, url=url, keep_runs=1))
    assert "lineage: the outbox was full: the waiting events of 1 older runs are dropped" in caplog.messages
    assert len(waiting(tmp_path)) == 2  # the one that is kept, and the newest


def test_an_outbox_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "box").write_text("a file")
    sink = sink_of(tmp_path, file="out.jsonl", outbox="box")
    with pytest.raises(InfrastructureError) as caught:
        sink.record(run_events())
    assert str(caught.value) == (
        f"KDL-LINE-101: events of lineage cannot be kept in '{tmp_path}/box'\n"
        "  why: File exists\n"
        "  do: free or mount its disk, or set outbox in [lineage.openlineage] to another folder"
    )
    sink.close()


def test_a_full_disk_is_told_and_keeps_whole_lines(tmp_path: Path) -> None:
    file = RunFile(Path("/dev/full"), os.open("/dev/full", os.O_RDWR))
    with pytest.raises(InfrastructureError) as caught:
        file.append([b"a"])
    assert str(caught.value).splitlines()[:2] == [
        "KDL-LINE-101: events of lineage cannot be kept in '/dev/full'",
        "  why: No space left on device",
    ]
    file.release()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_tells_more_than_the_outbox_takes_is_refused(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    sink = sink_of(tmp_path, url=url, keep_mb=1)
    sink.record(run_events())
    with pytest.raises(InfrastructureError) as caught:
        sink.record(run_events() * 100)
    assert str(caught.value) == (
        f"KDL-LINE-102: the outbox '{tmp_path}/{OUTBOX}' is full\n"
        "  why: 1 MB of this run's events wait: nothing takes them\n"
        "  do: see that the collector answers, or raise keep_mb in [lineage.openlineage]"
    )
    sink.close()
    assert sum(path.stat().st_size for path in waiting(tmp_path)) <= 1 << 20


def test_a_long_run_that_is_delivered_needs_no_more_room(tmp_path: Path) -> None:
    sink = sink_of(tmp_path, file="out.jsonl", keep_mb=1)
    for _ in range(100):
        sink.record(run_events())
    sink.close()
    assert (tmp_path / "out.jsonl").stat().st_size > 1 << 20
    assert waiting(tmp_path) == []
