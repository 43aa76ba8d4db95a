"""Signs of life of work that takes long before it has a result: decoding, downloading, evaluating, waiting.

Whoever does such work is given a ``Tell`` and calls it as it gets on; ``silent`` is for where nobody listens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Activity:
    """What is being done, and how far it is."""

    what: str
    """As in ``decoding pictures``; one line of printable text."""
    done: int = 0
    total: int = 0
    """0 = not known."""

    def __str__(self) -> str:
        if not self.total:
            return f"{self.what} {self.done:,}" if self.done else self.what
        return f"{self.what} {self.done:,}/{self.total:,}"


Tell = Callable[[Activity], None]
"""Called from any thread, as often as the work likes; returns at once."""


def silent(_: Activity) -> None:
    """Tells nobody."""
