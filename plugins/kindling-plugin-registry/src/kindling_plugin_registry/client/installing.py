"""Install a resolution: fetch and check all wheels first, then one call of an installer."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kindling.errors import PolicyError
from kindling_plugin_registry.client.downloads import fetch_release
from kindling_plugin_registry.client.environment import detect
from kindling_plugin_registry.client.installers import (
    Order,
    call,
    command_text,
    dry_run_names,
    install_command,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kindling_plugin_registry.client.asking import Desk
    from kindling_plugin_registry.client.downloads import Wheel
    from kindling_plugin_registry.client.resolving import Pick, Resolution


def new_picks(desk: Desk, resolution: Resolution) -> list[Pick]:
    """Return the picks that are not installed in that version."""
    installed = {item.name: item.version for item in desk.catalog.distributions}
    return [
        pick
        for pick in resolution.picks
        if pick.release is not None and installed.get(pick.name) != pick.version
    ]


def package_index(desk: Desk, picks: Sequence[Pick]) -> str:
    """Return the one index for dependencies: of the registry that binds one of them, else of the first.

    The first by priority, of those that the picks come from and that have an index.
    """
    from kindling.names import canonical
    from kindling_plugin_registry.versions import requirement_of

    used = {pick.registry for pick in picks}
    copies = [copy for copy in desk.market.copies if copy.registry.name in used]
    texts = [text for pick in picks if pick.release for text in pick.release.requires_dist]
    needed = [canonical(requirement_of(text).name) for text in texts]
    binding = [copy for copy in copies if any(copy.registry.binds(name) for name in needed)]
    return next(
        (copy.registry.package_index for copy in [*binding, *copies] if copy.registry.package_index), ""
    )


def fetch_picks(desk: Desk, picks: Sequence[Pick], *, is_offline: bool) -> list[Wheel]:
    """Fetch and check the wheels of picks; the first wrong one ends it."""
    return [
        fetch_release(desk.client, desk.client.registry(pick.registry), pick.release, is_offline=is_offline)
        for pick in picks
        if pick.release is not None
    ]


def has_bindings(desk: Desk) -> bool:
    """Tell whether any registry binds names."""
    return any(copy.registry.names for copy in desk.market.copies)


def check_bound(desk: Desk, picks: Sequence[Pick], order: Order, names: Iterable[str]) -> None:
    """Refuse packages whose names are bound to a registry and that would come from another one's index.

    Raises:
        PolicyError: KDL-REG-124, the first such name.
    """
    own = {pick.name for pick in picks}
    for name in names:
        copy = desk.market.owner(name)
        if name in own or copy is None or (order.index and copy.registry.package_index == order.index):
            continue
        raise PolicyError(
            "KDL-REG-124",
            f"{name!r} would be taken from the wrong place",
            why=f"the name belongs to the registry {copy.registry.name!r}, and "
            f"{order.index or 'the default index'} is not its package index",
            hint="nothing was installed; tell the authors of the plugin that requires it",
        )


def planned_command(desk: Desk, picks: Sequence[Pick], backend: str, *, is_offline: bool) -> list[str]:
    """Return the command that `install_picks` would run, with a stand-in for its file."""
    environment = detect()
    order = Order("REQUIREMENTS", package_index(desk, picks), is_offline)
    return install_command(environment, environment.backend(backend), order)


def install_picks(
    desk: Desk, picks: Sequence[Pick], backend: str, *, is_offline: bool, show: bool = True
) -> str:
    """Install picks in one call; return the command.

    Effects: fetches wheels; changes the environment, or nothing.

    Raises:
        KindlingError: A wheel is refused, and nothing was installed; KDL-REG-140, the installer failed.
    """
    environment = detect()
    chosen = environment.backend(backend)
    wheels = fetch_picks(desk, picks, is_offline=is_offline)
    lines = [wheel.plain_requirement() for wheel in wheels]
    with requirements_file(lines) as file:
        order = Order(file, package_index(desk, picks), is_offline)
        command = install_command(environment, chosen, order)
        check_bound(desk, picks, order, dry_run_names(command) if has_bindings(desk) else ())
        if show:
            from kindling_plugin_registry.client.asking import say

            say(command_text(command))
        call(command)
    return command_text(command)


@contextmanager
def requirements_file(lines: Sequence[str]) -> Iterator[str]:
    """Write a requirements file for one call."""
    with tempfile.TemporaryDirectory(prefix="kindling-") as folder:
        path = os.path.join(folder, "requirements.txt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        yield path
