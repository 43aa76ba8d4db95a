"""Every mistake gives one line: where, what was given, what is allowed. Here those of the sections."""

from __future__ import annotations

from pathlib import Path

import pytest

from gandist.errors import SpecError
from gandist.spec.loading import load_job
from tests.spec.mistakes import refused, write

# Lines that replace those of the base with the same first key; what the one line must say after "FILE: ".
JOBS = [
    # names
    ("name: 3", "name: 3 is not text; give"),
    ("name:", "name: null is not text; give"),
    ("name: [a]", "name: a list is not text"),
    ('name: ""', 'name: "" is not a name; give'),
    ("name: ../x", 'name: "../x" is not a name; give'),
    ("name: a/b", 'name: "a/b" is not a name'),
    ("name: ..", 'name: ".." is not a name'),
    ("name: .hidden", 'name: ".hidden" is not a name'),
    ("name: a job", 'name: "a job" is not a name'),
    ('name: "a\\n"', 'name: "a\\n" is not a name'),
    ("name: " + "x" * 101, "is not a name; give 1 to 100 of the letters"),
    ("name: true", "name: true is not text"),
    ("description: 3", "description: 3 is not text; give text"),
    ("description: " + "x" * 2001, "is too long; give at most 2000 characters"),
    # keys
    ("modle: {}", "modle: unknown key; allowed here: name, description, data, model,"),
    ("modle: {}", "(did you mean model?)"),
    ("tranining: {epochs: 1}", "(did you mean training?)"),
    ('"a\\nb": 1', "a b: unknown key"),
    ('"\\e[31m": 1', "\\x1b[31m: unknown key"),
    ("model: {name: dcgan, widht: 8}", "model.widht: unknown key; allowed here: "),
    ("model: {name: dcgan, widht: 8}", "(did you mean width?)"),
    ("data: {name: digits, batchsize: 8}", "data.batchsize: unknown key; allowed here: name, batch_size"),
    ("loss: {name: non_saturating, label: 1.0}", "loss.label: unknown key; allowed here: "),
    ("regularizers: {r1: {gama: 1.0}}", "regularizers.r1.gama: unknown key; allowed here: every, gamma (did"),
    (
        "constraints: {weight_clipping: {max: 1}}",
        "constraints.weight_clipping.max: unknown key; allowed here:",
    ),
    ("augmentation: {name: ada, targt: 0.6}", "augmentation.targt: unknown key; allowed here: name, target,"),
    (
        "augmentation: {nam: ada}",
        "augmentation.nam: unknown key; allowed here: name, target, kimg, probability, changes",
    ),
    ("loss: {name: relativistic, combine: mean}", "loss.combine: unknown key; allowed here: name"),
    ("optimizer: {name: adam, learning_rat: 1e-3}", "(did you mean learning_rate?)"),
    ("training: {epochs: 1, epoch: 2}", "training.epoch: unknown key"),
    ("checkpoint: {every: 1}", "checkpoint.every: unknown key; allowed here: every_epochs, every_steps"),
    ("resources: {gpu: 1}", "(did you mean gpus?)"),
    ("schedule: {max_retries: 1}", "schedule.max_retries: unknown key; allowed here: max_concurrent"),
    # sections
    ("data:", "data: null is not a section; give a section with a name: "),
    ("data: mnist", 'data: "mnist" is not a section; give a section'),
    ("data: {}", "data.name: is missing; choose "),
    ("data: {name: mnits}", 'data.name: "mnits" is unknown; choose '),
    ("data: {name: mnits}", "(did you mean mnist?)"),
    ("data: {name: 3}", "data.name: 3 is unknown; choose"),
    ("model: {name: dcgn}", 'model.name: "dcgn" is unknown; choose '),
    ("model: {name: dcgn}", "(did you mean dcgan?)"),
    ("loss: hinge", 'loss: "hinge" is not a section'),
    ("loss: {name: nonsaturating}", "(did you mean non_saturating?)"),
    ("regularizers:", "regularizers: null is not a section; give a section of gradient_penalty, path_length"),
    ("regularizers: r1", 'regularizers: "r1" is not a section; give a section of gradient_penalty, path_le'),
    ("regularizers: [r1]", "regularizers: a list is not a section"),
    (
        "regularizers: {r1: 10}",
        "regularizers.r1: 10 is not a section; give a section of every, gamma or null",
    ),
    ("regularizers: {r3: {}}", "regularizers.r3: unknown key; allowed here: gradient_penalty, path_length, "),
    ("regularizers: {path_lenght: {}}", "(did you mean path_length?)"),
    ("constraints: weight_clipping", 'constraints: "weight_clipping" is not a section; give a section of'),
    ("constraints: {clipping: {}}", "constraints.clipping: unknown key; allowed here: weight_clipping (did"),
    ("augmentation: ada", 'augmentation: "ada" is not a section; give a section with a name: ada or'),
    (
        "augmentation: {name: adda}",
        'augmentation.name: "adda" is unknown; choose ada or diff_augment (did you mean ada?)',
    ),
    ("optimizer: {name: adm}", "(did you mean adam?)"),
    ("training:", "training: null is not a section"),
    ("training: 5", "training: 5 is not a section"),
    ("samples: [4, 4]", "samples: a list is not a section"),
    ("resources:", "resources: null is not a section; give a section of gpus, cpus, replicas"),
    ("schedule: fast", 'schedule: "fast" is not a section'),
    # values
    ("data: {name: digits, batch_size: 0}", "data.batch_size: 0 is out of range; give a whole number"),
    ("data: {name: digits, batch_size: 8.5}", "data.batch_size: 8.5 is not a whole number; give"),
    ('data: {name: digits, batch_size: "8"}', 'data.batch_size: "8" is not a whole number'),
    ("model: {name: dcgan, width: big}", '"big" is not a whole number; give a whole number from 1 to 1024'),
    ("model: {name: dcgan, width: true}", "model.width: true is not a whole number"),
    ("model: {name: dcgan, width: 4096}", "model.width: 4096 is out of range"),
    ("model: {name: dcgan, width: 0x10}", 'model.width: "0x10" is not a whole number'),
    ("model: {name: dcgan, latent_dim: -3}", "model.latent_dim: -3 is out of range"),
    ("model: {name: dcgan, dropout: 1}", "model.dropout: 1 is out of range; give a number >= 0 and < 1"),
    ("model: {name: dcgan, dropout: .nan}", "model.dropout: .nan is not finite; give a number"),
    ("model: {name: dcgan, batch_norm: yes}", 'model.batch_norm: "yes" is unknown; choose synchronized or'),
    ("loss: {name: non_saturating, real_label: 1.5}", "loss.real_label: 1.5 is out of range; give"),
    ("loss: {name: non_saturating, real_label: 0}", "a number > 0.5 and <= 1"),
    ("loss: {name: non_saturating, combine: avg}", 'loss.combine: "avg" is unknown; choose sum or mean'),
    ("regularizers: {r1: {gamma: -1}}", "regularizers.r1.gamma: -1 is out of range; give a number > 0"),
    ("regularizers: {r2: {gamma: 0}}", "regularizers.r2.gamma: 0 is out of range; give a number > 0"),
    (
        "regularizers: {r1: {every: 0}}",
        "regularizers.r1.every: 0 is out of range; give a whole number from 1",
    ),
    ("regularizers: {r1: {every: 1.5}}", "regularizers.r1.every: 1.5 is not a whole number"),
    ("regularizers: {gradient_penalty: {weight: 0}}", "gradient_penalty.weight: 0 is out of range; give a"),
    ("regularizers: {path_length: {decay: 1}}", "regularizers.path_length.decay: 1 is out of range; give a"),
    ("constraints: {weight_clipping: {limit: 0}}", "weight_clipping.limit: 0 is out of range; give a number"),
    (
        "augmentation: {name: ada, target: 1}",
        "augmentation.target: 1 is out of range; give a number >= -1 and",
    ),
    (
        "augmentation: {name: ada, changes: [flop]}",
        'augmentation.changes.0: "flop" is unknown; choose brightness, saturation, contrast, flip,',
    ),
    (
        "augmentation: {name: diff_augment, policy: []}",
        "augmentation.policy: the list is empty; give at least one",
    ),
    ("augmentation: {name: ada, kimg: 0}", "augmentation.kimg: 0 is out of range; give a number > 0"),
    ("optimizer: {name: adam, learning_rate: fast}", '"fast" is not a number; give a number > 0'),
    ("optimizer: {name: adam, learning_rate: 0}", "optimizer.learning_rate: 0 is out of range"),
    ("optimizer: {name: adam, learning_rate: .inf}", "optimizer.learning_rate: .inf is not finite"),
    ("optimizer: {name: adam, learning_rate: 1e999}", "optimizer.learning_rate: .inf is not finite"),
    ("optimizer: {name: adam, learning_rate: 1_0}", 'optimizer.learning_rate: "1_0" is not a number'),
    ("optimizer: {name: adam, beta_1: 1.0}", "optimizer.beta_1: 1 is out of range; give"),
    # schedules
    (
        "optimizer: {learning_rate: cosine}",
        'optimizer.learning_rate: "cosine" is not a number; give a number > 0 or a section of linear,',
    ),
    ("optimizer: {learning_rate: [1]}", "optimizer.learning_rate: a list is not a number; give a number > 0"),
    (
        "optimizer: {learning_rate: {}}",
        "optimizer.learning_rate: a schedule has exactly one of linear and cos",
    ),
    (
        "optimizer: {learning_rate: {linear: [1, 2], cosine: [1, 2], steps: 5}}",
        "optimizer.learning_rate: a schedule has exactly one of linear and cosine",
    ),
    (
        "optimizer: {learning_rate: {linear: [1, 2]}}",
        "optimizer.learning_rate: a schedule has exactly one of kimg and steps",
    ),
    (
        "optimizer: {learning_rate: {linear: [1, 2], steps: 5, kimg: 5}}",
        "optimizer.learning_rate: a schedule has exactly one of kimg and steps",
    ),
    (
        "optimizer: {learning_rate: {cosin: [1, 2], steps: 5}}",
        "optimizer.learning_rate.cosin: unknown key; allowed here: linear, cosine, kimg, steps (did you mean",
    ),
    ("optimizer: {learning_rate: {cosine: [1], steps: 5}}", "learning_rate.cosine.1: is missing; give a num"),
    ("optimizer: {learning_rate: {cosine: [1, 2, 3], steps: 5}}", "cosine: holds 3 values; give at most 2"),
    ("optimizer: {learning_rate: {cosine: 1, steps: 5}}", "learning_rate.cosine: 1 is not a list; give a li"),
    ("optimizer: {learning_rate: {cosine: [1, x], steps: 5}}", 'rate.cosine.1: "x" is not a number; give a'),
    ("optimizer: {learning_rate: {cosine: [1, .nan], steps: 5}}", "rate.cosine.1: .nan is not finite; give"),
    ("optimizer: {learning_rate: {cosine: [1, 2], steps: 0}}", "learning_rate.steps: 0 is out of range"),
    (
        "optimizer: {learning_rate: {cosine: [1, 2], kimg: 0}}",
        "learning_rate.kimg: 0 is out of range; give a",
    ),
    (
        "optimizer: {learning_rate: {cosine: [1e-3, 0], kimg: 1}}",
        "optimizer.learning_rate: 0 is out of range; a schedule's values are numbers > 0",
    ),
    (
        "optimizer: {discriminator_learning_rate: {linear: [1, -1], kimg: 1}}",
        "optimizer.discriminator_learning_rate: -1 is out of range; a schedule's values are numbers > 0",
    ),
    (
        "optimizer: {beta_1: {linear: [0.5, 1], kimg: 1}}",
        "optimizer.beta_1: 1 is out of range; a schedule's values are numbers >= 0 and < 1",
    ),
    (
        "training: {epochs: 1, generator_ema: {linear: [0, 0.9], kimg: 1}}",
        "training.generator_ema: 0 is out of range; a schedule's values are numbers > 0 and < 1",
    ),
    (
        "regularizers: {r1: {gamma: {linear: [1, 0], steps: 3}}}",
        "regularizers.r1.gamma: 0 is out of range; a schedule's values are numbers > 0",
    ),
    (
        "augmentation: {name: ada, target: {linear: [0.5, 1], steps: 3}}",
        "augmentation.target: 1 is out of range; a schedule's values are numbers >= -1 and < 1",
    ),
    ("augmentation: {name: ada, kimg: {linear: [1, 2], steps: 3}}", "kimg: a mapping is not a number; give"),
    ("samples: {rows: 0}", "samples.rows: 0 is out of range; give a whole number from 1 to 32"),
    (
        "samples: {every_epochs: 1, every_steps: 1}",
        "samples: give every_epochs, every_steps, every_kimg or at_epochs, only one",
    ),
    (
        "samples: {every_steps: 1, at_epochs: [2]}",
        "samples: give every_epochs, every_steps, every_kimg or at_epochs",
    ),
    ("samples: {at_epochs: [1, 0]}", "samples.at_epochs.1: 0 is out of range"),
    (
        "checkpoint: {every_steps: 1, every_minutes: 1}",
        "checkpoint: give every_epochs, every_steps, every_kimg or every_minutes, only one",
    ),
    ("checkpoint: {every_minutes: 0}", "checkpoint.every_minutes: 0 is out of range; give a number > 0"),
    ("samples: {every_minutes: 1}", "samples.every_minutes: unknown key; allowed here: every_epochs"),
    ("checkpoint: {keep: 0}", "checkpoint.keep: 0 is out of range"),
    ("schedule: {max_failures: -1}", "schedule.max_failures: -1 is out of range; give a whole number"),
    ("schedule: {stall_timeout_s: 0}", "schedule.stall_timeout_s: 0 is out of range; give a number > 0"),
    ("evaluation: {metrics: [fid]}", 'evaluation.metrics.0: "fid" is unknown; choose '),
    (
        "evaluation: {metrics: [fd_pixels]}",
        "evaluation.metrics.0: fd_pixels is the metric frechet with evaluation.features: pixels now",
    ),
    ("evaluation: {metrics: []}", "evaluation.metrics: the list is empty; give at least one, or leave out"),
    ("evaluation: {samples: 10}", "evaluation.samples: 10 is out of range"),
    # combinations that make no sense
    (
        "loss: {name: hinge, real_label: 0.9}",
        "loss: real_label smooths the label of a cross-entropy, and hinge has none; leave it out, or give",
    ),
    (
        "loss: {name: wasserstein}",
        "loss: wasserstein is unbounded without a limit to the critic's slope; give",
    ),
    (
        "loss: {name: wasserstein}\nregularizers: {r1: {}, path_length: {}}",
        "loss: wasserstein is unbounded without a limit to the critic's slope; give regularizers: ",
    ),
    (
        "training: {epochs: 1, update: half_batches}\nregularizers: {gradient_penalty: {}}",
        "regularizers: gradient_penalty needs real and generated images in one update, which training.",
    ),
    (
        "training: {epochs: 1, update: half_batches}\nregularizers: {path_length: {}, r2: {}}",
        "regularizers: r2 needs real and generated images in one update, which training.update: half_batches "
        "has not; give one of alternating, simultaneous",
    ),
    (
        "training: {epochs: 1, update: half_batches}\nloss: {name: relativistic}",
        "loss: relativistic compares real with generated images, which training.update: half_batches has in ",
    ),
    (
        "loss: {name: relativistic, real_label: 0.9}",
        "loss: real_label smooths the label of a cross-entropy, and relativistic has none; leave it out, or",
    ),
    (
        "training: {epochs: 1, generator_ema_warmup: 0.05}",
        "training: generator_ema_warmup needs generator_ema, the decay that it leads to",
    ),
    (
        "training: {epochs: 1, n_critic: 5}",
        "training: n_critic > 1 needs update: alternating or half_batches",
    ),
    (
        "training: {epochs: 1, early_stopping: {window: 5}}",
        "training.early_stopping: give d_loss_below, g_loss_above, or both",
    ),
    (
        "training: {epochs: 1, update: half_batches}\ndata: {name: digits, batch_size: 9}",
        "data.batch_size: half of 9 does not divide among 1 replicas",
    ),
    (
        "training: {epochs: 1, update: half_batches}\nmodel: {name: dcgan, packing: 3}",
        "model.packing: packs of 3 do not divide the 32 images that the discriminator of a replica sees at",
    ),
    (
        "model: {name: dcgan, packing: 2, minibatch_std: 12}\nresources: {replicas: 2}",
        "model.minibatch_std: groups of 12 do not divide the 16 packs that the discriminator of a replica",
    ),
    (
        "model: {name: mlp, minibatch_std: 65}",
        "model.minibatch_std: groups of 65 do not divide the 64 images that the discriminator of a replica",
    ),
    (
        "model: {name: mlp, packing: 2, conditional: true}",
        "model: images of a pack have no class in common; leave out packing, or conditional",
    ),
    (
        "model: {name: mlp, class_conditioning: auxiliary_classifier}",
        "model: class_conditioning: auxiliary_classifier needs conditional: true",
    ),
    (
        "model: {name: mlp, conditional: true, class_conditioning: classifier}",
        'model.class_conditioning: "classifier" is unknown; choose projection or auxiliary_classifier',
    ),
    (
        "model: {name: stylegan2, conditional: true, class_conditioning: auxiliary_classifier}",
        'model.class_conditioning: "auxiliary_classifier" is unknown; choose projection',
    ),
    (
        "model: {name: r3gan, widths: [4, a]}",
        'model.widths.1: "a" is not a whole number; give a whole number from 1 to 65536',
    ),
    (
        "model: {name: stylegan2, spectral_norm: true}",
        "model.spectral_norm: true is unknown; choose false",
    ),
    (
        "optimizer: {lazy_correction: true}\nregularizers: {r1: {}}",
        "optimizer.lazy_correction: no regularizer is lazy; leave it out, or give one an interval",
    ),
    (
        "training: {epochs: 1, generator_ema: {half_life_kimg: -1}}",
        "training.generator_ema.half_life_kimg: -1 is out of range; give a number >= 0 or a section",
    ),
    (
        "training: {epochs: 1, generator_ema: {half_life_kimg: {linear: [0, -1], kimg: 1}}}",
        "training.generator_ema.half_life_kimg: -1 is out of range; a schedule's values are numbers >= 0",
    ),
    (
        "training: {epochs: 1, generator_ema: fast}",
        'training.generator_ema: "fast" is not a number; give a number > 0 and < 1 or a section of linear, '
        "cosine, kimg, steps or a section of half_life_kimg or null",
    ),
    # budget
    ("training: {}", "training: give exactly one of epochs, steps, kimg (given: none)"),
    (
        "training: {epochs: 1, steps: 2}",
        "training: give exactly one of epochs, steps, kimg (given: epochs, steps)",
    ),
    ("training: {epochs: -1}", "training.epochs: -1 is out of range"),
    ("training: {epochs: 1.5}", "training.epochs: 1.5 is not a whole number"),
    ("training: {steps: 99999999999999999999}", "training.steps: 99999999999999999999 is out of range"),
    ("training: {kimg: 0}", "training.kimg: 0 is out of range; give a number > 0"),
    ("training: {epochs: 1, update: both}", 'training.update: "both" is unknown; choose alternating, half_b'),
    ("training: {epochs: 1, n_critic: 5}", "training: n_critic > 1 needs update: alternating"),
    ("training: {epochs: 1, generator_ema: 1}", "training.generator_ema: 1 is out of range"),
    # resources
    ("resources: {gpus: 1.5}", "resources: gpus must be whole or 1/k (0.5, 0.25, ... 0.01), not 1.5"),
    ("resources: {gpus: 0.3}", "resources: gpus must be whole or 1/k"),
    ("resources: {gpus: 0.001}", "resources: gpus must be whole or 1/k"),
    ("resources: {gpus: -1}", "resources.gpus: -1 is out of range; give a number >= 0"),
    ("resources: {gpus: true}", "resources.gpus: true is not a number"),
    ("resources: {gpus: .nan}", "resources.gpus: .nan is not finite"),
    ("resources: {cpus: 0}", "resources.cpus: 0 is out of range"),
    ("resources: {gpus: 2, replicas: 4}", "resources: replicas is one per GPU: 4 does not fit gpus: 2"),
    ("resources: {replicas: 3}", "data.batch_size: 64 does not divide among 3 replicas"),
    ("resources: {gpus: 3}", "data.batch_size: 64 does not divide among 3 replicas"),
]


@pytest.mark.parametrize(("lines", "expected"), JOBS)
def test_a_mistake_is_one_line_with_its_path(tmp_path: Path, lines: str, expected: str) -> None:
    assert expected in refused(tmp_path, lines)


def test_a_half_life_with_a_wrong_name_is_not_taken_for_a_schedule(tmp_path: Path) -> None:
    path = write(tmp_path / "job.yaml", "training: {epochs: 1, generator_ema: {half_life: 5}}")
    with pytest.raises(SpecError) as caught:
        load_job(path)
    missing, unknown = (line.partition(": ")[2] for line in caught.value.problems)
    assert missing.startswith("training.generator_ema.half_life_kimg: is missing; give a number >= 0")
    assert "half_life: unknown key; allowed here: half_life_kimg (did you mean half_life_kimg?)" in unknown


def test_several_mistakes_are_several_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "job.yaml", "training: {epochs: 0, n_critic: 0}\nseeds: []")
    with pytest.raises(SpecError) as caught:
        load_job(path, ["model.width=x"])
    where = [line.split(": ")[1] for line in caught.value.problems]
    assert where == ['"x" is not a whole number; give a whole number from 1 to 1024', *where[1:]]
    assert where[1:] == ["training.epochs", "training.n_critic", "seeds"]


def test_the_base_of_these_files_is_a_job(tmp_path: Path) -> None:
    assert load_job(write(tmp_path / "job.yaml")).spec.name == "a-job"
