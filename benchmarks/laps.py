"""What many contestants needed for the same work: a table for each row, and one plot of all."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, LEFT, RIGHT, LINE, GAP = 780, 210, 90, 17, 46
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.head { font-weight: 600 }
.soft { fill: #59636e }
.wall { fill: #9aa6b2 }
.cpu { fill: #4c78a8 }
.ours .wall { fill: #e8a87c }
.ours .cpu { fill: #d1495b }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .soft { fill: #9198a1 }
  .wall { fill: #5b6672 }
  .cpu { fill: #79a9dc }
  .ours .wall { fill: #a8623d }
  .ours .cpu { fill: #f0808f }
}
"""


def table(laps: Sequence[dict[str, Any]]) -> list[str]:
    """Return the Markdown lines of one row's contestants; ratios are those of medians to the first one."""
    first = laps[0]
    lines = [
        "| who | on, tables | wall s | min-max | CPU s | min-max | wall, x loop | CPU, x loop | n | form |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for one in laps:
        cells = [one["name"], f"{one['engine']}, {one['tables']}"]
        for part in ("wall", "cpu"):
            middle, low, high = one[part]
            cells += [f"{middle:.2f}", f"{low:.2f}-{high:.2f}"] if middle else ["not counted", ""]
        cells += [_times(one[part][0], first[part][0]) for part in ("wall", "cpu")]
        lines.append(f"| {' | '.join([*cells, str(one['count']), one['how']])} |")
    return [*lines, ""]


def _times(one: float, other: float) -> str:
    return f"{one / other:.2f}x" if one and other else ""


def plot(documents: Sequence[dict[str, Any]]) -> str:
    """Return an SVG with a group of bars for each row: wall time behind CPU time, medians.

    It carries its colours for light and for dark pages.
    """
    parts: list[str] = []
    top = 34
    for document in documents:
        parts.append(f'<text class="head" x="8" y="{top}">{escape(document["title"])}</text>')
        top += 10
        longest = max(max(one["wall"][0], one["cpu"][0]) for one in document["laps"])
        for one in document["laps"]:
            parts.append(_bars(one, top, (WIDTH - LEFT - RIGHT) / longest))
            top += LINE
        top += GAP - LINE
    legend = (
        '<text class="soft" x="8" y="14">seconds, medians: wide bar wall time, narrow bar CPU time of all '
        "processes; less is better</text>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top - 10}" role="img" '
        f'aria-label="Seconds of each contestant">\n<style>{STYLE}</style>\n{legend}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bars(one: dict[str, Any], top: int, scale: float) -> str:
    wall, cpu = one["wall"][0], one["cpu"][0]
    name = one["name"].replace("*", "")
    group = "ours" if name.startswith("Kindling") else "theirs"
    end = LEFT + max(wall, cpu) * scale + 6
    told = f"{wall:.2f} / {cpu:.2f}" if cpu else f"{wall:.2f}"
    return (
        f'<g class="{group}"><text x="{LEFT - 6}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="wall" x="{LEFT}" y="{top + 2}" width="{wall * scale:.1f}" height="13"/>'
        f'<rect class="cpu" x="{LEFT}" y="{top + 6}" width="{cpu * scale:.1f}" height="5"/>'
        f'<text class="soft" x="{end:.1f}" y="{top + 12}">{told}</text></g>'
    )
