"""Small multiples as SVG: one curve for each thing that was measured, over the number of the run."""

from __future__ import annotations

from html import escape

WIDE, HIGH, ACROSS = 300, 96, 2
MARGIN = 24
LOOKS = 'role="img" font-family="sans-serif" font-size="11"'
MOST_POINTS = 250


def svg(curves: dict[str, list[float]]) -> str:
    """Return a picture of the curves; each scale begins at zero."""
    rows = -(-len(curves) // ACROSS)
    width, height = ACROSS * (WIDE + MARGIN) + MARGIN, rows * (HIGH + 2 * MARGIN)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {LOOKS}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for number, (name, values) in enumerate(curves.items()):
        left = MARGIN + (number % ACROSS) * (WIDE + MARGIN)
        top = MARGIN + (number // ACROSS) * (HIGH + 2 * MARGIN)
        parts.append(_panel(name, values, left, top))
    return "\n".join((*parts, "</svg>\n"))


def _panel(name: str, values: list[float], left: int, top: int) -> str:
    most = max(*values, 1e-9)
    step = max(len(values) // MOST_POINTS, 1)
    shown = list(enumerate(values))[::step]
    last = max(len(values) - 1, 1)
    points = " ".join(f"{left + WIDE * x / last:.1f},{top + HIGH * (1 - y / most):.1f}" for x, y in shown)
    frame = f'<rect x="{left}" y="{top}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#bbb"/>'
    line = f'<polyline points="{points}" fill="none" stroke="#b5651d" stroke-width="1.2"/>'
    title = f'<text x="{left}" y="{top - 6}">{escape(name)}: at most {most:.4g}</text>'
    return f"{frame}\n{line}\n{title}"
