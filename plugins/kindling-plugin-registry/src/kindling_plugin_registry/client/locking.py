"""Make `pylock.kindling.toml`: the solution as PEP 751, and what Kindling knows about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kindling import __version__ as kernel_version
from kindling.errors import PluginError
from kindling_plugin_registry.client.changes import Change, publisher_text
from kindling_plugin_registry.client.downloads import artifact_url, fetch_release
from kindling_plugin_registry.client.environment import detect
from kindling_plugin_registry.client.installers import Order
from kindling_plugin_registry.client.installing import check_bound, package_index
from kindling_plugin_registry.client.kernel import APIS, KERNEL
from kindling_plugin_registry.client.lockfile import LOCK, SCHEMA, digest_of
from kindling_plugin_registry.client.solving import OLDEST_PYTHON, solve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.asking import Desk
    from kindling_plugin_registry.client.lockfile import Lock
    from kindling_plugin_registry.client.needs import Need
    from kindling_plugin_registry.client.resolving import Pick, Resolution
    from kindling_plugin_registry.records import Page


def released_picks(desk: Desk, resolution: Resolution) -> list[Pick]:
    """Return all picks but the kernel with their releases, installed ones, too.

    Raises:
        PluginError: KDL-REG-150, what is installed is in no registry: nobody else could install it.
    """
    found = []
    for pick in resolution.picks:
        if pick.name == KERNEL:
            continue
        if pick.release is not None:
            found.append(pick)
            continue
        listed = desk.market.find(pick.name)
        releases = desk.market.page(*listed).releases if listed is not None else ()
        release = next((item for item in releases if item.version == pick.version), None)
        if release is None or listed is None:
            raise PluginError(
                "KDL-REG-150",
                f"{pick.name!r} {pick.version} is installed and cannot be locked",
                why="no registry lists this version",
                hint=f"kindling plugins update {pick.name}, or add its registry",
            )
        found.append(pick.replace(release=release, registry=listed[0].registry.name))
    return found


def lock_changes(picks: Sequence[Pick], old: Lock | None) -> tuple[Change, ...]:
    """Compare picks with the old lock: only plugins that change."""
    found = []
    before = old.table("plugins") if old is not None else {}
    for pick in picks:
        if pick.release is None or before.get(pick.name, {}).get("version") == pick.version:
            continue
        facts = before.get(pick.name, {})
        listed = facts.get("permissions")
        granted = set(listed) if isinstance(listed, list) else set()
        after = set(pick.release.permissions)
        found.append(
            Change(
                pick.name,
                str(facts.get("version", "")),
                pick.version,
                tuple(sorted(after)),
                tuple(sorted(after - granted)),
                tuple(sorted(granted - after)),
                str(facts.get("publisher", "")),
                publisher_text(pick.release),
            )
        )
    return tuple(found)


def make_lock(
    desk: Desk, picks: Sequence[Pick], needs: Sequence[Need], *, is_offline: bool
) -> dict[str, object]:
    """Return the document of PEP 751.

    Effects: fetches and checks the plugins' wheels; runs uv.
    """
    wheels = [
        fetch_release(desk.client, desk.client.registry(pick.registry), pick.release, is_offline=is_offline)
        for pick in picks
        if pick.release is not None
    ]
    packages: list[dict[str, object]] = []
    has_kernel = False
    if picks:
        index = package_index(desk, picks)
        packages, has_kernel = solve(detect(), wheels, index, is_offline=is_offline)
        check_bound(desk, picks, Order("", index), [str(item["name"]) for item in packages])
    by_name = {pick.name: pick for pick in picks}
    made = [
        _own(desk, by_name[str(item["name"])], item) if item["name"] in by_name else item for item in packages
    ]
    document: dict[str, object] = {
        "lock-version": "1.0",
        "created-by": "kindling",
        "requires-python": f">={OLDEST_PYTHON}",
        "packages": sorted(made, key=lambda item: str(item["name"])),
        "tool": {"kindling": _facts(desk, picks, needs, has_kernel=has_kernel)},
    }
    document["tool"]["kindling"]["digest"] = digest_of(document)  # type: ignore[index]  # the table made above
    return document


def write_lock(project: str, document: dict[str, object]) -> str:
    """Write the lock in one step; return its path."""
    import tomli_w

    path = os.path.join(project, LOCK)
    own = f"{path}.{os.getpid()}.new"
    with open(own, "w", encoding="utf-8", newline="\n") as file:
        file.write("# Made by `kindling plugins lock`; `kindling plugins sync --locked` installs it.\n")
        file.write(tomli_w.dumps(document))
    os.replace(own, path)
    return path


def _own(desk: Desk, pick: Pick, solved: dict[str, object]) -> dict[str, object]:
    """Return the package of a plugin: all wheels of its release, from its registry."""
    registry = desk.client.registry(pick.registry)
    artifacts = pick.release.artifacts if pick.release else ()
    package: dict[str, object] = {"name": pick.name, "version": pick.version}
    if "marker" in solved:
        package["marker"] = solved["marker"]
    wheels = []
    for item in artifacts:
        url = artifact_url(registry, item)
        place = {"url": url} if "://" in url else {"path": url}
        if item.filename.endswith(".whl"):
            wheels.append(
                {"name": item.filename, **place, "size": item.size, "hashes": {"sha256": item.sha256}}
            )
    return {**package, "wheels": wheels}


def _facts(
    desk: Desk, picks: Sequence[Pick], needs: Sequence[Need], *, has_kernel: bool
) -> dict[str, object]:
    used = {pick.registry for pick in picks}
    return {
        "schema": SCHEMA,
        "kernel": kernel_version,
        "kernel_locked": has_kernel,
        "apis": {kind: version for kind, version in sorted(APIS.items())},  # noqa: C416  # a copy, sorted
        "requests": sorted(desk.client.requests),
        "registries": {
            copy.registry.name: {
                "url": copy.registry.url,
                "index_version": copy.version,
                "index_sha256": copy.digest,
            }
            for copy in desk.market.copies
            if copy.registry.name in used
        },
        "capabilities": _capabilities(desk, picks, needs),
        "plugins": {pick.name: _plugin(desk, pick) for pick in picks},
    }


def _capabilities(desk: Desk, picks: Sequence[Pick], needs: Sequence[Need]) -> dict[str, object]:
    found: dict[str, object] = {}
    wanted = {need.capability: need for need in needs}
    kernel = {item.id: item for item in desk.catalog.installed() if item.distribution == KERNEL}
    for key in sorted(set(wanted) & set(kernel)):
        item = kernel[key]
        found[key] = {
            "plugin": KERNEL,
            "version": kernel_version,
            "api": item.api,
            "features": list(item.features),
        }
    for pick in picks:
        for offered in pick.release.provides if pick.release else ():
            if not wanted or offered.capability in wanted or not pick.capabilities:
                found[offered.capability] = {
                    "plugin": pick.name,
                    "version": pick.version,
                    "api": offered.api,
                    "features": sorted(offered.features),
                }
    return dict(sorted(found.items()))


def _plugin(desk: Desk, pick: Pick) -> dict[str, object]:
    listed = desk.market.find(pick.name)
    page = desk.market.page(*listed) if listed is not None else None
    release = pick.release
    return {
        "version": pick.version,
        "registry": pick.registry,
        "permissions": sorted(release.permissions) if release else [],
        "publisher": publisher_text(release) if release else "",
        "evidence": _evidence(page, pick.version) if page is not None else {},
    }


def _evidence(page: Page, version: str) -> dict[str, object]:
    """Return what a level rests on: the newest result of the registry's own runs."""
    level = page.levels.get(version)
    results = [item for item in page.conformance.get(version, ()) if item.runner == "registry"]
    found: dict[str, object] = {"level": level.level if level else "listed"}
    if results:
        last = results[-1]
        found |= {"suite": f"{last.suite} {last.suite_version}", "at": last.at, "sha256": last.sha256}
        found |= {"log_sha256": last.log_sha256} if last.log_sha256 else {}
    return found
