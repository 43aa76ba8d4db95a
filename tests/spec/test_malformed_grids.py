"""Mistakes in what makes several trials of a job: seeds, configurations and sweeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.mistakes import problem, refused, write

# As in ``test_malformed_jobs.py``.
GRIDS = [
    # seeds
    ("seeds:", "seeds: null is not a list; give a list, a range (0..7), or one seed"),
    ("seeds: []", "seeds: the list is empty"),
    ("seeds: [1, 2, 1]", "seeds: 1 stands twice"),
    ("seeds: [0, -1]", "seeds.1: -1 is out of range; give a whole number from 0 to 2147483647"),
    ("seeds: -1", "seeds.0: -1 is out of range"),
    ("seeds: [2147483648]", "seeds.0: 2147483648 is out of range"),
    ("seeds: [0.5]", "seeds.0: 0.5 is not a whole number"),
    ('seeds: ["1"]', 'seeds.0: "1" is not a whole number'),
    ("seeds: [true]", "seeds.0: true is not a whole number"),
    ("seeds: {a: 1}", "seeds: a mapping is not a list"),
    ("seeds: many", 'seeds: "many" is not a range of seeds; write first..last'),
    ("seeds: 7..0", "seeds: the range 7..0 holds no seed"),
    ("seeds: 0..10000", "seeds: 0..10000 is 10001 seeds; a job has at most 10000 trials"),
    # configurations
    ("configs:", "configs: null is not a mapping; give named overrides"),
    ("configs: [wide]", "configs: a list is not a mapping"),
    ("configs: {wide: 3}", "configs.wide: 3 is not a mapping"),
    ("configs: {a/b: {}}", 'configs: "a/b" is not a name'),
    ("configs: {..: {}}", 'configs: ".." is not a name'),
    ("configs: {wide: {model.width: big}}", 'configs.wide.model.width: "big" is not a whole number; give'),
    ("configs: {wide: {model: {width: 0}}}", "configs.wide.model.width: 0 is out of range"),
    ("configs: {wide: {model.widht: 8}}", "configs.wide.model.widht: unknown key; allowed here: "),
    ("configs: {wide: {modle.width: 8}}", "configs.wide.modle.width: unknown section"),
    ("configs: {wide: {modle.width: 8}}", "(did you mean model?)"),
    ("configs: {wide: {model: null}}", "configs.wide.model: null is not a section"),
    ("configs: {wide: {model..width: 8}}", "configs.wide.model..width: not a dotted path"),
    ("configs: {wide: {model.width.x: 8}}", "configs.wide.model.width.x: width is a value, not a section"),
    ("configs: {wide: {resources.cpus: 8}}", "configs.wide.resources.cpus: resources are the job's"),
    ("configs: {wide: {seeds: [1]}}", "configs.wide.seeds: unknown section"),
    ("configs: {a: {training: {steps: 1, kimg: 1}}}", "configs.a: training: give exactly one of"),
    ("configs: {a: {training.n_critic: 2}}", "configs.a: training: n_critic > 1 needs"),
    ("configs: {a: {regularizers: {r1: {gamma: 0}}}}", "configs.a.regularizers.r1.gamma: 0 is out of range"),
    ("configs: {a: {regularizers.r3: {}}}", "configs.a.regularizers.r3: unknown key; allowed here: gradient"),
    ("configs: {a: {constraints.weight_clipping.limit: x}}", 'weight_clipping.limit: "x" is not a number'),
    (
        "configs: {a: {augmentation.name: adda}}",
        'configs.a.augmentation.name: "adda" is unknown; choose ada or',
    ),
    (
        "configs: {a: {optimizer.learning_rate: {cosine: [1e-3, 0], kimg: 1}}}",
        "configs.a: optimizer.learning_rate: 0 is out of range; a schedule's values are numbers > 0",
    ),
    ("configs: {a: {optimizer.learning_rate.first: 1}}", "learning_rate is a value, not a section"),
    ("sweep: {regularizers.r1.gamma: [1, 0]}", "sweep.regularizers.r1.gamma: 0 is out of range; give a numb"),
    (
        "evaluation: {}\nconfigs: {a: {evaluation.metrics: [fd_pixels]}}",
        "configs.a.evaluation.metrics: fd_pixels is the metric frechet with evaluation.features: pixels now",
    ),
    (
        "evaluation: {}\nsweep: {evaluation: [{metrics: [fd_pixels]}, {metrics: [frechet]}]}",
        "sweep.evaluation.metrics: fd_pixels is the metric frechet with evaluation.features: pixels now",
    ),
    ("sweep:", "sweep: null is not a mapping"),
    ("sweep: [1]", "sweep: a list is not a mapping"),
    ("sweep: {model.width: []}", "sweep.model.width: holds 0 values; give at least 1"),
    ("sweep: {model.width: 8}", "sweep.model.width: 8 is not a list; give a list of values"),
    ("sweep: {model.width: [8, big]}", 'sweep.model.width: "big" is not a whole number'),
    ("sweep: {model.widht: [8]}", "sweep.model.widht: unknown key"),
    ("sweep: {widht: [8]}", "sweep.widht: unknown section; a configuration may change data, model"),
    ("sweep: {resources.gpus: [1, 2]}", "sweep.resources.gpus: resources are the job's"),
    ("sweep: {seeds: [[1], [2]]}", "sweep.seeds: unknown section"),
    ("sweep: {model.width: [8, 8]}", "sweep: two configurations are named width=8"),
    ("sweep: {optimizer.beta_1: [0.5, 0.5000001]}", "sweep: two configurations are named beta_1=0.5;"),
    ("sweep: {model.name: [" + "x" * 100 + "]}", "is longer than 100 characters"),
    ("sweep: {data.batch_size: [63]}\nresources: {replicas: 2}", "sweep.data.batch_size: 63 does not divide"),
    ("sweep: {model.width: [1, 2]}\nseeds: 0..9998", "sweep 2 x seeds 9999 make 19998 trials; at most 10000"),
]


@pytest.mark.parametrize(("lines", "expected"), GRIDS)
def test_a_mistake_is_one_line_with_its_path(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in refused(tmp_path, lines)


def test_a_mistake_shared_by_a_grid_is_told_once(tmp_path: Path) -> None:
    path = write(
        tmp_path / "job.yaml", "sweep: {model.widht: [1], optimizer.beta_1: [0.1, 0.2, 0.3]}\nseeds: 0..9"
    )
    assert "sweep.model.widht: unknown key" in problem(path)
