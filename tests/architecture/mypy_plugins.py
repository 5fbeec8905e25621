"""Check each plugin's source with mypy in strict mode: `python tests/architecture/mypy_plugins.py`.

One process for each plugin, because plugins have modules of equal names and engines of their own.
A plugin whose engine cannot be installed beside the others is checked where that one is: name it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def main(names: list[str]) -> int:
    """Check the named plugins, all by default; return 1 if one of them has faults."""
    folders = [ROOT / "plugins" / f"kindling-plugin-{name}" for name in names]
    failed = []
    for folder in folders or sorted(ROOT.glob("plugins/kindling-plugin-*")):
        command = [sys.executable, "-m", "mypy", "--no-error-summary", str(folder.relative_to(ROOT) / "src")]
        if subprocess.run(command, cwd=ROOT, check=False).returncode:
            failed.append(folder.name)
    if failed:
        sys.stderr.write(f"mypy found faults in {', '.join(failed)}\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
