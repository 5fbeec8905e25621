"""Write what the kernel looks at before each run: revocations and advisories of the registries, small.

The kernel reads it in well under a millisecond (`kindling.plugins.warnings`) and knows no registry.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.advisories import Affected
    from kindling_plugin_registry.client.market import Market

SCHEMA = "kindling.plugin-warnings/1"
NAME = "plugin-warnings.json"


def write_warnings(market: Market) -> None:
    """Write the file of the project, if it says something else than before.

    Effects: `.kindling/plugin-warnings.json`; a folder that cannot be written is left alone.
    """
    from kindling_plugin_registry.client.kernel import project_state_dir

    sources = [copy.digest_of(name) for copy in market.copies for name in ("policy.json", "advisories.json")]
    path = os.path.join(project_state_dir(market.client.project), NAME)
    if _sources(path) == sources:
        return
    rows: list[dict[str, object]] = [
        {
            "name": item.name,
            "kind": "revoked",
            "id": "",
            "specifiers": [item.versions],
            "versions": [],
            "why": item.reason,
        }
        for item in market.revoked()
    ]
    for advisory in market.advisories():
        if advisory.withdrawn is not None:
            continue
        rows += [
            {
                "name": affected.package.name,
                "kind": "vulnerable",
                "id": advisory.id,
                "specifiers": list(_specifiers(affected)),
                "versions": list(affected.versions),
                "why": advisory.summary,
            }
            for affected in advisory.affected
        ]
    try:
        own = f"{path}.{os.getpid()}.new"
        with open(own, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, "sources": sources, "warnings": rows}, file, sort_keys=True)
        os.replace(own, path)
    except OSError:
        return  # a read-only project is warned by `kindling plugins audit`


def _specifiers(affected: Affected) -> Iterator[str]:
    """Yield a PEP 440 specifier for each affected stretch of versions."""
    for item in affected.ranges:
        start, is_open = "", False
        for event in item.events:
            if event.introduced is not None:
                start = "" if event.introduced == "0" else f">={event.introduced}"
                is_open = True
            else:
                end = f"<{event.fixed}" if event.fixed is not None else f"<={event.last_affected}"
                yield ",".join(filter(None, (start, end)))
                is_open = False
        if is_open:
            yield start or "*"


def _sources(path: str) -> object:
    """Return the hashes of the documents that the file was made of."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)["sources"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
