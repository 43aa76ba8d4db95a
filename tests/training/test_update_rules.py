"""Every loss, regularizer, constraint, augmentation, schedule and order of updates.

Replicas train as one, a continuation ends with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gandist.spec.base import options
from gandist.updates import RULES as UPDATES
from tests.training.conftest import DCGAN, assert_same_bits

ALTERNATING = {"update": "alternating"}
LAZY_R1 = {"r1": {"gamma": 0.5, "every": 2}}
CLIPPED = {"weight_clipping": {"limit": 0.05}}
FALLING = {"cosine": [2e-3, 5e-4], "kimg": 0.03}
ADA = {"name": "ada", "target": -0.9, "kimg": 0.05}
RULES: dict[str, dict[str, Any]] = {
    "simultaneous": {"model": DCGAN},
    "alternating, n_critic": {"training": {**ALTERNATING, "n_critic": 2}, "model": DCGAN},
    "half batches, as the mean": {
        "training": {"update": "half_batches"},
        "loss": {"combine": "mean"},
    },
    "half batches, n_critic, clipped": {
        "training": {"update": "half_batches", "n_critic": 2},
        "loss": {"name": "wasserstein"},
        "constraints": CLIPPED,
    },
    "smoothed, warmed-up average": {
        "loss": {"real_label": 0.9},
        "training": {"generator_ema": 0.9, "generator_ema_warmup": 0.5},
    },
    "minimax": {"loss": {"name": "minimax"}},
    "least squares, changed images": {
        "loss": {"name": "least_squares"},
        "augmentation": {"name": "diff_augment"},
        "training": ALTERNATING,
    },
    "hinge, spectral norm": {
        "loss": {"name": "hinge"},
        "model": {"spectral_norm": True},
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "clipped critic, rmsprop": {
        "loss": {"name": "wasserstein"},
        "constraints": CLIPPED,
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
        "training": {**ALTERNATING, "n_critic": 3},
    },
    "gradient penalty, packed": {
        "model": {"packing": 2, "minibatch_std": 2},
        "loss": {"name": "wasserstein"},
        "regularizers": {"gradient_penalty": {}},
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "lazy r1, conditional": {
        "regularizers": LAZY_R1,
        "training": ALTERNATING,
        "model": {"conditional": True},
    },
    "lazy r1, simultaneous": {"regularizers": LAZY_R1},
    "relativistic, r1 and r2": {
        "loss": {"name": "relativistic"},
        "regularizers": {"r1": {"gamma": 0.5}, "r2": {"gamma": 0.5}},
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "relativistic, simultaneous": {"loss": {"name": "relativistic"}, "model": DCGAN},
    "lazy r1, lazier r2": {
        "regularizers": {"r1": {"gamma": 0.5, "every": 2}, "r2": {"gamma": 0.5, "every": 3}},
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "path length": {"regularizers": {"path_length": {"decay": 0.5}}, "model": DCGAN},
    "lazy path length, auxiliary classifier": {
        "regularizers": {"path_length": {"decay": 0.5, "every": 2}},
        "optimizer": {"lazy_correction": True},
        "training": {**ALTERNATING, "generator_ema": {"half_life_kimg": 0.02}},
        "model": {
            "conditional": True,
            "class_conditioning": "auxiliary_classifier",
            "minibatch_std": 4,
        },
    },
    "lazy path length, half batches": {
        "regularizers": {"path_length": {"every": 3}},
        "training": {"update": "half_batches"},
    },
    "ada": {"augmentation": ADA, "model": DCGAN},
    "ada, lazy r1, n_critic": {
        "augmentation": ADA,
        "regularizers": LAZY_R1,
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "ada, half batches": {
        "augmentation": ADA,
        "training": {"update": "half_batches"},
        "model": {"packing": 2},
    },
    "schedules, adam": {
        "optimizer": {"learning_rate": FALLING, "beta_1": {"linear": [0.5, 0.9], "steps": 3}},
        "regularizers": {"r1": {"gamma": {"linear": [1.0, 0.1], "steps": 3}}},
        "training": {**ALTERNATING, "generator_ema": {"linear": [0.5, 0.99], "steps": 3}},
    },
    "schedules, rmsprop": {
        "optimizer": {
            "name": "rmsprop",
            "learning_rate": FALLING,
            "discriminator_learning_rate": {"linear": [1e-3, 1e-4], "steps": 3},
            "momentum": {"linear": [0.0, 0.5], "steps": 3},
        },
        "augmentation": {**ADA, "target": {"linear": [-0.9, 0.9], "steps": 3}},
    },
}
LAZY = {"r1", "r2", "path_length", "mean_path_length"}
"""Figures that a step need not have, under a rule that has ``lazy`` in its name."""
SLOW = {  # what these combine, others have one by one
    "simultaneous",
    "alternating, n_critic",
    "half batches, as the mean",
    "smoothed, warmed-up average",
    "clipped critic, rmsprop",
    "lazy r1, conditional",
    "lazy r1, simultaneous",
    "path length",
    "ada",
    "lazy r1, lazier r2",
    "relativistic, simultaneous",
    "lazy path length, half batches",
    "ada, lazy r1, n_critic",
    "ada, half batches",
}
every_rule = pytest.mark.parametrize(
    "rule", [pytest.param(rule, marks=[pytest.mark.slow] if rule in SLOW else []) for rule in RULES]
)
STEPS, HALFWAY = 4, 2


@dataclass
class Run:
    """The rows of all steps, and the states halfway and at the end."""

    rows: dict[str, np.ndarray]
    halfway: dict[str, np.ndarray]
    end: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def one_replica() -> dict[str, Run]:
    """What a rule gives on one replica; each is run once."""
    return {}


def sections(rule: str) -> dict[str, Any]:
    model = {"name": "mlp", "generator_widths": [8, 8], "discriminator_widths": [8], "latent_dim": 6}
    given = RULES[rule]
    chosen = given.get("model", {})
    return {**given, "model": chosen if chosen is DCGAN else {**model, **chosen}}


def run(trainer: Any) -> Run:
    first = trainer.run(HALFWAY)
    halfway = trainer.state()
    rest = trainer.run(STEPS)
    rows = {name: np.concatenate([first[name], rest[name]]) for name in first}
    return Run(rows, halfway, trainer.state())


@pytest.fixture
def whole(rule: str, make_trainer: Callable[..., Any], one_replica: dict[str, Run]) -> Run:
    if rule not in one_replica:
        one_replica[rule] = run(make_trainer(**sections(rule)))
    return one_replica[rule]


@every_rule
def test_all_numbers_are_finite_and_both_networks_move(rule: str, whole: Run) -> None:
    for name, found in whole.rows.items():
        assert np.isfinite(found).all() or (name in LAZY and "lazy" in rule), name
    assert (whole.rows["d_grad_norm"] > 0).all()
    assert (whole.rows["g_grad_norm"] > 0).all()
    for role in ("generator", "discriminator"):
        assert not np.array_equal(whole.halfway[f"{role}/0"], whole.end[f"{role}/0"])


@every_rule
def test_two_replicas_train_as_one(rule: str, whole: Run, make_trainer: Callable[..., Any]) -> None:
    """Global batches, latents, labels and dropout masks are the same; only the order of additions differs."""
    two = run(make_trainer(2, **sections(rule)))
    assert two.rows.keys() == whole.rows.keys()
    for name in whole.rows:
        np.testing.assert_allclose(two.rows[name], whole.rows[name], rtol=2e-4, atol=1e-5, err_msg=name)
    for name, value in whole.end.items():
        np.testing.assert_allclose(two.end[name], value, atol=2e-4, err_msg=name)


@every_rule
def test_a_continuation_ends_with_the_same_bits(
    rule: str, whole: Run, make_trainer: Callable[..., Any]
) -> None:
    continued = make_trainer(**sections(rule))
    continued.load_state(whole.halfway)
    rows = continued.run(STEPS)
    assert_same_bits({name: column[HALFWAY:] for name, column in whole.rows.items()}, rows)
    assert_same_bits(whole.end, continued.state())


def test_every_variant_is_among_the_rules_of_every_run() -> None:
    rules = [given for rule, given in RULES.items() if rule not in SLOW]
    tried = {
        "losses": {given.get("loss", {}).get("name", "non_saturating") for given in rules},
        "optimizers": {given.get("optimizer", {}).get("name", "adam") for given in rules},
        "augmentations": {given["augmentation"]["name"] for given in rules if "augmentation" in given},
        "regularizers": {name for given in rules for name in given.get("regularizers", {})},
        "constraints": {name for given in rules for name in given.get("constraints", {})},
        "updates": {given.get("training", {}).get("update", "simultaneous") for given in rules},
    }
    there = {kind: names(f"gandist.{kind}") for kind in tried if kind != "updates"} | {
        "updates": set(UPDATES)
    }
    assert tried == there


def names(package: str) -> set[str]:
    """As a job file names the variants of ``package``."""
    return {variant.__module__.rpartition(".")[2] for variant in options(package)}


@every_rule
def test_what_is_remembered_is_part_of_the_state(rule: str, whole: Run) -> None:
    given, state = RULES[rule], whole.end
    adaptive = given.get("augmentation", {}).get("name") == "ada"
    assert ("augmentation/0" in state) == adaptive
    assert ("regularizers.path_length/0" in state) == ("path_length" in given.get("regularizers", {}))
    if adaptive:
        assert state["augmentation/0"] > 0
        np.testing.assert_array_equal(state["augmentation/0"], whole.rows["ada_p"][-1])


@pytest.mark.parametrize(("every", "n_critic"), [(3, 1), (2, 3), (7, 2)])
def test_a_lazy_regularizer_is_shown_in_each_step_that_has_one_and_in_no_other(
    make_trainer: Callable[..., Any], every: int, n_critic: int
) -> None:
    """Every so many updates of the discriminator, of which a step has ``n_critic``; never a zero."""
    lazy = {
        "regularizers": {"r1": {"gamma": 0.5, "every": every}},
        "training": {**ALTERNATING, "n_critic": n_critic},
    }
    trainer = make_trainer(**lazy)
    found = trainer.run(6)["r1"]
    turns = [any(k % every == 0 for k in range(s * n_critic, (s + 1) * n_critic)) for s in range(6)]
    assert (found > 0).tolist() == turns
    assert np.isnan(found).tolist() == [not turn for turn in turns]
    assert trainer.gan.optional == {"r1"}


def test_a_lazy_path_length_counts_the_generator_s_updates(make_trainer: Callable[..., Any]) -> None:
    """One a step; the average of lengths moves with those that are computed, by 1 - decay."""
    trainer = make_trainer(
        regularizers={"path_length": {"every": 2, "decay": 0.75}},
        training={**ALTERNATING, "n_critic": 3},
    )
    rows = trainer.run(5)
    assert np.isnan(rows["path_length"]).tolist() == [False, True, False, True, False]
    expected = 0.0
    for length in rows["mean_path_length"][::2]:
        expected += 0.25 * (length - expected)
    np.testing.assert_allclose(trainer.state()["regularizers.path_length/0"], expected, rtol=1e-5)


def test_a_clipped_critic_stays_within_its_limit(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(**sections("clipped critic, rmsprop"))
    trainer.run(2)
    for weight in trainer.gan.discriminator.trainable_weights:
        assert np.abs(weight.numpy()).max() <= np.float32(0.05)


def test_half_batches_show_half_a_batch_of_real_images(make_trainer: Callable[..., Any]) -> None:
    """batch_size 8: steps of 4 real images."""
    trainer = make_trainer(**sections("half batches, as the mean"))
    assert trainer.budget.images_per_step == 4
    rows = trainer.run(2)
    np.testing.assert_allclose(rows["d_loss"], (rows["d_loss_real"] + rows["d_loss_fake"]) / 2, rtol=1e-6)


def test_a_warmed_up_average_begins_close_to_the_generator(make_trainer: Callable[..., Any]) -> None:
    """Karras et al. 2020: the half-life is a share of the steps done; without it, 0.999 forgets nothing."""

    def distance(**training: float) -> float:
        trainer = make_trainer(training={"generator_ema": 0.999, **training})
        trainer.run(4)
        live = trainer.gan.generator.trainable_weights
        pairs = zip(trainer.gan.ema, live, strict=True)
        return float(sum(np.abs(average.numpy() - now.numpy()).sum() for average, now in pairs))

    assert distance(generator_ema_warmup=0.05) < 0.01 * distance()


@pytest.mark.slow  # test_oracle.py has it
def test_a_warmed_up_average_is_the_formula(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(training={"generator_ema": 0.9, "generator_ema_warmup": 0.5})
    weight = trainer.gan.generator.trainable_weights[0]
    expected = weight.numpy()
    for step in (1, 2, 3):
        trainer.run(step)
        decay = min(0.9, 0.5 ** (1 / (0.5 * step)))
        expected = decay * expected + (1 - decay) * weight.numpy()
    np.testing.assert_allclose(trainer.gan.ema[0].numpy(), expected, atol=1e-6)
