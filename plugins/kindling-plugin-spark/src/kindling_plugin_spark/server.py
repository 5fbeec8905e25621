"""What runs inside the server's process: Spark with its Connect service, until its parent goes away.

The parent holds the other end of this process's standard input; when it ends, however it ends, that pipe
closes. The JVM in turn ends with this process, because py4j's gateway holds a pipe of its own.
Not imported by the parent.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any

SERVICE = "org.apache.spark.sql.connect.service.SparkConnectService$"


def main() -> None:
    """Serve on a free port of the loopback interface and print the port.

    Reads the settings of Spark, one line of JSON, from standard input.
    """
    parent = os.getppid()
    answers = os.dup(1)
    os.dup2(2, 1)  # what Java prints must not look like a port
    settings: dict[str, str] = json.loads(sys.stdin.buffer.readline())
    context = _started(settings)
    # The gateway's Popen object. Source: pyspark 4.2, java_gateway.py.
    java = context._gateway.proc  # noqa: SLF001  # see above
    threading.Thread(target=lambda: (java.wait(), os._exit(1)), daemon=True).start()
    service = getattr(context._jvm, SERVICE)  # noqa: SLF001  # pyspark has no public name
    os.write(answers, f"{getattr(service, 'MODULE$').localPort()}\n".encode())
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    sys.stdin.buffer.read()
    _leave()


def _leave() -> None:
    """End this process and the JVM, which is of the same group."""
    os.killpg(0, signal.SIGKILL)


def _leave_with(parent: int) -> None:
    """Leave when the parent is gone although a forked child of it still holds the pipe."""
    while os.getppid() == parent:
        time.sleep(1.0)
    _leave()


def _started(settings: dict[str, str]) -> Any:  # noqa: ANN401  # untyped pyspark
    from pyspark import SparkConf, SparkContext

    context = SparkContext(conf=SparkConf().setAll(list(settings.items())))
    context.setLogLevel("OFF")
    return context


if __name__ == "__main__":
    main()
