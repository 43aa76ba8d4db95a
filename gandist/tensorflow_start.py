"""TensorFlow, loaded in an environment that gandist has pinned: what imports it imports this first.

What its C++ parts write while they start is held back, but for a ``TF_CPP_MIN_LOG_LEVEL`` below 3.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gandist import environment


@contextmanager
def _silent_start() -> Iterator[None]:
    """Hold back file descriptor 2, which C++ writes to past Python; shown only where the start fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(stderr, said.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _start() -> None:
    import tensorflow as tf

    tf.config.list_physical_devices()  # looks for CUDA, and says so when it finds none


BEGAN = time.monotonic()
"""When TensorFlow began to be loaded."""

environment.pin()
if os.environ["TF_CPP_MIN_LOG_LEVEL"] >= "3":
    with _silent_start():
        _start()
