"""Settings that are allowed and known to fail: a line each."""

from __future__ import annotations

from collections.abc import Iterator

from gandist.regularizers import Regularizer
from gandist.spec.base import given
from gandist.spec.budget import Budget
from gandist.spec.schedules import Schedule
from gandist.spec.trial import TrialSpec

FAR = 10.0
"""Times a rule of thumb, either way."""
NEW = 0.05
"""Share of an average that may stem from before the training."""


def advice(trial: TrialSpec, image_shape: tuple[int, int, int] | None, images: int | None) -> Iterator[str]:
    """What is likely to spoil ``trial``.

    Args:
        trial: as validated.
        image_shape: ``(height, width, channels)`` of its data set, where that is known.
        images: how many of them there are, where that is known.
    """
    yield from _unregularized(trial)
    yield from _signs(trial)
    if image_shape is not None:
        yield from _gamma(trial, image_shape)
    if images is not None:
        yield from _average(trial, Budget(trial.training, trial.data.batch_size, images).total_steps)


def _unregularized(trial: TrialSpec) -> Iterator[str]:
    """A loss that converges with regularizers on each update only."""
    used: dict[str, Regularizer] = given(trial.regularizers)
    for name in trial.loss.converges_with:
        if name not in used:
            yield f"regularizers: {trial.loss.name} need not converge without {name}; give it a gamma"
        elif used[name].every > 1:
            yield (
                f"regularizers.{name}.every: {used[name].every} is not often enough for {trial.loss.name}, "
                "which is known to diverge between; give 1"
            )


def _signs(trial: TrialSpec) -> Iterator[str]:
    """An augmentation that follows what the discriminator does not say."""
    if trial.augmentation and trial.augmentation.reads_signs and not trial.loss.sign_decides:
        name = trial.augmentation.name
        yield (
            f"augmentation: {name} follows the sign of D(real), which decides nothing under loss "
            f"{trial.loss.name}; give augmentation.probability, or name: diff_augment"
        )


def _gamma(trial: TrialSpec, image_shape: tuple[int, int, int]) -> Iterator[str]:
    """R1 far from what suits an architecture."""
    r1, factor = given(trial.regularizers).get("r1"), trial.model.r1_gamma_factor
    if r1 is None or factor is None:
        return
    height, width, _ = image_shape
    rule = factor * height * width / trial.data.batch_size
    for gamma in r1.gamma.ends if isinstance(r1.gamma, Schedule) else (r1.gamma,):
        if not rule / FAR <= gamma <= rule * FAR:
            yield (
                f"regularizers.r1.gamma: {gamma:g} is far from {rule:.2g}, the rule of thumb for long "
                f"trainings of {trial.model.name}: {factor:g} * height * width / batch_size"
            )
            return


def _average(trial: TrialSpec, steps: int) -> Iterator[str]:
    """An average of the generator's weights that is mostly what it was before the training."""
    decay = trial.training.generator_ema
    if isinstance(decay, float) and trial.training.generator_ema_warmup is None and decay**steps > NEW:
        yield (
            f"training.generator_ema: {decay:g} over {steps:,} steps leaves {decay**steps:.0%} of the "
            "average to the weights before training; give a smaller decay, or generator_ema_warmup: 0.05"
        )
