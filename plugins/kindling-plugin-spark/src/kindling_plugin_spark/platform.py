"""The platform: one JVM in this process's charge, sessions on it, stopping of jobs."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import uuid
from typing import Any

from kindling.errors import EngineLostError, KindlingError, UsageError
from kindling.hooks.platform import FrameApi, PlatformSpec, Session, SessionSpec
from kindling.hooks.pyspark import PysparkParts, bounded
from kindling.polling import poll
from kindling_plugin_spark import environment, settings
from kindling_plugin_spark.messages import is_transient, plain_message, refused_setting
from kindling_plugin_spark.pools import KEY, Pools
from kindling_plugin_spark.session import SparkSession

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
ANSWER_S = 10.0
"""Seconds in which a healthy JVM answers a tiny call; usually 0.01."""
QUIET_LOOKS = 5
"""In how many looks in a row, 0.01 to 0.05 s apart, a cancelled session has to be idle."""


class SparkPlatform:
    """One Spark application, which `close` stops, unless somebody else in this process had started it."""

    def __init__(self, spec: PlatformSpec) -> None:
        environment.check(environment.installed(), environment.java(os.environ))
        self._wanted = settings.for_start(spec)
        self._own_dir = "" if spec.work_dir else tempfile.mkdtemp(prefix="kindling-spark-")
        self._work_dir = spec.work_dir or self._own_dir
        self._lock = threading.RLock()
        self._sessions: dict[str, SparkSession] = {}
        self._pools = Pools()
        self._root: Any = None
        self._is_owner = True
        self._engine = ""
        self._closed = False

    def open_session(self, spec: SessionSpec) -> Session:
        """Open a session in the calling thread; the first one starts the JVM.

        Raises:
            EngineLostError: KDL-INFRA-301, Spark does not start.
            UsageError: KDL-INFRA-302, the platform is closed or a live session has the tag.
        """
        wanted = {**settings.ALWAYS, **settings.checked(spec.engine_settings)}
        with self._lock:
            if self._closed or spec.tag in self._sessions:
                why = "the platform is closed" if self._closed else "a live session has this tag"
                raise UsageError("KDL-INFRA-302", f"cannot open a session for {spec.tag!r}", why=why)
            root = self._started()
            spark = root.newSession()
            _configure(spark, wanted)
            # Never reused: the group of a cancelled task refuses its future jobs too.
            group = f"{spec.tag} {uuid.uuid4().hex}"
            pool = wanted.get(KEY) or self._pools.take()
            session = SparkSession(spark, self._parts(), tag=spec.tag, group=group, pool=pool, owner=self)
            self._sessions[spec.tag] = session
        self.mark(session)
        return session

    def cancel(self, tag: str, grace_s: float) -> bool:
        """Stop a session's jobs; it refuses to start others. The JVM is never killed.

        `interruptTag` would return an empty list, and stop nothing, while a query is planned. Adaptive
        execution submits a query's stages one after the other and does not look at groups that were
        cancelled before, so this asks again until nothing of the session has worked for a while.
        """
        session = self._sessions.get(tag)
        if session is None or self._root is None:
            return True
        session.is_cancelled = True
        # Not in pyspark's own API yet. Source: SparkContext.cancelJobGroupAndFutureJobs, Spark 4.0.
        stop = self._root.sparkContext._jsc.sc().cancelJobGroupAndFutureJobs  # noqa: SLF001  # see above
        quiet = 0

        def is_quiet() -> bool:
            nonlocal quiet
            stop(session.group)
            quiet = 0 if session.is_busy or self._running(session.group) else quiet + 1
            return quiet >= QUIET_LOOKS

        return bool(poll(is_quiet, timeout_s=grace_s, most_s=0.1))

    def is_healthy(self) -> bool:
        """Tell whether the JVM answers; False before the first session."""
        root = self._root
        if root is None or self._closed:
            return False
        return bounded(lambda: root.range(1).count() == 1, ANSWER_S) is True

    def is_transient(self, error: BaseException) -> bool:
        """Tell whether an error may vanish: a lost JVM or another writer's commit."""
        return error.transient if isinstance(error, KindlingError) else is_transient(error)

    def explain(self, error: BaseException) -> str:
        """Return the error's message in one or two lines, without the JVM's stack."""
        return plain_message(error)

    def close(self) -> None:
        """Stop Spark and close all sessions. Idempotent."""
        with self._lock:
            self._closed = True
            root, self._root = self._root, None
            for session in list(self._sessions.values()):
                session.close()
        if root is not None and self._is_owner:
            bounded(root.stop, ANSWER_S)
        if self._own_dir:
            shutil.rmtree(self._own_dir, ignore_errors=True)

    def mark(self, session: SparkSession) -> None:
        """Put the calling thread's jobs into the session's group, pool and tag; they belong to threads."""
        root = self._root
        if root is not None:
            context = root.sparkContext
            context.setJobGroup(session.group, session.tag, interruptOnCancel=True)
            context.setLocalProperty(KEY, session.pool)
            context.clearJobTags()  # of a session that this thread served before
            if session.tag and "," not in session.tag:
                context.addJobTag(session.tag)

    def release(self, session: SparkSession) -> None:
        """Forget a session; called by its `close`. Its views go with it, asking for them costs a job."""
        with self._lock:
            self._sessions.pop(session.tag, None)
            self._pools.give_back(session.pool)

    def _running(self, group: str) -> bool:
        tracker = self._root.sparkContext.statusTracker()
        found = (tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group))
        return any(job is not None and job.status == "RUNNING" for job in found)

    def _started(self) -> Any:  # noqa: ANN401  # untyped pyspark
        if self._root is None:
            from pyspark import SparkContext
            from pyspark.sql import SparkSession as Classic

            # pyspark logs each refused query as one line of JSON on stderr.
            for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
            self._is_owner = SparkContext._active_spark_context is None  # noqa: SLF001  # no public name
            builder = Classic.builder
            for key, value in self._wanted.items():
                builder = builder.config(key, value)
            try:
                self._root = builder.getOrCreate()
            except Exception as error:
                raise EngineLostError(
                    "KDL-INFRA-301",
                    "the engine of the platform 'spark' did not start",
                    why=plain_message(error),
                    hint="look at the lines that Java wrote above",
                ) from error
            self._root.sparkContext.setLogLevel("OFF")
            self._engine = f"spark-{self._root.sparkContext.applicationId}-{uuid.uuid4().hex[:8]}"
        return self._root

    def _parts(self) -> PysparkParts:
        from pyspark.sql import functions, types
        from pyspark.sql.window import Window

        frames = FrameApi(functions, Window, types)
        return PysparkParts(
            "spark", self._engine, FEATURES, frames, type(self._root.range(0)), self._work_dir
        )


def _configure(spark: Any, wanted: dict[str, str]) -> None:  # noqa: ANN401  # untyped pyspark
    for key, value in wanted.items():
        try:
            spark.conf.set(key, value)
        except Exception as error:
            raise refused_setting({key: value}, error) from error
