"""Whether a conditional generator makes the class that it is asked for, as a classifier sees it."""

from __future__ import annotations

import numpy as np

from gandist.metrics._base import Need, Sets, Value

HEADLINE = "conditional_accuracy"
HAS_FLOOR = True
NEEDS = frozenset({Need.LOGITS, Need.CONDITIONAL})


def measure(sets: Sets) -> list[Value]:
    """``conditional_accuracy``: the share of images whose class was asked for; ``conditional_accuracy_<i>``:
    of those of class ``i``. None without labels, or where the network tells other classes apart.

    The floor is the classifier's own accuracy on real images.
    """
    labels, logits = sets.generated.labels, sets.generated.logits
    if labels is None or logits is None or logits.shape[1:] != (len(sets.class_names),):
        return []
    right = logits.argmax(axis=1) == labels
    classes = [(f"_{number}", right[labels == number]) for number in range(len(sets.class_names))]
    return [
        Value(f"conditional_accuracy{name}", float(of.mean()), lower_is_better=False, error=_error(of))
        for name, of in [("", right), *classes]
        if len(of)
    ]


def _error(right: np.ndarray) -> float:
    return float(right.std() / np.sqrt(len(right)))
