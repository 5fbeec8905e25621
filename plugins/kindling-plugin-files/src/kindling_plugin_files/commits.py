"""Writes: stage the files, ask the guard, move them into place, and let the manifest appear.

Until its manifest is there a write has no effect on readers, whenever it stops. An object store cannot
rename, so there the files go to their place at once and only the manifest decides.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time

import pyarrow as pa

from kindling.addresses import Address
from kindling.errors import CommitConflictError, PolicyError, StoreError
from kindling.hooks import Frame
from kindling.hooks.arrow import arrow_schema
from kindling.hooks.platform import ArrowOut, Paths, PathWrite, Session
from kindling.hooks.storage import Commit, CommitInfo, WriteRequest
from kindling.schemas import Schema
from kindling_plugin_files import manifest
from kindling_plugin_files.columnar import count_rows, write_parquet
from kindling_plugin_files.delimited import write_csv
from kindling_plugin_files.drift import fitted
from kindling_plugin_files.jsonlines import write_json
from kindling_plugin_files.manifest import Manifest
from kindling_plugin_files.options import FileOptions, entity_name
from kindling_plugin_files.places import SIDECAR, LocalPlace, RemotePlace
from kindling_plugin_files.probe import SUFFIXES

STALE_S = 86_400
"""Age after which another machine's staging folder counts as left behind."""
TRIES = 20
NO_PARTITIONS = "plain files are not partitioned: partition_by had no effect"


@dataclass(frozen=True, slots=True)
class _Staged:
    """A file that is written but does not count yet: where it is, where it goes, bytes, rows."""

    source: str
    name: str
    size: int
    rows: int


class Writer:
    """Writes one entity."""

    def __init__(
        self, address: Address, place: LocalPlace | RemotePlace, session: Session, options: FileOptions
    ) -> None:
        self._address = address
        self._place = place
        self._session = session
        self._options = options
        self._token = f"{os.getpid()}-{os.urandom(6).hex()}"

    def write(self, frame: Frame, request: WriteRequest) -> Commit:
        """Write a frame in one commit; a retry of a commit that was made returns it again."""
        newest = manifest.newest(self._place)
        self._check(request, newest)
        done = self._repeated(request.info)
        if done is not None:
            return done
        append = request.intent.name == "append" and newest is not None
        warnings: tuple[str, ...] = (NO_PARTITIONS,) if request.partition_by else ()
        schema = request.schema
        if append and newest is not None:
            frame, schema, drifted = fitted(self._session, frame, request, newest)
            warnings += drifted
        made: Manifest | None = None
        try:
            if newest is None:
                manifest.mark(self._place)
            staged = self._staged(frame, schema)
            request.guard()
            made = self._publish(staged, schema, request, newest, append=append)
        except _EngineError as error:
            raise error.cause from error.cause.__cause__
        except OSError as error:
            raise self._failed(request.info.entity, error) from error
        finally:
            self._clean_staging(committed=made is not None)
        self._clean_old(newest)
        sizes = sum(file.size for file in staged)
        metrics = {"rows_inserted": made.rows, "bytes": sizes, "files": len(staged)}
        return Commit(made.token, made.rows, metrics, warnings)

    def _check(self, request: WriteRequest, newest: Manifest | None) -> None:
        """Refuse what would damage somebody's data, or what this storage cannot do."""
        entity = request.info.entity
        if newest is not None:
            owner = CommitInfo.from_json(newest.commit)
            if (owner.app, owner.environment) != (request.info.app, request.info.environment):
                raise PolicyError(
                    "KDL-POL-001",
                    f"{entity!r} belongs to the app {owner.app!r} in {owner.environment!r}",
                    why=f"this run is app {request.info.app!r} in {request.info.environment!r}",
                    where=self._address.uri,
                    hint="give the entity another location, or read it with app.ref",
                )
        elif self._place.is_file_or_glob or (
            not manifest.is_managed(self._place) and self._place.found(SUFFIXES[self._address.storage])
        ):
            raise StoreError(
                "KDL-STORE-209",
                f"{entity!r} would be written over files that Kindling did not write",
                where=self._address.uri,
                hint="name an empty folder, or remove the files",
            )
        if request.slice.kind != "all" and request.intent.name != "append":
            raise StoreError(
                "KDL-STORE-217",
                f"{entity!r} asks to replace a slice, which storage:{self._address.storage} does not offer",
                hint="choose k.delta()",
            )

    def _repeated(self, info: CommitInfo) -> Commit | None:
        """Return the commit of an earlier try of the same work."""
        for made in manifest.history(self._place, info.run_id):
            was = CommitInfo.from_json(made.commit)
            if (was.run_id, was.fingerprint, was.slice) == (info.run_id, info.fingerprint, info.slice):
                return Commit(made.token, made.rows, {"rows_inserted": made.rows})
        return None

    def _staged(self, frame: Frame, schema: Schema) -> list[_Staged]:
        """Compute the frame into files that do not count yet."""
        native = self._address.storage == "parquet" and "paths" in self._session.features
        if native and self._place.is_local and isinstance(self._session, Paths):
            return self._saved(frame)
        if not isinstance(self._session, ArrowOut):
            raise StoreError(
                "KDL-STORE-214",
                f"platform {self._session.platform!r} cannot give the rows of {entity_name(self._address)!r}",
                why="it does not offer arrow-out",
                hint="run the pipe on another platform",
            )
        name = self._name(0)
        target = f"{self._staging}/{name}" if self._place.is_local else name
        with _engine():
            stream = pa.RecordBatchReader.from_stream(self._session.to_arrow(frame))
        batches = _batches(stream, schema)
        with self._place.writer(target) as file:
            if self._address.storage == "parquet":
                rows = write_parquet(batches, schema, file)
            elif self._address.storage == "csv":
                rows = write_csv(batches, schema, file, self._options, entity_name(self._address))
            else:
                rows = write_json(batches, schema, file, entity_name(self._address))
        found = self._place.entry(target)
        return [_Staged(target, name, 0 if found is None else found.size, rows)]

    def _saved(self, frame: Frame) -> list[_Staged]:
        """Let the engine write Parquet files into the staging folder."""
        if not isinstance(self._session, Paths):
            return []
        folder = self._place.inner(self._staging)
        os.makedirs(os.path.dirname(folder), exist_ok=True)  # noqa: PTH103, PTH120  # as in places
        with _engine():
            self._session.save(frame, PathWrite("parquet", os.path.abspath(folder), "error"))  # noqa: PTH100  # as in places
        staged: list[_Staged] = []
        for found in sorted(name for name in self._place.names(self._staging) if name.endswith(".parquet")):
            source = f"{self._staging}/{found}"
            entry = self._place.entry(source)
            if entry is not None:
                rows = count_rows(entry.path)
                staged.append(_Staged(source, self._name(len(staged)), entry.size, rows))
        return staged

    @property
    def _staging(self) -> str:
        return f"{SIDECAR}/staging-{self._token}"

    def _name(self, number: int) -> str:
        suffix = SUFFIXES[self._address.storage][0]
        return f"part-{number:05d}-{self._token}{suffix}"

    def _publish(
        self,
        staged: list[_Staged],
        schema: Schema,
        request: WriteRequest,
        newest: Manifest | None,
        *,
        append: bool,
    ) -> Manifest:
        """Move the files into place and create the manifest: the one moment at which the write happens."""
        for file in staged:
            if file.source != file.name:
                self._place.move(file.source, file.name)
        files = [(file.name, file.size, file.rows) for file in staged]
        columns = [(field.name, field.type, field.nullable) for field in schema.fields]
        based_on = newest
        for _ in range(TRIES):
            before = based_on.files if append and based_on is not None else ()
            number = 1 if based_on is None else based_on.number + 1
            rows = sum(rows for _, _, rows in files)
            made = Manifest(number, request.info.to_json(), columns, [*before, *files], rows)
            if self._place.create(manifest.file_name(number), made.to_bytes()):
                return made
            based_on = manifest.newest(self._place)
            if not append or based_on is None or list(based_on.columns) != columns:
                break
        for file in staged:
            self._place.remove(file.name)
        raise CommitConflictError(
            "KDL-STORE-218",
            f"{request.info.entity!r} was written by another run meanwhile",
            where=self._address.uri,
            hint="the task is planned again and retried",
        )

    def _clean_staging(self, *, committed: bool) -> None:
        """Remove what this write staged, and the staging folders that killed writes left behind long ago."""
        for name in self._place.names(SIDECAR):
            if name == f"staging-{self._token}" or (
                name.startswith("staging-") and self._is_stale(f"{SIDECAR}/{name}")
            ):
                self._place.remove(f"{SIDECAR}/{name}")
        if not committed:
            self._place.remove(self._name(0))

    def _is_stale(self, name: str) -> bool:
        """Tell whether a file or folder was left behind by a killed write, judged by its age."""
        entry = self._place.entry(name)
        if entry is None or not self._place.is_local:
            return False
        return time() - int(entry.stamp) / 1e9 > STALE_S

    def _clean_old(self, before: Manifest | None) -> None:
        """Remove the files that the newest version no longer needs, and manifests that nobody asks for."""
        now = manifest.newest(self._place)
        kept = {name for name, _, _ in now.files} if now is not None else set()
        replaced = {name for name, _, _ in before.files} if before is not None else set()
        for entry in self._place.found(SUFFIXES[self._address.storage]):
            name = entry.name
            if name in kept or not name.startswith("part-"):
                continue
            # What no version lists may belong to a write that is about to commit.
            if name in replaced or self._is_stale(name):
                self._place.remove(name)
        for number in manifest.numbers(self._place)[manifest.KEPT :]:
            self._place.remove(manifest.file_name(number))

    def _failed(self, entity: str, error: OSError) -> StoreError:
        return StoreError(
            "KDL-STORE-211",
            f"{entity!r} could not be written",
            why=error.strerror or str(error),
            where=self._address.uri,
            hint="the old version is untouched; check free space and rights",
        )


class _EngineError(Exception):
    """Carries an error of the engine past the handling of errors of the file system."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(str(cause))
        self.cause = cause


@contextmanager
def _engine() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _EngineError(error) from error


def _batches(stream: pa.RecordBatchReader, schema: Schema) -> Iterator[pa.RecordBatch]:
    """Return the rows of a stream as batches of exactly the schema."""
    wanted = arrow_schema(schema)
    while True:
        try:
            with _engine():
                batch = stream.read_next_batch()
        except StopIteration:
            return
        yield batch.select(wanted.names).cast(wanted)
