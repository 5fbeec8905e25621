"""Looks at the environment: entry points and manifests of all distributions. Imports no plugin.

This is the cold path; `cache` remembers its result. Each distribution is read behind a boundary of its
own: whatever is wrong with one becomes a fault and hides that one only.
"""

from __future__ import annotations

import os.path
from importlib import invalidate_caches
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import Protocol

import importlib_metadata as metadata

from kindling.errors import Faults, PluginError
from kindling.names import canonical, parse_capability
from kindling.plugins.installed import Conflict, Installed
from kindling.plugins.manifest import MANIFEST_NAME, Capability, Distribution, parse_manifest
from kindling.plugins.policy import KERNEL, PREFIX
from kindling.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GROUPS = "kindling."
_MANIFESTS = "kindling.manifest"
_TWINS = {"pyspark": ("pyspark", "pyspark-client")}
"""Engines that come as several distributions of one import package."""


class _Metadata(Protocol):
    """The part of a distribution that is used here; the same in all versions of importlib_metadata."""

    def read_text(self, filename: str) -> str | None:
        """Return a metadata file's text, or None."""
        ...


class _Entry(Value):
    """One distribution as its metadata describes it.

    Attributes:
        name: Canonical name.
        version: Installed version.
        modules: Sorted `(capability, module)` pairs.
        package: Top-level package of the manifest.
        packages: Top-level packages that it owns or writes into.
        requires: Canonical names of what it depends on, extras included.
        files: Metadata files that were read.
    """

    name: str
    version: str
    modules: tuple[tuple[str, str], ...]
    package: str
    packages: frozenset[str]
    requires: frozenset[str]
    files: tuple[str, ...]


def scan() -> Installed:
    """Return what is installed, faults included. Reads files, imports no plugin, takes about 50 ms."""
    invalidate_caches()
    faults: list[PluginError] = []
    files: list[str] = []
    entries: list[_Entry] = []
    capabilities: list[Capability] = []
    distributions: list[Distribution] = []
    for name in _plugin_names(faults):
        seen: list[str] = []
        # The plugin boundary: a broken distribution must not break the others, whatever it raises.
        try:
            entry = _read_entry(name)
            entries.append(entry)
            seen.extend(entry.files)
            own, offered = _read_manifest(entry, seen)
        except Faults as several:
            faults.extend(fault for fault in several.faults if isinstance(fault, PluginError))
        except PluginError as fault:
            faults.append(fault)
        except Exception as cause:  # noqa: BLE001  # the boundary above
            faults.append(_unreadable(name, f"{type(cause).__name__}: {cause}"))
        else:
            distributions.append(own)
            capabilities.extend(offered)
        files.extend(seen)
    return Installed(
        capabilities=tuple(sorted(capabilities, key=lambda item: (item.id, item.distribution))),
        distributions=tuple(sorted(distributions, key=lambda item: item.name)),
        faults=tuple(faults),
        conflicts=(*_package_conflicts(entries), *_declared(distributions), *_engine_conflicts(entries)),
        files=tuple(files),
    )


def _plugin_names(faults: list[PluginError]) -> list[str]:
    """Return the canonical names of the distributions with entry points of ours, in path order."""
    names: dict[str, None] = {}
    for found in metadata.distributions():
        place = _place(found)
        # The same boundary as in `scan`: this one is about metadata folders without a readable name.
        try:
            text = found.read_text("entry_points.txt") or ""
            stem = canonical(os.path.basename(place))
            if _GROUPS in text or stem.startswith(PREFIX):
                names.setdefault(canonical(_name_of(found)))
        except Exception as cause:  # noqa: BLE001  # the boundary above
            faults.append(_unreadable(place, f"{type(cause).__name__}: {cause}"))
    return list(names)


def _name_of(found: _Metadata) -> str:
    name = next(iter(_header(_metadata_of(found), "Name")), "")
    if not name:
        msg = "its METADATA has no Name"
        raise ValueError(msg)
    return name


def _metadata_of(found: _Metadata) -> str:
    return found.read_text("METADATA") or found.read_text("PKG-INFO") or ""


def _header(text: str, name: str) -> list[str]:
    """Return the values of one header; the e-mail parser would cost more than all else here."""
    head = text.replace("\r\n", "\n").partition("\n\n")[0]
    start = f"{name}:"
    return [line[len(start) :].strip() for line in head.split("\n") if line.startswith(start)]


def _read_entry(name: str) -> _Entry:
    """Return what the metadata of a distribution says, the first one on the path if it occurs twice."""
    found = metadata.distribution(name)
    text = _metadata_of(found)
    version = next(iter(_header(text, "Version")), "")
    points = [point for point in found.entry_points if point.group.startswith(_GROUPS)]
    owners = [point.value for point in points if point.group == _MANIFESTS]
    if len(owners) != 1 or not owners[0].isidentifier():
        raise PluginError(
            "KDL-PLUG-013",
            f"{name!r} {version} names no manifest",
            why=f"its entry points in the group {_MANIFESTS!r} are {owners}, expected one top-level package",
            where=_place(found),
            hint=f"pip install --upgrade {name}, or tell its authors",
            distribution=name,
            capabilities=[_capability_of(point) for point in points if point.group != _MANIFESTS],
        )
    modules = {_capability_of(point): point for point in points if point.group != _MANIFESTS}
    for capability, point in modules.items():
        _check_point(name, version, capability, point)
    tops = {point.value.partition(".")[0] for point in modules.values()}
    return _Entry(
        name=name,
        version=version,
        modules=tuple(sorted((capability, point.value) for capability, point in modules.items())),
        package=owners[0],
        packages=frozenset({owners[0], *tops, *_recorded(found)}),
        requires=frozenset(_requirements(text)),
        files=(os.path.join(_place(found), "entry_points.txt"),),
    )


def _check_point(name: str, version: str, capability: str, point: metadata.EntryPoint) -> None:
    parse_capability(capability)
    if not all(part.isidentifier() for part in point.value.split(".")):
        raise PluginError(
            "KDL-PLUG-012",
            f"the entry point of {capability!r} in {name!r} {version} is no module",
            why=f"it is {point.value!r}, expected a dotted module name without ':'",
            hint=f"pip install --upgrade {name}, or tell its authors",
            distribution=name,
            capabilities=[capability],
        )


def _capability_of(point: metadata.EntryPoint) -> str:
    return f"{point.group.removeprefix(_GROUPS)}:{point.name}"


def _requirements(text: str) -> Iterator[str]:
    """Yield the canonical names of all requirements, extras included."""
    for line in _header(text, "Requires-Dist"):
        name = line
        for end in " ;[(<>=!~@":
            name = name.partition(end)[0]
        yield canonical(name)


def _recorded(found: _Metadata) -> set[str]:
    """Return the top-level packages that a distribution has installed files into."""
    lines = (found.read_text("RECORD") or "").splitlines()
    return {line.partition("/")[0].strip('"') for line in lines if "/" in line}


def _read_manifest(entry: _Entry, seen: list[str]) -> tuple[Distribution, tuple[Capability, ...]]:
    """Read and check one manifest; adds the files that decided about it to `seen`."""
    paths = [os.path.join(place, MANIFEST_NAME) for place in _places(entry.package)]
    seen.extend(paths)
    path = next((path for path in paths if os.path.isfile(path)), "")
    if not path:
        raise PluginError(
            "KDL-PLUG-010",
            f"the manifest of {entry.name!r} {entry.version} cannot be read",
            why=f"there is no {MANIFEST_NAME} in the package {entry.package!r}"
            if paths
            else f"there is no package {entry.package!r}",
            hint=f"pip install --force-reinstall {entry.name}, or tell its authors",
            distribution=entry.name,
            capabilities=[capability for capability, _ in entry.modules],
        )
    with open(path, encoding="utf-8") as file:
        text = file.read()
    owner = Distribution(name=entry.name, version=entry.version, package=entry.package, manifest=path)
    return parse_manifest(text, owner, dict(entry.modules))


def _places(package: str) -> list[str]:
    """Return a top-level package's folders without importing it; works for editable installations."""
    # A module that runs as `__main__` or was put into sys.modules by hand may have no spec.
    try:
        spec = find_spec(package)
    except ValueError:
        spec = PathFinder.find_spec(package)
    return [os.path.abspath(place) for place in (spec and spec.submodule_search_locations) or ()]


def _package_conflicts(entries: list[_Entry]) -> Iterator[Conflict]:
    """Yield the packages of one plugin that another distribution has files in as well."""
    for package in sorted({entry.package for entry in entries}):
        owners = tuple(sorted(entry.name for entry in entries if package in entry.packages))
        if len(owners) > 1:
            # A plugin that writes into the kernel's package must not take the kernel out of use.
            yield Conflict("package", package, owners, tuple(name for name in owners if name != KERNEL))


def _declared(distributions: list[Distribution]) -> Iterator[Conflict]:
    for own in distributions:
        for other in own.conflicts:
            if _is_installed(other):
                pair = sorted((own.name, other))
                yield Conflict("declared", other, (pair[0], pair[1]), (own.name,))


def _engine_conflicts(entries: list[_Entry]) -> Iterator[Conflict]:
    for engine, twins in _TWINS.items():
        users = tuple(sorted(entry.name for entry in entries if entry.requires.intersection(twins)))
        if _all_installed(twins):
            yield Conflict("engine", engine, twins, users)


def _all_installed(names: Iterable[str]) -> bool:
    return all(_is_installed(name) for name in names)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _place(found: _Metadata) -> str:
    """Return the metadata folder, for messages and the cache."""
    return str(getattr(found, "_path", found))


def _unreadable(name: str, why: str) -> PluginError:
    return PluginError(
        "KDL-PLUG-013",
        f"the metadata of {name!r} cannot be read",
        why=why,
        hint="pip install --force-reinstall what it belongs to, or remove the folder",
        distribution=name,
        capabilities=[],
    )
