"""The commands as an operator types them: the two lines that publish, and our own public registry."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kindling_plugin_registry.operator.commands import command

ROOT = Path(__file__).resolve().parents[4]
OWN = ("kindling-plugin-registry", "kindling-plugin-delta")


def ask(*arguments: object) -> Any:
    result = CliRunner().invoke(command, [*map(str, arguments), "--json"])
    assert result.exception is None, result.output
    return json.loads(result.output)


def test_two_lines_publish_a_registry_anywhere(tmp_path: Path, stall: Any) -> None:
    stall.fill(2)
    where = ("-r", stall.source.folder)
    ask("build", *where)
    ask("sign", *where, "-k", tmp_path / "keys")
    made = ask("site", *where, "--url", "https://x.example/sub/")
    host = tmp_path / "host" / "sub"
    shutil.copytree(stall.dist, host)
    assert (made["plugins"], made["deleted"]) == (2, [])
    assert "plugin/kindling-plugin-thing1.html" in made["written"]
    root = stall.source.keys / "1.root.json"
    assert ask("mirror", host, tmp_path / "mirror", "--root", root)["copied"] > 0  # the site hides nothing


def test_the_result_is_told(stall: Any) -> None:
    stall.fill(1)
    ask("build", "-r", stall.source.folder)
    result = CliRunner().invoke(command, ["site", "-r", str(stall.source.folder)])
    assert result.output.startswith("1 plugin: ")
    assert result.output.endswith(
        f"0 deleted, in {str(stall.dist)!r}\n"
        "without feeds and sitemap, which need the site's address: --url, or url in registry.toml\n"
    )
    again = CliRunner().invoke(command, ["site", str(stall.dist)])
    assert again.output.startswith("1 plugin: 0 pages written, ")


@pytest.mark.skipif(not (ROOT / "registry").is_dir(), reason="tested outside of the repository")
def test_the_public_registry_has_a_site_of_real_wheels(tmp_path: Path) -> None:
    folder, wheels = tmp_path / "registry", tmp_path / "wheels"
    shutil.copytree(ROOT / "registry", folder, ignore=shutil.ignore_patterns("dist", "wheels", ".build"))
    for name in OWN:
        build = [sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", str(wheels)]
        subprocess.run([*build, str(ROOT / "plugins" / name)], check=True, timeout=300)
    ask("add", "-r", folder, "--replace", *sorted(wheels.glob("*.whl")))
    ask("build", "-r", folder)
    made = ask("site", "-r", folder)
    assert made["plugins"] == len(list(folder.glob("plugins/*/plugin.toml")))
    for wheel in wheels.glob("*.whl"):
        name = wheel.name.partition("-")[0].replace("_", "-")
        text = (folder / "dist/plugin" / f"{name}.html").read_text(encoding="utf-8")
        assert f'href="../wheels/{wheel.name}"' in text
        assert (folder / "dist/wheels" / wheel.name).read_bytes() == wheel.read_bytes()
        assert 'id="readme"' in text
