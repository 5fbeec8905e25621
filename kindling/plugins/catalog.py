"""What is installed and may be used. It never imports a plugin, and needs none to be sound.

Planning asks it in every run, so the warm path imports nothing heavy: what was found is remembered by
`cache`, looked for by `scan`, and judged here.
"""

from __future__ import annotations

from kindling.errors import KindlingError, PluginError
from kindling.names import close_names, did_you_mean, parse_capability
from kindling.plugins.cache import cache_key, read_cache, write_cache
from kindling.plugins.contracts import api_fault
from kindling.plugins.installed import Conflict, Installed
from kindling.plugins.policy import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kindling.plugins.manifest import Capability, Distribution
    from kindling.plugins.policy import Policy


_FILES = ("storage:csv", "storage:json", "storage:parquet")
_MASKS = ("redact", "partial", "keyed_hash", "token", "generalize", "date_shift")
OFFERED_BY = {**dict.fromkeys(_FILES, "files"), **{f"masking:{name}": "masking" for name in _MASKS}}
"""Short names of distributions that a capability's own name does not tell; the registry knows the rest."""


def read_catalog(cache_dir: str, policy: Policy) -> Catalog:
    """Return the catalog of this Python environment.

    Effects: reads `cache_dir`, or looks through all installed distributions and writes there.

    Args:
        cache_dir: Folder for the cache, made if needed; "" for no cache.
        policy: Decides what may be used; it is no part of the cache.
    """
    key = cache_key()
    installed = read_cache(cache_dir, key) if cache_dir else None
    if installed is None:
        from kindling.plugins.scan import scan

        installed = scan()
        if cache_dir:
            write_cache(cache_dir, key, installed)
    return Catalog(installed, policy)


class Catalog:
    """The installed capabilities, judged by a policy. Never changes.

    Attributes:
        faults: Broken distributions, one error each or more; they hide only themselves.
        conflicts: Distributions that cannot be used side by side.
        distributions: All sound distributions with capabilities, sorted by name.
        policy: The policy.
    """

    def __init__(self, installed: Installed, policy: Policy) -> None:
        self.policy = policy
        self._installed = installed
        self.faults: tuple[PluginError, ...] = installed.faults
        self.distributions: tuple[Distribution, ...] = installed.distributions
        self._by_id: dict[str, tuple[Capability, ...]] = {}
        self._found: dict[str, Capability] = {}
        for capability in installed.capabilities:
            self._by_id[capability.id] = (*self._by_id.get(capability.id, ()), capability)
        self.conflicts: tuple[Conflict, ...] = (*installed.conflicts, *self._offered_twice())

    def under(self, policy: Policy) -> Catalog:
        """Return the same catalog judged by another policy; nothing is read again."""
        return Catalog(self._installed, policy)

    def installed(self) -> tuple[Capability, ...]:
        """Return every sound capability, usable or not, sorted by id and distribution."""
        return tuple(capability for several in self._by_id.values() for capability in several)

    def capabilities(self, kind: str = "") -> tuple[Capability, ...]:
        """Return the capabilities that policy permits and preference leaves, sorted by id.

        Args:
            kind: Only this kind; "" for all.
        """
        return tuple(
            capability
            for several in self._by_id.values()
            for capability in self._left(several)
            if kind in ("", capability.kind)
        )

    def has(self, capability_id: str) -> bool:
        """Tell whether a capability is installed and permitted; `find` may still refuse its use."""
        return any(self.policy.permits(item) for item in self._by_id.get(capability_id, ()))

    def find(self, capability_id: str) -> Capability:
        """Return the one capability of that id that may be used.

        Raises:
            PluginError: KDL-PLUG-001, no id; KDL-PLUG-002, not installed; KDL-PLUG-003, offered twice;
                KDL-PLUG-004, the preferred one is missing; KDL-PLUG-005, switched off; KDL-PLUG-006,
                made for another API; KDL-PLUG-007 and KDL-PLUG-008, in conflict; or the fault of the
                broken distribution that should offer it.
            PolicyError: KDL-POL-020 or KDL-POL-021, policy refuses it.
        """
        if capability_id in self._found:
            return self._found[capability_id]
        parse_capability(capability_id)
        candidates = self._by_id.get(capability_id, ())
        if not candidates:
            raise self._missing(capability_id)
        left = self._left(candidates)
        if not left:
            self._refuse(capability_id, candidates)
        if len(left) > 1:
            raise _offered_twice(capability_id, left)
        if fault := self.misfit(left[0]):
            raise fault
        self._found[capability_id] = left[0]
        return left[0]

    def unusable(self, capability: Capability) -> KindlingError | None:
        """Return why an installed capability cannot be used, or None; for lists and `doctor`."""
        if refusal := self.policy.refusal(capability):
            return refusal
        try:
            found = self.find(capability.id)
        except KindlingError as fault:
            return fault
        if found != capability:
            return PluginError(
                "KDL-PLUG-005",
                f"{capability.id!r} of {capability.distribution!r} is switched off",
                why=f"plugins.prefer names {found.distribution!r}",
                hint="change [plugins.prefer] in kindling.toml",
            )
        return None

    def misfit(self, capability: Capability) -> PluginError | None:
        """Return why a permitted capability does not fit this kernel or environment, or None."""
        if why := api_fault(capability.kind, capability.api):
            return PluginError(
                "KDL-PLUG-006",
                f"{capability.id!r} of {capability.distribution!r} {capability.version} does not fit",
                why=why,
                hint=f"pip install --upgrade kindling-core {capability.distribution}",
                capability=capability.id,
                distribution=capability.distribution,
            )
        conflict = next((item for item in self.conflicts if item.concerns(capability)), None)
        return _in_conflict(capability, conflict) if conflict else None

    def _left(self, candidates: tuple[Capability, ...]) -> tuple[Capability, ...]:
        """Return the permitted candidates; where one is preferred, only that one."""
        permitted = tuple(item for item in candidates if self.policy.permits(item))
        preferred = self.policy.preferred(candidates[0].id)
        return tuple(item for item in permitted if preferred in ("", item.distribution))

    def _refuse(self, capability_id: str, candidates: tuple[Capability, ...]) -> None:
        """Raise for candidates of which none is left."""
        preferred = self.policy.preferred(capability_id)
        wanted = [item for item in candidates if preferred in ("", item.distribution)]
        if wanted:
            self.policy.enforce(wanted[0])
        others = ", ".join(repr(item.distribution) for item in candidates)
        raise PluginError(
            "KDL-PLUG-004",
            f"{preferred!r} does not offer {capability_id!r}",
            why=f"plugins.prefer names it; offered by {others}",
            hint=f"pip install {preferred}, or change [plugins.prefer] in kindling.toml",
            capability=capability_id,
        )

    def _missing(self, capability_id: str) -> PluginError:
        """Return the fault of the distribution that should offer it, else that there is none."""
        for fault in self.faults:
            listed = fault.facts.get("capabilities")
            if isinstance(listed, list) and capability_id in listed:
                return fault
        kind, name = parse_capability(capability_id)
        install = f"pip install {PREFIX}{OFFERED_BY.get(capability_id, name)}"
        offered = self.capabilities(kind)
        is_slip = capability_id not in OFFERED_BY and bool(close_names(name, (item.name for item in offered)))
        return PluginError(
            "KDL-PLUG-002",
            f"no installed plugin offers {capability_id!r}",
            why=did_you_mean(capability_id, (item.id for item in offered)),
            hint=f"correct the name, or {install}" if is_slip else install,
            capability=capability_id,
            install=install,
        )

    def _offered_twice(self) -> tuple[Conflict, ...]:
        """Return the capabilities that stay ambiguous."""
        left = ((key, self._left(several)) for key, several in self._by_id.items())
        return tuple(
            Conflict("capability", key, tuple(item.distribution for item in several))
            for key, several in left
            if len(several) > 1
        )


def _offered_twice(capability_id: str, candidates: tuple[Capability, ...]) -> PluginError:
    owners = " and ".join(f"{item.distribution!r} {item.version}" for item in candidates)
    names = [item.distribution for item in candidates]
    return PluginError(
        "KDL-PLUG-003",
        f"{capability_id!r} is offered by {owners}",
        why="only one of them can be used, and nothing says which",
        hint=f'add "{capability_id}" = "{names[0]}" (or another) to [plugins.prefer] in kindling.toml',
        capability=capability_id,
        distributions=names,
    )


def _in_conflict(capability: Capability, conflict: Conflict) -> PluginError:
    both = " and ".join(repr(name) for name in conflict.distributions)
    facts: dict[str, Any] = {"capability": capability.id, "distributions": list(conflict.distributions)}
    what = f"{capability.id!r} of {capability.distribution!r} cannot be used here"
    if conflict.reason == "package":
        others = [name for name in conflict.distributions if name != capability.distribution]
        why = f"{both} all own the package {conflict.subject!r}: whose code would run is chance"
        hint = f"pip uninstall {others[0]}, then pip install --force-reinstall {capability.distribution}"
        if others[0] == "kindling-core":
            hint = (
                f"pip uninstall {capability.distribution}, then pip install --force-reinstall kindling-core"
            )
        return PluginError("KDL-PLUG-007", what, why=why, hint=hint, **facts)
    if conflict.reason == "engine":
        why = f"{both} are one import package, {conflict.subject!r}, and both are installed"
        hint = f"pip uninstall {' '.join(conflict.distributions)}, then pip install the one you want"
        return PluginError("KDL-PLUG-008", what, why=why, hint=hint, **facts)
    why = f"its manifest says that it conflicts with {conflict.subject!r}, which is installed"
    return PluginError("KDL-PLUG-008", what, why=why, hint=f"pip uninstall {conflict.subject}", **facts)
