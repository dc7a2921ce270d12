"""From `step` to matrices: against unit states, symbols, and rules that cannot be linearised."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer import ops
from convex_analyzer.domains import Positive, Real, UnitInterval
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.precise import DoubleDouble, Polynomial
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.iteration import linearise, precise_iteration
from convex_analyzer.theory.modes import modes


class Extragradient(Optimizer):
    """Two gradients per step: M = 1 - αλ + (αλ)²."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        middle = theta - self.learning_rate * problem.gradient(theta)
        return theta - self.learning_rate * problem.gradient(middle)


class WeightDecay(Optimizer):
    """Decoupled decay: ends elsewhere than at the minimum."""

    learning_rate: Positive
    decay: Real = 0.1

    def step(self, problem, t, theta):
        return theta - self.learning_rate * (problem.gradient(theta) + self.decay * theta)


class LookAheadReport(Optimizer):
    """Nesterov in the parameters that torch keeps: reports the look-ahead point."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, velocity):
        ahead = theta + self.momentum * velocity
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(ahead)
        return theta + velocity, velocity

    def report(self, theta, velocity):
        return theta + self.momentum * velocity


class WarmStart(Optimizer):
    """Memory that starts at the first gradient (as torch's first buffer with dampening)."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def start(self, problem, theta):
        return (problem.gradient(theta),)

    def step(self, problem, t, theta, buffer):
        buffer = self.momentum * buffer + (1 - self.momentum) * problem.gradient(theta)
        return theta - self.learning_rate * buffer, buffer


class Newton(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        direction = problem.inverse_hessian_vector(theta, problem.gradient(theta))
        return theta - self.learning_rate * direction


class Curvature(Optimizer):
    """Uses a Hessian product."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        twice = problem.hessian_vector(theta, gradient)
        return theta - self.learning_rate * (gradient - self.learning_rate * twice / 2)


class MemoryCalledB(Optimizer):
    """A slot may have any name, also those of the linear term and of the noise."""

    learning_rate: Positive
    momentum: UnitInterval = 0.9

    def step(self, problem, t, theta, b, noise1):
        b = self.momentum * b - self.learning_rate * problem.gradient(theta)
        return theta + b, b, noise1


def numbers(entries):
    return np.array([[float(e) for e in row] for row in entries])


def test_the_textbook_matrices():
    """THEORY 2.2, written out."""
    alpha, mu, lam = 0.1, 0.8, 3.0
    s = alpha * lam
    heavy = linearise(HeavyBall(alpha, mu), lam)
    assert numbers(heavy.matrix) == pytest.approx(np.array([[1 - s, mu], [-s, mu]]))
    assert heavy.offset == (-alpha, -alpha)
    assert heavy.noise == ((-alpha, -alpha),)
    assert heavy.slots == ("theta", "velocity")
    assert heavy.report == (1, 0)
    assert heavy.start == (1, 0)
    assert heavy.start_offset == (0, 0)
    assert heavy.is_linear
    nesterov = linearise(Nesterov(alpha, mu), lam)
    expected = np.array([[1 - s, mu * (1 - s)], [-s, mu * (1 - s)]])
    assert numbers(nesterov.matrix) == pytest.approx(expected)
    assert numbers(nesterov.minus_identity) == pytest.approx(expected - np.eye(2))


@given(
    st.floats(-0.999, 0.999),
    st.floats(1e-3, 3.0),
    st.floats(-2.0, 5.0),
    st.sampled_from([HeavyBall, Nesterov, LookAheadReport, WarmStart, MemoryCalledB]),
)
def test_matrix_minus_identity_and_its_numbers_agree(mu, alpha, lam, cls):
    rule = cls(alpha).unchecked(momentum=mu)
    found = linearise(rule, lam)
    size = len(found.slots)
    shifted = numbers(found.matrix) - np.eye(size)
    assert numbers(found.minus_identity) == pytest.approx(shifted, rel=1e-12, abs=1e-15)
    precise = precise_iteration(rule, np.array([lam]))
    for row, other in zip(precise.matrix, found.matrix, strict=True):
        for entry, number in zip(row, other, strict=True):
            value = entry.to_float() if isinstance(entry, DoubleDouble) else entry
            assert float(np.ravel(value)[0]) == pytest.approx(float(number), rel=1e-14, abs=1e-15)


def test_tiny_steps_leave_the_identity_with_all_digits():
    found = linearise(HeavyBall(0.1).unchecked(momentum=DoubleDouble(0.9)), 1e-200)
    assert found.minus_identity[0][0] == pytest.approx(-1e-201, rel=1e-15, abs=0)
    assert found.matrix[0][0] == 1.0


def test_several_gradients_and_hessian_products():
    alpha, lam = 0.3, 2.0
    s = alpha * lam
    found = linearise(Extragradient(alpha), lam)
    assert numbers(found.matrix)[0, 0] == pytest.approx(1 - s + s * s)
    assert len(found.noise) == 2
    assert float(found.noise[1][0]) == pytest.approx(-alpha)
    assert float(found.offset[0]) == pytest.approx(-alpha * (1 - s))
    found = linearise(Curvature(alpha), lam)
    assert numbers(found.matrix)[0, 0] == pytest.approx(1 - s + s * s / 2)
    assert float(found.offset[0]) == pytest.approx(-alpha * (1 - s / 2))
    found = linearise(Newton(0.5), lam)
    assert numbers(found.matrix)[0, 0] == pytest.approx(0.5)
    assert float(found.offset[0]) == pytest.approx(-0.25)


def test_slots_may_have_any_name():
    found = modes(MemoryCalledB(0.3, 0.9), np.array([1.0]))
    plain = modes(HeavyBall(0.3, 0.9), np.array([1.0]))
    assert found.offset[0].tolist() == [-0.3, -0.3, 0.0]
    assert found.matrix[0, :2, :2] == pytest.approx(plain.matrix[0])


def test_reports_and_starts():
    look = linearise(LookAheadReport(0.1, 0.9), 2.0)
    assert look.report == (1, 0.9)
    warm = linearise(WarmStart(0.1), 2.0)
    assert warm.start == (1, 2.0)
    assert warm.start_offset == (0, 1)


@each("cls", [LookAheadReport, WarmStart, WeightDecay, Extragradient, Newton])
def test_any_linear_rule_gets_its_closed_form(cls):
    """Closed form against a loop, with reports, starts and fixed points of its own."""
    lam, beta, rule = np.array([0.3, 2.0]), np.array([0.5, -1.0]), cls(0.2)
    analysis = analyze(Spectrum.from_eigenvalues(lam, beta), rule)

    class Plain:
        def gradient(self, x):
            return lam * x + beta

        def inverse_hessian_vector(self, x, v):
            return v / lam

    state = (np.array([3.0, -2.0]), *rule.start(Plain(), np.array([3.0, -2.0])))
    for k in range(40):
        assert analysis.predict([3.0, -2.0], k) == pytest.approx(rule.report(*state), rel=1e-11)
        deviation = rule.report(*state) + beta / lam
        assert analysis.errors([3.0, -2.0], k) == pytest.approx(deviation, rel=1e-10, abs=1e-13)
        returned = rule.step(Plain(), k + 1, *state)
        state = returned if isinstance(returned, tuple) else (returned,)


def test_decoupled_decay_ends_elsewhere():
    lam, beta = np.array([1.0, 4.0]), np.array([1.0, 2.0])
    analysis = analyze(Spectrum.from_eigenvalues(lam, beta), WeightDecay(0.1, 0.5))
    end = analysis.predict([9.0, 9.0], 10**6)
    assert end == pytest.approx(-beta / (lam + 0.5), rel=1e-12)  # THEORY 1.10
    assert analysis.errors([9.0, 9.0], 10**6) == pytest.approx(end + beta / lam, rel=1e-10)


# -- numbers of every kind -----------------------------------------------------------------------


def test_symbols():
    alpha, mu, lam = sympy.symbols("alpha mu lambda", positive=True)
    rule = HeavyBall(0.1).unchecked(learning_rate=alpha, momentum=mu)
    found = sympy.Matrix(linearise(rule, lam).matrix)
    z = sympy.Symbol("z")
    polynomial = sympy.expand((z * sympy.eye(2) - found).det())
    assert sympy.expand(polynomial - (z**2 - (1 + mu - alpha * lam) * z + mu)) == 0


def test_fractions_and_polynomials():
    rule = HeavyBall(0.1).unchecked(learning_rate=Polynomial([0, 1]), momentum=Fraction(1, 2))
    found = linearise(rule, Fraction(2))
    assert found.matrix[0][0] == Polynomial([1, -2])
    assert found.matrix[0][1] == Fraction(1, 2)


def test_symbolic_settings_have_no_numeric_analysis():
    with pytest.raises(NotDerivableError, match="learning_rate is a symbol"):
        modes(GradientDescent(0.1).unchecked(learning_rate=sympy.Symbol("a")), np.array([1.0]))


# -- rules that depend on t ----------------------------------------------------------------------

LOOKS = {
    "divides": lambda t: 0.1 / t,
    "power": lambda t: 0.9**t,
    "compares": lambda t: 0.1 if t > 5 else 0.2,
    "remainder": lambda t: 0.1 * (t % 2),
    "float": lambda t: 0.1 * float(t),
    "truth": lambda t: 0.1 if t else 0.2,
    "counts": lambda t: 0.1 * len(range(t)),
    "looks up": lambda t: {1: 0.1}.get(t, 0.2),
    "root": lambda t: 0.1 / ops.sqrt(t),
    "largest": lambda t: 0.1 / ops.maximum(t, 3),
    "negates": lambda t: 0.1 / -t,
    "absolute": lambda t: 0.1 * abs(t),
}


@each("way", LOOKS)
def test_looking_at_the_index_is_noticed(way):
    class Looking(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - LOOKS[way](t) * self.learning_rate * problem.gradient(theta)

    with pytest.raises(NotDerivableError, match=r"depends on t.*declare `period`"):
        linearise(Looking(0.1), 1.0)
    at_seven = LOOKS[way](7)

    class Declared(Looking):
        period = None

    found = linearise(Declared(0.5), 2.0, t=7)
    assert float(found.matrix[0][0]) == pytest.approx(1 - at_seven)
    with pytest.raises(NotDerivableError, match="never repeats"):
        modes(Declared(0.5), np.array([1.0]))


def test_the_index_is_an_integer_for_symbols_too():
    class Decay(Optimizer):
        learning_rate: Positive
        period = None

        def step(self, problem, t, theta):
            return theta - self.learning_rate / t * problem.gradient(theta)

    alpha, lam = sympy.symbols("alpha lambda", positive=True)
    found = linearise(Decay(0.1).unchecked(learning_rate=alpha), lam, t=3)
    assert sympy.simplify(found.matrix[0][0] - (1 - alpha * lam / 3)) == 0


def test_a_declared_period_is_multiplied_out():
    """Steps of factors 1 - 2a, 1 - a, ...: the rate per step is their geometric mean."""

    class Alternating(Optimizer):
        learning_rate: Positive
        period = 2

        def step(self, problem, t, theta):
            factor = self.learning_rate * (1 + t % 2)
            return theta - factor * problem.gradient(theta)

    found = analyze(Spectrum.from_eigenvalues([1.0]), Alternating(0.1))
    assert found.scope == "periodic"
    assert found.rate == pytest.approx(math.sqrt(0.8 * 0.9), rel=1e-15)
    assert found.one_minus_rate == pytest.approx(1 - math.sqrt(0.72), rel=1e-14)
    assert found.steps_to(0.5, [1.0], "norm") == 5  # 0.8, 0.72, 0.576, 0.5184, 0.41472
    ((low, high),) = found.stable_learning_rates  # |(1 - 2a)(1 - a)| < 1
    assert (low, high) == (0.0, 1.5)


# -- rules that are not linear -------------------------------------------------------------------


class SignDescent(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        return theta - self.learning_rate * ops.sign(problem.gradient(theta))


class Clipped(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        gradient = problem.gradient(theta)
        small = ops.where(ops.absolute(gradient) > 1.0, ops.sign(gradient), gradient)
        return theta - self.learning_rate * small


class RootMeanSquare(Optimizer):
    learning_rate: Positive
    decay: UnitInterval = 0.9
    eps: Positive = 1e-8

    def step(self, problem, t, theta, squares):
        gradient = problem.gradient(theta)
        squares = self.decay * squares + (1 - self.decay) * gradient * gradient
        return theta - self.learning_rate * gradient / (ops.sqrt(squares) + self.eps), squares


@pytest.mark.parametrize(
    ("cls", "reason"),
    [
        (SignDescent, "the sign of the state"),
        (Clipped, "a branch on the state"),
        (RootMeanSquare, "a square root of the state"),
    ],
)
def test_reasons_are_given(cls, reason):
    assert reason in linearise(cls(0.1), 1.0).reasons
    with pytest.raises(NotDerivableError, match=f"{cls.__name__} is not linear.*{reason}"):
        modes(cls(0.1), np.array([1.0]))
    analysis = analyze(Spectrum.from_eigenvalues([1.0]), cls(0.1))
    assert analysis.scope == "local"
    with pytest.raises(NotDerivableError, match="only what happens next to the minimum"):
        analysis.predict([1.0], 10)


def test_a_kink_at_the_minimum_leaves_nothing_to_analyse():
    with pytest.raises(NotDerivableError, match=r"not differentiable at the minimum \(the sign"):
        _ = analyze(Spectrum.from_eigenvalues([1.0]), SignDescent(0.1)).rate


def test_local_analysis_needs_no_formula():
    """RMSProp: αλ/ε < 2; clipping far away does not matter next to the minimum."""
    spectrum = Spectrum.from_eigenvalues([0.5, 4.0])
    limit = analyze(spectrum, RootMeanSquare(1e-3, eps=1e-2)).stability_limit
    assert limit == pytest.approx(2 * 1e-2 / 4.0, rel=1e-12)
    clipped = analyze(spectrum, Clipped(0.1))
    assert clipped.stability_limit == pytest.approx(0.5, rel=1e-12)
    assert clipped.rate == pytest.approx(0.95)


def test_local_slopes_of_a_nonlinear_rule():
    """As dual numbers: RMSProp near its minimum steps by α/ε along the gradient."""
    found = linearise(RootMeanSquare(1e-3, eps=1e-2), 2.0)
    assert float(found.matrix[0][0]) == pytest.approx(1 - 0.1 * 2.0)
    away = linearise(Clipped(0.5), 2.0, at={"theta": 0.1})
    assert float(away.matrix[0][0]) == pytest.approx(0.0)
    clipped = linearise(Clipped(0.5), 2.0, at={"theta": 3.0})
    assert float(clipped.matrix[0][0]) == pytest.approx(1.0)


def test_what_forms_cannot_do_is_a_sentence():
    class Reads(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * problem.gradient(theta).sum()

    class Casts(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * math.sqrt(problem.gradient(theta))

    for cls in (Reads, Casts):
        with pytest.raises(NotDerivableError, match=cls.__name__):
            linearise(cls(0.1), 1.0)


def test_an_affine_rule_is_not_linear():
    class Drifts(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * problem.gradient(theta) + 0.5

    assert linearise(Drifts(0.1), 1.0).reasons == ("a constant added to the state",)


def test_coefficients_per_coordinate_are_no_matrix():
    """A hidden diagonal preconditioner does not turn with the eigenbasis."""
    weights = np.array([1.0, 2.0])

    class Weighted(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * weights * problem.gradient(theta)

    with pytest.raises(NotDerivableError, match="one number per coordinate"):
        modes(Weighted(0.1), np.array([1.0, 2.0]))


def test_a_slot_that_is_a_constant():
    class Resets(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta, memory):
            return theta - self.learning_rate * problem.gradient(theta), 0.0

    found = linearise(Resets(0.1), 2.0)
    assert numbers(found.matrix) == pytest.approx(np.array([[0.8, 0.0], [0.0, 0.0]]))
    assert numbers(found.minus_identity) == pytest.approx(np.array([[-0.2, 0.0], [0.0, -1.0]]))
