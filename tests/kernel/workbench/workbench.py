"""A project on the scratch plugin: declared in a test, planned and run in its process, tables in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import kindling_plugin_scratch
from kindling_plugin_scratch.stores import FileStore
from kindling_plugin_scratch.tables import load

import kindling
from kindling.addresses import Address
from kindling.app import App
from kindling.config.schema import DEFAULT_LOCATION, KERNEL
from kindling.config.settings import Settings
from kindling.events import Event
from kindling.hooks.platform import SessionSpec
from kindling.hooks.state import State
from kindling.hooks.storage import CommitInfo, ReadRequest, WriteRequest
from kindling.intents import Intent
from kindling.plan.plan import Plan, PlannedTask
from kindling.plan.planner import Planner, Wish
from kindling.plan.project import Project
from kindling.plugins.catalog import Catalog
from kindling.plugins.installed import Installed
from kindling.plugins.manifest import Distribution, parse_manifest
from kindling.plugins.policy import Policy
from kindling.run.capabilities import Capabilities
from kindling.run.request import RunRequest
from kindling.run.run import RunResult, run
from kindling.run.sqlite import SqliteState
from kindling.schemas import parse_schema
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.memory_tables import place
from kindling.testing.rows import arrow_table, in_utc, ordered

PLUGIN = Path(kindling_plugin_scratch.__file__).parent
NUMBERS = count(1)
CHOSEN = {
    ("platform", "default"): "scratch",
    ("storage", "default"): "scratch",
    ("executor", "default"): "inline",
    ("run", "workers"): 1,
    ("environments",): ["dev", "prod"],
}


def catalog() -> Catalog:
    """Return a catalog of the scratch plugin and of the kernel's own capabilities."""
    found = []
    for name, folder, modules in (
        ("kindling-plugin-scratch", PLUGIN, {}),
        (
            "kindling-core",
            Path(kindling.__file__).parent,
            {"state:sqlite": "kindling.run.sqlite_plugin", "secrets:env": "kindling.run.env_secrets"},
        ),
    ):
        text = (folder / "kindling.json").read_text(encoding="utf-8")
        told = modules or dict.fromkeys(json.loads(text)["capabilities"], "kindling_plugin_scratch.plugin")
        owner = Distribution(name, "1.0", folder.name, str(folder / "kindling.json"))
        found += parse_manifest(text, owner, told)[1]
    return Catalog(Installed(tuple(sorted(found, key=lambda one: one.id))), Policy.of({}, {}))


def settings(path: Path, given: Mapping[tuple[str, ...], object] = {}, environment: str = "dev") -> Settings:
    """Return settings: the kernel's defaults, then what the workbench chooses, then what is given."""
    fixed = [*(one for one in KERNEL if "*" not in one.name), DEFAULT_LOCATION]
    rows: dict[tuple[str, ...], object] = {tuple(one.name.split(".")): one.default for one in fixed}
    rows |= {**CHOSEN, **given}
    return Settings(str(path), environment, [(key, value, "a test", False) for key, value in rows.items()])


class Bench:
    """One app on the scratch plugin.

    Attributes:
        project: The opened project; made anew by `use`.
        heard: Events of all runs, in order.
        opened: What a test opened beside runs; `close` closes it.
    """

    def __init__(self, path: Path, state: State | None = None) -> None:
        self.path = path
        self.given: dict[tuple[str, ...], object] = {}
        self.environment = "dev"
        self.state = state
        self.heard: list[Event] = []
        self.opened: list[Capabilities] = []
        self.project: Project

    def use(self, app: App, **given: object) -> Bench:
        """Choose the app, and settings by name with `__` between the parts."""
        self.given |= {tuple(key.split("__")): value for key, value in given.items()}
        chosen = settings(self.path, self.given, self.environment)
        self.project = Project(
            str(self.path), reference="", app=app, settings=chosen, catalog=catalog(), overrides={}
        )
        if self.state is None:
            self.state = SqliteState(self.project.state_dir)
        return self

    def close(self) -> None:
        """Close the state, and what a test opened; engines of some tests do not stop."""
        for opened in self.opened:
            with suppress(OSError):
                opened.close()
        if self.state is not None:
            self.state.close()

    def set(self, *path: str, value: object) -> None:
        """Change one setting of the chosen app."""
        self.given[path] = value
        self.use(self.project.app)

    def planner(self) -> Planner:
        state = self.state
        assert state is not None
        return Planner(self.project, lambda: state.tasks(self.project.app.name, self.environment))

    def plan(self, **wish: object) -> Plan:
        return self.planner().plan(Wish(**wish))

    def decided(self, name: str, **wish: object) -> PlannedTask:
        """Return the one task of an entity in a plan."""
        (task,) = self.tasks(name, **wish)
        return task

    def tasks(self, name: str, **wish: object) -> list[PlannedTask]:
        return [task for task in self.plan(**wish).tasks if task.key.entity == name]

    def reasons(self, name: str, **wish: object) -> list[tuple[str, str]]:
        """Return codes and texts of the reasons of the one task of an entity."""
        return [(reason.code, reason.text) for reason in self.decided(name, **wish).reasons]

    def request(self, **asked: object) -> RunRequest:
        told = {"app": "", "project": str(self.path), "environment": self.environment}
        return RunRequest(**{**told, "run_id": f"r{next(NUMBERS)}", **asked})  # type: ignore[arg-type]  # a test's own

    def run(self, *, sinks: Sequence[object] = (), **asked: object) -> RunResult:
        assert self.state is not None
        return run(self.project, self.state, self.request(**asked), sinks=(Ear(self.heard), *sinks))  # type: ignore[arg-type]  # honest sinks

    def ran(self, **asked: object) -> dict[str, str]:
        """Run and return the status of each task that ran."""
        return {key: outcome.status for key, outcome in self.run(**asked).outcomes.items()}

    # --- tables ----------------------------------------------------------------------------------

    def address(self, name: str) -> Address:
        parts = tuple(name.split("."))
        uri = f"{self.path}/lake/{self.environment}/{'/'.join(parts)}"
        return Address("scratch", "lake", parts, uri)

    def put(
        self, name: str, schema: str, *rows: tuple[object, ...], how: str = "overwrite", app: str = "away"
    ) -> str:
        """Write a table as somebody else would; return its new version."""
        table = parse_schema(schema)
        session = MemoryPlatform({}).open_session(SessionSpec("put"))
        number = str(next(NUMBERS))
        info = CommitInfo(app, self.environment, name, "*", f"put-{number}", number)
        frame = session.from_arrow(arrow_table(table, rows), table)  # type: ignore[attr-defined]  # it has arrow-in
        store = FileStore(self.address(name), session)
        return store.write(frame, WriteRequest(Intent(how), table, info, drift="evolve")).version

    def rows(self, name: str, environment: str = "") -> list[tuple[object, ...]]:
        """Return the newest rows of a table, in one order."""
        address = self.address(name)
        if environment:
            address = address.replace(uri=address.uri.replace("/dev/", f"/{environment}/"))
        session = MemoryPlatform({}).open_session(SessionSpec("rows"))
        frame = FileStore(address, session).read(ReadRequest())
        return ordered(in_utc(row) for row in session.preview(frame, 1000).rows)

    def columns(self, name: str) -> tuple[str, ...]:
        session = MemoryPlatform({}).open_session(SessionSpec("columns"))
        schema = FileStore(self.address(name), session).schema()
        return schema.names if schema else ()

    def commits(self, name: str) -> list[dict[str, object]]:
        """Return what each commit of a table carries, oldest first."""
        tables = load(self.address(name))
        found = tables.get(place(self.address(name)))
        return [json.loads(version.info) for version in found.versions] if found else []

    def drop(self, name: str) -> None:
        Path(f"{self.address(name).uri}.table").unlink()

    def run_dir(self, result: RunResult) -> Path:
        return Path(self.project.run_dir(result.run_id))

    def lines(self, result: RunResult, file: str = "events.jsonl") -> list[dict[str, object]]:
        text = (self.run_dir(result) / file).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


class Ear:
    """A sink that keeps events; closing it is noted.

    Attributes:
        heard: The events.
        closed: How often it was closed.
    """

    essential = False

    def __init__(self, heard: list[Event]) -> None:
        self.heard = heard
        self.closed = 0

    def record(self, events: Sequence[Event]) -> None:
        self.heard.extend(events)

    def close(self) -> None:
        self.closed += 1
