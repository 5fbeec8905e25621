"""What the world looks like before a run: versions, commits, bounds. Asked of probes, without engines."""

from __future__ import annotations

from kindling.errors import KindlingError, PlanError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kindling.hooks.storage import Probe
    from kindling.plan.binding import Bound
    from kindling.plugins.loader import Loader

COMMIT_KEY = "kindling"  # kindling.hooks.storage has it too, but importing hooks costs pluggy


class Facts:
    """Answers about entities, each asked for once.

    One instance is one look at the world: make a new one to look again.

    Args:
        loader: Loads the probes.
        secret: Resolves a `secret://` reference, for probes that need a credential.
    """

    __slots__ = ("_bounds", "_commits", "_loader", "_probes", "_secret", "_versions")

    def __init__(self, loader: Loader, secret: Callable[[str], str] | None = None) -> None:
        self._loader = loader
        self._secret = secret
        self._probes: dict[str, Probe | None] = {}
        self._versions: dict[str, str | None] = {}
        self._commits: dict[str, tuple[str, Mapping[str, object]] | None] = {}
        self._bounds: dict[tuple[str, str], tuple[str, str] | None] = {}

    def _probe(self, bound: Bound) -> Probe | None:
        if bound.storage not in self._probes:
            probe = self._loader.probe(bound.storage)
            opens = getattr(probe, "open_probe", None)
            self._probes[bound.storage] = opens(self._secret) if opens and self._secret else probe
        return self._probes[bound.storage]

    def is_known(self, bound: Bound) -> bool:
        """Tell whether the storage can be asked at all."""
        return bound.address is not None and self._probe(bound) is not None

    def version(self, bound: Bound) -> str | None:
        """Return the entity's newest version; None where it does not exist or is not known."""
        if bound.name not in self._versions:
            probe = self._probe(bound)
            try:
                found = probe.version(bound.address) if probe and bound.address else None
            except OSError as error:
                raise _unreachable(bound, "version", error) from error
            self._versions[bound.name] = found
        return self._versions[bound.name]

    def commit(self, bound: Bound) -> tuple[str, Mapping[str, object]] | None:
        """Return (version right after it, its `CommitInfo` as JSON types) of Kindling's newest commit."""
        if bound.name not in self._commits:
            self._commits[bound.name] = self._commit(bound)
        return self._commits[bound.name]

    def _commit(self, bound: Bound) -> tuple[str, Mapping[str, object]] | None:
        ask = getattr(self._probe(bound), "committed", None)
        try:
            found = ask(bound.address, COMMIT_KEY) if ask is not None and bound.address else None
        except OSError as error:
            raise _unreachable(bound, "newest commit", error) from error
        if found is None:
            return None
        import json

        try:
            told = json.loads(found[1])
        except ValueError:  # somebody else uses the key: it is no commit of Kindling
            return None
        return (found[0], told) if isinstance(told, dict) else None

    def bounds(self, bound: Bound, column: str) -> tuple[str, str] | None:
        """Return the least and the greatest value of a time column; None where it is empty.

        Raises:
            PlanError: KDL-PLAN-032, the storage cannot tell without an engine; KDL-PLAN-022, it cannot be
                reached.
        """
        key = (bound.name, column)
        if key not in self._bounds:
            probe = self._probe(bound)
            ask = getattr(probe, "bounds", None)
            if ask is None:
                raise PlanError(
                    "KDL-PLAN-032",
                    f"the storage {bound.storage!r} of {bound.name!r} cannot tell the bounds of {column!r}",
                    hint="say --from and --to, or read it through a table first",
                )
            try:
                self._bounds[key] = ask(bound.address, column)
            except OSError as error:
                raise _unreachable(bound, f"bounds of {column!r}", error) from error
        return self._bounds[key]


def _unreachable(bound: Bound, what: str, error: OSError) -> KindlingError:
    return PlanError(
        "KDL-PLAN-022",
        f"the storage of {bound.name!r} cannot be asked for its {what}",
        why=str(error) or type(error).__name__,
        where=str(bound.entity.place),
    )
