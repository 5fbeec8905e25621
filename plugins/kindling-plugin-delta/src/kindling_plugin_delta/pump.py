"""A stream that is pulled in a thread of its own. Not a cache: at most two batches wait.

Deltalake pulls what it writes inside of its runtime. A stream that itself reads a table through
deltalake would start a second runtime on that thread, and deltalake panics (seen with 1.6.6).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from contextvars import copy_context

import pyarrow as pa

_END = object()
_WAIT_S = 0.1
_JOIN_S = 10.0
"""Most seconds to wait for the thread once nobody reads: one batch of the engine may be under way."""


class _Pump:
    """Pulls batches into a short queue until it is stopped."""

    def __init__(self, source: object) -> None:
        self.source = source
        self.waiting: queue.Queue[object] = queue.Queue(maxsize=2)
        self.stopped = threading.Event()

    def pull(self) -> None:
        """Run in the thread: put every batch, then the end or the error."""
        try:
            for batch in pa.RecordBatchReader.from_stream(self.source):
                if not self._put(batch):
                    return
            self._put(_END)
        except BaseException as error:  # noqa: BLE001  # raised again by the reader, in its thread
            self._put(error)

    def _put(self, item: object) -> bool:
        """Put an item once there is room; False if nobody reads any more."""
        while not self.stopped.is_set():
            try:
                self.waiting.put(item, timeout=_WAIT_S)
            except queue.Full:
                continue
            return True
        return False


def pumped(source: object) -> Generator[pa.RecordBatch, None, None]:
    """Yield the batches of anything with `__arrow_c_stream__`; tables need no thread."""
    if isinstance(source, pa.Table):
        yield from source.to_batches()
        return
    pump = _Pump(source)
    # The thread sees the task's context: the active session is a context variable.
    run = copy_context().run
    thread = threading.Thread(target=run, args=(pump.pull,), daemon=True, name="kindling-delta")
    thread.start()
    try:
        while (item := pump.waiting.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        pump.stopped.set()
        thread.join(_JOIN_S)  # the session is used again at once, and by one thread at a time
