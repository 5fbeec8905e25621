from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

LIST = """
import os, sys
from kindling.plugins.listing import list_text, listing
"""


def test_a_list_shows_capability_plugin_version_and_state(site: Site) -> None:
    site.plugin("storage:ore")
    site.plugin("storage:gem", api="2.0")
    site.plugin("storage:old", distribution="a-old", package="a_old")
    site.plugin("storage:old", distribution="b-old", package="b_old")
    (site.plugin("sink:torn") / "kindling.json").write_text("{")
    told = site.run(f"{LIST}print(list_text(os.environ['CACHE']), end='')", KINDLING_PLUGINS_DISABLE="ore")
    twice = "conflict: only one of them can be used, and nothing says which"
    assert told.splitlines() == [
        "capability    plugin               version  state",
        "secrets:env   kindling-core        0.1.0    ready",
        "state:sqlite  kindling-core        0.1.0    ready",
        (
            "storage:gem   kindling-plugin-gem  1.0      incompatible: it is made for the storage API 2.0, "
            "this kernel supports 1.0 to 1.0"
        ),
        f"storage:old   a-old                1.0      {twice}",
        f"storage:old   b-old                1.0      {twice}",
        "storage:ore   kindling-plugin-ore  1.0      disabled: KINDLING_PLUGINS_DISABLE names 'ore'",
        "",
        "KDL-PLUG-010: the manifest of 'kindling-plugin-torn' 1.0 cannot be read",
        "  why: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        "  where: <site>/kindling_plugin_torn/kindling.json",
        "  do: pip install --force-reinstall kindling-plugin-torn, or tell its authors",
    ]


def test_a_list_as_plain_data(site: Site) -> None:
    site.plugin("storage:ore", features=["reads"], help="Ore.")
    code = f"""{LIST}
import json
from kindling.plugins.policy import Policy
print(json.dumps(listing(os.environ['CACHE'], Policy(block=("ore",)))))
"""
    plain = json.loads(site.run(code))
    assert plain["schema"] == "kindling.plugins/1"
    assert plain["faults"] == plain["conflicts"] == []
    assert plain["capabilities"][-1] == {
        "id": "storage:ore",
        "distribution": "kindling-plugin-ore",
        "version": "1.0",
        "api": "1.0",
        "features": ["reads"],
        "help": "Ore.",
        "state": "blocked",
        "why": "plugins.block names 'ore'",
    }


def test_conflicts_are_listed(site: Site) -> None:
    site.plugin("storage:old", distribution="a-old", package="a_old")
    site.plugin("storage:old", distribution="b-old", package="b_old")
    code = f"{LIST}import json\nprint(json.dumps(listing('')['conflicts']))"
    assert json.loads(site.run(code)) == [
        {"reason": "capability", "subject": "storage:old", "distributions": ["a-old", "b-old"]}
    ]


def test_a_warm_list_imports_no_plugin_and_nothing_heavy(site: Site) -> None:
    for number in range(50):
        site.plugin(f"storage:p{number}", source="raise SystemExit")
    heavy = [
        "importlib.metadata",
        "importlib_metadata",
        "pluggy",
        "dataclasses",
        "typing",
        "pathlib",
        "click",
        "rich",
        "argparse",
    ]
    code = f"""{LIST}
text = list_text(os.environ['CACHE'])
loaded = [name for name in sys.modules if name in {heavy} or name.startswith("kindling_plugin")]
print(text.count("ready"), loaded)
"""
    site.run(code)
    assert site.run(code) == "52 []\n"
