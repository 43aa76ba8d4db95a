"""The DCGAN: the sources' layers by default, and the same pattern at other depths."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from gandist import models
from gandist.errors import UsageError
from gandist.models import dcgan

pytestmark = pytest.mark.usefixtures("devices")

Shape = tuple[int, ...]


def trained(network: keras.Model) -> list[tuple[str, Shape, int]]:
    """The layers with weights: kind, shape of the output, number of parameters."""
    return [
        (type(layer).__name__, layer.output.shape[1:], layer.count_params())
        for layer in network.layers
        if layer.weights
    ]


def feature_maps(network: keras.Model) -> list[Shape]:
    return [shape for kind, shape, _ in trained(network) if kind.startswith("Conv2D")]


def test_the_defaults_are_the_sources() -> None:
    generator = models.build_generator(dcgan.Options(), (28, 28, 1))
    discriminator = models.build_discriminator(dcgan.Options(), (28, 28, 1))
    assert trained(generator) == [
        ("Dense", (7 * 7 * 256,), 100 * 7 * 7 * 256),
        ("BatchNormalization", (7 * 7 * 256,), 4 * 7 * 7 * 256),
        ("Conv2DTranspose", (7, 7, 128), 5 * 5 * 256 * 128),
        ("BatchNormalization", (7, 7, 128), 4 * 128),
        ("Conv2DTranspose", (14, 14, 64), 5 * 5 * 128 * 64),
        ("BatchNormalization", (14, 14, 64), 4 * 64),
        ("Conv2DTranspose", (28, 28, 1), 5 * 5 * 64),
    ]
    assert trained(discriminator) == [
        ("Conv2D", (14, 14, 64), 5 * 5 * 1 * 64 + 64),
        ("Conv2D", (7, 7, 128), 5 * 5 * 64 * 128 + 128),
        ("Dense", (1,), 7 * 7 * 128 + 1),
    ]
    assert generator.count_params() == 2_330_944
    assert sum(np.prod(w.shape) for w in generator.trainable_weights) == 2_305_472
    assert discriminator.count_params() == 212_865


# Depth and shape of the images; maps of the generator and of the discriminator, at width 3.
DEPTHS: list[tuple[int, Shape, list[Shape], list[Shape]]] = [
    (1, (28, 28, 1), [(14, 14, 3), (28, 28, 1)], [(14, 14, 3)]),
    (2, (28, 20, 3), [(7, 5, 6), (14, 10, 3), (28, 20, 3)], [(14, 10, 3), (7, 5, 6)]),
    (
        3,
        (32, 32, 3),
        [(4, 4, 12), (8, 8, 6), (16, 16, 3), (32, 32, 3)],
        [(16, 16, 3), (8, 8, 6), (4, 4, 12)],
    ),
    (
        4,
        (64, 64, 3),
        [(4, 4, 24), (8, 8, 12), (16, 16, 6), (32, 32, 3), (64, 64, 3)],
        [(32, 32, 3), (16, 16, 6), (8, 8, 12), (4, 4, 24)],
    ),
    (
        4,
        (32, 32, 1),
        [(2, 2, 24), (4, 4, 12), (8, 8, 6), (16, 16, 3), (32, 32, 1)],
        [(16, 16, 3), (8, 8, 6), (4, 4, 12), (2, 2, 24)],
    ),
]


@pytest.mark.parametrize(("depth", "shape", "generated", "judged"), DEPTHS)
def test_channels_double_where_sides_halve(
    depth: int, shape: Any, generated: list[Shape], judged: list[Shape]
) -> None:
    options = dcgan.Options(depth=depth, width=3, kernel_size=3)
    generator = models.build_generator(options, shape)
    discriminator = models.build_discriminator(options, shape)
    first = next(layer for layer in generator.layers if isinstance(layer, keras.layers.Reshape))
    assert first.target_shape == (*generated[0][:2], 3 * 2**depth)
    assert feature_maps(generator) == generated
    assert feature_maps(discriminator) == judged
    images = generator(np.random.default_rng(0).normal(size=(3, 100)).astype(np.float32)).numpy()
    assert images.shape == (3, *shape)
    assert 0 < np.abs(images).max() <= 1
    assert discriminator(images).shape == (3, 1)


@pytest.mark.parametrize(
    ("depth", "sides", "advice"),
    [
        (3, (28, 28), "give a depth of at most 2"),
        (4, (64, 8), "give a depth of at most 2"),
        (5, (32, 32), "give a depth of at most 4"),  # would start at 1x1
        (2, (28, 27), "give images of even sides, 4 or more"),
        (1, (2, 2), "give images of even sides, 4 or more"),
    ],
)
@pytest.mark.parametrize("build", [models.build_generator, models.build_discriminator])
def test_a_depth_that_does_not_fit_is_refused_in_one_line(
    build: Any, depth: int, sides: tuple[int, int], advice: str
) -> None:
    with pytest.raises(UsageError) as caught:
        build(dcgan.Options(depth=depth, width=2), (*sides, 1))
    text = str(caught.value)
    assert text.startswith(f"model.depth: images of {sides[0]}x{sides[1]} cannot be halved {depth} times")
    assert text.endswith(advice)
    assert "\n" not in text


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        ((28, 28, 1), [(7, 7, 6), (14, 14, 3), (28, 28, 1)]),
        ((32, 48, 3), [(4, 6, 12), (8, 12, 6), (16, 24, 3), (32, 48, 3)]),
        ((6, 6, 1), [(3, 3, 3), (6, 6, 1)]),
    ],
)
def test_a_depth_of_0_halves_sides_down_to_4(shape: Shape, maps: list[Shape]) -> None:
    options = dcgan.Options(depth=0, width=3)
    assert feature_maps(models.build_generator(options, shape)) == maps
    first, *_ = feature_maps(models.build_discriminator(options, shape))[::-1]
    assert first[:2] == maps[0][:2]
    with pytest.raises(UsageError, match=r"^model\.depth: images of 7x7 .* even sides, 4 or more$"):
        options.check((7, 7, 1))


@pytest.mark.parametrize("upsampling", ["transposed", "nearest", "filtered"])
def test_only_transposed_convolutions_treat_neighbouring_pixels_differently(upsampling: str) -> None:
    options = dcgan.Options(upsampling=upsampling, width=4, kernel_size=3)
    generator = models.build_generator(options, (28, 28, 1))
    assert [shape[:2] for shape in feature_maps(generator)] == [(7, 7), (14, 14), (28, 28)]
    maps = next(layer for layer in generator.layers[::-1] if "leaky" in layer.name).output  # the last ones
    doubled = keras.Model(maps, generator.outputs)
    inner = np.asarray(doubled(np.ones((1, *maps.shape[1:]), np.float32)))[0, 4:24, 4:24, 0]
    assert (np.ptp(inner) < 1e-6) == (upsampling != "transposed")
    assert generator(np.ones((2, 100), np.float32)).shape == (2, 28, 28, 1)
