"""Gradient descent at 1/λmax beside the winner: said where it needs fewer steps, else not."""

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison.limit import _adds_up_gradients
from convex_analyzer.diagnosis.recap import recap
from convex_analyzer.noise import AdditiveNoise
from convex_analyzer.optimizers import Newton, SignSGD
from convex_analyzer.reporting import figures
from convex_analyzer.reporting.build import build
from convex_analyzer.reporting.markdown import to_markdown
from convex_analyzer.reporting.verdict_cards import verdict_cards

VALUES = np.array([0.01, 1.5, 2.0])


def walked(start, rate, tolerance):
    """Count steps of gradient descent on diag(VALUES) one at a time."""
    theta, gaps = np.array(start, dtype=float), []
    while not gaps or gaps[-1] > tolerance * gaps[0]:
        gaps.append(float(VALUES @ theta**2))
        theta = theta - rate * VALUES * theta
    return len(gaps) - 1


@pytest.fixture(scope="module")
def steep():
    return ca.compare(ca.Quadratic.diagonal(VALUES), start=[1e-5, 1.0, 1.0])


def test_it_is_said_everywhere_with_one_count(steep, monkeypatch):
    monkeypatch.setattr(figures, "picture", lambda name, data: b"<svg/>")
    plain = steep.plain_descent
    assert plain.learning_rate == 0.5
    assert plain.steps == walked([1e-5, 1.0, 1.0], 0.5, 1e-6) < steep.best.steps_needed
    said = f"which was not run, needs {plain.steps} steps (predicted)"
    card = verdict_cards(steep, recap(steep)).cards[2].text
    for text in (steep.verdict(), " ".join(str(steep).split()), str(card)):
        assert said in text
        assert "α = 1/λmax = 0.5" in text
    assert steep.verdict().startswith("Nesterov needs the fewest steps of these to")
    assert said in to_markdown(build({"steep": steep, "plain": steep}))
    assert steep.to_dict()["plain_descent"]["steps"] == plain.steps
    assert f"GradientDescent at 1/λmax {plain.steps} steps" in str(recap(steep).to_dict())


def test_it_is_silent_where_it_does_not_win():
    problem = ca.Quadratic.diagonal(VALUES)
    start = [1e-5, 1.0, 1.0]
    silent = (
        ca.compare(problem),  # all directions alike
        ca.compare(problem, [ca.GradientDescent(0.5), ca.Nesterov], start),  # it was run
        ca.compare(problem, [Newton()], start),
        ca.compare(ca.gallery.ravine(), [ca.GradientDescent(0.01)]),  # tuned it is faster still
        ca.compare(problem, [ca.GradientDescent(0.1)], start, 20, noise=AdditiveNoise(1e-9)),
        ca.compare(ca.Quadratic.diagonal([1.0, -1.0]), [ca.GradientDescent(0.1)], steps=9),
    )
    for found in silent:
        assert found.plain_descent is None
        assert "which was not run" not in found.verdict()
    found = ca.compare(problem, [ca.GradientDescent(0.01)], start)
    assert found.verdict().startswith(f"GradientDescent needs {found[0].steps_needed} steps to")
    assert "which was not run" in found.verdict()
    assert "tuned" not in found.verdict()
    (slow,) = [finding for row, finding in recap(found).present if row.name == "slow_progress"]
    assert slow.evidence.endswith(f" steps where {found.plain_descent.steps} would do")
    assert str(verdict_cards(found, recap(found)).cards[2].text).count("1/λmax") == 1


def test_the_limit_holds_what_adds_up_gradients_and_nothing_else():
    """With A turned, a sign, a root or an inverse leads out of the span of g and Ag."""
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    problem = ca.Quadratic(turn @ np.diag([1.0, 2, 5, 9, 30]) @ turn.T, np.arange(5.0))
    inside = [ca.GradientDescent, ca.HeavyBall, ca.Nesterov, ca.ConjugateGradient]
    outside = [ca.Adam(0.1), SignSGD(0.02), Newton()]
    found = ca.compare(problem, [*inside, *outside], tolerance=1e-2)
    held = [_adds_up_gradients(found, entry) for entry in found]
    assert held == [True] * 4 + [False] * 3
    note = found.remarks()[1]
    listed, _, free = note.partition(" of that. ")
    assert "ConjugateGradient ×1" in listed
    assert not any(name in listed for name in ("Adam", "SignSGD", "Newton"))
    assert "Newton do more than add up gradients: the limit does not hold for them" in free


def test_the_verdict_says_how_far_theory_and_runs_were_compared():
    hard = ca.Quadratic.diagonal([1e-7, 1.0])
    some = ca.compare(hard, [ca.GradientDescent, ca.HeavyBall])
    assert "agree (GradientDescent: on the first 1,000 steps)." in some.verdict()
    none = ca.compare(hard, [ca.GradientDescent])
    assert "agree on the first 1,000 steps." in none.verdict()
    assert "the first 1,000 steps are made and held against theory" in none.remarks()[0]
