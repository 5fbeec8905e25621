"""A column's ancestry as one SVG: a box per entity, a line per dependency, left to right. No library."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kindling.plan.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kindling.cli.ancestry import Ancestry

LETTER, LINE, HEAD = 7.2, 20, 26
"""Width of a letter at 12 px in a monospaced font, height of a column's line and of a box's head, in px."""
GAP_X, GAP_Y, EDGE = 90, 24, 16
_STYLE = """
svg { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --line: #98a2b3; --box: #ffffff;
  --back: #f6f7f9; --mark: #b54708; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6e9ef; --soft: #98a2b3; --line: #667085;
  --box: #1c2430; --back: #11161d; --mark: #fdb022; } }
text { font: 12px ui-monospace, Menlo, Consolas, monospace; fill: var(--ink); }
.head { font-weight: 600; } .box { fill: var(--box); stroke: var(--line); }
.back { fill: var(--back); } .edge { fill: none; stroke: var(--line); stroke-width: 1.5; }
.indirect { stroke-dasharray: 4 3; } .opaque { stroke-dasharray: 1 4; stroke-linecap: round; }
.masked { stroke: var(--mark); } .start { fill: var(--mark); }
"""


def lineage_svg(found: Ancestry, title: str) -> str:
    """Return the drawing as an SVG document; lines tell how on hover, names are escaped."""
    drawing = _Drawing(found)
    body = [*drawing.lines(found), *drawing.boxes(found)]
    width, height = drawing.size()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">'
    )
    return "\n".join(
        [
            head,
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="back" width="{width:.0f}" height="{height:.0f}"/>',
            *body,
            "</svg>\n",
        ]
    )


class _Drawing:
    """Where each entity's box stands: as far right as its readers let it, below those of its layer."""

    def __init__(self, found: Ancestry) -> None:
        self._columns: dict[str, list[str]] = {}
        for entity, column in found.spots():
            self._columns.setdefault(entity, []).append(column)
        self._layers = _layers(found, self._columns)
        self._places: dict[str, tuple[float, float, float, float]] = {}
        self._place()

    def _place(self) -> None:
        left = float(EDGE)
        for layer in range(max(self._layers.values(), default=0) + 1):
            names = sorted(name for name, place in self._layers.items() if place == layer)
            widest = max((self._width(name) for name in names), default=0.0)
            top = float(EDGE)
            for name in names:
                height = HEAD + LINE * len(self._columns[name]) + 6
                self._places[name] = (left, top, widest, height)
                top += height + GAP_Y
            left += widest + GAP_X

    def _width(self, name: str) -> float:
        return LETTER * max(map(len, (name, *self._columns[name]))) + 24

    def size(self) -> tuple[float, float]:
        boxes = self._places.values()
        right = max((x + width for x, _, width, _ in boxes), default=0.0)
        return right + EDGE, max((y + height for _, y, _, height in boxes), default=0.0) + EDGE

    def _height(self, spot: tuple[str, str]) -> float:
        place = self._columns[spot[0]].index(spot[1])
        return self._places[spot[0]][1] + HEAD + LINE * place + LINE / 2

    def lines(self, found: Ancestry) -> list[str]:
        made = []
        for edge in found.edges:
            x, _, width, _ = self._places[edge.source[0]]
            begin, end = x + width, self._places[edge.target[0]][0]
            high, low = self._height(edge.source), self._height(edge.target)
            middle = (begin + end) / 2
            kinds = f"edge {edge.how}" + (" masked" if edge.mask else "")
            told = f"{edge.how}, masked by {edge.mask}" if edge.mask else edge.how
            ends = f"{'.'.join(edge.source)} → {'.'.join(edge.target)}: {told}"
            made.append(
                f'<path class="{escape(kinds)}" d="M{begin:.1f} {high:.1f} C{middle:.1f} {high:.1f} '
                f'{middle:.1f} {low:.1f} {end:.1f} {low:.1f}"><title>{escape(ends)}</title></path>'
            )
        return made

    def boxes(self, found: Ancestry) -> list[str]:
        made = []
        for name, (x, y, width, height) in self._places.items():
            size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6"'
            made.append(f'<rect class="box" {size}/>')
            made.append(f'<text class="head" x="{x + 10:.1f}" y="{y + 18:.1f}">{escape(name)}</text>')
            for column in self._columns[name]:
                kind = ' class="start"' if (name, column) in found.start else ""
                low = self._height((name, column)) + 4
                made.append(f'<text{kind} x="{x + 12:.1f}" y="{low:.1f}">{escape(column)}</text>')
        return made


def _layers(found: Ancestry, names: Mapping[str, object]) -> dict[str, int]:
    needs: dict[str, list[str]] = {name: [] for name in names}
    readers: dict[str, list[str]] = {name: [] for name in names}
    for edge in found.edges:
        needs[edge.target[0]].append(edge.source[0])
        readers[edge.source[0]].append(edge.target[0])
    order = Graph({name: tuple(dict.fromkeys(others)) for name, others in needs.items()}).order()
    layers: dict[str, int] = {}
    for name in order:
        layers[name] = max((layers[other] + 1 for other in needs[name]), default=0)
    for name in reversed(order):  # next to its first reader, so that few lines pass behind other boxes
        layers[name] = min((layers[reader] - 1 for reader in readers[name]), default=layers[name])
    return layers
