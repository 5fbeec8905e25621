from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kindling_plugin_openlineage.collector import Collector
from kindling_plugin_openlineage.courier import Courier
from kindling_plugin_openlineage.outbox import RunFile
from receiver import LIMIT_S, Receiver, receiver

LINE = b'{"n":1}'


@pytest.fixture
def file(tmp_path: Path) -> Iterator[RunFile]:
    made = RunFile.create(tmp_path, "r")
    yield made
    made.release()


def courier(server: Receiver, *files: RunFile) -> Courier:
    return Courier(Collector(server.url, 5.0), files, lambda _, __: None)


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_what_is_added_is_delivered_as_it_comes(file: RunFile) -> None:
    with receiver() as server:
        made = courier(server, file)
        for count in range(1, 4):
            file.append([LINE])
            made.wake()
            server.wait_for(lambda one, count=count: len(one.taken) == count)  # type: ignore[misc]  # a default
        assert made.close(LIMIT_S) == ""
    assert file.is_delivered(["http"])
    assert "openlineage" not in names()


def test_a_thread_that_has_nothing_to_do_ends_at_once(file: RunFile) -> None:
    with receiver() as server:
        made = courier(server, file)
        started = time.monotonic()
        assert made.close(LIMIT_S) == ""
        assert time.monotonic() - started < LIMIT_S / 2
        assert server.asked == 0


def test_a_collector_that_was_away_is_asked_once_more_at_the_end(file: RunFile) -> None:
    file.append([LINE])
    is_up = False
    with receiver(lambda _: (201, {}) if is_up else (503, {})) as server:
        made = courier(server, file)
        server.wait_for(lambda one: one.asked > 0)
        is_up = True
        assert made.close(LIMIT_S) == ""
        assert len(server.taken) == 1


def test_an_outbox_that_is_gone_ends_the_thread(file: RunFile) -> None:
    with receiver() as server:
        made = courier(server, file)
        file.append([LINE])
        file.release()
        made.wake()
        assert made.close(LIMIT_S) == "Bad file descriptor"
