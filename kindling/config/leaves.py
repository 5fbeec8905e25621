"""One layer of settings as leaves: path, value, origin. It neither merges nor checks types.

Three tables are read with leniency, so that what people write arrives as they meant it:
`[spark]` is flattened to dotted keys (quoted or nested), `[entities.bronze.flights]` is the same as
`[entities."bronze.flights"]`, and `platform = "sail"` is short for `platform.default`.
"""

from __future__ import annotations

from kindling.config.schema import CHOSEN_KINDS, Schema, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kindling.config.schema import Path
    from kindling.values import Plain


class Leaf:
    """One value of one layer; opaque to dynaconf, which only decides which leaf wins.

    Attributes:
        path: Canonical path, for example `("entities", "bronze.flights", "path")`.
        value: The value; an empty dict for a table without keys.
        origin: Where it was written, for people.
        table_origins: Where each table above it was written, outermost first; () where that is no help.
        literal: The value is text from outside TOML and takes its setting's type.
        hidden: The value comes from the secrets file: it is never shown or stored.
    """

    __slots__ = ("hidden", "literal", "origin", "path", "table_origins", "value")

    def __init__(
        self, path: Path, value: Plain, origin: str, *, literal: bool = False, hidden: bool = False
    ) -> None:
        self.path = path
        self.value = value
        self.origin = origin
        self.literal = literal
        self.hidden = hidden
        self.table_origins: tuple[str, ...] = ()


def leaves_of(
    tree: Mapping[str, object], schema: Schema, origin: Callable[[Path], str], **marks: bool
) -> list[Leaf]:
    """Return a layer's leaves.

    Args:
        tree: Nested tables, as `tomllib` returns them.
        schema: Tells where tables end and values begin.
        origin: Returns the origin of a path as it is written in `tree`.
        marks: `literal` and `hidden` of all leaves.
    """
    leaves = []
    for path, raw, value in _walk(tree, schema):
        leaf = Leaf(path, value, origin(raw), **marks)
        if path == raw:
            leaf.table_origins = tuple(origin(raw[:depth]) for depth in range(1, len(raw)))
        leaves.append(leaf)
    return leaves


def _walk(tree: Mapping[str, object], schema: Schema) -> Iterator[tuple[Path, Path, Plain]]:
    """Yield (canonical path, path as written, value)."""
    for name, value in tree.items():
        if name in CHOSEN_KINDS and not isinstance(value, dict):
            yield (name, "default"), (name,), _plain(value)
        elif name == "spark" and isinstance(value, dict):
            for raw, scalar in _scalars(value, ("spark",)):
                yield ("spark", spark_key(raw[1:])), raw, _plain(scalar)
        elif name == "entities" and isinstance(value, dict):
            yield from _entities(value, ("entities",))
        else:
            yield from _nested((name,), value, schema)


def _nested(path: Path, value: object, schema: Schema) -> Iterator[tuple[Path, Path, Plain]]:
    found = schema.find(path)
    stops = isinstance(found, Setting) and not found.name.endswith("**") and found.type in ("table", "any")
    if not isinstance(value, dict) or not value or stops:
        yield path, path, _plain(value)
        return
    for name, inner in value.items():
        yield from _nested((*path, name), inner, schema)


def _entities(table: Mapping[str, object], raw: Path) -> Iterator[tuple[Path, Path, Plain]]:
    """Yield the fields of entities: tables are parts of a name, everything else is a field."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _entities(value, (*raw, name))
        else:
            yield ("entities", ".".join(raw[1:]), name), (*raw, name), _plain(value)


def _scalars(table: Mapping[str, object], raw: Path) -> Iterator[tuple[Path, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _scalars(value, (*raw, name))
        else:
            yield (*raw, name), value


def spark_key(parts: Path) -> str:
    """Return the engine's key; `sql.x` is completed to `spark.sql.x`.

    So that `--set spark.sql.shuffle.partitions=8` means what it says; no engine has keys that begin
    with `sql.`.
    """
    key = ".".join(parts)
    return f"spark.{key}" if key.startswith("sql.") else key


def text_of(value: Plain) -> str:
    """Return a scalar as an engine wants it: `true`, `2`, `0.5`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: object) -> Plain:
    """Return a TOML value as JSON types; dates and times become ISO 8601 text."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat is not None else str(value)


def split_key(key: str) -> Path:
    """Return a dotted key's parts; quotes are dropped.

    The name of an entity and an engine's key need no quotes: their tables are read with leniency.
    """
    return tuple(key.replace('"', "").split("."))


def nested(path: Path, value: object) -> dict[str, object]:
    """Return one value inside of the tables of its path."""
    for part in reversed(path[1:]):
        value = {part: value}
    return {path[0]: value}
