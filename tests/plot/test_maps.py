"""Figures 4 and 7 against roots of polynomials and published boundaries."""

from __future__ import annotations

import math

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.figures.rate_curve import RateData, rate_curve_data
from convex_analyzer.plot.figures.stability_map import finding
from convex_analyzer.plot.map_data import MapData, stability_map_data


def polynomial(method, alpha, mu, lam):
    x = alpha * lam
    if method == "HeavyBall":
        return [1, -(1 + mu - x), mu]
    return [1, -(1 + mu) * (1 - x), mu * (1 - x)]


@pytest.mark.parametrize("rule", [ca.HeavyBall(0.2, 0.5), ca.Nesterov(0.2, 0.5)])
def test_the_map_is_the_largest_root(rule):
    data = stability_map_data(ca.analyze(ca.gallery.toy(), rule))
    generator = np.random.default_rng(1)
    for _ in range(200):
        i, j = generator.integers(len(data.momenta)), generator.integers(len(data.learning_rates))
        alpha, mu = data.learning_rates[j], data.momenta[i]
        radius = max(
            np.abs(np.roots(polynomial(data.method, alpha, mu, lam))).max() for lam in (0.2, 4.0)
        )
        assert data.one_minus_rate[i, j] == pytest.approx(1 - radius, abs=2e-7)


def test_the_map_has_its_digits_at_large_condition_numbers():
    """1 - ρ of single cells by mpmath, where float64 roots would give no digit."""
    mpmath = pytest.importorskip("mpmath")
    analysis = ca.analyze(ca.Spectrum.from_eigenvalues([1e-8, 1e6]), ca.HeavyBall)
    data = stability_map_data(analysis)
    assert data.log_learning_rate
    assert data.log_momentum
    generator = np.random.default_rng(2)
    with mpmath.workdps(50):
        for _ in range(20):
            i = generator.integers(len(data.momenta))
            j = generator.integers(len(data.learning_rates))
            alpha, mu = (mpmath.mpf(float(v)) for v in (data.learning_rates[j], data.momenta[i]))
            sizes = []
            for lam in (mpmath.mpf(1e-8), mpmath.mpf(1e6)):
                t = 1 + mu - alpha * lam
                root = mpmath.sqrt(t * t - 4 * mu)
                sizes += [abs(t + root) / 2, abs(t - root) / 2]
            exact = float(1 - max(sizes))
            assert data.one_minus_rate[i, j] == pytest.approx(exact, rel=1e-7)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (ca.HeavyBall(0.2, 0.5), lambda mu: 2 * (1 + mu) / 4.0),
        (ca.Nesterov(0.2, 0.5), lambda mu: 2 * (1 + mu) / (1 + 2 * mu) / 4.0),
    ],
)
def test_the_boundary_is_the_published_one(rule, limit):
    data = stability_map_data(ca.analyze(ca.gallery.toy(), rule))
    inside = data.momenta < 1
    expected = limit(data.momenta[inside])
    assert np.allclose(data.boundary[inside], expected, rtol=1e-4)
    assert data.plain_limit == pytest.approx(0.5)


def test_the_best_pair_is_polyaks():
    data = stability_map_data(ca.analyze(ca.gallery.toy(), ca.HeavyBall(0.1, 0.9)))
    low, high = math.sqrt(0.2), 2.0
    alpha, mu = 4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2
    assert data.best == pytest.approx((alpha, mu))
    assert data.best_one_minus_rate == pytest.approx(1 - math.sqrt(mu))
    assert data.chosen == (0.1, 0.9)
    assert data.one_minus_rate.max() <= data.best_one_minus_rate * (1 + 1e-9)


def test_critical_damping_is_where_the_discriminant_vanishes():
    """μ = (1 - √(αλ))² for a heavy ball."""
    data = stability_map_data(ca.analyze(ca.gallery.toy(), ca.HeavyBall(0.1, 0.9)))
    for values, lam in zip(data.critical, (0.2, 4.0), strict=True):
        for j, alpha in enumerate(data.learning_rates):
            line = (1 - math.sqrt(alpha * lam)) ** 2
            above, below = values[data.momenta > line, j], values[data.momenta < line, j]
            assert np.all(below > -1e-12)
            assert np.all(above[data.momenta[data.momenta > line] < 1] < 1e-12)


@pytest.mark.parametrize("kappa", [2.0, 20.0, 1e3, 1e6, 1e10])
def test_bands_are_few_and_the_best_is_in_the_fastest(kappa):
    data = stability_map_data(ca.analyze(ca.Spectrum.between(1.0, kappa), ca.HeavyBall))
    assert 3 <= len(data.levels) <= 8
    assert list(data.levels) == sorted(set(data.levels))
    per_digit = math.log(10) / -math.log1p(-data.best_one_minus_rate)
    assert per_digit < data.levels[0] < 12 * per_digit
    with np.errstate(all="ignore"):
        cost = math.log(10) / -np.log1p(-data.one_minus_rate)
    stable = data.one_minus_rate > 0
    used = np.unique(np.digitize(cost[stable], data.levels))
    assert len(used) >= 4  # the bands show something


def test_axes_are_logarithmic_only_where_it_helps():
    def axes_of(kappa, rule):
        data = stability_map_data(ca.analyze(ca.Spectrum.between(1.0, kappa), rule))
        return data.log_learning_rate, data.log_momentum

    assert axes_of(20.0, ca.HeavyBall) == (False, False)
    assert axes_of(1e6, ca.HeavyBall) == (True, True)
    assert axes_of(20.0, ca.HeavyBall(0.01, 0.999)) == (False, True)
    assert axes_of(20.0, ca.HeavyBall(1e-4, 0.5)) == (True, False)
    assert axes_of(20.0, ca.Nesterov(0.01, 1.3)) == (False, False)


@pytest.mark.survey
def test_the_chosen_pair_is_always_on_the_map(comparison):
    with_momentum = [
        entry
        for entry in comparison
        if entry.analysis is not None and "momentum" in entry.optimizer.values
    ]
    for entry in with_momentum[-2:]:
        data = stability_map_data(entry.analysis)
        assert data.learning_rates[0] <= data.chosen[0] <= data.learning_rates[-1]
        low, high = sorted((data.momenta[0], data.momenta[-1]))
        assert low <= data.chosen[1] <= high or data.chosen[1] == 1.0


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ca.HeavyBall, "HeavyBall: the chosen pair is the best, 6 steps per digit"),
        (
            ca.HeavyBall(0.4, 0.9),
            "HeavyBall takes 44 steps per digit here, 6 steps at the best pair",
        ),
        (ca.HeavyBall(0.9, 0.5), "α = 0.9 is beyond the boundary 0.75: HeavyBall diverges"),
        (ca.HeavyBall(0.1, 1.0), "exactly on the boundary: HeavyBall never settles"),
        (ca.Nesterov(0.1, 3.0), "Nesterov diverges at μ = 3"),
    ],
)
def test_findings(rule, expected):
    assert expected in finding(stability_map_data(ca.analyze(ca.gallery.toy(), rule)))


def test_negative_curvature_hatches_everything(compared):
    data = stability_map_data(compared("saddle")["HeavyBall"].analysis)
    assert data.escaping == -1
    assert "No pair converges" in finding(data)
    assert "no pair converges" in plot.style.to_svg(plot.stability_map(data)).decode()


def test_a_rule_without_momentum_gets_the_rate_curve():
    analysis = ca.analyze(ca.gallery.toy(), ca.GradientDescent(0.4))
    data = plot.stability_map_data(analysis)
    assert isinstance(data, RateData)
    for words in (plot.finding, plot.alt, plot.caption):
        assert words(data) == words(plot.rate_curve_data(analysis))
    assert plot.style.to_svg(plot.stability_map(analysis)) == plot.style.to_svg(
        plot.rate_curve(analysis)
    )
    assert isinstance(plot.stability_map_data(ca.analyze(ca.gallery.toy(), ca.HeavyBall)), MapData)


# -- figure 7 -------------------------------------------------------------------------------------


def test_factors_of_gradient_descent():
    data = rate_curve_data(ca.analyze(ca.Spectrum.from_eigenvalues([1.0, 2.0, 5.0]),
                                      ca.GradientDescent(0.1)))  # fmt: skip
    for lam, factor in zip((1.0, 2.0, 5.0), data.factors, strict=True):
        assert np.allclose(factor, np.abs(1 - data.learning_rates * lam), atol=1e-14)
    assert np.allclose(data.envelope, data.factors.max(axis=0))
    assert data.best == pytest.approx(2 / 6)
    assert data.best_one_minus_rate == pytest.approx(2 / 6)
    assert data.limit == pytest.approx(0.4)


def test_factors_of_a_heavy_ball():
    data = rate_curve_data(ca.analyze(ca.gallery.toy(), ca.HeavyBall(0.2, 0.3)))
    for j in range(0, len(data.learning_rates), 20):
        for lam, factor in zip((0.2, 4.0), data.factors, strict=True):
            roots = np.roots(polynomial("HeavyBall", data.learning_rates[j], 0.3, lam))
            assert factor[j] == pytest.approx(np.abs(roots).max(), abs=1e-7)


def test_only_some_of_many_directions_are_drawn(compared):
    data = rate_curve_data(compared("d = 100")["GradientDescent"].analysis)
    assert len(data.numbers) <= 8
    assert data.numbers[0] == 1
    assert data.numbers[-1] == 100


def test_a_rule_without_learning_rate_has_neither():
    class Fixed(Optimizer):
        momentum: float = 0.5

        def step(self, problem, t, theta, velocity):
            velocity = self.momentum * velocity - 0.1 * problem.gradient(theta)
            return theta + velocity, velocity

    analysis = ca.analyze(ca.gallery.toy(), Fixed())
    with pytest.raises(InputError, match="Fixed has no field learning_rate"):
        plot.stability_map_data(analysis)
    with pytest.raises(InputError, match="Fixed has no field learning_rate"):
        plot.rate_curve_data(analysis)
