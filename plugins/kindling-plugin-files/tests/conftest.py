from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from kindling_plugin_files.storage import FilesStorage

from kindling.addresses import Address
from kindling.hooks.arrow import neutral_schema
from kindling.hooks.platform import SessionSpec
from kindling.hooks.storage import Commit, CommitInfo, ReadRequest, StorageSpec, WriteRequest
from kindling.intents import append, overwrite
from kindling.schemas import Schema, parse_schema
from kindling.testing.memory_platform import MemoryPlatform, MemorySession

if TYPE_CHECKING:
    from kindling_plugin_files.store import FileStore


def address(storage: str, uri: object, **options: object) -> Address:
    return Address(storage, "", ("bronze", "flights"), str(uri), tuple(sorted(options.items())))


@dataclass
class Files:
    """Opens stores on a session, and reads and writes rows through them."""

    session: MemorySession
    made: list[FileStore] = field(default_factory=list)

    def store(self, storage: str, uri: object, **options: object) -> FileStore:
        spec = StorageSpec("dev")
        self.made.append(FilesStorage(spec).open(address(storage, uri, **options), self.session))
        return self.made[-1]

    def rows(self, store: FileStore, request: ReadRequest | None = None) -> list[tuple[object, ...]]:
        return list(self.session.preview(store.read(request or ReadRequest()), 1000).rows)

    def read(self, storage: str, uri: object, **options: object) -> list[tuple[object, ...]]:
        return self.rows(self.store(storage, uri, **options))

    def frame(self, columns: dict[str, list[object]], schema: str = "") -> tuple[object, Schema]:
        if schema:
            from kindling.hooks.arrow import arrow_schema

            neutral = parse_schema(schema)
            table = pa.table(list(columns.values()), schema=arrow_schema(neutral))
        else:
            table = pa.table(columns)
            neutral = neutral_schema(table.schema)
        return self.session.from_arrow(table, neutral), neutral

    def write(
        self, store: FileStore, columns: dict[str, list[object]], schema: str = "", **request: object
    ) -> Commit:
        frame, neutral = self.frame(columns, schema)
        given = {"intent": overwrite(), "info": info(), **request}
        return store.write(frame, WriteRequest(schema=neutral, **given))  # type: ignore[arg-type]  # by the tests

    def append(
        self,
        store: FileStore,
        columns: dict[str, list[object]],
        run: str,
        *,
        schema: str = "",
        **request: object,
    ) -> Commit:
        given = {"intent": append(), "info": info(run), **request}
        return self.write(store, columns, schema, **given)


def info(
    run: str = "r1", *, app: str = "shop", environment: str = "dev", slice_text: str = "*"
) -> CommitInfo:
    return CommitInfo(app, environment, "silver.x", slice_text, run, "f" + run, {"bronze.a": "t1"})


@pytest.fixture
def files() -> Files:
    platform = MemoryPlatform({})
    session = platform.open_session(SessionSpec("t"))
    assert isinstance(session, MemorySession)
    return Files(session)


@pytest.fixture
def text(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def put(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put
