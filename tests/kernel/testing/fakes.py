"""The contract classes of the fakes, for the tests and for the mutants."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from kindling.addresses import Address
from kindling.events import Event
from kindling.hooks import Frame
from kindling.hooks.executor import Executor, ExecutorSpec
from kindling.hooks.masking import Masking
from kindling.hooks.platform import Platform, Session, SessionSpec
from kindling.hooks.secrets import Secrets
from kindling.hooks.sink import EventSink
from kindling.hooks.state import State
from kindling.testing.executor_contract import ExecutorContract
from kindling.testing.inline_executor import InlineExecutor
from kindling.testing.lineage_contract import RUN, LineageContract
from kindling.testing.list_lineage import FEATURES as LINEAGE_FEATURES
from kindling.testing.list_lineage import ListLineage, Service, Told
from kindling.testing.list_sink import ListSink
from kindling.testing.masking_contract import MaskingContract
from kindling.testing.memory_masking import TYPES as MASKED_TYPES
from kindling.testing.memory_masking import MemoryMask
from kindling.testing.memory_platform import FEATURES, MemoryPlatform, lazy
from kindling.testing.memory_secrets import MemorySecrets
from kindling.testing.memory_state import Memory, MemoryState
from kindling.testing.memory_storage import FEATURES as STORAGE_FEATURES
from kindling.testing.memory_storage import MemoryProbe, MemoryStorage, Tables
from kindling.testing.platform_contract import PlatformContract
from kindling.testing.secrets_contract import SecretsContract
from kindling.testing.sink_contract import SinkContract
from kindling.testing.state_contract import StateContract
from kindling.testing.storage_contract import StorageContract

MAPS = frozenset({"map<string,bigint>"})


class OfMemoryPlatform(PlatformContract):
    capability = "platform:memory"
    features = FEATURES
    refused_types = MAPS
    made: ClassVar[type[MemoryPlatform]] = MemoryPlatform

    @classmethod
    def make_platform(cls, work_dir: Path) -> Platform:  # noqa: ARG003  # nothing is written
        return cls.made({})

    def plan_texts(self, session: Session, frame: Frame) -> list[str]:  # polars tells by itself
        return [repr(frame), *(lazy(frame).explain(optimized=optimized) for optimized in (True, False))]


class OfMemoryStorage(StorageContract):
    capability = "storage:memory"
    features = STORAGE_FEATURES
    uses = frozenset({"read", "overwrite", "append", "merge", "scd2", "replace", "changes"})
    refused_types = MAPS  # by the memory platform
    made: ClassVar[type[MemoryStorage]] = MemoryStorage
    probed: ClassVar[type[MemoryProbe]] = MemoryProbe

    @pytest.fixture(autouse=True)
    def tables(self) -> Tables:
        self.kept: Tables = {}
        return self.kept

    @pytest.fixture
    def storage(self, tables: Tables) -> MemoryStorage:
        return self.made(tables)

    @pytest.fixture
    def probe(self, tables: Tables) -> MemoryProbe:
        return self.probed(tables)

    def stored_bytes(self, address: Address) -> bytes:
        return repr(self.kept).encode()


class OfInlineExecutor(ExecutorContract):
    capability = "executor:inline"
    features = frozenset({"in-process"})
    slots = 1
    factory = "kindling.testing.inline_executor:InlineExecutor"
    made: ClassVar[type[InlineExecutor]] = InlineExecutor

    @classmethod
    def make_executor(cls, spec: ExecutorSpec) -> Executor:
        return cls.made(spec)


class OfMemoryState(StateContract):
    capability = "state:memory"
    features = frozenset({"history", "leases"})
    made: ClassVar[type[MemoryState]] = MemoryState

    @pytest.fixture(autouse=True)
    def memory(self) -> None:
        self.kept = Memory()

    def make_state(self, folder: Path) -> State:
        return self.made(self.kept)


class OfMemorySecrets(SecretsContract):
    capability = "secrets:memory"
    features = frozenset({"fields", "versions", "lists"})
    made: ClassVar[type[MemorySecrets]] = MemorySecrets

    def make_secrets(self) -> Secrets:
        self.values: dict[tuple[str, str], str] = {}
        return self.made(self.values, salt="contract")

    def put(self, path: str, field: str, value: str) -> None:
        self.values[path, field] = value


class OfListSink(SinkContract):
    capability = "sink:list"
    features = frozenset({"durable"})
    made: ClassVar[type[ListSink]] = ListSink

    def make_sink(self, run_dir: Path) -> EventSink:
        self.kept: list[Event] = []
        return self.made(self.kept)

    def heard(self, sink: EventSink, run_dir: Path) -> list[dict[str, object]]:
        return [event.to_plain() for event in self.kept]


class OfMemoryMask(MaskingContract):
    capability = "masking:memory"
    features = frozenset({"keyed", "keeps-type", "deterministic"})
    accepted = MASKED_TYPES
    refused = ("double", "array<bigint>")
    made: ClassVar[type[MemoryMask]] = MemoryMask

    def make_mask(self) -> Masking:
        return self.made()

    @pytest.fixture
    def session(self) -> Session:
        return MemoryPlatform({}).open_session(SessionSpec("masks"))


class OfListLineage(LineageContract):
    capability = "lineage:list"
    features = LINEAGE_FEATURES
    made: ClassVar[type[ListLineage]] = ListLineage

    @pytest.fixture(autouse=True)
    def a_service(self) -> None:
        self.kept = Service()

    def make_sink(self, run_dir: Path, run_id: str = RUN) -> EventSink:
        return self.made(run_id, self.kept)

    def told(self, sink: EventSink, run_dir: Path) -> list[Told]:
        return list(self.kept.told)

    def service(self, *, is_up: bool) -> None:
        self.kept.is_up = is_up
