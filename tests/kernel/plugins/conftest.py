from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

OFFERS = """
from kindling.hooks import hookimpl
from kindling.hooks.{kind} import {offer}

@hookimpl
def kindling_{kind}_offers():
    return ({offer}("{name}", lambda spec: None),)
"""

PREAMBLE = """
import json, os, sys
from kindling.errors import KindlingError
from kindling.plugins.catalog import read_catalog
from kindling.plugins.loader import Loader
from kindling.plugins.policy import Policy

policy = Policy.of(json.loads(os.environ.get("SETTINGS", "{}")), os.environ)
catalog = read_catalog(os.environ["CACHE"], policy)
loader = Loader(catalog, policy)

def attempt(call, *args):
    try:
        return str(call(*args))
    except KindlingError as error:
        return str(error)

def tell(value):
    print(json.dumps(value, default=list))
"""

NEEDED = ("kindling", "pluggy", "importlib_metadata", "zipp", "lazy_importer")
"""The kernel and what finding and loading needs, by import name; the last two not in every version."""


class Site:
    """A folder of distributions, written by hand, and a Python that sees only it and the kernel."""

    def __init__(self, root: Path) -> None:
        self.path = root / "site"
        self.cache = root / "cache"
        self.kernel = root / "kernel"
        self.work = root / "work"
        self.work.mkdir()
        self.path.mkdir()
        self.kernel.mkdir()
        # Links to the few packages that the kernel needs: the rest of this environment stays out.
        for package in NEEDED:
            if (spec := find_spec(package)) and spec.origin:
                (self.kernel / package).symlink_to(Path(spec.origin).parent)
        self.distribution(
            "kindling-core",
            entries={
                "kindling.state": {"sqlite": "kindling.run.sqlite_plugin"},
                "kindling.secrets": {"env": "kindling.run.env_secrets"},
                "kindling.manifest": {"kindling-core": "kindling"},
            },
            version="0.1.0",
            into=self.kernel,
        )

    def distribution(
        self,
        name: str,
        *,
        entries: dict[str, dict[str, str]],
        files: dict[str, str] | None = None,
        version: str = "1.0",
        requires: tuple[str, ...] = (),
        into: Path | None = None,
    ) -> Path:
        """Install a distribution; returns its metadata folder."""
        site = into or self.path
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = [f"Requires-Dist: {item}" for item in requires]
        head = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
        (info / "METADATA").write_text("\n".join(head) + "\n\nName: not this one\n")
        groups = [
            "\n".join([f"[{group}]", *(f"{key} = {value}" for key, value in points.items())])
            for group, points in entries.items()
        ]
        (info / "entry_points.txt").write_text("\n\n".join(groups) + "\n")
        record = []
        for relative, text in (files or {}).items():
            path = site / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            record.append(f"{relative},,")
        (info / "RECORD").write_text("\n".join(record) + "\n")
        return info

    def plugin(
        self,
        capability: str,
        *,
        distribution: str = "",
        package: str = "",
        source: str | None = None,
        requires: tuple[str, ...] = (),
        conflicts: tuple[str, ...] = (),
        **facts: object,
    ) -> Path:
        """Install a plugin with one capability, sound unless told otherwise; returns its package folder."""
        kind, _, name = capability.partition(":")
        distribution = distribution or f"kindling-plugin-{name}"
        package = package or f"kindling_plugin_{name}"
        told = {"api": "1.0", **({"probe": "none"} if kind == "storage" else {}), **facts}
        manifest = {
            "schema": "kindling.manifest/1",
            "distribution": distribution,
            "capabilities": {capability: told},
            "conflicts": list(conflicts),
        }
        offers = OFFERS.format(kind=kind, name=name, offer=f"{kind.capitalize()}Offer")
        self.distribution(
            distribution,
            entries={
                f"kindling.{kind}": {name: f"{package}.plugin"},
                "kindling.manifest": {distribution: package},
            },
            files={
                f"{package}/__init__.py": "",
                f"{package}/plugin.py": offers if source is None else source,
                f"{package}/kindling.json": json.dumps(manifest),
            },
            requires=requires,
        )
        return self.path / package

    def run(self, code: str, *, settings: object = None, **environ: str) -> str:
        """Run code in a Python of its own; returns what it prints, the site's path as `<site>`."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("KINDLING_", "PYTHON"))
        }
        done = subprocess.run(
            [sys.executable, "-S", "-c", code],
            env={
                **clean,
                "PYTHONPATH": f"{self.path}{os.pathsep}{self.kernel}",
                "CACHE": str(self.cache),
                "SETTINGS": json.dumps(settings or {}),
                **environ,
            },
            capture_output=True,
            text=True,
            check=False,
            cwd=self.work,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.replace(str(self.path), "<site>")

    def script(self, code: str, **environ: str) -> str:
        """Run code that uses `catalog`, `loader`, `attempt` and `tell`; returns what it prints."""
        return self.run(PREAMBLE + code, **environ)

    def tell(self, expression: str, *, settings: object = None, **environ: str) -> object:
        """Return the value of an expression over `catalog`, `loader` and `attempt`."""
        return json.loads(self.run(f"{PREAMBLE}\ntell({expression})", settings=settings, **environ))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)
