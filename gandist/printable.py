"""Strangers' text as one line that a terminal shows and does not obey."""

from __future__ import annotations


def printable(what: object, limit: int | None = None, keep: str = "") -> str:
    """``what`` with escapes for control characters, line ends, bidirectional controls and lone surrogates.

    Args:
        what: to show, as ``str`` has it.
        limit: what is longer is cut, and ends in an ellipsis.
        keep: characters that stay as they are, such as ``\\n``.
    """
    text = str(what)
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in keep else ascii(c)[1:-1] for c in text)
    return text if limit is None or len(text) <= limit else f"{text[: limit - 1]}…"


def one_line(what: object, limit: int = 300) -> str:
    """The first line of ``what`` that says something, printable; the type of an error that says nothing."""
    nothing = type(what).__name__ if isinstance(what, BaseException) else ""
    lines = (line.strip() for line in str(what).splitlines())
    return printable(next(filter(None, lines), nothing), limit)
