"""Whatever stands in a registry's source, its index, a copy, a lock or a bundle: a code, and no traceback.

An index is signed by its own operator here, so that what it says meets the client and not the signature.
"""

from __future__ import annotations

import importlib.util
import io
import json
import random
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest
from kindling_plugin_registry.operator.keys import load_keys
from kindling_plugin_registry.operator.signing import sign

sys.path.insert(0, str(Path(__file__).parent))  # importlib mode adds no folder for broken.py
from broken import mutated
from judging import SECONDS, judged
from terminal import Terminal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(int(12 * SECONDS) + 300)]

Chances = Callable[[], Iterator[random.Random]]
SHELF = Path(__file__).parents[3] / "plugins/kindling-plugin-registry/tests/client/conftest.py"
LOCK = "pylock.kindling.toml"
TARGETS = ("index.json", "files.json", "policy.json", "advisories.json", "capabilities.json")
READING = (
    ("search", "ore"),
    ("search", "--capability", "storage:ore", "--json"),
    ("info", "ore"),
    ("resolve", "storage:ore"),
    ("why-not", "ore"),
    ("doctor", "--offline"),
    ("audit",),
)


class Fair:
    """A registry that is whole, and a project that trusts it; copies and home are the test's own."""

    def __init__(self, folder: Path, shelves: ModuleType) -> None:
        self.shelf = shelves.Shelf(folder / "registries")
        self.shelf.add(
            "kindling-plugin-ore", capabilities={"storage:ore": {"features": ["merges", "reads", "writes"]}}
        )
        self.shelf.add("kindling-plugin-mine", capabilities={"platform:mine": {}, "executor:mine": {}})
        self.shelf.revoke("kindling-plugin-old")
        self.shelf.advise("kindling-plugin-ore", fixed="2.0.0")
        self.shelf.publish()
        self.home = folder / "home"
        self.places = {"XDG_CACHE_HOME": f"{self.home}/cache", "XDG_CONFIG_HOME": f"{self.home}/config"}
        (folder / "project").mkdir()
        self.project = Terminal(folder / "project")
        self.project.write("shop.py", shelves.MINED)
        chosen = 'app = "shop:app"\nplatform = "mine"\nexecutor = "mine"\n'
        self.project.write("kindling.toml", chosen + self.shelf.settings(package_index=str(folder / "index")))
        (folder / "index").mkdir()

    def __call__(self, *words: str) -> int:
        """Judge a command; return its exit code. What it said is shown if the test fails."""
        done = judged(self.project, *words, UV_OFFLINE="1", **self.places)
        sys.stdout.write(f"{words}: {done}\n")
        return done.code

    def plugins(self, *words: str) -> int:
        """Judge `kindling plugins ...`."""
        return self("plugins", *words)


@pytest.fixture
def fair(tmp_path: Path) -> Fair:
    spec = importlib.util.spec_from_file_location("registry_shelf", SHELF)
    assert spec is not None
    assert spec.loader is not None
    shelves = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shelves)
    return Fair(tmp_path, shelves)


def test_broken_files_of_a_registrys_source(fair: Fair, chances: Chances) -> None:
    source = fair.shelf.folder
    paths = [source / "registry.toml", *source.glob("plugins/*/plugin.toml")]
    paths += [*source.glob("plugins/*/*/*.json"), *source.glob("policy/*"), *source.glob("advisories/*.json")]
    whole = {path: path.read_bytes() for path in sorted(paths)}
    for chance in chances():
        path = chance.choice([*whole])
        path.write_bytes(mutated(whole[path], chance))
        command = chance.choice(("validate", "validate", "build", "sign"))
        more = ("--keys", str(fair.shelf.keys)) if command == "sign" else ()
        fair("registry", command, "-r", str(source), *more)
        path.write_bytes(whole[path])
    assert fair("registry", "validate", "-r", str(source)) == 0


def test_broken_copies_of_an_index(fair: Fair, chances: Chances) -> None:
    assert fair.plugins("resolve", "storage:ore") == 0
    folder = next((fair.home / "cache/kindling/registry").glob("test-*"))
    kept = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    for chance in chances():
        path = chance.choice([folder / "current.json", *kept])
        path.write_bytes(mutated(kept[path], chance))
        fair.plugins(*chance.choice(READING))
        for name, content in kept.items():
            name.write_bytes(content)
    assert fair.plugins("resolve", "storage:ore") == 0


def test_an_index_that_is_signed_and_nonsense(fair: Fair, chances: Chances) -> None:
    """Its own operator may err, or be newer or older than the client."""
    dist = fair.shelf.dist
    whole = {name: (dist / "targets" / name).read_bytes() for name in TARGETS}
    page = next((dist / "plugins").glob("kindling-plugin-ore.json")).read_bytes()
    at = datetime.now(timezone.utc)
    for number, chance in enumerate(chances()):
        if number >= 8 and not SECONDS:
            break
        name = chance.choice((*TARGETS, "page", "page"))
        for target in TARGETS:
            (dist / "targets" / target).write_bytes(whole[target])
        if name == "page":
            _put_page(dist, whole["files.json"], mutated(page, chance))
        else:
            (dist / "targets" / name).write_bytes(mutated(whole[name], chance))
        try:
            sign(fair.shelf.source, load_keys([fair.shelf.keys]), at)
        except ValueError:
            continue  # files.json is no JSON: the operator's own commands meet that
        shutil.rmtree(fair.home, ignore_errors=True)
        fair.plugins(*chance.choice(READING[:5]))


def _put_page(dist: Path, files: bytes, content: bytes) -> None:
    """Put a page in the place of a plugin's, listed with its hash."""
    name = "kindling-plugin-ore.json"
    plain = json.loads(files)
    plain["files"][f"plugins/{name}"] = [sha256(content).hexdigest(), len(content)]
    (dist / "targets" / "files.json").write_text(json.dumps(plain))
    (dist / "plugins" / f"{sha256(content).hexdigest()}.{name}").write_bytes(content)


def test_broken_locks(fair: Fair, chances: Chances) -> None:
    assert fair.plugins("lock") == 0
    lock = fair.project.path / LOCK
    whole = lock.read_bytes()
    commands = (
        ("plugins", "sync", "--check"),
        ("plugins", "sync", "--locked", "--dry-run", "--offline"),
        ("plugins", "sync", "--dry-run", "--offline"),
        ("plugins", "sbom"),
        ("plugins", "bundle", "-o", "x.tar", "--offline"),
        ("plugins", "doctor", "--offline"),
        ("run", "--locked"),
    )
    for chance in chances():
        lock.write_bytes(mutated(whole, chance))
        fair(*chance.choice(commands))
    lock.write_bytes(whole)
    assert fair.plugins("sync", "--dry-run", "--offline") == 0


def test_broken_bundles(fair: Fair, chances: Chances) -> None:
    assert fair.plugins("lock") == 0
    assert fair.plugins("bundle", "-o", "all.tar") == 0
    bundle = fair.project.path / "all.tar"
    whole = bundle.read_bytes()
    (fair.project.path / LOCK).unlink()
    for chance in chances():
        bundle.write_bytes(mutated(whole, chance) if chance.random() < 0.5 else _repacked(whole, chance))
        assert fair.plugins("install", "--from-bundle", "all.tar", "--offline", "--dry-run", "--yes") in (
            0,
            5,
        )
    bundle.write_bytes(whole)
    assert fair.plugins("install", "--from-bundle", "all.tar", "--offline", "--dry-run", "--yes") == 0


def _repacked(whole: bytes, chance: random.Random) -> bytes:
    """Return a bundle one of whose files is broken, and whose list says that it is right."""
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        members = [item for item in archive.getmembers() if item.isreg()]
        files = {item.name: (archive.extractfile(item) or io.BytesIO()).read() for item in members}
    name = chance.choice([LOCK, *files])
    files[name] = mutated(files[name], chance)
    if name != "bundle.json":
        head = json.loads(files["bundle.json"])
        head["files"][name] = sha256(files[name]).hexdigest()
        files["bundle.json"] = json.dumps(head).encode()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
