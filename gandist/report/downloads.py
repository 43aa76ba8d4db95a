"""A figure of the page as a file of its own, behind a link: no script, and nothing from the network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markupsafe import Markup, escape

from gandist.report import text

TITLE, SIDE, LINE, MARGIN = 24, 16, 15, 6
"""Of the title's height, the y label's width, a line of the legend and the edge, in points."""
NAME = 90
"""Characters of a name in the legend."""
BOLD, PLAIN = 6.5, 5
"""About the width of a character, in points."""

Entry = tuple[str, str, bool]
"""Of a legend: colour, text, and whether its line is dashed."""


def link(svg: str, job: str, title: str, label: str, legend: Sequence[Entry]) -> dict[str, str]:
    """The file's ``name`` and its ``uri``.

    Args:
        svg: of ``drawing``: an element with axes and their labels.
        job: the job's name, a stranger's like all text here.
        title: of the figure.
        label: of its y axis.
        legend: may be empty.
    """
    name = re.sub(r"[^a-z0-9]+", "-", f"{job} {title}".lower()).strip("-")[:80]
    document = standalone(svg, f"{job}: {title}", label, legend)
    # What needs no escape in a double-quoted attribute stays as it is, which is shorter.
    escaped = quote(document, safe=" =':/;,!*", errors="replace")
    uri = Markup(f"data:image/svg+xml;charset=utf-8,{escaped}")  # noqa: S704
    return {"name": f"{name or 'figure'}.svg", "uri": uri}


def standalone(svg: str, title: str, label: str, legend: Sequence[Entry]) -> str:
    """A whole SVG document: white, in the light colours, with ``title``, y ``label`` and ``legend``."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = (float(size[1]), float(size[2])) if size else (0.0, 0.0)
    left, top = MARGIN + SIDE, MARGIN + TITLE
    title, below = text.plain(title, 200), top + height
    texts = [MARGIN + BOLD * len(title), *(left + 24 + PLAIN * min(len(name), NAME) for _, name, _ in legend)]
    right = max(left + width + 2 * MARGIN, *texts)
    bottom = below + LINE * len(legend) + MARGIN
    place = f'x="{left}" y="{top}" width="{width}" height="{height}" overflow="visible"'
    upright = f'text-anchor="middle" transform="translate({MARGIN + 9},{top + height / 2:.1f}) rotate(-90)"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {right:.1f} {bottom:.1f}" '
        f'width="{right:.0f}" height="{bottom:.0f}" font-family="sans-serif" font-size="9" fill="#22262b">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        _text(MARGIN, MARGIN + 12, title, 'font-size="11" font-weight="bold"'),
        _text(0, 0, label, upright),
        # Few programs that draw know the page's variables.
        re.sub(r"var\(--[a-z0-9-]+, (#[0-9a-f]{6})\)", r"\1", svg).replace("<svg ", f"<svg {place} ", 1),
    ]
    for line, (colour, name, dashed) in enumerate(legend):
        y = below + LINE * (line + 0.7)
        dash = ' stroke-dasharray="4 2"' if dashed else ""
        parts.append(f'<path d="M{left} {y - 3:.1f}h18" stroke="{colour}" stroke-width="2.5"{dash}/>')
        parts.append(_text(left + 24, y, text.plain(name, NAME)))
    return "".join([*parts, "</svg>"])


def _text(x: float, y: float, shown: str, attributes: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {attributes}>{escape(shown)}</text>'
