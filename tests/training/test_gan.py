"""The train step: gradients, replicas, updates, regularizers, averages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist.augmentations import ada
from gandist.data import Dataset
from gandist.errors import UsageError
from gandist.layers import conditional
from gandist.losses import non_saturating
from gandist.randomness import Randomness
from gandist.training.order import indices
from tests.training.conftest import DCGAN, tiny_trial

SIMULTANEOUS: dict[str, Any] = {}
ALTERNATING = {"training": {"update": "alternating"}}
N_CRITIC = {"training": {"update": "alternating", "n_critic": 2}}
R1_AND_EMA = {"regularizers": {"r1": {"gamma": 1.0}}, "training": {"generator_ema": 0.9}}
MEAN_SMOOTHED = {"loss": {"combine": "mean", "real_label": 0.9}}
names = pytest.mark.parametrize(
    "sections",
    [
        pytest.param(N_CRITIC, id="n_critic"),
        pytest.param(R1_AND_EMA, id="r1_and_ema"),
        pytest.param(SIMULTANEOUS, id="simultaneous", marks=pytest.mark.slow),
        pytest.param(ALTERNATING, id="alternating", marks=pytest.mark.slow),
        pytest.param(MEAN_SMOOTHED, id="mean_smoothed", marks=pytest.mark.slow),
    ],
)


@pytest.fixture(scope="module")
def plain(strategy: Callable[[int], Any], dataset: Dataset) -> dict[str, np.ndarray]:
    """The rows of three steps without any section."""
    from gandist.training.trainer import Trainer

    rows: dict[str, np.ndarray] = Trainer(tiny_trial(), dataset, strategy(1)).run(3)
    return rows


def test_equal_seeds_build_equal_weights(make_trainer: Callable[..., Any]) -> None:
    def weights(seed: int) -> np.ndarray:
        return np.concatenate([w.numpy().ravel() for w in make_trainer(seed=seed).gan.generator.weights])

    np.testing.assert_array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


@pytest.mark.parametrize(
    ("replicas", "sections"),
    [
        (4, ALTERNATING),
        pytest.param(2, MEAN_SMOOTHED, marks=pytest.mark.slow),  # test_update_rules.py has the like
        pytest.param(2, SIMULTANEOUS, marks=pytest.mark.slow),
        pytest.param(2, N_CRITIC, marks=pytest.mark.slow),
        pytest.param(2, R1_AND_EMA, marks=pytest.mark.slow),
    ],
)
def test_replicas_train_as_one(
    make_trainer: Callable[..., Any], replicas: int, sections: dict[str, Any]
) -> None:
    """Global batches, latents and dropout masks are the same; only the order of additions may differ."""
    one, many = make_trainer(1, **sections), make_trainer(replicas, **sections)
    expected, found = one.run(6), many.run(6)
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=2e-4, err_msg=name)
    for name, value in one.state().items():
        np.testing.assert_allclose(many.state()[name], value, atol=2e-4, err_msg=name)


@pytest.mark.parametrize(
    ("update", "replicas", "combine"),
    [
        ("simultaneous", 2, "mean"),
        ("half_batches", 1, "sum"),
        pytest.param("simultaneous", 1, "sum", marks=pytest.mark.slow),  # test_oracle.py has the like
        pytest.param("simultaneous", 1, "mean", marks=pytest.mark.slow),
        pytest.param("simultaneous", 2, "sum", marks=pytest.mark.slow),
        pytest.param("alternating", 1, "sum", marks=pytest.mark.slow),
        pytest.param("alternating", 1, "mean", marks=pytest.mark.slow),
        pytest.param("half_batches", 1, "mean", marks=pytest.mark.slow),
    ],
)
def test_gradients_are_those_of_the_global_batch(
    make_trainer: Callable[..., Any], dataset: Dataset, update: str, replicas: int, combine: str
) -> None:
    """Compared with a plain tape over the batch: with beta_1 = 0 Adam's first moment is the gradient.

    The discriminator's rate is so small that its half-batch updates find equal weights.
    """
    sections = {
        "optimizer": {"beta_1": 0.0, "beta_2": 0.5, "discriminator_learning_rate": 1e-12},
        "model": {**DCGAN, "dropout": 0.0},
        "training": {"update": update},
        "loss": {"combine": combine},
    }
    trainer = make_trainer(replicas, **sections)
    gan = make_trainer(1, **sections).gan  # equal weights, untouched
    batch = dataset.images[indices(trainer.budget, 0, 0, 1)[0]]
    randomness = Randomness(0, tf.constant(0, tf.int64))
    by_role = update != "simultaneous"
    for_d, for_g = (randomness.stream(r) if by_role else randomness for r in ("discriminator0", "generator"))
    part = 0.5 if combine == "mean" else 1.0
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def judged(randomness: Randomness, count: int, training: bool = True) -> tf.Tensor:
        latents = randomness.stream("latents").normal(count, 6)
        return gan.discriminator(gan.generator(latents, training=training), training=True)

    @tf.function
    def expected() -> tuple[list[tf.Tensor], list[tf.Tensor], list[tf.Tensor]]:
        with tf.GradientTape() as tape, tf.GradientTape() as fake_tape, tf.GradientTape() as g_tape:
            real_logits = gan.discriminator(tf.cast(batch, tf.float32) / 127.5 - 1, training=True)
            on_real = part * cross_entropy(tf.ones_like(real_logits), real_logits)
            fake_logits = judged(for_d, len(batch), training=update != "half_batches")
            on_fake = part * cross_entropy(tf.zeros_like(fake_logits), fake_logits)
            fooled = judged(for_g, 8)
            g_loss = cross_entropy(tf.ones_like(fooled), fooled)
        d_weights = [w.value for w in gan.discriminator.trainable_weights]
        g_weights = [w.value for w in gan.generator.trainable_weights]
        return (
            tape.gradient(on_real, d_weights),
            fake_tape.gradient(on_fake, d_weights),
            g_tape.gradient(g_loss, g_weights),
        )

    of_real, of_fake, of_g = expected()
    trainer.run(1)
    of_d = of_fake if update == "half_batches" else [r + f for r, f in zip(of_real, of_fake, strict=True)]
    optimizer = trainer.gan.discriminator_player.optimizer
    assert_close(optimizer.variables[::2], of_d)
    if update == "half_batches":
        squares = [0.25 * r**2 + 0.5 * f**2 for r, f in zip(of_real, of_fake, strict=True)]
        assert_close(optimizer.variables[1::2], squares)
    assert_close(trainer.gan.generator_player.optimizer.variables[::2], of_g)


def assert_close(found: list[Any], expected: list[Any]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-6)


def test_metrics_agree_with_one_another(plain: dict[str, np.ndarray]) -> None:
    rows = plain
    np.testing.assert_allclose(rows["d_loss"], rows["d_loss_real"] + rows["d_loss_fake"], rtol=1e-6)
    assert ((rows["d_real"] > 0) & (rows["d_real"] < 1) & (rows["d_fake"] > 0) & (rows["d_fake"] < 1)).all()
    assert (rows["d_grad_norm"] > 0).all()
    assert (rows["g_grad_norm"] > 0).all()


def test_combine_mean_halves_the_sum(make_trainer: Callable[..., Any], plain: dict[str, np.ndarray]) -> None:
    mean = make_trainer(loss={"combine": "mean"}).run(1)
    np.testing.assert_allclose(2 * mean["d_loss"], plain["d_loss"][:1], rtol=1e-6)
    np.testing.assert_allclose(2 * mean["d_grad_norm"], plain["d_grad_norm"][:1], rtol=1e-5)


@pytest.mark.slow  # test_oracle.py has every order of updates
def test_alternating_judges_the_generator_by_the_updated_discriminator(
    make_trainer: Callable[..., Any],
) -> None:
    """With a discriminator that leaps, the generator's loss of the very same step must show it."""
    leap = {"model": DCGAN, "optimizer": {"discriminator_learning_rate": 0.5}}
    before, after = make_trainer(**leap).run(1), make_trainer(**leap, **ALTERNATING).run(1)
    assert abs(before["g_loss"][0] - np.log(2)) < 0.2
    assert abs(after["g_loss"][0] - np.log(2)) > 0.2


def test_a_regularizer_moves_its_network_and_a_step_shows_what_its_sections_compute(
    make_trainer: Callable[..., Any], plain: dict[str, np.ndarray]
) -> None:
    """And nothing else; the losses beside it are those without it, and with an augmentation that begins."""
    common = {"step", "d_loss", "g_loss", "d_real", "d_fake", "d_grad_norm", "g_grad_norm"}
    parts = {"d_loss_real", "d_loss_fake"}
    assert plain.keys() == common | parts
    assert make_trainer(loss={"name": "relativistic"}).run(1).keys() == common
    rows = make_trainer(regularizers={"r1": {}, "path_length": {}}, augmentation={}).run(2)
    assert rows.keys() == common | parts | {"r1", "path_length", "mean_path_length", "ada_p", "d_sign_real"}
    for name, network in (("r1", "d"), ("path_length", "g")):
        assert (rows[name] > 0).all()
        assert rows[f"{network}_grad_norm"][0] != plain[f"{network}_grad_norm"][0]
    for loss in ("d_loss", "g_loss"):
        np.testing.assert_allclose(rows[loss][0], plain[loss][0], rtol=1e-6)


@pytest.mark.slow  # test_oracle.py has them for every rule
def test_several_regularizers_add_up(make_trainer: Callable[..., Any]) -> None:
    """With beta_1 = 0 Adam's first moment is the gradient, which is linear in the terms."""

    def gradient(**regularizers: Any) -> np.ndarray:
        sections = {"optimizer": {"beta_1": 0.0}, "regularizers": regularizers}
        trainer = make_trainer(**sections)
        trainer.run(1)
        moments = trainer.gan.discriminator_player.optimizer.variables[::2]
        return np.concatenate([moment.numpy().ravel() for moment in moments])

    r1, r2 = {"r1": {"gamma": 5.0}}, {"r2": {"gamma": 3.0}}
    both = gradient(**r1, **r2) - gradient()
    np.testing.assert_allclose(
        both, gradient(**r1) - gradient() + gradient(**r2) - gradient(), rtol=1e-3, atol=1e-6
    )
    assert np.abs(both).max() > 1e-4


def test_every_image_that_the_discriminator_sees_is_augmented(
    make_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real and generated ones alike, in the losses of both networks and in regularizers."""
    made: list[Any] = []
    apply = ada.Options.apply

    def recorded(options: ada.Options, images: Any, randomness: Any, state: Any) -> Any:
        made.append(apply(options, images, randomness, state))
        return made[-1]

    monkeypatch.setattr(ada.Options, "apply", recorded)
    trainer = make_trainer(augmentation={}, regularizers={"r1": {}, "r2": {}}, **ALTERNATING)
    seen: list[Any] = []
    judged = conditional.judged
    monkeypatch.setattr(
        conditional,
        "judged",
        lambda network, images, *rest: (seen.append(images), judged(network, images, *rest))[1],
    )
    trainer.run(1)
    assert len(seen) >= 5  # real, generated, each in a regularizer, generated for the generator
    assert [id(images) for images in seen] == [id(images) for images in made]


def test_an_augmentation_of_probability_0_is_none(
    make_trainer: Callable[..., Any], plain: dict[str, np.ndarray]
) -> None:
    """The first step, before which nothing could be learnt of the discriminator."""
    augmented = make_trainer(augmentation={}).run(1)
    for name in plain:
        np.testing.assert_array_equal(augmented[name][:1], plain[name][:1], err_msg=name)


@pytest.mark.parametrize(
    ("sections", "images"),
    [
        pytest.param(N_CRITIC, [8, 8], id="n_critic"),
        pytest.param({"training": {"update": "half_batches"}}, [4], id="half_batches"),
    ],
)
def test_the_augmentation_learns_from_each_update_that_has_real_images(
    make_trainer: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    sections: dict[str, Any],
    images: list[int],
) -> None:
    """Whose batch is of 8, or half of it."""
    told: list[int] = []
    advance = ada.Options.advance

    def recorded(options: ada.Options, state: Any, figures: Any, images: int, clock: Any) -> Any:
        told.append(images)
        return advance(options, state, figures, images, clock)

    monkeypatch.setattr(ada.Options, "advance", recorded)
    rows = make_trainer(augmentation={"name": "ada", "target": -0.9, "kimg": 1.0}, **sections).run(2)
    assert told == images  # traced once
    assert (rows["ada_p"] <= np.arange(1, 3) * sum(images) / 1000 + 1e-6).all()
    assert (np.abs(rows["d_sign_real"]) <= 1).all()


def test_a_schedule_is_of_the_step(make_trainer: Callable[..., Any]) -> None:
    """Rates that fall to next to nothing stop both networks."""
    falling = {"linear": [1e-2, 1e-30], "steps": 2}
    trainer = make_trainer(optimizer={"learning_rate": falling})
    trainer.run(2)
    before = [w.numpy() for w in trainer.gan.generator.trainable_weights]
    trainer.run(4)
    for weight, value in zip(trainer.gan.generator.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


@pytest.mark.slow  # test_oracle.py has schedules of all of these
def test_a_schedule_of_one_value_trains_as_the_number(make_trainer: Callable[..., Any]) -> None:
    level = {"cosine": [1e-3, 1e-3], "kimg": 0.02}
    scheduled = {
        "optimizer": {"learning_rate": level, "discriminator_learning_rate": level},
        "training": {"generator_ema": {"linear": [0.9, 0.9], "steps": 2}},
        "regularizers": {"r1": {"gamma": {"linear": [2.0, 2.0], "steps": 3}}},
    }
    constant = {
        "optimizer": {"learning_rate": 1e-3},
        "training": {"generator_ema": 0.9},
        "regularizers": {"r1": {"gamma": 2.0}},
    }
    found, expected = make_trainer(**scheduled), make_trainer(**constant)
    rows, others = found.run(4), expected.run(4)
    for name in others:
        np.testing.assert_allclose(rows[name], others[name], rtol=1e-4, atol=1e-6, err_msg=name)
    for average, other in zip(found.gan.ema, expected.gan.ema, strict=True):
        np.testing.assert_allclose(average.numpy(), other.numpy(), atol=1e-5)


def test_smoothing_is_one_sided() -> None:
    logits = tf.constant([[-2.0], [0.5], [3.0]])
    smoothed = non_saturating.Options(real_label=0.9)
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits
    np.testing.assert_allclose(
        smoothed.discriminator_real(logits), cross_entropy(tf.fill([3, 1], 0.9), logits), rtol=1e-5
    )
    np.testing.assert_allclose(
        smoothed.discriminator_fake(logits), cross_entropy(tf.zeros([3, 1]), logits), rtol=1e-6
    )
    np.testing.assert_allclose(
        smoothed.generator(logits, None), cross_entropy(tf.ones([3, 1]), logits), rtol=1e-6
    )


@pytest.mark.slow  # test_oracle.py has an average, and a warmed-up one
def test_average_follows_the_generator(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(training={"generator_ema": 0.9})
    expected = [w.numpy() for w in trainer.gan.generator.trainable_weights]
    for step in (1, 2, 3):
        trainer.run(step)
        live = [w.numpy() for w in trainer.gan.generator.trainable_weights]
        expected = [0.9 * average + 0.1 * now for average, now in zip(expected, live, strict=True)]
    for average, value in zip(trainer.gan.ema, expected, strict=True):
        np.testing.assert_allclose(average.numpy(), value, atol=1e-6)


@pytest.mark.parametrize("shape", [[], [4, 4], [2, 4]])
def test_a_loss_that_is_no_value_per_sample_is_refused(
    make_trainer: Callable[..., Any], shape: list[int]
) -> None:
    """Else ``[batch] - [batch, 1]``, the usual slip, would train on something else in silence."""
    gan = make_trainer(1).gan
    with pytest.raises(UsageError, match="one for each sample"):
        gan.share(tf.zeros(shape))
    assert float(gan.share(tf.ones([4, 1]))) == float(gan.share(tf.ones([4]))) == 1.0
