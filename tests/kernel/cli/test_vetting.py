"""What is looked at before a run: the lock, and what registries warn about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kindling import __version__
from kindling.plugins.locks import installed_versions
from kindling.plugins.warnings import SCHEMA

if TYPE_CHECKING:
    from terminal import Terminal

LOCK = 'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "click"\nversion = "{}"\n'


def test_run_locked_refuses_drift_with_five_before_anything_runs(shop: Terminal) -> None:
    assert shop("run", "--locked").code == 5
    shop.write("pylock.kindling.toml", LOCK.format("0.0.1"))
    done = shop("run", "--locked", "--env", "dev")
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("KDL-POL-031: what is installed is not what the lock says\n")
    shop.write("pylock.kindling.toml", LOCK.format(installed_versions()["click"]))
    assert "KDL-POL" not in shop("run", "--locked", "--dry-run").err


def test_a_run_warns_and_refuses_as_policy_says(shop: Terminal) -> None:
    row = {
        "name": "kindling-core",
        "kind": "vulnerable",
        "id": "KINDSA-2026-0001",
        "specifiers": ["*"],
        "versions": [],
        "why": "leaks",
    }
    shop.write(".kindling/plugin-warnings.json", json.dumps({"schema": SCHEMA, "warnings": [row]}))
    text = f"kindling-core {__version__} is vulnerable: KINDSA-2026-0001: leaks"
    assert f"warning: {text}\n" in shop("run", "--dry-run").err
    done = shop("run", "--dry-run", "--set", "plugins.policy.vulnerable=refuse")
    assert done.code == 5
    assert done.err.startswith(f"KDL-POL-032: the plugin 'kindling-core' {__version__} is vulnerable\n")
    assert text in shop("doctor", "--no-start").out
