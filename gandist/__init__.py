"""Train small-image GANs as jobs of configurations x seeds on Ray, and get one honest report.

``load_job``, ``run``, ``evaluate`` and ``open`` are loaded when they are first used: importing gandist takes
no time. ``gandist.keras`` is the way of Keras, and loads TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gandist.version import VERSION as __version__

if TYPE_CHECKING:
    from gandist.api import evaluate, load_job, open, run

__all__ = ["__version__", "evaluate", "load_job", "open", "run"]


def __getattr__(name: str) -> Any:
    if name == "keras":
        import gandist.keras as found

        return found
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from gandist import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*__all__, "keras"]
