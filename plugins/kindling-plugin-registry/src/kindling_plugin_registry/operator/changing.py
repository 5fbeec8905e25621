"""Change what may change of a released plugin: yank a release, write an advisory, revoke releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kindling.errors import UsageError
from kindling.names import did_you_mean
from kindling_plugin_registry import records
from kindling_plugin_registry.advisories import Advisory, Affected, Event, Package, Range, Reference
from kindling_plugin_registry.formats import convert, source_bytes, write_file
from kindling_plugin_registry.operator.source import documents
from kindling_plugin_registry.versions import is_within, newest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.operator.source import Source

OSV_VERSION = "1.7.0"
_SHOWN = 5  # known versions in a hint


def yank(source: Source, name: str, version: str, reason: str, now: str, *, is_dry: bool = False) -> bool:
    """Withdraw a release; return False if it was withdrawn already, which changes nothing.

    Raises:
        UsageError: KDL-REG-027, there is no such plugin or release.
    """
    release = _release(source, name, version)
    if release.yanked is not None:
        return False
    mark = records.Yank(reason=reason, at=now)
    yanked = msgspec.structs.replace(release, yanked=mark)
    content = source_bytes(yanked)
    convert(msgspec.json.decode(content), "release", records.Release, "--reason")
    if not is_dry:
        write_file(source.release_path(name, release.version), content)
    return True


def advise(
    source: Source,
    name: str,
    *,
    summary: str,
    details: str,
    introduced: str,
    fixed: str,
    now: str,
    aliases: Sequence[str] = (),
    links: Sequence[str] = (),
    is_dry: bool = False,
) -> tuple[Advisory, tuple[str, ...]]:
    """Write an advisory under the next free id of the year.

    Args:
        source: The registry.
        name: The plugin.
        summary: One line.
        details: As much as a reader needs to decide.
        introduced: First affected version, `0` for all from the first.
        fixed: First version that is not affected, or "" if there is none yet.
        now: The present moment.
        aliases: Other ids, for example of a CVE.
        links: Addresses with more about it.
        is_dry: Write nothing.

    Returns:
        The advisory, and the affected releases, newest first.

    Raises:
        UsageError: KDL-REG-027, there is no such plugin; KDL-REG-028, no release is affected.
    """
    releases = newest_first(_releases(source, name))
    _check_range(name, introduced, fixed)
    ends = (Event(introduced=introduced), *((Event(fixed=fixed),) if fixed else ()))
    affected = Affected(
        package=Package(ecosystem="PyPI", name=name), ranges=(Range(type="ECOSYSTEM", events=ends),)
    )
    found = tuple(release.version for release in releases if affected.is_affected(release.version))
    if not found:
        known = ", ".join(release.version for release in releases[:_SHOWN])
        raise _unaffected(name, f"from {introduced} to {fixed or 'the newest'}; its releases: {known}")
    made = Advisory(
        schema_version=OSV_VERSION,
        id=_next_id(source, now[:4]),
        modified=now,
        published=now,
        summary=summary,
        details=details,
        affected=(affected,),
        aliases=tuple(aliases),
        references=tuple(Reference(type="WEB", url=link) for link in links),
    )
    content = source_bytes(made)
    convert(msgspec.json.decode(content), "advisory", Advisory, "the options")
    if not is_dry:
        write_file(source.folder / "advisories" / f"{made.id}.json", content)
    return made, found


def revoke(
    source: Source,
    name: str,
    versions: str,
    *,
    reason: str,
    severity: records.Severity,
    now: str,
    is_dry: bool = False,
) -> tuple[str, ...]:
    """Add a revocation to `policy/revoked.json`; return the revoked releases, newest first.

    Args:
        source: The registry.
        name: The plugin.
        versions: A specifier, or `*` for all, those to come as well.
        reason: Why.
        severity: How bad it is to go on using them.
        now: The present moment.
        is_dry: Write nothing.

    Raises:
        UsageError: KDL-REG-027, there is no such plugin; KDL-REG-028, no release is meant.
    """
    try:
        SpecifierSet("" if versions == "*" else versions)
    except InvalidSpecifier as cause:
        raise _unaffected(name, str(cause)) from cause
    releases = newest_first(_releases(source, name))
    found = tuple(release.version for release in releases if is_within(release.version, versions))
    if not found:
        known = ", ".join(release.version for release in releases[:_SHOWN])
        raise _unaffected(name, f"{versions}; its releases: {known}")
    old = source.revoked()
    made = records.Revocation(name=name, versions=versions, reason=reason, severity=severity, at=now)
    content = source_bytes(msgspec.structs.replace(old, revoked=(*old.revoked, made)))
    convert(msgspec.json.decode(content), "revoked", records.Revoked, "the options")
    if not is_dry:
        write_file(source.folder / "policy" / "revoked.json", content)
    return found


def _releases(source: Source, name: str) -> tuple[records.Release, ...]:
    names = source.names()
    if name not in names:
        raise UsageError(
            "KDL-REG-027",
            f"there is no plugin {name!r} in the registry",
            why=f"there is no folder {name!r} in {str(source.plugins)!r}",
            hint=did_you_mean(name, names),
        )
    return source.releases(name)


def _release(source: Source, name: str, version: str) -> records.Release:
    releases = _releases(source, name)
    for release in releases:
        if release.version == version:
            return release
    raise UsageError(
        "KDL-REG-027",
        f"there is no release {version!r} of {name!r}",
        why=f"found {', '.join(release.version for release in newest_first(releases)[:_SHOWN]) or 'none'}",
        where=str(source.plugin(name) / "releases"),
    )


def _check_range(name: str, introduced: str, fixed: str) -> None:
    try:
        first = Version(introduced)
        is_empty = bool(fixed) and Version(fixed) <= first
    except InvalidVersion as cause:
        raise _unaffected(name, str(cause)) from cause
    if is_empty:
        raise _unaffected(name, f"{fixed} is not newer than {introduced}")


def _next_id(source: Source, year: str) -> str:
    start = f"KINDSA-{year}-"
    taken = [path.stem for path in documents(source.folder / "advisories") if path.stem.startswith(start)]
    numbers = [int(item.removeprefix(start)) for item in taken if item.removeprefix(start).isdecimal()]
    return f"{start}{max(numbers, default=0) + 1:04d}"


def _unaffected(name: str, why: str) -> UsageError:
    return UsageError(
        "KDL-REG-028", f"no release of {name!r} is affected", why=why, hint="--introduced 1.0 --fixed 1.2"
    )
