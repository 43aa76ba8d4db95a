"""The Inception network of 2015, which published FID and KID values are of, from a file that you give.

It is ``classify_image_graph_def.pb`` in Google's archive inception-2015-12-05. The code of Heusel et al. 2017
feeds pixels 0 to 255 as ``ExpandDims:0`` and reads ``pool_3:0``; so does this. The graph itself resizes to
299x299, bilinearly without aligned corners or half-pixel centres, and scales to (x - 128) / 128. Grey images
are given three equal channels. A value is comparable with a paper's where samples and split are equal, too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from gandist import lazy_tensorflow as tf
from gandist.activity import Activity, Tell, silent
from gandist.data import Dataset, _cache
from gandist.errors import DataError
from gandist.features._base import FeatureOptions, Seen

VARIABLE = "GANDIST_INCEPTION"
INPUT, FEATURES = "ExpandDims:0", "pool_3:0"
LOOK = 50
"""Images that are looked at together."""


class Options(FeatureOptions):
    """The features section of a job file."""

    name: Literal["inception"] = "inception"
    path: str | None = Field(
        None, description=f"classify_image_graph_def.pb, on each machine; by default what {VARIABLE} says"
    )


class Inception:
    """See above. It has no logits: its 1,008 classes are not those of the data.

    Args:
        path: of the graph.

    Raises:
        DataError: it is missing, or no such graph.
    """

    about = ""

    def __init__(self, path: Path) -> None:
        try:
            content = path.read_bytes()
            self.id = f"inception-{hashlib.sha256(content).hexdigest()[:12]}"
            self._network = _network(content)
        except Exception as error:  # whatever TensorFlow makes of it
            raise DataError(
                f"{path}: not the Inception graph of 2015 ({' '.join(str(error).split())[:200]}); give "
                f"classify_image_graph_def.pb as evaluation.features.path or {VARIABLE}"
            ) from error

    def look(self, images: np.ndarray, tell: Tell = silent) -> Seen:
        """Features ``[n, 2048]``."""
        found = []
        for start in range(0, len(images), LOOK):
            tell(Activity("looking at images", start, len(images)))
            some = images[start : start + LOOK].astype(np.float32)
            coloured = np.repeat(some, 3, axis=-1) if some.shape[-1] == 1 else some
            features = self._network(coloured)
            found.append(features.reshape(len(some), -1))
        return Seen(np.concatenate(found))


def load(options: Options, dataset: Dataset, tell: Tell = silent) -> Inception:
    """The network.

    Raises:
        DataError: no file is named, or it is not this network.
    """
    path = options.path or os.environ.get(VARIABLE)
    if not path:
        raise DataError(
            "evaluation.features: inception needs classify_image_graph_def.pb, which gandist does not have: "
            f"give its path as evaluation.features.path or {VARIABLE}"
        )
    return Inception(_cache.from_home(path))


def _network(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    """The graph between input and features, of float32 ``[n, height, width, 3]``.

    In a session: functions of TensorFlow 2 refuse operations that graphs of 2015 have.
    """
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(content)
    with tf.Graph().as_default() as graph:
        images = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        (features,) = tf.import_graph_def(definition, {INPUT: images}, [FEATURES], name="")
    threads = tf.config.threading
    session = tf.compat.v1.Session(
        graph=graph,
        config=tf.compat.v1.ConfigProto(
            intra_op_parallelism_threads=threads.get_intra_op_parallelism_threads(),
            inter_op_parallelism_threads=threads.get_inter_op_parallelism_threads(),
            gpu_options={"allow_growth": True},
        ),
    )
    return lambda some: np.asarray(session.run(features, {images: some}))
