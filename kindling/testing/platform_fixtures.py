"""How a platform contract gets its platform and its sessions. No tests stand here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import ClassVar

import pytest

from kindling.hooks import Frame
from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.testing.offers import Contract, open_capability

OpenSession = Callable[[], Session]


class PlatformFixtures(Contract):
    """Fixtures of the platform contract; an heir may replace each of them.

    Attributes:
        engine_settings: Dotted engine settings for the tests.
        refused_types: Neutral types that the platform refuses because it cannot hold them.
        long_query: A Spark SQL query that would run for minutes.
        patience_s: Seconds after which something that should end is called hanging.
    """

    engine_settings: ClassVar[dict[str, str]] = {}
    refused_types: ClassVar[frozenset[str]] = frozenset()
    long_query: ClassVar[str] = (
        "WITH d AS (SELECT 0 AS n UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL"
        " SELECT 4),"
        " e AS (SELECT a.n + b.n * 5 + c.n * 25 + x.n * 125 + y.n * 625 AS n"
        " FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d x CROSS JOIN d y)"
        " SELECT max(sqrt(p.n * q.n + r.n)) AS m FROM e p CROSS JOIN e q CROSS JOIN e r"
    )
    patience_s: ClassVar[float] = 30.0

    @classmethod
    def make_platform(cls, work_dir: Path) -> Platform:
        """Return a new platform: by default what the plugin offers."""
        settings = {"environment": "test", "settings": cls.settings, "work_dir": str(work_dir)}
        spec = PlatformSpec(**settings, engine_settings=cls.engine_settings)  # type: ignore[arg-type]  # as named
        made = open_capability(cls.plugin, cls.capability, spec)
        if not isinstance(made, Platform):
            pytest.fail(f"{made!r} is no Platform")
        return made

    def start_long_query(self, session: Session) -> object:
        """Compute something that does not end by itself; the calling thread waits for it."""
        frame: Frame = session.sql(self.long_query, {})
        return session.preview(frame, 1)

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        """Give one live platform to all tests of the class."""
        made = cls.make_platform(tmp_path_factory.mktemp("platform"))
        yield made
        made.close()

    @pytest.fixture(scope="class")
    @classmethod
    def tags(cls) -> Iterator[str]:
        """Give numbers that are unique among the sessions of the class."""
        return (f"contract-{number}" for number in count(1))

    @pytest.fixture
    def open_session(self, platform: Platform, tags: Iterator[str]) -> Iterator[OpenSession]:
        """Give a function that opens sessions; they are closed at the end."""
        opened: list[Session] = []

        def opens() -> Session:
            opened.append(platform.open_session(SessionSpec(next(tags))))
            return opened[-1]

        yield opens
        for session in opened:
            session.close()

    @pytest.fixture
    def session(self, open_session: OpenSession) -> Session:
        """Give one session."""
        return open_session()
