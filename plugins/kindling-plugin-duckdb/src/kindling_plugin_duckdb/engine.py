"""The platform: one DuckDB instance in this process, a cursor for each session."""

from __future__ import annotations

import os
import re
import threading
import uuid
from time import monotonic, sleep

import duckdb

from kindling.errors import EngineLostError, KindlingError
from kindling.hooks.platform import PlatformSpec, Session, SessionSpec
from kindling_plugin_duckdb.macros import needed, statements
from kindling_plugin_duckdb.portability import unmarked
from kindling_plugin_duckdb.session import DuckDBSession
from kindling_plugin_duckdb.settings import check_engine_settings

_PAUSE_S = 0.005
# Consumers of a stream (deltalake, pyarrow) wrap DuckDB's text in their own.
_INNER = re.compile(
    r"(?:Invalid Input|Conversion|Out of (?:Range|Memory)|Binder|Catalog|IO|INTERRUPT) Error: .*",
    re.DOTALL,
)


class DuckDBPlatform:
    """`platform:duckdb`."""

    def __init__(self, spec: PlatformSpec) -> None:
        check_engine_settings(spec.engine_settings)
        self._spec = spec
        self._lock = threading.RLock()
        self._root: duckdb.DuckDBPyConnection | None = None
        self._engine = ""
        self._sessions: dict[str, DuckDBSession] = {}
        self._macros: set[str] = set()

    @property
    def engine(self) -> str:
        """Identity of the live instance, "" before its start."""
        return self._engine

    def open_session(self, spec: SessionSpec) -> Session:
        """Return a session with its own temporary views; starts the instance if needed.

        Raises:
            EngineLostError: KDL-INFRA-201, DuckDB cannot be started with these settings.
        """
        check_engine_settings(spec.engine_settings, where=f"settings of the task {spec.tag!r}")
        with self._lock:
            cursor = self._started().cursor()
            cursor.execute("SET TimeZone = 'UTC'")
            session = DuckDBSession(self, cursor, spec.tag)
            self._sessions[spec.tag] = session
            return session

    def cancel(self, tag: str, grace_s: float) -> bool:
        """Interrupt what a session runs; DuckDB stops within milliseconds, so nothing is ever killed."""
        with self._lock:
            session = self._sessions.get(tag)
        if session is None:
            return True
        deadline = monotonic() + grace_s
        session.interrupt()
        while session.is_busy:
            if monotonic() > deadline:
                return False
            sleep(_PAUSE_S)
            session.interrupt()
        return True

    def is_healthy(self) -> bool:
        """Tell whether the instance answers."""
        with self._lock:
            if self._root is None:
                return False
            return self._root.cursor().execute("SELECT 1").fetchone() == (1,)

    def is_transient(self, error: BaseException) -> bool:
        """Only a lost instance may come back: DuckDB's own errors are the query's."""
        return isinstance(error, EngineLostError)

    def explain(self, error: BaseException) -> str:
        """Return an error's message in at most two lines."""
        if isinstance(error, KindlingError):
            return "\n".join(line.strip() for line in str(error).splitlines()[:2])
        text = str(error)
        refusal = unmarked(text)
        if refusal is not None:
            return f"{refusal.code}: {refusal.what}\n{refusal.hint}"
        inner = _INNER.search(text)
        lines = [line.strip() for line in (inner[0] if inner else text).splitlines() if line.strip()]
        kept = [line for line in lines if not line.startswith(("LINE ", "^"))]
        return "\n".join(kept[:2]) or type(error).__name__

    def close(self) -> None:
        """Interrupt and close all sessions and the instance."""
        with self._lock:
            sessions = list(self._sessions.values())
            root, self._root = self._root, None
        for session in sessions:
            self.cancel(session.tag, 5.0)
            session.close()
        if root is not None:
            root.close()

    def forget(self, session: DuckDBSession) -> None:
        """Drop a closed session from the live ones."""
        with self._lock:
            if self._sessions.get(session.tag) is session:
                del self._sessions[session.tag]

    def make_macros(self, sql: str) -> None:
        """Make the macros that a statement calls, if they do not exist yet."""
        if needed(sql) <= self._macros:
            return
        with self._lock:
            cursor = self._started().cursor()
            made = set(self._macros)
            for statement in statements(needed(sql), made):
                cursor.execute(statement)
            self._macros = made  # only once they exist: other threads look without the lock

    def _started(self) -> duckdb.DuckDBPyConnection:
        if self._root is None:
            self._macros = set()
            try:
                root = duckdb.connect(":memory:", config=_config(self._spec))
                root.execute("CREATE SCHEMA kindling_shared")
            except duckdb.Error as error:
                raise EngineLostError(
                    "KDL-INFRA-201",
                    "duckdb cannot be started",
                    why=str(error).splitlines()[0],
                    hint="correct [platform.duckdb]: memory_limit like '4GB', threads 1 or more",
                ) from error
            self._root = root
            self._engine = f"duckdb-{os.getpid()}-{uuid.uuid4().hex[:12]}"
        return self._root


def _config(spec: PlatformSpec) -> dict[str, str | bool | int | float | list[str]]:
    """Return DuckDB's options: what was set, and nothing that reaches for the network."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "python_enable_replacements": False,
    }
    settings = spec.settings
    if settings.get("memory_limit"):
        config["memory_limit"] = str(settings["memory_limit"])
    if settings.get("threads"):
        config["threads"] = str(settings["threads"])
    folder = str(settings.get("temp_directory") or "") or (
        os.path.join(spec.work_dir, "duckdb") if spec.work_dir else ""  # noqa: PTH118  # a plain path for DuckDB
    )
    if folder:
        config["temp_directory"] = folder
    return config
