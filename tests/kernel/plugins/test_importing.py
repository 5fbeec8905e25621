from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.kernel.plugins.conftest import Site

ATTEMPT = "attempt(loader.storage, 'ore')"


def test_an_entry_without_its_module_is_told_as_such(site: Site) -> None:
    (site.plugin("storage:ore") / "plugin.py").unlink()
    assert site.tell(ATTEMPT) == (
        "KDL-PLUG-020: 'kindling-plugin-ore' 1.0 has no module 'kindling_plugin_ore.plugin'\n"
        "  why: its entry 'kindling.storage: ore' points there\n"
        "  do: pip install --force-reinstall kindling-plugin-ore"
    )


def test_a_missing_dependency_names_plugin_entry_cause_place_and_command(site: Site) -> None:
    site.plugin("storage:ore", source="# first line\nimport nowhere_to_be_found\n")
    assert site.tell(ATTEMPT) == (
        "KDL-PLUG-021: 'storage:ore' of 'kindling-plugin-ore' 1.0 cannot be imported\n"
        "  why: ModuleNotFoundError: No module named 'nowhere_to_be_found'\n"
        "  where: <site>/kindling_plugin_ore/plugin.py:2\n"
        "  do: pip install --upgrade kindling-plugin-ore"
    )


def test_a_broken_import_is_chained_and_carries_its_facts(site: Site) -> None:
    site.plugin("storage:ore", source="x = 1\nraise RuntimeError('no luck')\n")
    code = """
try:
    loader.storage("ore")
except KindlingError as error:
    tell([repr(error.__cause__), error.where, error.hint, error.facts])
"""
    assert json.loads(site.script(code)) == [
        "RuntimeError('no luck')",
        "<site>/kindling_plugin_ore/plugin.py:2",
        "pip install --force-reinstall kindling-plugin-ore",
        {
            "capability": "storage:ore",
            "distribution": "kindling-plugin-ore",
            "version": "1.0",
            "entry": "kindling.storage: ore = kindling_plugin_ore.plugin",
        },
    ]


def test_a_syntax_error_and_an_exit_are_import_errors_too(site: Site) -> None:
    site.plugin("storage:ore", source="def (:\n")
    site.plugin("storage:gem", source="raise SystemExit\n")
    assert "why: SyntaxError: " in str(site.tell(ATTEMPT))
    assert "why: SystemExit\n" in str(site.tell("attempt(loader.storage, 'gem')"))


def test_an_engine_at_the_top_of_a_module_is_refused_where_it_stands(site: Site) -> None:
    package = site.plugin("storage:ore", source="import math\nimport kindling_plugin_ore.tables\n")
    (package / "tables.py").write_text("\n\nimport pandas\n")
    (site.path / "pandas.py").write_text("")
    assert site.tell(ATTEMPT) == (
        "KDL-PLUG-022: 'kindling_plugin_ore.plugin' of 'kindling-plugin-ore' 1.0 imports the engine "
        "'pandas' at its top\n"
        "  why: loading one capability must not start the import of an engine\n"
        "  where: <site>/kindling_plugin_ore/tables.py:3\n"
        "  do: move the import of pandas into the factory"
    )


def test_an_engine_that_a_foreign_module_imports_is_traced_to_the_plugin(site: Site) -> None:
    site.plugin("storage:ore", source="import wrapper\n")
    (site.path / "wrapper.py").write_text("import duckdb\n")
    (site.path / "duckdb.py").write_text("")
    assert "where: <site>/kindling_plugin_ore/plugin.py:1\n" in str(site.tell(ATTEMPT))


def test_an_engine_that_another_thread_imports_meanwhile_is_not_blamed_on_the_plugin(site: Site) -> None:
    (site.path / "pyarrow.py").write_text("")
    plugin = site.plugin("storage:ore") / "plugin.py"
    wait = """
import sys, threading
thread = threading.Thread(target=__import__, args=("pyarrow",))
thread.start()
thread.join()
assert "pyarrow" in sys.modules
"""
    plugin.write_text(wait + plugin.read_text())
    assert site.tell("loader.storage('ore').name") == "ore"


def test_an_engine_at_the_top_of_a_probe_is_refused(site: Site) -> None:
    package = site.plugin("storage:ore", probe="local", probe_module="kindling_plugin_ore.probe")
    (package / "probe.py").write_text("import deltalake\n")
    (site.path / "deltalake.py").write_text("")
    assert "KDL-PLUG-022: 'kindling_plugin_ore.probe'" in str(site.tell("attempt(loader.probe, 'ore')"))
    again = "[attempt(loader.probe, 'ore')[:12] for _ in 'ab']"
    assert site.tell(again) == ["KDL-PLUG-022", "KDL-PLUG-022"]


def test_the_watch_leaves_the_import_system_as_it_was(site: Site) -> None:
    site.plugin("storage:ore")
    site.plugin("storage:gem", source="raise OSError")
    watched = "any('Watch' in type(finder).__name__ for finder in sys.meta_path)"
    assert site.tell(f"[{ATTEMPT} and '', attempt(loader.storage, 'gem')[:12], {watched}]") == [
        "",
        "KDL-PLUG-021",
        False,
    ]
