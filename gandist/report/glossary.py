"""The words of the page, for whoever meets them for the first time."""

from __future__ import annotations

import re
from collections.abc import Mapping

TERMS: Mapping[str, str] = {
    "kimg": "Thousand real images shown to the discriminator: the budget that is fair across batch sizes.",
    "step": "One update of the generator.",
    "epoch": "One pass over the data set.",
    "configuration": "One choice of all settings. A trial is one configuration with one seed.",
    "seed": "The number that all random numbers of a trial follow from. Seeds tell luck from settings.",
    "discriminator": "The network that tells real images from generated ones, D.",
    "generator": "The network that makes images of random latents, G.",
    "D(x), D(G(z))": (
        "The probability of being real that the discriminator gives to real and to generated images: both "
        "near 0.5 where it cannot tell them apart. Of a Wasserstein GAN a score, which is no probability."
    ),
    "EMA": (
        "Exponential moving average of the generator's weights: its images are steadier than those of the "
        "last step."
    ),
    "R1": (
        "A penalty on the discriminator's slope at real images (R2: at generated ones), which keeps "
        "training stable."
    ),
    "gradient penalty": (
        "A penalty on the discriminator's slope between real and generated images (WGAN-GP)."
    ),
    "frechet": (
        "Frechet distance: how far the generated images are from the real ones, as a network sees them; 0 "
        "where mean and covariance agree. In Inception's features it is the FID of papers; in others it "
        "is not, and values do not compare."
    ),
    "kid": "Kernel distance of generated and real images, with a standard error; 0 where they are alike.",
    "precision": "The share of generated images that look like real ones.",
    "recall": "The share of real images that the generator could have made.",
    "density": "How often generated images lie where real ones are dense; 1 for real images.",
    "coverage": "The share of real images with a generated one nearby.",
    "modes": "Classes that the generated images show.",
    "modes_kl": (
        "How far the shares of the classes are from those of the data, in nats; 0 where they are alike."
    ),
    "memorization": (
        "0.5 where generated images are no nearer to training than to unseen images; 1 for copies."
    ),
    "median": "The value in the middle: half of the seeds are better, half are worse.",
    "failed seeds": (
        "How many diverged, collapsed or failed. In brackets their share, and the range of shares that so "
        "few seeds are compatible with (95%): 0 of 2 may still be most of them."
    ),
    "interval": "A range that holds the true median in 95% of jobs; of two to five seeds in fewer.",
    "pairs": "Of a seed of one configuration and a seed of the other: in how many the first one is better.",
    "p (Holm)": (
        "How likely a difference at least so clear is by chance alone, corrected for the number of "
        "comparisons; significant at 0.05 and below."
    ),
}
"""By word, the most common ones first."""

_FOUND = {re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_"): word for word in TERMS} | {
    "generator_ema": "EMA",
    "gradient_penalty": "gradient penalty",
}


def explain(phrase: str) -> str:
    """What ``phrase`` means; empty where that is not known.

    Args:
        phrase: a word of ``TERMS``, a metric's title, which begins with its name, or the path of a setting.
    """
    if meaning := TERMS.get(phrase, TERMS.get(phrase.lower())):
        return meaning
    words = phrase[:200].split(".") if "." in phrase else phrase.split(" ")[:1]
    return next((TERMS[_FOUND[word]] for word in words if word in _FOUND), "")
