"""TensorFlow, loaded when something of it is first used: reading a job must take a second, not ten.

``from gandist import lazy_tensorflow as tf`` in the files of losses, regularizers and the like, whose options
are read without training anything.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    import tensorflow

    return getattr(tensorflow, name)
