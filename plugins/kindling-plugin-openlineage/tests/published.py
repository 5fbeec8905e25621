"""What OpenLineage publishes of its events, as JSON Schema: built from the classes of `openlineage-python`.

Those classes are generated from the published schemas, which no package carries as such. Stricter than
they are: a property that no class names is refused.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from urllib.parse import urlsplit

import attr
import jsonschema
from openlineage.client import generated
from openlineage.client.generated import base

Json = dict[str, object]
ATOMS: dict[object, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    typing.Any: {},
}
FORMATS = {"runId": "uuid", "eventTime": "date-time", "producer": "uri", "schemaURL": "uri"}
NOMINAL = {"nominalStartTime": "date-time", "nominalEndTime": "date-time"}


def schema_of(kind: object) -> Json:
    """Return the schema of a type hint."""
    if kind in ATOMS:
        return ATOMS[kind]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(part) for part in parts if part is not type(None)]}
    if origin is list:
        return {"type": "array", "items": schema_of(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(parts[1])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [item.value for item in kind]}
    assert isinstance(kind, type), kind
    return _object(kind)


@cache
def _object(kind: type) -> Json:
    hints = typing.get_type_hints(kind)
    properties: Json = {}
    required = []
    for field in attr.fields(kind):
        known = dict(schema_of(hints[field.name])) if not _recurs(kind, field.name) else {}
        if field.name in {**FORMATS, **NOMINAL}:
            known["format"] = {**FORMATS, **NOMINAL}[field.name]
        properties[field.name] = known
        if field.default is attr.NOTHING or field.name in (
            "_producer",
            "_schemaURL",
            "producer",
            "schemaURL",
        ):
            required.append(field.name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _recurs(kind: type, name: str) -> bool:
    return name in ("fields", "children") and "Fields" in kind.__name__


def _modules() -> Iterator[types.ModuleType]:
    for found in pkgutil.iter_modules(generated.__path__):
        yield importlib.import_module(f"{generated.__name__}.{found.name}")


@cache
def facets() -> Mapping[str, type]:
    """Return the class of each facet by the address of its schema."""
    return {
        kind._get_schema(): kind
        for module in _modules()
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, base.BaseFacet) and kind.__module__ == module.__name__
    }


def faults(event: Mapping[str, object]) -> list[str]:
    """Return what is wrong with an event, its facets included."""
    return [*_faults(event, _event_schema()), *_facet_faults(event)]


def _event_schema() -> Json:
    """Return the schema of a run event, in which facets are any objects: each has a schema of its own."""
    made = _object(base.RunEvent)
    return _opened(made)


def _opened(schema: Json) -> Json:
    def visit(value: object, name: str = "") -> object:
        if name in ("facets", "inputFacets", "outputFacets"):
            return {"type": "object"}
        if isinstance(value, dict):
            return {key: visit(item, key) for key, item in value.items()}
        return [visit(item) for item in value] if isinstance(value, list) else value

    found = visit(schema)
    assert isinstance(found, dict)
    return found


def _faults(value: object, schema: Json) -> list[str]:
    formats = jsonschema.FormatChecker(["uuid"])
    formats.checks("date-time", ValueError)(_is_moment)
    formats.checks("uri", ValueError)(lambda text: bool(urlsplit(str(text)).scheme))
    checker = jsonschema.Draft202012Validator(schema, format_checker=formats)
    return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]


def _is_moment(text: object) -> bool:
    return datetime.fromisoformat(str(text)).tzinfo is not None


def _facet_faults(event: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for place, name, facet in facets_of(event):
        kind = facets().get(str(facet.get("_schemaURL")))
        if kind is None:
            found.append(f"{place}.{name}: {facet.get('_schemaURL')} is not published")
        elif not issubclass(kind, KINDS[place]):
            found.append(f"{place}.{name}: it is no {KINDS[place].__name__}")
        else:
            found += [f"{place}.{name} {fault}" for fault in _faults(facet, _opened(_object(kind)))]
    return found


KINDS: dict[str, type] = {
    "run": base.RunFacet,
    "job": base.JobFacet,
    "dataset": base.DatasetFacet,
    "input": base.InputDatasetFacet,
    "output": base.OutputDatasetFacet,
}


def facets_of(event: Mapping[str, object]) -> Iterator[tuple[str, str, Json]]:
    """Yield (place, name, facet) of an event."""
    holders: list[tuple[str, object]] = [
        ("run", _facets(event["run"])),
        ("job", _facets(event["job"])),
    ]
    for side in ("inputs", "outputs"):
        listed = event.get(side)
        assert isinstance(listed, Sequence)
        for one in listed:
            holders.append(("dataset", _facets(one)))
            holders.append((side.removesuffix("s"), _facets(one, f"{side.removesuffix('s')}Facets")))
    for place, facets_by_name in holders:
        assert isinstance(facets_by_name, dict)
        for name, facet in facets_by_name.items():
            yield place, name, facet


def _facets(holder: object, key: str = "facets") -> object:
    assert isinstance(holder, dict)
    return holder.get(key, {})
