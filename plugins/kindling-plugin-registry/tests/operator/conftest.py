"""A registry with keys in a temporary folder, and wheels made of nothing."""

from __future__ import annotations

import json
import shutil
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from kindling_plugin_registry.formats import source_bytes, write_file
from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.signing import sign
from kindling_plugin_registry.operator.source import Source
from kindling_plugin_registry.operator.starting import Start, make_registry
from kindling_plugin_registry.operator.verification import Place, verify

if TYPE_CHECKING:
    from kindling_plugin_registry.operator.building import Built
    from kindling_plugin_registry.operator.signing import Signatures
    from kindling_plugin_registry.operator.verification import Verified

NOW = datetime.now(timezone.utc)


class Shop:
    """One registry, its keys, and what tests do with it."""

    def __init__(self, folder: Path, samples: Any) -> None:
        self.folder = folder
        self.keys = folder / "keys"
        self.samples = samples
        make_registry(
            Start(
                folder=folder / "registry",
                keys=self.keys,
                name="shop",
                title="Shop",
                url="",
                package_index="",
                threshold=2,
                root_keys=3,
            )
        )
        self.source = Source(folder / "registry")
        self.root = (self.source.keys / "1.root.json").read_bytes()

    def add(self, name: str = "kindling-plugin-sample", version: str = "1.0.0", **changes: Any) -> Path:
        """Write a release, and a record if there is none yet."""
        record = self.source.plugin(name) / "plugin.toml"
        if not record.exists():
            write_file(record, tomli_w.dumps(self.samples.record(name)).encode())
        path = self.source.release_path(name, version)
        write_file(path, source_bytes(self.samples.release(name, version, **changes)))
        return path

    def build(self, at: datetime | None = None, **options: bool) -> Built:
        return build(self.source, at or NOW, **options)

    def sign(self, role: str = "", at: datetime | None = None) -> Signatures:
        return sign(self.source, load_keys([self.keys]), at or NOW, role)

    def publish(self, after_minutes: float = 0) -> None:
        """Build and sign, some minutes after the test began."""
        at = NOW + timedelta(minutes=after_minutes)
        self.build(at)
        self.sign(at=at)

    def verify(self, client: str = "client", place: str = "") -> Verified:
        """Verify as a client that remembers what it saw."""
        return verify(Place(place or str(self.source.dist)), self.root, self.folder / client)

    def copy(self, name: str) -> Path:
        """Keep a copy of dist/."""
        return Path(shutil.copytree(self.source.dist, self.folder / name))

    def document(self, name: str) -> Any:
        return json.loads((self.source.dist / name).read_bytes())


@pytest.fixture
def shop(tmp_path: Path, samples: Any) -> Shop:
    return Shop(tmp_path, samples)


@pytest.fixture
def make_wheel(tmp_path: Path) -> Any:
    def make(
        name: str = "kindling-plugin-sample",
        version: str = "1.0.0",
        *,
        metadata: str = "",
        entries: str = "",
        manifest: dict[str, Any] | str | None = None,
        tag: str = "py3-none-any",
        folder: str = "wheels",
    ) -> Path:
        package = name.replace("-", "_")
        path = tmp_path / folder / f"{package}-{version}-{tag}.whl"
        path.parent.mkdir(exist_ok=True)
        plain = {
            "schema": "kindling.manifest/1",
            "distribution": name,
            "capabilities": {"storage:sample": {"api": "1.0", "features": ["writes", "reads"], "config": {}}},
            "permissions": ["network", "files"],
            "conflicts": [],
        }
        text = (
            f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: Sample tables.\n"
            "License-Expression: MIT\nRequires-Python: <4,>=3.11\n"
            "Requires-Dist: packaging>=24\nRequires-Dist: kindling-core<0.2,>=0.1\n"
            'Requires-Dist: rich>=13; extra == "pretty"\nProvides-Extra: pretty\n'
            f"Project-URL: Source, https://git.example/x\n{metadata}\n# Sample\n"
        )
        default_entries = (
            f"[kindling.storage]\nsample = {package}.plugin\n[kindling.manifest]\n{name} = {package}\n"
        )
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{package}-{version}.dist-info/METADATA", text)
            archive.writestr(f"{package}-{version}.dist-info/entry_points.txt", entries or default_entries)
            if manifest != "":
                content = manifest if isinstance(manifest, str) else json.dumps(manifest or plain)
                archive.writestr(f"{package}/kindling.json", content)
        return path

    return make
