"""Imports one module of a plugin, under watch, and says what is wrong in terms of its distribution.

The one place where plugin code begins to run, so policy is asked here once more. Not where offers are
collected.
"""

from __future__ import annotations

import sys
from _thread import get_ident
from importlib import import_module

from kindling.errors import PluginError
from kindling.plugins.contracts import ENGINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, ModuleType, TracebackType

    from kindling.plugins.manifest import Capability
    from kindling.plugins.policy import Policy


def import_plugin_module(capability: Capability, module: str, policy: Policy) -> ModuleType:
    """Import a capability's module or its probe.

    Raises:
        PluginError: KDL-PLUG-005, it is switched off; KDL-PLUG-020, there is no such module;
            KDL-PLUG-021, its import fails; KDL-PLUG-022, it imports an engine at its top.
        PolicyError: KDL-POL-020 or KDL-POL-021, policy refuses it.
    """
    policy.enforce(capability)
    watch = _EngineWatch(capability.module.partition(".")[0])
    sys.meta_path.insert(0, watch)
    # The plugin boundary: foreign code may raise anything here, and SystemExit must not end a run.
    try:
        found = import_module(module)
    except (Exception, SystemExit) as cause:
        raise _import_failed(capability, module, cause) from cause
    finally:
        sys.meta_path.remove(watch)
    if watch.engine:
        raise PluginError(
            "KDL-PLUG-022",
            f"{module!r} of {owner(capability)} imports the engine {watch.engine!r} at its top",
            why="loading one capability must not start the import of an engine",
            where=watch.where,
            hint=f"move the import of {watch.engine} into the factory",
            **facts(capability),
        )
    return found


def owner(capability: Capability) -> str:
    """Return who offers a capability, for messages: name in quotes and version."""
    return f"{capability.distribution!r} {capability.version}"


def facts(capability: Capability) -> dict[str, str]:
    """Return the data that every error about one plugin carries."""
    return {
        "capability": capability.id,
        "distribution": capability.distribution,
        "version": capability.version,
        "entry": f"kindling.{capability.kind}: {capability.name} = {capability.module}",
    }


class _EngineWatch:
    """A finder that finds nothing and remembers the first engine that its own thread asks for.

    Comparing `sys.modules` before and after would blame this plugin for what another thread imports
    at the same time.
    """

    def __init__(self, package: str) -> None:
        self.engine = ""
        self.where = ""
        self._package = package
        self._thread = get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """Note engines; always leave the search to the next finder."""
        del path, target
        if name in ENGINES and not self.engine and get_ident() == self._thread:
            self.engine = name
            self.where = self._importer(sys._getframe(1))  # noqa: SLF001  # the documented way to a caller

    def _importer(self, frame: FrameType | None) -> str:
        """Return file and line of the plugin's statement that led here, else of the nearest one."""
        nearest = ""
        while frame is not None:
            name = str(frame.f_globals.get("__name__", ""))
            if not name.startswith("importlib"):
                place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                nearest = nearest or place
                if name.partition(".")[0] == self._package:
                    return place
            frame = frame.f_back
        return nearest


def _import_failed(capability: Capability, module: str, cause: BaseException) -> PluginError:
    missing = cause.name or "" if isinstance(cause, ModuleNotFoundError) else ""
    by = capability.distribution
    if missing and f"{module}.".startswith(f"{missing}."):
        return PluginError(
            "KDL-PLUG-020",
            f"{owner(capability)} has no module {module!r}",
            why=f"its entry 'kindling.{capability.kind}: {capability.name}' points there",
            hint=f"pip install --force-reinstall {by}",
            **facts(capability),
        )
    return PluginError(
        "KDL-PLUG-021",
        f"{capability.id!r} of {owner(capability)} cannot be imported",
        why=f"{type(cause).__name__}: {cause}".rstrip(": "),
        where=_raised_at(cause.__traceback__),
        hint=f"pip install --upgrade {by}" if missing else f"pip install --force-reinstall {by}",
        **facts(capability),
    )


def _raised_at(traceback: TracebackType | None) -> str:
    """Return file and line of the innermost frame that is neither ours nor the import system's."""
    where = ""
    while traceback is not None:
        frame = traceback.tb_frame
        name = str(frame.f_globals.get("__name__", ""))
        if name != __name__ and not name.startswith("importlib"):
            where = f"{frame.f_code.co_filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return where
