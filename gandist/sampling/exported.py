"""The weights in a ``.keras`` file, read without believing anything else that it says.

Keras builds a model as the file's configuration tells it to, which is to run what a stranger has written.
Here the model comes from elsewhere. The file is an archive whose member ``model.weights.h5`` must be nothing
but plain arrays, of as many bytes as that model has: no link to another file, no array that lies outside or
is unpacked to more than is stored.
"""

from __future__ import annotations

from gandist import tensorflow_start  # isort: skip  # noqa: F401 - before whatever loads TensorFlow

import io
import math
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import keras
import numpy as np

from gandist.errors import CheckpointError

_MEMBER = "model.weights.h5"
_OVERHEAD = 4_000_000
"""Bytes that the file may have beside the arrays: names and addresses, about a thousand a layer."""
_REMEDY = "copy it anew, or train the trial again"


def weights_size(build: Callable[[], keras.Model]) -> int:
    """Bytes of all variables of the model that ``build`` makes; takes no memory for them.

    Raises:
        UsageError: ``build`` did.
    """
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = build()
        return sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in model.variables)
    finally:
        keras.backend.clear_session()  # else Keras gives these variables values when it builds its next model


def weights_of(content: bytes, size: int, where: str) -> bytes:
    """The HDF5 file of weights in a ``.keras`` file, found harmless.

    Args:
        content: of the ``.keras`` file.
        size: bytes of the arrays that it must hold.
        where: the file, for errors.

    Raises:
        CheckpointError: it is damaged, holds other weights, or what ``Sampler.export`` never writes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            member = archive.getinfo(_MEMBER)
            _compare(member.file_size, size, where, _OVERHEAD)
            weights = archive.read(member)  # no more than the size that was just looked at
        with h5py.File(io.BytesIO(weights), "r") as file:
            _compare(_plain_arrays(file, where), size, where)
    except CheckpointError:
        raise
    except Exception as error:  # whatever zipfile and h5py make of it: a SystemError was seen too
        raise _damaged(where) from error
    return weights


def load(model: keras.Model, weights: bytes, where: str) -> None:
    """Set the variables of ``model`` to the weights in an HDF5 file that ``weights_of`` gave.

    Raises:
        CheckpointError: they are another model's, or not finite.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "generator.weights.h5"
        path.write_bytes(weights)
        try:
            # Keras only warns of layers for which it finds nothing.
            with warnings.catch_warnings(action="error", category=UserWarning):
                model.load_weights(path)
        except Exception as error:
            raise _refused(where, "has other layers than the model in trial.yaml") from error
    if not all(np.isfinite(variable.numpy()).all() for variable in model.variables):
        raise _refused(where, "has weights that are not finite")


def _plain_arrays(file: h5py.File, where: str) -> int:
    """Bytes of the arrays in ``file``."""
    links: list[h5py.HardLink] = []
    file.visititems_links(lambda _, link: links.append(link))
    if not all(isinstance(link, h5py.HardLink) for link in links):
        raise _refused(where, "has links to other places, which gandist never writes")
    items: list[h5py.Group | h5py.Dataset] = []
    file.visititems(lambda _, item: items.append(item))
    total = 0
    for item in items:
        if isinstance(item, h5py.Group):
            continue
        # Contiguous: then there is no filter, and what is declared is what is stored.
        plain = isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and item.chunks is None
        if not plain or item.external or item.id.get_storage_size() != item.nbytes:
            raise _refused(where, "has arrays that are not plain numbers in this file, as gandist's are")
        total += item.nbytes
    return total


def _compare(found: int, size: int, where: str, more: int = 0) -> None:
    if not size <= found <= size + more:
        raise _refused(where, f"has {found:,} bytes of weights; the model in trial.yaml has {size:,}")


def _refused(where: str, what: str) -> CheckpointError:
    return CheckpointError(f"{where}: the generator {what}; {_REMEDY}")


def _damaged(where: str) -> CheckpointError:
    return CheckpointError(f"{where}: damaged: not an exported generator any more; {_REMEDY}")
