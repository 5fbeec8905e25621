"""What the scratch plugin offers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from kindling.events import Event
from kindling.hooks import hookimpl
from kindling.hooks.executor import ExecutorOffer, ExecutorSpec
from kindling.hooks.lineage import LineageOffer
from kindling.hooks.masking import MaskingOffer
from kindling.hooks.platform import PlatformOffer
from kindling.hooks.secrets import Secrets, SecretsOffer, SecretsSpec
from kindling.hooks.sink import SinkOffer, SinkSpec
from kindling.hooks.state import StateOffer
from kindling.hooks.storage import StorageOffer
from kindling.testing.inline_executor import InlineExecutor
from kindling.testing.memory_secrets import MemorySecrets
from kindling.testing.memory_state import Memory, MemoryState
from kindling_plugin_scratch import executors, masks
from kindling_plugin_scratch.lines import LinesStorage
from kindling_plugin_scratch.platforms import opener
from kindling_plugin_scratch.stores import FileStorage, LeanStorage


class Notes:
    """Writes the types of events into a file of the run's folder."""

    essential = False

    def __init__(self, spec: SinkSpec) -> None:
        self.file = Path(spec.run_dir) / str(spec.settings.get("name") or "notes")
        self.key = str(spec.settings.get("key") or "")
        self.spec = spec

    def record(self, events: Sequence[Event]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.writelines(f"{event.seq} {type(event).__name__}\n" for event in events)

    def close(self) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            if self.key and self.spec.secret is not None:
                file.write(f"{len(self.spec.secret(self.key))} letters, in {self.spec.project}\n")
            file.write("closed\n")


class Audit(Notes):
    """Essential, and breaks when a task has finished."""

    essential = True

    def record(self, events: Sequence[Event]) -> None:
        super().record(events)
        if any(type(event).__name__ == "TaskFinished" for event in events):
            msg = "the disk is full"
            raise OSError(msg)


def open_vault(spec: SecretsSpec) -> Secrets:
    """Open the vault of a JSON file: values by path, read anew each time."""
    told = json.loads(Path(str(spec.settings["file"])).read_text(encoding="utf-8"))
    return MemorySecrets({(path, ""): value for path, value in told.items()}, salt="scratch")


@hookimpl
def kindling_platform_offers() -> tuple[PlatformOffer, ...]:
    return tuple(PlatformOffer(name, opener(name)) for name in ("scratch", "other", "plain", "dim", "moody"))  # type: ignore[arg-type]  # factories


@hookimpl
def kindling_storage_offers() -> tuple[StorageOffer, ...]:
    return (
        StorageOffer("scratch", lambda _: FileStorage()),
        StorageOffer("lean", lambda _: LeanStorage()),
        StorageOffer("blind", lambda _: LeanStorage()),
        StorageOffer("native", lambda _: LeanStorage()),
        StorageOffer("lines", lambda _: LinesStorage()),
    )


def _inline(spec: ExecutorSpec) -> InlineExecutor:
    return InlineExecutor(spec)


@hookimpl
def kindling_executor_offers() -> tuple[ExecutorOffer, ...]:
    return (
        ExecutorOffer("inline", _inline),
        ExecutorOffer("pool", executors.PoolExecutor),
        ExecutorOffer("child", executors.ChildExecutor),
        ExecutorOffer("deadly", executors.DeadlyExecutor),
        ExecutorOffer("clumsy", executors.ClumsyExecutor),
    )


@hookimpl
def kindling_secrets_offers() -> tuple[SecretsOffer, ...]:
    return (SecretsOffer("vault", open_vault),)


@hookimpl
def kindling_state_offers() -> tuple[StateOffer, ...]:
    return (StateOffer("memory", lambda _: MemoryState(Memory())),)


@hookimpl
def kindling_sink_offers() -> tuple[SinkOffer, ...]:
    return (SinkOffer("notes", Notes), SinkOffer("audit", Audit))


@hookimpl
def kindling_lineage_offers() -> tuple[LineageOffer, ...]:
    return (LineageOffer("notes", Notes), LineageOffer("audit", Audit))


@hookimpl
def kindling_masking_offers() -> tuple[MaskingOffer, ...]:
    return (
        MaskingOffer("blank", lambda _: masks.Blank()),
        MaskingOffer("stamp", lambda _: masks.Stamp()),
        MaskingOffer("keyless", lambda _: masks.Blank()),
        MaskingOffer("picky", lambda _: masks.Picky()),
        MaskingOffer("broken", lambda _: masks.Broken()),
    )
