"""The Entity declaration: a named dataset, its schema, storage and classes. Not where it lives."""

from __future__ import annotations

import os
import sys

from kindling.errors import DeclarationError
from kindling.schemas import parse_schema
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from kindling.app import App
    from kindling.schemas import Schema

    Option = str | int | float | bool | None


class Place(Value):
    """Where something was declared: a file's path (or a notebook cell) and a line."""

    file: str
    line: int

    def __str__(self) -> str:
        """Return `file:line`, relative to the working folder where that is shorter."""
        relative = os.path.relpath(self.file) if os.path.isabs(self.file) else self.file
        shown = self.file if relative.startswith("..") else relative
        return f"{shown}:{self.line}"

    @property
    def is_cell(self) -> bool:
        """Whether it is a notebook cell or a prompt rather than a file of a package."""
        return self.file.startswith("<") or "ipykernel" in self.file


def calling_place() -> Place:
    """Return the innermost place on the stack that is not part of the kernel."""
    here = os.path.dirname(__file__)
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # inspect costs 17 ms to import
    while frame is not None and frame.f_back is not None:
        if os.path.dirname(frame.f_code.co_filename) != here:
            break
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno) if frame else Place("<unknown>", 0)


class StorageChoice(Value):
    """Which storage keeps an entity, with the declaration's own options: data only.

    Attributes:
        name: Capability name; "" for the environment's default, `memory` for none at all.
        options: Sorted `(name, value)` pairs.
    """

    name: str = ""
    options: tuple[tuple[str, Option], ...] = ()

    def option(self, name: str) -> Option:
        """Return one option's value, or None."""
        return next((value for key, value in self.options if key == name), None)


def storage(name: str, **options: Option) -> StorageChoice:
    """Choose any installed storage by its capability name; its options are checked at plan time."""
    return StorageChoice(name, tuple(sorted(options.items())))


def delta(**options: Option) -> StorageChoice:
    """Choose Delta Lake tables; `location=` names another than the default location."""
    return storage("delta", **options)


def parquet(path: str = "", **options: Option) -> StorageChoice:
    """Choose Parquet files, at a path of their own or at the default location."""
    return storage("parquet", **({"path": path} if path else {}), **options)


def json(path: str = "", **options: Option) -> StorageChoice:
    """Choose files of JSON lines, at a path of their own or at the default location."""
    return storage("json", **({"path": path} if path else {}), **options)


def csv(path: str = "", **options: Option) -> StorageChoice:
    """Choose CSV files.

    Args:
        path: A file, folder or glob, relative to the project, or a URL; "" for the default location.
        **options: `null_value`, `header`, `delimiter`, `encoding`, `on_bad_row` (`fail`, `skip`,
            `quarantine`).
    """
    return storage("csv", **({"path": path} if path else {}), **options)


def memory() -> StorageChoice:
    """Keep the entity nowhere: it is computed again, or once per run where several pipes read it."""
    return StorageChoice("memory")


class Entity:
    """A handle of a named dataset: give it to pipes as an input.

    Attributes:
        app: The app that declares it.
        name: Logical name, one to three parts.
        place: Where it was declared.
        schema: Declared schema, or None.
        storage: Where it is kept.
        classes: Class of each classified column, for example `{"email": "pii.email"}`.
        tags: For selection.
        ref: (app name, entity name) in another app for `App.ref`, else None.
    """

    __slots__ = ("__weakref__", "app", "classes", "name", "place", "ref", "schema", "storage", "tags")

    def __init__(
        self,
        app: App,
        name: str,
        *,
        place: Place,
        storage: StorageChoice,
        schema: object = None,
        classify: Mapping[str, str] | None = None,
        tags: tuple[str, ...] = (),
        ref: tuple[str, str] | None = None,
    ) -> None:
        self.app = app
        self.name = name
        self.place = place
        self.storage = storage
        self.schema: Schema | None = None
        self.classes = dict(classify or {})
        self.tags = tags
        self.ref = ref
        if schema is not None:
            self._take_schema(schema)

    def _take_schema(self, declared: object) -> None:
        try:
            self.schema = parse_schema(declared)
        except DeclarationError as error:
            error.where = error.where or str(self.place)
            error.facts["entity"] = self.name
            self.app.faults.append(error)
            return
        unknown = [column for column in self.classes if self.schema.field(column) is None]
        if unknown:
            self.app.faults.append(
                DeclarationError(
                    "KDL-DECL-012",
                    f"{self.name!r} classifies columns that its schema lacks: {', '.join(unknown)}",
                    why=f"columns: {', '.join(self.schema.names)}",
                    where=str(self.place),
                    entity=self.name,
                )
            )

    @property
    def is_memory(self) -> bool:
        """Whether it is kept nowhere."""
        return self.storage.name == "memory"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} of {self.app.name!r}>"
