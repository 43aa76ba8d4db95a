"""Layers of gandist that a ``.keras`` file may name: Keras loads it once their modules are imported.

A layer that ``portable`` cannot replace by Keras' own is marked ``@loadable``. Its arguments must be plain
values, which Keras then writes into the file by itself. Nothing else is needed: an export with such layers is
written, and ``loading`` says how to load it.
"""

from __future__ import annotations

from typing import TypeVar

import keras

from gandist.layers.walk import layers_of

PACKAGE = "gandist"

Kind = TypeVar("Kind", bound=type[keras.layers.Layer])


def loadable(kind: Kind) -> Kind:
    """A decorator: register a layer under its module and name, such as ``gandist.filtered>Upsample``."""
    topic = kind.__module__.rpartition(".")[2]
    registered: Kind = keras.saving.register_keras_serializable(f"{PACKAGE}.{topic}")(kind)
    return registered


def loading(network: keras.Model) -> str:
    """How Keras loads ``network`` from a file, in one line; empty where it needs nothing from gandist."""
    kinds = {type(layer) for layer in layers_of(network)}
    modules = sorted({kind.__module__ for kind in kinds if kind.__module__.partition(".")[0] == PACKAGE})
    if not modules:
        return ""
    return f"import {', '.join(modules)} first, then keras.saving.load_model(path) loads it"
