"""Rules that a user might write: what they mean, or a clear refusal; never a wrong theory."""

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError, NotDerivableError

PROBLEM = ca.Quadratic([[2.0, 0.5, 0.0], [0.5, 1.0, 0.1], [0.0, 0.1, 0.5]], [1.0, -1.0, 0.5])
START = np.array([1.0, 2.0, -1.0])


class Shifted(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta) + 1.0


class ShiftedStart(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta, count):
        return theta - self.learning_rate * (problem.gradient(theta) + count), count

    def start(self, problem, theta):
        return (theta * 0 + 1,)


class Preconditioned(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.gradient(theta) * np.array([1.0, 2.0, 3.0])


class ArrayRoot(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta, v):
        gradient = problem.gradient(theta)
        v = 0.9 * v + 0.1 * gradient**2
        return theta - self.learning_rate * gradient / (np.sqrt(v) + 1e-8), v


class LooksAtLoss(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        return theta - self.learning_rate * problem.value(theta)[:, None] * problem.gradient(theta)


class Copies(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        return theta.copy() - self.learning_rate * problem.gradient(theta)


class InPlace(ca.Optimizer):
    learning_rate: float

    def step(self, problem, t, theta):
        theta -= self.learning_rate * problem.gradient(theta)
        return theta


class Nothing(ca.Optimizer):
    learning_rate: float


class DecayedWeights(ca.Optimizer):
    learning_rate: float
    decay: float = 0.1

    def step(self, problem, t, theta):
        return theta - self.learning_rate * (problem.gradient(theta) + self.decay * theta)


@pytest.mark.parametrize(
    "rule", [Shifted, ShiftedStart, Preconditioned, ArrayRoot, LooksAtLoss, Copies]
)
def test_what_is_not_linear_arithmetic_has_no_theory_but_runs(rule):
    with pytest.raises(NotDerivableError):
        ca.analyze(PROBLEM, rule(0.05)).predict(START, 3)
    comparison = ca.compare(PROBLEM, [rule(0.05)], START)
    assert comparison.entries[0].status == "simulated only"
    assert comparison.entries[0].predicted_text() == "–"
    assert "theory and simulation agree" not in comparison.verdict()


def test_a_run_that_arrives_without_a_theory_is_not_called_diverging():
    verdict = ca.compare(PROBLEM, [Copies(0.5)], START).verdict()
    assert "reaches the goal" in verdict


def test_a_rule_that_converges_elsewhere_is_not_said_to_diverge():
    comparison = ca.compare(PROBLEM, [DecayedWeights(0.5)], START)
    assert comparison.entries[0].status == "confirmed"
    assert "though each converges" in comparison.verdict()


@each("runs", [1, 3])
@each("record", ["path", "loss", [7]])
def test_writing_into_the_arguments_is_refused(runs, record):
    start = np.tile(START, (runs, 1))
    with pytest.raises(InputError, match="in place"):
        ca.simulate(PROBLEM, InPlace(0.1), start, 10, record=record)


def test_a_class_without_a_step_says_so():
    with pytest.raises(InputError, match="Nothing has no step; define step"):
        ca.simulate(PROBLEM, Nothing(0.1), START, 3)
