"""Where the images lie changes nothing of what is trained; what streaming does with threads and memory."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gandist.data import Dataset
from gandist.spec.budget import Budget
from gandist.spec.sections import Resources
from gandist.training import feed, order
from tests.training.conftest import assert_same_bits, tiny_trial
from tests.training.test_gan import N_CRITIC, R1_AND_EMA, SIMULTANEOUS

STREAM = {"resources": {"data_memory_gb": 0.0}}
STEP = 8 * 28 * 28
"""Bytes of the images of one step of a tiny trial."""


def on_replicas(replicas: int, **sections: dict[str, Any]) -> dict[str, Any]:
    return {**sections, "resources": {**sections.get("resources", {}), "replicas": replicas}}


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gandist-feed")]


@pytest.fixture
def chunks_of_four_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "CHUNK_BYTES", 4 * STEP + 1)


@pytest.fixture
def streamed(
    strategy: Callable[[int], Any], dataset: Dataset, chunks_of_four_steps: None
) -> Callable[..., Any]:
    """``streamed(replicas=1, dataset=..., **sections)``: a feed of chunks of four steps, and its budget."""

    def make(replicas: int = 1, dataset: Dataset = dataset, **sections: dict[str, Any]) -> tuple[Any, Budget]:
        trial = tiny_trial(**on_replicas(replicas, **sections))
        budget = Budget(trial.training, trial.data.batch_size, len(dataset))
        return feed.Streamed(trial, dataset, budget, strategy(replicas)), budget

    return make


@pytest.mark.parametrize(
    ("replicas", "sections"),
    [
        pytest.param(2, N_CRITIC, id="two_n_critic"),
        pytest.param(1, R1_AND_EMA, id="r1_ema", marks=pytest.mark.slow),
        pytest.param(1, N_CRITIC, id="n_critic", marks=pytest.mark.slow),
        pytest.param(2, SIMULTANEOUS, id="two", marks=pytest.mark.slow),
        pytest.param(1, SIMULTANEOUS, id="one", marks=pytest.mark.slow),
    ],
)
def test_streamed_images_train_to_the_same_bits(
    make_trainer: Callable[..., Any], replicas: int, sections: dict[str, Any], chunks_of_four_steps: None
) -> None:
    """In blocks that cut chunks and are cut by them, and where a state is continued."""
    resident = make_trainer(replicas, **on_replicas(replicas, **sections))
    first, second = (make_trainer(replicas, **on_replicas(replicas, **sections, **STREAM)) for _ in range(2))
    assert type(resident._feed).__name__ == "Resident"
    assert type(first._feed).__name__ == "Streamed"
    whole = resident.run(6)
    parts = [first.run(1), first.run(3)]
    second.load_state(first.state())
    parts.append(second.run(6))
    assert_same_bits(whole, {name: np.concatenate([part[name] for part in parts]) for name in whole})
    assert_same_bits(resident.state(), second.state())


@pytest.mark.parametrize("n_critic", [1, 3])
@pytest.mark.parametrize("replicas", [1, 2])
def test_each_replica_gets_its_part_of_each_step(
    streamed: Callable[..., Any],
    strategy: Callable[[int], Any],
    dataset: Dataset,
    replicas: int,
    n_critic: int,
) -> None:
    """Over more than one epoch of 200 images: those that Budget.indices names, split as Trainer splits."""
    training = {"steps": 30, "update": "alternating", "n_critic": n_critic}
    source, budget = streamed(replicas, training=training)
    expected = order.indices(budget, 0, 0, 30).reshape(30, n_critic, replicas, -1)
    step = 0
    for stop in (1, 2, 9, 30):
        for images, labels, indices in source.chunks(step, stop):
            local = strategy(replicas).experimental_local_results
            places = indices.reshape(len(indices), n_critic, replicas, -1)
            for replica, (mine, mine_labels) in enumerate(zip(local(images), local(labels), strict=True)):
                chosen = expected[step : step + len(indices), :, replica]
                got = mine.numpy()[places[:, :, replica]]
                np.testing.assert_array_equal(got, dataset.images[chosen])
                np.testing.assert_array_equal(
                    mine_labels.numpy()[places[:, :, replica]], dataset.labels[chosen]
                )
            step += len(indices)
    assert step == 30


def test_each_chunk_is_gathered_once_and_none_beyond_the_last_step(
    streamed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gathered: list[int] = []
    gather = feed.Streamed._gather
    monkeypatch.setattr(
        feed.Streamed, "_gather", lambda self, number: (gathered.append(number), gather(self, number))[1]
    )
    source, _ = streamed(training={"steps": 11})
    cuts = [0, 1, 3, 4, 5, 9, 11]
    lengths = [
        [len(indices) for _, _, indices in source.chunks(first, stop)]
        for first, stop in itertools.pairwise(cuts)
    ]
    assert lengths == [[1], [2], [1], [1], [3, 1], [2]]
    assert gathered == [0, 1, 2]


def test_the_next_chunk_is_gathered_while_one_is_in_use(
    streamed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    gather = feed.Streamed._gather

    def watched(self: Any, number: int) -> Any:
        if number == 1:
            begun.set()
        return gather(self, number)

    monkeypatch.setattr(feed.Streamed, "_gather", watched)
    source, _ = streamed(training={"steps": 8})
    chunks = source.chunks(0, 2)
    next(chunks)
    assert begun.wait(10)
    assert threads()
    chunks.close()
    assert not threads()


def test_a_failure_to_gather_is_the_trainers_and_leaves_no_thread(
    make_trainer: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, chunks_of_four_steps: None
) -> None:
    trainer = make_trainer(**STREAM)
    labels = trainer._feed._labels
    trainer._feed._labels = labels[:1]
    with pytest.raises(IndexError):
        trainer.run(2)
    assert trainer.step == 0
    assert not threads()
    trainer._feed._labels = labels
    assert trainer.run(2)["step"].tolist() == [1, 2]


def test_a_failing_step_leaves_no_thread(
    make_trainer: Callable[..., Any], chunks_of_four_steps: None
) -> None:
    trainer = make_trainer(**STREAM)

    def fail(*_: object) -> None:
        raise RuntimeError("no more")

    trainer._block = fail
    with pytest.raises(RuntimeError, match="no more") as error:
        trainer.run(2)
    assert not threads(), error  # though the error still holds the frames of the call


def test_a_memory_mapped_set_is_streamed_as_it_lies(
    streamed: Callable[..., Any], dataset: Dataset, tmp_path: Path
) -> None:
    dataset.images.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=dataset.images.shape)
    one, _ = streamed()
    other, _ = streamed(dataset=replace(dataset, images=mapped))
    (first, _, _), *_ = one.chunks(0, 4)
    (second, _, _), *_ = other.chunks(0, 4)
    np.testing.assert_array_equal(first.values[0], second.values[0])


@pytest.mark.parametrize(
    ("allowed", "memory", "kind"),
    [
        (None, 4 * 200 * 784, feed.Resident),
        (None, 4 * 200 * 784 - 1, feed.Streamed),
        (200 * 784 / 1e9, 0, feed.Resident),
        (199 * 784 / 1e9, 10**12, feed.Streamed),
    ],
)
def test_memory_decides_where_images_lie(
    strategy: Callable[[int], Any],
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
    allowed: float | None,
    memory: int,
    kind: type,
) -> None:
    monkeypatch.setattr(feed, "device_memory", lambda _: memory)
    trial = tiny_trial(resources={"data_memory_gb": allowed})
    budget = Budget(trial.training, trial.data.batch_size, len(dataset))
    assert type(feed.choose(trial, dataset, budget, strategy(1))) is kind


def test_a_share_of_a_gpu_is_a_share_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorflow.python.client import device_lib

    monkeypatch.setattr(feed.hardware, "gpus", lambda _: 2)
    found = [
        SimpleNamespace(device_type=kind, memory_limit=n)
        for kind, n in (("CPU", 1), ("GPU", 80), ("GPU", 70))
    ]
    monkeypatch.setattr(device_lib, "list_local_devices", lambda: found)
    assert feed.device_memory(Resources(gpus=2)) == 70
    assert feed.device_memory(Resources(gpus=0.5)) == 35
    assert feed.device_memory(Resources()) == 70


def test_a_container_has_the_memory_that_it_may_use_and_replicas_share_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CONTAINER_LIMIT", tmp_path / "memory.max")
    one, four = Resources(gpus=0), Resources(gpus=0, replicas=4)
    machine = feed.device_memory(one)
    assert machine > 2**28
    assert feed.device_memory(four) == machine / 4
    (tmp_path / "memory.max").write_text("max\n")
    assert feed.device_memory(one) == machine
    (tmp_path / "memory.max").write_text("1000000\n")
    assert feed.device_memory(four) == 250_000
