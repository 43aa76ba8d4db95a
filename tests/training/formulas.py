"""What the papers say, as plainly as can be: losses of probabilities, optimizers of float64.

Nothing here is gandist's but the random numbers of ``augmented``, as inputs. Sections are those of a trial,
as plain values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

Section = dict[str, Any]
CROSS_ENTROPIES = ("non_saturating", "minimax")


def on_real(loss: Section, x: Any) -> Any:
    """The discriminator's loss of each logit of a real image."""
    match loss["name"]:
        case "non_saturating" | "minimax":  # Goodfellow et al. 2014; Salimans et al. 2016, section 3.4
            return -loss["real_label"] * log_sigmoid(x) - (1 - loss["real_label"]) * log_sigmoid(-x)
        case "least_squares":  # Mao et al. 2017, equation 9
            return (x - 1) ** 2 / 2
        case "hinge":  # Miyato et al. 2018, equation 16
            return -tf.minimum(tf.zeros_like(x), -1 + x)
        case "wasserstein":  # Arjovsky et al. 2017, algorithm 1
            return -x
    raise AssertionError(loss)


def on_fake(loss: Section, x: Any) -> Any:
    """The discriminator's loss of each logit of a generated image."""
    match loss["name"]:
        case "non_saturating" | "minimax":
            return -log_sigmoid(-x)  # log(1 - D)
        case "least_squares":
            return x**2 / 2
        case "hinge":
            return -tf.minimum(tf.zeros_like(x), -1 - x)
        case "wasserstein":
            return x
    raise AssertionError(loss)


def on_pairs(real: Any, fake: Any) -> Any:
    """The discriminator's loss of each pair (Jolicoeur-Martineau 2019): D(x) is to be larger than D(G(z))."""
    return -log_sigmoid(real - fake)


def on_classes(logits: Any, labels: Any) -> list[Any]:
    """-log of the share that each sample's own class has."""
    odds = tf.exp(logits)
    return [-tf.math.log(odds[i, int(own)] / tf.reduce_sum(odds[i])) for i, own in enumerate(labels)]


def of_generator(loss: Section, fake: Any, real: Any) -> Any:
    """The generator's loss of each logit of a generated image."""
    match loss["name"]:
        case "non_saturating":
            return -log_sigmoid(fake)
        case "minimax":
            return log_sigmoid(-fake)
        case "least_squares":
            return (fake - 1) ** 2 / 2
        case "hinge" | "wasserstein":
            return -fake
        case "relativistic":
            return -log_sigmoid(fake - real)
    raise AssertionError(loss)


def output(loss: Section, x: Any) -> Any:
    """What the discriminator says: a probability, or a score."""
    return 1 / (1 + tf.exp(-x)) if loss["name"] in CROSS_ENTROPIES else x


def log_sigmoid(x: Any) -> Any:
    """log D of a logit."""
    return tf.math.log(1 / (1 + tf.exp(-x)))


def norm(gradient: Any) -> Any:
    """The epsilon, as in gandist, is what makes a length of 0 differentiable."""
    return tf.sqrt(tf.reduce_sum(gradient**2) + 1e-12)


def mean(values: Any) -> Any:
    """Of the samples of a batch, as a list or ``[batch, 1]``: their sum by their number; float64."""
    total = sum(tf.cast(value, tf.float64) for value in values)
    return tf.reshape(total, []) / len(values)


def scheduled(rate: Any, steps: int, images: int) -> float:
    """A number, or the value of a schedule after so many steps, and real images."""
    if not isinstance(rate, dict):
        return float(rate)
    done = min(1.0, steps / rate["steps"] if rate["steps"] else images / 1000 / rate["kimg"])
    if rate["linear"]:
        first, last = rate["linear"]
        return float((1 - done) * first + done * last)
    most, least = rate["cosine"]  # Loshchilov & Hutter 2017, equation 5
    return float(least + (most - least) * (1 + np.cos(np.pi * done)) / 2)


def adam(now: Section, rate: float, count: int, slots: list[np.ndarray], g: np.ndarray) -> np.ndarray:
    """What is subtracted in the ``count``-th update (Kingma & Ba 2015, end of section 2)."""
    slots[0] = now["beta_1"] * slots[0] + (1 - now["beta_1"]) * g
    slots[1] = now["beta_2"] * slots[1] + (1 - now["beta_2"]) * g**2
    corrected = rate * np.sqrt(1 - now["beta_2"] ** count) / (1 - now["beta_1"] ** count)
    change: np.ndarray = corrected * slots[0] / (np.sqrt(slots[1]) + now["epsilon"])
    return change


def rmsprop(now: Section, rate: float, count: int, slots: list[np.ndarray], g: np.ndarray) -> np.ndarray:
    """What is subtracted (Tieleman & Hinton 2012), with Keras' momentum and place of epsilon."""
    slots[0] = now["rho"] * slots[0] + (1 - now["rho"]) * g**2
    slots[1] = now["momentum"] * slots[1] + rate * g / np.sqrt(slots[0] + now["epsilon"])
    return slots[1]


def power_iteration(layer: Any) -> None:
    """Move ``u`` and ``v`` of a layer (Miyato et al. 2018, algorithm 1)."""
    matrix = layer.kernel.numpy().astype(np.float64)
    matrix = matrix.reshape(-1, matrix.shape[-1]).T  # the paper's W
    v = matrix.T @ layer.u.numpy()
    v /= np.linalg.norm(v)
    u = matrix @ v
    layer.u.assign(u / np.linalg.norm(u))
    layer.v.assign(v)


def augmented(images: Any, probability: float, draw: Any) -> Any:
    """Brightness, translation, cutout (Zhao et al. 2020), each with a probability, image after image.

    Of a side, a translation is at most 1/8, the square 1/2; what comes in is -1, and the square is 0.
    """
    count, height, width, channels = images.shape
    sides = (height, width)
    names = {"chosen": 3, "brightness": 1, "shifts": 2, "corners": 2}
    drawn = {name: draw.stream(name).uniform(count, numbers).numpy() for name, numbers in names.items()}
    changed = []
    for i in range(count):
        image = images[i]
        brighter, moved, cut = drawn["chosen"][i] < probability
        if brighter:
            image += float(drawn["brightness"][i, 0]) - 0.5
        if moved:
            y, x = (round((2 * u - 1) * side / 8) for u, side in zip(drawn["shifts"][i], sides, strict=True))
            around = tf.pad(image, [[height, height], [width, width], [0, 0]], constant_values=-1)
            image = around[height + y : 2 * height + y, width + x : 2 * width + x]
        if cut:
            kept = np.ones((3 * height, 3 * width, channels), np.float32)
            y, x = (
                side - side // 2 + 1 + int(u * (side + side // 2 - 1))  # a row of the square is inside
                for u, side in zip(drawn["corners"][i], sides, strict=True)
            )
            kept[y : y + height // 2, x : x + width // 2] = 0
            image *= kept[height : 2 * height, width : 2 * width]
        changed.append(image)
    return tf.stack(changed)
