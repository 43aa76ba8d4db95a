"""Every loss, penalty and order of updates: replicas train as one, a continuation ends with the same bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gandist import losses, penalties
from gandist.artifacts.tables import STEP_METRICS
from gandist.spec.base import subclasses
from tests.training.conftest import assert_same_bits

ALTERNATING = {"update": "alternating"}
MLP = {"name": "mlp", "generator_widths": [8, 8], "discriminator_widths": [8], "latent_dim": 6}
LAZY_R1 = {"name": "r1", "gamma": 0.5, "every": 2}
RULES: dict[str, dict[str, Any]] = {
    "simultaneous": {"model": {"name": "dcgan"}},
    "alternating, n_critic": {"training": {**ALTERNATING, "n_critic": 2}, "model": {"name": "dcgan"}},
    "half batches, as the mean": {
        "training": {"update": "half_batches"},
        "loss": {"combine": "mean"},
    },
    "half batches, n_critic, clipped": {
        "training": {"update": "half_batches", "n_critic": 2},
        "loss": {"name": "wasserstein"},
        "penalty": {"name": "weight_clipping", "limit": 0.05},
    },
    "smoothed, warmed-up average": {
        "loss": {"real_label": 0.9},
        "training": {"generator_ema": 0.9, "generator_ema_warmup": 0.5},
    },
    "minimax": {"loss": {"name": "minimax"}},
    "least squares": {"loss": {"name": "least_squares"}, "training": ALTERNATING},
    "hinge, spectral norm": {"loss": {"name": "hinge"}, "model": {"spectral_norm": True}},
    "clipped critic, rmsprop": {
        "loss": {"name": "wasserstein"},
        "penalty": {"name": "weight_clipping", "limit": 0.05},
        "optimizer": {"name": "rmsprop", "momentum": 0.5},
        "training": {**ALTERNATING, "n_critic": 3},
    },
    "gradient penalty": {
        "loss": {"name": "wasserstein"},
        "penalty": {"name": "gradient_penalty"},
        "training": {**ALTERNATING, "n_critic": 2},
    },
    "lazy r1, conditional": {"penalty": LAZY_R1, "training": ALTERNATING, "model": {"conditional": True}},
    "lazy r1, simultaneous": {"penalty": LAZY_R1},
}
every_rule = pytest.mark.parametrize("rule", RULES)
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
    given = RULES[rule]
    chosen = given.get("model", {})
    return {**given, "model": chosen if chosen.get("name") == "dcgan" else {**MLP, **chosen}}


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
    for name in STEP_METRICS:
        found = whole.rows[name]
        assert np.isfinite(found).all() or (name == "penalty" and "lazy" in rule), name
    assert (whole.rows["d_grad_norm"] > 0).all()
    assert (whole.rows["g_grad_norm"] > 0).all()
    for role in ("generator", "discriminator"):
        assert not np.array_equal(whole.halfway[f"{role}/0"], whole.end[f"{role}/0"])


@every_rule
def test_two_replicas_train_as_one(rule: str, whole: Run, make_trainer: Callable[..., Any]) -> None:
    """Global batches, latents, labels and dropout masks are the same; only the order of additions differs."""
    two = run(make_trainer(2, **sections(rule)))
    for name in STEP_METRICS:
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


@pytest.mark.parametrize(
    ("kind", "base"), [("loss", losses.LossOptions), ("penalty", penalties.PenaltyOptions)]
)
def test_every_loss_and_penalty_is_among_the_rules(kind: str, base: Any) -> None:
    tried = {given.get(kind, {}).get("name", "non_saturating") for given in RULES.values()}
    assert {options.model_fields["name"].default for options in subclasses(base)} <= tried


@pytest.mark.parametrize(("every", "n_critic"), [(3, 1), (2, 2), (4, 2), (2, 3), (3, 2), (7, 2)])
def test_a_lazy_penalty_is_shown_in_each_step_that_has_one_and_in_no_other(
    make_trainer: Callable[..., Any], every: int, n_critic: int
) -> None:
    """Every so many updates of the discriminator, of which a step has ``n_critic``; never a zero."""
    lazy = {"penalty": {**LAZY_R1, "every": every}, "training": {**ALTERNATING, "n_critic": n_critic}}
    penalty = make_trainer(model=MLP, **lazy).run(6)["penalty"]
    turns = [any(k % every == 0 for k in range(s * n_critic, (s + 1) * n_critic)) for s in range(6)]
    assert (penalty > 0).tolist() == turns
    assert np.isnan(penalty).tolist() == [not turn for turn in turns]


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


def test_a_warmed_up_average_is_the_formula(make_trainer: Callable[..., Any]) -> None:
    trainer = make_trainer(training={"generator_ema": 0.9, "generator_ema_warmup": 0.5})
    weight = trainer.gan.generator.trainable_weights[0]
    expected = weight.numpy()
    for step in (1, 2, 3):
        trainer.run(step)
        decay = min(0.9, 0.5 ** (1 / (0.5 * step)))
        expected = decay * expected + (1 - decay) * weight.numpy()
    np.testing.assert_allclose(trainer.gan.ema[0].numpy(), expected, atol=1e-6)
