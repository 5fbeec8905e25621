"""The platform over Spark Connect: sessions on a server of its own, or on one that somebody else runs."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kindling.errors import KindlingError, UsageError
from kindling.hooks.platform import PlatformSpec, Session, SessionSpec
from kindling.hooks.pyspark import PysparkParts, bounded
from kindling.polling import poll
from kindling_plugin_spark import client as clients
from kindling_plugin_spark import environment, settings
from kindling_plugin_spark.connect_session import ConnectSession
from kindling_plugin_spark.endpoint import Endpoint
from kindling_plugin_spark.messages import is_transient, plain_message
from kindling_plugin_spark.platform import ANSWER_S, FEATURES, QUIET_LOOKS
from kindling_plugin_spark.pools import KEY, Pools
from kindling_plugin_spark.servers import START_S, OwnServer, RemoteServer, Server
from kindling_plugin_spark.wire import Wire


class ConnectPlatform:
    """Sessions on one server at a time.

    Args:
        spec: The kernel's.
        endpoint: Where the server is; None to start one in another process.
    """

    def __init__(self, spec: PlatformSpec, endpoint: Endpoint | None) -> None:
        java = environment.java(os.environ) if endpoint is None else "not needed here"
        environment.check(environment.installed(), java)
        clients.check(clients.missing())
        self._endpoint = endpoint
        given = settings.checked(spec.engine_settings)
        self._server_settings = settings.for_start(spec) if endpoint is None else {}
        self._session_settings = {**settings.ALWAYS, **({} if endpoint is None else given)}
        self._connect_s = float(str(spec.settings.get("connect_seconds", 20)))
        self._patience_s = float(str(spec.settings.get("patience_seconds", 30)))
        self._own_dir = "" if spec.work_dir else tempfile.mkdtemp(prefix="kindling-spark-")
        self._work_dir = spec.work_dir or self._own_dir
        self._lock = threading.RLock()
        self._sessions: dict[str, ConnectSession] = {}
        self._shared: set[str] = set()
        self._run = uuid.uuid4().hex
        self._pools = Pools()
        self._server: Server | None = None
        self._closed = False

    @property
    def server(self) -> Server | None:
        """The server in use; None before the first session."""
        return self._server

    def open_session(self, spec: SessionSpec) -> Session:
        """Open a session in the calling thread; starts or looks for the server where there is none.

        Raises:
            EngineLostError: KDL-INFRA-301, KDL-INFRA-304, KDL-INFRA-321: no server, or lost meanwhile.
            RunError: KDL-INFRA-322, it refuses the credentials.
            ConfigError: KDL-INFRA-323, a setting that no session may have.
            UsageError: KDL-INFRA-302, the platform is closed or a live session has the tag.
        """
        wanted = {**self._session_settings, **settings.checked(spec.engine_settings)}
        with self._lock:
            if self._closed or spec.tag in self._sessions:
                why = "the platform is closed" if self._closed else "a live session has this tag"
                raise UsageError("KDL-INFRA-302", f"cannot open a session for {spec.tag!r}", why=why)
            server = self._usable_server()
            wire = Wire(spec.tag, server)
            pool = "" if KEY in wanted else self._pools.take()
            parts = PysparkParts(
                "spark", server.name, FEATURES, clients.frames(), clients.frame_class(), self._work_dir
            )
            session = ConnectSession(clients.opened(server, wire), parts, wire=wire, pool=pool, owner=self)
            self._sessions[spec.tag] = session
        try:
            clients.configure(session.spark, {**wanted, **({KEY: pool} if pool else {})})
        except BaseException:
            session.close()
            raise
        return session

    def cancel(self, tag: str, grace_s: float) -> bool:
        """Stop a session's work: interrupt by tag, interrupt all of the session, kill our own server.

        An interrupt that stopped nothing proves nothing: a query that is planned has no operation yet.
        So this asks until, for a while, no request of the session is under way and the server knows no
        running operation of it.
        """
        session = self._sessions.get(tag)
        if session is None:
            return True
        session.wire.cancelled = True
        server = session.wire.server
        deadline = time.monotonic() + grace_s
        quiet = 0

        def is_quiet() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if self._is_stopped(session, deadline) else 0
            return quiet >= QUIET_LOOKS or not server.alive

        if poll(is_quiet, timeout_s=grace_s, most_s=0.1):
            return True
        if not server.kill(f"it was killed to stop {tag!r}"):
            return False  # somebody else's: it goes on there
        return bool(poll(lambda: not session.wire.active, timeout_s=ANSWER_S))

    def is_healthy(self) -> bool:
        """Tell whether the server answers a tiny query; False before the first session."""
        server = self._server
        if server is None or self._closed or not server.alive:
            return False

        def ask() -> bool:
            with self._visit("health", server) as spark:
                spark.range(1).collect()
            return True

        return bounded(ask, ANSWER_S) is True

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether an error may vanish: a lost server or another writer's commit."""
        return error.transient if isinstance(error, KindlingError) else is_transient(error)

    def explain(self, error: BaseException) -> str:
        """Return the error's message in one or two lines, without the server's stack."""
        return plain_message(error)

    def close(self) -> None:
        """Release all sessions and end our own server. Idempotent, never hangs."""
        with self._lock:
            server, self._server = self._server, None
            self._drop_shared(server)
            self._closed = True
            for one in {session.wire.server for session in self._sessions.values()} | {server}:
                if one is not None:
                    one.kill("the platform was closed")
            for session in list(self._sessions.values()):
                session.close()
        if self._own_dir:
            shutil.rmtree(self._own_dir, ignore_errors=True)

    def release(self, session: ConnectSession) -> None:
        """End a session on the server; called by its `close`."""
        wire = session.wire
        wire.released = True
        if wire.server.alive:
            bounded(session.spark.client.release_session, ANSWER_S)
        clients.forget(session.spark)
        with self._lock:
            self._sessions.pop(wire.tag, None)
            self._pools.give_back(session.pool)

    def shared_view(self, name: str) -> str:
        """Return the global view of a shared frame; other runs use the same server."""
        view = f"kindling_{hashlib.sha256(f'{self._run} {name}'.encode()).hexdigest()[:32]}"
        self._shared.add(view)
        return view

    def _is_stopped(self, session: ConnectSession, deadline: float) -> bool:
        """Interrupt what runs; tell whether nothing did."""
        spark = session.spark

        def ask() -> bool:
            if not clients.running(spark):
                return not session.wire.active
            if not spark.interruptTag(session.wire.tag):
                spark.interruptAll()
            return False

        return bounded(ask, max(0.05, deadline - time.monotonic())) is True

    def _usable_server(self) -> Server:
        server = self._server
        if server is not None and server.alive:
            return server
        if server is not None:
            server.kill("it was replaced")  # nothing is left of it
        made: Server
        if self._endpoint is None:
            made = OwnServer({"spark.local.dir": self._work_dir, **self._server_settings}, self._work_dir)
        else:
            made = RemoteServer(self._endpoint, self._patience_s)
        self._server = made
        self._greet(made)
        return made

    def _greet(self, server: Server) -> None:
        try:
            with self._visit("hello", server) as spark:
                clients.greet(spark, server, START_S if server.is_own else self._connect_s)
        except BaseException:
            server.kill("it does not answer")
            self._server = None
            raise

    def _drop_shared(self, server: Server | None) -> None:
        """Free the rows that a foreign server keeps for this run."""
        if server is None or server.is_own or not server.alive or not self._shared:
            return

        def drop() -> None:
            with self._visit("cleanup", server) as spark:
                for view in self._shared:
                    spark.sql(f"UNCACHE TABLE IF EXISTS global_temp.{view}")
                    spark.sql(f"DROP VIEW IF EXISTS global_temp.{view}")

        bounded(drop, ANSWER_S)

    @contextmanager
    def _visit(self, name: str, server: Server) -> Iterator[Any]:
        """Give a pyspark session that is no task's, and end it."""
        wire = Wire(name, server)
        spark = clients.opened(server, wire)
        try:
            yield spark
            wire.released = True
            bounded(spark.client.release_session, ANSWER_S)
        finally:
            clients.forget(spark)
