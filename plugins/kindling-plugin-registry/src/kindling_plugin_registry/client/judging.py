"""May a release be chosen? One function for each rule; each answer is an exclusion that can be shown."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kindling import __version__ as kernel_version
from kindling.names import canonical
from kindling.values import Value
from kindling_plugin_registry.client.kernel import PREFIX, api_fault
from kindling_plugin_registry.client.registries import LEVELS
from kindling_plugin_registry.versions import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kindling_plugin_registry.client.market import Market
    from kindling_plugin_registry.client.needs import Need
    from kindling_plugin_registry.records import Page, Release


class Exclusion(Value):
    """Why a plugin, or one of its releases, was not chosen.

    Attributes:
        name: The plugin.
        version: The release, or "" for all.
        rule: A word for scripts: `blocked`, `level`, `cooldown` ...
        why: What was found and what was expected.
        hint: What would let it in, or "".
        capability: For which need; "" for all.
    """

    name: str
    version: str
    rule: str
    why: str
    hint: str = ""
    capability: str = ""

    def to_plain(self) -> dict[str, object]:
        """Return it as JSON types."""
        return {key: getattr(self, key) for key in ("name", "version", "rule", "why", "hint", "capability")}


class Judge:
    """Knows the rules and the machine.

    Attributes:
        warnings: What a rule only warns about, as texts.
    """

    def __init__(self, market: Market, now: datetime, *, has_cooldown: bool = True) -> None:
        self.market = market
        self.rules = market.client.rules
        self.policy = market.client.policy
        self.now = now
        self.has_cooldown = has_cooldown
        self.warnings: dict[str, None] = {}
        self.python = ".".join(map(str, sys.version_info[:3]))

    def plugin(self, name: str, capability: str = "") -> Exclusion | None:
        """Judge a name by the lists of policy; names are canonical on both sides."""
        names = {name, name.removeprefix(PREFIX), *([capability] if capability else [])}
        if found := names.intersection(self.policy.block):
            listed = ", ".join(sorted(found))
            return Exclusion(
                name, "", "blocked", f"plugins.block names {listed}", "take it from [plugins] block"
            )
        if self.policy.allow and not names.intersection(self.policy.allow):
            listed = ", ".join(self.policy.allow)
            return Exclusion(
                name,
                "",
                "not-allowed",
                f"plugins.allow names only {listed}",
                f'add "{name}" to [plugins] allow',
            )
        preferred = self.policy.preferred(capability)
        if preferred not in ("", name):
            why = f"plugins.prefer names {preferred} for {capability}"
            return Exclusion(name, "", "preferred", why, "change [plugins.prefer]")
        return None

    def release(self, page: Page, release: Release, need: Need | None = None) -> Exclusion | None:
        """Return the first rule that excludes a release, or None."""
        for rule, why, hint in self._faults(page, release, need):
            return Exclusion(
                release.name, release.version, rule, why, hint, need.capability if need is not None else ""
            )
        return None

    def danger(self, name: str, version: str) -> Exclusion | None:
        """Judge a release by revocations and advisories; what policy only warns about becomes a warning."""
        found = None
        if item := self.market.revocation(name, version):
            why = f"revoked ({item.severity}): {item.reason}"
            found = self._dangerous(name, version, "revoked", why, self.rules.revoked)
        for advisory in self.market.affecting(name, version):
            why = f"{advisory.id}: {advisory.summary}"
            found = self._dangerous(name, version, "vulnerable", why, self.rules.vulnerable) or found
        return found

    def _dangerous(self, name: str, version: str, rule: str, why: str, action: str) -> Exclusion | None:
        if action == "refuse":
            return Exclusion(name, version, rule, why, f'[plugins.policy] {rule} = "warn" would only warn')
        self.warnings[f"{name} {version} is {rule}: {why.removeprefix('revoked ')}"] = None
        return None

    def _faults(self, page: Page, release: Release, need: Need | None) -> Iterator[tuple[str, str, str]]:
        if release.yanked is not None:
            yield "yanked", release.yanked.reason, ""
        if not is_within(self.python, release.requires_python):
            yield "python", f"needs Python {release.requires_python}, this is {self.python}", ""
        if not is_within(kernel_version, release.requires_kernel):
            why = f"needs kindling-core {release.requires_kernel}, installed is {kernel_version}"
            yield "kernel", why, "pip install --upgrade kindling-core"
        if need is not None:
            yield from _need_faults(release, need)
        yield from self._rule_faults(page, release)
        if excluded := self.danger(release.name, release.version):
            yield excluded.rule, excluded.why, excluded.hint

    def _rule_faults(self, page: Page, release: Release) -> Iterator[tuple[str, str, str]]:
        level = page.levels[release.version]
        least = self.rules.require_level
        if LEVELS.index(level.level) < LEVELS.index(least):
            why = f"its level is {level.level}, plugins.policy.require_level is {least}"
            yield "level", why, f'[plugins.policy] require_level = "{level.level}"'
        if self.rules.licenses and page.record.license not in self.rules.licenses:
            listed = ", ".join(self.rules.licenses)
            yield "license", f"its license is {page.record.license}, permitted are {listed}", ""
        age = self.now - datetime.fromisoformat(release.released_at)
        wait = timedelta(days=self.rules.cooldown_days)
        if self.has_cooldown and age < wait:
            days = max(0, age.days)
            why = f"released {days} days ago, plugins.policy.cooldown_days is {self.rules.cooldown_days}"
            yield "cooldown", why, "--no-cooldown, or wait"


def named_version(text: str) -> tuple[str, str]:
    """Split `name==1.0` or `name>=1` into the canonical name and a specifier, "" for any version.

    Raises:
        UsageError: KDL-REG-112, it is no requirement.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    from kindling.errors import UsageError

    try:
        found = Requirement(text)
    except InvalidRequirement as cause:
        raise UsageError(
            "KDL-REG-112",
            f"{text!r} is no requirement",
            why=str(cause).splitlines()[0],
            hint="for example kindling-plugin-delta, or 'kindling-plugin-delta==1.0'",
        ) from cause
    return canonical(found.name), str(found.specifier)


def _need_faults(release: Release, need: Need) -> Iterator[tuple[str, str, str]]:
    offered = next((item for item in release.provides if item.capability == need.capability), None)
    if offered is None:
        yield "capability", f"it does not offer {need.capability}", ""
        return
    if why := api_fault(need.capability.partition(":")[0], offered.api):
        yield "api", why, "pip install --upgrade kindling-core"
    missing = [name for name in need.features if name not in offered.features]
    if missing:
        yield "features", f"{need.capability} is offered without {', '.join(missing)}", ""
