"""What installing a resolution would change: versions, permissions, publishers; and who accepts it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kindling.errors import PolicyError, UsageError
from kindling.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling_plugin_registry.client.asking import Desk
    from kindling_plugin_registry.client.registries import Rules
    from kindling_plugin_registry.client.resolving import Resolution
    from kindling_plugin_registry.records import Release

PUBLISHER = "publisher"


class Change(Value):
    """What happens to one plugin.

    Attributes:
        name: Canonical name.
        before: Installed or locked version, or "".
        after: Version to come.
        permissions: What it may use then.
        added: Permissions that it did not have before; of a new plugin all of them.
        removed: Permissions that it no longer has.
        publisher_before: Of the version before, "" where it is unknown.
        publisher_after: Of the version to come.
    """

    name: str
    before: str
    after: str
    permissions: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    publisher_before: str
    publisher_after: str

    @property
    def is_publisher_new(self) -> bool:
        """Whether another publisher made it than the version before."""
        return bool(self.before) and self.publisher_before != self.publisher_after

    def to_plain(self) -> dict[str, object]:
        """Return it as JSON types."""
        plain: dict[str, object] = {key: getattr(self, key) for key in ("name", "before", "after")}
        for key in ("permissions", "added", "removed"):
            plain[key] = list(getattr(self, key))
        return {**plain, "publisher": {"before": self.publisher_before, "after": self.publisher_after}}

    def text(self) -> str:
        """Return it for people, a line for each thing that changes."""
        lines = [f"{self.name} {f'{self.before} -> ' if self.before else ''}{self.after}"]
        if self.before:
            lines += [f"  new permission: {item}" for item in self.added]
            lines += [f"  permission dropped: {item}" for item in self.removed]
        else:
            lines.append(f"  may use: {', '.join(self.permissions) or 'nothing outside of the process'}")
        if self.is_publisher_new:
            lines.append(f"  PUBLISHER CHANGED: {self.publisher_before} -> {self.publisher_after}")
        return "".join(f"{line}\n" for line in lines)


def changes_of(desk: Desk, resolution: Resolution) -> tuple[Change, ...]:
    """Compare a resolution with what is installed; only plugins that change."""
    installed = {item.name: item for item in desk.catalog.distributions}
    found = []
    for pick in resolution.picks:
        if pick.release is None:
            continue
        own = installed.get(pick.name)
        if own is not None and own.version == pick.version:
            continue
        before = set(own.permissions) if own is not None else set()
        after = set(pick.release.permissions)
        found.append(
            Change(
                pick.name,
                own.version if own is not None else "",
                pick.version,
                tuple(sorted(after)),
                tuple(sorted(after - before)),
                tuple(sorted(before - after)),
                _publisher_before(desk, pick.name, own.version) if own is not None else "",
                publisher_text(pick.release),
            )
        )
    return tuple(found)


def publisher_text(release: Release) -> str:
    """Return the verified publisher of a release; `unverified` without one."""
    found = {(item.publisher.kind, item.publisher.repository) for item in release.artifacts}
    texts = sorted("unverified" if kind == "none" else f"{kind}:{repository}" for kind, repository in found)
    return ", ".join(texts)


def _publisher_before(desk: Desk, name: str, version: str) -> str:
    listed = desk.market.find(name)
    releases = desk.market.page(*listed).releases if listed is not None else ()
    known = next((item for item in releases if item.version == version), None)
    return publisher_text(known) if known is not None else "unknown"


def accept(rules: Rules, changes: Sequence[Change], *, says_yes: bool, accepted: Sequence[str] = ()) -> None:
    """Ask a person, where there is one; else refuse what needs to be said.

    `--yes` accepts what was shown, but not more than `[plugins.policy] permissions` allows, no permission
    that an update adds, and no change of publisher: those need `--accept WORD`.

    Raises:
        PolicyError: KDL-REG-144, something must be accepted by its name.
        UsageError: KDL-REG-145, there is nobody to ask and `--yes` was not said.
        click.Abort: The person said no.
    """
    needed: dict[str, None] = {}
    for change in changes:
        for item in change.added:
            if change.before or (rules.permissions and item not in rules.permissions):
                needed[item] = None
        if change.is_publisher_new:
            needed[PUBLISHER] = None
    missing = [item for item in needed if item not in accepted]
    if not changes or (says_yes and not missing):
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm("Go on?", default=False, abort=True, err=True)
        return
    if missing:
        options = " ".join(f"--accept {item}" for item in missing)
        who = [item.name for item in changes if set(missing) & {*item.added, PUBLISHER}]
        raise PolicyError(
            "KDL-REG-144",
            f"{', '.join(missing)} must be accepted for {', '.join(repr(name) for name in who)}",
            why="it was not granted before, and nobody can be asked",
            hint=f"--yes {options}",
            permissions=missing,
        )
    raise UsageError(
        "KDL-REG-145",
        "nobody can be asked whether to go on",
        why="there is no terminal",
        hint="--yes, or --dry-run to see only what would happen",
    )
