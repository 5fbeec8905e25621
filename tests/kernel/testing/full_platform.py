"""The memory platform with every other feature, so that each contract test has something to break."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import deltalake
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from fakes import OfMemoryPlatform

from kindling.errors import EngineLostError
from kindling.hooks import Frame
from kindling.hooks.platform import PathRead, PathWrite, Platform, Rows, Session, SessionSpec
from kindling.testing.memory_platform import FEATURES, MemoryPlatform, MemorySession, lazy, strict

ALL = FEATURES | {"paths", "delta-native", "spark-sql", "cancel"}


class FullSession(MemorySession):
    """Files and Delta tables through pyarrow and deltalake, statements by pattern."""

    owner: FullPlatform

    def load(self, source: PathRead) -> Frame:
        if source.format == "delta":
            table = deltalake.DeltaTable(source.uris[0], version=source.version)
            return self._taken(pa.table(table.to_pyarrow_table()))
        found = pa.concat_tables(self._file(file) for uri in source.uris for file in self._files(uri))
        frame = self._taken(found)
        return strict(lazy(frame), source.schema) if source.schema else frame

    @staticmethod
    def _files(uri: str) -> list[Path]:
        return sorted(Path(uri).rglob("*.parquet"))

    @staticmethod
    def _file(path: Path) -> pa.Table:
        return pq.read_table(path, partitioning=None)

    @staticmethod
    def _taken(table: pa.Table) -> Frame:
        made = pl.from_arrow(table)
        assert isinstance(made, pl.DataFrame)
        return made.lazy()

    def save(self, frame: Frame, target: PathWrite) -> None:
        table = pa.table(self.to_arrow(frame))
        if target.format == "delta":
            deltalake.write_deltalake(
                target.uri,
                table,
                mode="overwrite" if target.mode == "overwrite" else "append",
                partition_by=list(target.partition_by) or None,
                schema_mode="overwrite" if target.overwrite_schema else None,
                commit_properties=deltalake.CommitProperties(
                    custom_metadata={"userMetadata": target.user_metadata}
                ),
            )
            return
        folder = Path(target.uri)
        if target.mode == "error" and folder.exists():
            raise FileExistsError(target.uri)
        old = self._files(target.uri)
        if target.mode == "overwrite":
            for file in old:
                file.unlink()
        if target.partition_by:
            pq.write_to_dataset(table, folder, partition_cols=list(target.partition_by))
            return
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, folder / f"part-{len(old)}.parquet")

    def execute(self, statement: str) -> Rows:
        deletes = re.fullmatch(r"DELETE FROM delta\.`(.+)` WHERE (.+)", statement)
        if deletes is None:
            return self.preview(self.sql(statement, {}), 1000)
        deltalake.DeltaTable(deletes[1]).delete(deletes[2])
        return Rows((), ())


class FullPlatform(MemoryPlatform):
    """Cancelling works for queries that look at their session's flag."""

    sessions: ClassVar[type[FullSession]] = FullSession

    def __init__(self, shared: dict[str, pl.LazyFrame]) -> None:
        super().__init__(shared)
        self.features = ALL
        self.stopped: dict[str, threading.Event] = {}
        self.ended = threading.Condition()

    def open_session(self, spec: SessionSpec) -> Session:
        super().open_session(spec)
        self.stopped[spec.tag] = threading.Event()
        return self.sessions(self, spec)

    @contextmanager
    def working(self, tag: str) -> Iterator[None]:
        try:
            with super().working(tag):
                yield
        finally:
            with self.ended:
                self.ended.notify_all()

    def cancel(self, tag: str, grace_s: float) -> bool:
        if tag not in self.stopped:
            return True
        self.stopped[tag].set()
        with self.ended:
            return self.ended.wait_for(lambda: super(FullPlatform, self).cancel(tag, grace_s), grace_s)


class OfFullPlatform(OfMemoryPlatform):
    features = ALL
    made: ClassVar[type[MemoryPlatform]] = FullPlatform
    patience_s = 3.0

    @classmethod
    def make_platform(cls, work_dir: Path) -> Platform:  # noqa: ARG003  # nothing is written
        return cls.made({})

    def start_long_query(self, session: Session) -> object:
        assert isinstance(session, FullSession)
        stopped = session.owner.stopped[session.spec.tag]

        def wait(batch: pl.DataFrame) -> pl.DataFrame:
            if stopped.wait(5):
                raise EngineLostError("KDL-INFRA-011", "the query was stopped")
            return batch

        return session.preview(pl.LazyFrame({"n": [1]}).map_batches(wait, schema={"n": pl.Int64()}), 1)
