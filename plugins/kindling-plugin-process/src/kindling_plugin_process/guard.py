"""A process that waits for the executor's end, and then kills the process groups that are left.

Its standard input says `+1234` and `-1234` as groups begin and end; the end of that pipe is the
executor's end, however it came. It is started as a file, without site-packages: 10 ms, 8 MiB.
Its argument is the folder of the processes' scratch files, which it removes then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys


def main() -> None:
    """Follow the executor's groups until it is gone."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    shutil.rmtree(sys.argv[1], ignore_errors=True)


if __name__ == "__main__":
    main()
