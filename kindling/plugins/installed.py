"""What a look at the environment finds, as values that survive a cache. Not the looking itself."""

from __future__ import annotations

from kindling.errors import PluginError
from kindling.plugins.manifest import Capability, Distribution
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Conflict(Value):
    """Distributions that cannot be used side by side.

    Attributes:
        reason: `capability` (offered twice), `package` (one top-level package, two owners), `declared`
            (a manifest's `conflicts`) or `engine` (two distributions of one engine).
        subject: The capability, the package or the engine.
        distributions: Who conflicts, sorted canonical names.
        refused: Distributions whose capabilities are refused for it; for `engine` only platforms.
    """

    reason: str
    subject: str
    distributions: tuple[str, ...]
    refused: tuple[str, ...] = ()

    def concerns(self, capability: Capability) -> bool:
        """Tell whether a capability must not be used as long as the conflict stands."""
        if self.reason == "engine" and capability.kind != "platform":
            return False
        return capability.distribution in self.refused


class Installed(Value):
    """Everything that was found.

    Attributes:
        capabilities: Sorted by id, then distribution; one id may occur several times.
        distributions: Sorted by name.
        faults: What is broken; it hides only its own distribution.
        conflicts: Distributions that cannot be used side by side.
        files: Absolute paths whose change makes this stale.
    """

    capabilities: tuple[Capability, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    faults: tuple[PluginError, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    files: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """Return everything as JSON types."""
        return {
            "capabilities": [item.to_plain() for item in self.capabilities],
            "distributions": [item.to_plain() for item in self.distributions],
            "faults": [item.to_plain() for item in self.faults],
            "conflicts": [
                [item.reason, item.subject, item.distributions, item.refused] for item in self.conflicts
            ],
            "files": self.files,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, object]) -> Installed:
        """Return what `to_plain` wrote; any error of the usual kinds means that it was not."""
        read: dict[str, Any] = dict(plain)
        return cls(
            capabilities=tuple(Capability.from_plain(item) for item in read["capabilities"]),
            distributions=tuple(Distribution.from_plain(item) for item in read["distributions"]),
            faults=tuple(_fault(**item) for item in read["faults"]),
            conflicts=tuple(
                Conflict(reason, subject, tuple(names), tuple(refused))
                for reason, subject, names, refused in read["conflicts"]
            ),
            files=tuple(read["files"]),
        )


def _fault(*, facts: Mapping[str, Any], code: str, what: str, **texts: str) -> PluginError:
    """Return the error that `KindlingError.to_plain` described."""
    return PluginError(code, what, **texts, **facts)
