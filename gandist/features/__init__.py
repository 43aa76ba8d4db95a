"""Feature networks, one file each: what metrics compare images by, under their names in a job file.

Each file has ``Options`` and ``load(options, dataset, tell)``, which returns a ``Network`` for the images of
a data set. A network is named by the hash of its weights, and values of two networks are never compared.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset
from gandist.features._base import FeatureOptions, Network, Seen
from gandist.features._cached import look
from gandist.spec.base import choice, module_of, options


def load(options: FeatureOptions, dataset: Dataset, tell: Tell = silent) -> Network:
    """The network that ``options`` names.

    Raises:
        DataError: it cannot be had for these images; says why.
    """
    network: Network = module_of(options).load(options, dataset, tell)
    return network


def chosen(given: FeatureOptions | None, data: DataOptions) -> FeatureOptions:
    """What images are compared by: what a job says, else what suits the data set."""
    return named(data.features) if given is None else given


def named(name: str) -> FeatureOptions:
    """The network ``name`` with its default options."""
    found: FeatureOptions = importlib.import_module(f"{__name__}.{name}").Options()
    return found


def _named(features: Any) -> Any:
    """``mnist`` is short for ``{name: mnist}``."""
    return {"name": features} if isinstance(features, str) else features


if TYPE_CHECKING:
    Features = FeatureOptions
else:
    _networks = options(__name__)
    _name = Literal[tuple(network.model_fields["name"].default for network in _networks)]
    Features = Annotated[
        choice(_networks), BeforeValidator(_named, json_schema_input_type=choice(_networks) | _name)
    ]

__all__ = ["FeatureOptions", "Features", "Network", "Seen", "chosen", "load", "look", "named"]
