"""Feature networks, one file each: what metrics compare images by, under their names in a job file.

Each file has ``Options`` and ``load(options, dataset, tell)``, which returns a ``Network`` for the images of
a data set. A network is named by the hash of its weights, and values of two networks are never compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator

from gandist.activity import Tell, silent
from gandist.data import DataOptions, Dataset
from gandist.features._base import FeatureOptions, Network, Seen
from gandist.features._cached import look
from gandist.spec.variants import Kind, choice, home, names

NETWORKS: Kind[Any] = Kind(__name__, FeatureOptions, functions=("load",))


def load(options: FeatureOptions, dataset: Dataset, tell: Tell = silent) -> Network:
    """The network that ``options`` names.

    Raises:
        DataError: it cannot be had for these images; says why.
    """
    network: Network = home(options).load(options, dataset, tell)
    return network


def chosen(given: FeatureOptions | None, data: DataOptions) -> FeatureOptions:
    """What images are compared by: what a job says, else what suits the data set."""
    return named(data.features) if given is None else given


def named(name: str) -> FeatureOptions:
    """The network ``name`` with its default options."""
    found: FeatureOptions = NETWORKS[name]()
    return found


def _named(features: Any) -> Any:
    """``mnist`` is short for ``{name: mnist}``."""
    return {"name": features} if isinstance(features, str) else features


if TYPE_CHECKING:
    Features = FeatureOptions
else:
    _section = choice(NETWORKS)
    Features = Annotated[_section, BeforeValidator(_named, json_schema_input_type=_section | names(NETWORKS))]

__all__ = ["FeatureOptions", "Features", "Network", "Seen", "chosen", "load", "look", "named"]
