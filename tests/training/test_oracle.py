"""The train step against one written from the papers: every figure and every weight, after every step."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from gandist.data import Dataset
from gandist.errors import SpecError
from gandist.randomness import Randomness
from tests.training.conftest import tiny_trial
from tests.training.oracle import Oracle

IMAGE = (8, 12, 2)
"""Of a height, a width and a number of channels that cannot be taken for one another."""
BATCH = 4
CLASSES = 3

# Rates that differ from each other and from defaults, and an epsilon that is seen beside the gradients: Adam
# does not then turn the rounding of tiny ones into whole steps.
OPTIMIZER = {
    "learning_rate": 0.02,
    "discriminator_learning_rate": 0.03,
    "beta_1": 0.6,
    "beta_2": 0.9,
    "epsilon": 1e-3,
}
RMSPROP = {
    "name": "rmsprop",
    "learning_rate": 0.002,
    "discriminator_learning_rate": 0.003,
    "rho": 0.8,
    "momentum": 0.5,
    "epsilon": 1e-3,
}
MLP = {"name": "mlp", "generator_widths": [6], "discriminator_widths": [6], "latent_dim": 3}
DCGAN = {"name": "dcgan", "width": 2, "kernel_size": 3, "latent_dim": 3, "dropout": 0.3}

RULES: dict[str, dict[str, Any]] = {
    "simultaneous": {"update": "simultaneous"},
    "alternating": {"update": "alternating"},
    "n_critic": {"update": "alternating", "n_critic": 2},
    "half_batches": {"update": "half_batches"},
    "half_batches, n_critic": {"update": "half_batches", "n_critic": 2},
}
SOME = ["simultaneous", "n_critic", "half_batches"]
JOINT = [name for name in RULES if "half" not in name]
HALVES = [name for name in RULES if "half" in name]

CLIPPED = {"constraints": {"weight_clipping": {"limit": 0.2}}}
LOSSES: dict[str, dict[str, Any]] = {
    "non_saturating": {"loss": {"name": "non_saturating"}},
    "smoothed mean": {"loss": {"name": "non_saturating", "real_label": 0.8, "combine": "mean"}},
    "minimax": {"loss": {"name": "minimax", "real_label": 0.9}},
    "least_squares": {"loss": {"name": "least_squares"}},
    "hinge mean": {"loss": {"name": "hinge", "combine": "mean"}},
    "wasserstein": {"loss": {"name": "wasserstein"}, **CLIPPED},
    "relativistic": {"loss": {"name": "relativistic"}},
}
SEPARABLE = [name for name in LOSSES if name != "relativistic"]

PATH_LENGTH = {"weight": 3.0, "decay": 0.6}
REGULARIZERS: dict[str, dict[str, Any]] = {
    "none": {},
    "r1": {"r1": {"gamma": 3.0}},
    "r1 and r2": {"r1": {"gamma": 3.0}, "r2": {"gamma": 5.0}},
    "r1 every 2": {"r1": {"gamma": 3.0, "every": 2}},
    "r1 every 3": {"r1": {"gamma": 3.0, "every": 3}},
    "gradient_penalty": {"gradient_penalty": {"weight": 4.0}},
    "path_length": {"path_length": PATH_LENGTH},
    "path_length every 2": {"path_length": {**PATH_LENGTH, "every": 2}},
}
OF_GENERATOR = [name for name in REGULARIZERS if name == "none" or "path_length" in name]


def combinations(rules: list[str], losses: list[str], regularizers: list[str]) -> list[Any]:
    """All triples, of which a few have each pair of a rule with a loss or a regularizer: others are slow."""
    longest = max(len(losses), len(regularizers))
    chosen = {
        (rule, losses[(i + k) % len(losses)], regularizers[k % len(regularizers)])
        for i, rule in enumerate(rules)
        for k in range(longest)
    }
    return [
        pytest.param(*triple, id="-".join(triple), marks=() if triple in chosen else pytest.mark.slow)
        for triple in itertools.product(rules, losses, regularizers)
    ]


def trial(**sections: Any) -> Any:
    ours = {"model": MLP, "data": {"batch_size": BATCH}, "optimizer": OPTIMIZER}
    return tiny_trial(2, **ours | sections)


def compare(steps: int = 2, classes: int = 0, **sections: Any) -> dict[str, list[float]]:
    """A GAN and its oracle agree on random images, step by step; the figures of all steps."""
    from gandist.training.gan import GAN
    from gandist.updates import Batch

    spec = trial(**sections)
    n_critic = spec.training.n_critic
    shape = (n_critic, spec.training.real_batch(BATCH))
    gan = GAN(spec, IMAGE, 1, shape[0] * shape[1], classes)
    oracle = Oracle(spec, gan, IMAGE, classes)
    random = np.random.default_rng(7)
    figures: dict[str, list[float]] = {}
    for done in range(steps):
        images = random.uniform(-1, 1, (*shape, *IMAGE)).astype(np.float32)
        labels = random.integers(0, max(1, classes), shape).astype(np.int32)
        step = tf.constant(done, tf.int64)
        found = gan.train_step(
            Batch(tf.constant(images), tf.constant(labels)), Randomness(spec.seed, step), step
        )
        expected = oracle.step(images, labels)
        assert found.keys() == expected.keys()
        where = f"after {done + 1} steps"
        for name, value in expected.items():
            assert_close(found[name], value, f"{name} {where}")
            figures.setdefault(name, []).append(value)
        assert_equal_weights(gan, oracle, where)
    return figures


def assert_equal_weights(gan: Any, oracle: Oracle, where: str) -> None:
    for network in ("generator", "discriminator"):
        pairs = zip(getattr(gan, network).weights, getattr(oracle, network).weights, strict=True)
        for found, expected in pairs:
            assert_close(found, expected.numpy(), f"{network}: {found.path} {where}")
    for found, average in zip(gan.ema, oracle.ema if gan.ema else [], strict=True):
        assert_close(found, average, f"average {where}")


def assert_close(found: Any, expected: Any, what: str) -> None:
    """To the rounding of float32, of numbers that are not much smaller than 0.1."""
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6, err_msg=what)


@pytest.mark.parametrize(
    ("rule", "loss", "regularizers"),
    [
        *combinations(JOINT, list(LOSSES), list(REGULARIZERS)),
        *combinations(HALVES, SEPARABLE, OF_GENERATOR),
    ],
)
def test_all_rules_losses_and_regularizers(rule: str, loss: str, regularizers: str) -> None:
    steps = 2
    if "every" in regularizers:  # until it is used for the second time
        steps = int(regularizers[-1]) + 1
    compare(steps, training=RULES[rule], regularizers=REGULARIZERS[regularizers], **LOSSES[loss])


@pytest.mark.parametrize("rule", SOME)
def test_regularizers_of_both_networks_at_once(rule: str) -> None:
    """With the correction for lazy ones: of the discriminator's, for the most frequent."""
    every = {"path_length": {**PATH_LENGTH, "every": 2}}
    if rule in JOINT:
        every |= {"r1": {"gamma": 3.0}, "r2": {"gamma": 5.0, "every": 2}, "gradient_penalty": {"every": 3}}
    optimizer = {**OPTIMIZER, "lazy_correction": True}
    compare(3, training=RULES[rule], regularizers=every, optimizer=optimizer)


@pytest.mark.parametrize("rule", SOME)
def test_rmsprop_and_clipped_weights(rule: str) -> None:
    compare(training=RULES[rule], optimizer=RMSPROP, **LOSSES["wasserstein"])


@pytest.mark.parametrize("rule", ["alternating", "half_batches"])
def test_one_learning_rate_is_that_of_both(rule: str) -> None:
    compare(training=RULES[rule], optimizer={**OPTIMIZER, "discriminator_learning_rate": None})


@pytest.mark.parametrize(
    ("rule", "length"),
    [("simultaneous", {"steps": 2}), ("n_critic", {"kimg": 0.012}), ("half_batches", {"kimg": 0.003})],
)
def test_schedules(rule: str, length: dict[str, Any]) -> None:
    """Of both rates, of a regularizer, a moment and an average; the last step is at their end, or beyond."""
    optimizer = {
        **OPTIMIZER,
        "learning_rate": {"cosine": [0.03, 0.001], **length},
        "discriminator_learning_rate": {"linear": [0.001, 0.02], **length},
        "beta_1": {"linear": [0.3, 0.7], **length},
    }
    regularizers = {"path_length": {**PATH_LENGTH, "weight": {"cosine": [1.0, 4.0], **length}}}
    if rule in JOINT:
        regularizers |= {"r1": {"gamma": {"linear": [8.0, 2.0], **length}}}
    average = {"generator_ema": {"linear": [0.5, 0.9], **length}}
    compare(3, training={**RULES[rule], **average}, optimizer=optimizer, regularizers=regularizers)


def test_an_average_of_the_generator() -> None:
    compare(3, training={"generator_ema": 0.6})


def test_an_average_by_its_half_life() -> None:
    """Of real images; one of 0, with which it begins here, is none."""
    rising = {"linear": [0, 0.02], "steps": 2}
    compare(3, training={**RULES["half_batches"], "generator_ema": {"half_life_kimg": rising}})


def test_a_warmed_up_average_of_the_generator() -> None:
    """Its decay is 0.1, 0.31, 0.46, and then 0.5."""
    compare(4, training={"generator_ema": 0.5, "generator_ema_warmup": 0.3})


@pytest.mark.parametrize(
    ("rule", "regularizers"),
    [
        ("simultaneous", "r1 and r2"),
        ("alternating", "gradient_penalty"),
        ("n_critic", "none"),
        ("half_batches", "path_length"),
    ],
)
def test_adaptive_augmentation(rule: str, regularizers: str) -> None:
    """Its probability moves by 0.3 an update, up to 0.8 at most, and down again as the target is raised."""
    real_batch = BATCH // 2 if rule in HALVES else BATCH
    target = {"cosine": [-0.9, 0.9], "steps": 5}
    augmentation = {"name": "ada", "kimg": real_batch / 300, "target": target}
    figures = compare(
        4, training=RULES[rule], augmentation=augmentation, regularizers=REGULARIZERS[regularizers]
    )
    assert max(figures["ada_p"]) > 0.5


@pytest.mark.parametrize(
    "rule", ["simultaneous", pytest.param("n_critic", marks=pytest.mark.slow), "half_batches"]
)
def test_dropout_and_batch_norm(rule: str) -> None:
    regularizers = REGULARIZERS["r1 and r2" if rule in JOINT else "path_length"]
    compare(training=RULES[rule], model=DCGAN, regularizers=regularizers)


@pytest.mark.parametrize("rule", ["n_critic", "half_batches"])
def test_spectral_norm(rule: str) -> None:
    compare(training=RULES[rule], model={**MLP, "spectral_norm": True}, **LOSSES["hinge mean"])


@pytest.mark.parametrize("rule", ["n_critic", "half_batches"])
def test_classes(rule: str) -> None:
    regularizers = REGULARIZERS["path_length"] | (REGULARIZERS["r1 and r2"] if rule in JOINT else {})
    model = {**MLP, "conditional": True, "embedding_dim": 2}
    compare(classes=CLASSES, training=RULES[rule], model=model, regularizers=regularizers)


@pytest.mark.parametrize(
    "rule", ["n_critic", "half_batches", pytest.param("simultaneous", marks=pytest.mark.slow)]
)
def test_an_auxiliary_classifier(rule: str) -> None:
    model = {**MLP, "conditional": True, "class_conditioning": "auxiliary_classifier", "embedding_dim": 2}
    regularizers = {"path_length": PATH_LENGTH} | (REGULARIZERS["r1"] if rule == "n_critic" else {})
    figures = compare(
        classes=CLASSES,
        training=RULES[rule],
        model={**model, "classifier_weight": 0.3},
        regularizers=regularizers,
    )
    assert {"d_loss_class_real", "d_loss_class_fake", "g_loss_class"} <= figures.keys()


@pytest.mark.parametrize(
    ("rule", "loss", "regularizers"),
    [
        pytest.param("simultaneous", "relativistic", "r1 and r2", marks=pytest.mark.slow),
        ("n_critic", "wasserstein", "gradient_penalty"),
        ("half_batches", "non_saturating", "none"),
    ],
)
def test_packs_of_images(rule: str, loss: str, regularizers: str) -> None:
    """The augmentation is of single images; slopes and points between images are a pack's."""
    compare(
        training=RULES[rule],
        model={**MLP, "packing": 2},
        regularizers=REGULARIZERS[regularizers],
        augmentation={"name": "ada", "kimg": 0.01, "target": -0.9},
        **LOSSES[loss],
    )


def test_a_minibatch_s_deviation() -> None:
    compare(model={**MLP, "packing": 2, "minibatch_std": 2})


@pytest.mark.parametrize("replicas", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_compiled_steps_of_a_trainer(strategy: Callable[[int], Any], replicas: int) -> None:
    """In one call, of a data set that is one batch: whatever its order, each step sees all of it."""
    from gandist.training.trainer import Trainer

    spec = trial(
        training={**RULES["alternating"], "generator_ema": 0.6},
        regularizers={"r1": {"gamma": 3.0, "every": 2}, "path_length": {**PATH_LENGTH, "every": 3}},
        resources={"replicas": replicas},
        **LOSSES["smoothed mean"],
    )
    images = np.random.default_rng(7).integers(0, 256, (BATCH, *IMAGE), dtype=np.uint8)
    labels = np.zeros(BATCH, np.int32)
    trainer = Trainer(spec, Dataset(images, labels, ("any",)), strategy(replicas))
    oracle = Oracle(spec, trainer.gan, IMAGE)
    found = trainer.run(4)
    seen = (images.astype(np.float64) / 255 * 2 - 1).astype(np.float32)
    for row in range(4):
        expected = oracle.step(seen[None], labels[None])
        assert found.keys() - {"step"} == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(found[name][row], value, rtol=1e-5, atol=1e-6, err_msg=f"{name} {row}")
    assert_equal_weights(trainer.gan, oracle, "after 4 steps")


@pytest.mark.parametrize("regularizer", ["r1", "r2", "gradient_penalty"])
@pytest.mark.parametrize("rule", HALVES)
def test_half_batches_refuse_regularizers_of_the_discriminator(rule: str, regularizer: str) -> None:
    with pytest.raises((ValidationError, SpecError), match=f"{regularizer} needs real and generated images"):
        trial(training=RULES[rule], regularizers={regularizer: {}})


@pytest.mark.parametrize(
    ("sections", "reason"),
    [
        ({"training": RULES["half_batches"], **LOSSES["relativistic"]}, "compares real with generated"),
        ({"training": {"update": "simultaneous", "n_critic": 2}}, "n_critic > 1 needs"),
        ({"loss": {"name": "wasserstein"}}, "without a limit"),
        ({"loss": {"name": "wasserstein"}, "regularizers": REGULARIZERS["r1"]}, "without a limit"),
        ({"loss": {"name": "hinge", "real_label": 0.9}}, "real_label"),
        ({"loss": {"name": "relativistic", "combine": "mean"}}, "combine"),
        ({"training": {"generator_ema_warmup": 0.1}}, "generator_ema_warmup needs"),
    ],
)
def test_contradictions_are_refused(sections: dict[str, Any], reason: str) -> None:
    with pytest.raises((ValidationError, SpecError), match=reason):
        trial(**sections)
