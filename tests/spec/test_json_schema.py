"""The JSON Schema of a job file says what the spec says, as far as a schema can."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gandist.optimizers.adam import Options as Adam
from gandist.regularizers.r1 import Options as R1
from gandist.spec.job import Training
from gandist.spec.loading import json_schema, load_job
from gandist.spec.schedules import Schedule
from gandist.spec.yaml import parse

ROOT = Path(__file__).parents[2]
JOB = """\
name: a-job
data: {name: digits, batch_size: 64}
model: {name: dcgan, width: 8}
training: {epochs: 1}
"""


def valid(job: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(json_schema()).is_valid(job))


def test_the_json_schema_is_one() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["title"] == "gandist job"
    described = {definition["description"] for definition in schema["$defs"].values()}
    assert {inspect.getdoc(section) for section in (Training, Schedule)} <= described
    for variant in (Adam, R1):  # says what its file says
        assert str(inspect.getmodule(variant).__doc__).partition("\n")[0] in described


@pytest.mark.parametrize(
    ("lines", "accepted"),
    [
        ("seeds: 7", True),
        ("seeds: 0..7", True),
        ("seeds: [1, 2]", True),
        ("seeds: []", False),
        ("seeds: -1..7", False),
        ("seeds: [-1]", False),
        ("seeds: true", False),
        ("optimizer: {learning_rate: 1e-3}", True),
        ("optimizer: {lr: 1e-3}", False),
        ("loss: {combine: mean}", True),
        ("data: {batch_size: 1}", False),
        ("data: {name: mnits}", False),
        ("model: {name: dcgan, width: 0}", False),
        ("name: a/b", False),
        ("modle: 1", False),
        ("configs: {a: {model.width: 1}}", True),
        ("configs: {a/b: {}}", False),
        ("sweep: {model.width: [1], loss: {combine: [sum]}}", True),
        ("sweep: {model.width: []}", False),
        ("penalty: null", False),
        ("regularizers: {}", True),
        ("regularizers: {r1: {gamma: 0.1, every: 16}, r2: {}, path_length: null}", True),
        ("regularizers: {r1: {gamma: 0}}", False),
        ("regularizers: {r1: {gama: 1}}", False),
        ("regularizers: {r3: {}}", False),
        ("regularizers: r1", False),
        ("constraints: {weight_clipping: {limit: 0.1}}", True),
        ("constraints: {clipping: {}}", False),
        ("augmentation: {name: ada, target: 0.5}", True),
        ("augmentation: {name: ada, probability: {cosine: [0, 0.5], kimg: 5}}", True),
        ("augmentation: {name: diff_augment, policy: [color]}", True),
        ("augmentation: {name: diff_augment, target: 0.5}", False),
        ("augmentation: null", True),
        ("augmentation: {name: adda}", False),
        ("loss: {name: relativistic}", True),
        ("loss: {name: relativistic, combine: mean}", False),
        ("optimizer: {learning_rate: {cosine: [2.0e-4, 5.0e-5], kimg: 2000}}", True),
        ("optimizer: {discriminator_learning_rate: {linear: [1e-4, 1e-5], steps: 9}}", True),
        ("optimizer: {discriminator_learning_rate: null}", True),
        ("optimizer: {learning_rate: {cosine: [2.0e-4], kimg: 2000}}", False),
        ("optimizer: {learning_rate: {cosin: [2.0e-4, 5.0e-5], kimg: 2000}}", False),
        ("optimizer: {learning_rate: fast}", False),
        ("optimizer: {learning_rate: 0}", False),
        ("regularizers: {r1: {gamma: {linear: [1, 0.1], kimg: 5}}}", True),
        ("training: {epochs: 1, generator_ema: {linear: [0.9, 0.999], kimg: 5}}", True),
        ("training: {epochs: 1, generator_ema: {half_life_kimg: 5}}", True),
        ("training: {epochs: 1, generator_ema: {half_life_kimg: {linear: [0, 5], kimg: 5}}}", True),
        ("training: {epochs: 1, generator_ema: {half_life_kimg: -5}}", False),
        ("training: {epochs: 1, generator_ema: {half_life: 5}}", False),
    ],
)
def test_the_json_schema_agrees_with_the_spec(lines: str, accepted: bool) -> None:
    assert valid({**parse(JOB), **parse(lines)}) == accepted


@pytest.mark.parametrize("path", sorted((ROOT / "jobs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_jobs_are_valid(path: Path) -> None:
    assert load_job(path).trials
    assert valid(parse(path.read_text()))
