"""Cost of the scheduler per task, and its makespan, as ratios to graphlib with a thread pool.

Both sides run interleaved in one process, with 8 threads and bodies that do nothing; budgets are those of
the design (section 13). Ours goes through the contract: specs in, outcomes out, over the threads plugin
where that is installed.

    python benchmarks/scheduler.py [rounds]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from graphlib import TopologicalSorter
from queue import SimpleQueue
from threading import Thread

from kindling.hooks.executor import Executor, ExecutorSpec, Outcome, TaskSpec
from kindling.plan.graph import Graph
from kindling.run.scheduler import Job, run_jobs

NODES = 1000
SLOTS = 8
NAP_S = 0.05
OpenExecutor = Callable[[ExecutorSpec], Executor]
Needs = dict[str, tuple[str, ...]]


class Runner:
    """Does nothing, or sleeps; outcomes are made before, as specs are."""

    def __init__(self, needs: Needs, nap_s: float) -> None:
        self.nap_s = nap_s
        self.outcomes = {name: Outcome(name, "done") for name in needs}

    def execute(self, spec: TaskSpec) -> Outcome:
        """Run one task."""
        if self.nap_s:
            time.sleep(self.nap_s)
        return self.outcomes[spec.entity]

    def interrupt(self, key: str, grace_s: float, reason: str) -> bool:
        """Stop nothing: nothing here is ever stopped."""
        del key, grace_s, reason
        return True


class Plain:
    """The least executor that keeps the contract: two queues and some threads."""

    def __init__(self, spec: ExecutorSpec) -> None:
        self.slots = spec.slots
        self._execute = spec.runner.execute
        self._inbox: SimpleQueue[TaskSpec | None] = SimpleQueue()
        self._outbox: SimpleQueue[Outcome] = SimpleQueue()
        self._left = 0
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(spec.slots)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (task := self._inbox.get()) is not None:
            self._outbox.put(self._execute(task))

    def submit(self, spec: TaskSpec) -> None:
        """Start a task."""
        self._left += 1
        self._inbox.put(spec)

    def completed(self, timeout_s: float | None = None) -> Iterator[Outcome]:
        """Yield outcomes."""
        while self._left:
            outcome = self._outbox.get(timeout=timeout_s)
            self._left -= 1
            yield outcome

    def cancel(self, key: str, grace_s: float) -> None:
        """Cancel nothing."""

    def close(self) -> None:
        """End the threads."""
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()


class Silent:
    """Hears everything and says nothing."""

    def started(self, key: str, attempt: int) -> None:
        """Hear it."""

    def retried(self, key: str, attempt: int, wait_s: float, outcome: Outcome) -> None:
        """Hear it."""

    def finished(self, key: str, outcome: Outcome) -> None:
        """Hear it."""

    def skipped(self, key: str, cause: str) -> None:
        """Hear it."""


def shapes() -> dict[str, Needs]:
    """Return a chain, a wide graph and layers of ten, each of `NODES` nodes."""
    names = [f"n{number}" for number in range(NODES)]
    return {
        "chain": {name: (names[place - 1],) if place else () for place, name in enumerate(names)},
        "wide": dict.fromkeys(names, ()),
        "layered": {
            name: tuple(names[place - place % 10 - 10 : place - place % 10][:3]) if place >= 10 else ()  # noqa: PLR2004
            for place, name in enumerate(names)
        },
    }


def skewed() -> Needs:
    """Return a critical chain of 8 and 24 loose nodes, the chain last."""
    loose: Needs = {f"loose{number}": () for number in range(24)}
    return loose | {f"z{number}": (f"z{number - 1}",) if number else () for number in range(8)}


def by_graphlib(needs: Needs, slots: int, nap_s: float) -> float:
    """Return the seconds of the hand-written loop."""
    done: SimpleQueue[str] = SimpleQueue()

    def body() -> None:
        if nap_s:
            time.sleep(nap_s)

    with ThreadPoolExecutor(slots) as pool:
        began = time.perf_counter()
        sorter = TopologicalSorter(needs)
        sorter.prepare()
        while sorter.is_active():
            for name in sorter.get_ready():

                def tell(_future: Future[None], name: str = name) -> None:
                    done.put(name)

                pool.submit(body).add_done_callback(tell)
            sorter.done(done.get())
        return time.perf_counter() - began


def by_kindling(
    needs: Needs, slots: int, nap_s: float, open_executor: Callable[[ExecutorSpec], Executor]
) -> float:
    """Return the seconds of `run_jobs`, priorities included."""
    specs = {name: TaskSpec("r", "a:a", "/", "dev", name, "*", {}, "x", (), "f") for name in needs}
    rank = Graph(needs).critical_path({})
    jobs = [Job(name, wanted, rank[name]) for name, wanted in needs.items()]
    executor = open_executor(ExecutorSpec(slots, Runner(needs, nap_s)))
    began = time.perf_counter()
    run_jobs(jobs, executor, lambda key, _attempt: specs[key], Silent())
    seconds = time.perf_counter() - began
    executor.close()
    return seconds


def executors() -> dict[str, OpenExecutor]:
    """Return the executors to measure."""
    found: dict[str, OpenExecutor] = {"plain": Plain}
    try:
        from kindling_plugin_threads.executor import ThreadsExecutor
    except ImportError:
        return found
    return {**found, "threads": ThreadsExecutor}


def main() -> None:
    """Print one line for each shape and executor."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    print(f"{'shape':8} {'executor':8} {'graphlib us':>11} {'ours us':>8} {'ratio':>6}  (budget 0.6)")
    for shape, needs in shapes().items():
        base: list[float] = []
        ours: dict[str, list[float]] = {name: [] for name in executors()}
        for _ in range(rounds):
            base.append(by_graphlib(needs, SLOTS, 0) / NODES)
            for name, open_executor in executors().items():
                ours[name].append(by_kindling(needs, SLOTS, 0, open_executor) / NODES)
        for name, seconds in ours.items():
            ratio = statistics.median(mine / theirs for mine, theirs in zip(seconds, base, strict=True))
            per_base, per_task = statistics.median(base) * 1e6, statistics.median(seconds) * 1e6
            print(f"{shape:8} {name:8} {per_base:11.1f} {per_task:8.1f} {ratio:6.2f}")
    ideal = 8 * NAP_S
    theirs = statistics.median(by_graphlib(skewed(), 4, NAP_S) for _ in range(3)) / ideal
    for name, open_executor in executors().items():
        ours_s = statistics.median(by_kindling(skewed(), 4, NAP_S, open_executor) for _ in range(3)) / ideal
        print(f"makespan on a skewed graph / ideal: {name} {ours_s:.2f} (budget 1.2), graphlib {theirs:.2f}")


if __name__ == "__main__":
    main()
