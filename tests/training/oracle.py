"""The train step once more, from the papers: what gandist must agree with.

Networks and random numbers are gandist's, as inputs. All else is written anew, and as plainly as it can be:
slopes one sample after another, sums divided by the number of samples, gradients of one tape over the whole
batch, counters that count; what follows a gradient is in float64.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from gandist import models
from gandist.randomness import Randomness, layers_draw_from
from tests.training import formulas

Shown = dict[str, Any]


class Said(NamedTuple):
    """Of a batch: logits float64 ``[batch, 1]``, and those of classes float64 ``[batch, classes]``."""

    logits: Any
    of_classes: Any = None


NUMBERS_OF_OPTIMIZERS = ("beta_1", "beta_2", "epsilon", "rho", "momentum")


class Oracle:
    """Trains copies of a GAN's networks on one device.

    Attributes:
        generator: the copy.
        discriminator: the copy.
        ema: averages of the generator's trainable weights, float64.

    Args:
        trial: the ``TrialSpec`` of what to train.
        gan: whose weights to begin with.
        image_shape: ``(height, width, channels)``.
        classes: of conditional networks, or 0.
    """

    def __init__(self, trial: Any, gan: Any, image_shape: tuple[int, int, int], classes: int = 0) -> None:
        self._spec: dict[str, Any] = trial.model_dump()
        self.generator, self.discriminator = _networks(trial.model, image_shape, classes)
        self.generator.set_weights([w.numpy() for w in gan.generator.weights])
        self.discriminator.set_weights([w.numpy() for w in gan.discriminator.weights])
        self.ema = [w.numpy().astype(np.float64) for w in self.generator.trainable_weights]
        self._conditional, self._packing = classes > 0, trial.model.packing
        self._steps = self._images = 0
        self._updates = {"d": 0, "g": 0}
        self._slots: dict[str, list[list[np.ndarray]]] = {
            prefix: [[np.zeros(w.shape), np.zeros(w.shape)] for w in self._weights(prefix)]
            for prefix in ("d", "g")
        }
        self._mean_path_length = 0.0
        self._ada_p = 0.0

    def step(self, images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        """One step on float32 ``[n_critic, batch, height, width, channels]``, and its figures."""
        rules = {
            "simultaneous": self._simultaneous,
            "alternating": self._alternating,
            "half_batches": self._half_batches,
        }
        shown = rules[self._spec["training"]["update"]](
            [tf.constant(batch) for batch in images],
            [tf.constant(batch) for batch in labels],
            Randomness(self._spec["seed"], tf.constant(self._steps, tf.int64)),
        )
        self._average()
        self._steps += 1
        self._images += labels.size
        if self._spec["augmentation"]:
            shown["ada_p"] = self._ada_p
        return {name: float(value) for name, value in shown.items()}

    # Orders of updates.

    def _simultaneous(self, images: list[Any], labels: list[Any], draw: Randomness) -> Shown:
        """Both gradients at the weights that the step begins with, of the same images and logits."""
        self._prepare()
        with tf.GradientTape(persistent=True) as tape:
            fake = self._generate(labels[0], draw)
            of_real = self._judge(images[0], labels[0], draw.stream("real"))
            of_fake = self._judge(fake, labels[0], draw.stream("fake"))
            d_total, d_shown = self._of_discriminator(images[0], fake, labels[0], of_real, of_fake, draw)
            g_total, g_shown = self._of_generator(of_fake, of_real, labels[0], draw)
        d_gradients = tape.gradient(d_total, self._values("d"))
        g_gradients = tape.gradient(g_total, self._values("g"))
        return {**self._descend("d", d_gradients, d_shown), **self._descend("g", g_gradients, g_shown)}

    def _alternating(self, images: list[Any], labels: list[Any], step: Randomness) -> Shown:
        """Goodfellow et al. 2014, algorithm 1: the generator meets the updated discriminator."""
        shown: Shown = {}
        for k in range(self._spec["training"]["n_critic"]):
            draw = step.stream(f"discriminator{k}")
            self._prepare()
            fake = self._generate(labels[k], draw)
            with tf.GradientTape() as tape:
                of_real = self._judge(images[k], labels[k], draw.stream("real"))
                of_fake = self._judge(fake, labels[k], draw.stream("fake"))
                total, now = self._of_discriminator(images[k], fake, labels[k], of_real, of_fake, draw)
            now = self._descend("d", tape.gradient(total, self._values("d")), now)
            # A step shows the last value of each figure: NaN only where none of its updates had one.
            shown |= {name: v for name, v in now.items() if name not in shown or not np.isnan(v)}
        return shown | self._update_generator(images[-1], labels[-1], step.stream("generator"))

    def _half_batches(self, images: list[Any], labels: list[Any], step: Randomness) -> Shown:
        """``train_on_batch`` of real images, then of what ``predict`` gives; then the whole batch."""
        loss, weight = self._spec["loss"], self._weight_of_a_part()
        shown: Shown = {}
        for k in range(self._spec["training"]["n_critic"]):
            draw = step.stream(f"discriminator{k}")
            self._prepare()
            with tf.GradientTape() as tape:
                said = self._judge(images[k], labels[k], draw.stream("real"))
                real_loss = formulas.mean(formulas.on_real(loss, said.logits))
                added, shown_of_classes = self._of_classes(labels[k], d_loss_class_real=said)
                total = weight * real_loss + added
            now = {"d_loss_real": real_loss, **self._shown_of_real(said.logits), **shown_of_classes}
            shown |= self._descend("d", tape.gradient(total, self._values("d")), now)
            self._prepare()
            fake = self._generate(labels[k], draw, training=False)
            with tf.GradientTape() as tape:
                said = self._judge(fake, labels[k], draw.stream("fake"))
                fake_loss = formulas.mean(formulas.on_fake(loss, said.logits))
                added, shown_of_classes = self._of_classes(labels[k], d_loss_class_fake=said)
                total = weight * fake_loss + added
            d_fake = formulas.mean(formulas.output(loss, said.logits))
            now = {"d_loss_fake": fake_loss, "d_fake": d_fake, **shown_of_classes}
            shown |= self._descend("d", tape.gradient(total, self._values("d")), now)
            shown["d_loss"] = weight * (real_loss + fake_loss)
        twice = tf.constant([label for label in labels[-1].numpy() for _ in range(2)])
        return shown | self._update_generator(None, twice, step.stream("generator"))

    def _update_generator(self, images: Any, labels: Any, draw: Randomness) -> Shown:
        with tf.GradientTape() as tape:
            of_fake, of_real = self._judge(self._generate(labels, draw), labels, draw.stream("fake")), None
            if self._spec["loss"]["name"] == "relativistic":
                of_real = self._judge(images, labels, draw.stream("real"))
            total, shown = self._of_generator(of_fake, of_real, labels, draw)
        return self._descend("g", tape.gradient(total, self._values("g")), shown)

    # What is minimised, and what is shown of it.

    def _of_discriminator(
        self, real: Any, fake: Any, labels: Any, of_real: Said, of_fake: Said, draw: Randomness
    ) -> tuple[Any, Shown]:
        loss, real_logits, fake_logits = self._spec["loss"], of_real.logits, of_fake.logits
        if loss["name"] == "relativistic":
            total = formulas.mean(formulas.on_pairs(real_logits, fake_logits))
            shown = {"d_loss": total}
        else:
            on_real = formulas.mean(formulas.on_real(loss, real_logits))
            on_fake = formulas.mean(formulas.on_fake(loss, fake_logits))
            total = self._weight_of_a_part() * (on_real + on_fake)
            shown = {"d_loss": total, "d_loss_real": on_real, "d_loss_fake": on_fake}
        shown["d_fake"] = formulas.mean(formulas.output(loss, fake_logits))
        shown |= self._shown_of_real(real_logits)
        for name in ("r1", "r2", "gradient_penalty"):
            if section := self._spec["regularizers"][name]:
                shown[name] = np.nan
                if self._updates["d"] % section["every"] == 0:
                    # Karras et al. 2020, appendix B: so much larger as it is rarer.
                    shown[name] = section["every"] * self._penalty(name, section, real, fake, labels, draw)
                    total += shown[name]
        added, of_classes = self._of_classes(labels, d_loss_class_real=of_real, d_loss_class_fake=of_fake)
        return total + added, shown | of_classes

    def _of_classes(self, labels: Any, **judged: Said) -> tuple[Any, Shown]:
        """Odena et al. 2017, equation 3: how unlikely the classifier finds the right class."""
        shown = {
            name: formulas.mean(formulas.on_classes(said.of_classes, labels))
            for name, said in judged.items()
            if said.of_classes is not None
        }
        return self._spec["model"]["classifier_weight"] * sum(shown.values()), shown

    def _penalty(
        self, name: str, section: dict[str, Any], real: Any, fake: Any, labels: Any, draw: Randomness
    ) -> Any:
        draw_between = draw.stream("interpolation")
        draw = draw.stream("regularized")
        if name == "gradient_penalty":  # Gulrajani et al. 2017, algorithm 1, whose epsilon is of the real one
            epsilon = 1 - draw_between.uniform(real.shape[0] // self._packing, 1, 1, 1)
            epsilon = tf.repeat(epsilon, self._packing, axis=0)
            slopes = self._slopes(epsilon * real + (1 - epsilon) * fake, labels, draw)
            return self._now(section["weight"]) * formulas.mean([(slope - 1) ** 2 for slope in slopes])
        # Mescheder et al. 2018, equations 9 and 10
        slopes = self._slopes({"r1": real, "r2": fake}[name], labels, draw)
        return self._now(section["gamma"]) / 2 * formulas.mean([slope**2 for slope in slopes])

    def _of_generator(
        self, of_fake: Said, of_real: Said | None, labels: Any, draw: Randomness
    ) -> tuple[Any, Shown]:
        real_logits = of_real and of_real.logits
        total = formulas.mean(formulas.of_generator(self._spec["loss"], of_fake.logits, real_logits))
        shown: Shown = {"g_loss": total}
        if section := self._spec["regularizers"]["path_length"]:
            shown |= {"path_length": np.nan, "mean_path_length": np.nan}
            if self._updates["g"] % section["every"] == 0:
                # Karras et al. 2020, equation 4; a is the average of the updates before.
                lengths = self._path_lengths(labels, draw.stream("regularized"))
                squares = [(length - self._mean_path_length) ** 2 for length in lengths]
                shown["path_length"] = (
                    section["every"] * self._now(section["weight"]) * formulas.mean(squares)
                )
                shown["mean_path_length"] = now = formulas.mean(lengths)
                total += shown["path_length"]
                kept = section["decay"]
                self._mean_path_length = kept * self._mean_path_length + (1 - kept) * float(now)
        added, of_classes = self._of_classes(labels, g_loss_class=of_fake)
        return total + added, shown | of_classes

    def _weight_of_a_part(self) -> float:
        return {"sum": 1.0, "mean": 0.5}[self._spec["loss"]["combine"]]

    def _shown_of_real(self, logits: Any) -> Shown:
        signs = {"d_sign_real": np.sign(logits).mean()} if self._spec["augmentation"] else {}
        return {"d_real": formulas.mean(formulas.output(self._spec["loss"], logits)), **signs}

    def _slopes(self, images: Any, labels: Any, draw: Randomness) -> list[Any]:
        """|grad D(x)| of each sample, or of all images of a pack; of a discriminator without dropout."""
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            logits = self._say(images, labels, draw, training=False).logits
            each = [logits[i, 0] for i in range(logits.shape[0])]
        return [formulas.norm(tape.gradient(one, images)) for one in each]

    def _path_lengths(self, labels: Any, draw: Randomness) -> list[Any]:
        """|J^T y| of each sample, where the variance of y is 1 / pixels."""
        latents = draw.stream("latents").normal(labels.shape[0], self._spec["model"]["latent_dim"])
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(latents)
            images = self.generator(self._inputs(latents, labels), training=False)
            pixels = images.shape[1] * images.shape[2]
            y = draw.stream("path_length").normal(*images.shape) / np.float32(pixels**0.5)
            each = [tf.reduce_sum(images[i] * y[i]) for i in range(images.shape[0])]
        return [formulas.norm(tape.gradient(one, latents)) for one in each]

    # The networks.

    def _weights(self, prefix: str) -> list[Any]:
        network = {"d": self.discriminator, "g": self.generator}[prefix]
        return list(network.trainable_weights)

    def _values(self, prefix: str) -> list[Any]:
        return [weight.value for weight in self._weights(prefix)]

    def _inputs(self, first: Any, labels: Any) -> Any:
        return [first, labels] if self._conditional else first

    def _generate(self, labels: Any, draw: Randomness, training: bool = True) -> Any:
        latents = draw.stream("latents").normal(labels.shape[0], self._spec["model"]["latent_dim"])
        return self.generator(self._inputs(latents, labels), training=training)

    def _judge(self, images: Any, labels: Any, draw: Randomness) -> Said:
        """In an update."""
        with layers_draw_from(draw.stream("discriminator_layers")):
            return self._say(images, labels, draw, training=True)

    def _say(self, images: Any, labels: Any, draw: Randomness, training: bool) -> Said:
        """Of images one by one, or of packs of consecutive ones, side by side in the channels."""
        images = self._augmented(images, draw)
        packs = tf.concat([images[i :: self._packing] for i in range(self._packing)], axis=3)
        if self._spec["model"]["class_conditioning"] == "auxiliary_classifier":
            said = self.discriminator(packs, training=training)
        else:
            said = [self.discriminator(self._inputs(packs, labels), training=training)]
        return Said(*(tf.cast(logits, tf.float64) for logits in said))

    def _augmented(self, images: Any, draw: Randomness) -> Any:
        if not self._spec["augmentation"]:
            return images
        return formulas.augmented(images, self._ada_p, draw.stream("augmentation"))

    def _prepare(self) -> None:
        for layer in self.discriminator.layers:
            if hasattr(layer, "u"):
                formulas.power_iteration(layer)

    # After the gradient.

    def _descend(self, prefix: str, gradients: Sequence[Any], shown: Shown) -> Shown:
        """Update a network; ``shown`` with the norm of its gradient."""
        section = self._spec["optimizer"]
        of_discriminator = section["discriminator_learning_rate"]
        own = of_discriminator if prefix == "d" and of_discriminator is not None else section["learning_rate"]
        rule = {"adam": formulas.adam, "rmsprop": formulas.rmsprop}[section["name"]]
        now = {key: self._now(section[key]) for key in section if key in NUMBERS_OF_OPTIMIZERS}
        rate = self._now(own)
        if lazy := section.get("lazy_correction") and self._lazy(prefix):
            c = lazy / (lazy + 1)  # Karras et al. 2020, appendix B
            rate *= c
            now |= {name: now[name] ** c for name in ("beta_1", "beta_2")}
        self._updates[prefix] += 1
        squares = 0.0
        for weight, slots, tensor in zip(self._weights(prefix), self._slots[prefix], gradients, strict=True):
            gradient = tensor.numpy().astype(np.float64)
            squares += (gradient**2).sum()
            change = rule(now, rate, self._updates[prefix], slots, gradient)
            value = weight.numpy().astype(np.float64) - change
            clipping = self._spec["constraints"]["weight_clipping"]
            if clipping and prefix == "d":  # Arjovsky et al. 2017, algorithm 1
                value = np.clip(value, -clipping["limit"], clipping["limit"])
            weight.assign(value.astype(np.float32))
        if "d_sign_real" in shown:
            self._adapt(shown["d_sign_real"])
        return {**shown, f"{prefix}_grad_norm": np.sqrt(squares)}

    def _lazy(self, prefix: str) -> int:
        """After how many updates the network's most frequent lazy regularizer is used, or 0."""
        own = ("path_length",) if prefix == "g" else ("r1", "r2", "gradient_penalty")
        given = [section for name in own if (section := self._spec["regularizers"][name])]
        return min((section["every"] for section in given if section["every"] > 1), default=0)

    def _adapt(self, sign: float) -> None:
        """Karras et al. 2020a, section 2.3: a step of fixed length; but at most to 0.8."""
        section = self._spec["augmentation"]
        step = self._real_batch() / (1000 * section["kimg"])
        self._ada_p += step * np.sign(sign - self._now(section["target"]))
        self._ada_p = min(max(self._ada_p, 0.0), 0.8)

    def _average(self) -> None:
        """After an update; a half-life may be a share of the steps done by then (Karras et al. 2020)."""
        section = self._spec["training"]
        if section["generator_ema"] is None:
            return
        decay = section["generator_ema"]
        if isinstance(decay, dict) and "half_life_kimg" in decay:
            half_life = self._now(decay["half_life_kimg"])
            kimg = section["n_critic"] * self._real_batch() / 1000
            decay = 0.5 ** (kimg / half_life) if half_life else 0.0
        decay = self._now(decay)
        if section["generator_ema_warmup"] is not None:
            decay = min(decay, 0.5 ** (1 / (section["generator_ema_warmup"] * (self._steps + 1))))
        live = [weight.numpy() for weight in self._weights("g")]
        self.ema = [decay * old + (1 - decay) * new for old, new in zip(self.ema, live, strict=True)]

    def _real_batch(self) -> int:
        """Real images of one update."""
        batch: int = self._spec["data"]["batch_size"]
        return batch // 2 if self._spec["training"]["update"] == "half_batches" else batch

    def _now(self, rate: Any) -> float:
        return formulas.scheduled(rate, self._steps, self._images)


@functools.cache
def _networks(model: Any, image_shape: tuple[int, int, int], classes: int) -> tuple[Any, Any]:
    """Built once for all oracles, which come one after another and set all weights."""
    return (
        models.build_generator(model, image_shape, classes),
        models.build_discriminator(model, image_shape, classes),
    )
