"""A plugin that a stranger wrote, installed for a process: a folder for PYTHONPATH."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def install(folder: Path, name: str, capabilities: Mapping[str, Mapping[str, object]], module: str) -> Path:
    """Write `kindling-plugin-<name>` with its metadata into `folder/site`; return that folder.

    Args:
        folder: An existing folder.
        name: The plugin's name.
        capabilities: As in `kindling.json`.
        module: Text of `plugin.py`, which offers all of them.
    """
    package, distribution = f"kindling_plugin_{name}", f"kindling-plugin-{name}"
    site = folder / "site"
    info = site / f"{package}-1.0.dist-info"
    (site / package).mkdir(parents=True)
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    groups: dict[str, list[str]] = {"manifest": [f"{distribution} = {package}"]}
    for capability in capabilities:
        kind, _, offer = capability.partition(":")
        groups.setdefault(kind, []).append(f"{offer} = {package}.plugin")
    listed = ["\n".join((f"[kindling.{kind}]", *entries, "")) for kind, entries in groups.items()]
    (info / "entry_points.txt").write_text("".join(listed))
    manifest = {
        "schema": "kindling.manifest/1",
        "distribution": distribution,
        "capabilities": capabilities,
        "permissions": [],
        "conflicts": [],
    }
    (site / package / "__init__.py").write_text("")
    (site / package / "kindling.json").write_text(json.dumps(manifest))
    (site / package / "plugin.py").write_text(module)
    return site
