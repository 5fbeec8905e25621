"""The App: one set of declarations. An object, never a global; it plans and runs nothing itself."""

from __future__ import annotations

import re

from kindling.entity import Entity, StorageChoice, calling_place
from kindling.errors import DeclarationError, raise_together
from kindling.intents import Incremental, Intent
from kindling.names import did_you_mean, entity_parts
from kindling.pipe import DRIFT, ON_FAIL, Pipe, Rule
from kindling.sql import check_sql, placeholders_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from kindling.entity import Place
    from kindling.pipe import PipeOptions
    from kindling.signatures import PipeDecorators
else:

    class PipeDecorators:
        """The overloads of `App.pipe` are read by type checkers only."""


_DEFAULTS: dict[str, object] = {
    "name": "",
    "write": Intent("overwrite"),
    "incremental": None,
    "expect": {},
    "on_fail": "warn",
    "schema": None,
    "classify": None,
    "storage": None,
    "tags": (),
    "drift": "fail",
    "partition_by": (),
    "timeout_s": None,
    "retries": None,
    "version": "",
    "platform": "",
}
_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "write": (Intent,),
    "incremental": (Incremental, type(None)),
    "on_fail": (str,),
    "storage": (StorageChoice, type(None)),
    "drift": (str,),
    "timeout_s": (int, float, type(None)),
    "retries": (int, type(None)),
    "version": (str,),
    "platform": (str,),
}
_APP_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class App(PipeDecorators):
    """A set of declarations.

    Attributes:
        name: Lower-case letters, digits, `-` and `_`; it owns the tables that it writes.
        settings: Settings of the highest layer.
        storage: Storage of entities that name none; "" for the environment's default.
        faults: What is wrong with the declarations so far, in their order; raised together by
            `raise_faults` when the app is planned.
    """

    def __init__(
        self,
        name: str,
        *,
        settings: Mapping[str, object] | None = None,
        storage: StorageChoice | None = None,
    ) -> None:
        self.name = name
        self.settings = dict(settings or {})
        self.storage = storage or StorageChoice()
        self.place = calling_place()
        self.faults: list[DeclarationError] = []
        self._entities: list[Entity] = []
        self._included: list[tuple[App, str]] = []
        if not _APP_NAME.fullmatch(name):
            self._fault(
                "KDL-DECL-002",
                f"{name!r} is not an app name",
                self.place,
                why="expected a lower-case letter, then letters, digits, '-' and '_'",
            )

    def __repr__(self) -> str:
        return f"<App {self.name!r}: {len(self._entities)} entities>"

    def source(
        self,
        name: str,
        storage: StorageChoice,
        *,
        schema: object = None,
        classify: Mapping[str, str] | None = None,
        tags: Sequence[str] = (),
    ) -> Entity:
        """Declare an entity that this app reads and never writes; return its handle.

        Args:
            name: Logical name.
            storage: Where it is, for example `k.csv("data/flights.csv")`.
            schema: Dataclass, DDL string or StructType; types are exact where it is given.
            classify: Class of columns, for example `{"email": "pii.email"}`.
            tags: For selection.
        """
        place = calling_place()
        entity = Entity(
            self, name, place=place, storage=storage, schema=schema, classify=classify, tags=tuple(tags)
        )
        self._add(entity)
        return entity

    def ref(self, app: str, name: str, *, schema: object = None) -> Entity:
        """Return a read-only handle of another app's entity, resolved by the setting `[refs]`."""
        place = calling_place()
        logical = f"{app}.{name}" if name.count(".") < 2 else name  # noqa: PLR2004  # three parts are full
        entity = Entity(self, logical, place=place, storage=self.storage, schema=schema, ref=(app, name))
        self._add(entity)
        return entity

    if not TYPE_CHECKING:  # type checkers read the overloads of PipeDecorators

        def pipe(self, *inputs: Entity, context: bool = False, **options: object) -> Callable:
            """Declare a pipe; see `PipeDecorators.pipe`."""
            place = calling_place()

            def declare(function: Callable) -> Pipe:
                return self._declare(function, inputs, place, context=context, options=options)

            return declare

    def sql(
        self, name: str, text: str, *, inputs: Mapping[str, Entity], **options: Unpack[PipeOptions]
    ) -> Pipe[[]]:
        """Declare a pipe that is one SELECT in Spark's dialect; return its handle.

        Args:
            name: Logical name of the entity that it makes.
            text: The query; `{placeholder}` stands for an input, other braces are literal.
            inputs: Handles by placeholder; each must occur in the text, nothing else may be read.
            **options: As for `pipe`.
        """
        place = calling_place()
        settled = self._settle(name, {**options, "name": name}, place)
        made: Pipe[[]] = Pipe(
            self,
            name,
            place=place,
            inputs=self._handles(name, tuple(inputs.values()), place),
            function=None,
            sql=text,
            placeholders=tuple(inputs),
            rules=self._rules(name, settled, place),
            settled=settled,
        )
        self._add(made)
        return made

    def sql_file(
        self, name: str, path: str, *, inputs: Mapping[str, Entity], **options: Unpack[PipeOptions]
    ) -> Pipe[[]]:
        """Declare an SQL pipe whose text stands in a file, relative to the declaring file."""
        import os

        place = calling_place()
        full = os.path.join(os.path.dirname(place.file), path)
        try:
            with open(full, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            self._fault(
                "KDL-DECL-046",
                f"the SQL file {path!r} of {name!r} cannot be read",
                place,
                why=str(error.strerror),
            )
            text = ""
        return self.sql(name, text, inputs=inputs, **options)

    def include(self, other: App, *, prefix: str = "") -> None:
        """Make another app's entities part of this one, their names behind `prefix` and a dot."""
        if other is self or any(app is other for app, _ in self._included):
            self._fault("KDL-DECL-003", f"{self.name!r} includes {other.name!r} again", calling_place())
            return
        self._included.append((other, prefix))

    def entities(self) -> dict[str, Entity]:
        """Return all entities by the name that they have in this app, included ones too.

        Names are sorted, so the order of declarations never matters. Faults are not raised here.
        """
        found: dict[str, Entity] = {}
        for name, entity in self._named():
            found.setdefault(name, entity)
        return dict(sorted(found.items()))

    def names(self) -> dict[int, str]:
        """Return each entity's name in this app by the handle's `id()`."""
        return {id(entity): name for name, entity in self._named()}

    def _named(self, prefix: str = "") -> list[tuple[str, Entity]]:
        start = f"{prefix}." if prefix else ""
        own = [(start + entity.name, entity) for entity in self._entities]
        for other, inner in self._included:
            own += other._named(start + inner if inner else prefix)  # noqa: SLF001  # the same class
        return own

    def raise_faults(self, *, sql: bool = False) -> None:
        """Raise everything that is wrong with the declarations together; see `all_faults`."""
        raise_together(self.all_faults(sql=sql))

    def all_faults(self, *, sql: bool = False) -> list[DeclarationError]:
        """Return the faults of this app and of included ones, those of composition included.

        Args:
            sql: Also parse every SQL text (imports sqlglot).
        """
        faults = list(self.faults)
        for other, _ in self._included:
            faults += other.faults
        faults += self._composition_faults()
        if sql:
            for entity in self.entities().values():
                if isinstance(entity, Pipe) and entity.function is None:
                    faults += check_sql(
                        entity.sql, pipe=entity.name, declared=entity.placeholders, where=str(entity.place)
                    )
        return faults

    def _composition_faults(self) -> list[DeclarationError]:
        faults: list[DeclarationError] = []
        seen: dict[str, Entity] = {}
        names = self.names()
        for name, entity in self._named():
            first = seen.setdefault(name, entity)
            if first is not entity:
                faults.append(_two_producers(name, first, entity))
            try:
                entity_parts(name)
            except DeclarationError as error:
                error.where = str(entity.place)
                faults.append(error)
            foreign = [handle for handle in getattr(entity, "inputs", ()) if id(handle) not in names]
            faults += [_foreign_input(name, entity, handle, self) for handle in foreign]
        return faults

    def _add(self, entity: Entity) -> None:
        """Register a declaration; a notebook cell that runs again replaces its own earlier one."""
        if entity.place.is_cell:
            for index, old in enumerate(self._entities):
                if old.name == entity.name and old.place.is_cell:
                    self._entities[index] = entity
                    return
        self._entities.append(entity)

    def _declare(
        self,
        function: Callable[..., object],
        inputs: tuple[Entity, ...],
        place: Place,
        *,
        context: bool,
        options: Mapping[str, object],
    ) -> Pipe[...]:
        name = str(options.get("name") or getattr(function, "__name__", ""))
        if isinstance(function, Pipe):
            self._fault("KDL-DECL-033", f"the pipe {name!r} is decorated twice", place)
            function = function.function or placeholders_in
        settled = self._settle(name, options, place)
        handles = self._handles(name, inputs, place)
        self._check_parameters(name, function, len(inputs) + context, place)
        made: Pipe[...] = Pipe(
            self,
            name,
            place=place,
            inputs=handles,
            function=function,
            takes_context=context,
            rules=self._rules(name, settled, place),
            settled=settled,
        )
        self._add(made)
        return made

    def _check_parameters(self, name: str, function: object, given: int, place: Place) -> None:
        """Compare the number of inputs with what the function takes, without `inspect` (17 ms)."""
        code = getattr(function, "__code__", None)
        if code is None or code.co_flags & 0x04:  # not a plain function, or it takes *args
            return
        defaults = len(getattr(function, "__defaults__", None) or ())
        required = code.co_argcount - defaults
        keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        needed = [
            word for word in keyword_only if word not in (getattr(function, "__kwdefaults__", None) or {})
        ]
        if not required <= given <= code.co_argcount or needed:
            takes = ", ".join((*code.co_varnames[: code.co_argcount], *needed)) or "nothing"
            self._fault(
                "KDL-DECL-031",
                f"the pipe {name!r} has {given} inputs, its function takes {takes}",
                place,
                why="each input, after the context if there is one, is one positional parameter",
            )

    def _handles(self, name: str, inputs: tuple[object, ...], place: Place) -> tuple[Entity, ...]:
        handles = []
        for given in inputs:
            if isinstance(given, Entity):
                handles.append(given)
                continue
            self._fault(
                "KDL-DECL-032",
                f"an input of the pipe {name!r} is {given!r}, not a handle",
                place,
                why=did_you_mean(given, [e.name for e in self._entities]) if isinstance(given, str) else "",
                hint="give what app.source, app.sql or the decorated pipe returned",
            )
        return tuple(handles)

    def _settle(self, name: str, options: Mapping[str, object], place: Place) -> dict[str, object]:
        """Check keyword arguments and fill in the defaults; a wrong one is a fault and its default used."""
        settled = dict(_DEFAULTS, storage=self.storage)
        for key, value in options.items():
            if key not in _DEFAULTS:
                self._fault(
                    "KDL-DECL-034",
                    f"the pipe {name!r} has an unknown option {key!r}",
                    place,
                    why=did_you_mean(key, _DEFAULTS),
                )
            elif key in _TYPES and not isinstance(value, _TYPES[key]):
                expected = " or ".join(kind.__name__ for kind in _TYPES[key])
                self._fault(
                    "KDL-DECL-035",
                    f"the option {key!r} of the pipe {name!r} is {value!r}",
                    place,
                    why=f"expected {expected}",
                )
            elif not (key == "storage" and value is None):
                settled[key] = value
        self._check_words(name, settled, place)
        return settled

    def _check_words(self, name: str, settled: dict[str, object], place: Place) -> None:
        for key, known in (("on_fail", ON_FAIL), ("drift", DRIFT)):
            if settled[key] not in known:
                self._fault(
                    "KDL-DECL-036",
                    f"{key}={settled[key]!r} of the pipe {name!r} is unknown",
                    place,
                    why=did_you_mean(str(settled[key]), known),
                )
                settled[key] = _DEFAULTS[key]
        for key in ("tags", "partition_by"):
            if isinstance(settled[key], str):
                self._fault(
                    "KDL-DECL-037",
                    f"{key} of the pipe {name!r} is the text {settled[key]!r}",
                    place,
                    hint=f"write {key}=[{settled[key]!r}]",
                )
                settled[key] = ()

    def _rules(self, name: str, settled: Mapping[str, object], place: Place) -> dict[str, Rule]:
        rules = {}
        expect: Mapping[str, object] = settled["expect"]  # type: ignore[assignment]  # checked here
        for label, given in expect.items() if hasattr(expect, "items") else ():
            made = Rule(given) if isinstance(given, str) else given
            if not isinstance(made, Rule) or (made.on_fail and made.on_fail not in ON_FAIL):
                self._fault(
                    "KDL-DECL-038",
                    f"the expectation {label!r} of the pipe {name!r} is {given!r}",
                    place,
                    why=f"expected a condition, or k.rule(condition, on_fail=...) with {', '.join(ON_FAIL)}",
                )
                continue
            rules[label] = made if made.on_fail else Rule(made.condition, str(settled["on_fail"]))
        return rules

    def _fault(self, code: str, what: str, place: Place, *, why: str = "", hint: str = "") -> None:
        self.faults.append(DeclarationError(code, what, why=why, where=str(place), hint=hint))


def _two_producers(name: str, first: Entity, second: Entity) -> DeclarationError:
    return DeclarationError(
        "KDL-DECL-004",
        f"{name!r} is declared twice",
        why=f"first at {first.place}",
        where=str(second.place),
        hint="rename one of them",
    )


def _foreign_input(name: str, entity: Entity, handle: Entity, app: App) -> DeclarationError:
    return DeclarationError(
        "KDL-DECL-005",
        f"{name!r} reads {handle.name!r}, which belongs to the app {handle.app.name!r}",
        where=str(entity.place),
        hint=f"include that app, or use app.ref({handle.app.name!r}, {handle.name!r})"
        if handle.app is not app
        else "declare it again after its cell was replaced",
    )
