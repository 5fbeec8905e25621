"""Read what a wheel says about itself: metadata, entry points, manifest. Nothing is installed or imported.

Source: PyPA specifications, "Binary distribution format" and "Entry points", read 2026-11.
"""

from __future__ import annotations

import configparser
import email.parser
import email.policy
import json
import zipfile
from typing import TYPE_CHECKING

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement

from kindling.errors import PluginError
from kindling.names import canonical
from kindling_plugin_registry.formats import sha256_of

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path

KERNEL = "kindling-core"
_MOST_BYTES = 8 << 20  # of one file that is read out of a wheel


class Wheel(Struct, frozen=True, kw_only=True):
    """What a wheel says.

    Attributes:
        filename: Of the wheel.
        sha256: Of the wheel.
        size: Bytes.
        name: Canonical name.
        version: As its metadata has it.
        summary: One line.
        license: SPDX expression, or "".
        requires_python: Specifier, or "".
        requires_kernel: Specifier on the kernel, oldest version first, or "".
        requires_dist: Other requirements, without those of extras, sorted.
        extras: Requirements by extra.
        urls: Addresses by label.
        readme: Text of the description.
        modules: Module by capability id, from entry points.
        manifest: `kindling.json`, unchecked.
        manifest_sha256: Of that file.
    """

    filename: str
    sha256: str
    size: int
    name: str
    version: str
    summary: str
    license: str
    requires_python: str
    requires_kernel: str
    requires_dist: tuple[str, ...]
    extras: dict[str, tuple[str, ...]]
    urls: dict[str, str]
    readme: str
    modules: dict[str, str]
    manifest: dict[str, object]
    manifest_sha256: str


def read_wheel(path: Path) -> Wheel:
    """Read a wheel.

    Raises:
        PluginError: KDL-REG-011, it is no wheel, or holds no manifest of Kindling.
    """
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            return _read(path, content, archive)
    except OSError as cause:
        raise unreadable(path, cause.strerror or str(cause)) from cause
    except (zipfile.BadZipFile, UnicodeDecodeError, configparser.Error, InvalidRequirement) as cause:
        raise unreadable(path, str(cause)) from cause


def unreadable(path: Path, why: str) -> PluginError:
    """Return the error for a wheel that cannot be read."""
    return PluginError("KDL-REG-011", f"the wheel {path.name!r} cannot be read", why=why, where=str(path))


def _read(path: Path, content: bytes, archive: zipfile.ZipFile) -> Wheel:
    metadata = email.parser.Parser(policy=email.policy.compat32).parsestr(_file(path, archive, "METADATA"))
    entries = _entry_points(_file(path, archive, "entry_points.txt"))
    package = next(iter(entries.get("kindling.manifest", {}).values()), "")
    if not package:
        raise unreadable(path, "it has no entry point in the group 'kindling.manifest'")
    manifest = _member(path, archive, f"{package.replace('.', '/')}/kindling.json")
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist") or []]
    try:
        plain = json.loads(manifest)
    except ValueError as cause:
        raise unreadable(path, f"its kindling.json is not JSON: {cause}") from cause
    return Wheel(
        filename=path.name,
        sha256=sha256_of(content),
        size=len(content),
        name=canonical(str(metadata["Name"])),
        version=str(metadata["Version"]),
        summary=str(metadata["Summary"] or ""),
        license=str(metadata["License-Expression"] or metadata["License"] or ""),
        requires_python=ordered(str(metadata["Requires-Python"] or "")),
        requires_kernel=_kernel(requirements),
        requires_dist=_plain(requirements),
        extras=_extras(metadata, requirements),
        urls=dict(_urls(metadata)),
        readme=str(metadata.get_payload()).lstrip("\n"),
        modules={
            f"{group.removeprefix('kindling.')}:{name}": value
            for group, found in entries.items()
            if group.startswith("kindling.") and group != "kindling.manifest"
            for name, value in found.items()
        },
        manifest=plain if isinstance(plain, dict) else {},
        manifest_sha256=sha256_of(manifest),
    )


def ordered(specifier: str) -> str:
    """Return a specifier with its parts in order of version, oldest first: `>=0.1,<0.2`."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    parts = sorted(SpecifierSet(specifier), key=lambda part: Version(part.version.removesuffix(".*")))
    return ",".join(str(part) for part in parts)


def _file(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    found = [
        item for item in archive.namelist() if item.count("/") == 1 and item.endswith(f".dist-info/{name}")
    ]
    if len(found) != 1:
        raise unreadable(path, f"it has {len(found)} files *.dist-info/{name}, expected one")
    return _member(path, archive, found[0]).decode("utf-8")


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        raise unreadable(path, f"it has no file {name!r}") from None
    if size > _MOST_BYTES:
        raise unreadable(path, f"its file {name!r} is larger than {_MOST_BYTES} bytes")
    return archive.read(name)


def _entry_points(text: str) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    parser.read_string(text)
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _extra_of(requirement: Requirement) -> str:
    """Return the extra that a requirement belongs to, or ""."""
    marker = str(requirement.marker or "")
    _, is_extra, rest = marker.partition("extra == ")
    return rest.split('"')[1] if is_extra else ""


def _plain(requirements: list[Requirement]) -> tuple[str, ...]:
    return tuple(sorted(str(r) for r in requirements if canonical(r.name) != KERNEL and not _extra_of(r)))


def _extras(metadata: Message, requirements: list[Requirement]) -> dict[str, tuple[str, ...]]:
    names = [str(name) for name in metadata.get_all("Provides-Extra") or []]
    return {name: tuple(sorted(str(r) for r in requirements if _extra_of(r) == name)) for name in names}


def _kernel(requirements: list[Requirement]) -> str:
    found = [r for r in requirements if canonical(r.name) == KERNEL and not _extra_of(r)]
    return ordered(",".join(str(r.specifier) for r in found if str(r.specifier)))


def _urls(metadata: Message) -> list[tuple[str, str]]:
    pairs = [str(text).partition(",") for text in metadata.get_all("Project-URL") or []]
    return [(label.strip().lower(), address.strip()) for label, _, address in pairs]
