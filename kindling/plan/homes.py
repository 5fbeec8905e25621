"""Whose code something is: the app's own, or foreign. Not what the code does."""

from __future__ import annotations

import os
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Homes:
    """Tells app code from foreign code by the folders that hold the app.

    Attributes:
        roots: The folders, absolute, each ending in a separator, as given and without symbolic links.
    """

    def __init__(self, roots: Sequence[str]) -> None:
        both = {form(root) for root in roots for form in (os.path.abspath, os.path.realpath)}
        self.roots = tuple(sorted(root.rstrip(os.sep) + os.sep for root in both))
        self._known: dict[str, bool] = {}

    def places(self) -> tuple[str, ...]:
        """Return the folders in which the app's modules are looked for."""
        found = [place for place in sys.path if self.is_app_file(os.path.join(place, ""))]
        return tuple(dict.fromkeys((*self.roots, *found)))

    def is_app_file(self, file: str) -> bool:
        """Tell whether a source file is the app's own: under a root and not in an installed package."""
        return any(file.startswith(root) and "-packages" not in file[len(root) :] for root in self.roots)

    def is_app_space(self, space: Mapping[str, object]) -> bool:
        """Tell whether a module's names are the app's own; a notebook and an `exec` count as such."""
        name = space.get("__name__")
        known = self._known.get(name) if isinstance(name, str) else None
        if known is None:
            known = self._judge(name, space)
            if isinstance(name, str):
                self._known[name] = known
        return known

    def _judge(self, name: object, space: Mapping[str, object]) -> bool:
        if isinstance(name, str) and is_kindling(name):
            return False
        file = space.get("__file__")
        if isinstance(file, str):
            return self.is_app_file(file)
        folders = space.get("__path__")
        if folders is not None:  # a namespace package
            return any(self.is_app_file(os.path.join(folder, "")) for folder in _texts(folders))
        return name == "__main__" or name not in sys.modules

    def is_app_class(self, cls: type) -> bool:
        """Tell whether a class is the app's own."""
        name: object = cls.__module__  # a class may set anything
        if not isinstance(name, str):
            return False
        module = sys.modules.get(name)
        return self.is_app_space(vars(module) if module is not None else {"__name__": name})

    def leads_home(self, item: object, *, depth: int = 4) -> bool:
        """Tell whether something is the app's own, or a foreign wrapper around such a thing."""
        if type(item) is not types.FunctionType:
            return self.is_app_class(item if isinstance(item, type) else type(item))
        if self.is_app_space(item.__globals__):
            return True
        return depth > 0 and any(self.leads_home(held, depth=depth - 1) for held in held_by(item))


def is_kindling(name: str) -> bool:
    """Tell whether a module belongs to the kernel."""
    return name == "kindling" or name.startswith("kindling.")


def held_by(function: types.FunctionType) -> list[object]:
    """Return what a function's closure and `__wrapped__` hold."""
    held = [function.__dict__["__wrapped__"]] if "__wrapped__" in function.__dict__ else []
    for cell in function.__closure__ or ():
        try:
            held.append(cell.cell_contents)
        except ValueError:  # not bound yet
            continue
    return held


def _texts(items: object) -> tuple[str, ...]:
    return tuple(item for item in items if isinstance(item, str))  # type: ignore[attr-defined]  # a module's __path__
