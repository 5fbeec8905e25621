"""Import the Connect client without pandas, which it imports but hardly uses. Pinned to pyspark 4.2.

pandas takes a third of the client's import time. While pyspark is imported, stand-ins for pandas are
in `sys.modules`; afterwards they are gone, and what pyspark holds is a stand-in that is no class of
any value until somebody has imported the real pandas, and is the real pandas for all other uses.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

STAND_INS = ("pandas", "pandas.api", "pandas.api.types", "pandas.core", "pandas.core.frame")


class StandIn(ModuleType):
    """A module that becomes the real one when it is used from outside of pyspark."""

    def __getattr__(self, name: str) -> object:
        """Return an attribute of the real module, or for pyspark an empty class while it is unloaded."""
        if name.startswith("__"):
            raise AttributeError(name)
        loaded = sys.modules.get(self.__name__)
        if loaded is None or isinstance(loaded, StandIn):
            caller = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001  # who asks decides
            if name[:1].isupper() and caller.startswith("pyspark."):
                return _Nothing
            if isinstance(loaded, StandIn) and caller.startswith("pyspark."):
                return _Later(self, name)
            loaded = _load(self.__name__)
        return getattr(loaded, name)


class _Nothing:
    """The class of no value: what `isinstance` meets in place of a pandas class."""


class _Later:
    """A function of the real module that is looked up when it is called."""

    def __init__(self, module: StandIn, name: str) -> None:
        self.module = module
        self.name = name

    def __call__(self, *args: object) -> object:
        return getattr(_load(self.module.__name__), self.name)(*args)


def _load(name: str) -> ModuleType:
    remove()
    return importlib.import_module(name)


def install(version: str) -> None:
    """Put the stand-ins in place, unless pandas is loaded already."""
    if "pandas" in sys.modules:
        return
    for name in STAND_INS:
        module = StandIn(name)
        sys.modules[name] = module
    sys.modules["pandas"].__version__ = version  # type: ignore[attr-defined]  # pyspark asks for it


def remove() -> None:
    """Take the stand-ins out of `sys.modules`; the next `import pandas` is a real one."""
    for name in STAND_INS:
        if isinstance(sys.modules.get(name), StandIn):
            del sys.modules[name]
