"""``gandist.open(...).trial(...).generator()``: the images of ``gandist sample``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gandist
from gandist.artifacts.job_dir import JobDir
from gandist.errors import CheckpointError, UsageError
from gandist.results import Generator
from gandist.sampling.generators import find
from tests.conftest import CommandLine
from tests.models import trainers
from tests.sampling.conftest import made
from tests.sampling.test_generate import trained_like
from tests.training.conftest import tiny_trial


@pytest.fixture(scope="module")
def sevens(jobs: Path) -> Generator:
    return gandist.open(jobs / "classes").trial("base-seed0").generator()


def test_its_images_are_those_of_the_command(sample: CommandLine) -> None:
    generator = gandist.open("classes").trial("base-seed0").generator()
    images = generator.sample(40, label=7, seed=3)
    assert (images.dtype, images.shape) == (np.uint8, (40, 28, 28, 1))
    np.testing.assert_array_equal(images, made(sample, "classes", "--n", "40", "--label", "7", "--seed", "3"))
    np.testing.assert_array_equal(generator.sample(12), made(sample, "classes", "--n", "12"))


def test_labels_are_names_or_indices_one_or_several(sevens: Generator) -> None:
    several = sevens.sample(4, label=[1, "7"])
    np.testing.assert_array_equal(several[:2], sevens.sample(4, label=np.int64(1))[:2])
    np.testing.assert_array_equal(several[2:], sevens.sample(4, label="7")[2:])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"label": 10}, "label 10: no such class; base-seed0 has 0, 1, "),
        ({"label": "seven"}, "label seven: no such class; "),
        ({"n": 1, "label": [1, 2]}, "n 1: fewer images than labels "),
        ({"n": 0}, "n 0, seed 0: give n from 1 on"),
        ({"seed": -1}, "n 64, seed -1: give n from 1 on, and a seed from 0 on"),
        ({"truncation": 0.5}, "truncation 0.5: the generator of model dcgan has no mean style "),
    ],
    ids=lambda it: str(it) if isinstance(it, dict) else "",
)
def test_what_it_cannot_do_is_told(sevens: Generator, arguments: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=f"^{told}"):
        sevens.sample(**arguments)  # type: ignore[arg-type]


def test_truncation_is_of_one_call(jobs: Path) -> None:
    trial = tiny_trial(model=trainers.STYLEGAN2)
    generator = Generator(find(JobDir(str(jobs / "plain")), "base-seed1"), trained_like(trial))
    whole = generator.sample(4)
    assert not np.array_equal(generator.sample(4, truncation=0.3), whole)
    np.testing.assert_array_equal(generator.sample(4), whole)


def test_it_says_what_it_is_and_gives_its_network(sevens: Generator) -> None:
    assert repr(sevens) == "<generator of base-seed0 at step 2: dcgan, images 28x28x1, 10 classes>"
    assert [one.name for one in sevens.model.inputs] == ["latents", "labels"]


def test_a_best_one_is_there_where_it_was_chosen(jobs: Path) -> None:
    with pytest.raises(UsageError, match=r"^trial base-seed0: has exported no best generator: completed"):
        gandist.open(jobs / "classes").trial("base-seed0").generator(best=True)


def test_nothing_in_a_strangers_file_is_executed(sample: CommandLine) -> None:
    file = Path("classes/trials/base-seed0/generator.keras")
    file.write_bytes(b"no archive")
    with pytest.raises(CheckpointError, match="damaged"):
        gandist.open("classes").trial("base-seed0").generator()
