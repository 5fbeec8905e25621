"""Order of versions and choice of the newest release. Not resolution: that is the client's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from kindling.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.requirements import Requirement

    from kindling_plugin_registry.records import Release


def newest_first(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Return releases in the order of PEP 440, newest first."""
    return tuple(sorted(releases, key=lambda release: version_of(release.version), reverse=True))


def newest(releases: Iterable[Release]) -> Release | None:
    """Return the newest release that is not yanked: a final one if there is any; else the newest yanked one.

    Returns:
        None only where there are no releases.
    """
    found = newest_first(releases)
    usable = [release for release in found if release.yanked is None] or list(found)
    final = [release for release in usable if not version_of(release.version).is_prerelease]
    return next(iter(final or usable), None)


def is_within(version: str, specifier: str) -> bool:
    """Tell whether a version lies in a specifier; `*` and "" hold all, pre-releases too.

    Raises:
        PolicyError: KDL-REG-113, one of them is none.
    """
    if specifier.strip() in {"", "*"}:
        return True
    try:
        return SpecifierSet(specifier).contains(version_of(version), prereleases=True)
    except InvalidSpecifier as cause:
        raise _not_understood(specifier, "a version specifier of PEP 440") from cause


def version_of(text: str) -> Version:
    """Return a version.

    Raises:
        PolicyError: KDL-REG-113, it is none.
    """
    try:
        return Version(text)
    except InvalidVersion as cause:
        raise _not_understood(text, "a version of PEP 440") from cause


def requirement_of(text: str) -> Requirement:
    """Return a requirement of a release.

    Raises:
        PolicyError: KDL-REG-113, it is none.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement as cause:
        raise _not_understood(text, "a requirement of PEP 508") from cause


def _not_understood(text: str, expected: str) -> PolicyError:
    return PolicyError(
        "KDL-REG-113",
        f"{text!r} in a registry is not understood",
        why=f"expected {expected}",
        hint="pip install --upgrade kindling-plugin-registry",
    )
