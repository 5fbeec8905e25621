"""The settings of the executor, checked. It enforces none of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from kindling.errors import ConfigError
from kindling.hooks import Plain

PLATFORMS = ("linux", "darwin")


@dataclass(frozen=True, slots=True)
class Limits:
    """What processes may do.

    Attributes:
        memory_mb: Most resident memory of a task's process tree in MiB; 0 for no limit.
        nice: Added to the processes' niceness, 0 to 19.
        warm: Processes that stand ready beyond those that work.
        start_s: Seconds that a process may take to start.
        exit_s: Seconds that it may take to end.
    """

    memory_mb: int = 0
    nice: int = 0
    warm: int = 1
    start_s: float = 60.0
    exit_s: float = 5.0


def limits_of(settings: Mapping[str, Plain], platform: str = sys.platform) -> Limits:
    """Return the limits that settings state.

    Args:
        settings: The executor's own settings; missing ones have their defaults.
        platform: As `sys.platform`.

    Raises:
        ConfigError: KDL-RUN-300, a value is out of its range; KDL-RUN-301, the system has no process groups.
    """
    if platform not in PLATFORMS:
        raise ConfigError(
            "KDL-RUN-301",
            "the executor 'process' does not work on this system",
            why=f"it needs process groups and signals, and this is {platform!r}",
            hint='set executor.default = "threads"',
        )
    made = Limits(
        int(_within(settings, "memory_mb", Limits().memory_mb, 0)),
        int(_within(settings, "nice", Limits().nice, 0, 19)),
        int(_within(settings, "warm", Limits().warm, 0, 64)),
        _within(settings, "start_s", Limits().start_s, 0.001),
        _within(settings, "exit_s", Limits().exit_s, 0.0),
    )
    if 0 < made.memory_mb < 64:  # noqa: PLR2004  # an interpreter alone takes 40 MiB
        raise _refused("memory_mb", made.memory_mb, "0, or at least 64: Python alone takes 40")
    return made


def _within(
    settings: Mapping[str, Plain], name: str, default: float, least: float, most: float | None = None
) -> float:
    value = settings.get(name, default)
    if not isinstance(value, (int, float)) or value < least or (most is not None and value > most):
        span = f"at least {least:g}" if most is None else f"{least:g} to {most:g}"
        raise _refused(name, value, f"a number, {span}")
    return float(value)


def _refused(name: str, value: object, expected: str) -> ConfigError:
    return ConfigError(
        "KDL-RUN-300",
        f"the setting {name!r} of the executor 'process' is out of range",
        why=f"found {value!r}, expected {expected}",
        hint=f"correct {name} in [executor.process] of kindling.toml",
    )
