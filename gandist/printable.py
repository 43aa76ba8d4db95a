"""Strangers' text as one line that a terminal shows and does not obey."""

from __future__ import annotations


def printable(text: str, limit: int | None = None, keep: str = "") -> str:
    """``text`` with escapes for control characters, line ends, bidirectional controls and lone surrogates.

    Args:
        text: what to show.
        limit: what is longer is cut, and ends in an ellipsis.
        keep: characters that stay as they are, such as ``\\n``.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"
