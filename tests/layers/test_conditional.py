"""Where images have classes: the label joins the latents, and the discriminator projects (equation 3)."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist import models
from gandist.layers.conditional import discriminator, judged
from gandist.layers.embedding import Embedding
from gandist.layers.portable import portable
from gandist.models import ModelOptions, dcgan, mlp

pytestmark = pytest.mark.usefixtures("devices")

CLASSES, SHAPE = 5, (8, 8, 3)
LABELS = np.array([4, 0, 2, 2], np.int32)
OPTIONS = [
    dcgan.Options(conditional=True, width=2, kernel_size=3, latent_dim=6, embedding_dim=7),
    mlp.Options(
        conditional=True, generator_widths=(8,), discriminator_widths=(9,), latent_dim=6, embedding_dim=7
    ),
]
both = pytest.mark.parametrize("options", OPTIONS, ids=["dcgan", "mlp"])
randoms = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def own_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test draws depends on no test before it."""
    keras.utils.set_random_seed(0)
    monkeypatch.setitem(globals(), "randoms", np.random.default_rng(0))


def noise(*shape: int) -> np.ndarray:
    return randoms.normal(size=shape).astype(np.float32)


def of_kind(network: keras.Model, name: str) -> list[Any]:
    """The layers whose class has that name, Keras' or ours."""
    return [layer for layer in network.layers if type(layer).__name__ == name]


@both
@pytest.mark.parametrize("spectral_norm", [False, True])
def test_the_discriminator_projects_the_class_onto_its_features(
    options: ModelOptions, spectral_norm: bool
) -> None:
    options = options.model_copy(update={"spectral_norm": spectral_norm})
    discriminator = models.build_discriminator(options, SHAPE, CLASSES)
    psi, projection = of_kind(discriminator, "Dense")[-1], of_kind(discriminator, "Embedding")[0]
    psi.bias.assign([0.7])
    images = noise(4, *SHAPE)
    phi = keras.Model(discriminator.inputs, psi.input)([images, LABELS]).numpy()
    w, v = psi.kernel.numpy(), projection.embeddings.numpy()
    assert v.shape == (CLASSES, phi.shape[1])
    if spectral_norm:
        w = w / np.linalg.norm(w)
        v = v / (projection.v.numpy() @ v @ projection.u.numpy())
        assert np.linalg.svd(v)[1][0] == pytest.approx(1, rel=0.02)
    expected = [[phi[row] @ w[:, 0] + 0.7 + phi[row] @ v[label]] for row, label in enumerate(LABELS)]
    np.testing.assert_allclose(discriminator([images, LABELS]), expected, rtol=1e-4, atol=1e-5)


@both
def test_an_auxiliary_classifier_is_a_second_output_and_takes_no_labels(options: ModelOptions) -> None:
    """Odena et al. 2017, section 3: of the same features, which the minibatch has no part in."""
    options = options.model_copy(update={"class_conditioning": "auxiliary_classifier", "minibatch_std": 2})
    discriminator = models.build_discriminator(options, SHAPE, CLASSES)
    psi, head = of_kind(discriminator, "Dense")[-2:]
    images = noise(4, *SHAPE)
    phi = keras.Model(discriminator.input, head.input)(images).numpy()
    logits, class_logits = judged(discriminator, images, LABELS, training=False)
    assert (logits.shape, class_logits.shape) == ((4, 1), (4, CLASSES))
    np.testing.assert_allclose(class_logits, phi @ head.kernel.numpy(), rtol=1e-4, atol=1e-5)
    assert psi.kernel.shape == (phi.shape[1] + 1, 1)


def test_the_minibatch_s_deviation_is_the_last_feature() -> None:
    images = keras.Input((6,))
    options = OPTIONS[1].model_copy(update={"minibatch_std": 2})
    features = noise(4, 6)
    network = discriminator(images, images, 0, options)
    (kernel, _), deviations = network.get_weights(), features.reshape(2, 2, 6).std(axis=1).mean(axis=1)
    seen = np.c_[features, np.repeat(deviations, 2)]
    np.testing.assert_allclose(network(features), seen @ kernel, rtol=1e-4, atol=1e-5)


@both
def test_both_terms_of_the_logit_start_at_one_scale(options: ModelOptions) -> None:
    keras.utils.set_random_seed(0)
    discriminator = models.build_discriminator(options, (32, 32, 1), CLASSES)
    psi, projection = of_kind(discriminator, "Dense")[-1], of_kind(discriminator, "Embedding")[0]
    ratio = projection.embeddings.numpy().std() / psi.kernel.numpy().std()
    assert 0.6 < ratio < 1.6


@both
def test_the_class_joins_the_latents(options: ModelOptions) -> None:
    keras.utils.set_random_seed(0)
    generator = models.build_generator(options, SHAPE, CLASSES)
    latents = noise(4, 6)
    joined = keras.Model(generator.inputs, of_kind(generator, "Concatenate")[0].output)([latents, LABELS])
    embeddings = of_kind(generator, "Embedding")[0].embeddings.numpy()
    assert embeddings.shape == (CLASSES, 7)
    np.testing.assert_array_equal(joined, np.concatenate([latents, embeddings[LABELS]], axis=1))
    assert 0.6 < embeddings.std() < 1.5  # as the latents
    images = generator([latents, LABELS]).numpy()
    others = generator([latents, (LABELS + 1) % CLASSES]).numpy()
    assert images.shape == (4, *SHAPE)
    assert (np.abs(images - others).reshape(4, -1).max(axis=1) > 1e-3).all()


@both
def test_inputs_are_named_and_typed_as_promised(options: ModelOptions) -> None:
    for network, first in (
        (models.build_generator(options, SHAPE, CLASSES), "latents"),
        (models.build_discriminator(options, SHAPE, CLASSES), "images"),
    ):
        assert [(x.name, x.dtype) for x in network.inputs] == [(first, "float32"), ("labels", "int32")]
        assert network.inputs[1].shape == (None,)
    plain = options.model_copy(update={"conditional": False})
    assert len(models.build_generator(plain, SHAPE).inputs) == 1
    assert len(models.build_discriminator(plain, SHAPE).inputs) == 1


@both
def test_a_portable_copy_is_plain_keras_and_makes_the_same_images(
    options: ModelOptions, tmp_path: Any
) -> None:
    generator = models.build_generator(options, SHAPE, CLASSES)
    for weight in generator.weights:
        weight.assign(np.abs(noise(*weight.shape)))  # so that an exchange of two would show
    copy = portable(generator)
    assert all(type(layer).__module__.startswith("keras.") for layer in copy.layers)
    assert [w.shape for w in copy.variables] == [w.shape for w in generator.variables]
    copy.save(tmp_path / "generator.keras")
    loaded = keras.models.load_model(tmp_path / "generator.keras")
    latents = noise(4, 6)
    np.testing.assert_allclose(loaded([latents, LABELS]), generator([latents, LABELS]), rtol=1e-5, atol=1e-6)


def test_the_embedding_is_keras_but_for_a_dense_gradient() -> None:
    ours, theirs = Embedding(CLASSES, 3), keras.layers.Embedding(CLASSES, 3)
    for layer in (ours, theirs):
        layer(LABELS)  # builds
    theirs.set_weights(ours.get_weights())
    weighted = tf.constant(noise(4, 3))
    found = []
    for layer in (ours, theirs):
        variable = layer.embeddings.value
        with tf.GradientTape() as tape:
            outputs = layer(LABELS)
            total = tf.reduce_sum(outputs**2 * weighted)
        found.append((outputs.numpy(), tape.gradient(total, variable)))
    (our_outputs, gradient), (their_outputs, sparse) = found
    np.testing.assert_array_equal(our_outputs, their_outputs)
    assert isinstance(gradient, tf.Tensor)
    np.testing.assert_allclose(gradient, tf.convert_to_tensor(sparse), rtol=1e-6)
