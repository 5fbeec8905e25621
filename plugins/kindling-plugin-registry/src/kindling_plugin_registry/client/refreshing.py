"""Bring the copy of an index up to date: in a child process, because `tuf` takes long to import."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from kindling.errors import InfrastructureError, KindlingError, PolicyError
from kindling_plugin_registry.client.copies import Copy, check_fresh, read_copy

if TYPE_CHECKING:
    import subprocess

    from kindling_plugin_registry.client.registries import Registry

_MODULE = "kindling_plugin_registry.client.refresh_process"
_TIMEOUT_S = 600


def refresh(registry: Registry, *, url: str = "", folder: str = "") -> Copy:
    """Verify a registry's index and keep the copy; unchanged ones are only looked at.

    Effects: reads the registry, writes its folder, starts a process.

    Args:
        registry: The registry.
        url: Read it from there, for example from an unpacked bundle.
        folder: Keep it there.

    Raises:
        PolicyError: KDL-REG-030, a signature, version, hash or expiry is wrong; KDL-REG-106, no root.
        InfrastructureError: KDL-REG-031, it cannot be read; KDL-REG-107, the child process failed.
    """
    target = registry.replace(url=url or registry.url, folder=folder or registry.folder)
    import subprocess

    order = {"name": target.name, "url": target.url, "root": target.root, "folder": target.folder}
    done = subprocess.run(  # noqa: S603  # this very Python and a module of this package
        [sys.executable, "-m", _MODULE],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    answer = _answer(done, target)
    if "code" in answer:
        kinds: dict[int, type[KindlingError]] = {4: InfrastructureError}
        made = kinds.get(int(str(answer["exit_code"])), PolicyError)
        parts = {key: str(answer[key]) for key in ("why", "where", "hint")}
        raise made(
            str(answer["code"]),
            f"{answer['what']} (registry {registry.name!r})",
            why=parts["why"],
            where=parts["where"],
            hint=parts["hint"],
        )
    copy = read_copy(target)
    if copy is None:
        raise _failed(target, "it wrote no copy")
    return copy


def copy_of(registry: Registry, *, refreshes: bool = False, is_offline: bool = False) -> Copy:
    """Return the verified copy of a registry; without one, or with `refreshes`, it is fetched first.

    Raises:
        PolicyError: KDL-REG-104, it has expired; and those of `refresh`.
        InfrastructureError: KDL-REG-108, there is none and nothing may be fetched.
    """
    copy = read_copy(registry)
    if is_offline:
        if copy is None:
            raise InfrastructureError(
                "KDL-REG-108",
                f"there is no copy of the registry {registry.name!r} on this machine",
                why="--offline was said",
                hint="kindling plugins search --refresh while there is a network",
            )
    elif copy is None or refreshes:
        copy = refresh(registry)
    check_fresh(copy)
    return copy


def _answer(done: subprocess.CompletedProcess[str], registry: Registry) -> dict[str, object]:
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise _failed(registry, last[0]) from None
    return answer if isinstance(answer, dict) else {}


def _failed(registry: Registry, why: str) -> InfrastructureError:
    return InfrastructureError(
        "KDL-REG-107", f"the index of the registry {registry.name!r} could not be verified", why=why
    )
