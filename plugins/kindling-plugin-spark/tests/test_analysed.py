from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from kindling.hooks.platform import Keys, Platform, Session, SessionSpec, Traces
from kindling.testing.rows import frame_of
from kindling.testing.traced_frames import FRAMES, built, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CANARY = b"canary-7fd1e2"


@pytest.fixture(params=["spark", "connect"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    platform: Platform = request.getfixturevalue(request.param)
    opened = platform.open_session(SessionSpec(f"lineage {request.param}"))
    yield opened
    opened.close()


@pytest.mark.filterwarnings("ignore:WARN WindowExpression")  # one of the frames has no partitions
def test_frames_are_traced_to_their_inputs(session: Session) -> None:
    assert isinstance(session, Traces)
    found = {}
    for name in FRAMES:
        frame, inputs = built(session, name)
        found[name] = told(session.lineage(frame, inputs))
    assert found == {name: expected for name, (_, expected) in FRAMES.items()}


OPAQUE = {
    "a subquery": "SELECT id FROM t WHERE id > (SELECT avg(who) FROM t)",
    "groupings of several kinds": "SELECT id, count(*) AS n FROM t GROUP BY ROLLUP (id)",
}


@pytest.mark.parametrize("name", OPAQUE)
def test_what_the_analysed_plan_does_not_tell_plainly_is_opaque(spark: Platform, name: str) -> None:
    session = spark.open_session(SessionSpec(f"opaque {name}"))
    assert isinstance(session, Traces)
    given = frame_of(session, "id int, who int", [(1, 1)])
    assert session.lineage(session.sql(OPAQUE[name], {"t": given}), {"a": given}) is None
    session.close()


def test_functions_over_rows_are_followed_and_those_over_groups_are_opaque(session: Session) -> None:
    assert isinstance(session, Traces)
    given: Any = frame_of(session, "id int, note string", [(1, "u")])
    functions: Any = session.frames.functions
    types: Any = session.frames.types
    louder = functions.udf(lambda text: text.upper(), types.StringType())
    assert told(session.lineage(given.select(louder("note").alias("n")), {"a": given})) == "n=T:a.note"
    struct = types.StructType([types.StructField("id", types.IntegerType())])
    grouped = given.mapInArrow(lambda batches: batches, struct)
    assert session.lineage(grouped.select("id"), {"a": given}) is None


def test_a_queries_conditions_and_rewritten_calls_are_told_apart(spark: Platform) -> None:
    session = spark.open_session(SessionSpec("rewritten"))
    assert isinstance(session, Traces)
    given = frame_of(session, "a int, b int", [(1, 1)])
    frame = session.sql(
        "WITH q AS (SELECT a, if(b > 1, a, 0) AS c FROM t) SELECT nullif(a, c) AS n, c FROM q", {"t": given}
    )
    assert told(session.lineage(frame, {"a": given})) == "n=T:a.a T:a.b; c=T:a.a D:a.b"
    session.close()


def test_keys_are_not_shown_by_the_servers_own_pages(connect: Platform, ui_port: int) -> None:
    session = connect.open_session(SessionSpec("keys"))
    assert isinstance(session, Keys)
    frame = frame_of(session, "id int", [(1,)])
    keyed = session.select_with_keys(frame, [("n", "length(pepper) + id")], {"pepper": CANARY})
    assert session.preview(keyed, 9).rows == ((14,),)
    root = f"http://127.0.0.1:{ui_port}/api/v1/applications"

    def read(url: str) -> str:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  # this test's own server
            return str(answer.read(), "utf-8")

    application = json.loads(read(root))[0]["id"]
    shown = [
        read(f"{root}/{application}/{page}") for page in ("sql?details=true&length=1000", "jobs", "stages")
    ]
    session.close()
    assert "Execute" in shown[0] or "Scan" in shown[0]
    assert [sign for sign in (CANARY.decode(), CANARY.hex()) if any(sign in text for text in shown)] == []
