from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Author
    from kindling_plugin_registry.check.checking import Checked

PLUGIN = "src/kindling_plugin_attic/plugin.py"
CONNECT = """import contextlib
import socket

with contextlib.suppress(OSError):
    socket.create_connection(("192.0.2.1", 80), timeout=0.01)"""
SPAWN = "import subprocess\nimport sys\n\nsubprocess.run([sys.executable, '-c', 'pass'])"
WRITE = "import pathlib\n\npathlib.Path('tmp/x').write_text('x')"
ENGINE = "import importlib\n\nimportlib.import_module('pyarrow')"
SLOW = "import time\n\ntime.sleep(0.6)"
EFFECTS = {
    "connects": (CONNECT, "KDL-REG-222", "importing the plugin connects", "connect 192.0.2.1:80"),
    "starts a process": (SPAWN, "KDL-REG-223", "importing the plugin starts a process", "python"),
    "writes files": (WRITE, "KDL-REG-224", "importing the plugin writes files", "<temporary>"),
    "imports an engine by a detour": (ENGINE, "KDL-REG-211", "importing the plugin imports 'pyarrow'", ""),
    "raises": ("raise RuntimeError('no')", "KDL-REG-221", "'kindling_plugin_attic.plugin' cannot", "no"),
}


def told(done: Checked, code: str) -> str:
    """Return the one finding with a code."""
    (found,) = [finding.text() for finding in done.findings if finding.code == code]
    return found


@pytest.mark.parametrize("case", EFFECTS)
def test_importing_must_have_no_effects(author: Author, case: str) -> None:
    lines, code, what, seen = EFFECTS[case]
    author.begin(PLUGIN, lines)
    done = author.tried(is_tested=False)
    text = told(done, code)
    assert f"fail  {code}: {what}" in text
    assert seen in text
    assert done.exit_code == 1


def test_a_slow_import_is_told_in_milliseconds(author: Author) -> None:
    author.begin(PLUGIN, SLOW)
    done = author.tried(is_tested=False)
    assert done.result is not None
    assert done.result.import_ms >= 600
    assert told(done, "KDL-REG-225") == (
        f"fail  KDL-REG-225: importing 'kindling-plugin-attic' takes {done.result.import_ms} ms\n"
        "  why: at most 500 ms, in the quickest of 3 rounds\n"
        "  do: python -X importtime -c 'import MODULE' shows where; import late what is heavy"
    )


def test_a_plugin_that_cannot_be_installed_is_told_so(author: Author) -> None:
    author.put("pyproject.toml", '"kindling-core>=0.1,<0.2"]', '"kindling-core>=0.1,<0.2", "click<1"]')
    text = told(author.tried(is_tested=False), "KDL-REG-220")
    assert text.startswith(
        "fail  KDL-REG-220: the plugin cannot be installed in a clean environment\n  why: "
    )
    assert "click<1" in text
