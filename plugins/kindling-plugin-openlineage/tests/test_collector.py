from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from kindling_plugin_openlineage.collector import LONGEST_WAIT_S, Collector
from kindling_plugin_openlineage.targets import AwayError, RefusedError
from receiver import CUT, HANG, Receiver, closed_port, receiver

from kindling.errors import ConfigError

LINE = b'{"eventType":"START"}\n'


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


def away(collector: Collector) -> AwayError:
    with pytest.raises(AwayError) as caught:
        collector.send([LINE])
    collector.close()
    return caught.value


def test_an_event_is_posted_as_json_with_the_key(server: Receiver) -> None:
    keys = iter(["k-1", "k-2"])
    collector = Collector(f"{server.url}/api/v1/lineage", 5.0, key=lambda: next(keys))
    collector.send([LINE, LINE])
    collector.close()
    assert server.taken == [{"eventType": "START"}] * 2
    assert server.paths == ["/api/v1/lineage"] * 2
    assert server.headers["Content-Type"] == "application/json"
    assert server.headers["Authorization"] == "Bearer k-1"
    assert str(collector) == f"{server.url}/api/v1/lineage"


@pytest.mark.parametrize("status", [401, 403, 404, 405, 302, 307])
def test_a_wrong_address_or_key_is_not_tried_again(status: int) -> None:
    with receiver(lambda _: (status, {"Location": "http://127.0.0.1:1/"})) as server:
        error = away(Collector(server.url, 5.0))
        assert (error.why, error.is_final) == (f"{server.url}: it answered with status {status}", True)
        assert server.asked == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_passing_fault_is_tried_again(status: int) -> None:
    with receiver(lambda _: (status, {})) as server:
        error = away(Collector(server.url, 5.0))
        assert (error.why, error.is_final, error.wait_s) == (
            f"{server.url}: it answered with status {status}",
            False,
            0.0,
        )


@pytest.mark.parametrize("status", [400, 409, 413, 422])
def test_an_event_that_is_refused_is_told_apart(status: int) -> None:
    with receiver(lambda _: (status, {})) as server:
        collector = Collector(server.url, 5.0)
        with pytest.raises(RefusedError) as caught:
            collector.send([LINE])
        collector.close()
        assert caught.value.why == f"{server.url}: it answered with status {status}"


WAITS = {"7": 7.0, "99999": LONGEST_WAIT_S, "-3": 0.0, "soon": 0.0}


@pytest.mark.parametrize("text", WAITS)
def test_the_collector_says_how_long_to_wait(text: str) -> None:
    with receiver(lambda _: (429, {"Retry-After": text})) as server:
        assert away(Collector(server.url, 5.0)).wait_s == WAITS[text]


def test_the_collector_says_until_when_to_wait() -> None:
    moment = formatdate(time.time() + 120, usegmt=True)
    with receiver(lambda _: (503, {"Retry-After": moment})) as server:
        assert 60 < away(Collector(server.url, 5.0)).wait_s <= 120


def test_nobody_at_the_port_is_away() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    error = away(Collector(url, 5.0))
    assert (error.why, error.is_final) == (f"{url}: Connection refused", False)


def test_a_collector_that_says_nothing_is_given_up() -> None:
    with receiver(lambda _: (HANG, {})) as server:
        assert away(Collector(server.url, 0.2)).why == f"{server.url}: it did not answer in time"


def test_an_answer_that_is_no_http_is_away() -> None:
    with receiver(lambda _: (CUT, {})) as server:
        assert away(Collector(server.url, 5.0)).why == f"{server.url}: RemoteDisconnected"


def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    with receiver(lambda count: (CUT, {}) if count == 2 else (201, {})) as server:
        collector = Collector(server.url, 5.0)
        for _ in range(3):
            collector.send([LINE])
        collector.close()
        assert (server.asked, len(server.taken)) == (4, 3)


def test_https_is_refused_by_a_server_without_it(server: Receiver) -> None:
    why = away(Collector(server.url.replace("http", "https"), 5.0)).why
    assert why.startswith("https://127.0.0.1:")


def test_a_stopped_collector_answers_at_once() -> None:
    with receiver(lambda _: (HANG, {})) as server:
        collector = Collector(server.url, 50.0)
        threading.Thread(
            target=lambda: (server.wait_for(lambda one: one.asked > 0), collector.stop()), daemon=True
        ).start()
        started = time.monotonic()
        away(collector)
        assert time.monotonic() - started < 30
        error = away(collector)
        assert (error.why, error.is_final) == (f"{server.url}: it did not answer in time", True)


def no_key() -> str:
    raise ConfigError("KDL-CONF-020", "there is no secret 'x'")


def sealed() -> str:
    error = ConfigError("KDL-CONF-305", "cannot read 'x'")
    error.transient = True
    raise error


def broken() -> str:
    raise ZeroDivisionError("hunter2")


KEYS = {
    "none": (no_key, "its key cannot be resolved: KDL-CONF-020: there is no secret 'x'", True),
    "sealed": (sealed, "its key cannot be resolved: KDL-CONF-305: cannot read 'x'", False),
    "broken": (broken, "its key cannot be resolved: ZeroDivisionError", False),
    "two lines": (lambda: "hunter2\nx", "its key has letters that no header may have", True),
    "empty": (lambda: "", "its key has letters that no header may have", True),
}


@pytest.mark.parametrize("case", KEYS)
def test_a_key_that_cannot_be_had_is_told_without_its_value(case: str, server: Receiver) -> None:
    key, why, is_final = KEYS[case]
    error = away(Collector(server.url, 5.0, key=key))
    assert (error.why, error.is_final) == (f"{server.url}: {why}", is_final)
    assert server.asked == 0
