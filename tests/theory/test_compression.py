"""Curves along many eigenvalues: nodes against the sum over all, and that against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.optimizers import registered
from convex_analyzer.theory.compression import ACCURACY, Compression
from convex_analyzer.theory.curves import propagate
from convex_analyzer.theory.dynamics import Dynamics, from_rest
from convex_analyzer.theory.modes import MANY, ManyModes, modes
from convex_analyzer.theory.squares import sum_of_squares, unit_response
from convex_analyzer.theory.worst import worst_from_rest

ALL = registered()
SIZE = MANY + 5000

SPECTRA = {
    "geometric": np.geomspace(1e-4, 1.0, SIZE),
    "uniform": np.sort(np.random.default_rng(0).uniform(1e-3, 1.0, SIZE)),
    "clustered": np.sort(
        np.repeat([0.01, 0.3, 1.0], SIZE // 3)
        * (1 + 1e-7 * np.random.default_rng(1).normal(size=3 * (SIZE // 3)))
    ),
    "few values": np.repeat([0.002, 0.5, 0.9, 1.0], SIZE // 4),
}
RULES = [
    ca.GradientDescent(1.9),
    ca.HeavyBall(3.6, 0.95),
    ca.HeavyBall(0.02, 0.5),
    ca.Nesterov(1.2, 0.96),
    ALL["QHM"](0.3),
    ALL["Newton"](),  # no polynomial of λ
    ca.HeavyBall(3.95, 0.9),  # diverges along some
]
LINEAR = [rule for rule in RULES if not str(rule).startswith("Newton")]


def by_squaring(rule, values, k):
    """p_k(λ) by powers of the 2 x 2 matrices written by hand."""
    a = rule.learning_rate * values
    mu = getattr(rule, "momentum", 0.0)
    if isinstance(rule, ca.Nesterov):
        matrix = [[1 - a, mu * (1 - a)], [-a, mu * (1 - a)]]
    else:
        matrix = [[1 - a, mu + 0 * a], [-a, mu + 0 * a]]
    power = np.linalg.matrix_power(np.array(matrix).transpose(2, 0, 1), k)
    return power[:, 0, 0]


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_nodes_carry_the_sums(rule, name):
    values = SPECTRA[name]
    weights = values * np.random.default_rng(2).normal(size=len(values)) ** 2
    k = np.unique(np.floor(np.geomspace(1, 1e6, 25)) - 1)
    found = Compression(lambda some: modes(rule, some), values).curve(weights)(k)
    truth = sum_of_squares(modes(rule, values), weights, k).sums
    known = np.isfinite(found) & np.isfinite(truth)
    if str(rule).startswith("Newton"):
        assert not known.any()
        return
    assert known[:8].all()
    assert np.all(np.abs(found - truth)[known] <= ACCURACY / 10 * truth[known])


@pytest.mark.parametrize("rule", [ca.GradientDescent(1.9), ca.HeavyBall(3.6, 0.95), RULES[3]])
def test_the_public_curve_against_powers_of_matrices(rule):
    """Small k, where powers are accurate; b moves the minimiser."""
    values, rng = SPECTRA["geometric"], np.random.default_rng(3)
    start, linear = rng.normal(size=SIZE), values * rng.normal(size=SIZE)
    analysis = ca.analyze(ca.Spectrum.from_eigenvalues(values, linear), rule)
    away = start + linear / values
    for k in (0, 1, 2, 7, 40, 333, 2000):
        truth = float((values * (by_squaring(rule, values, k) * away) ** 2).sum() / 2)
        assert analysis.gap(start, k) == pytest.approx(truth, rel=ACCURACY)
    assert isinstance(analysis.modes, ManyModes)
    assert "matrix" not in vars(analysis.modes) or rule.learning_rate > 3  # no node was too few


def test_the_tail_against_many_digits():
    """At the end one direction is left, at 1e-250 of the start, and the digits are still there."""
    values = np.geomspace(1e-3, 1.0, SIZE)
    rule = ca.GradientDescent(1.0)
    analysis = ca.analyze(ca.Spectrum.from_eigenvalues(values), rule)
    for k in (10**4, 10**5, 287_000):
        with mpmath.workdps(40):
            terms = [mpmath.mpf(v) * (1 - mpmath.mpf(v)) ** (2 * k) for v in values[:4000]]
            truth = float(mpmath.fsum(terms) / 2)
        assert analysis.gap(np.ones(SIZE), k) == pytest.approx(truth, rel=1e-12)


def test_squares_are_those_of_the_sequence():
    values = np.concatenate([[0.0, 1e-9], np.geomspace(1e-5, 1.0, 300)])
    weights = np.random.default_rng(4).normal(size=len(values))
    k = np.array([0.0, 1, 2, 3, 10, 11, 100, 1001, 50_000])
    for rule in [*LINEAR, ca.HeavyBall(1.0, 1.0), ca.Nesterov(1.1, -0.4), ca.HeavyBall(0.5, 0.0)]:
        every = modes(rule, values)
        first, change = unit_response(every)
        with np.errstate(all="ignore"):
            terms = propagate(every, first, change, k) ** 2 * weights
        truth, scale = terms.sum(axis=1), np.abs(terms).sum(axis=1)
        kept = scale < 1e290
        found = sum_of_squares(every, weights, k).sums
        assert kept.sum() >= 6
        assert np.all(np.abs(found[kept] - truth[kept]) <= 1e-12 * scale[kept] + 1e-290)


def test_a_start_that_skips_the_slow_directions():
    """Groups are judged by the slowest; where that has no weight, all directions are summed."""
    values = SPECTRA["geometric"]
    start = np.where(values > 0.01, 1.0, 0.0)
    faint = np.where(values > 0.01, 1.0, 1e-100)
    for rule in (ca.GradientDescent(1.0), ca.Nesterov(1.0, 0.9)):
        analysis = ca.analyze(ca.Spectrum.from_eigenvalues(values), rule)
        alone = ca.analyze(ca.Spectrum.from_eigenvalues(values[values > 0.01]), rule)
        k = np.array([0, 10, 100, 1000, 10_000])
        truth = alone.gap(np.ones(np.count_nonzero(start)), k)
        np.testing.assert_allclose(analysis.gap(start, k), truth, rtol=ACCURACY)
        np.testing.assert_allclose(analysis.gap(faint, k[:4]), truth[:4], rtol=ACCURACY)


def test_where_the_end_is_not_the_minimum_all_directions_are_summed():
    values = SPECTRA["uniform"]
    decayed = ALL["WeightDecay"](ca.GradientDescent(0.5), 0.05)
    linear = np.linspace(-1, 1, SIZE)
    start, k = np.ones(SIZE), np.array([0, 5, 500])
    analysis = ca.analyze(ca.Spectrum.from_eigenvalues(values, linear), decayed)
    truth = analysis.gap_by_direction(start, k).sum(axis=1)
    np.testing.assert_allclose(analysis.gap(start, k), truth, rtol=1e-12)
    # slope along a flat direction
    values = np.concatenate([[0.0], values])
    linear = np.concatenate([[1.0], linear])
    sloped = ca.analyze(ca.Spectrum.from_eigenvalues(values, linear), ca.GradientDescent(0.5))
    assert sloped.gap(np.zeros(SIZE + 1), 10**6) < -4e5


def test_counts_are_those_of_all_directions():
    values = SPECTRA["geometric"]
    start = np.random.default_rng(5).normal(size=SIZE)
    for rule in (ca.GradientDescent(1.9), ca.HeavyBall(3.6, 0.95)):
        analysis = ca.analyze(ca.Spectrum.from_eigenvalues(values), rule)
        every = modes(rule, values)
        for criterion, weights in (("gap", values * start**2), ("norm", start**2)):
            goal = 1e-3 if criterion == "gap" else 1e-6
            found = analysis.steps_to(1e-3, start, criterion)
            around = sum_of_squares(every, weights, np.array([found - 1.0, found])).sums
            assert around[0] > goal * weights.sum() >= around[1]


def test_the_worst_direction_is_found_without_looking_at_all():
    k = np.unique(np.floor(np.geomspace(1, 1e7, 16)) - 1)
    values = np.concatenate([[0.0], SPECTRA["geometric"]])
    active = values > 0
    for rule in (LINEAR[0], LINEAR[1], LINEAR[3], LINEAR[5]):
        every = modes(rule, values)
        found = worst_from_rest(every, k, active)
        truth = [np.abs(from_rest(every.take(np.flatnonzero(active)), c)).max() for c in k[:, None]]
        np.testing.assert_allclose(found, truth, rtol=1e-14)
    assert worst_from_rest(every, k, ~active & False).tolist() == [1.0] * len(k)


def test_many_directions_are_computed_when_asked_for():
    rule, values = ca.HeavyBall(0.1, 0.5), SPECTRA["geometric"]
    lazy = modes(rule, values)
    assert isinstance(lazy, ManyModes)
    assert lazy.slots == 2
    assert lazy.take(np.array([3, 5])).eigenvalues.tolist() == values[[3, 5]].tolist()
    assert "matrix" not in vars(lazy)
    assert lazy.roots.shape == (SIZE, 2)
    assert len(lazy.take(slice(0, 7)).trace) == 7
    with pytest.raises(AttributeError):
        _ = lazy.nothing
    assert Dynamics(lazy, 0 * values).gap(np.ones(SIZE), np.zeros(1))[0] == pytest.approx(
        values.sum() / 2
    )
