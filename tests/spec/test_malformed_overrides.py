"""A mistake in an override names that, and one in the file the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.mistakes import problem, write

# Overrides; the one line, after the first "--set ".
OVERRIDES = [
    (["optimizer.lr=3"], "optimizer.lr=3: unknown key; allowed here: name, learning_rate"),
    (["optimizer={lr: 3}"], "optimizer={lr: 3}: optimizer.lr: unknown key"),
    (["optimizer.learning_rate=-1"], "optimizer.learning_rate=-1: -1 is out of range; give a number > 0"),
    (["model.name=dcgn"], 'model.name=dcgn: "dcgn" is unknown'),
    (["seeds=7..0"], "seeds=7..0: the range 7..0 holds no seed"),
    (["name="], "name=: null is not text"),
    (["name=a/b"], 'name=a/b: "a/b" is not a name'),
    (["modle.width=3"], "modle.width=3: modle: unknown key"),
    (["sweep.model.width=[8, big]"], 'sweep.model.width=[8, big]: "big" is not a whole number'),
    (["configs.wide.model.width=0"], "configs.wide.model.width=0: 0 is out of range"),
    (["resources.replicas=2", "data.batch_size=63"], "data.batch_size=63: 63 does not divide among 2"),
    (["model.width"], "model.width: write PATH=VALUE, as in"),
    (["=3"], "=3: write PATH=VALUE, as in"),
    (["model..width=3"], "model..width: not a dotted path such as optimizer.learning_rate"),
    (["name.first=3"], "name.first: name is a value, not a section"),
    (["seeds=[1"], "seeds=[1: line 1: "),
    (["model=!foo {}"], "model=!foo {}: line 1: the tag !foo is not allowed"),
    (["model={width: 1, width: 2}"], '"width" stands twice'),
    (["regularizers.r1.gamma=0"], "regularizers.r1.gamma=0: 0 is out of range; give a number > 0"),
    (
        ["regularizers={r3: {}}"],
        "regularizers={r3: {}}: regularizers.r3: unknown key; allowed here: gradient",
    ),
    (["constraints.weight_clipping.limit=0"], "constraints.weight_clipping.limit=0: 0 is out of range"),
    (["augmentation.name=adda"], 'augmentation.name=adda: "adda" is unknown; choose ada or'),
    (
        ["optimizer.learning_rate={cosine: [1e-3, 0], kimg: 1}"],
        "optimizer.learning_rate={cosine: [1e-3, 0], kimg: 1}: 0 is out of range; a schedule's values",
    ),
    (["optimizer.learning_rate={linear: [1, 2]}"], ": a schedule has exactly one of kimg and steps"),
    (
        ["evaluation.metrics=[fd_pixels]"],
        "evaluation.metrics.0: fd_pixels is the metric frechet with evaluation.features: pixels now",
    ),
    (
        ["penalty.gamma=1"],
        "penalty.gamma=1: penalty: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
    (
        ["penalty.name=weight_clipping", "penalty.limit=0.1"],
        "penalty: is no section any more; write constraints: {weight_clipping: {limit: 0.1}}",
    ),
    (
        ["penalty={name: r1, gamma: 1}"],
        "penalty={name: r1, gamma: 1}: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
    (["penalty=null"], "penalty=null: is no section any more; leave it out"),
    (
        ["configs.a.penalty.gamma=1"],
        "configs.a.penalty.gamma=1: configs.a.penalty: is no section any more; write regularizers: {r1:",
    ),
    (
        ["sweep.penalty.gamma=[1, 2]"],
        "sweep.penalty.gamma=[1, 2]: is no section any more; write regularizers: {r1: {gamma: 1}}",
    ),
]


@pytest.mark.parametrize(("overrides", "expected"), OVERRIDES)
def test_an_override_is_named(tmp_path: Path, overrides: list[str], expected: str) -> None:
    line = problem(write(tmp_path / "job.yaml"), overrides)
    assert line.startswith("--set ")
    assert expected in line


def test_the_file_is_blamed_for_what_an_override_did_not_touch(tmp_path: Path) -> None:
    path = write(tmp_path / "job.yaml", "model: {name: dcgan, width: big}")
    assert problem(path, ["model={dropout: 0.1}"]).startswith(f"{path}: model.width: ")
