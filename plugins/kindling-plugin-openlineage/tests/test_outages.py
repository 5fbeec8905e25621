"""A collector that is away, slow or unfriendly: no run fails or waits long, and nothing is lost."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from receiver import CUT, HANG, Receiver, closed_port, receiver
from run_events import run_events, told
from sinks import OUTBOX, events_of, record, sink_of, waiting

Answer = Callable[[int], tuple[int, dict[str, str]]]


def test_a_healthy_collector_gets_everything_in_order(tmp_path: Path) -> None:
    with receiver() as server:
        record(sink_of(tmp_path, url=server.url, drain_s=30, api_key="secret://vault/x"))
        assert server.taken == told()
        assert server.headers["Authorization"] == "Bearer key-1"
    assert waiting(tmp_path) == []


AWAY: dict[str, Answer] = {
    "fails": lambda _: (500, {}),
    "cuts": lambda _: (CUT, {}),
    "is busy for long": lambda _: (429, {"Retry-After": "500"}),
    "knows no such key": lambda _: (401, {}),
    "hangs": lambda _: (HANG, {}),
}


@pytest.mark.parametrize("case", AWAY)
def test_a_collector_that_is_away_costs_no_run_and_no_event(case: str, tmp_path: Path) -> None:
    with receiver(AWAY[case]) as server:
        assert record(sink_of(tmp_path, url=server.url, drain_s=0.5, timeout_s=60.0)) < 20
        assert server.asked > 0
    data = [path for path in waiting(tmp_path) if path.suffix == ".jsonl"]
    assert events_of(*data) == told()


def test_a_collector_that_is_not_there_is_not_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    with caplog.at_level(logging.WARNING):
        assert record(sink_of(tmp_path, url=url, drain_s=100)) < 30
    assert caplog.messages == [
        f"lineage: events wait for the next run: {url}/api/v1/lineage: Connection refused"
    ]


def test_recording_waits_for_no_collector(tmp_path: Path) -> None:
    with receiver(lambda _: (HANG, {})) as server:
        sink = sink_of(tmp_path, url=server.url, drain_s=0, timeout_s=60.0)
        started = time.monotonic()
        for _ in range(20):
            sink.record(run_events())
        assert time.monotonic() - started < 20
        server.wait_for(lambda one: one.asked == 1)
        sink.close()
    assert len(events_of(*waiting(tmp_path))) == 20 * len(told())


def test_what_waits_is_delivered_by_the_next_run_before_its_own(tmp_path: Path) -> None:
    port = closed_port()
    url = f"http://127.0.0.1:{port}"
    for run in ("20260101T000000Z-a", "20260101T000000Z-b"):
        record(sink_of(tmp_path, run, url=url))
    assert len(waiting(tmp_path)) == 2
    with receiver() as server:
        record(sink_of(tmp_path, url=server.url, drain_s=30))
        count = len(told())
        assert len(server.taken) == 3 * count
        assert server.taken[2 * count :] == told()
        kinds = [event["eventType"] for event in server.taken]
        assert kinds == [event["eventType"] for event in told()] * 3
    assert waiting(tmp_path) == []


def test_a_collector_that_comes_back_gets_the_rest_in_order(tmp_path: Path) -> None:
    def recovers(count: int) -> tuple[int, dict[str, str]]:
        return (503, {}) if count in (2, 3) else (201, {})

    with receiver(recovers) as server:
        sink = sink_of(tmp_path, url=server.url, drain_s=30)
        for event in run_events():
            sink.record([event])
        server.wait_for(lambda one: len(one.taken) == len(told()))
        sink.close()
        assert server.taken == told()
    assert waiting(tmp_path) == []


def test_the_end_of_a_run_waits_as_the_collector_asks_where_there_is_time(tmp_path: Path) -> None:
    with receiver(lambda count: (429, {"Retry-After": "1"}) if count == 1 else (201, {})) as server:
        record(sink_of(tmp_path, url=server.url, drain_s=60))
        assert server.taken == told()


def test_an_event_that_is_refused_holds_up_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with receiver(lambda count: (422, {}) if count in (2, 5) else (201, {})) as server:
        with caplog.at_level(logging.WARNING):
            record(sink_of(tmp_path, url=server.url, drain_s=30))
        assert server.taken == [event for place, event in enumerate(told(), 1) if place not in (2, 5)]
        assert caplog.messages == [
            (
                f"lineage: an event was refused, see {tmp_path / OUTBOX}/refused.ndjson: "
                f"{server.url}/api/v1/lineage: it answered with status 422"
            )
        ]
    (refused,) = waiting(tmp_path)
    assert events_of(refused) == [told()[1], told()[4]]


def test_a_slow_collector_gets_what_the_drain_allows_and_the_next_run_sends_the_rest(
    tmp_path: Path,
) -> None:
    is_slow = True

    def answer(count: int) -> tuple[int, dict[str, str]]:
        return (HANG, {}) if is_slow and count > 3 else (201, {})

    with receiver(answer) as server:
        sink = sink_of(tmp_path, url=server.url, drain_s=0.2, timeout_s=100.0)
        for event in run_events():
            sink.record([event])
        server.wait_for(lambda one: one.asked > 3)
        sink.close()
        assert server.taken == told()[:3]
        is_slow = False
        record(sink_of(tmp_path, "other", url=server.url, drain_s=60))
        assert server.taken[: len(told())] == told()
        assert len(server.taken) == 2 * len(told())
    assert waiting(tmp_path) == []


def test_two_runs_at_once_send_each_event_once(tmp_path: Path) -> None:
    with receiver() as server:
        one, two = (sink_of(tmp_path, run, url=server.url, drain_s=30) for run in ("one", "two"))
        for event in run_events():
            one.record([event])
            two.record([event])
        one.close()
        two.close()
        assert len(server.taken) == 2 * len(told())
        assert len({json.dumps(event) for event in server.taken}) == 2 * len(told())


def test_runs_that_begin_at_once_send_what_waits_once(tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{closed_port()}"
    for number in range(8):
        record(sink_of(tmp_path, f"dead-{number}", url=away))
    with receiver() as server, ThreadPoolExecutor(4) as pool:
        sinks = [sink_of(tmp_path, f"run-{number}", url=server.url, drain_s=60) for number in range(4)]
        for done in [pool.submit(record, sink) for sink in sinks]:
            done.result()
        assert len(server.taken) == 12 * len(told())
        assert len({json.dumps(event) for event in server.taken}) == 12 * len(told())
    assert waiting(tmp_path) == []


def test_file_and_collector_have_their_own_progress(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    record(sink_of(tmp_path, url=url, file="out.jsonl"))
    assert events_of(tmp_path / "out.jsonl") == told()
    with receiver() as server:
        record(sink_of(tmp_path, url=server.url, file="out.jsonl", drain_s=30))
        assert len(server.taken) == 2 * len(told())
    assert events_of(tmp_path / "out.jsonl") == told() * 2
    assert waiting(tmp_path) == []


def test_a_server_that_only_listens_is_waited_for_as_long_as_the_drain(tmp_path: Path) -> None:
    server = Receiver(lambda _: (HANG, {}))
    try:
        sink = sink_of(tmp_path, url=server.url, drain_s=0.2, timeout_s=100.0)
        assert record(sink) < 20
        sink.close()
    finally:
        server.stop()
