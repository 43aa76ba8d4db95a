"""All layers of a network, those of sub-models included."""

from __future__ import annotations

import keras


def layers_of(network: keras.Model) -> list[keras.layers.Layer]:
    """Each layer once, in the order in which a walk meets it."""
    return list(network._flatten_layers(include_self=False))  # there is no public way
