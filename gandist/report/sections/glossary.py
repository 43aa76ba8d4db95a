"""What the words of the page mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.report.glossary import TERMS

if TYPE_CHECKING:
    from gandist.report.render import Content

TITLE = "Words"
ORDER = 90


def build(content: Content) -> dict[str, Any] | None:
    """All of them, where there is anything to read."""
    return {"terms": TERMS} if content.merged.members else None
