"""The fast path: what it may import, and that it says the same as the ordinary commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from terminal import Terminal


def test_the_version_imports_nearly_nothing(folder: Terminal) -> None:
    names = folder.imports("--version")
    assert names == {"__future__", "kindling", "kindling.__main__"}


def test_what_is_unusual_goes_to_the_ordinary_command(shop: Terminal) -> None:
    done = shop("run", "--env", "nowhere")
    assert done.code == 2
    assert done.err.startswith("KDL-CONF-")
    assert "No such option" in shop("run", "--no-such-option").err
    assert "No such option" in shop("plugins", "list", "--no-such-option").err


def test_a_strange_number_of_workers_goes_to_the_ordinary_command(shop: Terminal) -> None:
    for number in ("0", "many", "²"):
        done = shop("run", "--workers", number)
        assert done.code == 2
        assert "Invalid value for '--workers' / '-w'" in done.err
