"""Choose plugins for needs: already installed, then pinned, then the highest level; else both are shown.

The solution of their dependencies is uv's or pip's (`solving`); here only plugins are chosen, and what a
chosen plugin requires of other plugins of the registries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.errors import KindlingError, PluginError, PolicyError, UsageError, raise_together
from kindling.values import Value
from kindling_plugin_registry.client.judging import Exclusion, Judge, named_version
from kindling_plugin_registry.client.kernel import KERNEL
from kindling_plugin_registry.client.needs import Need
from kindling_plugin_registry.client.registries import LEVELS
from kindling_plugin_registry.versions import is_within, newest_first, requirement_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kindling_plugin_registry.client.copies import Copy
    from kindling_plugin_registry.client.kernel import Catalog
    from kindling_plugin_registry.client.market import Market
    from kindling_plugin_registry.records import Page, Release


class Pick(Value):
    """A release that was chosen.

    Attributes:
        registry: Name of its registry, "" for what is installed and stays.
        release: The release; None for what is installed and stays.
        name: Canonical name.
        version: Its version.
        level: Its level, "" where no registry knows it.
        why: Why this one.
        capabilities: For which needs, sorted; () for what was asked for by name, or another plugin requires.
    """

    registry: str
    release: Release | None
    name: str
    version: str
    level: str
    why: str
    capabilities: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """Return it as JSON types."""
        plain: dict[str, object] = {
            key: getattr(self, key) for key in ("name", "version", "registry", "level", "why")
        }
        permissions = list(self.release.permissions) if self.release else []
        return {**plain, "capabilities": list(self.capabilities), "permissions": permissions}


class Resolution(Value):
    """The answer.

    Attributes:
        picks: Sorted by name; installed ones, too.
        exclusions: In the order in which they were met.
        warnings: Texts.
        faults: What could not be resolved.
    """

    picks: tuple[Pick, ...]
    exclusions: tuple[Exclusion, ...]
    warnings: tuple[str, ...]
    faults: tuple[KindlingError, ...]

    def raise_faults(self) -> None:
        """Raise what could not be resolved, together."""
        raise_together(self.faults)

    def warnings_text(self) -> str:
        """Return the warnings, one line each."""
        return "".join(f"warning: {text}\n" for text in self.warnings)

    def pick_for(self, capability: str) -> Pick | None:
        """Return what was chosen for a capability."""
        return next((pick for pick in self.picks if capability in pick.capabilities), None)


class _Candidate(Value):
    """A plugin that may be chosen for one need."""

    copy: Copy
    page: Page
    release: Release

    @property
    def level(self) -> str:
        """Its level."""
        return self.page.levels[self.release.version].level


class Resolver:
    """Resolves needs and requests against the installed plugins and the registries.

    Attributes:
        locked: Versions of an old lock, which are tried first.
    """

    def __init__(self, market: Market, catalog: Catalog, judge: Judge, *, upgrades: bool = False) -> None:
        self.market = market
        self.catalog = catalog
        self.judge = judge
        self.upgrades = upgrades
        self.installed = {item.name: item for item in catalog.distributions}
        self.exclusions: list[Exclusion] = []
        self.faults: list[KindlingError] = []
        self.picks: dict[str, Pick] = {}
        self.pins: dict[str, str] = {}
        self.locked: dict[str, str] = {}

    def resolve(self, needs: Sequence[Need], requests: Iterable[str] = ()) -> Resolution:
        """Choose plugins.

        Args:
            needs: Capabilities.
            requests: Requirements of plugins by name, full or short; they win over levels.
        """
        for text in requests:
            name, specifier = named_version(text)
            self.pins[self.market.full_name(name)] = specifier
        assigned: dict[str, list[Need]] = {}
        for need in needs:
            try:
                name = self._choose(need)
            except KindlingError as fault:
                self.faults.append(fault)
                continue
            assigned.setdefault(name, []).append(need)
        for name in sorted({*assigned, *self.pins}):
            self._settle(name, tuple(assigned.get(name, ())))
        self._follow()
        return Resolution(
            tuple(self.picks[name] for name in sorted(self.picks)),
            tuple(dict.fromkeys(self.exclusions)),
            tuple(self.judge.warnings),
            tuple(self.faults),
        )

    def _choose(self, need: Need) -> str:
        """Return the name of the plugin for a need."""
        owners = [
            item.distribution
            for item in self.catalog.installed()
            if item.id == need.capability
            and self._may_stay(item.distribution, item.version, need, item.features)
        ]
        candidates = self._candidates(need)
        names = list(dict.fromkeys([*owners, *(item.page.record.name for item in candidates)]))
        if not names:
            raise self._none(need)
        if len(owners) == 1:
            return owners[0]
        if owners:
            raise self._ambiguous(need, owners)
        pinned = [name for name in names if name in self.pins]
        if len(pinned) == 1:
            return pinned[0]
        left = [item for item in candidates if not pinned or item.page.record.name in pinned]
        best = max(LEVELS.index(item.level) for item in left)
        left = [item for item in left if LEVELS.index(item.level) == best]
        if len(left) > 1:
            raise self._ambiguous(need, [item.page.record.name for item in left])
        for item in candidates:
            if item is not left[0]:
                why = f"{left[0].page.record.name} has the level {left[0].level}, this one {item.level}"
                hint = f'"{need.capability}" = "{item.page.record.name}" in [plugins.prefer]'
                self._exclude(item.page.record.name, "", "lower-level", why, hint, need.capability)
        return left[0].page.record.name

    def _may_stay(self, name: str, version: str, need: Need, features: tuple[str, ...]) -> bool:
        """Tell whether what is installed can serve a need."""
        if name == KERNEL:
            return True
        excluded = self.judge.plugin(name, need.capability) or self.judge.danger(name, version)
        missing = [item for item in need.features if item not in features]
        if excluded is None and missing:
            why = f"{need.capability} of the installed version lacks {', '.join(missing)}"
            excluded = Exclusion(name, version, "features", why, "", need.capability)
        if excluded is not None:
            self.exclusions.append(excluded.replace(capability=need.capability))
        return excluded is None

    def _candidates(self, need: Need) -> list[_Candidate]:
        found = []
        for copy, line, other in self.market.offering(need.capability):
            if other is not None:
                why = (
                    f"the name belongs to the registry {other.registry.name!r}, not to {copy.registry.name!r}"
                )
                self._exclude(line.name, "", "registry", why, "", need.capability)
                continue
            if excluded := self.judge.plugin(line.name, need.capability):
                self.exclusions.append(excluded.replace(capability=need.capability))
                continue
            page = self.market.page(copy, line)
            release = self._newest(page, (need,))
            if release is not None:
                found.append(_Candidate(copy, page, release))
        return found

    def _newest(self, page: Page, needs: Sequence[Need]) -> Release | None:
        """Return the newest release that all rules let in; the others become exclusions."""
        specifier = self.pins.get(page.record.name, "")
        locked = self.locked.get(page.record.name)
        for release in sorted(newest_first(page.releases), key=lambda item: item.version != locked):
            if specifier and not is_within(release.version, specifier):
                why = f"{page.record.name}{specifier} was asked for"
                self._exclude(release.name, release.version, "pinned", why)
                continue
            found = [self.judge.release(page, release, need) for need in needs or (None,)]
            excluded = [item for item in found if item is not None]
            if not excluded:
                return release
            self.exclusions += excluded
        return None

    def _settle(self, name: str, needs: tuple[Need, ...]) -> None:
        """Pick the release of a plugin that fits all its needs; what is installed stays if it does."""
        capabilities = tuple(sorted(need.capability for need in needs))
        own = self.installed.get(name)
        specifier = self.pins.get(name, "")
        if name == KERNEL:
            version = own.version if own is not None else ""
            self.picks[name] = Pick("", None, name, version, "", "it is part of the kernel", capabilities)
            return
        line = self.market.find(name)
        stays = own is not None and is_within(own.version, specifier) and self._all_stay(name, needs)
        if stays and own is not None and not (self.upgrades and line is not None):
            level = line[1].level if line is not None and line[1].version == own.version else ""
            self.picks[name] = Pick("", None, name, own.version, level, "it is installed", capabilities)
            return
        try:
            copy, found = self.market.named(name)
            if excluded := self.judge.plugin(name, *(capabilities[:1])):
                self.exclusions.append(excluded)
                raise _refused(name, [excluded])
            page = self.market.page(copy, found)
            release = self._newest(page, needs)
            if release is None:
                raise _refused(name, [item for item in self.exclusions if item.name == name])
        except KindlingError as fault:
            self.faults.append(fault)
            return
        why = f"{name}{specifier} was asked for" if name in self.pins else "it has the highest level"
        level = page.levels[release.version].level
        self.picks[name] = Pick(copy.registry.name, release, name, release.version, level, why, capabilities)

    def _all_stay(self, name: str, needs: tuple[Need, ...]) -> bool:
        version = self.installed[name].version
        if not needs:
            excluded = self.judge.danger(name, version)
            if excluded is not None:
                self.exclusions.append(excluded)
            return excluded is None
        by_id = {item.id: item for item in self.catalog.installed() if item.distribution == name}
        return all(
            need.capability in by_id and self._may_stay(name, version, need, by_id[need.capability].features)
            for need in needs
        )

    def _follow(self) -> None:
        """Pick what picked plugins require of other plugins of the registries."""
        from kindling.names import canonical

        open_names = list(self.picks)
        while open_names:
            pick = self.picks[open_names.pop()]
            release = pick.release or self._listed(pick)
            for text in release.requires_dist if release else ():
                required = requirement_of(text)
                name = canonical(required.name)
                owner = self.market.owner(name)
                if (
                    name == KERNEL
                    or owner is None
                    or self._is_library(owner, name, pick)
                    or (required.marker and not required.marker.evaluate({"extra": ""}))
                ):
                    continue
                known = self.picks.get(name)
                if known is not None and is_within(known.version, str(required.specifier)):
                    continue
                self.pins[name] = ",".join(filter(None, (self.pins.get(name, ""), str(required.specifier))))
                self.picks.pop(name, None)
                self._settle(name, ())
                if name in self.picks:
                    self.picks[name] = self.picks[name].replace(why=f"{pick.name} requires it")
                    open_names.append(name)

    def _is_library(self, owner: Copy, name: str, pick: Pick) -> bool:
        """Tell whether a name is no plugin: bound to a registry, it comes from that one's package index."""
        return owner.find(name) is None and owner.registry.name == pick.registry

    def _listed(self, pick: Pick) -> Release | None:
        """Return the release of an installed plugin, if a registry lists it."""
        found = self.market.find(pick.name)
        releases = self.market.page(*found).releases if found is not None else ()
        return next((item for item in releases if item.version == pick.version), None)

    def _exclude(
        self, name: str, version: str, rule: str, why: str, hint: str = "", capability: str = ""
    ) -> None:
        self.exclusions.append(Exclusion(name, version, rule, why, hint, capability))

    def _ambiguous(self, need: Need, names: Sequence[str]) -> UsageError:
        lines = [f'"{need.capability}" = "{name}"' for name in names]
        return UsageError(
            "KDL-REG-120",
            f"{need.capability!r} is offered by {' and '.join(repr(name) for name in names)}",
            why="they have equal rank, and nothing says which one is meant",
            hint="add one of these lines to [plugins.prefer] in kindling.toml:\n" + "\n".join(lines),
            capability=need.capability,
            lines=lines,
        )

    def _none(self, need: Need) -> KindlingError:
        met = [item for item in self.exclusions if item.capability == need.capability]
        if not met:
            return PluginError(
                "KDL-REG-121",
                f"no plugin of the registries offers {need.capability!r}",
                why=f"needed by {need.why[0]}" if need.why else "",
                hint=f"kindling plugins search {need.capability.partition(':')[2]}",
                capability=need.capability,
            )
        shown = "; ".join(f"{item.name} {item.version}".strip() + f": {item.why}" for item in met[:5])
        hints = [item.hint for item in met if item.hint]
        return PolicyError(
            "KDL-REG-122",
            f"no plugin may be chosen for {need.capability!r}",
            why=shown,
            hint=hints[0] if hints else f"kindling plugins why-not {met[0].name}",
            capability=need.capability,
        )


def _refused(name: str, met: Sequence[Exclusion]) -> PolicyError:
    shown = "; ".join(f"{item.version}: {item.why}" if item.version else item.why for item in met[:5])
    hints = [item.hint for item in met if item.hint]
    return PolicyError(
        "KDL-REG-123",
        f"no release of {name!r} may be chosen",
        why=shown or "it has none",
        hint=hints[0] if hints else f"kindling plugins why-not {name}",
        name=name,
    )
