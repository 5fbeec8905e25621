"""A bill of materials, CycloneDX JSON, of the locked or the installed plugins.

Source: CycloneDX 1.6, JSON schema; purl specification, type `pypi`; read 2026-11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from kindling import __version__ as kernel_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kindling_plugin_registry.client.lockfile import Lock


def bill_of_lock(lock: Lock) -> dict[str, object]:
    """Return the bill of a lock: all its packages, with their hashes; plugins with their permissions."""
    components = []
    plugins = lock.table("plugins")
    for item in lock.packages:
        component = _component(item.name, item.version)
        digests = sorted({file.digest for file in item.files})
        component["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in digests]
        facts = plugins.get(item.name, {})
        listed = facts.get("permissions")
        permissions = [str(text) for text in listed] if isinstance(listed, list) else []
        if permissions:
            component["properties"] = [{"name": "kindling:permission", "value": text} for text in permissions]
        components.append(component)
    return _bill(components)


def bill_of_versions(versions: Mapping[str, str]) -> dict[str, object]:
    """Return the bill of installed distributions."""
    return _bill([_component(name, versions[name]) for name in sorted(versions)])


def _component(name: str, version: str) -> dict[str, object]:
    purl = f"pkg:pypi/{name}@{version}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _bill(components: Sequence[dict[str, object]]) -> dict[str, object]:
    """Return the document; its serial number follows from its content, so that it can be compared."""
    text = ",".join(str(item["purl"]) for item in components)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, text)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "kindling-core",
                "name": "kindling-core",
                "version": kernel_version,
            }
        },
        "components": list(components),
    }
