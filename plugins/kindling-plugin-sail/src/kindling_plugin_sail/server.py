"""What runs inside the engine's process: the Sail server, until its parent goes away.

The parent holds the other end of this process's standard input. When the parent ends, however it
ends, that pipe closes and the engine stops. PR_SET_PDEATHSIG would not do: it fires when the *thread*
that started the process ends, and engines are started from short-lived task threads.
Not imported by the parent.
"""

from __future__ import annotations

import os
import sys
import threading
import time


def main() -> None:
    """Serve on a free port of the loopback interface and print the port."""
    from pysail.spark import SparkConnectServer

    parent = os.getppid()
    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    address = server.listening_address
    assert address is not None  # noqa: S101  # it was just started
    os.write(1, f"{address[1]}\n".encode())
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


def _leave_with(parent: int) -> None:
    """Leave when the parent is gone although a forked child of it still holds the pipe."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


if __name__ == "__main__":
    main()
