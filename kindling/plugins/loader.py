"""Loads one capability the first time that it is needed, and checks what its plugin offers.

Pluggy collects here and nowhere else: one module is registered and only its own implementation is
called, so an error of one plugin stays its own. `load_setuptools_entrypoints` is never used.
"""

from __future__ import annotations

from _thread import RLock

from kindling.errors import PluginError
from kindling.plugins.importing import facts, import_plugin_module, owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import cast

    import pluggy

    from kindling.hooks import Offer
    from kindling.hooks.command import CommandOffer
    from kindling.hooks.executor import ExecutorOffer
    from kindling.hooks.lineage import LineageOffer
    from kindling.hooks.masking import MaskingOffer
    from kindling.hooks.platform import PlatformOffer
    from kindling.hooks.secrets import SecretsOffer
    from kindling.hooks.sink import SinkOffer
    from kindling.hooks.state import StateOffer
    from kindling.hooks.storage import Probe, StorageOffer
    from kindling.plugins.catalog import Catalog
    from kindling.plugins.manifest import Capability
    from kindling.plugins.policy import Policy
else:

    def cast(_kind: object, value: object) -> object:
        """Stand in for the typing marker: `typing` takes longer to import than a probe."""
        return value


_PROBE_FUNCTIONS = ("version", "cursor")


class Loader:
    """The loaded capabilities of one kernel; safe for several threads.

    A module that failed fails again in the same way, so that the first error is not hidden by a
    half-imported second try.
    """

    def __init__(self, catalog: Catalog, policy: Policy) -> None:
        self._catalog = catalog
        self._policy = policy
        self._lock = RLock()
        self._manager: pluggy.PluginManager | None = None
        self._modules: dict[str, ModuleType] = {}
        self._offers: dict[str, Offer[object, object]] = {}
        self._probes: dict[str, Probe | None] = {}
        self._failures: dict[str, PluginError] = {}

    def offer(self, capability_id: str) -> Offer[object, object]:
        """Return a capability's offer; imports its module and calls its hook the first time.

        Raises:
            PluginError: What `Catalog.find` raises; KDL-PLUG-020 to KDL-PLUG-027, the module cannot be
                imported or offers something else.
            PolicyError: Policy refuses it.
        """
        with self._lock:
            if capability_id not in self._offers:
                self._offers[capability_id] = self._collect(self._catalog.find(capability_id))
            return self._offers[capability_id]

    def platform(self, name: str) -> PlatformOffer:
        """Return the offer of `platform:<name>`."""
        return cast("PlatformOffer", self.offer(f"platform:{name}"))

    def storage(self, name: str) -> StorageOffer:
        """Return the offer of `storage:<name>`."""
        return cast("StorageOffer", self.offer(f"storage:{name}"))

    def executor(self, name: str) -> ExecutorOffer:
        """Return the offer of `executor:<name>`."""
        return cast("ExecutorOffer", self.offer(f"executor:{name}"))

    def state(self, name: str) -> StateOffer:
        """Return the offer of `state:<name>`."""
        return cast("StateOffer", self.offer(f"state:{name}"))

    def secrets(self, name: str) -> SecretsOffer:
        """Return the offer of `secrets:<name>`."""
        return cast("SecretsOffer", self.offer(f"secrets:{name}"))

    def sink(self, name: str) -> SinkOffer:
        """Return the offer of `sink:<name>`."""
        return cast("SinkOffer", self.offer(f"sink:{name}"))

    def masking(self, name: str) -> MaskingOffer:
        """Return the offer of `masking:<name>`."""
        return cast("MaskingOffer", self.offer(f"masking:{name}"))

    def lineage(self, name: str) -> LineageOffer:
        """Return the offer of `lineage:<name>`."""
        return cast("LineageOffer", self.offer(f"lineage:{name}"))

    def command(self, name: str) -> CommandOffer:
        """Return the offer of `command:<name>`."""
        return cast("CommandOffer", self.offer(f"command:{name}"))

    def probe(self, storage_name: str) -> Probe | None:
        """Return a storage's probe module, or None if it has none. Light: no pluggy, no engine.

        Raises:
            PluginError: What `Catalog.find` raises; KDL-PLUG-020 to KDL-PLUG-022, it cannot be
                imported; KDL-PLUG-028, it lacks a function.
            PolicyError: Policy refuses it.
        """
        with self._lock:
            if storage_name not in self._probes:
                capability = self._catalog.find(f"storage:{storage_name}")
                self._probes[storage_name] = self._load_probe(capability)
            return self._probes[storage_name]

    def _load_probe(self, capability: Capability) -> Probe | None:
        if not capability.probe_module:
            return None
        module = self._import(capability, capability.probe_module)
        lacking = [name for name in _PROBE_FUNCTIONS if not callable(getattr(module, name, None))]
        if lacking:
            raise PluginError(
                "KDL-PLUG-028",
                f"the probe {capability.probe_module!r} of {owner(capability)} is not complete",
                why=f"it has no function {' and no function '.join(map(repr, lacking))}",
                where=str(module.__file__),
                hint=f"pip install --upgrade {capability.distribution}, or tell its authors",
                **facts(capability),
            )
        return cast("Probe", module)

    def _import(self, capability: Capability, name: str) -> ModuleType:
        """Import a module once; the first failure stands."""
        if name in self._failures:
            raise self._failures[name]
        if name not in self._modules:
            try:
                self._modules[name] = import_plugin_module(capability, name, self._policy)
            except PluginError as fault:
                self._failures[name] = fault
                raise
        return self._modules[name]

    def _collect(self, capability: Capability) -> Offer[object, object]:
        """Import, register and ask a capability's module; pluggy is imported here, when a task will run."""
        from kindling.plugins.offers import collect_offer, new_manager

        module = self._import(capability, capability.module)
        if self._manager is None:
            self._manager = new_manager()
        siblings = (
            item.name
            for item in self._catalog.installed()
            if (item.distribution, item.kind) == (capability.distribution, capability.kind)
        )
        return collect_offer(self._manager, capability, module, tuple(siblings))
