"""The declared graph of an app, for drawing and completion. It needs no plugin and no environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindling.pipe import Pipe
from kindling.plan.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Collection

    from kindling.entity import Entity
    from kindling.plan.project import Project

SHAPES = {"source": ("[(", ")]"), "ref": ("[[", "]]"), "memory": ("([", "])"), "pipe": ("[", "]")}


@dataclass(frozen=True, slots=True)
class Node:
    """One entity as it was declared.

    Attributes:
        name: Name in the app.
        kind: `source`, `ref`, `memory` (a pipe whose result is kept nowhere) or `pipe`.
        storage: Capability name, the environment's default filled in.
        write: Name of the write intent, "" where nothing is written.
        inputs: In the order of the parameters.
        tags: Sorted.
        where: `file:line` of the declaration.
    """

    name: str
    kind: str
    storage: str
    write: str
    inputs: tuple[str, ...]
    tags: tuple[str, ...]
    where: str

    def to_plain(self) -> dict[str, object]:
        """Return the node as JSON types."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "inputs": list(self.inputs), "tags": list(self.tags)}


def declared_graph(project: Project) -> dict[str, Node]:
    """Return all entities by name, sorted.

    Raises:
        Faults: The declarations are wrong.
    """
    project.app.raise_faults()
    names = project.app.names()
    default = str(project.settings.get("storage") or "")
    found: dict[str, Node] = {}
    for name, entity in project.app.entities().items():
        pipe = entity if isinstance(entity, Pipe) else None
        inputs = tuple(project.input_name(h, names[id(h)]) for h in pipe.inputs) if pipe else ()
        found[name] = Node(
            name,
            _kind(entity),
            entity.storage.name or default,
            pipe.write.name if pipe and not entity.is_memory else "",
            inputs,
            tuple(sorted(entity.tags)),
            str(entity.place),
        )
    return found


def _kind(entity: Entity) -> str:
    if isinstance(entity, Pipe):
        return "memory" if entity.is_memory else "pipe"
    return "ref" if entity.ref is not None else "source"


def graph_of(nodes: dict[str, Node]) -> Graph:
    """Return which entity needs which."""
    return Graph({name: node.inputs for name, node in nodes.items()})


def tree_text(nodes: dict[str, Node], shown: Collection[str]) -> str:
    """Return the graph as a tree from the sources down; what was drawn in full is not drawn again."""
    return "\n".join(_Tree(nodes, frozenset(shown)).lines()) + "\n"


class _Tree:
    def __init__(self, nodes: dict[str, Node], shown: frozenset[str]) -> None:
        self._nodes = nodes
        self._graph = graph_of(nodes)
        self._shown = shown
        self._drawn: set[str] = set()
        self._lines: list[str] = []

    def lines(self) -> list[str]:
        for name in self._graph.order():
            if name in self._shown and self._shown.isdisjoint(self._nodes[name].inputs):
                self._draw(name, "", "")
        for name in sorted(self._shown - self._drawn):  # only cycles are left
            self._draw(name, "", "")
        return self._lines

    def _draw(self, name: str, branch: str, below: str) -> None:
        node = self._nodes[name]
        again = name in self._drawn
        self._drawn.add(name)
        readers = [reader for reader in self._graph.readers(name) if reader in self._shown]
        more = "  ..." if again and readers else ""
        self._lines.append(f"{branch}{name}  ({_label(node)}){more}")
        if again:
            return
        for place, reader in enumerate(readers):
            is_last = place == len(readers) - 1
            sign, rail = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            self._draw(reader, below + sign, below + rail)


def _label(node: Node) -> str:
    if node.kind == "memory":
        return "memory"
    if node.kind == "pipe":
        return f"{node.write} {node.storage}"
    return f"{node.kind} {node.storage}" if node.kind == "source" else "other app"


def mermaid_text(nodes: dict[str, Node], shown: Collection[str]) -> str:
    """Return the graph as a Mermaid flowchart. Source: Mermaid 11 documentation, "Flowcharts"."""
    listed = sorted(shown)
    ids = {name: f"n{place}" for place, name in enumerate(listed)}
    lines = ["flowchart LR"]
    for name in listed:
        left, right = SHAPES[nodes[name].kind]
        lines.append(f'  {ids[name]}{left}"{name}"{right}')
    for name in listed:
        inputs = dict.fromkeys(nodes[name].inputs)
        lines += [f"  {ids[item]} --> {ids[name]}" for item in inputs if item in ids]
    return "\n".join(lines) + "\n"
