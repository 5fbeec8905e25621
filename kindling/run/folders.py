"""The folders of runs: those that the state has forgotten are removed. Not what stands in them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kindling.hooks.state import State

KEPT_FOLDERS = 200
"""How many run folders stay in any case; as many as the state keeps runs of one app and environment."""


def prune(state: State, parent: str, keep: int = KEPT_FOLDERS) -> None:
    """Remove the folders of runs beyond the newest ones that the state does not know any more.

    What cannot be removed is left for a later run: old files must not fail a new run.

    Args:
        state: Where the project's runs are recorded.
        parent: The folder `runs`.
        keep: How many of the newest stay in any case.
    """
    names = os.listdir(parent)
    if len(names) <= keep:  # nearly always: no file is looked at
        return
    for name in sorted(names, key=lambda name: _changed(parent, name), reverse=True)[keep:]:
        record = state.run(name)
        if record is None or record.run_id != name:
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)


def _changed(parent: str, name: str) -> float:
    try:
        return os.stat(os.path.join(parent, name)).st_mtime
    except OSError:  # another run has just removed it
        return 0.0
