"""Does a pipe's function use PySpark itself instead of `k.F`? It then runs on Spark's family alone. Pure."""

from __future__ import annotations

import types

PYSPARK = "pyspark"
SPARK_FAMILY = "spark-sql"
"""Feature of the platforms whose frames are PySpark's own."""


def uses_pyspark(function: object) -> str:
    """Return the name by which a plain function reaches PySpark, or "".

    It looks at what the function's own code names: an import in its body, and globals that are PySpark's
    modules, classes or functions. What a helper does inside is not looked at.
    """
    code = getattr(function, "__code__", None)
    space = getattr(function, "__globals__", {})
    if not isinstance(code, types.CodeType):
        return ""
    todo, names = [code], set[str]()
    while todo:
        one = todo.pop()
        names.update(one.co_names)
        todo += [const for const in one.co_consts if isinstance(const, types.CodeType)]
    for name in sorted(names):
        if name == PYSPARK or name.startswith(f"{PYSPARK}."):
            return name
        if _is_pyspark(space.get(name)):
            return name
    return ""


def _is_pyspark(value: object) -> bool:
    """Dispatch on the type: attributes of unknown objects (`k.F`) must not be touched."""
    kind = type(value)
    if kind is types.ModuleType:
        home: object = vars(value).get("__name__")
    elif kind is types.FunctionType or issubclass(kind, type):
        home = value.__module__
    else:
        home = kind.__module__
    return isinstance(home, str) and (home == PYSPARK or home.startswith(f"{PYSPARK}."))
