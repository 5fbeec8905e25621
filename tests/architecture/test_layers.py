"""The import contracts hold, and each of them can fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CONTRACTS = {
    "Kernel layers: imports go downwards only",
    "Plugins never import one another",
    "The kernel imports no engine, no cloud, no plugin",
    "Plugins import the public modules of the kernel only",
}


def lint(folder: Path) -> tuple[dict[str, str], str]:
    """Return each contract's verdict for the sources in a folder, and all that was printed."""
    paths = [str(folder), *(str(path) for path in sorted(folder.glob("plugins/*/src")))]
    program = "import sys; sys.argv[0] = 'lint-imports'; from importlinter.cli import lint_imports_command; "
    command = [
        sys.executable,
        "-c",
        program + "lint_imports_command()",
        "--config",
        ".importlinter",
        "--no-cache",
    ]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    shown = done.stdout + done.stderr
    return dict(re.findall(r"^(.+?) (KEPT|BROKEN)", shown, re.MULTILINE)), shown


def copied(root: Path, target: Path) -> Path:
    """Copy what the contracts look at."""
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "kindling", target / "kindling", ignore=ignore)
    for source in root.glob("plugins/*/src"):
        shutil.copytree(source, target / source.relative_to(root), ignore=ignore)
    shutil.copy(root / ".importlinter", target)
    return target


def add(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text if file.exists() else text, encoding="utf-8")


def test_imports_keep_the_contracts(root: Path) -> None:
    verdicts, shown = lint(root)
    assert verdicts == dict.fromkeys(CONTRACTS, "KEPT"), shown


def test_each_contract_can_fail(root: Path, tmp_path: Path) -> None:
    tree = copied(root, tmp_path)
    add(tree / "kindling/names.py", "\nif TYPE_CHECKING:\n    from kindling.app import App\n")
    add(tree / "kindling/plan/graph.py", "\n\ndef late() -> object:\n    import pysail\n    return pysail\n")
    plugins = tree / "plugins"
    add(
        plugins / "kindling-plugin-threads/src/kindling_plugin_threads/plugin.py",
        "\nimport kindling_plugin_delta\n",
    )
    add(plugins / "kindling-plugin-sail/src/kindling_plugin_sail/plugin.py", "\nimport kindling.run.worker\n")
    verdicts, shown = lint(tree)
    assert verdicts == dict.fromkeys(CONTRACTS, "BROKEN"), shown
    for guilty in (
        "kindling.names -> kindling.app",
        "kindling.plan.graph -> pysail",
        "kindling_plugin_threads.plugin -> kindling_plugin_delta",
        "kindling_plugin_sail.plugin -> kindling.run.worker",
    ):
        assert guilty in shown


def test_a_new_module_of_the_kernel_needs_a_layer(root: Path, tmp_path: Path) -> None:
    tree = copied(root, tmp_path)
    add(tree / "kindling/newcomer.py", '"""A module."""\n')
    verdicts, shown = lint(tree)
    assert verdicts["Kernel layers: imports go downwards only"] == "BROKEN"
    assert "newcomer" in shown


def test_every_plugin_stands_in_each_contract(root: Path) -> None:
    text = (root / ".importlinter").read_text(encoding="utf-8")
    for source in root.glob("plugins/kindling-plugin-*/src/*"):
        lists = re.findall(rf"^    {source.name}$", text, re.MULTILINE)
        assert len(lists) == 4, (
            f"{source.name} is missing in .importlinter: root packages and three contracts"
        )
