"""What a platform promises: isolation, threads, cancelling, sharing, explaining, closing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kindling.errors import EngineLostError
from kindling.hooks.platform import (
    ArrowIn,
    ArrowOut,
    Keys,
    Paths,
    Platform,
    Session,
    SessionSpec,
    SharedRef,
    Shares,
    Sql,
    Traces,
)
from kindling.testing.offers import needs
from kindling.testing.platform_fixtures import OpenSession, PlatformFixtures
from kindling.testing.platform_session_contract import rows
from kindling.testing.rows import sql_frame

PROTOCOLS: tuple[tuple[str, type], ...] = (
    ("arrow-in", ArrowIn),
    ("arrow-out", ArrowOut),
    ("paths", Paths),
    ("delta-native", Paths),
    ("spark-sql", Sql),
    ("share", Shares),
    ("lineage", Traces),
    ("keys", Keys),
)


class EngineTests(PlatformFixtures):
    """The platform around its sessions."""

    def test_a_session_has_the_features_that_are_declared(self, session: Session) -> None:
        assert session.features == self.features

    def test_a_declared_feature_is_implemented(self, session: Session) -> None:
        missing = [
            name for name, kind in PROTOCOLS if name in self.features and not isinstance(session, kind)
        ]
        assert missing == []

    def test_an_implemented_protocol_is_declared(self, session: Session) -> None:
        found = {name for name, kind in PROTOCOLS if isinstance(session, kind)} - {"paths", "delta-native"}
        assert found <= self.features
        assert not isinstance(session, Paths) or {"paths", "delta-native"} & self.features

    def test_sessions_name_their_platform_and_their_engine(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        assert first.platform == self.capability.partition(":")[2]
        assert first.engine
        assert first.engine == second.engine

    def test_a_session_sees_its_own_tables_under_a_shared_name(self, open_session: OpenSession) -> None:
        sessions = [open_session() for _ in range(3)]
        made = [
            session.sql("SELECT n FROM t", {"t": sql_frame(session, "n int", [(place,)])})
            for place, session in enumerate(sessions)
        ]
        found = [rows(session, frame) for session, frame in zip(sessions, made, strict=True)]
        assert found == [[(0,)], [(1,)], [(2,)]]

    def test_a_table_of_another_session_is_unknown(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        rows(first, first.sql("SELECT n FROM secret_t", {"secret_t": sql_frame(first, "n int", [(1,)])}))
        with pytest.raises(Exception):  # noqa: B017, PT011  # whichever the engine raises
            second.preview(second.sql("SELECT n FROM secret_t", {}), 1)

    def test_sessions_work_side_by_side_in_threads(self, platform: Platform) -> None:
        def work(number: int) -> list[tuple[object, ...]]:
            session = platform.open_session(SessionSpec(f"thread-{number}"))
            try:
                frame = sql_frame(session, "n int", [(number,), (number + 1,)])
                for _ in range(3):
                    frame = session.sql("SELECT n + 1 AS n FROM t", {"t": frame})
                return rows(session, session.where(frame, f"n > {number + 3}"))
            finally:
                session.close()

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(work, range(8)))
        assert found == [[(number + 4,)] for number in range(8)]

    def test_a_running_platform_is_healthy(self, platform: Platform, session: Session) -> None:
        assert rows(session, sql_frame(session, "n int", [(1,)])) == [(1,)]
        assert platform.is_healthy() is True

    def test_a_mistake_in_a_query_is_explained_in_two_lines(
        self, platform: Platform, session: Session
    ) -> None:
        frame = sql_frame(session, "n int", [(1,)])
        with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever the engine raises
            session.preview(session.select(frame, [("x", "no_such_column + 1")]), 1)
        text = platform.explain(caught.value)
        assert "no_such_column" in text
        assert 1 <= len(text.splitlines()) <= 2
        assert "Traceback" not in text

    def test_a_mistake_in_a_query_is_not_transient(self, platform: Platform, session: Session) -> None:
        frame = sql_frame(session, "n int", [(1,)])
        with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever the engine raises
            session.preview(session.where(frame, "no_such_column > 1"), 1)
        assert platform.is_transient(caught.value) is False

    def test_a_lost_engine_is_transient(self, platform: Platform) -> None:
        assert platform.is_transient(EngineLostError("KDL-INFRA-011", "the engine is gone")) is True

    def test_a_platform_is_not_healthy_before_its_start_nor_after_its_end(self, tmp_path: Path) -> None:
        made = self.make_platform(tmp_path)
        try:
            assert made.is_healthy() is False
            made.open_session(SessionSpec("once")).close()
            assert made.is_healthy() is True
        finally:
            made.close()
        assert made.is_healthy() is False

    def test_closing_a_platform_twice_ends_quickly(self, tmp_path: Path) -> None:
        made = self.make_platform(tmp_path)
        session = made.open_session(SessionSpec("once"))
        assert rows(session, sql_frame(session, "n int", [(1,)])) == [(1,)]
        began = time.monotonic()
        made.close()
        made.close()
        assert time.monotonic() - began < self.patience_s

    @needs("cancel")
    def test_cancelling_ends_a_long_query_and_other_sessions_work_on(
        self, platform: Platform, open_session: OpenSession
    ) -> None:
        session = platform.open_session(SessionSpec("long"))
        ended: list[BaseException | None] = []

        def run() -> None:
            try:
                self.start_long_query(session)
                ended.append(None)
            except BaseException as error:  # noqa: BLE001  # whatever ends the query is the finding
                ended.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(1.0)
        assert thread.is_alive(), "the long query ended by itself: give a longer one"
        assert platform.cancel("long", 5.0) is True
        thread.join(self.patience_s)
        assert not thread.is_alive()
        assert ended[0] is not None
        after = open_session()
        assert rows(after, sql_frame(after, "n int", [(1,)])) == [(1,)]

    @needs("cancel")
    def test_cancelling_an_idle_session_says_that_nothing_runs(self, platform: Platform) -> None:
        idle = platform.open_session(SessionSpec("idle"))
        assert platform.cancel("idle", 2.0) is True
        idle.close()

    @needs("share")
    def test_a_shared_frame_is_attached_by_another_session(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        assert isinstance(first, Shares)
        assert isinstance(second, Shares)
        frame = sql_frame(first, "n int, größe string", [(1, "ä"), (2, None)])
        ref = first.share(frame, "run1_shared")
        first.close()
        attached = second.attach(ref)
        assert second.is_frame(attached)
        assert rows(second, second.where(attached, "n > 0")) == rows(second, attached)
        assert rows(second, attached) == [(1, "ä"), (2, None)]

    @needs("share")
    def test_a_shared_frame_is_computed_once(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        assert isinstance(first, Shares)
        assert isinstance(second, Shares)
        frame = first.sql("SELECT n, rand() AS r FROM t", {"t": sql_frame(first, "n int", [(1,)])})
        ref = first.share(frame, "run1_chance")
        found = [rows(session, session.attach(ref)) for session in (first, second, second)]
        assert found[0] == found[1] == found[2]

    @needs("share")
    def test_sharing_computes_at_once(self, session: Session) -> None:
        assert isinstance(session, Shares)
        bad = session.fail_when(sql_frame(session, "n int", [(1,)]), {"M-BAD": "n = 1"})
        with pytest.raises(Exception, match="M-BAD"):
            session.share(bad, "run1_bad")

    @needs("share")
    def test_a_shared_frame_of_a_lost_engine_is_refused(self, session: Session) -> None:
        assert isinstance(session, Shares)
        with pytest.raises(EngineLostError):
            session.attach(SharedRef("an engine that is gone", "run1_gone"))
