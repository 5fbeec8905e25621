from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kindling_plugin_sail.client import check, installed, versions

from kindling.errors import PluginError


def test_the_versions_stand_in_the_names_of_the_dist_info_folders(tmp_path: Path) -> None:
    names = ("pyspark_client-4.2.0", "pandas-2.3.3", "pysail-0.7.2", "pandas_stubs-2.0", "other-1.0")
    for name in names:
        (tmp_path / f"{name}.dist-info").mkdir()
    assert versions((tmp_path,)) == {"pyspark-client": "4.2.0", "pandas": "2.3.3", "pysail": "0.7.2"}


def test_this_environment_fits() -> None:
    check(installed())


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        (
            {"pyspark": "4.2.0", "pyspark-client": "4.2.0"},
            [
                "KDL-INFRA-110: pyspark and pyspark-client are both installed",
                "  why: they own the same files, so one has overwritten parts of the other",
                "  do: pip uninstall -y pyspark pyspark-client && pip install 'kindling-plugin-sail[client]'",
            ],
        ),
        (
            {"pysail": "0.7.2"},
            [
                "KDL-INFRA-111: the platform 'sail' needs a Spark Connect client",
                "  do: pip install 'kindling-plugin-sail[client]'",
            ],
        ),
        (
            {"pyspark": "4.3.0"},
            [
                "KDL-INFRA-112: the platform 'sail' does not work with pyspark 4.3.0",
                "  why: pysail 0.7.2 speaks to pyspark 4.2.x",
                "  do: pip install 'pyspark-client>=4.2,<4.3'",
            ],
        ),
        (
            {"pyspark": "4.2.1", "pysail": "0.8.0"},
            [
                "KDL-INFRA-113: the platform 'sail' does not work with pysail 0.8.0",
                "  why: it was tested with 0.7.2, and its work-arounds are for that version",
                "  do: pip install pysail==0.7.2",
            ],
        ),
    ],
)
def test_versions_that_do_not_fit_are_refused(found: dict[str, str], lines: list[str]) -> None:
    with pytest.raises(PluginError) as caught:
        check(found)
    assert str(caught.value).splitlines() == lines


def test_a_client_that_cannot_be_imported_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['grpc'] = None\n"
        "from kindling_plugin_sail.client import load\n"
        "try: load(light_pandas=False)\n"
        "except Exception as error: print(error)"
    )
    script = tmp_path / "script.py"  # from `-c` pyspark takes it for a test and leaves
    script.write_text(code)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[0] == "KDL-INFRA-114: the Spark Connect client cannot be imported"
    assert lines[-1] == "  do: pip install 'kindling-plugin-sail[client]'"


def test_pandas_is_real_for_all_but_pyspark_while_the_client_is_imported() -> None:
    code = (
        "from kindling_plugin_sail import light\n"
        "light.install('2.3.3')\n"
        "import pandas\n"
        "assert pandas.DataFrame({'a': [1]}).shape == (1, 1)\n"
        "import pandas as again\n"
        "assert type(again).__name__ == 'module'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
