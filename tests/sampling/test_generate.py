"""Images from an exported generator: which latents, which weights, and what a stranger's file may not do."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from gandist import models
from gandist.errors import CheckpointError, UsageError
from gandist.models import dcgan
from gandist.sampling import exported, generate, sampler
from gandist.sampling.sampler import Sampler
from gandist.spec.base import modules
from gandist.spec.trial import TrialSpec
from gandist.training.gan import GAN
from tests.models import trainers
from tests.training.conftest import DCGAN, tiny_trial

pytestmark = pytest.mark.usefixtures("devices")

SHAPE = (28, 28, 1)
ARCHITECTURES = [module.Options.model_fields["name"].default for module in modules(models.__name__)]
_NARROW = (trainers.DCGAN, trainers.R3GAN, trainers.RESNET, trainers.STYLEGAN2)
NARROW = {model["name"]: model for model in _NARROW}
MEMBER = "model.weights.h5"


def trained_like(trial: TrialSpec, classes: int = 0) -> Sampler:
    """A sampler whose every weight, batch norm's statistics too, is unlike those of a new network."""
    gan = GAN(trial, SHAPE, replicas=1, images_per_step=8, classes=classes)
    draw = np.random.default_rng(1)
    for variable in gan.generator.variables:
        variable.assign(variable.numpy() + draw.normal(0.0, 0.1, variable.shape))
    live = Sampler(trial, SHAPE, classes)
    live.update(gan, step=0)
    return live


@pytest.fixture(scope="module")
def trial() -> TrialSpec:
    return tiny_trial(model=DCGAN, training={"steps": 6, "generator_ema": 0.9})


@pytest.fixture(scope="module")
def live(devices: None, trial: TrialSpec) -> Sampler:
    return trained_like(trial)


def load(trial: TrialSpec, content: bytes, classes: int = 0) -> Sampler:
    return Sampler.load(trial, SHAPE, classes, content, "generator.keras")


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_exported_generator_makes_the_same_bits_as_the_sampler_that_exported_it(
    name: str, classes: int
) -> None:
    model = {"name": name, "latent_dim": 6, "conditional": classes > 0}
    trial = tiny_trial(model={**model, **NARROW.get(name, {})})
    live = trained_like(trial, classes)
    loaded = load(trial, live.export(), classes)
    latents = generate.draw(0, 40, 6)
    made = live.generate(latents)
    assert made.std() > 1
    np.testing.assert_array_equal(loaded.generate(latents), made)
    for one, other in zip(loaded.generator.variables, live.generator.variables, strict=True):
        assert one.numpy().tobytes() == other.numpy().tobytes()


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("name", ["dcgan", "mlp"])
def test_an_export_holds_nothing_that_tensorflow_or_gandist_alone_knows(name: str, classes: int) -> None:
    """Keras' other backends are not installed here; each builds what ``keras`` itself has."""
    trial = tiny_trial(model={"name": name, "latent_dim": 6, "conditional": classes > 0})
    live = Sampler(trial, SHAPE, classes)
    assert not live.loading
    with zipfile.ZipFile(io.BytesIO(live.export())) as archive:
        config = json.loads(archive.read("config.json"))

    def parts(value: object) -> Iterator[tuple[str, object]]:
        if isinstance(value, dict):
            yield from value.items()
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from parts(inner)

    found = list(parts(config))
    modules = {value for key, value in found if key == "module"}
    assert {str(module).partition(".")[0] for module in modules} == {"keras"}
    assert [
        value for key, value in found if key == "registered_name" and value not in (None, "Functional")
    ] == []
    assert {value for key, value in found if key == "synchronized"} == {False}


def test_an_image_depends_on_its_own_latent_alone(live: Sampler) -> None:
    latents = generate.draw(0, generate.BATCH + 8, 6)
    many = generate.generate(live, latents, live.labels(len(latents)))
    assert many.shape == (generate.BATCH + 8, *SHAPE)
    np.testing.assert_array_equal(generate.generate(live, latents[:3], live.labels(3)), many[:3])
    np.testing.assert_array_equal(many, live.generate(latents))


def test_truncation_0_makes_one_image_up_to_noise_and_1_what_was_learned() -> None:
    live = trained_like(tiny_trial(model=trainers.STYLEGAN2))
    latents, labels = generate.draw(0, 3, 6), live.labels(3)
    plain = generate.generate(live, latents, labels)
    live.truncate(1.0)
    np.testing.assert_array_equal(generate.generate(live, latents, labels), plain)
    for variable in live.generator.variables:
        if variable.name == "strength":
            variable.assign(0.0)
    spreads = []
    for psi in (0.0, 0.5, 1.0):
        live.truncate(psi)
        spreads.append(np.ptp(generate.generate(live, latents, labels).astype(int), axis=0).mean())
    assert spreads[0] == 0
    assert 0 < spreads[1] < spreads[2]


def test_a_generator_without_a_mean_style_cannot_be_truncated(live: Sampler) -> None:
    with pytest.raises(
        UsageError, match=r"^--truncation 0.7: the generator of model dcgan has no mean style"
    ) as caught:
        live.truncate(0.7)
    assert "\n" not in str(caught.value)


def test_a_label_goes_with_its_latent() -> None:
    conditional = trained_like(tiny_trial(model={"conditional": True}), classes=3)
    latents = np.repeat(generate.draw(0, 1, 6), 3, axis=0)
    made = generate.generate(conditional, latents, np.array([2, 0, 2], np.int32))
    np.testing.assert_array_equal(made[0], made[2])
    assert (made[0] != made[1]).any()


class TestLatents:
    def test_the_first_ones_are_the_same_however_many_are_drawn(self) -> None:
        np.testing.assert_array_equal(generate.draw(3, 8, 5), generate.draw(3, 64, 5)[:8])

    def test_another_seed_draws_others(self) -> None:
        assert not np.isclose(generate.draw(0, 8, 6), generate.draw(1, 8, 6)).any()

    def test_they_are_these_on_every_machine(self) -> None:
        expected = [[-0.4586592, -1.2938583, 0.2517836], [-0.6409554, -0.6177756, 2.1379426]]
        np.testing.assert_allclose(generate.draw(7, 2, 3), expected, rtol=1e-6)

    def test_they_are_standard_normal_and_independent(self) -> None:
        drawn = generate.draw(0, 50_000, 4)
        assert (drawn.dtype, drawn.shape) == (np.float32, (50_000, 4))
        np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=0.02)
        np.testing.assert_allclose(np.cov(drawn.T), np.eye(4), atol=0.03)
        np.testing.assert_allclose((drawn**4).mean(axis=0), 3, atol=0.15)
        # The two of a pair share a radius; their squares must not tell.
        np.testing.assert_allclose(np.corrcoef((drawn**2).T), np.eye(4), atol=0.03)


class TestPath:
    def test_each_row_of_its_grid_begins_with_a_latent_of_the_seed(self) -> None:
        path = generate.draw_path(2, 20, 6)  # 4 rows of 5
        assert path.dtype == np.float32
        np.testing.assert_array_equal(path[::5], generate.draw(2, 4, 6))

    @pytest.mark.parametrize("count", [3, 7, 12, 64])
    def test_it_has_as_many_points_as_asked_for_and_is_closed(self, count: int) -> None:
        path = generate.draw_path(0, count, 100)
        assert path.shape == (count, 100)
        steps = np.linalg.norm(path - np.roll(path, 1, axis=0), axis=1)
        assert 0.5 * steps.max() < steps.min()

    def test_halfway_is_as_far_from_the_origin_as_the_ends(self) -> None:
        one, other = np.eye(5)[:2] * 3.0
        halfway = generate.slerp(one, other, 0.5)
        np.testing.assert_allclose(halfway, np.array([1, 1, 0, 0, 0]) * 3 / np.sqrt(2))
        third = generate.slerp(one, other, 1 / 3)
        assert np.arccos(third @ one / 9) == pytest.approx(np.pi / 6)

    @pytest.mark.parametrize(
        ("one", "other"), [([1.0, 2.0], [2.0, 4.0]), ([1.0, 2.0], [-1.0, -2.0]), ([3.0], [-1.0])]
    )
    def test_latents_on_one_line_are_joined_by_it(self, one: list[float], other: list[float]) -> None:
        between = generate.slerp(np.array(one), np.array(other), 0.25)
        np.testing.assert_allclose(between, 0.75 * np.array(one) + 0.25 * np.array(other))


def with_weights(content: bytes, change: Callable[[h5py.File], None]) -> bytes:
    """The ``.keras`` file with its HDF5 file changed, and its checksums right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        weights = io.BytesIO(archive.read(MEMBER))
    with h5py.File(weights, "r+") as file:
        change(file)
    return with_member(weights.getvalue())


def with_member(weights: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(MEMBER, weights)
    return buffer.getvalue()


def replace(file: h5py.File, **how: object) -> None:
    """The kernel of the first layer stored in another way."""
    values = file["layers/dense/vars/0"][:]
    del file["layers/dense/vars/0"]
    file.create_dataset("layers/dense/vars/0", **{"data": values, **how})


def lie_elsewhere(file: h5py.File) -> None:
    values = file["layers/dense/vars/0"][:]
    Path("elsewhere.bin").write_bytes(values.tobytes())
    del file["layers/dense/vars/0"]
    place = [("elsewhere.bin", 0, values.nbytes)]
    file.create_dataset("layers/dense/vars/0", values.shape, values.dtype, external=place)


def be_virtual(file: h5py.File) -> None:
    shape = file["layers/dense/vars/0"].shape
    del file["layers/dense/vars/0"]
    layout = h5py.VirtualLayout(shape, np.float32)
    layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape)
    file.create_virtual_dataset("layers/dense/vars/0", layout)


def scale(file: h5py.File, factor: float) -> None:
    file["layers/dense/vars/0"][:] = file["layers/dense/vars/0"][:] * factor


def drop(file: h5py.File) -> None:
    """One layer's arrays are under another name: as many bytes, but not those of this model."""
    file.move("layers/dense", "layers/dance")


REFUSED: dict[str, tuple[Callable[[h5py.File], object], str]] = {
    "an external link": (
        lambda f: f.update({"x": h5py.ExternalLink("/etc/hostname", "/")}),
        "links to other places",
    ),
    "a soft link": (
        lambda f: f.update({"layers/x": h5py.SoftLink("/layers/dense")}),
        "links to other places",
    ),
    "a packed array": (lambda f: replace(f, compression="gzip"), "not plain numbers in this file"),
    "an array in another file": (lie_elsewhere, "not plain numbers in this file"),
    "an array put together from other files": (be_virtual, "not plain numbers in this file"),
    "a filtered array": (
        lambda f: replace(f, chunks=f["layers/dense/vars/0"].shape, shuffle=True),
        "not plain numbers in this file",
    ),
    "an array of bytes": (
        lambda f: replace(f, data=f["layers/dense/vars/0"][:].view("V4")),
        "not plain numbers in this file",
    ),
    "an array of objects": (lambda f: replace(f, data=["a"]), "not plain numbers in this file"),
    "an array that is only declared": (
        lambda f: f.create_dataset("x", (10**12,), "f4"),
        "not plain numbers in this file",
    ),
    "one array more": (lambda f: f.update({"x": np.zeros(7, "f4")}), "bytes of weights"),
    "one array less": (lambda f: f.pop("layers/dense/vars/0"), "bytes of weights"),
    "another shape": (lambda f: replace(f, data=f["layers/dense/vars/0"][:].T), "other layers"),
    "other layers": (drop, "other layers"),
    "NaN": (lambda f: scale(f, np.nan), "not finite"),
}


@pytest.mark.parametrize(("change", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_gandist_never_writes_is_refused(
    change: Callable[[h5py.File], None],
    problem: str,
    live: Sampler,
    trial: TrialSpec,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=problem) as refused:
        load(trial, with_weights(live.export(), change))
    assert str(refused.value).startswith("generator.keras: ")
    assert "\n" not in str(refused.value)
    assert [warning for warning in recwarn if warning.category is UserWarning] == []


def test_the_same_change_without_the_fault_is_read(live: Sampler, trial: TrialSpec) -> None:
    """So the refusals above are of what they name, and not of the way in which the files were made."""
    loaded = load(trial, with_weights(live.export(), lambda file: scale(file, 1.0)))
    latents = live.latents(3)
    np.testing.assert_array_equal(loaded.generate(latents), live.generate(latents))


def test_of_the_file_nothing_but_the_weights_is_looked_at(live: Sampler, trial: TrialSpec) -> None:
    with zipfile.ZipFile(io.BytesIO(live.export())) as archive:
        weights = archive.read(MEMBER)
    loaded = load(trial, with_member(weights, zipfile.ZIP_DEFLATED))
    np.testing.assert_array_equal(loaded.generate(live.latents(3)), live.generate(live.latents(3)))


def test_what_unpacks_to_more_than_the_model_is_refused_unpacked(live: Sampler, trial: TrialSpec) -> None:
    bomb = with_member(bytes(50_000_000), zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match=r"has 50,000,000 bytes of weights; the model .* has 17,288"):
        load(trial, bomb)


def test_a_model_too_large_for_its_file_is_refused_before_memory_is_taken_for_it(
    live: Sampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_memory(model: object) -> None:
        pytest.fail("the model was built")

    content = live.export()
    monkeypatch.setattr(sampler, "portable", take_memory)
    huge = tiny_trial(model={**DCGAN, "width": 1024, "kernel_size": 9, "latent_dim": 4096})
    with pytest.raises(CheckpointError, match=r"the model in trial.yaml has 6,\d\d\d,\d\d\d,\d\d\d"):
        load(huge, content)


def test_the_size_of_a_model_is_that_of_its_variables() -> None:
    def build() -> object:
        return models.build_generator(dcgan.Options(), SHAPE)

    assert exported.weights_size(build) == 4 * 2_330_944
    assert sum(v.numpy().nbytes for v in build().variables) == 4 * 2_330_944  # type: ignore[attr-defined]


def test_telling_the_size_of_a_model_takes_no_memory_for_it_then_or_later() -> None:
    filled = []

    def initializer(shape: tuple[int, ...], dtype: str | None = None) -> tf.Tensor:
        filled.append(tf.executing_eagerly())  # not while Keras only follows the shapes
        return tf.zeros(shape, dtype)

    def build() -> keras.Model:
        return keras.Sequential([keras.Input((3,)), keras.layers.Dense(5, kernel_initializer=initializer)])

    assert exported.weights_size(build) == 4 * (3 * 5 + 5)
    models.build_discriminator(dcgan.Options(width=1), SHAPE)
    assert not any(filled)


def test_a_damaged_file_is_refused_wherever_the_damage_is(live: Sampler, trial: TrialSpec) -> None:
    content = live.export()
    expected = live.generator.get_weights()
    size = sum(values.nbytes for values in expected)
    loaded = Sampler(trial, SHAPE).generator
    draw = np.random.default_rng(0)
    damaged = [content[: int(draw.integers(len(content)))] for _ in range(20)]
    for place in draw.integers(len(content), size=60):
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(draw.integers(8))
        damaged.append(bytes(flipped))
    refused = 0
    for each in [b"", b"PK", *damaged]:
        try:
            exported.load(loaded, exported.weights_of(each, size, "generator.keras"), "generator.keras")
        except CheckpointError:
            refused += 1
        else:  # the damage is in what is not read
            for values, whole in zip(loaded.get_weights(), expected, strict=True):
                np.testing.assert_array_equal(values, whole)
    assert refused > 60
