"""`compare`: what is run, what is counted, and that a wrong run or a wrong theory is refuted."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import scipy.sparse
from cases import each

import convex_analyzer as ca
from convex_analyzer import ops
from convex_analyzer.comparison import Comparison, compare, default_start, running
from convex_analyzer.domains import Positive, UnitInterval
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.spectra.compute import spectrum

TOY = Quadratic.diagonal([0.2, 4.0])


def counted(problem, rule, start, tolerance=1e-6, most=5000):
    """Count steps in a run of plain NumPy differences of the loss."""
    loss = simulate(problem, rule, start, most, record="loss").loss - problem.minimum
    hits = np.flatnonzero(loss <= tolerance * loss[0])
    return int(hits[0]) if hits.size else None


# -- defaults ------------------------------------------------------------------------------------


def test_with_nothing_but_a_problem():
    result = compare(TOY)
    assert [entry.label for entry in result] == ["GradientDescent", "HeavyBall", "Nesterov"]
    assert result.confirmed
    assert result.best.label == "HeavyBall"
    assert result.start_name == "θ* plus one unit along every eigendirection"
    for entry in result:
        assert entry.status == "confirmed"
        assert entry.complete
        assert set(entry.analysis.tuned) == set(entry.optimizer.hyperparameters())
        assert entry.predicted_steps == entry.simulated_steps
        assert entry.predicted_steps == counted(TOY, entry.optimizer, result.start)
        assert entry.deviation <= 1e-13
        assert entry.gap == pytest.approx(entry.predicted_gap, rel=1e-9, abs=1e-20)
    assert len(result) == 3
    assert result["HeavyBall"] is result[1]


def test_the_default_start_excites_every_direction():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4))
    problem = Quadratic(root @ root.T, rng.normal(size=4))
    start, name = default_start(problem, spectrum(problem))
    parts = spectrum(problem).eigenvectors.T @ (start - problem.minimizer)
    assert parts == pytest.approx(np.ones(4), rel=1e-9)
    assert "θ*" in name
    data = least_squares(root, rng.normal(size=4))
    assert default_start(data, spectrum(data))[0].tolist() == [0.0, 0.0, 0.0, 0.0]
    drift = Quadratic.diagonal([1.0, 0.0], [0.0, 1.0])
    assert default_start(drift, spectrum(drift))[0].tolist() == [1.0, 1.0]


@each(
    ("optimizers", "labels"),
    [
        (HeavyBall, ["HeavyBall"]),
        (HeavyBall(0.1), ["HeavyBall"]),
        ([HeavyBall(0.1), HeavyBall(0.2), Nesterov], ["HeavyBall 1", "HeavyBall 2", "Nesterov"]),
        ([(HeavyBall, {"momentum": 0.5})], ["HeavyBall"]),
        ((GradientDescent, Nesterov), ["GradientDescent", "Nesterov"]),
    ],
)
def test_ways_to_name_optimizers(optimizers, labels):
    result = compare(TOY, optimizers, start=[-5.0, -2.0], steps=30)
    assert [entry.label for entry in result] == labels
    assert result.start.tolist() == [-5.0, -2.0]
    assert result.start_name == "as given"
    assert all(entry.steps[-1] == 30 for entry in result)


def test_fixed_settings_stay_fixed():
    (entry,) = compare(TOY, [(HeavyBall, {"momentum": 0.5})])
    assert entry.optimizer.momentum == 0.5
    assert entry.analysis.tuned == ("learning_rate",)
    assert "tuned" in str(compare(TOY, [HeavyBall]))


# -- outcomes ------------------------------------------------------------------------------------


def test_the_toy_with_a_step_too_large():
    (entry,) = compare(TOY, GradientDescent(0.6), start=[-5.0, -2.0])
    assert entry.analysis.outcome == "unstable"
    assert entry.status == "confirmed"  # the run diverges as predicted
    assert entry.predicted_steps is None
    assert entry.simulated_steps is None
    assert entry.simulated_text() == "never"
    assert entry.overshoot > 100
    assert "No optimizer here converges" in compare(TOY, GradientDescent(0.6)).verdict()


@each(
    ("problem", "outcome"),
    [
        (Quadratic.diagonal([0.0, 1.0], [1.0, 0.0]), "drifting"),
        (Quadratic.diagonal([0.0, 1.0], [0.0, 1.0]), "stable"),
        (Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0]), "unstable"),
        (Quadratic.diagonal([0.0, 0.0]), "flat"),
        (Quadratic.diagonal([0.0, 0.0], [1.0, 2.0]), "drifting"),
        (Quadratic([[2.0]]), "stable"),
        (Quadratic(3 * np.eye(4)), "stable"),
        (Quadratic.diagonal([-1.0, -2.0]), "unstable"),
    ],
    ids=["slope", "valley", "saddle", "flat", "plane", "line", "sphere", "hill"],
)
def test_every_kind_of_problem_is_confirmed(problem, outcome):
    for result in (compare(problem), compare(problem, GradientDescent(0.1), steps=200)):
        assert result.confirmed
        assert all(entry.analysis.outcome == outcome for entry in result)
        assert str(result)
        json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
@pytest.mark.parametrize("turned", [False, True])
def test_scales(scale, turned):
    turn = np.linalg.qr(np.array([[1.0, 2.0], [2.0, -1.0]]))[0] if turned else np.eye(2)
    matrix = (turn * [0.2, 4.0]) @ turn.T * scale
    problem = Quadratic((matrix + matrix.T) / 2, np.array([1.0, 2.0]) * scale)
    usual = Quadratic(problem.operator.to_dense() / scale, [1.0, 2.0])
    for a, b in zip(compare(problem, start=[-5, -2]), compare(usual, start=[-5, -2]), strict=True):
        assert a.status == "confirmed"
        assert a.predicted_steps == b.predicted_steps == a.simulated_steps
    far = compare(problem, [GradientDescent(0.1), HeavyBall(0.1), Nesterov(0.1)], steps=50)
    assert far.confirmed
    assert {entry.analysis.outcome for entry in far} == {"stable" if scale < 1 else "unstable"}
    assert str(far)
    json.dumps(far.to_dict(), allow_nan=False)


def test_a_start_at_the_minimum_needs_nothing():
    result = compare(Quadratic.diagonal([0.2, 4.0], [0.1, 1.0]), start=[-0.5, -0.25])
    for entry in result:
        assert entry.status == "confirmed"
        assert entry.predicted_steps == 0


def test_no_steps():
    result = compare(TOY, steps=0)
    assert result.confirmed
    assert all(len(entry.gap) == 1 for entry in result)


# -- what is too long ----------------------------------------------------------------------------


def test_a_run_of_more_than_a_million_steps_is_not_started():
    hard = Quadratic.diagonal([1e-7, 1.0])
    told = []
    result = compare(hard, [GradientDescent, HeavyBall], progress=told.append)
    slow, fast = result
    assert slow.predicted_steps > 10**7
    assert not slow.complete
    assert slow.steps[-1] == running.PREFIX
    assert slow.status == "confirmed"  # as far as it was run
    assert slow.simulated_text() == "not simulated: too many"
    assert "too many to run" in slow.reason
    assert fast.complete
    assert fast.simulated_steps == fast.predicted_steps
    assert sum(told) == slow.steps[-1] + fast.steps[-1]
    asked = compare(TOY, GradientDescent(0.1), steps=10**9)
    assert asked[0].steps[-1] == running.PREFIX
    assert not asked[0].complete


def test_long_runs_record_what_counts():
    slow = Quadratic.diagonal([1e-3, 1.0])
    (entry,) = compare(slow, GradientDescent(0.5))
    assert len(entry.steps) < 2000 < entry.steps[-1]
    assert entry.simulated_steps == entry.predicted_steps
    assert entry.simulated_steps == counted(slow, GradientDescent(0.5), [1.0, 1.0], most=20_000)


def test_costly_problems_get_shorter_runs(monkeypatch):
    monkeypatch.setattr(running, "WORK", 1.0)
    (entry,) = compare(Quadratic.diagonal([1e-3, 1.0]), GradientDescent(0.5))
    assert not entry.complete


# -- wrong theory, wrong runs --------------------------------------------------------------------


class Slipped(Optimizer):
    """Runs with a learning rate that is off by one part in a billion; theory sees the right one."""

    learning_rate: Positive
    momentum: UnitInterval = 0.5

    def step(self, problem, t, theta, velocity):
        off = 1.0 + 1e-9 * isinstance(theta, np.ndarray)
        velocity = self.momentum * velocity - off * self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


@pytest.mark.parametrize(
    ("problem", "rate"),
    [
        (TOY, 0.3),
        (TOY, 0.9),  # unstable
        (Quadratic([[1.0, 2.0], [2.0, 1.0]], [1.0, 0.0]), 0.1),  # a saddle
        (Quadratic.diagonal([0.0, 1.0], [1.0, 0.0]), 0.3),  # drifting
        (Quadratic(np.diag([1.0, 3.0, 7.0]) + 0.1, [1.0, 2.0, 3.0]), 0.05),
        (least_squares(np.vander(np.linspace(0, 1, 9), 3), np.arange(9.0)), 0.3),
    ],
    ids=["toy", "unstable", "saddle", "drifting", "dense", "data"],
)
def test_a_run_that_is_off_by_1e_9_is_refuted(problem, rate):
    (entry,) = compare(problem, Slipped(rate), steps=100)
    assert entry.status == "refuted"
    assert entry.deviation > entry.budget
    result = compare(problem, Slipped(rate), steps=100)
    assert not result.confirmed
    assert "CONTRADICTS" in result.verdict()
    right = compare(problem, HeavyBall(rate, 0.5), steps=100)
    assert right.confirmed


class SignDescent(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate * ops.sign(problem.gradient(theta))


def test_a_rule_that_is_not_linear_is_simulated_only():
    (entry,) = compare(TOY, SignDescent(0.1), start=[1.0, 1.0])
    assert entry.analysis is None
    assert entry.status == "simulated only"
    assert "the sign of the state" in entry.reason
    assert entry.simulated_steps is not None
    assert entry.predicted_steps is None
    result = compare(TOY, [SignDescent(0.1), HeavyBall], start=[1.0, 1.0])
    assert str(result)
    json.dumps(result.to_dict(), allow_nan=False)


def test_three_slots_are_confirmed_too():
    class Triple(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta, first, second):
            first = 0.5 * first - self.learning_rate * problem.gradient(theta)
            second = 0.3 * second + first
            return theta + second, first, second

    for problem in (TOY, Quadratic.diagonal([0.0, 1.0], [1.0, 0.0])):
        (entry,) = compare(problem, Triple(0.1), steps=200)
        assert entry.status == "confirmed"
        assert entry.deviation < 1e-12


def test_verdicts_without_a_prediction():
    near = compare(TOY, SignDescent(0.1), start=[1.0, 1.0])
    assert "reaches the goal in its run" in near.verdict()
    assert "no theory to hold the runs against" in near.verdict()
    far = compare(TOY, SignDescent(0.3), start=[1.0, 1.0], steps=5)
    assert "No run here reaches the goal" in far.verdict()

    class Decay(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * (problem.gradient(theta) + theta)

    elsewhere = compare(Quadratic.diagonal([1.0, 2.0], [1.0, 1.0]), Decay(0.1))
    assert elsewhere.confirmed
    assert "ends at the minimum" in elsewhere.verdict()


# -- where only the ends are known ---------------------------------------------------------------


def large_problem(size=4000):
    off = -np.ones(size - 1)
    laplacian = scipy.sparse.diags_array([off, 3 * np.ones(size), off], offsets=[-1, 0, 1]).tocsr()
    return Quadratic(laplacian, np.ones(size))


def test_large_problems_are_held_against_the_worst_case():
    result = compare(large_problem())
    assert result.spectrum.is_interval
    for entry in result:
        assert entry.status == "within the bound"
        assert entry.simulated_steps <= entry.predicted_steps
        assert np.all(entry.gap <= entry.predicted_gap * (1 + 1e-6) + 1e-12 * entry.gap[0])
    assert result.confirmed
    assert "random vector" in result.start_name
    assert "needs at most" in result.verdict()


def test_a_run_outside_its_bound_is_refuted():
    class Late(Optimizer):
        """Theory sees gradient descent; a run takes a tenth of each step."""

        learning_rate: Positive

        def step(self, problem, t, theta):
            share = 1.0 - 0.9 * isinstance(theta, np.ndarray)
            return theta - share * self.learning_rate * problem.gradient(theta)

    (entry,) = compare(large_problem(), Late(0.3), steps=100)
    assert entry.status == "refuted"


# -- text, equality, bad input -------------------------------------------------------------------


def test_tables_and_plain_data():
    result = compare(TOY, [GradientDescent(0.4), HeavyBall])
    text = str(result)
    for words in ("GradientDescent", "HeavyBall", "confirmed", "α = 0.4", "theory and simulation"):
        assert words in text
    assert "2 optimizers" in repr(result)
    data = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert data["schema"] == "convex_analyzer.comparison/1"
    assert [e["status"] for e in data["entries"]] == ["confirmed", "confirmed"]
    assert data["entries"][0]["curve"]["gap"][0] == pytest.approx(result[0].gap[0])
    assert str(result[0])
    assert isinstance(result, Comparison)


def test_value_equality():
    assert compare(TOY, HeavyBall(0.1)) == compare(TOY, HeavyBall(0.1))
    assert compare(TOY, HeavyBall(0.1)) != compare(TOY, HeavyBall(0.2))


def test_entries_by_name():
    result = compare(TOY, [HeavyBall(0.1), Nesterov(0.1)])
    assert result["Nesterov"].optimizer == Nesterov(0.1)
    with pytest.raises((KeyError, InputError)):
        _ = result["Adam"]


def test_the_public_names():
    assert ca.compare is compare
    assert ca.compare([[2.0, 0.0], [0.0, 1.0]]).confirmed


@each(
    ("keywords", "words"),
    [
        ({"steps": -1}, "steps must be a whole number, at least 0, got -1"),
        ({"steps": 1.5}, "steps must be"),
        ({"steps": True}, "steps must be"),
        ({"steps": "10"}, "steps must be"),
        ({"start": [1.0]}, r"start must have shape \(2,\), got \(1,\)"),
        ({"start": [1.0, math.nan]}, "not finite"),
        ({"tolerance": 0.0}, r"tolerance must be in \(0, 1\)"),
        ({"tolerance": 1.0}, r"tolerance must be in \(0, 1\)"),
        ({"optimizers": []}, "optimizers is empty"),
        ({"optimizers": ["HeavyBall"]}, "must be Optimizer instances or classes"),
        ({"optimizers": "HeavyBall"}, "must be Optimizer instances or classes"),
        ({"optimizers": 3}, "must be Optimizer instances or classes"),
        ({"optimizers": [HeavyBall(np.array([[0.1], [0.2]]))]}, "takes one setting"),
        ({"optimizers": [(HeavyBall, {"rate": 1.0})]}, "has no hyper-parameter 'rate'"),
    ],
    ids=str,
)
def test_bad_input(keywords, words):
    with pytest.raises(InputError, match=words):
        compare(TOY, **keywords)
