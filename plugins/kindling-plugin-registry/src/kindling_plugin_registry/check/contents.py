"""Static checks: what a wheel holds, without installing or importing it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from kindling.errors import KindlingError
from kindling.names import canonical, did_you_mean
from kindling_plugin_registry.check.findings import Finding, of_error
from kindling_plugin_registry.check.sources import Module, read_module
from kindling_plugin_registry.client.kernel import ENGINES, Distribution, parse_manifest
from kindling_plugin_registry.operator.naming import PREFIX, name_faults
from kindling_plugin_registry.records import NAMES, Names
from kindling_plugin_registry.wheels import Wheel, read_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

USES = {
    "network": {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "requests", "httpx", "aiohttp"},
    "process": {"subprocess", "multiprocessing", "pty"},
}
"""Modules whose import says that a permission is used; `urllib.parse` is none of them."""


def static_findings(path: Path, names: Sequence[str] = ()) -> tuple[Wheel | None, list[Finding]]:
    """Return what a wheel says, None where it cannot be read, and all that is wrong with it.

    Args:
        path: The wheel.
        names: Other plugins, whose names this one must not look like.
    """
    try:
        wheel = read_wheel(path)
    except KindlingError as error:
        return None, list(of_error(error, "KDL-REG-202"))
    with zipfile.ZipFile(path) as archive:
        return wheel, list(_Contents(wheel, archive, names).findings())


class _Contents:
    """One wheel, open."""

    def __init__(self, wheel: Wheel, archive: zipfile.ZipFile, names: Sequence[str]) -> None:
        self.wheel = wheel
        self.archive = archive
        self.files = [item for item in archive.namelist() if not item.endswith("/")]
        self.names = names
        self.package = wheel.name.replace("-", "_")
        self.info = next(item.split("/")[0] for item in self.files if item.endswith(".dist-info/METADATA"))

    def findings(self) -> Iterator[Finding]:
        yield from self._places()
        yield from self._manifest()
        yield from self._metadata()
        yield from self._name()
        for capability, value in sorted(self.wheel.modules.items()):
            yield from self._entry(capability, value)
        yield from self._uses()

    def _places(self) -> Iterator[Finding]:
        allowed = (f"{self.package}/", f"{self.info}/")
        for name in self.files:
            if name.endswith(".pth"):
                why = "Python would run its lines at every start, with or without Kindling"
                yield Finding(
                    code="KDL-REG-208",
                    what=f"the wheel holds {name!r}",
                    why=why,
                    where=name,
                    hint="take it out; do at the first use what it does",
                )
            elif not name.startswith(allowed) or ".." in name.split("/"):
                yield Finding(
                    code="KDL-REG-207",
                    what=f"the wheel holds {name!r}, outside of its package",
                    why=f"expected only {self.package}/ and {self.info}/; others may replace foreign files",
                    where=name,
                    hint=f"move it into src/{self.package}/, or leave it out of the wheel",
                )

    def _manifest(self) -> Iterator[Finding]:
        wheel = self.wheel
        place = f"{self.package}/kindling.json"
        text = self.archive.read(place).decode("utf-8", "replace") if place in self.files else ""
        if not text:
            yield Finding(
                code="KDL-REG-204",
                what="the package is not named as the distribution",
                why=f"there is no {place!r}",
                hint=f"name the import package {self.package!r}",
            )
            return
        owner = Distribution(wheel.name, wheel.version, self.package, place)
        try:
            parse_manifest(text, owner, wheel.modules)
        except KindlingError as error:
            for found in of_error(error, "KDL-REG-203"):
                code = "KDL-REG-204" if found.why.startswith("KDL-PLUG-012") else found.code
                hint = found.hint if code == "KDL-REG-204" else f"correct {place}"
                yield Finding(code=code, what=found.what, why=found.why, where=place, hint=hint)

    def _metadata(self) -> Iterator[Finding]:
        wheel, where = self.wheel, f"{self.info}/METADATA"
        if not wheel.license:
            yield Finding(
                code="KDL-REG-210",
                what=f"{wheel.name!r} names no licence",
                why="nobody may use what has none",
                where=where,
                hint='license = "Apache-2.0", or another SPDX expression, in pyproject.toml',
            )
        if not wheel.requires_kernel:
            yield Finding(
                code="KDL-REG-212",
                what=f"{wheel.name!r} does not say which kernel it needs",
                why="no requirement on 'kindling-core' with a range",
                where=where,
                hint='dependencies = ["kindling-core>=0.1,<0.2"] in pyproject.toml',
            )
        stem = wheel.filename.split("-")
        if canonical(stem[0]) != wheel.name or stem[1] != wheel.version:
            yield Finding(
                code="KDL-REG-204",
                what=f"the file {wheel.filename!r} and its metadata disagree",
                why=f"METADATA says {wheel.name!r} {wheel.version}",
                where=where,
                hint="build it again: uv build --wheel",
            )

    def _name(self) -> Iterator[Finding]:
        name = self.wheel.name
        if not name.startswith(PREFIX):
            yield Finding(
                code="KDL-REG-209",
                what=f"{name!r} is not named as a plugin",
                why=f"expected {PREFIX!r} before its own name",
                hint=f'name = "{PREFIX}{name}" in pyproject.toml',
            )
        for fault in name_faults(sorted({*self.names, name}), Names(schema=NAMES), ""):
            if repr(name) in fault.what:
                yield Finding(code="KDL-REG-209", what=fault.what, why=fault.why, hint="take another name")

    def _module(self, dotted: str) -> Module | None:
        base = dotted.replace(".", "/")
        place = next((p for p in (f"{base}.py", f"{base}/__init__.py") if p in self.files), None)
        return read_module(place, self.archive.read(place)) if place else None

    def _entry(self, capability: str, value: str) -> Iterator[Finding]:
        module = self._module(value.split(":", maxsplit=1)[0])
        if module is None:
            yield Finding(
                code="KDL-REG-205",
                what=f"{capability!r} stands in a module that the wheel does not hold",
                why=f"its entry point says {value!r}",
                where=f"{self.info}/entry_points.txt",
                hint=f"write {value.replace('.', '/')}.py, or correct the entry point in pyproject.toml",
            )
            return
        hook = f"kindling_{capability.partition(':')[0]}_offers"
        if module.fault:
            yield Finding(code="KDL-REG-206", what=f"{module.place!r} is not Python", why=module.fault)
        elif hook not in module.names:
            near = [name for name in module.names if "kindling" in name] or list(module.names)
            yield Finding(
                code="KDL-REG-206",
                what=f"{capability!r} has no hook {hook!r}",
                why=did_you_mean(hook, near),
                where=module.place,
                hint=f"@hookimpl above def {hook}() in {module.place}",
            )
        yield from self._engines(module)

    def _engines(self, module: Module) -> Iterator[Finding]:
        for name, line in module.top_imports:
            if name.split(".")[0] in ENGINES:
                yield Finding(
                    code="KDL-REG-211",
                    what=f"{module.place!r} imports {name!r} at module level",
                    why="listing and loading plugins would start an engine's import",
                    where=f"{module.place}:{line}",
                    hint="move the import into the function that needs it",
                )

    def _uses(self) -> Iterator[Finding]:
        stated = self.wheel.manifest.get("permissions")
        declared = set(stated) if isinstance(stated, list) else set()
        for place in sorted(self.files):
            if not place.startswith(f"{self.package}/") or not place.endswith(".py"):
                continue
            module = read_module(place, self.archive.read(place))
            for name, line in module.imports:
                used = permission_of(name)
                if used and used not in declared:
                    declared.add(used)
                    yield Finding(
                        code="KDL-REG-213",
                        what=f"{place!r} imports {name!r}, and the permission {used!r} is not declared",
                        where=f"{place}:{line}",
                        hint=f'add "{used}" to "permissions" in kindling.json, if it is used',
                        severity="warn",
                    )


def permission_of(module: str) -> str:
    """Return the permission that importing a module speaks for, or ""."""
    if module == "urllib.parse":
        return ""
    return next((name for name, modules in USES.items() if module.split(".", maxsplit=1)[0] in modules), "")
