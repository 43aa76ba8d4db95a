"""Output of a notebook's cell that is replaced in place. Elsewhere IPython need not be installed."""

from __future__ import annotations

import base64
import sys
import uuid
from typing import Any


def kernel() -> Any:
    """The shell of IPython where this process is the kernel of a notebook, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if getattr(shell, "kernel", None) is not None else None


class Output:
    """One output, shown where it is first shown and replaced from then on; outside a notebook, nothing."""

    def __init__(self) -> None:
        self._display = {"display_id": uuid.uuid4().hex}
        self._shown = False

    def show_html(self, html: str, text: str) -> None:
        """Show a part of a page; ``text`` is for what can show nothing else."""
        self._show({"text/html": html, "text/plain": text})

    def show_png(self, content: bytes, text: str) -> None:
        """Show a picture; ``text`` says what it is."""
        self._show({"image/png": base64.b64encode(content).decode(), "text/plain": text})

    def _show(self, bundle: dict[str, str]) -> None:
        if (shell := kernel()) is not None:
            shell.display_pub.publish(bundle, transient=self._display, update=self._shown)
            self._shown = True
