"""Check a registry's source as a whole: schemas, names, agreement, immutability, wheels. Not a build."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kindling.errors import Faults, KindlingError, PluginError, PolicyError
from kindling_plugin_registry.formats import Schemas, read_plain
from kindling_plugin_registry.operator.naming import name_faults
from kindling_plugin_registry.operator.pages import KEPT, read_documents
from kindling_plugin_registry.operator.simple import check_wheel
from kindling_plugin_registry.operator.source import SETTINGS, documents
from kindling_plugin_registry.versions import newest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from kindling_plugin_registry.operator.pages import Documents
    from kindling_plugin_registry.operator.source import Source
    from kindling_plugin_registry.records import Release

_TEXTS = ("summary", "license")
_HIDDEN = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x200B, 0xFEFF}
"""Marks that turn the direction of text, or show nothing: a summary with them may read as another."""


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked: counts, whether releases were compared with git, and all faults."""

    plugins: int
    releases: int
    is_compared: bool
    faults: tuple[KindlingError, ...]


def validate(source: Source) -> Checked:
    """Check everything; return all faults instead of raising the first."""
    return _Validation(source).run()


class _Validation:
    """One check of a whole source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.schemas = Schemas()
        self.faults: list[KindlingError] = []
        self.found: dict[str, Documents] = {}
        self.releases = 0

    def run(self) -> Checked:
        names = self.source.names()
        self._check_files()
        for name in names:
            self._check_plugin(name)
        if not self.faults:  # what follows reads documents that must have their form
            policy = self.source.name_policy()
            self.faults += name_faults(names, policy, str(self.source.folder / "policy" / "names.toml"))
            self.faults += shared_capabilities(self.source, self.found)
            self.faults += advisory_faults(self.source, self.found)
        changed = changed_releases(self.source)
        self.faults += changed or ()
        return Checked(
            plugins=len(names),
            releases=self.releases,
            is_compared=changed is not None,
            faults=tuple(self.faults),
        )

    def _check_files(self) -> None:
        folder = self.source.folder
        self._check_file(folder / SETTINGS, "registry")
        for path, schema in (
            (folder / "policy/revoked.json", "revoked"),
            (folder / "policy/names.toml", "names"),
        ):
            if path.exists():
                self._check_file(path, schema)
        for path in documents(folder / "advisories"):
            self._check_file(path, "advisory")

    def _check_file(self, path: Path, schema: str) -> None:
        try:
            self.faults += self.schemas.check(read_plain(path), schema, str(path))
        except KindlingError as fault:
            self.faults.append(fault)

    def _check_plugin(self, name: str) -> None:
        folder = self.source.plugin(name)
        before = len(self.faults)
        self._check_file(folder / "plugin.toml", "plugin-record")
        for kind, schema in (("releases", "release"), ("conformance", "conformance")):
            for path in documents(folder / kind):
                self._check_file(path, schema)
        if len(self.faults) > before:
            return
        try:
            found = read_documents(self.source, name)
        except Faults as faults:
            self.faults += faults.faults
            return
        except KindlingError as fault:
            self.faults.append(fault)
            return
        self.found[name] = found
        self.releases += len(found.releases)
        self._check_text(folder / "plugin.toml", found)
        for release in found.releases:
            self.faults += release_faults(self.source, release)

    def _check_text(self, path: Path, found: Documents) -> None:
        for key in _TEXTS:
            hidden = sorted({ord(c) for c in getattr(found.record, key)} & _HIDDEN)
            if hidden:
                why = f"found the invisible character U+{hidden[0]:04X}"
                self.faults.append(_wrong(str(path), key, why))


def release_faults(source: Source, release: Release) -> Iterator[KindlingError]:
    """Yield the faults of one release that a schema cannot see: KDL-REG-025, and KDL-REG-024 for wheels."""
    where = str(source.release_path(release.name, release.version))
    checks: list[tuple[str, Callable[[str], object], Iterable[str]]] = [
        ("version", Version, (release.version,)),
        ("requires_python", SpecifierSet, (release.requires_python,)),
        ("requires_kernel", SpecifierSet, (release.requires_kernel,)),
        ("requires_dist", Requirement, release.requires_dist),
        ("extras", Requirement, (item for items in release.extras.values() for item in items)),
    ]
    for key, made, values in checks:
        for value in values:
            try:
                made(value)
            except (InvalidVersion, InvalidSpecifier, InvalidRequirement) as cause:
                yield _wrong(where, key, str(cause).splitlines()[0])
    for artifact in release.artifacts:
        if artifact.url.startswith(KEPT):
            fault = check_wheel(source.wheels / artifact.filename, artifact.sha256)
            if fault is not None and (source.wheels.is_dir()):
                yield fault


def shared_capabilities(source: Source, found: dict[str, Documents]) -> Iterator[KindlingError]:
    """Yield KDL-REG-022 for a capability of several plugins, of which two or more do not say so."""
    offers: dict[str, list[str]] = {}
    for name, item in found.items():
        release = newest(item.releases)
        if release is not None and release.yanked is None:
            for provided in release.provides:
                offers.setdefault(provided.capability, []).append(name)
    for capability, names in sorted(offers.items()):
        silent = [name for name in names if capability not in found[name].record.alternative_of]
        if len(silent) > 1:
            yield PluginError(
                "KDL-REG-022",
                f"{capability!r} is offered by {' and '.join(map(repr, silent))}",
                why="only one of them may leave out that it is an alternative",
                where=str(source.plugin(silent[-1]) / "plugin.toml"),
                hint=f'alternative_of = ["{capability}"]',
            )


def advisory_faults(source: Source, found: dict[str, Documents]) -> Iterator[KindlingError]:
    """Yield KDL-REG-026 for advisories and revocations that no release can match."""
    for path, advisory in zip(documents(source.folder / "advisories"), source.advisories(), strict=True):
        if path.stem != advisory.id:
            yield _unmatched(path, f"id is {advisory.id!r}, expected {path.stem!r}")
        for affected in advisory.affected:
            name = affected.package.name
            if name not in found:
                yield _unmatched(path, f"there is no plugin {name!r}")
            elif not any(affected.is_affected(r.version) for r in found[name].releases):
                yield _unmatched(path, f"no release of {name!r} is affected")
    path = source.folder / "policy" / "revoked.json"
    for item in source.revoked().revoked:
        try:
            SpecifierSet("" if item.versions == "*" else item.versions)
        except InvalidSpecifier as cause:
            yield _unmatched(path, str(cause))


def changed_releases(source: Source) -> list[KindlingError] | None:
    """Return KDL-REG-023 for releases that differ from git's HEAD in more than `yanked`, or are gone.

    Returns:
        None if the registry is in no git repository, or there is no commit yet.
    """
    listed = _git(
        source.folder, "diff", "--name-status", "--no-renames", "-z", "--relative", "HEAD", "--", "plugins"
    )
    if listed is None:
        return None
    faults: list[KindlingError] = []
    words = listed.decode("utf-8", "surrogateescape").split("\0")
    for state, name in zip(words[::2], words[1::2], strict=False):
        if "/releases/" in name and state != "A":
            old = _git(source.folder, "show", f"HEAD:./{name}") or b""
            why = _difference(old, source.folder / name)
            if why:
                faults.append(
                    PolicyError(
                        "KDL-REG-023",
                        f"the release {name!r} was changed after it was committed",
                        why=why,
                        where=str(source.folder / name),
                        hint=f"git checkout HEAD -- {name}, and raise the version; only 'yanked' may change",
                    )
                )
    return faults


def _difference(old: bytes, path: Path) -> str:
    if not path.exists():
        return "it was deleted"
    try:
        before, after = json.loads(old), json.loads(path.read_bytes())
    except ValueError:
        return "it is not JSON"
    keys = sorted({*before, *after} - {"yanked"})
    changed = [key for key in keys if before.get(key) != after.get(key)]
    return f"changed: {', '.join(changed)}" if changed else ""


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603  # arguments of this module
            ["git", "-C", str(folder), *arguments],  # noqa: S607  # git of the operator's PATH
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def _wrong(where: str, key: str, why: str) -> PluginError:
    return PluginError("KDL-REG-025", f"{key!r} cannot be understood", why=why, where=where)


def _unmatched(path: Path, why: str) -> PluginError:
    return PluginError("KDL-REG-026", f"{path.name!r} matches nothing", why=why, where=str(path))
