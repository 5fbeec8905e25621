"""Real installations: a wheel and editable ones, built by a small build backend without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

BACKEND = '''
"""Builds a wheel of `src/`: whole, or (editable) with a link to it by path or by an import hook."""
import base64, hashlib, os, zipfile

FILES = {
    "METADATA": "Metadata-Version: 2.1\\nName: Kindling_Plugin.Ore\\nVersion: 1.0\\n",
    "WHEEL": "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "entry_points.txt": "[kindling.storage]\\nore = kindling_plugin_ore.plugin\\n"
    "[kindling.manifest]\\nx = kindling_plugin_ore\\n",
}
HOOK = """
import sys
from importlib.machinery import PathFinder
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [{src!r}]) if name == "kindling_plugin_ore" else None
sys.meta_path.append(Finder)
"""

def _wheel(folder, files):
    name = "kindling_plugin_ore-1.0-py3-none-any.whl"
    info = "kindling_plugin_ore-1.0.dist-info"
    files = {**files, **{f"{info}/{key}": text for key, text in FILES.items()}}
    record = ""
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text.encode())}\\n"
        archive.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\\n")
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    files = {}
    for name in os.listdir("src/kindling_plugin_ore"):
        path = os.path.join("src/kindling_plugin_ore", name)
        if os.path.isfile(path):
            files[f"kindling_plugin_ore/{name}"] = open(path).read()
    return _wheel(folder, files)

def build_editable(folder, config_settings=None, metadata_directory=None):
    src = os.path.abspath("src")
    if os.path.exists("by_hook"):
        return _wheel(folder, {"_ore_hook.py": HOOK.format(src=src), "_ore.pth": "import _ore_hook\\n"})
    return _wheel(folder, {"_ore.pth": src + "\\n"})

def get_requires_for_build_wheel(config_settings=None):
    return []

get_requires_for_build_editable = get_requires_for_build_wheel
'''

PYPROJECT = """
[project]
name = "Kindling_Plugin.Ore"
version = "1.0"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

ASK = """
import json, os, sys
from kindling.plugins.catalog import read_catalog
from kindling.plugins.loader import Loader
from kindling.plugins.policy import Policy
catalog = read_catalog(os.environ["CACHE"], Policy())
if catalog.has("storage:ore"):
    cold = "kindling.plugins.scan" in sys.modules
    ore = catalog.find("storage:ore")
    offer = Loader(catalog, Policy()).storage("ore")
    print(json.dumps([ore.distribution, list(ore.features), cold, offer.name]))
else:
    print("null")
"""


class Place:
    """A virtual environment that sees the kernel, and the source of one plugin."""

    def __init__(self, root: Path, kernel: Path) -> None:
        self.root = root
        self.source = root / "source"
        self.package = self.source / "src" / "kindling_plugin_ore"
        venv.create(root / "venv", symlinks=True)
        self.python = root / "venv" / "bin" / "python"
        paths = sysconfig.get_paths(vars={"base": str(root / "venv"), "platbase": str(root / "venv")})
        (Path(paths["purelib"]) / "kernel.pth").write_text(f"{kernel}\n")

    def ask(self) -> object:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("KINDLING_")}
        done = subprocess.run(
            [self.python, "-c", ASK],
            env={**environ, "CACHE": str(self.root / "cache"), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            cwd=self.source,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def uv(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "uv", "pip", *arguments, "--offline", "--python", str(self.python)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.root,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def place(site: Site, tmp_path: Path) -> Place:
    made = Place(tmp_path, site.kernel)
    written = site.plugin("storage:ore", distribution="Kindling_Plugin.Ore")
    made.package.parent.mkdir(parents=True)
    written.rename(made.package)
    (made.source / "backend.py").write_text(BACKEND)
    (made.source / "pyproject.toml").write_text(PYPROJECT)
    return made


@pytest.mark.parametrize("by_hook", [False, True], ids=["by path", "by import hook"])
def test_an_editable_installation_is_found_and_its_changed_manifest_noticed(
    place: Place, *, by_hook: bool
) -> None:
    if by_hook:
        (place.source / "by_hook").touch()
    assert place.ask() is None
    place.uv("install", "--no-deps", "-e", str(place.source))
    assert place.ask() == ["kindling-plugin-ore", [], True, "ore"]
    assert place.ask() == ["kindling-plugin-ore", [], False, "ore"]
    manifest = place.package / "kindling.json"
    plain = json.loads(manifest.read_text())
    plain["capabilities"]["storage:ore"]["features"] = ["reads"]
    manifest.write_text(json.dumps(plain))
    assert place.ask() == ["kindling-plugin-ore", ["reads"], True, "ore"]
    assert place.ask() == ["kindling-plugin-ore", ["reads"], False, "ore"]
    place.uv("uninstall", "kindling-plugin-ore")
    assert place.ask() is None


def test_an_installed_wheel_is_found_until_it_is_uninstalled(place: Place) -> None:
    place.uv("install", "--no-deps", str(place.source))
    assert place.ask() == ["kindling-plugin-ore", [], True, "ore"]
    assert place.ask() == ["kindling-plugin-ore", [], False, "ore"]
    place.uv("uninstall", "kindling-plugin-ore")
    assert place.ask() is None
