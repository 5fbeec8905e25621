"""What an app needs: capabilities and features, from its declarations and settings. No plugin is asked.

The app is imported, which loads no engine; storages, intents, incremental reading, platforms, executor,
state, sinks, masks and every `secret://` reference are looked at, each need with the places it comes from.
"""

from __future__ import annotations

import re

from kindling.errors import UsageError
from kindling.names import parse_capability
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

    from kindling_plugin_registry.client.declarations import Entity, Pipe, Project

WORDS = {
    "reads": "read",
    "writes": "write",
    "merges": "merge",
    "historises": "scd2",
    "replaces": "replace",
    "changes": "changes",
    "times": "by_time",
    "evolves": "evolve",
}
"""Features of storages in the words of declarations."""
WRITES = {
    "overwrite": "writes",
    "append": "writes",
    "merge": "merges",
    "scd2": "historises",
    "replace": "replaces",
}
_SECRET = re.compile(r"secret://([a-z0-9][a-z0-9_-]*)/")
_NEED = re.compile(r"([a-z]+:[a-z0-9][a-z0-9_-]*)(?:\[([a-z0-9:,_ -]*)\])?")


class Need(Value):
    """One capability that is needed.

    Attributes:
        capability: `kind:name`.
        features: Sorted.
        why: Where it comes from, in the order in which it was found, without repetitions.
    """

    capability: str
    features: tuple[str, ...] = ()
    why: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as people say it: `storage:delta with merge and changes`."""
        order = [*WORDS, *self.features]
        words = [
            WORDS.get(item, item)
            for item in sorted(self.features, key=order.index)
            if item not in ("reads", "writes")
        ]
        if not words:
            return self.capability
        *most, last = words
        return (
            f"{self.capability} with {', '.join(most)} and {last}"
            if most
            else f"{self.capability} with {last}"
        )

    def to_plain(self) -> dict[str, object]:
        """Return the need as JSON types."""
        return {"capability": self.capability, "features": list(self.features), "why": list(self.why)}


def parse_need(text: str) -> Need:
    """Return the need that `storage:delta` or `storage:delta[merges,changes]` is.

    Raises:
        UsageError: KDL-REG-103, it is not of that form.
    """
    match = _NEED.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            "KDL-REG-103",
            f"{text!r} is no capability",
            why="expected kind:name, or kind:name[feature,feature]",
            hint="for example storage:delta or 'storage:delta[merges,changes]'",
        )
    parse_capability(match[1])
    given = {item.strip() for item in (match[2] or "").split(",") if item.strip()}
    back = {word: feature for feature, word in WORDS.items()}
    return Need(match[1], tuple(sorted(back.get(item, item) for item in given)), ("asked for",))


def infer_needs(project: Project) -> tuple[Need, ...]:
    """Return what a project's app needs in its environment, sorted by capability.

    Raises:
        KindlingError: The app's declarations are wrong; all faults together.
    """
    project.app.raise_faults()
    found = _Found()
    settings = project.settings
    for kind in ("platform", "executor", "state"):
        found.add(f"{kind}:{settings.get(kind)}", (), _origin(project, kind))
    _entities(found, project)
    for key, kind in (("run.sinks", "sink"), ("run.lineage", "lineage")):
        value = settings.get(key)
        for name in value if isinstance(value, list) else ():
            found.add(f"{kind}:{name}", (), _origin(project, key))
    masks = settings.table("policy").get("masks")
    for rule, facts in masks.items() if isinstance(masks, dict) else ():
        if isinstance(facts, dict) and facts.get("mask"):
            found.add(f"masking:{facts['mask']}", (), _origin(project, f"policy.masks.{rule}.mask"))
    for key in settings.keys():  # noqa: SIM118  # Settings is no mapping
        for vault in _vaults(settings.get(key)):
            found.add(f"secrets:{vault}", (), _origin(project, key))
    return found.needs()


class _Found:
    """Collects needs."""

    def __init__(self) -> None:
        self._features: dict[str, set[str]] = {}
        self._why: dict[str, dict[str, None]] = {}

    def add(self, capability: str, features: Iterable[str], why: str) -> None:
        self._features.setdefault(capability, set()).update(features)
        self._why.setdefault(capability, {})[why] = None

    def needs(self) -> tuple[Need, ...]:
        return tuple(
            Need(key, tuple(sorted(self._features[key])), tuple(self._why[key]))
            for key in sorted(self._features)
        )


def _entities(found: _Found, project: Project) -> None:
    from kindling_plugin_registry.client.declarations import Pipe

    default = str(project.settings.get("storage"))
    for name, entity in project.app.entities().items():
        storage = _storage(entity, default)
        if isinstance(entity, Pipe):
            _pipe(found, name, entity, default)
        elif entity.ref is None or entity.ref[0] != project.app.name:
            found.add(f"storage:{storage}", ("reads",), f"{name} ({entity.place})")
        for _, value in entity.storage.options:
            for vault in _vaults(value):
                found.add(f"secrets:{vault}", (), f"{name} ({entity.place})")


def _pipe(found: _Found, name: str, pipe: Pipe[...], default: str) -> None:
    """Add what one pipe needs of its own storage, of those of its inputs, of platforms and vaults."""
    why = f"{name} ({pipe.place})"
    incremental = pipe.incremental.kind if pipe.incremental is not None else ""
    if not pipe.is_memory:
        wanted = {"evolves": pipe.drift == "evolve", "replaces": incremental == "time"}
        features = [WRITES[pipe.write.name], *(key for key, is_wanted in wanted.items() if is_wanted)]
        found.add(f"storage:{_storage(pipe, default)}", features, why)
    for place, given in enumerate(pipe.inputs):
        more = {"changes": "changes", "time": "times"}.get(incremental) if place == 0 else None
        if not given.is_memory:
            found.add(f"storage:{_storage(given, default)}", ("reads", *((more,) if more else ())), why)
    if pipe.platform:
        found.add(f"platform:{pipe.platform}", (), why)
    code = getattr(pipe.function, "__code__", None)
    if code is not None:
        for vault in _code_vaults(code, getattr(pipe.function, "__globals__", {})):
            found.add(f"secrets:{vault}", (), why)


def _storage(entity: Entity, default: str) -> str:
    return entity.storage.name or entity.app.storage.name or default


def _code_vaults(code: CodeType, outer: dict[str, object]) -> Iterator[str]:
    """Yield the vaults of references in a function: its constants, inner functions, module constants."""
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            yield from _code_vaults(constant, outer)
        else:
            yield from _vaults(constant)
    for name in code.co_names:
        if isinstance(outer.get(name), str):
            yield from _vaults(outer[name])


def _vaults(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if "secret://" in value:
            yield from _SECRET.findall(value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _vaults(item)


def _origin(project: Project, key: str) -> str:
    origin = project.settings.origin(key)
    return f"{key} ({origin or 'default'})"
