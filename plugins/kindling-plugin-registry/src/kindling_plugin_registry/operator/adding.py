"""Make records of releases from wheels. A record that exists is never changed, unless it is asked for."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec
import tomli_w

from kindling.errors import PolicyError
from kindling_plugin_registry import records
from kindling_plugin_registry.formats import convert, read_document, source_bytes, write_file
from kindling_plugin_registry.operator.pages import KEPT
from kindling_plugin_registry.wheels import Wheel, read_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from kindling_plugin_registry.operator.source import Source

_OBSERVED: dict[str, list[str]] = {"files": [], "network": [], "process": []}
_NOBODY = {"kind": "none", "repository": "", "workflow": ""}


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one wheel: `state` is new, same or replaced; `is_first` if `plugin.toml` was written."""

    name: str
    version: str
    state: str
    is_first: bool


def add_wheels(
    source: Source,
    paths: Sequence[Path],
    now: str,
    *,
    url: str = "",
    is_kept: bool = True,
    is_replacing: bool = False,
    is_dry: bool = False,
) -> list[Added]:
    """Write `releases/<version>.json` for wheels; for a plugin's first one `plugin.toml` too.

    Args:
        source: The registry.
        paths: Wheels; several of one release make one record.
        now: The present moment.
        url: Address of the folder where the wheels are published.
        is_kept: Without `url`: copy the wheels into the registry. Else they are found in its package index.
        is_replacing: Replace a record that says something else: for releases that nobody has installed.
        is_dry: Write nothing.

    Raises:
        PluginError: KDL-REG-011, a wheel cannot be read; KDL-REG-002, its manifest does not fit a record.
        PolicyError: KDL-REG-012, another record of this release exists.
    """
    grouped: dict[tuple[str, str], list[tuple[Path, Wheel]]] = {}
    for path in paths:
        wheel = read_wheel(path)
        grouped.setdefault((wheel.name, wheel.version), []).append((path, wheel))
    planned = []
    for (name, version), found in sorted(grouped.items()):
        wheels = [wheel for _, wheel in found]
        made = release_of(wheels, now, _base(url, is_kept=is_kept))
        kept, state = _compare(source, made, is_replacing=is_replacing)
        is_first = not (source.plugin(name) / "plugin.toml").exists()
        planned.append((kept, found, Added(name=name, version=version, state=state, is_first=is_first)))
    if not is_dry:
        for kept, found, added in planned:
            _write(source, kept, found, added)
    return [added for *_, added in planned]


def release_of(wheels: Sequence[Wheel], now: str, base: str) -> records.Release:
    """Return the record of a release, from its wheels.

    Args:
        wheels: At least one; manifests must be the same.
        now: The moment of the release.
        base: What stands before a wheel's file name in its address; "" for no address.
    """
    first = wheels[0]
    for other in wheels[1:]:
        if other.manifest_sha256 != first.manifest_sha256:
            raise PolicyError(
                "KDL-REG-012",
                f"the wheels of {first.name!r} {first.version} disagree",
                why=f"the manifests of {first.filename} and {other.filename} differ",
                hint="build all wheels of a release from one source",
            )
    manifest = first.manifest
    plain: dict[str, object] = {
        "schema": records.RELEASE,
        "name": first.name,
        "version": first.version,
        "released_at": now,
        "summary": first.summary,
        "requires_python": first.requires_python,
        "requires_kernel": first.requires_kernel,
        "requires_dist": list(first.requires_dist),
        "extras": {key: list(value) for key, value in first.extras.items()},
        "provides": provides_of(manifest, first.modules),
        "permissions": _sorted(manifest.get("permissions", [])),
        "conflicts": _sorted(manifest.get("conflicts", [])),
        "manifest_sha256": first.manifest_sha256,
        "artifacts": [_artifact(wheel, base) for wheel in sorted(wheels, key=lambda item: item.filename)],
        "import_ms": 0,
        "observed": _OBSERVED,
        "yanked": None,
    }
    return convert(plain, "release", records.Release, f"{first.filename}: METADATA, kindling.json")


def provides_of(manifest: Mapping[str, object], modules: Mapping[str, str]) -> list[dict[str, object]]:
    """Return what a manifest offers as a record has it, by capability; `modules` are its entry points."""
    listed = manifest.get("capabilities")
    found = listed if isinstance(listed, dict) else {}
    return [
        {
            "capability": key,
            "api": item.get("api", ""),
            "features": _sorted(item.get("features", [])),
            "entry_point": modules.get(key, ""),
            "needs": item.get("needs", {}),
            "config": item.get("config", {}),
            "help": item.get("help", ""),
        }
        for key, item in sorted(found.items())
        if isinstance(item, dict)
    ]


def _artifact(wheel: Wheel, base: str) -> dict[str, object]:
    return {
        "filename": wheel.filename,
        "url": f"{base}{wheel.filename}" if base else "",
        "sha256": wheel.sha256,
        "size": wheel.size,
        "publisher": _NOBODY,
        "sbom_sha256": "",
    }


def _base(url: str, *, is_kept: bool) -> str:
    if url:
        return url if url.endswith("/") else f"{url}/"
    return KEPT if is_kept else ""


def _compare(source: Source, made: records.Release, *, is_replacing: bool) -> tuple[records.Release, str]:
    """Return the record to keep, and whether it is new, the same or replaced."""
    path = source.release_path(made.name, made.version)
    if not path.exists():
        return made, "new"
    old = read_document(path, "release", records.Release)
    same = msgspec.structs.replace(
        made,
        released_at=old.released_at,
        yanked=old.yanked,
        import_ms=old.import_ms,
        observed=old.observed,
        artifacts=tuple(_with_proof(artifact, old) for artifact in made.artifacts),
    )
    if same == old:
        return old, "same"
    if is_replacing:
        return msgspec.structs.replace(same, released_at=made.released_at), "replaced"
    changed = [key for key in old.__struct_fields__ if getattr(old, key) != getattr(same, key)]
    raise PolicyError(
        "KDL-REG-012",
        f"{made.name!r} {made.version} is recorded already",
        why=f"the wheels differ from the record in: {', '.join(changed)}",
        where=str(path),
        hint="releases are immutable: raise the version; or --replace, if nobody has installed it yet",
    )


def _with_proof(artifact: records.Artifact, old: records.Release) -> records.Artifact:
    """Keep what was verified about the same file: its publisher and bill of materials."""
    same = next((item for item in old.artifacts if item.sha256 == artifact.sha256), None)
    if same is None:
        return artifact
    return msgspec.structs.replace(artifact, publisher=same.publisher, sbom_sha256=same.sbom_sha256)


def _write(source: Source, kept: records.Release, found: Sequence[tuple[Path, Wheel]], added: Added) -> None:
    wheel = found[0][1]
    folder = source.plugin(kept.name)
    if added.is_first:
        write_file(folder / "plugin.toml", tomli_w.dumps(_scaffold(wheel)).encode())
    if added.state != "same":
        write_file(source.release_path(kept.name, kept.version), source_bytes(kept))
        if wheel.readme:
            write_file(folder / "README.md", wheel.readme.encode())
    for path, item in found:
        if any(a.url == f"{KEPT}{item.filename}" for a in kept.artifacts):
            _keep(path, source.wheels)
            archive = path.with_name(f"{path.name.split('-')[0]}-{kept.version}.tar.gz")
            if archive.is_file():  # it brings the tests that a review runs
                _keep(archive, source.wheels)


def _keep(path: Path, folder: Path) -> None:
    target = folder / path.name
    if path.resolve() != target.resolve():
        folder.mkdir(exist_ok=True)
        shutil.copyfile(path, target)


def _scaffold(wheel: Wheel) -> dict[str, object]:
    """Return the first `plugin.toml` of a plugin, for its maintainers to complete."""
    if not wheel.license:
        raise _unlicensed(wheel)
    words = {
        "repository": ("repository", "source"),
        "documentation": ("documentation",),
        "issues": ("issues",),
    }
    links = {
        key: next((wheel.urls[label] for label in labels if label in wheel.urls), "")
        for key, labels in words.items()
    }
    return {
        "schema": records.RECORD,
        "name": wheel.name,
        "summary": wheel.summary or wheel.name,
        "license": wheel.license,
        "lifecycle": "incubation",
        "keywords": [],
        "replaced_by": "",
        "alternative_of": [],
        "maintainers": [{"name": "unknown", "github": ""}],
        "publisher": _NOBODY,
        "links": links,
    }


def _unlicensed(wheel: Wheel) -> PolicyError:
    """Return the error for a plugin without a license."""
    return PolicyError(
        "KDL-REG-013",
        f"{wheel.name!r} cannot be listed",
        why="its metadata names no license",
        hint='license = "SPDX expression" in its pyproject.toml',
    )


def _sorted(items: object) -> object:
    return sorted(items) if isinstance(items, list) and all(isinstance(i, str) for i in items) else items
