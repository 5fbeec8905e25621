"""A graph of names: order, cycles, ancestors, priorities. It knows nothing about tasks or entities.

All answers are the same for any order of declaration, and all but `cycles` take linear time (times a
logarithm for the order), so 10,000 nodes are no matter.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_CYCLES = 20
"""How many cycles are told at most; whoever has more mends these first."""


class Graph:
    """Which name needs which. A name that only occurs as a need is a node without needs.

    Attributes:
        needs: What each node needs, without repetition, in the declared order; keys are sorted.
    """

    __slots__ = ("_order", "_readers", "needs")

    def __init__(self, needs: Mapping[str, Sequence[str]]) -> None:
        names = sorted({*needs, *(need for wanted in needs.values() for need in wanted)})
        self.needs: Mapping[str, tuple[str, ...]] = {
            name: tuple(dict.fromkeys(needs.get(name, ()))) for name in names
        }
        self._readers: dict[str, list[str]] = {name: [] for name in names}
        for name, wanted in self.needs.items():
            for need in wanted:
                self._readers[need].append(name)
        self._order: tuple[str, ...] | None = None

    def __contains__(self, name: object) -> bool:
        return name in self.needs

    def __iter__(self) -> Iterator[str]:
        """Iterate over all nodes, sorted."""
        return iter(self.needs)

    def __len__(self) -> int:
        return len(self.needs)

    def readers(self, name: str) -> tuple[str, ...]:
        """Return the nodes that need this one directly, sorted."""
        return tuple(self._readers[name])

    def order(self) -> tuple[str, ...]:
        """Return the nodes, each after what it needs; of those that may come next, the smallest name.

        Nodes on a cycle and all that need them are left out.
        """
        if self._order is None:
            waits = {name: len(wanted) for name, wanted in self.needs.items()}
            ready = [name for name, count in waits.items() if not count]
            heapify(ready)
            order = []
            while ready:
                name = heappop(ready)
                order.append(name)
                for reader in self._readers[name]:
                    waits[reader] -= 1
                    if not waits[reader]:
                        heappush(ready, reader)
            self._order = tuple(order)
        return self._order

    def ancestors(self, *names: str, depth: int | None = None) -> frozenset[str]:
        """Return all that nodes need, directly or not, within so many steps; without themselves."""
        return self._reach(names, self.needs, depth)

    def descendants(self, *names: str, depth: int | None = None) -> frozenset[str]:
        """Return all that needs nodes, directly or not, within so many steps; without themselves."""
        return self._reach(names, self._readers, depth)

    def _reach(
        self, names: Sequence[str], edges: Mapping[str, Sequence[str]], depth: int | None
    ) -> frozenset[str]:
        seen, border = set(names), list(names)
        while border and (depth is None or depth > 0):
            depth = None if depth is None else depth - 1
            step = dict.fromkeys(other for node in border for other in edges[node])
            border = [other for other in step if other not in seen]
            seen.update(border)
        return frozenset(seen.difference(names))

    def critical_path(self, seconds: Mapping[str, float]) -> Mapping[str, float]:
        """Return each node's longest remaining path in seconds, itself included: its priority.

        Args:
            seconds: How long nodes take; those that are missing count as the mean of the others, or as
                one second where nothing is known. Nodes that `order` leaves out get no priority.
        """
        known = [max(0.0, seconds[name]) for name in self.needs if name in seconds]
        usual = sum(known) / len(known) if known else 1.0
        longest: dict[str, float] = {}
        for name in reversed(self.order()):
            behind = max((longest.get(reader, 0.0) for reader in self._readers[name]), default=0.0)
            longest[name] = max(0.0, seconds.get(name, usual)) + behind
        return longest

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return cycles as closed paths `(a, b, a)` in the direction of the data: b needs a.

        Each starts at its smallest name and occurs once; each edge that lies on a cycle is part of one
        of them, unless there are more than `MOST_CYCLES`.
        """
        found: dict[tuple[str, ...], None] = {}
        told: set[tuple[str, str]] = set()
        for knot in self._knots():
            inside = {
                name: [other for other in self._readers[name] if other in knot] for name in sorted(knot)
            }
            for edge in [(name, after) for name, others in inside.items() for after in others]:
                if edge in told:
                    continue
                path = (edge[0], *_shortest(inside, edge[1], edge[0]))
                told.update(pairwise(path))
                found[_turned(path)] = None
                if len(found) == MOST_CYCLES:
                    return tuple(sorted(found))
        return tuple(sorted(found))

    def _knots(self) -> Iterator[set[str]]:
        """Yield the strongly connected groups of nodes that hold a cycle.

        Source: the algorithm of Kosaraju and Sharir (1981): finish times, then the reversed graph.
        """
        ordered = frozenset(self.order())
        left = {name for name in self.needs if name not in ordered}
        seen: set[str] = set()
        finished = [name for start in sorted(left) for name in _finishing(start, self._readers, left, seen)]
        seen = set()
        for start in reversed(finished):
            knot = set(_finishing(start, self.needs, left, seen))
            if len(knot) > 1 or start in self.needs[start]:
                yield knot


def _finishing(
    start: str, edges: Mapping[str, Sequence[str]], inside: set[str], seen: set[str]
) -> Iterator[str]:
    """Walk depth first over what was not seen, and yield each node once all behind it was yielded."""
    if start in seen:
        return
    seen.add(start)
    walk = [(start, iter(edges[start]))]
    while walk:
        name, others = walk[-1]
        other = next((other for other in others if other in inside and other not in seen), None)
        if other is None:
            walk.pop()
            yield name
        else:
            seen.add(other)
            walk.append((other, iter(edges[other])))


def _shortest(edges: Mapping[str, Sequence[str]], start: str, goal: str) -> tuple[str, ...]:
    """Return a shortest path between two nodes of one knot, both ends included."""
    came: dict[str, str] = {start: ""}
    queue = [start]
    for name in queue:
        if name == goal:
            break
        for other in edges[name]:
            if other not in came:
                came[other] = name
                queue.append(other)
    path = [goal]
    while path[-1] != start:
        path.append(came[path[-1]])
    return tuple(reversed(path))


def _turned(cycle: tuple[str, ...]) -> tuple[str, ...]:
    """Return a closed path turned so that it starts at its smallest name."""
    ring = cycle[:-1]
    first = ring.index(min(ring))
    return (*ring[first:], *ring[:first], ring[first])
