"""What one installed plugin says about itself: for `kindling plugins info`, `enable` and `disable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.cli.tables import table_text
from kindling.errors import UsageError
from kindling.names import canonical, close_names, did_you_mean
from kindling.plugins.policy import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.plugins.catalog import Catalog
    from kindling.plugins.manifest import Capability, Distribution


def find_distribution(catalog: Catalog, name: str) -> Distribution:
    """Return an installed distribution by its name, short form or one of its capabilities.

    Raises:
        UsageError: KDL-USE-040, there is none.
        PluginError: The distribution is broken.
    """
    wanted = _distribution_name(catalog, name)
    for distribution in catalog.distributions:
        if distribution.name == wanted:
            return distribution
    for fault in catalog.faults:
        if fault.facts.get("distribution") == wanted:
            raise fault
    raise _unknown(catalog, name)


def check_known(catalog: Catalog, name: str) -> None:
    """Refuse a name that no installed plugin or capability has; a broken plugin counts as installed.

    Raises:
        UsageError: KDL-USE-040, there is none.
    """
    wanted = _distribution_name(catalog, name)
    broken = [str(fault.facts.get("distribution", "")) for fault in catalog.faults]
    if wanted not in [*broken, *(item.name for item in catalog.distributions)]:
        raise _unknown(catalog, name)


def _distribution_name(catalog: Catalog, name: str) -> str:
    if ":" in name:
        owners = [item.distribution for item in catalog.installed() if item.id == name]
        return owners[0] if owners else name
    plain = canonical(name)
    known = {item.name for item in catalog.distributions}
    return plain if plain in known or plain.startswith(PREFIX) else f"{PREFIX}{plain}"


def _unknown(catalog: Catalog, name: str) -> UsageError:
    capabilities = [item.id for item in catalog.installed()]
    names = [item.name for item in catalog.distributions]
    short = [item.removeprefix(PREFIX) for item in names]
    near = close_names(name, [*names, *short, *capabilities])
    return UsageError(
        "KDL-USE-040",
        f"no installed plugin is called {name!r}",
        why=did_you_mean(name, near) if near else "",
        hint="kindling plugins list",
    )


def info_plain(catalog: Catalog, distribution: Distribution) -> dict[str, object]:
    """Return a plugin as JSON types."""
    return {
        "name": distribution.name,
        "version": distribution.version,
        "summary": distribution.summary,
        "package": distribution.package,
        "manifest": distribution.manifest,
        "permissions": list(distribution.permissions),
        "conflicts": list(distribution.conflicts),
        "capabilities": [_capability_plain(catalog, item) for item in _owned(catalog, distribution)],
    }


def _owned(catalog: Catalog, distribution: Distribution) -> list[Capability]:
    return [item for item in catalog.installed() if item.distribution == distribution.name]


def _capability_plain(catalog: Catalog, item: Capability) -> dict[str, object]:
    fault = catalog.unusable(item)
    return {
        "id": item.id,
        "api": item.api,
        "help": item.help,
        "features": list(item.features),
        "probe": item.probe,
        "needs": [
            {"use": use, "ways": [{"session": list(session), "mode": mode} for session, mode in ways]}
            for use, ways in item.needs
        ],
        "config": {key: dict(facts) for key, facts in item.config.items()},
        "is_usable": fault is None,
        "fault": fault.to_plain() if fault else None,
    }


def info_text(catalog: Catalog, distribution: Distribution) -> str:
    """Return a plugin for people."""
    lines = [f"{distribution.name} {distribution.version}\n"]
    if distribution.summary:
        lines.append(f"{distribution.summary}\n")
    lines.append(f"may use: {', '.join(distribution.permissions) or 'nothing outside of the process'}\n")
    if distribution.conflicts:
        lines.append(f"conflicts with: {', '.join(distribution.conflicts)}\n")
    lines.append(f"manifest: {distribution.manifest}\n")
    for item in _owned(catalog, distribution):
        lines += ["\n", *_capability_lines(catalog, item)]
    return "".join(lines)


def _capability_lines(catalog: Catalog, item: Capability) -> list[str]:
    fault = catalog.unusable(item)
    lines = [f"{item.id}, API {item.api}: {'ready' if fault is None else 'not usable'}\n"]
    if fault is not None:
        lines.append(f"  {fault.what}: {fault.why}\n  do: {fault.hint}\n")
    if item.help:
        lines.append(f"  {item.help}\n")
    lines.append(f"  features: {', '.join(item.features) or 'none'}\n")
    rows = [
        (f"  {use}", " or ".join(f"{'+'.join(session) or 'any session'} ({mode})" for session, mode in ways))
        for use, ways in item.needs
    ]
    lines += ["  needs of the platform's session:\n", _indented(rows)] if rows else []
    config = [
        (f"  {item.kind}.{item.name}.{key}", str(facts.get("type", "")), str(facts.get("doc", "")))
        for key, facts in item.config.items()
    ]
    return [*lines, *(["  settings:\n", _indented(config)] if config else [])]


def _indented(rows: Sequence[Sequence[str]]) -> str:
    return "".join(f"  {line}\n" for line in table_text(rows).splitlines())
