"""Registers one plugin module with pluggy, calls its own implementation alone, and checks the result.

The only module that touches pluggy's untyped hooks; imported when a task will run, never at planning.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, cast

import pluggy

from kindling.errors import PluginError
from kindling.hooks import PROJECT, Offer
from kindling.names import close_names, did_you_mean
from kindling.plugins.contracts import APIS
from kindling.plugins.importing import facts, owner
from kindling.plugins.manifest import Capability


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hook of each kind and no plugin."""
    manager = pluggy.PluginManager(PROJECT)
    for kind in APIS:
        specs = import_module(f"kindling.hooks.{kind}")
        manager.add_hookspecs(getattr(specs, f"{kind.capitalize()}Specs"))
    return manager


def collect_offer(
    manager: pluggy.PluginManager, capability: Capability, module: ModuleType, declared: Sequence[str]
) -> Offer[object, object]:
    """Return the offer of one capability from its module.

    Args:
        manager: Gets the module the first time; one that is refused does not stay in it.
        capability: What is wanted.
        module: Its imported module.
        declared: Names of all capabilities of this kind that the distribution declares.

    Raises:
        PluginError: KDL-PLUG-023, a hook's name is unknown; KDL-PLUG-024, the module implements no or a
            wrong hook; KDL-PLUG-025, a wrong type is returned; KDL-PLUG-026, other names are offered;
            KDL-PLUG-027, the hook raises an error.
    """
    if not manager.is_registered(module):
        _register(manager, capability, module)
    offers = _checked(capability, module, _call(manager, capability, module))
    names = [offer.name for offer in offers]
    strange = sorted(set(names).difference(declared))
    if strange or names.count(capability.name) != 1:
        found = ", ".join(map(repr, names)) or "nothing"
        raise PluginError(
            "KDL-PLUG-026",
            f"{module.__name__!r} of {owner(capability)} offers {found}",
            why=f"declared are {', '.join(map(repr, sorted(declared)))}, each to be offered once",
            where=_place(module),
            hint="name offers, entry points and the capabilities in kindling.json alike",
            **facts(capability),
        )
    return offers[names.index(capability.name)]


def _register(manager: pluggy.PluginManager, capability: Capability, module: ModuleType) -> None:
    """Register a module; a refused one leaves the manager as it was."""
    try:
        manager.register(module, name=f"{capability.distribution}:{module.__name__}")
    except pluggy.PluginValidationError as cause:
        raise PluginError(
            "KDL-PLUG-024",
            f"{module.__name__!r} of {owner(capability)} implements a hook wrongly",
            why=str(cause).strip().splitlines()[-1].strip(),
            where=_place(module),
            hint=f"write `def kindling_{capability.kind}_offers():` without arguments",
            **facts(capability),
        ) from cause
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as cause:
        fault = _misspelt(manager, capability, module)
        manager.unregister(module)
        raise fault from cause


def _misspelt(manager: pluggy.PluginManager, capability: Capability, module: ModuleType) -> PluginError:
    known = [f"kindling_{kind}_offers" for kind in APIS]
    callers = manager.get_hookcallers(module) or []
    unknown = sorted(caller.name for caller in callers if not caller.has_spec())
    return PluginError(
        "KDL-PLUG-023",
        f"{module.__name__!r} of {owner(capability)} implements the unknown hook {unknown[0]!r}",
        why=did_you_mean(unknown[0], close_names(unknown[0], known, most=1) or known),
        where=_place(module),
        hint=f"rename it to kindling_{capability.kind}_offers",
        **facts(capability),
    )


def _call(manager: pluggy.PluginManager, capability: Capability, module: ModuleType) -> object:
    """Call the module's own implementation, and no other plugin's: here pluggy's `Any` ends."""
    hook: Any = getattr(manager.hook, f"kindling_{capability.kind}_offers")
    own = [impl for impl in hook.get_hookimpls() if impl.plugin is module]
    if not own:
        raise PluginError(
            "KDL-PLUG-024",
            f"{module.__name__!r} of {owner(capability)} does not implement "
            f"'kindling_{capability.kind}_offers'",
            why="a function counts only with @hookimpl, and only at the top of the module",
            where=_place(module),
            hint=f"write `@hookimpl` above `def kindling_{capability.kind}_offers():`",
            **facts(capability),
        )
    # The plugin boundary: whatever foreign code raises is this plugin's error and nobody else's.
    try:
        return cast("object", own[0].function())
    except Exception as cause:
        raise PluginError(
            "KDL-PLUG-027",
            f"'kindling_{capability.kind}_offers' of {owner(capability)} failed",
            why=f"{type(cause).__name__}: {cause}".rstrip(": "),
            where=_place(module),
            hint="return the offers only; let their factories do the work",
            **facts(capability),
        ) from cause


def _checked(capability: Capability, module: ModuleType, result: object) -> tuple[Offer[object, object], ...]:
    """Return the result as offers."""
    if why := _mistype(result):
        raise PluginError(
            "KDL-PLUG-025",
            f"'kindling_{capability.kind}_offers' of {owner(capability)} returned something else",
            why=why,
            where=_place(module),
            hint=f"return ({capability.kind.capitalize()}Offer({capability.name!r}, factory),)",
            **facts(capability),
        )
    return cast("tuple[Offer[object, object], ...]", result)


def _mistype(result: object) -> str:
    """Return what is wrong with the type of a hook's result, or ""."""
    if not isinstance(result, tuple):
        return f"it returned a {type(result).__name__}, expected a tuple of offers"
    for place, item in enumerate(result):
        if not isinstance(item, Offer):
            return f"item {place} is a {type(item).__name__}, expected an Offer"
        name: object = item.name
        if not isinstance(name, str) or not callable(item.factory):
            return f"item {place} is named {name!r}, expected a text and a factory that can be called"
    return ""


def _place(module: ModuleType) -> str:
    return module.__file__ or ""
