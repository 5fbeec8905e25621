"""Run one pipe on a real engine with given rows: for the tests of pipeline authors. No storage."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kindling.addresses import Slice
from kindling.config.secrets import Redactor, SecretResolver
from kindling.config.settings import Settings, load_settings
from kindling.errors import UsageError
from kindling.hooks.arrow import neutral_schema
from kindling.hooks.executor import TaskSpec
from kindling.hooks.platform import ArrowIn, PlatformSpec, SessionSpec
from kindling.hooks.secrets import SecretsSpec
from kindling.pipe import Pipe
from kindling.plugins.catalog import read_catalog
from kindling.plugins.loader import Loader
from kindling.plugins.policy import Policy
from kindling.run.context import TaskContext, table_of_rows
from kindling.run.log import make_log
from kindling.run.production import Production, shaped
from kindling.schemas import parse_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kindling.entity import Entity
    from kindling.hooks import Frame
    from kindling.hooks.platform import Platform, Session
    from kindling.hooks.secrets import Secrets
    from kindling.schemas import Schema

    Given = Mapping[Entity, object]
    Rows = list[dict[str, object]]

MOST_ROWS = 1_000_000


class PipeRunner:
    """Runs pipes on one live platform; made by `pipe_runner` or the fixture `kindling_run`."""

    def __init__(self, platform: Platform, loader: Loader, settings: Settings, log_dir: str) -> None:
        self._platform = platform
        self._loader = loader
        self._settings = settings
        self._log_dir = log_dir
        self._redactor = Redactor()
        self._count = 0

    def __call__(self, pipe: Pipe[...], given: Given | None = None, *, columns: Sequence[str] = ()) -> Rows:
        """Run a pipe and return its rows as dicts, in the order in which the engine gives them.

        Memory entities that are not given are computed from their own inputs.

        Args:
            pipe: The decorated pipe, or what `app.sql` returned.
            given: Rows by input handle: a list of dicts or tuples, Arrow data, or a pair (rows, schema).
                Types come from the schema of the pair, else from the handle's schema, else from the rows.
            columns: Columns to return; by default all.

        Raises:
            UsageError: KDL-TEST-001 or KDL-TEST-002, a handle is no input or an input is not given.
            RunError: The pipe returned no frame, or its columns do not fit its schema.
        """
        self._count += 1
        session = self._platform.open_session(SessionSpec(f"test-{os.getpid()}-{self._count}"))
        try:
            frame = self._frame(session, pipe, given or {})
            frame, schema, _ = shaped(
                session, frame, pipe.schema, entity=pipe.name, drift=pipe.drift, where=str(pipe.place)
            )
            names = tuple(columns) or schema.names
            found = session.preview(session.select(frame, [(n, f"`{n}`") for n in names]), MOST_ROWS)
            return [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        finally:
            session.close()

    def _frame(self, session: Session, pipe: Pipe[...], given: Given) -> Frame:
        pipes, names, entities = _reachable(pipe)
        spec = TaskSpec(
            run_id="test",
            app="",
            project="",
            environment=self._settings.environment,
            entity=pipe.name,
            slice="*",
            address={},
            platform=session.platform,
            inputs=(),
            fingerprint="",
        )
        production = Production(
            spec,
            session,
            pipes,
            names,
            {},
            self._loader.storage,  # type: ignore[arg-type]  # never called: nothing is read
            self._context(session),
        )
        for handle, rows in given.items():
            if handle.name not in entities:
                raise UsageError(
                    "KDL-TEST-001",
                    f"{handle.name!r} is no input of {pipe.name!r}",
                    why=f"inputs: {', '.join(sorted(entities)) or 'none'}",
                )
            production.give(handle.name, _frame_of(session, handle, rows))
        reached = production.missing(pipe.name)
        if reached:
            raise UsageError(
                "KDL-TEST-002",
                f"{reached[0]!r}, which {pipe.name!r} reads, is not given",
                hint="run_pipe(pipe, given={handle: [{...}]})",
            )
        return production.frame_of(pipe.name)

    def _context(self, session: Session) -> TaskContext:
        resolver = SecretResolver(self._vault, self._redactor)
        log = make_log(f"{self._log_dir}/log.jsonl", self._redactor.redact)
        return TaskContext(session, self._settings, resolver.secret, Slice(), log)

    def _vault(self, name: str) -> Secrets:
        return self._loader.secrets(name).factory(SecretsSpec(environment=self._settings.environment))


def _reachable(
    pipe: Pipe[...],
) -> tuple[dict[str, Pipe[...]], dict[str, tuple[str, ...]], dict[str, Entity]]:
    """Return the pipes that may be called, their input names, and all inputs by name."""
    pipes: dict[str, Pipe[...]] = {pipe.name: pipe}
    entities: dict[str, Entity] = {}
    todo = [pipe]
    while todo:
        for handle in todo.pop().inputs:
            entities[handle.name] = handle
            if isinstance(handle, Pipe) and handle.is_memory and handle.name not in pipes:
                pipes[handle.name] = handle
                todo.append(handle)
    names = {name: tuple(handle.name for handle in found.inputs) for name, found in pipes.items()}
    return pipes, names, entities


def _frame_of(session: Session, handle: Entity, given: object) -> Frame:
    if not isinstance(session, ArrowIn):
        raise UsageError("KDL-TEST-003", f"the platform {session.platform!r} cannot make frames of rows")
    schema: Schema | None = handle.schema
    if isinstance(given, tuple):
        rows, declared = given
        given, schema = rows, parse_schema(declared)
    table = given if hasattr(given, "__arrow_c_stream__") else None
    if table is None and schema is None:
        table = _inferred(given)
    if table is None and schema is not None:
        table = table_of_rows(given, schema)
    return session.from_arrow(table, schema or neutral_schema(table.schema))  # type: ignore[attr-defined]  # a pyarrow.Table


def _inferred(rows: object) -> object:
    import pyarrow as pa

    return pa.Table.from_pylist(rows)


@contextmanager
def pipe_runner(platform: str = "", *, project: str = "") -> Iterator[PipeRunner]:
    """Open a platform for tests and close it again.

    Args:
        platform: Capability name; "" for the project's setting.
        project: Folder of the project whose settings apply; "" for the present folder.
    """
    folder = project or os.getcwd()
    catalog = read_catalog("", Policy.of({}, os.environ))
    schemas = {capability.id: capability.config for capability in catalog.installed()}
    settings = load_settings(folder, plugin_schemas=schemas, environ={**os.environ, "KINDLING_CACHE": "off"})
    loader = Loader(catalog, catalog.policy)
    name = platform or str(settings.get("platform"))
    work_dir = tempfile.mkdtemp(prefix="kindling-test-")
    spec = PlatformSpec(
        environment=settings.environment,
        settings=dict(settings.plugin(f"platform:{name}")),
        engine_settings=settings.spark,
        work_dir=work_dir,
    )
    live = loader.platform(name).factory(spec)
    try:
        yield PipeRunner(live, loader, settings, work_dir)
    finally:
        live.close()
        shutil.rmtree(work_dir, ignore_errors=True)


def run_pipe(pipe: Pipe[...], given: Given | None = None, *, platform: str = "") -> Rows:
    """Run one pipe on a platform of its own; see `PipeRunner`. The fixture `kindling_run` is faster."""
    with pipe_runner(platform) as runner:
        return runner(pipe, given)
