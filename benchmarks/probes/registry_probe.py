"""Make a registry of many plugins and time its operator's work, in this process; or verify it as a client.

registry_probe.py make FOLDER PLUGINS RELEASES    # prints lists of times as JSON, in seconds
registry_probe.py verify FOLDER                   # a first verification, to be timed from outside
registry_probe.py site FOLDER PLUGINS             # prints {"seconds", "bytes"} of a site as JSON
"""

from __future__ import annotations

import json
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kindling_plugin_registry.operator.source import Source

NOW = datetime.now(timezone.utc)
ROUNDS = 3
SHA = "ab" * 32
RECORD = """schema = "kindling.plugin-record/1"
name = "{name}"
summary = "Tables of the synthetic kind {name}."
license = "Apache-2.0"
lifecycle = "stable"
keywords = ["tables", "synthetic"]
[[maintainers]]
name = "Nobody"
[publisher]
kind = "none"
"""


def release(name: str, version: str) -> bytes:
    """Return one release's record."""
    package = name.replace("-", "_")
    provided = {
        "capability": f"storage:{name.rpartition('-')[2]}",
        "api": "1.0",
        "features": ["reads", "writes"],
        "entry_point": f"{package}.plugin",
        "needs": {"read": [{"session": ["arrow-in"], "mode": "emulated"}]},
        "config": {"folder": {"type": "string", "default": "", "doc": "where the tables are"}},
        "help": "",
    }
    artifact = {
        "filename": f"{package}-{version}-py3-none-any.whl",
        "url": f"https://files.example/{package}-{version}-py3-none-any.whl",
        "sha256": SHA,
        "size": 12345,
        "publisher": {"kind": "none", "repository": "", "workflow": ""},
        "sbom_sha256": "",
    }
    plain = {
        "schema": "kindling.release/1",
        "name": name,
        "version": version,
        "released_at": "2026-11-25T00:00:00Z",
        "summary": "Tables of a synthetic kind.",
        "requires_python": ">=3.11",
        "requires_kernel": ">=0.1,<0.2",
        "requires_dist": ["pyarrow>=18"],
        "extras": {},
        "provides": [provided],
        "permissions": ["files"],
        "conflicts": [],
        "manifest_sha256": SHA,
        "artifacts": [artifact],
        "import_ms": 3,
        "observed": {"files": [], "network": [], "process": []},
        "yanked": None,
    }
    return json.dumps(plain, sort_keys=True, indent=2).encode()


def begun(folder: Path, plugins: int, releases: int) -> Source:
    """Write the source of a registry; its keys stand in `keys`."""
    from kindling_plugin_registry.operator.source import Source
    from kindling_plugin_registry.operator.starting import Start, make_registry

    keys = folder / "keys"
    start = Start(
        folder=folder / "registry", keys=keys, name="synthetic", title="Synthetic", url="",
        package_index="", threshold=2, root_keys=3,
    )  # fmt: skip
    make_registry(start)
    source = Source(start.folder)
    for number in range(plugins):
        name = f"kindling-plugin-p{number:05d}"
        place = source.plugin(name)
        (place / "releases").mkdir(parents=True)
        (place / "plugin.toml").write_text(RECORD.format(name=name))
        for minor in range(releases):
            (place / "releases" / f"1.{minor}.0.json").write_bytes(release(name, f"1.{minor}.0"))
    return source


def make(folder: Path, plugins: int, releases: int) -> dict[str, list[float]]:
    """Make the registry and measure: from nothing, then one changed plugin, quickly and whole in turns."""
    from kindling_plugin_registry.operator.building import build
    from kindling_plugin_registry.operator.keys import load_keys
    from kindling_plugin_registry.operator.signing import sign

    source = begun(folder, plugins, releases)
    signers = load_keys([folder / "keys"])

    def change(minutes: int) -> None:
        name = f"kindling-plugin-p{plugins // 2:05d}"
        path = source.release_path(name, f"2.{minutes}.0")
        path.write_bytes(release(name, f"2.{minutes}.0"))

    def publish(minutes: int, *, is_quick: bool) -> None:
        at = NOW + timedelta(minutes=minutes)
        build(source, at, is_quick=is_quick)
        sign(source, signers, at)

    found = {"nothing": [timed(lambda: publish(0, is_quick=False))], "whole": [], "quick": []}
    for minutes in range(1, 2 * ROUNDS + 1):
        change(minutes)
        kind = "quick" if minutes % 2 else "whole"
        began = time.perf_counter()
        publish(minutes, is_quick=kind == "quick")
        found[kind].append(time.perf_counter() - began)
    return found


def verify(folder: Path) -> None:
    """Verify the index as a client that has nothing yet."""
    import tempfile

    from kindling_plugin_registry.operator.verification import Place, verify

    with tempfile.TemporaryDirectory() as client:
        root = (folder / "registry" / "keys" / "1.root.json").read_bytes()
        found = verify(Place(str(folder / "registry" / "dist")), root, Path(client))
        if not found.files:
            raise SystemExit("the index is empty")


def site(folder: Path, plugins: int) -> dict[str, float]:
    """Make a site of an index and measure it; its imports are not part of it."""
    from kindling_plugin_registry.operator.building import build
    from kindling_plugin_registry.site.writing import make_site

    source = begun(folder, plugins, 2)
    build(source, NOW)
    seconds = timed(lambda: make_site(source.dist, "https://plugins.example/"))
    largest = max(path.stat().st_size for path in (source.dist / "plugin").rglob("*.html"))
    return {"seconds": seconds, "bytes": largest}


def timed(work: Callable[[], object]) -> float:
    """Return how long something takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    if sys.argv[1] == "make":
        print(json.dumps(make(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))))
    elif sys.argv[1] == "site":
        print(json.dumps(site(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        verify(Path(sys.argv[2]))
