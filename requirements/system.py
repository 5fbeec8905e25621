"""Install system programs that tests need and the machine lacks: Java, PostgreSQL, Chromium, faketime.

    python requirements/system.py java postgresql chromium faketime

What is there already is left alone, so a second call takes milliseconds. Installing needs apt and root, or
sudo without a password; otherwise the command to type is printed and the exit code is 1.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGES = {
    "java": "openjdk-17-jre-headless",
    "postgresql": "postgresql",
    "chromium": "chromium",
    "faketime": "faketime",
}


def is_there(program: str) -> bool:
    """Tell whether a program can be found the way the tests look for it."""
    if program == "java":
        home = os.environ.get("JAVA_HOME", "")
        return bool(shutil.which("java") or (home and Path(home, "bin", "java").exists()))
    if program == "postgresql":
        return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))
    return shutil.which(program) is not None


def install(packages: list[str]) -> int:
    """Install Debian packages; return an exit code."""
    apt = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    if os.geteuid() != 0:
        apt = ["sudo", "-n", *apt]
    commands = [[*apt, "update"], [*apt, "install", "--no-install-recommends", *packages]]
    for command in commands:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.stderr.write(f"{done.stdout}{done.stderr}cannot install: {' '.join(packages)}\n")
            sys.stderr.write(f"do: apt-get install --no-install-recommends {' '.join(packages)}\n")
            return 1
    return 0


def main(wanted: list[str]) -> int:
    """Install what is missing of the named programs."""
    unknown = sorted(set(wanted) - set(PACKAGES))
    if unknown:
        sys.stderr.write(f"unknown: {', '.join(unknown)}; known: {', '.join(PACKAGES)}\n")
        return 2
    # Two environments of tox at once must not both call apt.
    with Path(tempfile.gettempdir(), "kindling-system.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [PACKAGES[name] for name in wanted if not is_there(name)]
        return install(missing) if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
