"""Declarations meet an environment: addresses, storages, platforms, features. It reads no data."""

from __future__ import annotations

from kindling.config.addresses import resolve_address
from kindling.errors import KindlingError, PlanError, PluginError, raise_together
from kindling.names import did_you_mean
from kindling.pipe import Pipe
from kindling.plan.graph import Graph
from kindling.plan.portability import SPARK_FAMILY, uses_pyspark
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.addresses import Address
    from kindling.app import App
    from kindling.config.settings import Settings
    from kindling.entity import Entity
    from kindling.plugins.catalog import Catalog
    from kindling.values import Scalar


class Bound(Value):
    """One entity in one environment.

    Attributes:
        name: Name in the app that is planned.
        entity: The declaration.
        inputs: Names of its inputs, in the order of the parameters; () for sources.
        storage: Capability name of the storage; `memory` for memory entities.
        address: Where it lives; None for memory entities.
        platform: Capability name of the platform that computes it.
        mode: How its write intent is carried out there: `native`, `emulated`, "" for sources.
        cursor_mode: `commit` or `mirrored` for incremental pipes, else "".
        probe: `local`, `remote` or `none`.
        overrides: The entity's own settings, for example `timeout_s`.
    """

    name: str
    entity: Entity
    inputs: tuple[str, ...]
    storage: str
    address: Address | None
    platform: str
    mode: str = ""
    cursor_mode: str = ""
    probe: str = "none"
    overrides: tuple[tuple[str, object], ...] = ()

    @property
    def pipe(self) -> Pipe[...] | None:
        """The declaration as a pipe, or None for a source or a reference."""
        return self.entity if isinstance(self.entity, Pipe) else None

    def override(self, name: str) -> object:
        """Return one of the entity's own settings, or None."""
        return next((value for key, value in self.overrides if key == name), None)


class Binding:
    """All entities of an app in one environment, checked.

    Attributes:
        entities: By name, sorted.
        graph: Which entity needs which.
        tags: Tags by entity name.
    """

    __slots__ = ("entities", "graph", "tags")

    def __init__(self, entities: dict[str, Bound]) -> None:
        self.entities = entities
        self.graph = Graph({name: bound.inputs for name, bound in entities.items()})
        self.tags = {name: bound.entity.tags for name, bound in entities.items()}

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the names of the pipes that read an entity directly, sorted."""
        return tuple(sorted(self.graph.readers(name)))


def bind(app: App, settings: Settings, catalog: Catalog) -> Binding:
    """Resolve and check every entity.

    Raises:
        Faults: All that is wrong, together: declarations, cycles, unknown storages and platforms,
            intents that a storage does not offer on its platform, two entities at one place.
    """
    faults: list[KindlingError] = list(app.all_faults())
    names = app.names()
    entities = app.entities()
    inputs = {name: _inputs(entity, names, app, entities) for name, entity in entities.items()}
    bound: dict[str, Bound] = {}
    for name, entity in entities.items():
        if entity.ref is not None and entity.ref[0] == app.name:
            if entity.ref[1] not in entities:
                faults.append(_no_such_own(entity, entities))
            continue  # a reference to the app itself is another handle of its own entity
        try:
            bound[name] = _bind_one(name, entity, inputs[name], app, settings, catalog)
        except KindlingError as error:
            error.where = error.where or str(entity.place)
            faults.append(error)
    checker = _Features(bound, catalog)
    for name, item in bound.items():
        bound[name] = checker.checked(item)
    faults += checker.faults
    faults += _shared_places(bound)
    faults += _cycles(entities, inputs)
    raise_together(_once(faults))
    return Binding(bound)


def _once(faults: list[KindlingError]) -> list[KindlingError]:
    """Drop repetitions: one missing plugin is one fault, however many entities need it."""
    seen: dict[tuple[str, str], KindlingError] = {}
    for fault in faults:
        seen.setdefault((fault.code, fault.what), fault)
    return list(seen.values())


def _inputs(entity: Entity, names: dict[int, str], app: App, entities: dict[str, Entity]) -> tuple[str, ...]:
    """Return the names of an entity's inputs; foreign handles are faults of the declarations."""
    return tuple(
        _own_name(handle, names[id(handle)], app, entities)
        for handle in getattr(entity, "inputs", ())
        if id(handle) in names
    )


def _bind_one(  # one call, in the order of the parameters
    name: str,
    entity: Entity,
    inputs: tuple[str, ...],
    app: App,
    settings: Settings,
    catalog: Catalog,
) -> Bound:
    own = settings.table("entities").get(name)
    overrides = dict(own) if isinstance(own, dict) else {}
    made = Bound(
        name,
        entity,
        inputs,
        storage="memory",
        address=None,
        platform=getattr(entity, "platform", "") or str(settings.get("platform")),
        overrides=tuple(sorted(overrides.items())),
    )
    if entity.is_memory:
        return made
    storage = entity.storage.name or str(settings.get("storage.default"))
    capability = catalog.find(f"storage:{storage}")
    options = dict(entity.storage.options)
    if entity.schema is not None and not isinstance(entity, Pipe):
        options["schema"] = entity.schema.ddl()  # files need it to read at all, tables may ignore it
    if entity.ref is not None:
        address = _foreign_address(entity.ref, storage, options, settings)
    else:
        address = resolve_address(name, storage, options, settings, app.name)
    return made.replace(storage=storage, address=address, probe=capability.probe)


def _own_name(handle: Entity, name: str, app: App, entities: dict[str, Entity]) -> str:
    """Return the name of what a handle stands for: a reference to the app itself is its own entity."""
    if handle.ref is not None and handle.ref[0] == app.name and handle.ref[1] in entities:
        return handle.ref[1]
    return name


def _foreign_address(
    ref: tuple[str, str], storage: str, options: dict[str, Scalar], settings: Settings
) -> Address:
    table = settings.table("refs").get(ref[0])
    given = table if isinstance(table, dict) else {}
    environment = str(given.get("environment") or given.get("defer") or settings.environment)
    if given.get("location"):
        options["location"] = str(given["location"])
    return resolve_address(ref[1], storage, options, settings, ref[0], environment=environment)


class _Features:
    """Checks intents against what storages and platforms can do, collecting faults."""

    def __init__(self, bound: dict[str, Bound], catalog: Catalog) -> None:
        self._bound = bound
        self._catalog = catalog
        self._platforms: dict[str, frozenset[str]] = {}
        self.faults: list[KindlingError] = []

    def checked(self, item: Bound) -> Bound:
        """Return the entity with its modes filled in."""
        pipe = item.pipe
        if pipe is None:
            return item
        features = self._session_features(item)
        if features is None:
            return item
        for name in item.inputs:
            source = self._bound.get(name)
            if source is not None and source.address is not None:
                self._mode(source, "read", features, item, "read")
        mode = "inline"
        if item.address is not None:
            mode = self._mode(item, pipe.write.name, features, item, pipe.write.name)
        elif pipe.write.name != "overwrite" or pipe.incremental is not None:
            self._fault(
                "KDL-PLAN-012",
                f"{item.name!r} is a memory entity with {pipe.write.name!r}",
                item,
                "a memory entity is computed anew each time: it has no history",
                "give it a storage",
            )
        if any(rule.on_fail == "quarantine" for rule in pipe.rules.values()):
            self._quarantine(item, features)
        self._portable(item, pipe, features)
        return item.replace(mode=mode, cursor_mode=self._incremental(item, features))

    def _portable(self, item: Bound, pipe: Pipe[...], features: frozenset[str]) -> None:
        """Refuse a pipe that names PySpark's own modules on a platform of another family."""
        name = "" if SPARK_FAMILY in features else uses_pyspark(pipe.function)
        if name:
            self._fault(
                "KDL-PLAN-017",
                f"the pipe {item.name!r} uses PySpark itself, which the platform {item.platform!r} is not",
                item,
                f"its code names {name!r}",
                "use k.F, k.Window and k.types, or choose a platform of Spark's family",
            )

    def _quarantine(self, item: Bound, features: frozenset[str]) -> None:
        if item.address is not None:
            self._mode(item, "append", features, item, "quarantine")
            return
        self._fault(
            "KDL-PLAN-016",
            f"{item.name!r} is a memory entity with on_fail='quarantine'",
            item,
            "a memory entity is kept nowhere, and so would be its quarantine",
            "give it a storage, or choose 'drop', 'warn' or 'fail'",
        )

    def _session_features(self, item: Bound) -> frozenset[str] | None:
        if item.platform not in self._platforms:
            try:
                capability = self._catalog.find(f"platform:{item.platform}")
            except PluginError as error:
                self.faults.append(error)
                return None
            self._platforms[item.platform] = frozenset(capability.features)
        return self._platforms[item.platform]

    def _incremental(self, item: Bound, features: frozenset[str]) -> str:
        pipe = item.pipe
        if pipe is None or pipe.incremental is None or item.address is None:
            return ""
        source = self._bound.get(item.inputs[0]) if item.inputs else None
        if source is None or source.address is None:
            self._fault(
                "KDL-PLAN-013",
                f"{item.name!r} is incremental, but its first input is no table",
                item,
                "changes() and by_time() read the first input",
                "",
            )
            return ""
        if pipe.incremental.kind == "changes":
            self._mode(source, "changes", features, item, "changes()")
        else:
            self._mode(item, "replace", features, item, "by_time()")
        return "commit" if "cursors" in self._catalog.find(f"storage:{item.storage}").features else "mirrored"

    def _mode(self, target: Bound, use: str, features: frozenset[str], reader: Bound, word: str) -> str:
        """Return the first way in which a storage can do something with a session, or a fault."""
        capability = self._catalog.find(f"storage:{target.storage}")
        ways = next((ways for name, ways in capability.needs if name == use), None)
        if ways is None:
            able = [
                c.name for c in self._catalog.capabilities("storage") if any(n == use for n, _ in c.needs)
            ]
            self._fault(
                "KDL-PLAN-010",
                f"{word} into {target.name!r}, whose storage {target.storage!r} has none"
                if target is reader
                else f"{word} of {target.name!r}, whose storage {target.storage!r} has none",
                reader,
                f"installed storages that have it: {', '.join(sorted(able)) or 'none'}",
                "choose another storage or another intent",
            )
            return ""
        for needed, mode in ways:
            if features.issuperset(needed):
                return mode
        wanted = " or ".join("+".join(needed) for needed, _ in ways)
        self._fault(
            "KDL-PLAN-011",
            f"{word} of {target.name!r} ({target.storage}) does not work on the platform {reader.platform!r}",
            reader,
            f"the storage needs a session with {wanted}; the platform has {', '.join(sorted(features))}",
            "choose another platform or storage",
        )
        return ""

    def _fault(self, code: str, what: str, item: Bound, why: str, hint: str) -> None:
        self.faults.append(PlanError(code, what, why=why, where=str(item.entity.place), hint=hint))


def _shared_places(bound: dict[str, Bound]) -> list[KindlingError]:
    """Find two entities that one of them writes to at one place."""
    first: dict[tuple[object, ...], Bound] = {}
    faults: list[KindlingError] = []
    for item in bound.values():
        address = item.address
        if address is None:
            continue
        place = (
            (address.uri.rstrip("/"),) if address.uri else (address.storage, address.location, address.parts)
        )
        other = first.setdefault(place, item)
        if other is not item and (item.pipe is not None or other.pipe is not None):
            faults.append(
                PlanError(
                    "KDL-PLAN-014",
                    f"{other.name!r} and {item.name!r} live at one place",
                    why=f"both resolve to {address.uri or '.'.join(address.parts)}",
                    where=str(item.entity.place),
                    hint="change [naming] template, or give one of them its own path",
                )
            )
    return faults


def _cycles(entities: dict[str, Entity], inputs: dict[str, tuple[str, ...]]) -> list[KindlingError]:
    return [
        PlanError(
            "KDL-PLAN-015",
            f"the pipes form a cycle: {' -> '.join(cycle)}",
            where=str(entities[cycle[0]].place),
            hint="remove one of these inputs",
        )
        for cycle in Graph(inputs).cycles()
    ]


def _no_such_own(entity: Entity, entities: dict[str, Entity]) -> PlanError:
    name = entity.ref[1] if entity.ref is not None else ""
    return PlanError(
        "KDL-PLAN-001",
        f"there is no entity {name!r}",
        why=did_you_mean(name, (own for own, item in entities.items() if item.ref is None)),
        where=str(entity.place),
    )


def find_entity(binding: Binding, name: str) -> Bound:
    """Return an entity by its name.

    Raises:
        PlanError: KDL-PLAN-001, there is none; did you mean.
    """
    if name not in binding.entities:
        raise PlanError(
            "KDL-PLAN-001", f"there is no entity {name!r}", why=did_you_mean(name, binding.entities)
        )
    return binding.entities[name]
