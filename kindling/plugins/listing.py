"""`kindling plugins list`: text and JSON of what is installed. Imports no plugin, no click, no rich."""

from __future__ import annotations

from kindling.plugins.catalog import read_catalog
from kindling.plugins.policy import Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kindling.plugins.catalog import Catalog
    from kindling.plugins.manifest import Capability

SCHEMA = "kindling.plugins/1"
_STATES = {
    "KDL-PLUG-005": "disabled",
    "KDL-POL-020": "blocked",
    "KDL-POL-021": "blocked",
    "KDL-PLUG-006": "incompatible",
}
_COLUMNS = ("capability", "plugin", "version", "state")


def listing(cache_dir: str, policy: Policy | None = None) -> dict[str, object]:
    """Return what is installed as JSON types.

    Args:
        cache_dir: See `read_catalog`.
        policy: What decides about `state`; by default the environment variables alone.

    Returns:
        `schema`; `capabilities`, each with `id`, `distribution`, `version`, `api`, `features`, `help`,
        `state` (`ready`, `disabled`, `blocked`, `incompatible` or `conflict`) and `why`; `faults` and
        `conflicts`.
    """
    catalog = _catalog(cache_dir, policy)
    return {
        "schema": SCHEMA,
        "capabilities": [_row(catalog, capability) for capability in catalog.installed()],
        "faults": [fault.to_plain() for fault in catalog.faults],
        "conflicts": [
            {"reason": item.reason, "subject": item.subject, "distributions": list(item.distributions)}
            for item in catalog.conflicts
        ],
    }


def list_text(cache_dir: str, policy: Policy | None = None) -> str:
    """Return what is installed as a table for people, then what is broken; ends with a line break.

    Args:
        cache_dir: See `read_catalog`.
        policy: See `listing`.
    """
    catalog = _catalog(cache_dir, policy)
    rows = [_COLUMNS, *(_cells(catalog, capability) for capability in catalog.installed())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    faults = [str(fault) for fault in catalog.faults]
    return "\n".join([*(line.rstrip() for line in lines), *([""] if faults else []), *faults]) + "\n"


def _catalog(cache_dir: str, policy: Policy | None) -> Catalog:
    if policy is None:
        from os import environ

        policy = Policy.of({}, environ)
    return read_catalog(cache_dir, policy)


def _cells(catalog: Catalog, capability: Capability) -> tuple[str, ...]:
    state, why = _state(catalog, capability)
    return (
        capability.id,
        capability.distribution,
        capability.version,
        f"{state}: {why}" if why else state,
    )


def _row(catalog: Catalog, capability: Capability) -> dict[str, object]:
    state, why = _state(catalog, capability)
    return {
        "id": capability.id,
        "distribution": capability.distribution,
        "version": capability.version,
        "api": capability.api,
        "features": list(capability.features),
        "help": capability.help,
        "state": state,
        "why": why,
    }


def _state(catalog: Catalog, capability: Capability) -> tuple[str, str]:
    """Return the state and, unless it is `ready`, why."""
    fault = catalog.unusable(capability)
    return (_STATES.get(fault.code, "conflict"), fault.why or fault.what) if fault else ("ready", "")
