"""How many of the data's classes are generated, and how evenly.

Of images whose channels are looked at one by one, a class is the classes of all channels: the 1,000 triples
of stacked MNIST (Srivastava et al. 2017; Lin et al. 2018), of which one counts as found by a single image.
"""

from __future__ import annotations

import numpy as np

from gandist.metrics._base import Need, Sets, Value

HEADLINE = "modes_kl"
HAS_FLOOR = False
"""It has one of its own, of a sampler that never errs."""
NEEDS = frozenset({Need.LOGITS})
SHARE = 0.1
"""A single class is found where there is at least this share of what the data has: a classifier that takes
one image in a thousand for another class finds no class by that."""
DRAWS = 200
"""Perfect samplers that the floors are the means of."""


def measure(sets: Sets) -> list[Value]:
    """``modes``: classes found. ``modes_kl``: the Kullback-Leibler divergence (nats) of the generated classes
    from those of the data, for triples from uniform ones.

    The floors are of as many images drawn from the data's own classes. None without logits.
    """
    if sets.generated.logits is None or sets.real.logits is None:
        return []
    generated = sets.generated.logits.argmax(axis=-1)
    if generated.ndim == 1:
        drawn = target = _shares(sets)
        least = SHARE * len(generated) * target
    else:
        drawn = _independent(sets.real.logits)
        target, least = np.full(drawn.shape, 1.0 / drawn.size), np.zeros(drawn.shape)
        generated = np.ravel_multi_index(
            tuple(generated.T), sets.real.logits.shape[-1:] * generated.shape[-1]
        )
    if len(target) <= generated.max():
        return []  # classes of something else
    counts = np.bincount(generated, minlength=len(target))
    perfect = np.random.default_rng(0).multinomial(len(generated), drawn, DRAWS)
    found, divergence = _found(counts, least), _divergence(counts, target)
    return [
        Value("modes", float(found), lower_is_better=False, floor=float(_found(perfect, least).mean())),
        Value(
            "modes_kl",
            float(divergence),
            lower_is_better=True,
            floor=float(_divergence(perfect, target).mean()),
        ),
    ]


def _found(counts: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Classes of counts ``[..., classes]`` of which there are enough."""
    found: np.ndarray = ((counts >= least) & (counts > 0)).sum(axis=-1)
    return found


def _divergence(counts: np.ndarray, target: np.ndarray) -> np.ndarray:
    """KL(counts || target) of counts ``[..., classes]``: infinite where there is what the target has not."""
    shares = counts / counts.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log(shares / target), 0.0)
    return np.asarray(terms.sum(axis=-1))


def _shares(sets: Sets) -> np.ndarray:
    """Of the data's classes: float64 ``[classes]``; by what is seen in real images where it has no labels."""
    classes = sets.training.labels if sets.class_names else None
    if classes is None:
        assert sets.real.logits is not None  # noqa: S101 - asked before
        classes, number = sets.real.logits.argmax(axis=-1), sets.real.logits.shape[-1]
    else:
        number = len(sets.class_names)
    return np.bincount(classes, minlength=number) / len(classes)


def _independent(logits: np.ndarray) -> np.ndarray:
    """float64 ``[classes ** channels]``: each channel with its classes, independent of the others."""
    _, channels, number = logits.shape
    shares = np.ones(1)
    for channel in range(channels):
        counts = np.bincount(logits[:, channel].argmax(axis=-1), minlength=number)
        shares = np.outer(shares, counts / len(logits)).ravel()
    return shares
