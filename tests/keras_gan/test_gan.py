"""``gandist.keras.GAN``: the steps of a job, the way of Keras."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import gandist
from gandist.data import Dataset
from gandist.errors import SpecError, UsageError
from gandist.sampling.generate import draw, generate
from gandist.sampling.sampler import Sampler
from gandist.training import hardware
from gandist.training.trainer import Trainer
from tests.keras_gan.conftest import BATCH, IMAGES, tiny_gan
from tests.training.conftest import DCGAN, TINY, tiny_trial

SECTIONS: dict[str, Any] = {"regularizers": {"r1": {"gamma": 0.5, "every": 4}}}
STEPS = IMAGES // BATCH


def weights(*networks: keras.Model) -> list[bytes]:
    return [variable.numpy().tobytes() for network in networks for variable in network.variables]


def test_its_public_names() -> None:
    assert gandist.keras.__all__ == ["GAN", "LossPlot", "SampleGrid"]
    parameters = {
        name: list(inspect.signature(getattr(gandist.keras.GAN, name)).parameters)[1:]
        for name in ("compile", "fit", "generate", "export")
    }
    assert parameters == {
        "compile": ["optimizer", "steps_per_execution"],
        "fit": ["x", "y", "epochs", "batch_size", "callbacks", "verbose"],
        "generate": ["n", "label", "seed"],
        "export": ["path"],
    }


class TestFit:
    @pytest.fixture(scope="class")
    def trained(self, images: np.ndarray) -> tuple[Any, dict[str, list[float]]]:
        """Two epochs, one at a time."""
        gan = tiny_gan(**SECTIONS, training={"generator_ema": 0.5})
        history: dict[str, list[float]] = {}
        for _ in range(2):
            for name, values in gan.fit(images, batch_size=BATCH, verbose=0).history.items():
                history.setdefault(name, []).extend(values)
        return gan, history

    @pytest.fixture(scope="class")
    def of_a_job(self, images: np.ndarray) -> tuple[Trainer, dict[str, Any]]:
        """The same steps of a trainer, and what they have logged."""
        trial = tiny_trial(3, **SECTIONS, training={"steps": 2 * STEPS, "generator_ema": 0.5})
        trainer = Trainer(
            trial, Dataset(images, np.zeros(IMAGES, np.int32)), hardware.strategy(trial.resources)
        )
        return trainer, trainer.run(2 * STEPS)

    def test_takes_the_steps_of_a_job_bit_for_bit_and_goes_on_when_called_again(
        self, trained: Any, of_a_job: Any
    ) -> None:
        gan, trainer = trained[0], of_a_job[0]
        expected = weights(trainer.gan.generator, trainer.gan.discriminator)
        assert weights(gan.generator, gan.discriminator) == expected

    def test_logs_means_over_each_epoch(self, trained: Any, of_a_job: Any) -> None:
        history, rows = trained[1], of_a_job[1]
        assert set(history) == {"d_loss", "g_loss", "d_fake", "d_real", "r1"}
        for name, values in history.items():
            epochs = rows[name].reshape(2, STEPS)
            means = [float(np.mean(it[~np.isnan(it)], dtype=np.float32)) for it in epochs]
            np.testing.assert_allclose(values, means, rtol=1e-6)
        assert np.isnan(rows["r1"]).any()

    def test_generates_with_the_averaged_weights(self, trained: Any, of_a_job: Any) -> None:
        trainer = of_a_job[0]
        sampler = Sampler(trainer.trial, (28, 28, 1))
        sampler.update(trainer.gan, 1)
        expected = generate(sampler, draw(5, 4, 6), np.zeros(4, np.int32))
        np.testing.assert_array_equal(trained[0].generate(4, seed=5), expected)

    def test_exports_what_it_generates_with(self, trained: Any, tmp_path: Path) -> None:
        gan = trained[0]
        gan.export(tmp_path / "generator.keras")
        loaded = keras.models.load_model(tmp_path / "generator.keras")
        made = np.rint((loaded(draw(0, 32, 6)).numpy() + 1) * 127.5)
        np.testing.assert_allclose(made, gan.generate(32), atol=1)

    def test_keeps_its_networks_when_the_images_or_the_batch_are_others(self, images: np.ndarray) -> None:
        gan = tiny_gan(image_shape=(28, 28, 1))
        networks = gan.generator, gan.discriminator
        gan.fit(images, batch_size=BATCH, epochs=2, verbose=0)
        history = gan.fit(images[:20] / 127.5 - 1, batch_size=5, verbose=0)
        assert (gan.generator, gan.discriminator) == networks
        assert gan._trainer.step == 2 * STEPS + 4
        assert len(history.history["d_loss"]) == 1

    def test_ends_an_epoch_where_keras_asks_it_to(self, images: np.ndarray) -> None:
        seen: list[int] = []

        class Stop(keras.callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                seen.append(batch + 1)

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self.model.stop_training = True

        gan = tiny_gan()
        gan.compile(steps_per_execution=4)  # six steps are two times three
        gan.fit(images, batch_size=BATCH, epochs=5, callbacks=[Stop()], verbose=0)
        assert seen == [3, 6]


class TestConditional:
    def test_images_come_with_labels_and_are_asked_for_by_them(
        self, images: np.ndarray, labels: np.ndarray
    ) -> None:
        gan = tiny_gan(model={**TINY["model"], "conditional": True})
        with pytest.raises(
            UsageError, match=r"^labels: the model is conditional: give fit\(\(images, labels"
        ):
            gan.fit(images)
        gan.fit((images, labels[:, np.newaxis]), batch_size=24, verbose=0)
        sevens = gan.generate(3, label=7)
        np.testing.assert_array_equal(sevens, gan.generate(3, label=[7, 7, 7]))
        np.testing.assert_array_equal(gan.generate(3)[0], gan.generate(3, label=0)[0])
        assert not np.array_equal(sevens, gan.generate(3, label=1))
        for arguments, told in (
            ({"label": 10}, "label: 10; the model has 10 classes, from 0 on"),
            ({"n": 3, "label": [1, 2]}, r"label: \[1, 2\]; give an int, or one for each of the 3 images"),
            ({"label": "7"}, "label: 7; give an int"),
            ({"n": 0}, "n 0, seed 0: give n from 1 on"),
        ):
            with pytest.raises(UsageError, match=f"^{told}"):
                gan.generate(**arguments)

    def test_labels_that_a_model_does_not_take_are_refused(
        self, images: np.ndarray, labels: np.ndarray
    ) -> None:
        with pytest.raises(UsageError, match=r"^labels: the model is unconditional: .* conditional: true$"):
            tiny_gan().fit((images, labels))
        gan = tiny_gan(model={**TINY["model"], "conditional": True}, image_shape=(28, 28, 1), classes=5)
        with pytest.raises(UsageError, match=r"^labels: up to 9; the model has 5 classes$"):
            gan.fit(images, labels)


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (np.zeros((4, 8), np.uint8), r"images: of shape \[4, 8\]; give \[n, height, width\], or"),
            (np.zeros((0, 28, 28), np.uint8), r"images: of shape \[0, 28, 28, 1\]; give "),
            (np.zeros((4, 28, 28, 2), np.uint8), r"images: of shape \[4, 28, 28, 2\]; give .* 1 or 3"),
            (np.zeros((4, 28, 28), np.int64), "images: int64; give uint8 from 0 to 255, or float"),
            (np.ones((4, 28, 28)), "images: float from 1 to 1; give float from -1 to 1, or uint8"),
            (np.linspace(0, 1, 3136).reshape(4, 28, 28), "images: float from 0 to 1; give float from -1"),
            (np.full((4, 28, 28), np.nan), "images: float from nan to nan; give float"),
            (np.zeros((4, 32, 32), np.uint8), r"images: \(32, 32, 1\); the networks are for \(28, 28, 1\)"),
            ((np.zeros((4, 28, 28), np.uint8), [1.0] * 4), r"labels: float64 \[4\]; give an int from 0 on"),
            ((np.zeros((4, 28, 28), np.uint8), [0, 1]), r"labels: int64 \[2\]; .* each of the 4 images"),
            ((np.zeros((2, 28, 28), np.uint8), [0, -1]), r"labels: int64 \[2\]; give an int from 0 on"),
        ],
        ids=lambda it: it[:34] if isinstance(it, str) else "",
    )
    def test_images_and_labels_that_are_none(self, given: Any, told: str, devices: None) -> None:
        gan = tiny_gan(image_shape=(28, 28, 1))
        before = weights(gan.generator)
        with pytest.raises(UsageError, match=f"^{told}"):
            gan.fit(given)
        assert weights(gan.generator) == before

    @pytest.mark.parametrize(
        ("sections", "told"),
        [
            ({"loss": "hing"}, r"loss.name: .*hinge"),
            ({"regularizers": ["r1", "r3"]}, r"regularizers.r3: unknown key"),
            ({"training": {"epochs": 3}}, r"^training.epochs: of jobs only; give some of update, n_critic, "),
            ({"training": {"n_critic": 2}}, r"n_critic > 1 needs update: "),
            ({"loss": "wasserstein"}, r"unbounded without a limit to the critic's slope"),
        ],
        ids=lambda it: next(iter(it)) if isinstance(it, dict) else "",
    )
    def test_sections_that_no_job_could_have(self, sections: Any, told: str, devices: None) -> None:
        with pytest.raises(UsageError, match=told):
            tiny_gan(**sections)

    def test_an_optimizer_at_compile_and_a_batch_at_fit(self, images: np.ndarray) -> None:
        gan = tiny_gan(model={**DCGAN, "minibatch_std": 4})
        with pytest.raises(SpecError, match=r"optimizer\.learning_rate: "):
            gan.compile(optimizer={"learning_rate": -1.0})
        with pytest.raises(UsageError, match=r"^Adam: no section of a job file; give a name or a dict"):
            gan.compile(optimizer=keras.optimizers.Adam(2e-4))
        with pytest.raises(SpecError, match=r"groups of 4 do not divide the 6 images"):
            gan.fit(images, batch_size=6)

    def test_networks_before_there_are_any(self, devices: None) -> None:
        with pytest.raises(UsageError, match=r"^gan: no networks yet; call fit first, or give image_shape="):
            tiny_gan().generate()


def test_weights_are_kept_and_loaded_but_neither_averages_nor_the_whole(
    images: np.ndarray, tmp_path: Path
) -> None:
    gan = tiny_gan(training={"generator_ema": 0.5})
    other = tiny_gan(image_shape=(28, 28, 1), seed=4)
    gan.fit(images, batch_size=BATCH, verbose=0)
    gan.save_weights(tmp_path / "gan.weights.h5")
    other.load_weights(tmp_path / "gan.weights.h5")
    assert weights(other.generator, other.discriminator) == weights(gan.generator, gan.discriminator)
    assert not np.array_equal(other.generate(4), gan.generate(4))
    gan.load_weights(tmp_path / "gan.weights.h5")
    np.testing.assert_array_equal(other.generate(4), gan.generate(4))
    with pytest.raises(
        UsageError, match=r"^gan: cannot be saved as a whole; keep the networks with save_wei"
    ):
        gan.save(tmp_path / "gan.keras")
