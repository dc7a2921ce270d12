"""What a misjudged curvature costs, against plain loops and the formulas for gradient descent."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.adam import Adam
from convex_analyzer.optimizers.gradient import ChebyshevSteps, GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov
from convex_analyzer.optimizers.nesterov import NesterovTwoPoint
from convex_analyzer.optimizers.second_order import Newton
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Power
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.sensitivity import sensitivity


def by_running(rule, lam, tolerance=1e-6):
    """First step at which every direction is below the goal, from rest; None beyond 5000."""
    a, mu = rule.learning_rate, rule.values.get("momentum", 0.0)
    x, v = np.ones(len(lam)), np.zeros(len(lam))
    for k in range(1, 5000):
        look = x + mu * v if isinstance(rule, Nesterov) else x
        v = mu * v - a * lam * look
        x = x + v
        if np.abs(x).max() <= tolerance:
            return k
        if np.abs(x).max() > 1e6:
            return None
    return None


def test_gradient_descent_by_its_formulas():
    m, L = 1.0, 100.0
    found = sensitivity(Spectrum.between(m, L), GradientDescent)
    alpha = 2 / (m + L)
    assert [truth.name for truth in found.truths] == [
        "as assumed",
        "λmax +10 %",
        "λmax −10 %",
        "λmin +10 %",
        "λmin −10 %",
    ]
    ends = [(1, 100), (1, 110), (1, 90), (1.1, 100), (0.9, 100)]
    for truth, (low, high) in zip(found.truths, ends, strict=True):
        assert (truth.lambda_min, truth.lambda_max) == pytest.approx((low, high))
        rate = max(abs(1 - alpha * low), abs(1 - alpha * high))
        assert truth.rate == pytest.approx(rate, rel=1e-12)
        assert truth.is_stable == (rate < 1)
        best = (high - low) / (high + low)
        assert truth.best_rate == pytest.approx(best, rel=1e-12)
        assert truth.best_steps == math.ceil(math.log(1e-6) / math.log(best))
        if rate < 1:
            assert truth.steps == math.ceil(math.log(1e-6) / math.log(rate))
            assert truth.cost == truth.steps / truth.best_steps
    assert found.truths[1].cost is None
    assert found.margin == pytest.approx(2 / alpha / L - 1, rel=1e-12)
    assert found.margin == pytest.approx(m / L, rel=1e-12)


@pytest.mark.survey
@pytest.mark.parametrize("cls", [HeavyBall, Nesterov])
def test_counts_are_those_of_runs(cls):
    lam = np.array([0.5, 2.0, 7.0, 40.0])
    found = sensitivity(Spectrum.from_eigenvalues(lam), cls, 0.1)
    for truth in found.truths:
        moved = np.clip(lam, truth.lambda_min, truth.lambda_max)
        moved[0], moved[-1] = truth.lambda_min, truth.lambda_max
        assert truth.steps == by_running(found.optimizer, moved)
    assert not found.truths[1].is_stable  # the best rate lies next to the edge
    beyond = [40.0 * (1 + found.margin * (1 + s)) for s in (-1e-9, 1e-9)]
    stable = [analyze(Spectrum.from_eigenvalues([x]), found.optimizer).is_stable for x in beyond]
    assert stable == [True, False]


@pytest.mark.survey
def test_margins():
    spectrum = Spectrum.between(1.0, 100.0)
    # Nesterov: 2(1 + μ)/(1 + 2μ)/(αL) - 1 (theory notes 2.4)
    found = sensitivity(spectrum, Nesterov)
    a, mu = found.optimizer.learning_rate, found.optimizer.momentum
    assert found.margin == pytest.approx(2 * (1 + mu) / (1 + 2 * mu) / (100 * a) - 1, rel=1e-9)
    slow = sensitivity(spectrum, GradientDescent(1e-5))
    assert slow.margin == pytest.approx(2 / 1e-3 - 1, rel=1e-9)
    newton = sensitivity(spectrum, Newton)
    assert newton.margin == math.inf
    assert "No λmax, however large" in newton.words
    assert sensitivity(spectrum, GradientDescent(0.03)).margin is None


@pytest.mark.survey
def test_analyses_settings_and_problems():
    problem = Quadratic([[2.0, 1.0], [1.0, 3.0]], [1.0, -1.0])
    analysis = analyze(problem, EMAMomentum)
    first = sensitivity(analysis)
    assert first == sensitivity(problem, EMAMomentum)
    assert first.truths[0].rate == analysis.rate
    fixed = sensitivity(problem, HeavyBall, given={"momentum": 0.5})
    assert fixed.optimizer.momentum == 0.5
    best = analyze(problem, HeavyBall, {"momentum": 0.5})
    assert fixed.truths[0].best_steps == best.steps_to(1e-6, criterion="norm")


def test_a_single_eigenvalue_moves_as_a_whole():
    found = sensitivity(Spectrum.from_eigenvalues([3.0, 3.0]), GradientDescent)
    assert len(found.truths) == 3
    assert [truth.rate for truth in found.truths] == pytest.approx([0, 0.1, 0.1], abs=1e-15)
    assert [truth.lambda_min for truth in found.truths] == pytest.approx([3, 3.3, 2.7])


def test_ends_that_would_change_places_are_left_out():
    close = sensitivity(Spectrum.from_eigenvalues([1.0, 1.05]), GradientDescent)
    assert [truth.name for truth in close.truths] == ["as assumed", "λmax +10 %", "λmin −10 %"]


def test_words_and_tables():
    found = sensitivity(Spectrum.between(1.0, 100.0), HeavyBall)
    assert "With λmax +10 % the setting no longer converges." in found.words
    assert "before it diverges" in found.words
    assert "diverges" in str(found)
    assert json.dumps(found.to_dict())
    calm = sensitivity(Spectrum.between(1.0, 100.0), GradientDescent(0.01))
    assert "converges wherever the ends were moved" in calm.words
    saddle = sensitivity(Spectrum.from_eigenvalues([-1.0, 1.0, 2.0]), GradientDescent)
    assert "does not even converge" in saddle.words
    one = sensitivity(Spectrum.between(1.0, 100.0), Newton)
    assert "no more than the steps" in one.words


@pytest.mark.survey
def test_rules_that_are_not_linear_or_repeat():
    local = sensitivity(Spectrum.between(1.0, 2.0), Adam(1e-9))
    assert all(truth.best_rate is None for truth in local.truths)
    assert local.truths[0].is_stable
    # Adam's local limit is αλ/ε < 38.
    assert local.margin == pytest.approx(38 * 1e-8 / 1e-9 / 2 - 1, rel=1e-6)
    cycle = sensitivity(Spectrum.between(1.0, 100.0), ChebyshevSteps(1.0, 100.0, 4))
    assert not cycle.truths[1].is_stable


def test_bad_input():
    spectrum = Spectrum.between(1.0, 100.0)
    for share in (0.0, 1.0, -0.1, "ten"):
        with pytest.raises(InputError, match="relative_error must be in"):
            sensitivity(spectrum, HeavyBall, share)
    with pytest.raises(InputError, match="an optimizer is needed"):
        sensitivity(spectrum)
    with pytest.raises(InputError, match="no positive curvature"):
        sensitivity(Spectrum.from_eigenvalues([-1.0, 0.0]), GradientDescent)
    with pytest.raises(NotDerivableError, match="changes from step to step"):
        sensitivity(spectrum, GradientDescent(Power(0.01, 0.5)))
    assert NesterovTwoPoint(0.01).settles
