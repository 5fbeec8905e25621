"""What a platform promises of keys: they reach the engine once, act, and are seen nowhere."""

from __future__ import annotations

import pytest

from kindling.hooks import Frame
from kindling.hooks.platform import Keys, Platform, Session
from kindling.testing.offers import needs
from kindling.testing.platform_fixtures import OpenSession, PlatformFixtures
from kindling.testing.platform_session_contract import rows
from kindling.testing.rows import ordered, sql_frame

CANARY = b"canary-7fd1e2"
KEYED = [("id", "id"), ("sign", "concat(CAST(pepper AS STRING), '-', name)")]
SIGNS = (CANARY.decode(), CANARY.hex(), "Y2FuYXJ5LTdmZDFlM")


class KeyTests(PlatformFixtures):
    """Feature `keys`."""

    @pytest.fixture
    def named(self, session: Session) -> Frame:
        """Give two rows."""
        return sql_frame(session, "id int, name string", [(1, "ada"), (2, None)])

    def plan_texts(self, session: Session, frame: Frame) -> list[str]:  # noqa: ARG002  # for heirs
        """Return each text in which the engine shows a frame's plan; an heir knows how to ask it."""
        return [repr(frame)]

    @needs("keys")
    def test_expressions_may_name_key_columns(self, session: Session, named: Frame) -> None:
        frame = keyed(session).select_with_keys(named, KEYED, {"pepper": CANARY, "salt": b"\x00\xff"})
        assert session.schema(frame).names == ("id", "sign")
        assert rows(session, frame) == ordered([(1, "canary-7fd1e2-ada"), (2, None)])

    @needs("keys")
    def test_keys_are_binary_and_frames_of_several_keys_live_side_by_side(
        self, session: Session, named: Frame
    ) -> None:
        one = keyed(session).select_with_keys(named, [("k", "pepper"), ("id", "id")], {"pepper": b"\x00\xff"})
        two = keyed(session).select_with_keys(one, [("a", "k"), ("b", "pepper")], {"pepper": b"other"})
        assert [field.type for field in session.schema(two).fields] == ["binary", "binary"]
        found = session.preview(two, 9).rows
        assert [
            tuple(bytes(value) for value in row if isinstance(value, (bytes, bytearray))) for row in found
        ] == [(b"\x00\xff", b"other")] * 2

    @needs("keys")
    def test_keys_stand_in_no_plan_and_no_column_name(self, session: Session, named: Frame) -> None:
        unnamed = [("id", "id"), ("sign", "concat(CAST(pepper AS STRING), name)")]
        frame = keyed(session).select_with_keys(named, unnamed, {"pepper": CANARY})
        later = session.where(frame, "sign IS NOT NULL")
        rows(session, later)
        shown = [*self.plan_texts(session, frame), *self.plan_texts(session, later)]
        assert shown
        shown.append(" ".join(session.schema(later).names))
        assert [sign for sign in SIGNS if any(sign.lower() in text.lower() for text in shown)] == []

    @needs("keys")
    def test_keys_stand_in_no_error(self, session: Session, platform: Platform, named: Frame) -> None:
        bad = [("x", "no_such_column + length(CAST(pepper AS STRING))")]
        with pytest.raises(Exception) as caught:  # noqa: PT011  # whichever the engine raises
            session.preview(keyed(session).select_with_keys(named, bad, {"pepper": CANARY}), 9)
        shown = f"{caught.value!r} {caught.value} {platform.explain(caught.value)}"
        assert [sign for sign in SIGNS if sign.lower() in shown.lower()] == []

    @needs("keys")
    def test_frames_cannot_be_computed_once_their_keys_were_dropped(
        self, session: Session, named: Frame
    ) -> None:
        frame = keyed(session).select_with_keys(named, KEYED, {"pepper": CANARY})
        session.schema(frame)
        keyed(session).drop_keys()
        keyed(session).drop_keys()
        with pytest.raises(Exception):  # noqa: B017, PT011  # whichever the engine raises
            session.preview(frame, 9)
        assert len(rows(session, named)) == 2
        again = keyed(session).select_with_keys(named, KEYED, {"pepper": b"next"})
        assert rows(session, again) == ordered([(1, "next-ada"), (2, None)])

    @needs("keys")
    def test_closing_a_session_drops_its_keys_and_no_others(self, open_session: OpenSession) -> None:
        first, second = open_session(), open_session()
        frames = []
        for session in (first, second):
            frame = sql_frame(session, "id int, name string", [(1, "ada")])
            frames.append(keyed(session).select_with_keys(frame, KEYED, {"pepper": CANARY}))
        first.close()
        with pytest.raises(Exception):  # noqa: B017, PT011  # whichever the engine raises
            first.preview(frames[0], 9)
        assert rows(second, frames[1]) == [(1, "canary-7fd1e2-ada")]


def keyed(session: Session) -> Keys:
    """Return a session as what it declares to be."""
    if not isinstance(session, Keys):
        pytest.fail(f"{session!r} has no keys")
    return session
