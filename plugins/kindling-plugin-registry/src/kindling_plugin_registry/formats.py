"""Read, check and write the registry's documents: JSON and TOML files with closed schemas.

Decoding into `records` is the quick check; when it refuses, the JSON schema lists every fault of the
document with its path. Writing is canonical: UTF-8, keys sorted, LF, a line break at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol, TypeVar, cast

import msgspec

from kindling.errors import KindlingError, PluginError, raise_together
from kindling.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from jsonschema.protocols import Validator

T = TypeVar("T")
SUFFIX = ".schema.json"
SCHEMA_NAMES = (
    "advisories",
    "advisory",
    "capabilities",
    "conformance",
    "files",
    "index",
    "names",
    "parts",
    "plugin-page",
    "plugin-record",
    "policy",
    "registry",
    "release",
    "revoked",
)
_SHOWN = 80  # characters of a found value in an error


class _Fault(Protocol):
    """The parts of jsonschema's error that are told."""

    validator: str
    validator_value: object
    instance: object
    json_path: str
    context: list[_Fault]


def schema_text(name: str) -> str:
    """Return the text of a JSON schema, for example of `release`."""
    return (files("kindling_plugin_registry") / "schemas" / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def read_text(path: Path) -> str:
    """Return a file's text.

    Raises:
        PluginError: KDL-REG-001, the file is missing or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _unreadable(path, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as cause:
        raise _unreadable(path, str(cause)) from cause


def read_plain(path: Path) -> dict[str, object]:
    """Return the object in a JSON or TOML file, unchecked.

    Raises:
        PluginError: KDL-REG-001, the file cannot be read as such.
    """
    text = read_text(path)
    try:
        plain = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except ValueError as cause:
        raise _unreadable(path, str(cause)) from cause
    if not isinstance(plain, dict):
        raise _unreadable(path, f"it holds a {type(plain).__name__}, not an object")
    return plain


def read_document(path: Path, schema: str, made: type[T]) -> T:
    """Return the document in a JSON or TOML file as a value of `records`.

    Args:
        path: The file.
        schema: Name of its schema, for example `release`.
        made: The class, for example `Release`.

    Raises:
        PluginError: KDL-REG-001, the file cannot be read; KDL-REG-002, it breaks its schema. Several
            faults are raised together as `Faults`.
    """
    if path.suffix == ".json":
        try:
            return msgspec.json.decode(path.read_bytes(), type=made)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            pass  # read again below, to say all that is wrong
    return convert(read_plain(path), schema, made, str(path))


def convert(plain: Mapping[str, object], schema: str, made: type[T], where: str) -> T:
    """Return a JSON object as a value of `records`; errors as in `read_document`."""
    try:
        return msgspec.convert(plain, type=made)
    except msgspec.ValidationError as cause:
        raise_together(check_plain(plain, schema, where) or [_fault(where, "$", str(cause), "")])
        raise AssertionError(cause) from cause  # raise_together raised


class Schemas:
    """The JSON schemas, each made ready at its first use. Imports jsonschema."""

    def __init__(self) -> None:
        from referencing import Registry, Resource

        self._texts = {name: json.loads(schema_text(name)) for name in SCHEMA_NAMES}
        resources = [(text["$id"], Resource.from_contents(text)) for text in self._texts.values()]
        self._known = Registry().with_resources(resources)
        self._validators: dict[str, Validator] = {}

    def check(self, plain: object, schema: str, where: str) -> list[KindlingError]:
        """Return all faults of a document, KDL-REG-002, sorted by path; `where` is its file."""
        if schema not in self._validators:
            from jsonschema import Draft202012Validator

            self._validators[schema] = Draft202012Validator(self._texts[schema], registry=self._known)
        errors = self._validators[schema].iter_errors(cast("dict[str, Any]", plain))
        told = [item for fault in cast("Iterable[_Fault]", errors) for item in _told(fault)]
        return [_fault(where, path, why, hint) for path, why, hint in sorted(set(told))]


def check_plain(plain: object, schema: str, where: str) -> list[KindlingError]:
    """Return all faults of one document; to check many, keep one `Schemas`."""
    return Schemas().check(plain, schema, where)


def source_bytes(document: object) -> bytes:
    """Return a value of `records`, or JSON types, as a file for people and git: indented by two."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"


def index_bytes(document: object) -> bytes:
    """Return a value of `records`, or JSON types, as a file for machines: without spaces."""
    return msgspec.json.encode(document, order="sorted") + b"\n"


def sha256_of(content: bytes) -> str:
    """Return the SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees the old content or the new one, even after a kill."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.write_bytes(content)
    temporary.replace(path)


def _told(fault: _Fault) -> Iterable[tuple[str, str, str]]:
    """Yield path, what was found and expected, and a hint; one element for each unknown or missing key."""
    value, at, instance = fault.validator_value, fault.json_path, fault.instance
    if fault.validator == "additionalProperties" and isinstance(instance, dict):
        known = _known(fault)
        for key in sorted(set(instance) - set(known)):
            yield f"{at}.{key}", f"found the unknown key {key!r}", did_you_mean(key, known)
    elif fault.validator == "required" and isinstance(instance, dict) and isinstance(value, list):
        for key in sorted(set(value) - set(instance)):
            yield f"{at}.{key}", "found nothing, expected this key", ""
    elif fault.context and fault.validator in {"anyOf", "oneOf"}:
        yield at, f"found {_shown(instance)}, expected {_options(fault.context)}", ""
    else:
        yield at, f"found {_shown(instance)}, expected {_expected(fault.validator, value)}", ""


def _known(fault: _Fault) -> list[str]:
    schema = getattr(fault, "schema", {})
    return list(schema.get("properties", {}))


def _options(context: list[_Fault]) -> str:
    return " or ".join(dict.fromkeys(_expected(item.validator, item.validator_value) for item in context))


def _expected(keyword: str, value: object) -> str:
    words = {
        "type": "type {}",
        "const": "{}",
        "enum": "one of {}",
        "pattern": "text of the form {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "minItems": "at least {} elements",
        "maxItems": "at most {} elements",
        "minimum": "at least {}",
        "maximum": "at most {}",
        "uniqueItems": "no element twice",
        "required": "the keys {}",
        "additionalProperties": "no other keys",
    }
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return words.get(keyword, f"{keyword} {{}}").format(shown.replace(r"(?!\n)", ""))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _unreadable(path: Path, why: str) -> PluginError:
    return PluginError("KDL-REG-001", f"the file {path.name!r} cannot be read", why=why, where=str(path))


def _fault(where: str, at: str, why: str, hint: str) -> PluginError:
    return PluginError("KDL-REG-002", f"the document is wrong at {at!r}", why=why, where=where, hint=hint)
