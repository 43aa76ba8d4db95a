"""What a notebook's kernel is to gandist, without IPython."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

Shown = list[tuple[str, dict[str, str]]]
"""``shown`` or ``replaced``, and the output by MIME type."""


@contextmanager
def notebook() -> Iterator[Shown]:
    """Within, this process takes itself for a kernel; gives what it shows."""
    outputs: set[str] = set()
    found: Shown = []

    def publish(bundle: dict[str, str], transient: dict[str, Any], update: bool) -> None:
        assert update == (transient["display_id"] in outputs)
        outputs.add(transient["display_id"])
        found.append(("replaced" if update else "shown", bundle))

    shell = SimpleNamespace(kernel=object(), display_pub=SimpleNamespace(publish=publish))
    ipython = SimpleNamespace(get_ipython=lambda: shell, version_info=(9, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "IPython", ipython)
        yield found
