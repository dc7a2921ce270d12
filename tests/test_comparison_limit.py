"""The line that no method of past gradients crosses, in a comparison and in its picture."""

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison.limit import krylov_gaps
from convex_analyzer.optimizers import SignSGD
from convex_analyzer.plot import caption, gap_curves_data

SPREAD = np.geomspace(1.0, 100.0, 12)


@pytest.fixture(scope="module")
def comparison():
    rules = [ca.GradientDescent, ca.HeavyBall, ca.Nesterov, ca.ConjugateGradient]
    return ca.compare(ca.Quadratic.diagonal(SPREAD), rules)


def test_conjugate_gradients_run_along_the_limit(comparison):
    entry = comparison["ConjugateGradient"]
    assert comparison.krylov_limit == entry.simulated_steps
    limit = krylov_gaps(comparison, entry.steps[1:9])
    np.testing.assert_allclose(entry.gap[1:9] / entry.gap[0], limit, rtol=1e-8)


def test_no_curve_of_past_gradients_lies_below(comparison):
    for entry in comparison:
        limit = krylov_gaps(comparison, entry.steps)
        relative = entry.gap / entry.gap[0]
        seen = relative > 1e-10
        assert np.all(relative[seen] >= limit[seen] * (1 - 1e-6))


def test_it_is_said_and_drawn(comparison):
    text = " ".join(str(comparison).split())
    assert f"needs fewer than {comparison.krylov_limit} steps here" in text
    assert "ConjugateGradient ×1 of that" in text
    data = gap_curves_data(comparison)
    assert data.limit is not None
    assert data.limit[1][0] == pytest.approx(1)
    assert np.all(np.diff(data.limit[1]) <= 0)
    assert "no method that adds up past gradients" in caption(data)
    assert comparison.to_dict()["krylov_limit"] == comparison.krylov_limit


def test_what_is_no_krylov_method_may_cross():
    """From (1, …, 1) one step of sign descent solves every diagonal problem (THEORY 3.6)."""
    problem = ca.Quadratic.diagonal([1.0, 5.0, 30.0])
    found = ca.compare(problem, [SignSGD(1.0), ca.GradientDescent], np.ones(3))
    assert found.krylov_limit == 3
    assert found["SignSGD"].simulated_steps == 1
    assert "SignSGD does more than add up gradients" in " ".join(str(found).split())


@pytest.mark.parametrize(
    "problem",
    [ca.Quadratic([[1.0, 0.0], [0.0, -1.0]]), ca.Quadratic([[1.0, 0.0], [0.0, 0.0]], [0.0, 1.0])],
    ids=["saddle", "no minimum"],
)
def test_without_a_minimum_there_is_no_limit(problem):
    found = ca.compare(problem, [ca.GradientDescent(0.1)], steps=5)
    assert found.krylov_limit is None
    assert "adds up past gradients" not in " ".join(str(found).split())
    assert gap_curves_data(found).limit is None
