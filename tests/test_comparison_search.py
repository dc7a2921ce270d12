"""Rules without a closed form in comparisons: searched learning rates, noise, wrappers."""

from __future__ import annotations

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import ops
from convex_analyzer.comparison.search import tuned_by_running
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import registered

ALL = registered()
RAVINE = ca.gallery.ravine(condition_number=100.0, angle=0.6)
START = np.array([2.0, -1.0])


def counted(rule, start=START, tolerance=1e-6):
    """Steps to the tolerance, by a plain run."""
    run = ca.simulate(RAVINE, rule, start, 2000, record="loss")
    gap = run.loss - RAVINE.minimum
    hits = np.flatnonzero(gap <= tolerance * gap[0])
    return int(hits[0]) if hits.size else None


@pytest.mark.parametrize("name", ["Adam", "AdaGrad", "Clipped"])
def test_no_learning_rate_of_a_coarse_grid_does_much_better(name):
    rule, tuned = tuned_by_running(RAVINE, START, {**ALL, "Clipped": Clipped}[name])
    assert tuned == ("learning_rate",)
    rates = np.geomspace(1e-4, 10, 26)[:, None]
    starts = np.broadcast_to(START, (26, 2))
    run = ca.simulate(RAVINE, rule.replace(learning_rate=rates), starts, 2000, record="loss")
    gap = run.loss - RAVINE.minimum
    reached = gap <= 1e-6 * gap[0]
    first = np.where(reached.any(axis=0), reached.argmax(axis=0), 2001)
    assert counted(rule) <= 1.25 * first.min()


class Clipped(ca.Optimizer):
    """Gradient descent with its gradient cut at 1, in a few lines of a user."""

    learning_rate: float = 0.5

    def step(self, problem, t, theta):
        g = problem.gradient(theta)
        return theta - self.learning_rate * ops.where(ops.absolute(g) > 1, ops.sign(g), g)


def test_a_default_that_is_best_is_kept():
    rule, tuned = tuned_by_running(RAVINE, START, ALL["LBFGS"])
    assert (rule.learning_rate, tuned) == (1.0, ())


def test_what_is_given_stays():
    rule, _ = tuned_by_running(RAVINE, START, ca.Adam, {"beta1": 0.5})
    assert rule.beta1 == 0.5
    fixed, tuned = tuned_by_running(RAVINE, START, ca.Adam, {"learning_rate": 0.3})
    assert (fixed, tuned) == (ca.Adam(0.3), ())


def test_a_class_in_a_comparison_is_tuned_and_says_so():
    found = ca.compare(RAVINE, [ca.Adam, ca.HeavyBall], START)
    adam = found["Adam"]
    assert adam.tuned == ("learning_rate",)
    assert "(tuned)" in str(found.summary())
    assert adam.status == "simulated only"
    assert "not linear" in adam.reason
    assert "next to the minimum" in adam.reason
    assert adam.simulated_steps == counted(adam.optimizer)
    assert adam.to_dict()["tuned"] == ["learning_rate"]


def test_the_winner_may_have_no_theory():
    found = ca.compare(RAVINE, [ca.GradientDescent, ca.ConjugateGradient], START)
    assert found.best.label == "ConjugateGradient"
    assert found.best.steps_needed == 2
    assert found.verdict().startswith("ConjugateGradient needs the fewest steps")


def test_wrappers_ask_for_an_instance():
    with pytest.raises(InputError, match=r"Averaged needs optimizer.*for instance Averaged\("):
        ca.compare(RAVINE, [ALL["Averaged"]])


def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return ca.least_squares(X, X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=60))


def test_noise_is_shared_and_no_run_is_held_against_its_mean():
    problem, noise = data(), ca.MiniBatch(8)
    found = ca.compare(
        problem, [ca.GradientDescent(0.1), ca.HeavyBall(0.1, 0.5)], steps=100, noise=noise, seed=3
    )
    assert [entry.status for entry in found] == ["simulated with noise"] * 2
    assert "which predicts their mean" in found.verdict()
    assert "batches of 8 rows" in str(found.summary())
    again = ca.simulate(problem, ca.GradientDescent(0.1), np.zeros(3), 100, noise, 3)
    assert found[0].trajectory.theta[-1] == pytest.approx(again.theta[-1], rel=1e-15)
    exact = ca.compare(problem, [ca.GradientDescent(0.1)], steps=100)
    assert found[0].predicted_gap == pytest.approx(exact[0].predicted_gap)


def test_the_plain_rule_under_mini_batches_is_tuned_with_its_noise():
    """A rate that is best without noise diverges under batches of one row."""
    found = ca.compare(data(), [ca.SGD], steps=300)
    (entry,) = found
    assert entry.trajectory.noise == ca.MiniBatch(1)
    assert entry.gap[-1] < entry.gap[0]
    with pytest.raises(InputError, match="need data"):
        ca.compare(RAVINE, [ca.SGD(0.1)])


def test_a_random_rule_is_no_contradiction():
    found = ca.compare(RAVINE, [ALL["Langevin"](0.01, 0.1)], START, 50)
    assert found[0].status == "simulated with noise"
