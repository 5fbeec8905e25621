"""Kindling: declare data pipelines, plan them, run them anywhere; every outside thing is a plugin.

import kindling as k

Names are resolved when they are first used (PEP 562), so importing the package costs nothing.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.addresses import Address, Slice, TaskKey
    from kindling.app import App
    from kindling.context import Context
    from kindling.entity import Entity, StorageChoice, csv, delta, json, memory, parquet, storage
    from kindling.errors import Faults, KindlingError
    from kindling.frames import Column, DataFrame, F, Window, dedupe, types
    from kindling.intents import (
        Incremental,
        Intent,
        append,
        by_time,
        changes,
        merge,
        overwrite,
        replace,
        scd2,
    )
    from kindling.pipe import Pipe, Rule, rule
    from kindling.schemas import Field, Schema

_HOMES = {
    "addresses": ("Address", "Slice", "TaskKey"),
    "app": ("App",),
    "context": ("Context",),
    "entity": ("Entity", "StorageChoice", "csv", "delta", "json", "memory", "parquet", "storage"),
    "errors": ("Faults", "KindlingError"),
    "frames": ("Column", "DataFrame", "F", "Window", "dedupe", "types"),
    "intents": (
        "Incremental",
        "Intent",
        "append",
        "by_time",
        "changes",
        "merge",
        "overwrite",
        "replace",
        "scd2",
    ),
    "pipe": ("Pipe", "Rule", "rule"),
    "schemas": ("Field", "Schema"),
}

__all__ = [
    "Address",
    "App",
    "Column",
    "Context",
    "DataFrame",
    "Entity",
    "F",
    "Faults",
    "Field",
    "Incremental",
    "Intent",
    "KindlingError",
    "Pipe",
    "Rule",
    "Schema",
    "Slice",
    "StorageChoice",
    "TaskKey",
    "Window",
    "append",
    "by_time",
    "changes",
    "csv",
    "dedupe",
    "delta",
    "json",
    "memory",
    "merge",
    "overwrite",
    "parquet",
    "replace",
    "rule",
    "scd2",
    "storage",
    "types",
]


if not TYPE_CHECKING:  # else a checker would take each misspelt name for an object

    def __getattr__(name: str) -> object:
        from importlib import import_module

        for home, names in _HOMES.items():
            if name in names:
                return getattr(import_module(f"kindling.{home}"), name)
        from kindling.names import did_you_mean

        known = [known for names in _HOMES.values() for known in names]
        msg = f"module 'kindling' has no attribute {name!r}; {did_you_mean(name, known)}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
