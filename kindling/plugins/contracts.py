"""The contracts that this kernel supports: API version and closed lists per kind. Not the contracts.

The versions are repeated here so that planning can compare them without importing `kindling.hooks`
(pluggy, dataclasses); a test holds both equal.
"""

from __future__ import annotations

APIS = {
    "platform": "1.1",
    "storage": "1.0",
    "secrets": "1.0",
    "executor": "1.0",
    "state": "1.0",
    "command": "1.1",
    "sink": "1.0",
    "masking": "1.0",
    "lineage": "1.0",
}
"""API version by kind. A kind of `kindling.names.KINDS` that is missing here has no contract yet."""

USES = {
    "read": "reads",
    "overwrite": "writes",
    "append": "writes",
    "merge": "merges",
    "scd2": "historises",
    "replace": "replaces",
    "changes": "changes",
    "erase": "erases",
    "maintain": "maintains",
}
"""What a storage is used for, and the storage feature that each use takes."""

MODES = ("native", "emulated")
PROBES = ("local", "remote", "none")
GROUPS = ("plugins",)
"""Groups of the kernel's own commands to which plugins may add subcommands."""

PERMISSIONS = ("files", "network", "process")
ENGINES = ("pyspark", "pysail", "delta", "deltalake", "duckdb", "sqlframe", "pandas", "pyarrow")
"""Import names too heavy for the top of a plugin module."""


def features(kind: str) -> tuple[str, ...]:
    """Return a kind's closed list of features. Imports the kind's contract: cold paths only."""
    from importlib import import_module

    known: tuple[str, ...] = import_module(f"kindling.hooks.{kind}").FEATURES
    return known


def is_feature(kind: str, feature: str) -> bool:
    """Tell whether a feature is in a kind's closed list, or `x-<vendor>-<name>`."""
    if feature.startswith("x-"):
        return len([part for part in feature.split("-") if part]) > 2  # noqa: PLR2004  # x, vendor, name
    if kind == "platform" and feature.startswith("catalog:"):
        return len(feature) > len("catalog:")
    return feature in features(kind)


def version_of(api: str) -> tuple[int, int] | None:
    """Return (major, minor) of a text like `1.0`, or None."""
    major, dot, minor = api.partition(".")
    return (int(major), int(minor)) if dot and major.isdecimal() and minor.isdecimal() else None


def api_fault(kind: str, api: str) -> str:
    """Return why a plugin made for a contract version cannot be used with this kernel, or "".

    The kernel supports its own major version up to its own minor, and the major version before.
    """
    if kind not in APIS:
        return f"this kernel has no contract for the kind {kind!r} yet"
    made_for, own = version_of(api), version_of(APIS[kind])
    if made_for is None or own is None:
        return f"{api!r} is not a version like '1.0'"
    if made_for[0] == own[0] - 1 or (made_for[0] == own[0] and made_for[1] <= own[1]):
        return ""
    oldest = f"{max(own[0] - 1, 1)}.0"
    return f"it is made for the {kind} API {api}, this kernel supports {oldest} to {APIS[kind]}"
