"""Runs tasks in daemon threads of this process. It decides neither order nor retries.

One path costs per task: two queues, one dict and one deque, no lock of our own. The rest (deadlines,
cancelling, replacing threads that do not come back) costs only where it is used.

Who delivers a task's outcome is decided by `self._open.pop(number)`: whoever gets the entry, the
worker or the watchdog, delivers; the other drops what it has. So each task has exactly one outcome.
Why daemon threads and not ThreadPoolExecutor: the interpreter joins a pool's threads at exit, and a
pipe that hangs in foreign code would keep the process alive for ever.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TypeAlias

from kindling.errors import KindlingError, RunError, TaskCancelledError, TaskTimeoutError
from kindling.hooks.executor import Deliveries, ExecutorSpec, Outcome, TaskSpec
from kindling.polling import poll
from kindling_plugin_threads.watchdog import Watchdog

INTERRUPT_EVERY_S = 0.05
"""Pause between interrupts of a task that does not stop: it may not have reached its engine yet."""


_Item: TypeAlias = "tuple[int, TaskSpec, float]"
"""A task's number, the task, and when it was submitted."""


class _Stop:
    """A task that is being stopped: why, until when, and a lock held while the runner interrupts it."""

    __slots__ = ("calling", "grace_s", "reason", "spec", "started", "until")

    def __init__(self, item: _Item, reason: str, grace_s: float) -> None:
        _, self.spec, self.started = item
        self.reason = reason
        self.grace_s = grace_s
        self.until = monotonic() + grace_s
        self.calling = Lock()


class ThreadsExecutor(Deliveries):
    """An executor of daemon threads; threads start when they are first needed."""

    def __init__(self, spec: ExecutorSpec) -> None:
        super().__init__()
        self._slots = spec.slots
        self._runner = spec.runner
        self._inbox: SimpleQueue[_Item | None] = SimpleQueue()
        self._open: dict[int, _Item] = {}
        self._stopping: dict[int, _Stop] = {}
        self._threads: list[Thread] = []
        self._workers = 0
        self._last = 0
        self._closed = False
        self._watchdog = Watchdog(self._act)

    @property
    def slots(self) -> int:
        """How many tasks run at once."""
        return self._slots

    def submit(self, spec: TaskSpec) -> None:
        """Start a task now; returns at once.

        Raises:
            RunError: KDL-RUN-091, the executor is closed.
        """
        if self._closed:
            raise RunError("KDL-RUN-091", f"{spec.key!r} was submitted to a closed executor")
        if self._workers < self._slots and len(self._open) >= self._workers:
            self._workers += 1
            self._start_worker()
        self._last = number = self._last + 1
        now = monotonic()
        if spec.timeout_s is not None:
            self._watchdog.wake_at(now + spec.timeout_s, number, "timed_out", spec.grace_s)
        put, item = self._inbox.put, (number, spec, now)
        # From here to the put there is no call, so that Ctrl-C cannot part the count from the task.
        self._open[number] = item
        self._due += 1
        put(item)

    def cancel(self, key: str, grace_s: float) -> None:
        """Ask to stop one task; returns at once, the outcome follows after at most `grace_s`."""
        for number, spec, _ in list(self._open.values()):
            if spec.key == key:
                self._watchdog.wake_at(monotonic(), number, "cancelled", grace_s)

    def close(self) -> None:
        """Cancel what runs, wait for it at most its own grace, and let all threads end. Idempotent."""
        if self._closed:
            return
        self._closed = True
        running = [spec for _, spec, _ in list(self._open.values())]
        for spec in running:
            self.cancel(spec.key, spec.grace_s)
        if running:
            longest = max(spec.grace_s for spec in running)
            poll(lambda: not self._open, timeout_s=longest + 1, first_s=0.001, most_s=0.05)
        for _ in self._threads:
            self._inbox.put(None)
        self._watchdog.stop()
        for thread in self._threads:
            # Idle threads end at once; one that was abandoned may never end, and is not waited for.
            thread.join(0.1 if not running else 0.01)

    def _start_worker(self) -> None:
        thread = Thread(target=self._work, name=f"kindling-{len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        """Run tasks until told to end, or until the watchdog has put another thread in this one's place."""
        take, execute = self._inbox.get, self._runner.execute
        claim, deliver, wake = self._open.pop, self._done.append, self._wake.put
        opened, stopping = self._open, self._stopping
        while (item := take()) is not None:
            number, spec, _ = item
            if number not in opened:
                return
            try:
                outcome = execute(spec)
            except BaseException as error:  # noqa: BLE001  # the thread's boundary: a lost outcome would hang the run
                outcome = _crashed(spec, error)
            if claim(number, None) is None:
                return
            if stopping and (stop := stopping.pop(number, None)) is not None:
                # The interrupt of this attempt must be over before the next attempt can start.
                stop.calling.acquire(timeout=max(stop.until - monotonic(), 0))
            deliver(outcome)
            wake(None)

    def _act(self, number: int, reason: str, grace_s: float) -> None:
        """Begin to stop a task, or with the reason "" give it up. Runs in the watchdog's thread."""
        if not reason:
            self._abandon(number)
            return
        item = self._open.get(number)
        if item is None or number in self._stopping:
            return
        self._stopping[number] = stop = _Stop(item, reason, grace_s)
        Thread(target=self._interrupt, args=(number, stop), name="kindling-stop", daemon=True).start()
        self._watchdog.wake_at(stop.until, number, "", 0)

    def _interrupt(self, number: int, stop: _Stop) -> None:
        """Interrupt a task until its engine works for it no more. In a thread: a runner may block."""
        left = stop.grace_s
        while True:
            with stop.calling:
                if number not in self._open or self._runner.interrupt(stop.spec.key, left, stop.reason):
                    return
            left = stop.until - monotonic()
            if left <= 0:
                return
            sleep(min(INTERRUPT_EVERY_S, left))

    def _abandon(self, number: int) -> None:
        """Give up a task whose thread did not come back, and put another thread in its place."""
        stop = self._stopping.pop(number, None)
        if stop is None or self._open.pop(number, None) is None:
            return
        self._start_worker()
        self._done.append(_abandoned(stop))
        self._wake.put(None)


def _abandoned(stop: _Stop) -> Outcome:
    spec, why = stop.spec, f"it did not stop within {stop.grace_s:g} s and was left behind"
    error: KindlingError
    if stop.reason == "timed_out":
        error = TaskTimeoutError(
            "KDL-TIME-001",
            f"{spec.key!r} took longer than {spec.timeout_s:g} s",
            why=why,
            hint="raise the pipe's timeout_s, or make it do less at once",
        )
    else:
        error = TaskCancelledError("KDL-RUN-092", f"{spec.key!r} was cancelled", why=why)
    seconds = monotonic() - stop.started
    return Outcome(spec.key, stop.reason, spec.attempt, seconds, error=error.to_plain())  # type: ignore[arg-type]  # JSON types


def _crashed(spec: TaskSpec, error: BaseException) -> Outcome:
    told = RunError(
        "KDL-RUN-090",
        f"{spec.key!r} ended its thread",
        why=f"{type(error).__name__}: {error}",
        hint="this is a fault of Kindling, please report it",
    )
    return Outcome(spec.key, "failed", spec.attempt, error=told.to_plain())  # type: ignore[arg-type]  # JSON types
