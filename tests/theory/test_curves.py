"""Closed forms for any k against 60-digit matrix powers."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from cases import each
from hypothesis import assume, example, given
from hypothesis import strategies as st

from convex_analyzer.domains import Positive, Real
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.curves import decaying_sum, powers
from convex_analyzer.theory.modes import modes

pytestmark = pytest.mark.survey


class TripleMomentum(Optimizer):
    """Three slots: no closed form in trace and determinant."""

    learning_rate: Positive
    momentum: Real = 0.5
    second: Real = 0.3

    def step(self, problem, t, theta, first, other):
        first = self.momentum * first - self.learning_rate * problem.gradient(theta)
        other = self.second * other + first
        return theta + other, first, other


def exact_rule(rule, eigenvalue):
    """Return M and B written out by hand, in multi-precision."""
    a, lam = mpmath.mpf(rule.learning_rate), mpmath.mpf(eigenvalue)
    if isinstance(rule, GradientDescent):
        return mpmath.matrix([[1 - a * lam]]), mpmath.matrix([-a])
    mu = mpmath.mpf(rule.momentum)
    if isinstance(rule, HeavyBall):
        matrix = [[1 - a * lam, mu], [-a * lam, mu]]
    elif isinstance(rule, Nesterov):
        matrix = [[1 - a * lam, mu * (1 - a * lam)], [-a * lam, mu * (1 - a * lam)]]
    else:
        nu = mpmath.mpf(rule.second)
        matrix = [[1 - a * lam, mu, nu], [-a * lam, mu, 0], [-a * lam, mu, nu]]
    return mpmath.matrix(matrix), mpmath.matrix([-a] * len(matrix))


def exact_path(rule, eigenvalue, beta, start, k):
    """Return x_k, and the largest number met on the way (the scale of rounding)."""
    matrix, offset = exact_rule(rule, eigenvalue)
    size = matrix.rows
    whole = mpmath.zeros(size + 1)
    for i in range(size):
        for j in range(size):
            whole[i, j] = matrix[i, j]
        whole[i, size] = offset[i] * mpmath.mpf(beta)
    whole[size, size] = 1
    z = mpmath.zeros(size + 1, 1)
    z[0], z[size] = mpmath.mpf(start), 1
    power = whole**k
    result = power * z
    response = sum(abs(power[0, j]) for j in range(size))  # of an oscillation: its amplitude
    return result[0], abs(mpmath.mpf(start)) * response + abs(power[0, size])


def exact_radius(rule, eigenvalue):
    matrix, _ = exact_rule(rule, eigenvalue)
    if matrix.rows == 1:
        return abs(matrix[0])
    return max(abs(root) for root in mpmath.eig(matrix, left=False, right=False))


def is_close(value: float, exact: mpmath.mpf, budget: mpmath.mpf) -> bool:
    if budget > 1e270:  # out of the range of float64, or nearly
        return not np.isfinite(value) or abs(value) > 1e250 or budget > abs(exact)
    return abs(mpmath.mpf(float(value)) - exact) <= budget + mpmath.mpf(10) ** -290


RULES = [
    GradientDescent(0.1),
    GradientDescent(1.9),
    HeavyBall(0.3, 0.9),
    HeavyBall(0.01, 0.81),  # critically damped at λ = 1
    HeavyBall(3.7, 0.9),
    HeavyBall(0.5, 0.0),
    HeavyBall(1e-3, 1.0),
    HeavyBall(1e-6, 0.999),
    Nesterov(0.3, 0.9),
    Nesterov(1.2, 0.9),
    Nesterov(1.0, 0.5),
    Nesterov(0.3, 1.3),
    Nesterov(0.3, -0.3),
    Nesterov(1.5, -2.0),
    TripleMomentum(0.1),
]
EIGENVALUES = [1.0, 0.0, 1e-3, 1e-8, 1e-12, -0.01, 2.0, 1e6]


@each("rule", RULES, ids=str)
@each("eigenvalue", EIGENVALUES)
def test_closed_forms_at_any_number_of_steps(rule, eigenvalue):
    """Points to the rounding of the start; deviations from the minimum to their own."""
    steps = (0, 1, 2, 3, 10, 40, 1000, 10**6)
    pushed = analyze(Spectrum.from_eigenvalues([eigenvalue], [0.3]), rule)
    points = pushed.predict([0.7], steps)[:, 0]
    deviations = analyze(Spectrum.from_eigenvalues([eigenvalue]), rule).errors([1.0], steps)[:, 0]
    with mpmath.workdps(60):
        for k, point, deviation in zip(steps, points, deviations, strict=True):
            # relative to the terms; rounding of the phase grows with k
            relative = 1e-12 + 1e-15 * min(k, 10**6)
            exact, scale = exact_path(rule, eigenvalue, 0.3, 0.7, k)
            assert is_close(point, exact, relative * max(scale, 1)), k
            exact, scale = exact_path(rule, eigenvalue, 0.0, 1.0, k)
            exact -= eigenvalue == 0  # along a flat direction: from the start
            assert is_close(deviation, exact, relative * (max(scale, 1) if k < 2 else scale)), k


@each("rule", RULES[:-1], ids=str)
@each("eigenvalue", [v for v in EIGENVALUES if v])
def test_one_minus_the_radius_has_all_its_digits(rule, eigenvalue):
    with mpmath.workdps(60):
        truth = 1 - exact_radius(rule, eigenvalue)
        found = modes(rule, np.array([eigenvalue])).one_minus_rate[0]
        assert abs(mpmath.mpf(float(found)) - truth) <= 1e-13 * abs(truth) + mpmath.mpf(10) ** -29


@example(alpha=1.0, momentum=0.0, eigenvalue=-1e-5, k=4, nesterov=False)
@example(alpha=1.0, momentum=0.3, eigenvalue=-1e-7, k=150, nesterov=True)
@given(
    alpha=st.floats(1e-6, 4.0),
    momentum=st.floats(-1.0, 1.2),
    eigenvalue=st.floats(-1.0, 4.0).filter(lambda x: x == 0 or abs(x) > 1e-9),
    k=st.integers(0, 200),
    nesterov=st.booleans(),
)
def test_random_rules(alpha, momentum, eigenvalue, k, nesterov):
    rule = (Nesterov(alpha) if nesterov else HeavyBall(alpha)).unchecked(momentum=momentum)
    with mpmath.workdps(60):
        exact, scale = exact_path(rule, eigenvalue, 0.5, 2.0, k)
        assume(scale < 1e200)
        truth = 1 - exact_radius(rule, eigenvalue)
        found = analyze(Spectrum.from_eigenvalues([eigenvalue], [0.5]), rule)
        budget = 2e-12 * max(scale, 2)
        assert abs(mpmath.mpf(float(found.predict([2.0], k)[0])) - exact) <= budget
        w = found.modes.one_minus_rate[0]
        assert abs(mpmath.mpf(float(w)) - truth) <= 1e-12 * abs(truth) + mpmath.mpf(10) ** -15


@pytest.mark.parametrize("rule", [HeavyBall(0.01, 0.81), Nesterov(0.1, 0.9), GradientDescent(0.1)])
def test_roots_and_fixed_points(rule):
    for eigenvalue in (0.3, 1.0, 5.0):
        found = modes(rule, np.array([eigenvalue]))
        matrix, offset = exact_rule(rule, eigenvalue)
        size = matrix.rows
        identity = mpmath.eye(size)
        with mpmath.workdps(40):
            fixed = mpmath.lu_solve(identity - matrix, offset)
            for i in range(size):
                assert found.fixed[0, i] == pytest.approx(float(fixed[i]), rel=1e-14, abs=1e-15)
            for root in found.roots[0]:
                value = mpmath.det(mpmath.mpc(complex(root)) * identity - matrix)
                assert abs(value) < 1e-14
        assert abs(found.roots[0, 0]) >= abs(found.roots[0, -1])


def test_a_growing_root_that_is_not_excited_stays_unseen():
    """Nesterov with μ > 1 along a flat direction, at rest: it stays where it is for ever."""
    analysis = analyze(Spectrum.from_eigenvalues([0.0, 1.0]), Nesterov(0.3, 1.3))
    path = analysis.predict([2.0, 0.0], [0, 10, 10**4, 10**9])
    assert path[:, 0].tolist() == [2.0, 2.0, 2.0, 2.0]


def test_infinities_have_their_reason():
    """A diverging direction overflows to infinity, never to NaN."""
    for rule in (
        GradientDescent(3.0),
        HeavyBall(5.0, 0.5),
        Nesterov(3.0, 0.5),
        TripleMomentum(5.0),
    ):
        analysis = analyze(Spectrum.from_eigenvalues([1.0], [0.5]), rule)
        values = analysis.predict([1.0], [10, 10**3, 10**6, 10**9])[:, 0]
        assert not np.isnan(values).any()
        assert np.isinf(values[-1])
        gaps = analysis.gap([1.0], [10, 10**6])
        assert np.isinf(gaps[-1])
        assert not np.isnan(gaps).any()


def test_step_counts_beyond_all_integers():
    analysis = analyze(Spectrum.from_eigenvalues([1e-20, 1.0]), GradientDescent(1.0))
    assert analysis.predict([1.0, 1.0], 1e20)[0] == pytest.approx(np.exp(-1.0), rel=1e-12)
    assert analysis.gap([1.0, 1.0], 1e30) == 0.0


# -- pieces -------------------------------------------------------------------------------------


@given(st.lists(st.floats(-5.0, 0.0), min_size=1, max_size=40), st.data())
def test_sums_of_exponentials(logs, data):
    size = len(logs)
    weights = np.array(data.draw(st.lists(st.floats(-2, 2), min_size=size, max_size=size)))
    steps = np.array(data.draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=80)))
    found = decaying_sum(np.array(logs), weights, steps)
    for k, value in zip(steps, found, strict=True):
        truth = float(np.sum(weights * np.exp(k * np.array(logs))))
        assert value == pytest.approx(truth, rel=1e-12, abs=1e-12)


def test_a_factor_of_zero_counts_at_the_start_only():
    found = decaying_sum(np.array([-np.inf, -1.0]), np.array([5.0, 1.0]), np.array([0, 1, 2]))
    assert found == pytest.approx([6.0, np.exp(-1), np.exp(-2)])


def test_powers_by_squaring():
    rng = np.random.default_rng(0)
    matrix, vector = rng.normal(size=(3, 4, 4)) / 2, rng.normal(size=(3, 4))
    for count in (0, 1, 2, 13):
        truth = [np.linalg.matrix_power(m, count) @ v for m, v in zip(matrix, vector, strict=True)]
        assert powers(matrix, count, vector) == pytest.approx(np.array(truth), rel=1e-10, abs=1e-12)


def test_loss_is_split_between_directions():
    rng = np.random.default_rng(3)
    root = rng.normal(size=(4, 4))
    problem = Quadratic(root @ root.T, rng.normal(size=4))
    analysis = analyze(problem, HeavyBall(0.05, 0.8))
    start, steps = rng.normal(size=4), np.array([0, 1, 5, 50])
    parts = analysis.gap_by_direction(start, steps)
    assert parts.shape == (4, 4)
    assert parts.sum(axis=1) == pytest.approx(analysis.gap(start, steps), rel=1e-12)
    for k, gap in zip(steps, analysis.gap(start, steps), strict=True):
        point = analysis.predict(start, int(k))
        assert problem.value(point) - problem.minimum == pytest.approx(gap, rel=1e-9, abs=1e-13)
    assert analysis.gap_by_direction(start, 5) == pytest.approx(parts[2])
    assert analysis.gap(start, 5) == pytest.approx(parts[2].sum())
