"""Order of versions and choice of the newest release. Not resolution: that is the client's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.specifiers import SpecifierSet
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kindling_plugin_registry.records import Release


def newest_first(releases: Iterable[Release]) -> tuple[Release, ...]:
    """Return releases in the order of PEP 440, newest first."""
    return tuple(sorted(releases, key=lambda release: Version(release.version), reverse=True))


def newest(releases: Iterable[Release]) -> Release | None:
    """Return the newest release that is not yanked: a final one if there is any; else the newest yanked one.

    Returns:
        None only where there are no releases.
    """
    found = newest_first(releases)
    usable = [release for release in found if release.yanked is None] or list(found)
    final = [release for release in usable if not Version(release.version).is_prerelease]
    return next(iter(final or usable), None)


def is_within(version: str, specifier: str) -> bool:
    """Tell whether a version lies in a specifier; `*` and "" hold all, pre-releases too."""
    if specifier.strip() in {"", "*"}:
        return True
    return SpecifierSet(specifier).contains(version, prereleases=True)
