"""The App: one set of declarations. An object, never a global; it plans and runs nothing itself."""

from __future__ import annotations

import re

from kindling.entity import Entity, StorageChoice, calling_place
from kindling.errors import DeclarationError, raise_together
from kindling.names import did_you_mean, entity_parts
from kindling.options import PipeChecks
from kindling.pipe import Pipe
from kindling.sql import check_sql

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
        self.place = calling_place()
        self.faults: list[DeclarationError] = []
        self._entities: list[Entity] = []
        self._replaced: list[Entity] = []
        self._included: list[tuple[App, str]] = []
        self.storage = self._kept(f"the app {name!r}", storage or StorageChoice(), self.place)
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
        self._forget(name, place)
        kept = self._kept(repr(name), storage, place, entity=name)
        entity = Entity(
            self, name, place=place, storage=kept, schema=schema, classify=classify, tags=tuple(tags)
        )
        self._add(entity)
        return entity

    def ref(
        self, app: str, name: str, *, schema: object = None, classify: Mapping[str, str] | None = None
    ) -> Entity:
        """Return a read-only handle of another app's entity, resolved by the setting `[refs]`.

        Args:
            app: The other app's name.
            name: The entity's name there.
            schema: Dataclass, DDL string or StructType.
            classify: Class of columns: what the other app knows of them is not known here.
        """
        place = calling_place()
        logical = f"{app}.{name}" if name.count(".") < 2 else name  # noqa: PLR2004  # three parts are full
        self._forget(logical, place)
        if app == self.name:
            self._fault(
                "KDL-DECL-006",
                f"{app!r} refers to {name!r} as if it were another app's",
                place,
                hint="give the handle that declared it",
                entity=logical,
            )
        entity = Entity(
            self,
            logical,
            place=place,
            storage=self.storage,
            schema=schema,
            classify=classify,
            ref=(app, name),
        )
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
        self._forget(name, place)
        checks = PipeChecks(name, place, self.faults)
        settled = checks.settle({**options, "name": name}, self.storage)
        given = checks.placeholders(inputs)
        made: Pipe[[]] = Pipe(
            self,
            name,
            place=place,
            inputs=self._handles(name, tuple(given.values()), place),
            function=None,
            sql=text,
            placeholders=tuple(given),
            rules=checks.rules(settled),
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
        text, problem = "", ""
        try:
            with open(full, encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            problem = str(error.strerror)
        except UnicodeDecodeError:
            problem = "it is not UTF-8"
        made = self.sql(name, text, inputs=inputs, **options)
        if problem:
            what = f"the SQL file {path!r} of {name!r} cannot be read"
            self._fault("KDL-DECL-046", what, place, why=problem, entity=name)
        return made

    def include(self, other: App, *, prefix: str = "") -> None:
        """Make another app's entities part of this one, their names behind `prefix` and a dot."""
        what = ""
        if any(app is other for app, _ in self._included):
            what = f"{self.name!r} includes {other.name!r} again"
        elif any(app is self for _, app in other._apps()):
            what = f"{self.name!r} includes {other.name!r}, which includes {self.name!r}"
        if what:
            self._fault("KDL-DECL-003", what, calling_place())
        else:
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
        """Return each entity's name in this app by the handle's `id()`.

        Handles that a notebook cell replaced lead to the name as well, so the cells below need not run
        again.
        """
        return {
            id(entity): _joined(prefix, entity.name)
            for prefix, app in self._apps()
            for entity in (*app._replaced, *app._entities)  # noqa: SLF001  # the same class
        }

    def _apps(self, prefix: str = "") -> list[tuple[str, App]]:
        """Return this app and all that it includes, however deep, each behind its whole prefix."""
        found = [(prefix, self)]
        for other, inner in self._included:
            found += other._apps(_joined(prefix, inner))  # noqa: SLF001  # the same class
        return found

    def _named(self) -> list[tuple[str, Entity]]:
        return [
            (_joined(prefix, entity.name), entity)
            for prefix, app in self._apps()
            for entity in app._entities  # noqa: SLF001  # the same class
        ]

    def raise_faults(self, *, sql: bool = False) -> None:
        """Raise everything that is wrong with the declarations together; see `all_faults`."""
        raise_together(self.all_faults(sql=sql))

    def all_faults(self, *, sql: bool = False) -> list[DeclarationError]:
        """Return the faults of this app and of included ones, those of composition included.

        Args:
            sql: Also parse every SQL text (imports sqlglot).
        """
        apps = {id(app): app for _, app in self._apps()}
        faults = [fault for app in apps.values() for fault in app.faults]
        unread = {fault.facts.get("entity") for fault in faults if fault.code == "KDL-DECL-046"}
        faults += self._composition_faults()
        for entity in self.entities().values() if sql else ():
            if isinstance(entity, Pipe) and entity.function is None and entity.name not in unread:
                faults += check_sql(
                    entity.sql, pipe=entity.name, declared=entity.placeholders, where=str(entity.place)
                )
        return faults

    def _composition_faults(self) -> list[DeclarationError]:
        faults = _included_twice(self._apps())
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
            faults += [_foreign_input(name, entity, handle) for handle in foreign]
        return faults

    def _forget(self, name: str, place: Place) -> None:
        """Drop what was wrong with a notebook cell's earlier declaration that now runs again."""
        if place.is_cell and any(old.name == name and old.place.is_cell for old in self._entities):
            self.faults = [fault for fault in self.faults if fault.facts.get("entity") != name]

    def _add(self, entity: Entity) -> None:
        """Register a declaration; a notebook cell that runs again replaces its own earlier one."""
        cells = enumerate(self._entities) if entity.place.is_cell else ()
        for index, old in cells:
            if old.name == entity.name and old.place.is_cell:
                self._replaced.append(old)
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
        if isinstance(function, Pipe):
            why = f"first at {function.place}"
            self._fault("KDL-DECL-033", f"the pipe {function.name!r} is decorated twice", place, why=why)
            return function
        name = str(options.get("name") or getattr(function, "__name__", ""))
        self._forget(name, place)
        checks = PipeChecks(name, place, self.faults)
        settled = checks.settle(options, self.storage)
        checks.parameters(function, len(inputs), context=context)
        made: Pipe[...] = Pipe(
            self,
            name,
            place=place,
            inputs=self._handles(name, inputs, place),
            function=function,
            takes_context=context,
            rules=checks.rules(settled),
            settled=settled,
        )
        self._add(made)
        return made

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
                entity=name,
            )
        return tuple(handles)

    def _kept(self, whose: str, given: object, place: Place, *, entity: str = "") -> StorageChoice:
        if isinstance(given, StorageChoice):
            return given
        self._fault(
            "KDL-DECL-035",
            f"the storage of {whose} is {given!r}",
            place,
            why="expected what k.csv, k.delta, k.memory or k.storage return",
            hint="for example storage=k.delta()",
            entity=entity,
        )
        return StorageChoice()

    def _fault(
        self, code: str, what: str, place: Place, *, why: str = "", hint: str = "", entity: str = ""
    ) -> None:
        facts = {"entity": entity} if entity else {}
        self.faults.append(DeclarationError(code, what, why=why, where=str(place), hint=hint, **facts))


def _joined(prefix: str, name: str) -> str:
    return ".".join(part for part in (prefix, name) if part)


def _included_twice(apps: list[tuple[str, App]]) -> list[DeclarationError]:
    """Refuse an app that is reached on two ways with two prefixes: its pipes would have two names."""
    first: dict[int, str] = {}
    return [
        DeclarationError(
            "KDL-DECL-003",
            f"the app {app.name!r} is included twice, with the prefixes {known!r} and {prefix!r}",
            where=str(app.place),
            hint="include it once, or with one prefix",
        )
        for prefix, app in apps
        if (known := first.setdefault(id(app), prefix)) != prefix
    ]


def _two_producers(name: str, first: Entity, second: Entity) -> DeclarationError:
    return DeclarationError(
        "KDL-DECL-004",
        f"{name!r} is declared twice",
        why=f"first at {first.place}",
        where=str(second.place),
        hint="rename one of them",
    )


def _foreign_input(name: str, entity: Entity, handle: Entity) -> DeclarationError:
    return DeclarationError(
        "KDL-DECL-005",
        f"{name!r} reads {handle.name!r}, which belongs to the app {handle.app.name!r}",
        where=str(entity.place),
        hint=f"include that app, or use app.ref({handle.app.name!r}, {handle.name!r})",
    )
