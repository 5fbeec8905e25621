"""Small real wheels, registries made by the operator's code, projects, and clients that use them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import tomllib
import zipfile
from datetime import datetime, timedelta, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kindling_plugin_registry
import pytest
from jsonschema import Draft202012Validator
from kindling_plugin_registry.formats import source_bytes
from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.roots import make_root
from kindling_plugin_registry.operator.signing import sign
from kindling_plugin_registry.operator.source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    WheelMaker = Callable[..., Path]

SCHEMAS = Path(kindling_plugin_registry.__file__).parent / "client" / "schemas"
OLD = "2026-01-02T00:00:00Z"
SETTINGS = """schema = "kindling.registry/1"
name = "{name}"
title = "Test"
url = ""
package_index = ""
[roles.root]
threshold = 1
expires_days = 365
[roles.targets]
threshold = 1
expires_days = 30
[roles.snapshot]
threshold = 1
expires_days = 30
[roles.timestamp]
threshold = 1
expires_days = 30
"""


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    capabilities: Mapping[str, Mapping[str, object]] | None = None,
    permissions: Sequence[str] = ("files",),
    requires: Sequence[str] = (),
) -> Path:
    """Write a wheel of a plugin whose modules hold nothing but a line."""
    package = name.replace("-", "_")
    given = {"storage:ore": {"api": "1.0"}} if capabilities is None else capabilities
    listed = {}
    for key, facts in given.items():
        storage = {"probe": "none"} if key.startswith("storage:") else {}
        listed[key] = {"api": "1.0", "features": [], **storage, **facts}
    manifest = {
        "schema": "kindling.manifest/1",
        "distribution": name,
        "capabilities": listed,
        "permissions": list(permissions),
    }
    groups: dict[str, list[str]] = {}
    for key in listed:
        kind, _, short = key.partition(":")
        groups.setdefault(f"kindling.{kind}", []).append(f"{short} = {package}.plugin")
    groups["kindling.manifest"] = [f"{name} = {package}"]
    points = "".join(f"[{group}]\n" + "\n".join(lines) + "\n" for group, lines in groups.items())
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: >=3.11\n"
    metadata += "".join(f"Requires-Dist: {item}\n" for item in requires)
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}/__init__.py": f'__version__ = "{version}"\n',
        f"{package}/plugin.py": "offers = ()\n",
        f"{package}/kindling.json": json.dumps(manifest),
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text.encode())}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return made


class Shelf:
    """A registry that a test fills, builds and signs."""

    def __init__(self, folder: Path, name: str = "test") -> None:
        self.name = name
        self.folder = folder / name
        self.keys = folder / f"{name}-keys"
        self.folder.mkdir(parents=True)
        (self.folder / "registry.toml").write_text(SETTINGS.format(name=name))
        self.source = Source(self.folder)
        make_root(self.source, self.keys, self.source.settings(), 1, datetime.now(timezone.utc))
        self.root = self.folder / "keys" / "1.root.json"

    @property
    def dist(self) -> Path:
        return self.source.dist

    def add(
        self,
        name: str,
        version: str = "1.0.0",
        *,
        capabilities: Mapping[str, Mapping[str, object]] | None = None,
        permissions: Sequence[str] = ("files",),
        requires: Sequence[str] = (),
        level: str = "conformant",
        released_at: str = OLD,
        record: Mapping[str, object] | None = None,
        publisher: Mapping[str, str] | None = None,
        **changes: object,
    ) -> Path:
        """Release a version of a plugin: its wheel, its record, and results that give it its level."""
        given = {"storage:ore": {"api": "1.0"}} if capabilities is None else dict(capabilities)
        wheel = make_wheel(
            self.folder / "wheels",
            name,
            version,
            capabilities=given,
            permissions=permissions,
            requires=requires,
        )
        content = wheel.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        folder = self.source.plugin(name)
        (folder / "releases").mkdir(parents=True, exist_ok=True)
        facts = {"summary": f"Does {name}.", "license": "Apache-2.0", "lifecycle": "stable", **(record or {})}
        lines = [f"{key} = {json.dumps(value)}" for key, value in facts.items()]
        (folder / "plugin.toml").write_text(
            f'schema = "kindling.plugin-record/1"\nname = "{name}"\n'
            + "\n".join(lines)
            + '\n[[maintainers]]\nname = "Ann"\n[publisher]\nkind = "none"\n'
        )
        release = {
            "schema": "kindling.release/1",
            "name": name,
            "version": version,
            "released_at": released_at,
            "summary": f"Does {name}.",
            "requires_python": ">=3.11",
            "requires_kernel": ">=0.1,<0.2",
            "requires_dist": list(requires),
            "extras": {},
            "provides": [
                {
                    "capability": key,
                    "api": str(value.get("api", "1.0")),
                    "features": list(value.get("features", [])),  # type: ignore[call-overload]  # lists of texts
                    "entry_point": f"{name.replace('-', '_')}.plugin",
                    "needs": {},
                    "config": {},
                    "help": "",
                }
                for key, value in given.items()
            ],
            "permissions": list(permissions),
            "conflicts": [],
            "manifest_sha256": digest,
            "artifacts": [
                {
                    "filename": wheel.name,
                    "url": f"../wheels/{wheel.name}",
                    "sha256": digest,
                    "size": len(content),
                    "publisher": {"kind": "none", "repository": "", "workflow": "", **(publisher or {})},
                    "sbom_sha256": "",
                }
            ],
            "import_ms": 0,
            "observed": {"files": [], "network": [], "process": []},
            "yanked": None,
            **changes,
        }
        (folder / "releases" / f"{version}.json").write_bytes(source_bytes(release))
        if level != "listed":
            self._result(name, version, digest, list(given) if level == "conformant" else [])
        return wheel

    def _result(self, name: str, version: str, digest: str, tested: list[str]) -> None:
        result = {
            "suite": "kindling-conformance",
            "suite_version": "1.0",
            "kernel": "0.1.0",
            "python": "3.11",
            "os": "linux",
            "sha256": digest,
            "at": moment(),
            "runner": "registry",
            "log_sha256": "",
            "import_ms": 3,
            "observed": {"files": [], "network": [], "process": []},
            "undeclared": [],
            "capabilities": {key: {"passed": 1, "failed": 0, "skipped": 0} for key in tested},
            "failures": [],
        }
        folder = self.source.plugin(name) / "conformance"
        folder.mkdir(exist_ok=True)
        document = {"schema": "kindling.conformance/1", "name": name, "version": version, "results": [result]}
        (folder / f"{version}.json").write_bytes(source_bytes(document))

    def revoke(self, name: str, versions: str = "*", reason: str = "stolen key") -> None:
        """Revoke releases."""
        (self.folder / "policy").mkdir(exist_ok=True)
        item = {"name": name, "versions": versions, "reason": reason, "severity": "critical", "at": OLD}
        document = {"schema": "kindling.revoked/1", "revoked": [item]}
        (self.folder / "policy" / "revoked.json").write_bytes(source_bytes(document))

    def advise(self, name: str, fixed: str = "2.0.0") -> None:
        """Publish an advisory about all versions before `fixed`."""
        (self.folder / "advisories").mkdir(exist_ok=True)
        document = {
            "schema_version": "1.7.0",
            "id": "KINDSA-2026-0001",
            "published": OLD,
            "modified": OLD,
            "summary": "Reads too much.",
            "details": "It does.",
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": name},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
                }
            ],
        }
        (self.folder / "advisories" / "KINDSA-2026-0001.json").write_bytes(source_bytes(document))

    def publish(self, at: datetime | None = None) -> None:
        """Build and sign."""
        when = at or datetime.now(timezone.utc)
        build(self.source, when)
        sign(self.source, load_keys([self.keys]), when)

    def settings(self, url: str = "", **facts: object) -> str:
        """Return the table of kindling.toml that configures this registry."""
        given = {"url": url or str(self.dist), "root": str(self.root), **facts}
        return f"[plugins.registry.{self.name}]\n" + "".join(
            f"{key} = {json.dumps(value)}\n" for key, value in given.items()
        )


def moment(days: float = 0) -> str:
    """Return the present moment, or one so many days later."""
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Done:
    """What a command did."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def plain(self) -> dict[str, object]:
        """Return stdout as JSON, after checking it against its published schema."""
        found: dict[str, object] = json.loads(self.out)
        name = str(found["schema"]).removeprefix("kindling.").partition("/")[0]
        published = json.loads((SCHEMAS / f"{name}.json").read_text())
        Draft202012Validator.check_schema(published)
        Draft202012Validator(published).validate(found)
        return found

    def __repr__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


class Bench:
    """A project and a way to run `kindling` in it, with a cache and a home of its own."""

    def __init__(self, folder: Path, python: str = sys.executable) -> None:
        self.folder = folder
        self.home = folder.parent / f"{folder.name}-home"
        self.python = python
        self.wrap: tuple[str, ...] = ()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kindling.toml").write_text('app = "shop:app"\n')
        (folder / "shop.py").write_text("import kindling as k\n\napp = k.App('shop')\n")

    def configure(self, *parts: str, app: str = "") -> None:
        """Write kindling.toml, and the app's module if there is one."""
        (self.folder / "kindling.toml").write_text('app = "shop:app"\n' + "\n".join(parts))
        if app:
            (self.folder / "shop.py").write_text(app)

    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("KINDLING_", "PIP_"))}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **kept,
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "PIP_NO_INDEX": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_OFFLINE": "1",
            "NO_COLOR": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, *arguments: str, **variables: str) -> Done:
        """Run `kindling ARGUMENTS` in the project's folder."""
        return Done(
            subprocess.run(
                [*self.wrap, self.python, "-m", "kindling", *arguments],
                cwd=self.folder,
                env={**self.environment(), **variables},
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
                timeout=240,
                check=False,
            )
        )

    def plugins(self, *arguments: str, **variables: str) -> Done:
        """Run `kindling plugins ARGUMENTS`."""
        return self.run("plugins", *arguments, **variables)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "registries")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "project")


def uv() -> str:
    """Return uv, which the wheel of that name brings."""
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.exists() else shutil.which("uv")
    assert found, "pip install uv"
    return found


class Scratch:
    """An environment of its own, in which the kernel and this plugin are seen but not installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = str(folder / "bin" / "python")
        self.uv = uv()
        subprocess.run(
            [self.uv, "venv", "-q", "--offline", "--python", sys.executable, str(folder)],
            check=True,
            capture_output=True,
        )
        own = sysconfig.get_path("purelib")
        site = next((folder / "lib").iterdir()) / "site-packages"
        (site / "kindling_test.pth").write_text(f"import site; site.addsitedir({own!r})\n")

    def plugins(self) -> dict[str, str]:
        """Return version by name of the plugins that are installed in it."""
        site = next((self.folder / "lib").iterdir()) / "site-packages"
        found = (path.name.removesuffix(".dist-info").rpartition("-") for path in site.glob("*.dist-info"))
        return {name.replace("_", "-"): version for name, _, version in found}


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path / "scratch")


@pytest.fixture
def desk(tmp_path: Path, scratch: Scratch) -> Bench:
    """A project whose commands run in, and change, the scratch environment."""
    return Bench(tmp_path / "project", scratch.python)


MINED = """import kindling as k

app = k.App("shop", storage=k.storage("ore"))
rocks = app.source("rocks", k.storage("ore"))


@app.pipe(rocks, name="gold", write=k.merge(on=["id"]))
def gold(df):
    return df
"""


class Mine:
    """A project whose plugins a registry has, and whose dependency stands in a folder of wheels."""

    CHOSEN = 'platform = "mine"\nexecutor = "mine"\n'

    def __init__(self, shelf: Shelf, bench: Bench, folder: Path) -> None:
        self.shelf, self.bench, self.index = shelf, bench, folder
        make_wheel(folder, "tiny-library", "2.0.0", capabilities={})
        shelf.add(
            "kindling-plugin-ore",
            capabilities={"storage:ore": {"features": ["merges", "reads", "writes"]}},
            requires=["kindling-core>=0.1,<0.2", "tiny-library>=2"],
        )
        shelf.add("kindling-plugin-mine", capabilities={"platform:mine": {}, "executor:mine": {}})
        shelf.publish()
        self.configure()

    def configure(self, *more: str) -> None:
        settings = self.shelf.settings(package_index=str(self.index))
        self.bench.configure(self.CHOSEN, *more, settings, app=MINED)

    def lock(self) -> dict[str, object]:
        """Return the lock that was written."""
        return tomllib.loads((self.bench.folder / "pylock.kindling.toml").read_text())


@pytest.fixture
def wheels() -> WheelMaker:
    return make_wheel


@pytest.fixture
def mine(shelf: Shelf, desk: Bench, tmp_path: Path) -> Mine:
    return Mine(shelf, desk, tmp_path / "index")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; ETag is the time of the file; notes the paths that were asked for.

    Attributes:
        asked: (path, status) of all requests.
        cut: Files whose path has this in it end after half of the length that was told; "" for none.
    """

    asked: list[tuple[str, str]]
    cut = ""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        is_cut = self.cut and self.cut in self.path
        outputfile.write(content[: len(content) // 2] if is_cut else content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
        pass

    def end_headers(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", f'"{path.stat().st_mtime_ns}"')
        super().end_headers()

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        known = self.headers.get("If-None-Match", "")
        status = "304" if path.is_file() and known == f'"{path.stat().st_mtime_ns}"' else "200"
        self.asked.append((self.path, status))
        if status == "304":
            self.send_response(304)
            super().end_headers()
            return
        super().do_GET()


class Served:
    """A folder served on the loopback.

    Attributes:
        url: Its address.
        asked: (path, status) of all requests.
    """

    def __init__(self, folder: Path, cut: str = "") -> None:
        asked: list[tuple[str, str]] = []
        handler = type("Handler", (Quiet,), {"asked": asked, "cut": cut})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        self.asked = asked
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Servers:
    """Serves folders until the test ends."""

    def __init__(self) -> None:
        self.running: list[Served] = []

    def serve(self, folder: Path, cut: str = "") -> Served:
        self.running.append(Served(folder, cut))
        return self.running[-1]


@pytest.fixture
def servers() -> Iterator[Servers]:
    made = Servers()
    yield made
    for server in made.running:
        server.close()
