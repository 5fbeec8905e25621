"""A column's ancestry as a tree: plain text, and with rich on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kindling.cli.ancestry import every, named

if TYPE_CHECKING:
    from rich.tree import Tree

    from kindling.cli.ancestry import Ancestry, Edge, Tracker

    Branches = dict[tuple[str, str], list[tuple[tuple[str, str], Edge]]]


def branches(found: Ancestry, *, is_downstream: bool) -> Branches:
    """Return (the next column, the edge to it) by column, walking away from the start."""
    made: Branches = {}
    for edge in found.edges:
        near, far = (edge.source, edge.target) if is_downstream else (edge.target, edge.source)
        made.setdefault(near, []).append((far, edge))
    return made


def lineage_text(found: Ancestry, tracker: Tracker, *, is_downstream: bool) -> str:
    """Return the ancestry as an indented tree; a column that was drawn before is not drawn again in full."""
    drawing = _Drawing(branches(found, is_downstream=is_downstream), tracker)
    for spot in found.start:
        drawing.draw(spot, "", "", "")
    if found.rows:
        drawing.lines.append(f"rows decided by {every(found.rows)}")
    return "\n".join(drawing.lines) + "\n"


class _Drawing:
    def __init__(self, below: Branches, tracker: Tracker) -> None:
        self._below = below
        self._tracker = tracker
        self._drawn: set[tuple[str, str]] = set()
        self.lines: list[str] = []

    def draw(self, spot: tuple[str, str], branch: str, rail: str, how: str) -> None:
        again = spot in self._drawn
        self._drawn.add(spot)
        others = self._below.get(spot, [])
        more = "  ..." if again and others else ""
        self.lines.append(f"{branch}{named(spot)}{how}{marks(spot, self._tracker)}{more}")
        for place, (other, edge) in enumerate(() if again else others):
            is_last = place == len(others) - 1
            sign, line = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            self.draw(other, rail + sign, rail + line, f"  ({way(edge)})")


def way(edge: Edge) -> str:
    """Return how one column depends on the other."""
    return f"{edge.how}, masked by {edge.mask}" if edge.mask else edge.how


def marks(spot: tuple[str, str], tracker: Tracker) -> str:
    """Return the classes of a column, in brackets."""
    classes = tracker.classes(spot)
    return f"  [{', '.join(classes)}]" if classes else ""


def rich_tree(found: Ancestry, tracker: Tracker, *, is_downstream: bool) -> Tree:
    """Return the ancestry for a terminal."""
    from rich.text import Text
    from rich.tree import Tree

    below = branches(found, is_downstream=is_downstream)
    drawn: set[tuple[str, str]] = set()

    def label(spot: tuple[str, str], how: str) -> Text:
        entity, _, column = named(spot).rpartition(".")
        text = Text(f"{entity}.", style="dim").append(column, style="bold not dim")
        text.append(how, style="cyan not dim")
        return text.append(marks(spot, tracker), style="yellow not dim")

    def grow(tree: Tree, spot: tuple[str, str]) -> None:
        if spot in drawn:
            return
        drawn.add(spot)
        for other, edge in below.get(spot, ()):
            grow(tree.add(label(other, f"  ({way(edge)})")), other)

    head = "made of" if not is_downstream else "goes into"
    root = Tree(Text(head, style="dim"))
    for spot in found.start:
        grow(root.add(label(spot, "")), spot)
    if found.rows:
        root.add(Text(f"rows decided by {every(found.rows)}", style="dim"))
    return root
