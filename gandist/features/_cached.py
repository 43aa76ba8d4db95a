"""What a network sees in real images, kept on disk: computed once, for all trials and processes.

A file is named by the network and by the content of the images. It appears when it is whole, and one that is
damaged is made anew. All of it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import zipfile
from pathlib import Path

import numpy as np

from gandist.activity import Activity, Tell, silent
from gandist.data import _cache
from gandist.errors import DataError
from gandist.features import _files
from gandist.features._base import Network, Seen

FILE = "seen.npz"


def look(network: Network, images: np.ndarray, tell: Tell = silent) -> Seen:
    """What ``network`` sees in ``images``, computed where no process has done so; as ``network.look``."""
    folder = _folder(network, images, tell)
    if folder is None:
        return network.look(images, tell)
    if (kept := _read(folder / FILE, len(images))) is not None:
        return kept
    with _cache.locked(folder, "features of these images are computed", tell) as alone:
        if (kept := _read(folder / FILE, len(images))) is not None:  # made meanwhile
            return kept
        seen = network.look(images, tell)
        with contextlib.suppress(OSError):  # then they are computed again
            if alone:
                _files.sweep(folder)
            _write(folder / FILE, seen)
    return seen


def _folder(network: Network, images: np.ndarray, tell: Tell) -> Path | None:
    digest = hashlib.sha256(repr(images.shape).encode())
    for start in range(0, len(images), 4096):  # memory-mapped ones may be larger than memory
        tell(Activity("checking images", start, len(images)))
        digest.update(images[start : start + 4096].tobytes())
    try:
        return _cache.directory() / "features" / network.id / digest.hexdigest()[:24]
    except DataError:  # there is no place for it
        return None


def _read(path: Path, count: int) -> Seen | None:
    """What ``path`` holds of ``count`` images; None where it is missing or damaged, by its checksums."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    if "features" not in arrays or any(len(array) != count for array in arrays.values()):
        return None
    return Seen(arrays["features"], arrays.get("logits"))


def _write(path: Path, seen: Seen) -> None:
    arrays = {"features": seen.features} | ({} if seen.logits is None else {"logits": seen.logits})
    _files.write(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
