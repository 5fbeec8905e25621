"""The platform: starts engines, opens sessions, stops work, tells errors apart."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import time
from typing import TYPE_CHECKING, Any

from kindling.errors import KindlingError, UsageError
from kindling.hooks.platform import PlatformSpec, Session, SessionSpec
from kindling.hooks.pyspark import PysparkParts, bounded
from kindling.polling import poll
from kindling_plugin_sail import client as clients
from kindling_plugin_sail import settings
from kindling_plugin_sail.engine import Engine

if TYPE_CHECKING:
    from kindling_plugin_sail.channel import Wire
    from kindling_plugin_sail.pool import Idle, Line
    from kindling_plugin_sail.session import SailSession

FEATURES = frozenset(
    (
        "spark-sql",
        "arrow-in",
        "arrow-out",
        "paths",
        "delta-native",
        "cancel",
        "share",
        "isolates",
        "lineage",
        "keys",
        "tags",
    )
)
ANSWER_S = 3.0
"""Seconds in which a healthy engine answers an interrupt or a tiny query; usually 0.01."""


class SailPlatform:
    """One engine at a time, in a process of its own, because only a kill stops some queries."""

    def __init__(self, spec: PlatformSpec) -> None:
        self._settings = settings.checked(spec.engine_settings)
        self._own_dir = "" if spec.work_dir else tempfile.mkdtemp(prefix="kindling-sail-")
        self._work_dir = spec.work_dir or self._own_dir
        self._lock = threading.RLock()
        self._sessions: dict[str, SailSession] = {}
        self._lines: dict[str, Line] = {}
        self._closed = False
        clients.check(clients.installed())  # before a process is started in vain
        self._engine: Engine | None = Engine(self._work_dir)
        self._warm(self._engine)
        self._client = self._loaded(light_pandas=bool(spec.settings.get("light_pandas", True)))

    def _warm(self, engine: Engine) -> None:
        """Let the engine get ready while pyspark is imported, which takes longer."""
        try:
            line = self._line(engine)
        except ImportError:  # no grpc: what loads the client tells what to install
            return
        line.warm(os.getenv("SPARK_USER", os.getenv("USER")))  # as pyspark's client finds it

    def _loaded(self, *, light_pandas: bool) -> clients.Client:
        try:
            return clients.load(light_pandas=light_pandas)
        except BaseException:
            self.close()
            raise

    def open_session(self, spec: SessionSpec) -> Session:
        """Open a session in the calling thread; starts a new engine where the last one is gone.

        It may go on in an engine's session whose task has left nothing behind.

        Raises:
            EngineLostError: KDL-INFRA-101 or KDL-INFRA-102, the engine ended or did not start.
            UsageError: KDL-INFRA-104, the platform is closed or a live session has the tag.
        """
        wanted = {**settings.ALWAYS, **self._settings, **settings.checked(spec.engine_settings)}
        with self._lock:
            if self._closed or spec.tag in self._sessions:
                why = "the platform is closed" if self._closed else "a live session has this tag"
                raise UsageError("KDL-INFRA-104", f"cannot open a session for {spec.tag!r}", why=why)
            engine = self._usable_engine()
            idle = self._line(engine).taken(wanted)
            session = self._connect(spec.tag, engine, wanted, idle)
            self._sessions[spec.tag] = session
            engine.sessions += 1
            engine.most = max(engine.most, engine.sessions)
        if idle is None:
            try:
                self._configure(session, wanted)
            except BaseException:
                session.close()
                raise
        return session

    def cancel(self, tag: str, grace_s: float) -> bool:
        """Stop a session's work: interrupt, health query, kill.

        Where the engine goes on computing although it answered, it is killed if nobody else works
        on it; else it gets no new sessions and ends with its last one.
        """
        session = self._sessions.get(tag)
        if session is None:
            return True
        session.wire.cancelled = True
        if not session.wire.active:
            return True
        engine = session.wire.engine
        deadline = time.monotonic() + grace_s
        if self._interrupt(session, min(ANSWER_S, grace_s / 2)) and self._answers(
            engine, min(ANSWER_S, grace_s / 4)
        ):
            if any(other.wire.active for other in list(self._sessions.values()) if other is not session):
                engine.retiring = True
                return True
            if engine.is_quiet(max(0.5, deadline - time.monotonic() - 0.5)):
                return True
        engine.kill(f"it was killed to stop {tag!r}")
        return bool(poll(lambda: not session.wire.active, timeout_s=max(1.0, deadline - time.monotonic())))

    def is_healthy(self) -> bool:
        """Tell whether the engine answers a tiny query within a few seconds."""
        engine = self._engine
        return engine is not None and engine.serves and self._answers(engine, ANSWER_S)

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether an error may vanish: a lost engine or another writer's commit."""
        if isinstance(error, KindlingError):
            return error.transient
        return any(sign in str(error) for sign in ("StatusCode.UNAVAILABLE", "Failed to commit transaction"))

    def explain(self, error: BaseException) -> str:
        """Return the error's message in one or two lines, without gRPC's wrapping."""
        from kindling_plugin_sail.messages import plain_message

        return plain_message(error)

    def close(self) -> None:
        """Stop the engine and close all sessions. Idempotent, never hangs."""
        with self._lock:
            self._closed = True
            engines = {session.wire.engine for session in self._sessions.values()}
            if self._engine is not None:
                engines.add(self._engine)
            for engine in engines:
                engine.kill("the platform was closed")
            for session in list(self._sessions.values()):
                session.close()
            for line in self._lines.values():
                line.close()
            self._engine = None
        if self._own_dir:
            shutil.rmtree(self._own_dir, ignore_errors=True)

    def release(self, session: SailSession) -> None:
        """Keep a session's place on the engine for another task, or end it; called by its `close`."""
        wire, client = session.wire, session.spark.client
        engine = wire.engine
        with self._lock:
            is_kept = engine.alive and not engine.retiring and self._line(engine).has_room and wire.seal()
        if not is_kept and engine.alive and not wire.cancelled:
            bounded(client.release_session, ANSWER_S)
        client.close()
        active = self._client.session._active_session  # noqa: SLF001  # pyspark 4.2, see `_connect`
        if getattr(active, "session", None) is session.spark:
            active.session = None
        with self._lock:
            self._sessions.pop(wire.tag, None)
            engine.sessions -= 1
            if is_kept and not self._closed:
                self._line(engine).keep(session.place)
            if not engine.sessions and (engine.retiring or engine is not self._engine):
                self._end(engine, "it was replaced")

    def _line(self, engine: Engine) -> Line:
        from kindling_plugin_sail.pool import Line

        if engine.name not in self._lines:
            self._lines[engine.name] = Line(engine)
        return self._lines[engine.name]

    def _end(self, engine: Engine, reason: str) -> None:
        """Kill an engine without sessions, and forget its channel."""
        engine.kill(reason)
        line = self._lines.pop(engine.name, None)
        if line is not None:
            line.close()

    def _usable_engine(self) -> Engine:
        engine = self._engine
        if engine is not None and engine.alive and not engine.retiring:
            return engine
        if engine is not None and not engine.sessions:
            self._end(engine, "it was replaced")
        self._engine = Engine(self._work_dir)
        return self._engine

    def _connect(self, tag: str, engine: Engine, wanted: dict[str, str], idle: Idle | None) -> SailSession:
        from kindling_plugin_sail.channel import Wire
        from kindling_plugin_sail.pool import Idle
        from kindling_plugin_sail.session import SailSession

        wire = Wire(tag, engine)
        spark = self._spark(wire, idle.id if idle else "")
        # pyspark makes a session active only where none is, even if that one is stopped already.
        self._client.session._active_session.session = spark  # noqa: SLF001  # pyspark 4.2
        if "," not in tag:
            spark.addTag(tag)
        parts = PysparkParts(
            "sail", engine.name, FEATURES, self._client.frames, self._client.frame, self._work_dir
        )
        place = Idle(spark.session_id, wanted)
        return SailSession(spark, parts, wire=wire, client=self._client, owner=self, place=place)

    def _spark(self, wire: Wire, session_id: str = "") -> Any:  # noqa: ANN401  # untyped pyspark
        """Return a client of its own: what a task keeps of it beyond its end, nobody can use."""
        from kindling_plugin_sail.builder import Builder

        spark = self._client.session(connection=Builder(self._line(wire.engine), wire, session_id))
        client = spark.client
        # No retries: a killed engine must be noticed, and a repeated write would write twice.
        client.set_retry_policies([])
        # Reattaching costs three more requests an execution, and repairs connections that
        # do not break on the loopback interface.
        client.disable_reattachable_execute()
        # Else the client asks the engine for two settings, in each session.
        client._plan_compression_threshold = -1  # noqa: SLF001  # pyspark 4.2
        client._plan_compression_algorithm = "NONE"  # noqa: SLF001  # pyspark 4.2
        # Its exit handler sends a request, and hangs where the engine was killed.
        atexit.unregister(client._on_exit)  # noqa: SLF001  # pyspark 4.2
        return spark

    def _configure(self, session: SailSession, wanted: dict[str, str]) -> None:
        """Send a new session its settings, in one request."""
        from pyspark.sql.connect.proto import ConfigRequest, KeyValue

        pairs = [KeyValue(key=key, value=value) for key, value in wanted.items()]
        operation = ConfigRequest.Operation(set=ConfigRequest.Set(pairs=pairs))
        session.spark.client.config(operation)
        session.wire.is_clean = True  # these settings are the session's own, `Idle` knows them

    def _interrupt(self, session: SailSession, limit_s: float) -> bool:
        """Ask the engine to stop; True once the session's requests have ended."""
        deadline = time.monotonic() + limit_s
        if not bounded(session.spark.client.interrupt_all, limit_s):
            return False  # an empty list means that nothing was stopped
        left = deadline - time.monotonic()
        return bool(poll(lambda: not session.wire.active, timeout_s=max(0.05, left)))

    def _answers(self, engine: Engine, limit_s: float) -> bool:
        """Tell whether a tiny query in a session of its own comes back."""
        from kindling_plugin_sail.channel import Wire

        def ask() -> bool:
            with self._lock:
                spark = self._spark(Wire("health", engine))
            try:
                spark.range(1).collect()
                spark.client.release_session()
            finally:
                spark.client.close()
            return True

        return bool(bounded(ask, limit_s))
