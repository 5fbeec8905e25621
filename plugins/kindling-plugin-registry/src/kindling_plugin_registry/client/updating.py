"""Which installed plugins have a newer release that may be chosen, and what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.values import Value
from kindling_plugin_registry.client.changes import Change, changes_of
from kindling_plugin_registry.client.installing import new_picks
from kindling_plugin_registry.client.kernel import KERNEL
from kindling_plugin_registry.client.resolving import Pick, Resolution
from kindling_plugin_registry.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.asking import Desk


class Updates(Value):
    """The answer: the resolution, what would be installed, and what that changes."""

    resolution: Resolution
    picks: tuple[Pick, ...]
    changes: tuple[Change, ...]


def updates(desk: Desk, names: Sequence[str]) -> Updates:
    """Look for newer releases.

    Args:
        desk: The registries and the environment.
        names: Plugins, full or short names; () for all that are installed and listed.

    Raises:
        KindlingError: A named plugin is unknown, or no release of it may be chosen.
    """
    installed = {item.name: item.version for item in desk.catalog.distributions}
    wanted = [desk.market.named(name)[1].name for name in names] or [
        name for name in installed if name != KERNEL and desk.market.find(name) is not None
    ]
    pinned = [text for text in desk.client.requests if any(mark in text for mark in "<>=!~")]
    resolution = desk.resolve((), [*wanted, *pinned], upgrades=True)
    if names:
        resolution.raise_faults()
    picks = tuple(
        pick
        for pick in new_picks(desk, resolution)
        if pick.name not in installed or version_of(pick.version) > version_of(installed[pick.name])
    )
    kept = {pick.name for pick in picks}
    changes = tuple(change for change in changes_of(desk, resolution) if change.name in kept)
    return Updates(resolution, picks, changes)
