"""Examples, learning rates found by running, and runs whose memory is kept."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.comparison.exhibit import (
    example_of,
    learning_rate_in,
    settled_after,
    states,
    with_good_rate,
)
from convex_analyzer.domains import Choice, NonNegative, Positive, Whole
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers import find, registered
from convex_analyzer.optimizers.averaging import EMA, Averaged
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.quasi_newton import BFGS

START = (-5.0, -2.0)
TOY = ca.gallery.toy()


# -- examples -------------------------------------------------------------------------------------


@each("name", registered())
def test_every_listed_optimizer_has_an_example(name):
    cls = registered()[name]
    assert type(example_of(cls)) is cls


def test_the_published_best_is_taken_for_what_has_no_default():
    steps = example_of(find("ChebyshevSteps"), 0.1, 10.0)
    assert (steps.smallest, steps.largest) == (0.1, 10.0)
    assert example_of(GradientDescent, 1.0, 3.0).learning_rate == 0.5


class Everything(Optimizer):
    """One field of every kind, none with a default, nothing published."""

    learning_rate: Positive
    shrink: NonNegative
    rounds: Whole
    reset: bool
    order: Annotated[str, Choice(("up", "down"))]

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta - self.learning_rate * problem.gradient(theta)


class Bare(Optimizer):
    """A field that says nothing of itself."""

    schedule: Any

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta


def test_fields_without_anything_get_usual_values():
    rule = example_of(Everything)
    assert (rule.rounds, rule.reset, rule.order) == (1, False, "up")
    assert rule.learning_rate == rule.shrink == pytest.approx(0.1)


def test_a_field_without_a_range_is_refused():
    with pytest.raises(InputError, match="schedule has neither a default nor a declared range"):
        example_of(Bare)


# -- learning rates -------------------------------------------------------------------------------


def steps_needed(rule: Optimizer, steps: int = 400) -> int:
    loss = ca.simulate(TOY, rule, START, steps, record="loss").loss
    return int(settled_after(loss, 1e-6))


def test_no_other_rate_of_a_grid_is_faster():
    found = with_good_rate(TOY, GradientDescent(0.01), START, 400)
    others = [steps_needed(GradientDescent(rate)) for rate in np.geomspace(0.01, 0.49, 40)]
    assert steps_needed(found) <= 1.1 * min(count for count in others if count > 0)


def test_a_rule_that_is_best_as_it_is_stays():
    assert with_good_rate(TOY, find("Newton")(), START, 100) == find("Newton")()
    cauchy = find("ExactLineSearch")()
    assert with_good_rate(TOY, cauchy, START, 100) is cauchy


def test_the_rate_of_the_rule_inside_is_searched():
    found = with_good_rate(TOY, ClippedByNorm(GradientDescent(1e-3)), START, 200)
    assert found.optimizer.learning_rate == learning_rate_in(found) > 0.1
    assert learning_rate_in(find("ConjugateGradient")()) is None


class Holder(Optimizer):
    """A user's wrapper, without the package's base class of wrappers."""

    inner: Optimizer

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return self.inner.step(problem, t, theta)


def test_so_it_is_in_a_wrapper_of_ones_own():
    found = with_good_rate(TOY, Holder(GradientDescent(1e-3)), START, 200)
    assert (
        found.inner.learning_rate
        == with_good_rate(TOY, GradientDescent(1e-3), START, 200).learning_rate
    )


def test_what_never_arrives_gets_the_rate_that_ends_lowest():
    rule = with_good_rate(TOY, find("SignSGD")(), START, 100)
    ends = {}
    for rate in (0.01, rule.learning_rate, 0.93):
        loss = ca.simulate(TOY, find("SignSGD")(rate), START, 100, record="loss").loss
        ends[rate] = float(np.median(loss[-34:]))
    assert min(ends, key=ends.__getitem__) == rule.learning_rate


def test_rates_that_climb_first_come_last():
    rule = with_good_rate(TOY, find("AdaGrad")(), START, 300)
    loss = ca.simulate(TOY, rule, START, 300, record="loss").loss
    assert loss.max() <= loss[0]


@each(
    ("gap", "count"),
    [
        ([1.0, 0.4, 0.6, 0.2], 3),
        ([1.0, 0.4, 0.2, 0.6], -1),
        ([1.0, np.nan, 0.2], 2),
        ([1.0, 0.1], 1),
        ([0.0, 0.0], 0),
    ],
)
def test_settled_is_for_good(gap, count):
    assert settled_after(np.array(gap), 0.5) == count


# -- states ---------------------------------------------------------------------------------------


@each("name", sorted(set(registered()) - {"SGD"}))
def test_the_run_is_that_of_simulate(name):
    rule = example_of(registered()[name])
    run = states(TOY, rule, START, 12, seed=3)
    told = ca.simulate(TOY, rule, START, 12, seed=3, record="path")
    np.testing.assert_allclose(run.points, told.theta, rtol=1e-12)
    np.testing.assert_allclose(run.gap, told.loss, rtol=1e-9, atol=1e-18)
    assert list(run.memory) == list(rule.memory)
    for slot, last in zip(run.memory.values(), told.state[1:], strict=True):
        np.testing.assert_allclose(slot[-1], last, rtol=1e-9, atol=1e-18)


def test_so_it_is_under_mini_batches():
    data = ca.least_squares(np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), [1.0, 2.0, 0.0])
    rule = find("SGD")(0.05)
    run = states(data, rule, START, 9, seed=1)
    told = ca.simulate(data, rule, START, 9, seed=1, record="path")
    np.testing.assert_allclose(run.points, told.theta, rtol=1e-12)
    np.testing.assert_allclose(run.gap, told.loss - data.minimum, rtol=1e-9)
    with pytest.raises(InputError, match="data"):
        states(TOY, rule, START, 2)


def test_memory_has_a_row_for_every_step():
    run = states(TOY, HeavyBall(0.1, 0.5), START, 3)
    first = -0.1 * np.array([0.2, 4.0]) * START
    np.testing.assert_allclose(run.memory["velocity"][:2], [[0, 0], first])
    assert states(TOY, BFGS(), START, 4).memory["inverse_hessian"].shape == (5, 2, 2)


def test_averages_are_the_points_reported():
    plain = states(TOY, GradientDescent(0.1), START, 5).points
    mean = states(TOY, Averaged(GradientDescent(0.1)), START, 5).points
    np.testing.assert_allclose(mean[5], plain[1:].mean(axis=0))
    assert EMA(GradientDescent(0.1)).memory == ("average",)


def test_rates_of_noisy_rules_are_judged_by_several_runs():
    langevin = find("Langevin")(1.0, temperature=0.01)
    rule = with_good_rate(TOY, langevin, START, 200)
    assert 0.02 < rule.learning_rate < 0.49  # neither asleep nor past its limit
    assert with_good_rate(TOY, langevin, START, 200) == rule
