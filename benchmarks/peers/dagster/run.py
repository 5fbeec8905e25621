"""The tables of `work.json` as Dagster's assets, in one process: `materialize`, as its docs test assets.

python run.py          # nothing is kept: the fastest form
python run.py kept     # history in the SQLite files of DAGSTER_HOME
python run.py stale    # as `kept`, but only what its automation conditions ask for
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import dagster as dg
from tables import PIPES, WORK, make

CONDITION = (
    dg.AutomationCondition.missing()
    | dg.AutomationCondition.code_version_changed()
    | dg.AutomationCondition.any_deps_updated()
)


def asset_of(name: str) -> dg.AssetsDefinition:
    """Declare one table."""
    pipe = PIPES[name]

    @dg.asset(
        name=name,
        deps=[item for item in pipe["inputs"] if item not in WORK["sources"]],
        code_version=hashlib.sha256(str(pipe["sql"]).encode()).hexdigest()[:16],
        automation_condition=CONDITION,
    )
    def table() -> None:
        make(name)

    return table


ASSETS = [asset_of(name) for name in PIPES]


def changed(instance: dg.DagsterInstance) -> list[dg.AssetKey]:
    """Return the assets that their conditions ask for; the evaluation is remembered in a file."""
    remembered = Path("cursor.json")
    before = dg.deserialize_value(remembered.read_text()) if remembered.exists() else None
    found = dg.evaluate_automation_conditions(ASSETS, instance, cursor=before)
    remembered.write_text(dg.serialize_value(found.cursor))
    return [asset.key for asset in ASSETS if found.get_num_requested(asset.key)]


def main() -> None:
    """Run one of the three forms."""
    form = sys.argv[1] if len(sys.argv) > 1 else ""
    if not form:
        dg.materialize(ASSETS)
        return
    with dg.DagsterInstance.get() as instance:
        selection = changed(instance) if form == "stale" else None
        if selection is None or selection:
            dg.materialize(ASSETS, instance=instance, selection=selection)


if __name__ == "__main__":
    main()
