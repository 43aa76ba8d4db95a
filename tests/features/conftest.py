"""TensorFlow with the devices of the other tests: they are set once a process."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def tensorflow(devices: None) -> None:
    """For whatever looks at images."""
