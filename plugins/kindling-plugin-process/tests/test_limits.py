from __future__ import annotations

import pytest
from kindling_plugin_process.limits import Limits, limits_of

from kindling.errors import ConfigError


def test_settings_have_defaults_and_are_taken_over() -> None:
    assert limits_of({}) == Limits(memory_mb=0, nice=0, warm=1, start_s=60.0, exit_s=5.0)
    given = {"memory_mb": 512, "nice": 5, "warm": 0, "start_s": 9, "exit_s": 0.5}
    assert limits_of(given) == Limits(memory_mb=512, nice=5, warm=0, start_s=9.0, exit_s=0.5)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("memory_mb", -1, "found -1, expected a number, at least 0"),
        ("memory_mb", 10, "found 10, expected 0, or at least 64: Python alone takes 40"),
        ("nice", 20, "found 20, expected a number, 0 to 19"),
        ("warm", -1, "found -1, expected a number, 0 to 64"),
        ("start_s", 0, "found 0, expected a number, at least 0.001"),
        ("exit_s", "soon", "found 'soon', expected a number, at least 0"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(name: str, value: float | str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        limits_of({name: value})
    assert str(caught.value) == (
        f"KDL-RUN-300: the setting '{name}' of the executor 'process' is out of range\n"
        f"  why: {why}\n"
        f"  do: correct {name} in [executor.process] of kindling.toml"
    )


def test_a_system_without_process_groups_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        limits_of({}, "win32")
    assert str(caught.value) == (
        "KDL-RUN-301: the executor 'process' does not work on this system\n"
        "  why: it needs process groups and signals, and this is 'win32'\n"
        '  do: set executor.default = "threads"'
    )
