"""What is said before training, against runs written out by hand and against arithmetic."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.sparse
from cases import each

import convex_analyzer as ca
from convex_analyzer.diagnosis.forecast import forecast
from convex_analyzer.diagnosis.results import Diagnosis
from convex_analyzer.notation import KINDS

TOY = ca.Quadratic.diagonal([0.2, 4.0])
STEEP = ca.Quadratic.diagonal([1e-4, 1.0])
BEYOND = ca.Quadratic.diagonal([1e-10, 1.0])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 3))
DATA = ca.least_squares(X, X @ [1.0, 2.0, 3.0] + 0.5 * RNG.normal(size=50))
LOCAL = ca.local_quadratic("(1-x)**2+100*(y-x**2)**2", at=[1, 1])

EXPECTED = {
    "beyond the limit": (TOY, ca.GradientDescent(0.51), {}, "instability", ["q2", "0.5"]),
    "on the limit": (TOY, ca.GradientDescent(0.5), {}, "oscillation", ["q2", "for ever"]),
    "just below": (TOY, ca.GradientDescent(0.499), {}, "oscillation", ["q2", "flips"]),
    "tuned class": (TOY, ca.GradientDescent, {}, "healthy", ["70 steps"]),
    "text": (TOY, "GradientDescent:lr=0.001", {}, "slow_progress", ["q1", "0.2 %"]),
    "text of a class": (TOY, "HeavyBall", {}, "healthy", ["24 steps"]),
    "no damping": (TOY, ca.HeavyBall(0.1, 0.99), {}, "oscillation", ["q1", "swings"]),
    "momentum's limit": (TOY, ca.HeavyBall(1.0, 0.9), {}, "instability", ["q2", "0.95"]),
    "settings": (TOY, "GradientDescent", {"lr": 0.51}, "instability", ["0.51"]),
    "settings of a class": (TOY, ca.HeavyBall, {"alpha": 1.0, "mu": 0.9}, "instability", ["0.95"]),
    "κ": (STEEP, ca.GradientDescent, {}, "ill_conditioning", ["q1", "1e4"]),
    "κ, but α has slack": (STEEP, ca.GradientDescent(1e-3), {}, "slow_progress", ["q1"]),
    "κ with momentum": (STEEP, ca.HeavyBall, {}, "ill_conditioning", ["q1", "708 steps"]),
    "κ does not matter": (STEEP, ca.Newton(), {}, "healthy", ["1 step "]),
    "κ = 1e10": (BEYOND, ca.GradientDescent, {}, "ill_conditioning", ["1e10"]),
    "saddle": (ca.Quadratic.diagonal([-1.0, 3.0]), ca.GradientDescent(0.1), {}, "saddle", ["−1"]),
    "saddle that overshoots": (
        ca.Quadratic.diagonal([-1.0, 3.0]), ca.GradientDescent(10.0), {}, "instability", ["q2"]
    ),
    "no minimum": (
        ca.Quadratic.diagonal([0.0, 1.0], [1.0, 0.0]), ca.GradientDescent(0.1), {}, "saddle",
        ["without end"],
    ),
    "flat": (ca.Quadratic([[0.0]]), ca.GradientDescent(0.1), {}, "healthy", ["no curvature"]),
    "noise": (
        TOY, ca.GradientDescent(0.1), {"noise": ca.AdditiveNoise(1.0)}, "fluctuation", ["0.0565"]
    ),
    "little noise": (
        TOY, ca.GradientDescent(0.1), {"noise": ca.AdditiveNoise(1e-4)}, "healthy", ["39 steps"]
    ),
    "batches": (DATA, ca.GradientDescent(0.5), {"batch_size": 2}, "fluctuation", ["mini-batches"]),
    "batches that feed themselves": (
        DATA, ca.GradientDescent(0.8), {"batch_size": 1}, "instability", ["feeds itself"]
    ),
    "all rows": (DATA, ca.GradientDescent(1.0), {"batch_size": 50}, "healthy", ["steps"]),
    "its own batches": (DATA, ca.SGD(0.8, 1), {}, "instability", ["mini-batches of 1"]),
    "local model": (LOCAL, ca.GradientDescent(1e-3), {}, "ill_conditioning", ["near the point"]),
    "no theory": (TOY, ca.Adam(0.1), {}, "healthy", ["no closed form (Adam is not linear)"]),
    "no theory, no minimum": (
        ca.Quadratic.diagonal([-1.0, 3.0]), ca.Adam(0.1), {"steps": 50}, "saddle", ["λmin = −1"]
    ),
    "a schedule": (
        TOY, "HeavyBall:lr=Step(0.1, 0.5, 30),momentum=0.8", {}, "healthy", ["no closed form"]
    ),
    "a schedule that diverges": (
        TOY, "GradientDescent:lr=Step(2.0, 0.9, 400)", {"steps": 400}, "instability", ["bounds"]
    ),
}  # fmt: skip


@each("name, case", EXPECTED.items())
def test_the_row_that_limits_a_run(name, case):
    problem, optimizer, options, row, words = case
    found = forecast(problem, optimizer, **options)
    first = found[0]
    assert first.name == row, (name, first)
    assert first.primary
    assert [other.primary for other in found[1:]] == [False] * (len(found) - 1)
    assert len({other.name for other in found}) == len(found) >= 11
    confidences = [other.confidence for other in found]
    assert confidences == sorted(confidences, reverse=True)
    assert sum(confidences) <= 1 + 1e-12
    assert confidences[0] > (0.7 if "no " in name or "schedule" in name else 0.85)
    assert all(other.finding.kind in KINDS for other in found)
    for word in words:
        assert word in first.finding.evidence + " ", (name, first.finding.evidence)


@pytest.mark.parametrize("seed", range(2))
def test_counts_and_growth_are_those_of_a_run(seed, by_hand):
    A, b, start = by_hand.random_problem(seed, [0.02, 1.0, 2.7, 8.0])
    minimiser = np.linalg.solve(A, -b)
    problem = ca.Quadratic(A, b)
    slow = forecast(problem, ca.GradientDescent(0.2), start=start)[0]
    assert slow.name == "ill_conditioning"
    count = by_hand.count(by_hand.gradient_descent(A, b, start, 0.2), A, minimiser)
    assert f"{count:,} steps" in slow.finding.evidence
    lost = forecast(problem, ca.GradientDescent(0.26), start=start)[0]
    assert lost.name == "instability"
    path = itertools.islice(by_hand.gradient_descent(A, b, start, 0.26), 400)
    sizes = [np.linalg.norm(theta - minimiser) for theta in path]
    assert by_hand.numbers(lost.finding.evidence)[-1] == pytest.approx(
        (sizes[-1] / sizes[-101]) ** 0.01, rel=1e-4
    )


def test_the_floor_is_that_of_runs():
    alpha, variance, values = 0.3, 0.5, np.array([0.2, 4.0])
    said = forecast(TOY, ca.GradientDescent(alpha), noise=ca.AdditiveNoise(variance))[0]
    x, rng, gaps = np.zeros((4000, 2)), np.random.default_rng(0), []
    for k in range(160):
        x = x - alpha * (values * x + np.sqrt(variance) * rng.standard_normal(x.shape))
        if k >= 80:
            gaps.append((values * x**2).sum(axis=1).mean() / 2)
    told = float(said.finding.evidence.split("hover ")[1].split()[0])
    assert told == pytest.approx(np.mean(gaps), rel=0.03)


def test_large_sparse_problems_stay_sparse(monkeypatch):
    n = 2200
    ones = np.ones(n)
    A = scipy.sparse.diags([-ones[1:], 2 * ones, -ones[1:]], [-1, 0, 1]).tocsr()
    monkeypatch.setattr(scipy.sparse.csr_matrix, "toarray", None)
    monkeypatch.setattr(scipy.sparse.csr_array, "toarray", None)
    problem = ca.Quadratic(A)
    lost = forecast(problem, ca.GradientDescent(0.6))[0]
    assert (lost.name, lost.confidence) == ("instability", 0.97)
    slow = forecast(problem, ca.GradientDescent(0.4))[0]
    assert slow.name == "ill_conditioning"
    noisy = forecast(problem, ca.GradientDescent(0.1), noise=ca.AdditiveNoise(1.0))[0]
    assert (noisy.name, noisy.finding.kind) == ("fluctuation", "asymptotic")
    assert "hover 55 " in noisy.finding.evidence  # α d σ²/4


def test_data_are_told_what_standardising_buys():
    scaled = ca.least_squares(X * [1.0, 1.0, 1000.0], DATA.y)
    found = forecast(scaled, ca.GradientDescent)[0]
    assert found.name == "ill_conditioning"
    assert "standardised columns" in found.finding.prediction


def test_bad_input():
    with pytest.raises(ca.InputError, match="batch_size"):
        forecast(TOY, ca.GradientDescent(0.1), batch_size=4)
    with pytest.raises(ca.InputError):
        forecast(TOY, "NoSuchRule")
    with pytest.raises(ca.InputError):
        forecast(TOY, 3)
    with pytest.raises(ca.InputError, match="need data"):
        forecast(TOY, ca.SGD(0.4, 1))
    with pytest.raises(ca.InputError, match="has its settings already"):
        forecast(TOY, ca.GradientDescent(0.1), lr=0.2)
    with pytest.raises(ca.InputError, match="loss"):
        forecast(TOY, "GradientDescent", loss=3)


def test_a_diagnosis_without_a_log_is_the_forecast():
    from convex_analyzer.diagnosis.engine import diagnose

    found = diagnose(problem=TOY, optimizer=ca.GradientDescent(0.51))
    assert isinstance(found, Diagnosis)
    assert found.forecast
    assert found.decided
    assert found.primary.name == "instability"
    assert found.primary.prediction == "GradientDescent(α = 0.47619) converges in 70 steps"


@each(
    ("rule", "name"),
    [
        (ca.GradientDescent(0.51), "instability"),
        (ca.GradientDescent(0.499), "oscillation"),
        (ca.GradientDescent(0.001), "slow_progress"),
    ],
)
def test_a_forecast_counts_its_workaround(rule, name):
    primary = ca.diagnose(problem=ca.Quadratic(np.diag([0.2, 4.0])), optimizer=rule).primary
    assert primary.name == name
    # 2/(m + L), error ×(κ − 1)/(κ + 1) a step and the gap its square: 10⁻⁶ at κ = 20
    assert primary.remedy.settings["learning_rate"] == pytest.approx(2 / 4.2)
    assert primary.remedy.steps_after == math.ceil(6 * math.log(10) / (2 * math.log(21 / 19)))
    assert primary.remedy.confirmed["measured"] == primary.remedy.steps_after


def test_a_forecast_without_counts_has_no_remedy():
    toy = ca.Quadratic(np.diag([0.2, 4.0]))
    found = ca.diagnose(problem=toy, optimizer=ca.Adam(0.1))
    assert found.primary.remedy is None
    assert found.table() == found.table
