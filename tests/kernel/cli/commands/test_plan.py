from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_all_that_is_not_installed_is_told_once_with_its_command(shop: Terminal) -> None:
    done = shop("plan", KINDLING_PLUGINS_ONLY="kindling-core")
    assert (done.code, done.out) == (2, "")
    assert [line for line in done.err.splitlines() if line.startswith("KDL-")] == [
        "KDL-PLUG-002: no installed plugin offers 'storage:delta'",
        "KDL-PLUG-002: no installed plugin offers 'storage:csv'",
        "KDL-PLUG-002: no installed plugin offers 'platform:duckdb'",
    ]
    for name in ("delta", "duckdb"):
        assert f"  do: pip install kindling-plugin-{name}\n" in done.err
