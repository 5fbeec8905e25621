"""What one object adds to a digest, and the objects that it leads to. Not the digest of the whole.

Everything is recognised by `type(value)` and never probed: `hasattr(k.F, "x")` would need an engine.
"""

from __future__ import annotations

import hashlib
import os
import sys
import types

from kindling.plan.bytecode import imports, settled, shape
from kindling.plan.contents import (
    SCALARS,
    attributes,
    base_content,
    is_enum,
    is_shown,
    is_stateless,
    order_text,
    scalar_text,
)
from kindling.plan.homes import held_by, is_kindling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kindling.plan.homes import Homes

_BLIND = {
    "eval": "it runs text",
    "exec": "it runs text",
    "globals": "it looks names up",
    "__import__": "it imports by text",
    "import_module": "it imports by text",
    "environ": "it reads environment variables",
    "getenv": "it reads environment variables",
    "open": "it reads files",
}
_CLASS_NOISE = frozenset(
    (
        "__dict__",
        "__weakref__",
        "__module__",
        "__qualname__",
        "__doc__",
        "__firstlineno__",
        "__static_attributes__",
        "__dataclass_fields__",
        "__dataclass_params__",
        "__parameters__",
        "__orig_bases__",
        "_abc_impl",
        "_member_map_",
        "_value2member_map_",
        "_unhashable_values_",
        "_unhashable_values_map_",
        "_hashable_values_",
    )
)
_PARTS = {  # what built-in wrappers are made of, by module and class
    ("builtins", "staticmethod"): ("__func__",),
    ("builtins", "classmethod"): ("__func__",),
    ("builtins", "property"): ("fget", "fset", "fdel"),
    ("builtins", "method"): ("__func__", "__self__"),
    ("functools", "cached_property"): ("func",),
    ("functools", "partial"): ("func", "args", "keywords"),
    ("functools", "partialmethod"): ("func", "args", "keywords"),
    ("functools", "_lru_cache_wrapper"): ("__wrapped__",),
    ("re", "Pattern"): ("pattern", "flags"),  # its repr is cut at 200 letters
}


class Node:
    """What one object adds: its own bytes, and the objects that it leads to."""

    __slots__ = ("children", "digest", "opaque")

    def __init__(self, digest: bytes, children: tuple[object, ...], opaque: tuple[str, ...]) -> None:
        self.digest = digest
        self.children = children
        self.opaque = opaque


class Sketch:
    """Collects the bytes and children of one node."""

    def __init__(self, homes: Homes) -> None:
        self._homes = homes
        self._parts: list[str] = []
        self._children: list[object] = []
        self._opaque: list[str] = []
        self._names: dict[str, None] = {}
        self._modules: set[str] = set()
        self._imports = False
        self._loud = True
        self._within = ""

    def of(self, item: object) -> Node:
        """Return the node of an object; called once for each sketch."""
        kind = type(item)
        if kind in _OPENERS:
            _OPENERS[kind](self, item)
        elif issubclass(kind, type):
            self._class(item)  # type: ignore[arg-type]  # its type is a metaclass
        elif is_kindling(kind.__module__):
            self._value("", item)
        elif is_enum(kind):
            self._class_value(kind)
            self._say(str(item._name_))  # type: ignore[attr-defined]  # each member has a name
        elif self._homes.is_app_class(kind):
            self._instance(item)
        else:
            self._value("", item)
        digest = hashlib.sha256("\0".join(self._parts).encode("utf-8", "surrogatepass")).digest()
        return Node(digest, tuple(self._children), tuple(self._opaque))

    def _say(self, *words: str) -> None:
        """Add texts, each with its length, so that no two lists of texts look alike."""
        self._parts += [f"{len(word)}:{word}" for word in words]

    def _lead(self, item: object) -> None:
        self._say("->")
        self._children.append(item)

    def _hide(self, name: str, why: str) -> None:
        if self._loud:
            self._opaque.append(f"{name or 'a value'} in {self._within or 'a value'}: {why}")

    def _value(self, name: str, item: object) -> None:
        """Add any value; `name` is how it was reached."""
        kind = type(item)
        if kind in SCALARS:
            self._say(kind.__name__, scalar_text(item))
        elif kind in _FROZEN:
            _FROZEN[kind](self, name, item)
        elif kind in _OPENERS:
            self._lead(item)
        elif issubclass(kind, type):
            self._class_value(item)  # type: ignore[arg-type]  # its type is a metaclass
        elif issubclass(kind, types.ModuleType):
            self._module(item)  # type: ignore[arg-type]  # just checked
        else:
            self._object(name, item)

    def _object(self, name: str, item: object) -> None:
        kind = type(item)
        home = str(kind.__module__)
        parts = _PARTS.get((home, kind.__name__))
        self._say(home, kind.__qualname__)
        if is_kindling(home):
            self._kindling(item)
        elif parts is not None:
            for part in parts:
                self._value(name, getattr(item, part))
        elif is_shown(kind):
            self._say(repr(item))
        elif is_enum(kind) or self._homes.is_app_class(kind):
            self._lead(item)
        elif not is_stateless(kind):
            self._hide(name, f"an object of {home}.{kind.__qualname__}, whose state is not seen")

    def _kindling(self, item: object) -> None:
        """Declarations count by name: the plan chains their own fingerprints."""
        if type(item).__name__ == "App":
            self._say(str(item.name))  # type: ignore[attr-defined]  # each App has a name
        elif type(item).__repr__ is not object.__repr__:
            self._say(repr(item))

    def _tuple(self, name: str, items: tuple[object, ...]) -> None:
        self._say("tuple", str(len(items)))
        for part in items:
            self._value(name, part)

    def _set(self, name: str, items: Iterable[object]) -> None:
        # A set's own order depends on the hash seed.
        keyed = sorted((order_text(item), place, item) for place, item in enumerate(items))
        self._say("set", str(len(keyed)))
        for place, (text, _, item) in enumerate(keyed):
            if place and keyed[place - 1][0] == text:
                self._hide(name, f"a set with several members that are all {text}")
            self._value(name, item)

    def _builtin(self, name: str, item: types.BuiltinFunctionType) -> None:
        self._say("builtin", str(item.__module__), item.__qualname__)
        if item.__self__ is not None and type(item.__self__) is not types.ModuleType:
            self._value(name, item.__self__)

    def _view(self, name: str, item: Mapping[object, object]) -> None:
        self._say("view", str(len(item)))
        for key, part in item.items():
            self._value(name, key)
            self._value(name, part)

    def _function(self, function: types.FunctionType) -> None:
        self._within = function.__qualname__
        space = function.__globals__
        if not self._homes.is_app_space(space):
            self._foreign_function(function)
            return
        self._code(function.__code__)
        self._bindings(function)
        missing = [name for name in self._names if name not in space]
        for name in self._names:
            if name in space and not (name.startswith("__") and name.endswith("__")):
                self._say("global", name)
                self._value(name, space[name])
        for name in missing:
            if name in _BLIND:
                self._hide(name, f"{_BLIND[name]}, which is not seen")
        if self._imports:
            self._body_imports([name for name in missing if name], space)

    def _bindings(self, function: types.FunctionType) -> None:
        self._value("a default", function.__defaults__)
        for name, default in (function.__kwdefaults__ or {}).items():
            self._say(name)
            self._value(name, default)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            self._say("cell", name)
            try:
                self._value(name, cell.cell_contents)
            except ValueError:  # not bound yet
                self._say("empty")

    def _foreign_function(self, function: types.FunctionType) -> None:
        """A foreign body counts by name; what the app gave to it is looked through."""
        self._say("foreign", str(function.__globals__.get("__name__")), function.__code__.co_name)
        held = held_by(function)
        # Foreign functions have closures of foreign objects, which are nobody's business here.
        self._loud = any(self._homes.leads_home(item) for item in held)
        for item in held:
            if type(item) is not types.FunctionType or self._homes.leads_home(item):
                self._value("a closure", item)
        registry = function.__dict__.get("registry")
        if type(registry) is types.MappingProxyType:  # functools.singledispatch
            self._value("registry", registry)

    def _code(self, code: types.CodeType) -> None:
        raw, consts = settled(code)
        self._say("code", *shape(code), repr(raw))
        self._names.update(dict.fromkeys(code.co_names))
        self._imports = self._imports or imports(code)
        for const in consts:
            if type(const) is types.CodeType:
                self._code(const)
            else:
                self._value("a constant", const)

    def _body_imports(self, missing: Iterable[str], space: Mapping[str, object]) -> None:
        """Add the app's modules that the body imports: what is loaded, else their source.

        Which of the names are imported is not told apart: a false one only adds to the digest.
        """
        package = str(space.get("__package__") or "")
        homes = [""]
        while package:
            homes.append(f"{package}.")
            package = package.rpartition(".")[0]
        homes += [f"{name}." for name in missing if name in sys.modules and self._is_app_module(name)]
        for full in [f"{home}{name}" for home in homes for name in missing]:
            if full not in sys.modules:
                self._unloaded(full)
            elif self._is_app_module(full):
                self._module(sys.modules[full])

    def _is_app_module(self, name: str) -> bool:
        module = sys.modules[name]
        return issubclass(type(module), types.ModuleType) and self._homes.is_app_space(vars(module))

    def _unloaded(self, name: str) -> None:
        path = name.replace(".", os.sep)
        for place in self._homes.places():
            for file in (os.path.join(place, f"{path}.py"), os.path.join(place, path, "__init__.py")):
                try:
                    with open(file, "rb") as source:
                        self._say("source", name, hashlib.sha256(source.read()).hexdigest())
                except OSError:
                    continue
                self._hide(name, "imported in the body and not loaded: only its own source file is seen")
                return

    def _module(self, module: types.ModuleType) -> None:
        """Add the attributes that the code names, each module once."""
        space = vars(module)
        name = str(space.get("__name__"))
        self._say("module", name)
        if name in self._modules or not self._homes.is_app_space(space):
            return
        self._modules.add(name)
        for used in tuple(self._names):
            if used in space and not used.startswith("__"):
                self._say("attribute", used)
                self._value(f"{name}.{used}", space[used])

    def _class_value(self, cls: type) -> None:
        if self._homes.is_app_class(cls):
            self._lead(cls)
        else:
            self._say("class", str(cls.__module__), cls.__qualname__)

    def _class(self, cls: type) -> None:
        self._within = cls.__qualname__
        if not self._homes.is_app_class(cls):
            self._class_value(cls)
            return
        for part in (type(cls), *cls.__bases__):
            self._class_value(part)
        enum = is_enum(cls)
        for name, item in sorted(vars(cls).items()):
            if name in _CLASS_NOISE or (enum and (type(item).__module__ == "enum" or type(item) is cls)):
                continue
            self._loud = not name.startswith("__")  # what a metaclass leaves behind is not the user's
            self._say("member", name)
            self._value(name, item)
        if enum:
            for name, member in cls._member_map_.items():  # type: ignore[attr-defined]  # each Enum has it
                self._say("member", name)
                self._value(name, member._value_)  # `.value` may be overridden

    def _instance(self, item: object) -> None:
        self._within = f"an object of {type(item).__qualname__}"
        self._lead(type(item))
        for content in base_content(item):
            self._value("its content", content)
        for name, part in sorted(attributes(item).items()):
            self._say("state", name)
            self._value(name, part)

    def _open_dict(self, items: Mapping[object, object]) -> None:
        self._within = "a dict"
        self._say("dict", str(len(items)))
        for key, part in items.items():
            self._value("a key", key)
            self._value(key if type(key) is str else "a value", part)

    def _open_list(self, items: list[object]) -> None:
        self._within = "a list"
        self._say("list", str(len(items)))
        for part in items:
            self._value("an item", part)

    def _open_set(self, items: set[object]) -> None:
        self._within = "a set"
        self._set("a member", items)


_FROZEN: dict[type, Callable[[Sketch, str, object], None]] = {  # shown in place: identity means nothing
    tuple: Sketch._tuple,  # type: ignore[dict-item]  # noqa: SLF001  # each takes its own type
    frozenset: Sketch._set,  # type: ignore[dict-item]  # noqa: SLF001  # the same
    types.BuiltinFunctionType: Sketch._builtin,  # type: ignore[dict-item]  # noqa: SLF001  # the same
    types.MappingProxyType: Sketch._view,  # type: ignore[dict-item]  # noqa: SLF001  # the same
}
_OPENERS: dict[type, Callable[[Sketch, object], None]] = {  # nodes of their own: they may hold themselves
    types.FunctionType: Sketch._function,  # type: ignore[dict-item]  # noqa: SLF001  # the same
    dict: Sketch._open_dict,  # type: ignore[dict-item]  # noqa: SLF001  # the same
    list: Sketch._open_list,  # type: ignore[dict-item]  # noqa: SLF001  # the same
    set: Sketch._open_set,  # type: ignore[dict-item]  # noqa: SLF001  # the same
}
