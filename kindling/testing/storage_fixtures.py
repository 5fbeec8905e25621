"""How a storage contract gets its storage, session and addresses. No tests stand here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import ClassVar, Protocol

import pytest

from kindling.addresses import Address, Slice
from kindling.hooks import Frame
from kindling.hooks.platform import Platform, PlatformSpec, Session, SessionSpec
from kindling.hooks.storage import (
    Commit,
    CommitInfo,
    Historises,
    Merges,
    ReadRequest,
    Reads,
    Replaces,
    Storage,
    StorageSpec,
    Store,
    WriteRequest,
    Writes,
)
from kindling.intents import Intent, append, merge, overwrite, replace, scd2
from kindling.schemas import Schema, parse_schema
from kindling.testing import feature_table
from kindling.testing.memory_platform import MemoryPlatform
from kindling.testing.offers import Contract, Test, declaration, open_capability
from kindling.testing.rows import Row, frame_of, ordered, rows_of

COLUMNS = "k int, v string"
MOMENTS = tuple(f"2026-01-0{day}T00:00:00Z" for day in range(1, 9))
INTENTS: tuple[Intent, ...] = (overwrite(), append(), merge(on=["k"]), scd2(on=["k"]), replace(by=["k"]))
USE_OF = {"writes": "overwrite", "merges": "merge", "historises": "scd2", "replaces": "replace"}


class ProbeModule(Protocol):
    """What a probe module has; `bounds` only with `times`."""

    def version(self, address: Address) -> str | None:
        """Return the newest version."""
        ...

    def cursor(self, address: Address, key: str) -> str | None:
        """Return the newest text under a key."""
        ...

    def committed(self, address: Address, key: str) -> tuple[str, str] | None:
        """Return the newest text under a key with its version."""
        ...

    def bounds(self, address: Address, column: str) -> tuple[str, str] | None:
        """Return the bounds of a time column."""
        ...


def of(use: str, *features: str) -> Callable[[Test], Test]:
    """Mark a test as one of a use (a column of the feature table) that needs features."""

    def mark(test: Test) -> Test:
        test.needs = features  # type: ignore[attr-defined]  # functions take attributes
        test.use = use  # type: ignore[attr-defined]  # the same
        return test

    return mark


class Place:
    """One entity under test: a storage, a session, an address, a probe.

    Every write has another run and fingerprint unless told otherwise.
    """

    def __init__(self, storage: Storage, session: Session, address: Address, probe: ProbeModule) -> None:
        self.storage = storage
        self.session = session
        self.address = address
        self.probe = probe
        self._numbers = count(1)

    def store(self) -> Store:
        """Open the entity anew, as each task does."""
        return self.storage.open(self.address, self.session)

    def info(self, **changes: object) -> CommitInfo:
        """Return who commits, with a fingerprint of its own."""
        number = next(self._numbers)
        plain: dict[str, object] = {
            "app": "shop",
            "environment": "test",
            "entity": ".".join(self.address.parts),
            "slice": "*",
            "run_id": f"run-{number}",
            "fingerprint": f"f-{number}",
            "cursors": {},
        }
        return CommitInfo(**{**plain, **changes})  # type: ignore[arg-type]  # fields fit their class

    def write(
        self, intent: Intent, rows: Sequence[Sequence[object]], schema: str = COLUMNS, **more: object
    ) -> Commit:
        """Write Python rows by an intent; `more` goes into the WriteRequest."""
        return self.write_frame(intent, frame_of(self.session, schema, rows), schema, **more)

    def write_frame(self, intent: Intent, frame: Frame, schema: str = COLUMNS, **more: object) -> Commit:
        """Write a frame by an intent."""
        info = more.get("info") or self.info()
        moment = f"2026-01-01T00:{next(self._numbers):02}:00Z"  # a later run than the one before
        plain: dict[str, object] = {"moment": moment, "info": info}
        request = WriteRequest(
            intent=intent,
            schema=parse_schema(schema),
            **{**plain, **more},  # type: ignore[arg-type]  # fields fit their class
        )
        store = self.store()
        if intent.name == "merge" and isinstance(store, Merges):
            return store.merge(frame, request)
        if intent.name == "scd2" and isinstance(store, Historises):
            return store.historise(frame, request)
        if intent.name == "replace" and isinstance(store, Replaces):
            return store.replace(frame, request)
        if intent.name in ("overwrite", "append") and isinstance(store, Writes):
            return store.write(frame, request)
        pytest.fail(f"the storage declares {intent.name!r}, its store has no such method")

    def read(self, **request: object) -> Frame:
        """Read the entity."""
        store = self.store()
        assert isinstance(store, Reads), "the storage declares 'reads', its store has no such method"  # noqa: S101  # a test's helper
        return store.read(ReadRequest(**request))  # type: ignore[arg-type]  # fields fit their class

    def rows(self, columns: str = "", **request: object) -> list[Row]:
        """Return the entity's rows in the order of their values; `columns` chooses and orders columns."""
        frame = self.read(**request)
        if columns:
            chosen = [(name.strip(), f"`{name.strip()}`") for name in columns.split(",")]
            frame = self.session.select(frame, chosen)
        return ordered(rows_of(self.session, frame))

    def columns(self) -> dict[str, str]:
        """Return the stored columns and their neutral types."""
        schema: Schema | None = self.store().schema()
        return {field.name: field.type for field in schema.fields} if schema else {}

    def version(self) -> str | None:
        """Return what the probe says."""
        return self.probe.version(self.address)


PlaceOf = Callable[[str], Place]


class StorageFixtures(Contract):
    """Fixtures of the storage contract; an heir may replace each of them.

    Attributes:
        on: Package and capability of the platform to test on; () for the memory platform.
        uses: Uses that are declared (keys of `needs` in `kindling.json`).
        refused_types: Neutral types that the storage or the session refuses because it cannot hold them.
    """

    on: ClassVar[tuple[str, str] | tuple[()]] = ()
    uses: ClassVar[frozenset[str]] = frozenset()
    refused_types: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **options: object) -> None:
        if cls.plugin and "uses" not in vars(cls):
            stated = declaration(cls.plugin, cls.capability).get("needs")
            cls.uses = frozenset(stated) if isinstance(stated, dict) else frozenset()
        super().__init_subclass__(**options)

    @classmethod
    def offered(cls) -> tuple[Intent, ...]:
        """Return one intent of each declared use."""
        return tuple(intent for intent in INTENTS if intent.name in cls.uses)

    @classmethod
    def make_storage(cls) -> Storage:
        """Return a storage: by default what the plugin offers."""
        settings: Mapping[str, object] = cls.settings
        made = open_capability(
            cls.plugin,
            cls.capability,
            StorageSpec(environment="test", settings=dict(settings)),  # type: ignore[arg-type]  # plain
        )
        if not isinstance(made, Storage):
            pytest.fail(f"{made!r} is no Storage")
        return made

    @classmethod
    def make_probe(cls) -> ProbeModule:
        """Return the probe: by default the module that `kindling.json` names."""
        name = declaration(cls.plugin, cls.capability)["probe_module"]
        probe: ProbeModule = import_module(str(name))
        return probe

    def stored_bytes(self, address: Address) -> bytes:
        """Return everything that is stored for an entity: by default all files below its `uri`."""
        found = []
        for folder, _, names in os.walk(address.uri):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    found.append(file.read())
        return b"\n".join(found)

    @classmethod
    def make_platform(cls, work_dir: Path) -> Platform:
        """Return the platform to test on: by default the one that `on` names."""
        if not cls.on:
            return MemoryPlatform({})
        package, capability = cls.on
        made = open_capability(package, capability, PlatformSpec(environment="test", work_dir=str(work_dir)))
        if not isinstance(made, Platform):
            pytest.fail(f"{made!r} is no Platform")
        return made

    @pytest.fixture(scope="class")
    @classmethod
    def platform(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
        """Give one live platform to all tests of the class."""
        made = cls.make_platform(tmp_path_factory.mktemp("platform"))
        yield made
        made.close()

    @pytest.fixture
    def session(self, platform: Platform, tmp_path: Path) -> Iterator[Session]:
        """Give a session of the platform."""
        made = platform.open_session(SessionSpec(tmp_path.name))
        yield made
        made.close()

    @pytest.fixture
    def storage(self) -> Storage:
        """Give the storage."""
        return self.make_storage()

    @pytest.fixture
    def probe(self) -> ProbeModule:
        """Give the probe."""
        return self.make_probe()

    @pytest.fixture
    def address_of(self, tmp_path: Path) -> Callable[[str], Address]:
        """Give a function from a name to a fresh address: by default a folder of that name."""
        name = self.capability.partition(":")[2]
        return lambda entity: Address(name, "contract", (entity,), uri=str(tmp_path / entity))

    @pytest.fixture
    def place_of(
        self,
        storage: Storage,
        session: Session,
        address_of: Callable[[str], Address],
        probe: ProbeModule,
    ) -> PlaceOf:
        """Give a function from a name to an entity that does not exist yet."""
        return lambda entity: Place(storage, session, address_of(entity), probe)

    @pytest.fixture
    def place(self, place_of: PlaceOf) -> Place:
        """Give one entity that does not exist yet."""
        return place_of("größe")

    @pytest.fixture(autouse=True)
    def noted(self, request: pytest.FixtureRequest, session: Session) -> Iterator[None]:
        """Write the test's verdict for the feature table.

        Pytest counts a failed call before fixtures are torn down, so the count tells the verdict
        without a hook of our own.
        """
        before = request.session.testsfailed
        yield
        feature_table.note(
            {
                "storage": self.capability.partition(":")[2],
                "platform": session.platform,
                "use": getattr(request.function, "use", "read"),
                "test": request.node.name,
                "verdict": "pass" if request.session.testsfailed == before else "fail",
            }
        )


DAY = Slice("interval", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z")
"""The slice of the tests: the second of January."""
