"""How far local models reach, and the corners of the tools below them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.comparison.local import follow
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.problems.calls import ScalarCall, VectorCall
from convex_analyzer.problems.differences import numeric_gradient
from convex_analyzer.problems.hessians import numeric_hessian
from convex_analyzer.problems.intervals import largest_size
from convex_analyzer.problems.local import local_quadratic
from convex_analyzer.problems.local_reach import polynomial_basin
from convex_analyzer.problems.smooth import SmoothProblem, SymbolicProblem
from convex_analyzer.simulation.engine import simulate

x, y = sympy.symbols("x y", real=True)

RANGES = [
    x**2 - 3 * x + 1,
    (x - y) ** 3 / (1 + y**2),
    sympy.exp(x) * sympy.sin(3 * y) - sympy.cos(x * y),
    sympy.tanh(x) + sympy.sinh(y) * sympy.cosh(x),
    sympy.log(3 + x) * sympy.sqrt(2 + y),
    abs(x - y) ** 3 + sympy.pi * x,
    sympy.tan(x / 3),
    (2 + x) ** y + sympy.sqrt(2),
    1 / (2 + x) ** 2,
    sympy.Rational(7, 3) + 0 * x,
]


@each("expression", RANGES, ids=str)
def test_no_value_in_a_box_exceeds_its_bound(expression):
    box = {x: (-0.7, 1.1), y: (0.2, 0.9)}
    bound = largest_size(expression, box)
    points = np.random.default_rng(0).uniform((-0.7, 0.2), (1.1, 0.9), size=(4000, 2))
    values = np.abs(sympy.lambdify((x, y), expression)(*points.T)) + np.zeros(4000)
    assert np.max(values) <= bound <= 8 * np.max(values)


def test_singular_and_unknown_ranges_are_told_apart():
    box = {x: (-1.0, 1.0)}
    for expression in (1 / x, sympy.log(x), sympy.sqrt(x), x ** sympy.Rational(-3, 2)):
        assert largest_size(expression, box) == math.inf
    for expression in (sympy.exp(900 * x), sympy.exp(sympy.exp(9 * x))):
        assert largest_size(expression, box) == math.inf
    for expression in (sympy.Max(x, 0), sympy.erf(x), sympy.Integral(sympy.exp(-(x**2)), x)):
        assert largest_size(expression, box) is None


def test_a_model_near_a_singularity_reaches_as_far_as_it():
    model = local_quadratic("log(x)", at=1)
    assert model.taylor_error(0.5).bound == pytest.approx(2 / 0.5**3 * 0.5**3 / 6)
    assert model.taylor_error(1.5).bound == math.inf
    assert 0 < model.model_radius() < 1
    assert "Lipschitz" in str(model.taylor_error(0.5))
    measured = local_quadratic(math.log, at=1.0)
    assert measured.model_radius() == pytest.approx(model.model_radius(), rel=0.3)
    assert local_quadratic("3*x", at=0).model_radius() == 0


def test_only_polynomials_of_one_variable_have_an_exact_basin():
    half = sympy.Rational(1, 2)

    def basin(expression, symbols=(x,), minimum=sympy.S.Zero, rate=half):
        return polynomial_basin(SymbolicProblem(expression, symbols), minimum, rate)

    assert basin(x**2 + y**2, (x, y)) is None
    assert basin(sympy.cosh(x)) is None
    assert basin(x**2 + x**8) is None
    assert basin(sympy.sqrt(2) * x**2 + x**4) is None
    assert polynomial_basin(SmoothProblem(), 0, half) is None
    (low, high), edge = basin(x**2 / 2)
    assert (low, high, edge) == (-math.inf, math.inf, "a parabola has no end")
    numeric = local_quadratic(lambda t: t**2 / 2 + t**4 / 4, at=0.0).basin(0.5)
    assert numeric.interval is None
    assert numeric.kind == "heuristic"
    assert numeric.radius == pytest.approx(math.sqrt(1 / 3), rel=0.05)


# -- corners of the tools --------------------------------------------------------------------


def test_long_complex_gradients_are_checked_along_random_directions():
    d = 201
    weights = np.linspace(1, 2, d)
    found = numeric_gradient(lambda t: np.sum(weights * t**3), np.ones(d))
    assert found.method == "complex step"
    np.testing.assert_allclose(found.value, 3 * weights, rtol=1e-14)
    deceived = numeric_gradient(lambda t: np.sum(weights * np.abs(t) ** 3) + 0j * t[0], np.ones(d))
    assert deceived.method == "central differences"
    np.testing.assert_allclose(deceived.value, 3 * weights, rtol=1e-7)


def test_results_compare_and_print():
    one, same, other = (numeric_gradient(lambda t: t @ t, [1.0, a]) for a in (2.0, 2.0, 3.0))
    assert one == same != other
    assert "complex step" in str(one)
    assert one.words == ""
    assert numeric_gradient(lambda t: 0.0, [1.0]).relative_error == 0
    corner = numeric_gradient(lambda t: np.sum(np.abs(t)), np.zeros(9))
    assert corner.words.endswith("θ[5] and 3 more")


def test_a_function_that_answers_differently_each_time_is_refused():
    generator = np.random.default_rng(0)

    def noisy(t):
        return float(t @ t) + 1e-3 * generator.normal()

    for call in (numeric_gradient, local_quadratic):
        with pytest.raises(InputError, match=r"differently each time.*seed"):
            call(noisy, [1.0, 2.0])


def test_what_fails_far_away_ends_a_run_and_no_more():
    def value(t):
        return float(t @ t)

    def gradient(t):
        if np.max(np.abs(t)) > 50:
            raise OverflowError("too far")
        return 2 * t

    def product(t, v):
        if np.max(np.abs(t)) > 50:
            raise OverflowError("too far")
        return 2 * v

    at = np.array([1.0, -1.0])
    function = local_quadratic(value, at, gradient=gradient, hvp=product).function
    far = np.full(2, 99.0)
    assert np.isnan(function.gradient(far)).all()
    assert np.isnan(function.hessian_vector(far, at)).all()
    assert np.isnan(function.hessian(far)).all()
    np.testing.assert_allclose(function.hessian(np.stack([at, at])), [2 * np.eye(2)] * 2)
    plain = local_quadratic(value, at, hessian=lambda t: 2 * np.eye(2)).function
    assert np.array_equal(plain.hessian(at), 2 * np.eye(2))
    assert np.array_equal(plain.hessian_vector(at, [0.0, 0.0]), np.zeros(2))
    assert np.isnan(plain.hessian_vector(at, [np.inf, 0.0])).all()
    assert np.isnan(
        local_quadratic("x**3 + y", at=[1, 1]).function.inverse_hessian_vector(at, at)
    ).all()
    run = simulate(function, GradientDescent(1.1), [1.0, 1.0], 100)
    assert run.diverged_at is not None
    assert "smooth function" in repr(function)

    def short(t):
        return gradient(t) if np.max(np.abs(t)) < 5 else gradient(t)[:1]

    broken = local_quadratic(value, at, gradient=short).function
    with pytest.raises(InputError, match=r"gradient must return shape \(2,\)"):
        broken.gradient(np.array([9.0, 9.0]))


def test_tensors_that_do_not_convert_are_named():
    class Stubborn:
        def __array__(self, *_, **__):
            raise TypeError("no")

    with pytest.raises(InputError, match="real numbers, got Stubborn"):
        ScalarCall(lambda _: Stubborn(), 2).value(np.ones(2))
    with pytest.raises(InputError, match="f is infinite"):
        ScalarCall(lambda _: np.inf, 2).value(np.ones(2))
    assert ScalarCall(np.sum, 2).value(np.ones(2)) == 2  # a built-in tells no signature
    assert VectorCall(lambda t: t, 2).complex_at(np.ones(2) * 1j) is not None
    assert VectorCall(lambda t: t[:1], 2).complex_at(np.ones(2) * 1j) is None
    assert VectorCall(lambda t: float(t[0]), 2).complex_at(np.ones(2) * 1j) is None
    assert ScalarCall(lambda t: sympy.Rational(1, 2), 2).value(np.ones(2)) == 0.5


def test_a_hessian_at_the_edge_of_a_domain_is_refused():
    with pytest.raises(InputError, match=r"along θ.0."):
        numeric_hessian(lambda t: 1.0 if t[0] == 1 else math.nan, [1.0, 2.0])

    def gradient(t):
        return np.array([1.0 if t[0] == 1 else math.nan, 0.0])

    with pytest.raises(InputError, match="no curvature there"):
        numeric_hessian(lambda t: 1.0, [1.0, 2.0], gradient=gradient)


def test_long_points_have_directions_in_words_and_runs_of_their_own():
    d = 501  # just too long to form a Hessian
    scale = np.linspace(1.0, 3.0, d)

    def value(t):
        return float(scale @ t**2) / 2

    model = local_quadratic(value, np.zeros(d), gradient=lambda t: scale * t)
    assert follow(model, GradientDescent(0.3), steps=5).separated_at is None
    assert model.model_radius(of="smallest") > 0
    assert 0 < model.hessian_error < 1e-6
    assert local_quadratic("x**2/2 + x**4/4", at=1e-5).basin(0.5).interval is None
    negative = -scale[:8].copy()
    negative[3] = -9.0
    peak = local_quadratic(
        lambda t: float(negative @ t**2) / 2, np.zeros(8), gradient=lambda t: negative * t
    )
    assert "mostly 1 θ[3]" in peak.classification.words
    flat = local_quadratic(
        lambda t: float((scale - 1) @ t**2) / 2, np.zeros(d), hvp=lambda t, v: v * (scale - 1)
    )
    assert flat.classification.verdict in {"degenerate", "minimum"}
    top = local_quadratic(lambda t: -value(t), np.zeros(d), gradient=lambda t: -scale * t)
    assert top.classification.verdict == "maximum"
    slope = local_quadratic(value, np.ones(d), gradient=lambda t: scale * t)
    assert slope.classification.verdict == "not a critical point"
