"""A small registry for the site: several kinds, evidence, a yank, an advisory, and a hostile one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from kindling_plugin_registry.formats import source_bytes, write_file
from kindling_plugin_registry.operator.building import build
from kindling_plugin_registry.operator.source import Source
from kindling_plugin_registry.operator.starting import Start, make_registry
from kindling_plugin_registry.site.writing import Written, make_site

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)
URL = "https://plugins.example/market/"
KINDS = ("storage", "platform", "secrets", "sink")
MARKUP = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
TURNED = "safe\u202egnp.exe"
HOSTILE = f"""# Title {MARKUP}

##### Far down

<script>window.pwned = 1</script>
<svg onload="window.pwned=1"><a xlink:href="javascript:window.pwned=1">x</a></svg>
<a href="javascript:window.pwned=1" onclick="window.pwned=1" style="position:fixed;inset:0">click</a>
[link](javascript:window.pwned=1) [data](data:text/html;base64,PHNjcmlwdD4=) [file](file:///etc/passwd)
[good](https://good.example/x) [JAVASCRIPT](JaVaScRiPt:window.pwned=1)
![huge](https://evil.example/huge.png) <img src="https://evil.example/track.gif" width="99999">
<iframe src="https://evil.example/"></iframe><form action="https://evil.example/"><input name="q"></form>
<style>body {{ display: none }}</style><base href="https://evil.example/">
<div id="q" name="results"><div><div><table><tr><td>open
<p id="main">{TURNED}</main></body></html>

| a | b |
|---|---|
| {"x" * 300} | `<script>` |
"""


class Stall:
    """One registry's source and site."""

    def __init__(self, folder: Path, samples: Any) -> None:
        self.samples = samples
        make_registry(
            Start(
                folder=folder / "registry",
                keys=folder / "keys",
                name="stall",
                title="Stall <b>of</b> plugins",
                url="",
                package_index="",
                threshold=1,
                root_keys=1,
            )
        )
        self.source = Source(folder / "registry")
        self.dist = self.source.dist

    def add(self, name: str, *versions: Any, readme: str = "", **record: Any) -> None:
        """Write a plugin; a version is its text, or changes to a release."""
        folder = self.source.plugin(name)
        write_file(folder / "plugin.toml", tomli_w.dumps(self.samples.record(name, **record)).encode())
        for item in versions or ("1.0.0",):
            changes = item if isinstance(item, dict) else {"version": item}
            plain = self.samples.release(name, **changes)
            write_file(self.source.release_path(name, str(plain["version"])), source_bytes(plain))
        if readme:
            write_file(folder / "README.md", readme.encode())

    def advise(self, **changes: Any) -> None:
        plain = self.samples.advisory(**changes)
        write_file(self.source.folder / "advisories" / f"{plain['id']}.json", source_bytes(plain))

    def prove(self, name: str, version: str = "1.0.0", **changes: Any) -> None:
        """Write a result of the registry's own run."""
        plain = self.samples.conformance(name=name, version=version, results=[self.samples.result(**changes)])
        write_file(self.source.plugin(name) / "conformance" / f"{version}.json", source_bytes(plain))

    def fill(self, count: int) -> None:
        """Write many small plugins."""
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            self.add(
                f"kindling-plugin-thing{number}",
                {
                    "provides": [self.samples.provided(f"{kind}:thing{number}")],
                    "released_at": f"2026-{1 + number % 9:02}-03T00:00:00Z",
                    "permissions": [["files"], ["network"], []][number % 3],
                },
                summary=f"Thing number {number}.",
                license=("Apache-2.0", "MIT")[number % 2],
                readme=f"# Thing {number}\n\nWords about marmalade{number}.\n",
            )

    def fill_special(self) -> None:
        """Write a tested plugin with a history, one that depends on it, and a hostile one."""
        yanked = {"version": "0.9.0", "yanked": {"reason": "loses rows", "at": "2026-11-24T00:00:00Z"}}
        self.add("kindling-plugin-sample", "1.0.0", yanked, readme="# Sample\n\nMarigold tables.\n")
        self.prove("kindling-plugin-sample")
        self.advise()
        self.add("kindling-plugin-user", {"requires_dist": ["kindling-plugin-sample>=1"]})
        setting = {"type": MARKUP, "default": MARKUP, "doc": MARKUP, "choices": [MARKUP]}
        provided = self.samples.provided("storage:hostile", features=[MARKUP], help=MARKUP)
        provided["config"] = {MARKUP: setting}
        artifact = self.samples.artifact(url="javascript:window.pwned=1")
        release = {"provides": [provided], "artifacts": [artifact], "summary": MARKUP}
        self.add(
            "kindling-plugin-hostile",
            {**release, "requires_python": MARKUP, "requires_dist": [MARKUP, "y" * 5000]},
            summary=f"{MARKUP} {TURNED} {'w' * 190}",
            license=f"{MARKUP}{'l' * 100}",
            keywords=[f"<b>{TURNED}</b>"],
            maintainers=[{"name": MARKUP}],
            publisher={"kind": "github", "repository": MARKUP, "workflow": ""},
            readme=HOSTILE,
        )

    def make(self, url: str = URL, **options: Any) -> Written:
        build(self.source, NOW)
        return make_site(self.dist, url, **options)

    def text(self, path: str) -> str:
        return (self.dist / path).read_text(encoding="utf-8")


@pytest.fixture
def stall(tmp_path: Path, samples: Any) -> Stall:
    return Stall(tmp_path, samples)


@pytest.fixture(scope="session")
def full_stall(tmp_path_factory: pytest.TempPathFactory, samples: Any) -> Stall:
    """A stall that tests only read: 70 plugins and the special ones."""
    made = Stall(tmp_path_factory.mktemp("stall"), samples)
    made.fill(70)
    made.fill_special()
    made.make()
    return made
