"""Install exactly what a lock says, checked by its hashes; no index is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kindling.errors import PolicyError, raise_together
from kindling_plugin_registry.client.downloads import fetch
from kindling_plugin_registry.client.environment import detect
from kindling_plugin_registry.client.installers import (
    Order,
    call,
    command_text,
    install_command,
)
from kindling_plugin_registry.client.installing import requirements_file
from kindling_plugin_registry.client.kernel import installed_versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kindling.errors import KindlingError
    from kindling_plugin_registry.client.lockfile import Lock, Locked
    from kindling_plugin_registry.client.market import Market
    from kindling_plugin_registry.client.registries import Client


def missing(lock: Lock) -> list[Locked]:
    """Return the locked packages that this Python needs and has not in that version."""
    installed = installed_versions()
    return [item for item in lock.packages if item.is_needed and installed.get(item.name) != item.version]


def sync(
    client: Client, packages: Sequence[Locked], backend: str, *, is_offline: bool, is_dry: bool = False
) -> str:
    """Install locked packages in one call, after each file was fetched and checked; return the command.

    Raises:
        PolicyError: KDL-REG-155, a package has no file for this Python; KDL-REG-142, a file is refused.
        RunError: KDL-REG-140, the installer failed.
    """
    environment = detect()
    chosen = environment.backend(backend)
    if is_dry:
        return command_text(
            install_command(environment, chosen, Order("REQUIREMENTS", is_offline=True, is_exact=True))
        )
    lines = [_line(client, item, is_offline=is_offline) for item in packages]
    with requirements_file(lines) as file:
        command = install_command(environment, chosen, Order(file, is_offline=True, is_exact=True))
        call(command)
    return command_text(command)


def refuse_dangerous(market: Market, packages: Sequence[Locked]) -> list[str]:
    """Refuse locked plugins that were revoked, or are vulnerable, as policy says; return warnings.

    Raises:
        PolicyError: KDL-REG-156; several together.
    """
    from datetime import datetime, timezone

    from kindling_plugin_registry.client.judging import Judge

    judge = Judge(market, datetime.now(timezone.utc))
    faults: list[KindlingError] = []
    for item in packages:
        excluded = judge.plugin(item.name) if market.owner(item.name) is not None else None
        excluded = excluded or judge.danger(item.name, item.version)
        if excluded is not None:
            faults.append(
                PolicyError(
                    "KDL-REG-156",
                    f"the locked plugin {item.name!r} {item.version} is refused",
                    why=excluded.why,
                    hint=f"kindling plugins lock --upgrade; {excluded.hint}",
                )
            )
    raise_together(faults)
    return list(judge.warnings)


def _line(client: Client, item: Locked, *, is_offline: bool) -> str:
    file = item.fitting()
    if file is None:
        raise PolicyError(
            "KDL-REG-155",
            f"the lock has no file of {item.name!r} {item.version} for this Python",
            why=f"it has {', '.join(found.filename for found in item.files) or 'none'}",
            hint="kindling plugins lock --upgrade",
        )
    path = fetch(client, file.url, file.filename, file.digest, file.size, is_offline=is_offline)
    return f"{item.name} @ {Path(path).as_uri()} --hash=sha256:{file.digest}"
