"""The JSON schema of `kindling.json` for editors, made from the rules by which the kernel reads it."""

from __future__ import annotations

import json

from kindling_plugin_registry.client.kernel import (
    APIS,
    CAPABILITY_KEYS,
    CONFIG_KEYS,
    GROUPS,
    MANIFEST_KEYS,
    MANIFEST_SCHEMA,
    MODES,
    PERMISSIONS,
    PROBES,
    USES,
    features,
)

_TEXT: dict[str, object] = {"type": "string"}
_VENDOR = {"type": "string", "pattern": "^x-[^-]+-.+$"}
_KEYS: dict[str, dict[str, object]] = {
    "$schema": {"type": "string", "description": "Where this schema stands, for editors."},
    "schema": {"const": MANIFEST_SCHEMA},
    "distribution": {"type": "string", "description": "Name of the distribution, as pyproject.toml has it."},
    "summary": {"type": "string", "description": "One sentence."},
    "capabilities": {"type": "object", "description": "What it offers, by kind:name."},
    "permissions": {
        "type": "array",
        "items": {"enum": list(PERMISSIONS)},
        "description": "What it uses of the world outside of its process.",
    },
    "conflicts": {
        "type": "array",
        "items": _TEXT,
        "description": "Distributions not to stand beside.",
    },
}
_CAPABILITY: dict[str, dict[str, object]] = {
    "api": {
        "type": "string",
        "pattern": r"^[0-9]+\.[0-9]+$",
        "description": "Version of the kind's contract it was made for.",
    },
    "features": {"type": "array"},
    "probe": {"enum": list(PROBES), "description": "How versions are asked for without an engine."},
    "probe_module": {"type": "string", "description": "Light module with `version` and `cursor`."},
    "needs": {"type": "object"},
    "config": {"type": "object"},
    "help": {"type": "string", "description": "One sentence for lists."},
    "subcommands": {"type": "object"},
}
_SETTING: dict[str, dict[str, object]] = {
    "type": {"type": "string", "description": "string, integer, number, boolean, ..."},
    "default": {},
    "doc": {"type": "string", "description": "What it does."},
    "choices": {"type": "array"},
    "least": {"type": "number"},
    "required": {"type": "boolean"},
}
_OF_STORAGES = ("probe", "probe_module", "needs")


def manifest_schema() -> dict[str, object]:
    """Return the schema (draft 2020-12); features, uses, modes and permissions are the kernel's own lists."""
    top = {key: _KEYS[key] for key in MANIFEST_KEYS}
    kinds = {f"^{kind}:[a-z0-9][a-z0-9_-]*$": _capability(kind) for kind in APIS}
    top["capabilities"] = {**top["capabilities"], "patternProperties": kinds, "additionalProperties": False}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:kindling:schema:manifest",
        "title": "kindling.json: what a Kindling plugin says about itself",
        **_closed(top, ("schema", "distribution", "capabilities")),
    }


def schema_text() -> str:
    """Return the published file."""
    return json.dumps(manifest_schema(), indent=2) + "\n"


def _capability(kind: str) -> dict[str, object]:
    keys = {key: _CAPABILITY[key] for key in CAPABILITY_KEYS}
    keys["features"] = {**keys["features"], "items": _feature(kind)}
    keys["config"] = {"type": "object", "additionalProperties": _setting()}
    if kind == "storage":
        keys["needs"] = _needs()
    else:
        keys = {key: value for key, value in keys.items() if key not in _OF_STORAGES}
    if kind == "command":
        names: dict[str, object] = {"type": "object", "additionalProperties": _TEXT}
        keys["subcommands"] = _closed(dict.fromkeys(GROUPS, names), ())
    else:
        del keys["subcommands"]
    required = ("api", "probe") if kind == "storage" else ("api",)
    return _closed(keys, required)


def _setting() -> dict[str, object]:
    return _closed({key: _SETTING[key] for key in CONFIG_KEYS}, ("type",))


def _needs() -> dict[str, object]:
    session: dict[str, object] = {"type": "array", "items": _feature("platform")}
    alternative = _closed({"session": session, "mode": {"enum": list(MODES)}}, ("mode",))
    return _closed({use: {"type": "array", "minItems": 1, "items": alternative} for use in USES}, ())


def _feature(kind: str) -> dict[str, object]:
    others: list[object] = [_VENDOR]
    if kind == "platform":
        others.append({"type": "string", "pattern": "^catalog:.+$"})
    return {"anyOf": [{"enum": list(features(kind))}, *others]}


def _closed(properties: dict[str, dict[str, object]], required: tuple[str, ...]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
