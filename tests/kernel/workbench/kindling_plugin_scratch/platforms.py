"""Platforms over the memory platform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kindling.hooks.platform import PlatformSpec
from kindling.testing.memory_platform import MemoryPlatform, MemorySession


class NamedPlatform(MemoryPlatform):
    """One that says that transient errors are those whose text says so."""

    def is_transient(self, error: BaseException) -> bool:
        return super().is_transient(error) or "try again" in str(error)


class MoodySession(MemorySession):
    def close(self) -> None:
        msg = "the session would not close"
        raise OSError(msg)


class MoodyPlatform(NamedPlatform):
    """One whose plugin is full of faults: explaining, stopping and closing all fail."""

    def open_session(self, spec: object) -> MoodySession:
        super().open_session(spec)  # type: ignore[arg-type]  # a SessionSpec
        return MoodySession(self, spec)  # type: ignore[arg-type]  # a SessionSpec

    def is_transient(self, error: BaseException) -> bool:
        raise LookupError

    def explain(self, error: BaseException) -> str:
        raise LookupError

    def cancel(self, tag: str, grace_s: float) -> bool:
        msg = "no idea how to cancel"
        raise LookupError(msg)

    @contextmanager
    def working(self, tag: str) -> Iterator[None]:
        yield

    def close(self) -> None:
        super().close()
        msg = "the engine would not stop"
        raise OSError(msg)


def opener(name: str) -> object:
    def open_platform(spec: PlatformSpec) -> MemoryPlatform:
        return (MoodyPlatform if name == "moody" else NamedPlatform)({}, name=name)

    return open_platform
