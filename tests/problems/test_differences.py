"""Numeric derivatives lie within the error they state, and say where there is none."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, VectorCall
from convex_analyzer.problems.differences import central_differences, kinks, numeric_gradient
from convex_analyzer.problems.hessians import curvature_breaks, numeric_hessian
from convex_analyzer.problems.steps import first_step

SLOPES = {
    # name: function of one number, place, what its slope is
    "exponential": (math.exp, 1.0, math.e),
    "large offset": (lambda x: 1e10 + x, 1.0, 1.0),
    "fast wave": (lambda x: math.sin(1e6 * x), 0.3, 1e6 * math.cos(3e5)),
    "slow wave": (lambda x: math.sin(1e-8 * x), 0.0, 1e-8),
    "edge of a domain": (lambda x: x * math.log(x), 1e-6, math.log(1e-6) + 1),
    "far away": (lambda x: (x - 1e8) ** 2, 1e8 + 1, 2.0),
    "constant": (lambda x: 4.0, 5.0, 0.0),
    "large power": (lambda x: x**4, 1e5, 4e15),
    "single precision": (lambda x: np.float32(math.exp(x)), 1.0, math.e),
    "kink close by": (abs, 1e-5, 1.0),
    "soft corner": (lambda x: max(x, 0.0) ** 2, 0.0, 0.0),
    "integer": (lambda x: 7, 2.0, 0.0),
}


@each("name", SLOPES)
def test_central_differences_lie_within_their_error(name):
    function, place, slope = SLOPES[name]
    call = ScalarCall(function, 1, scalar=True)
    value, error = central_differences(call, np.array([place]), ("x",))
    assert abs(value[0] - slope) <= error[0]
    assert error[0] <= 1e-5 * max(abs(slope), abs(function(place)), 1e-3) or name in {
        "large offset",
        "single precision",
        "fast wave",
    }
    assert kinks(call, np.array([place]), value) == ()


def test_errors_are_honest_and_small_on_random_functions():
    rng = np.random.default_rng(0)
    outside, worst = 0, 0.0
    for _ in range(150):
        a, b, c = rng.normal(size=3)
        x = rng.normal() * 10 ** rng.uniform(-2, 3)

        def function(t, a=a, b=b, c=c):
            return math.sin(a * t) + b * math.exp(-t * t / 100) + c * t**3

        def slope(t, a=a, b=b, c=c):
            return a * math.cos(a * t) - b * t / 50 * math.exp(-t * t / 100) + 3 * c * t * t

        call = ScalarCall(function, 1, scalar=True)
        value, error = central_differences(call, np.array([x]), ("x",))
        outside += abs(value[0] - slope(x)) > error[0]
        worst = max(worst, abs(value[0] - slope(x)) / abs(slope(x)))
        assert not kinks(call, np.array([x]), value)
    assert outside <= 1
    assert worst < 1e-7


def test_complex_steps_give_all_digits_and_are_checked():
    def smooth(x):
        return np.exp(x[0]) / np.sin(x[1]) + x[2] ** 3

    found = numeric_gradient(smooth, [1.5, 0.7, -2.0])
    expected = [
        mpmath.diff(lambda t: mpmath.exp(t) / mpmath.sin(0.7), 1.5),
        mpmath.diff(lambda t: mpmath.exp(1.5) / mpmath.sin(t), 0.7),
        12,
    ]
    assert found.method == "complex step"
    np.testing.assert_allclose(found.value, np.array(expected, dtype=float), rtol=1e-14)
    for deceiver in (  # these take complex numbers, and lose the imaginary part
        lambda x: np.abs(x[0]) ** 3,
        lambda x: float(np.real(x[0])) ** 3 + 0j * x[0],
        lambda x: x[0] * np.conj(x[0]) * x[0],
    ):
        found = numeric_gradient(deceiver, [2.0])
        assert found.method == "central differences"
        assert found.value[0] == pytest.approx(12, rel=1e-8)


def test_kinks_are_named_and_smooth_minima_are_not():
    def function(x):
        return abs(x[0]) + x[1] ** 2 + max(x[2], 0.0) + abs(x[3] - 1) ** 1.5 + math.sqrt(abs(x[4]))

    found = numeric_gradient(function, np.array([0.0, 0.0, 0.0, 1.0, 0.0]), names=list("abcde"))
    assert found.kinked == (0, 2, 4)
    assert found.words == "not smooth here: the slope jumps along a, c and e"
    assert "a, c and e" in str(found)
    assert curvature_breaks(ScalarCall(function, 5), np.array([1.0, 0.0, 1.0, 1.0, 1.0])) == (3,)


def test_corners_close_by_are_not_here():
    for away in (3e-8, 3e-7, 3e-6, 3e-5, 3e-4, 3e-3):
        call = ScalarCall(lambda x, away=away: abs(x[0] - away) + x[0] ** 2, 1)
        assert kinks(call, np.zeros(1)) == ()
        if away > 1e-4:
            assert curvature_breaks(call, np.zeros(1)) == ()


# -- Hessians --------------------------------------------------------------------------------


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def slope(x):
    return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])


def bend(x):
    return np.array([[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200.0]])


WAYS = {
    "complex steps": (rosenbrock, {}, "central differences of complex steps"),
    "values": (lambda x: float(rosenbrock(x)), {}, "second differences"),
    "gradient": (rosenbrock, {"gradient": slope}, "central differences of the gradient"),
    "products": (rosenbrock, {"hvp": lambda x, v: bend(x) @ v}, "Hessian products"),
}


@each("way", WAYS)
@each("at", [[1.0, 1.0], [-1.2, 1.0], [0.0, 0.0]])
def test_hessians_lie_within_their_error(way, at):
    function, given, method = WAYS[way]
    found = numeric_hessian(function, at, **given)
    assert found.method == method
    assert np.all(np.abs(found.value - bend(np.array(at))) <= found.error + 1e-12)
    assert found.relative_error < 1e-6
    assert found.kinked == ()
    assert np.array_equal(found.value, found.value.T)
    assert "Hessian" in str(found)


def test_a_corner_of_the_slope_is_a_jump_of_the_curvature():
    for function in (
        lambda x: max(float(x[0]), 0.0) ** 2 + x[1] ** 2,
        lambda x: np.maximum(x[0], 0) ** 2 + x[1] ** 2,
    ):
        found = numeric_hessian(function, [0.0, 0.0])
        assert found.kinked == (0,)
        assert "curvature" in found.words


def test_a_field_that_is_no_gradient_is_refused():
    with pytest.raises(InputError, match=r"not symmetric.*rate 1, .*rate −1; check_gradient"):
        numeric_hessian(rosenbrock, [1.0, 1.0], gradient=lambda x: np.array([x[1], -x[0]]))
    with pytest.raises(InputError, match="hvp is not symmetric"):
        numeric_hessian(rosenbrock, [1.0, 1.0], hvp=lambda x, v: np.array([v[1], 0.0]))


def test_too_many_evaluations_are_refused_with_what_to_pass():
    with pytest.raises(InputError, match="gradient= or hvp="):
        numeric_hessian(lambda x: float(x @ x), np.ones(400))


# -- what users return -----------------------------------------------------------------------


class Tensor:
    """What a tensor of a deep-learning library looks like."""

    def __init__(self, value):
        self.value = value

    def detach(self):
        return self

    def cpu(self):
        return np.array(self.value)


def test_unusual_but_clear_results_are_taken():
    at = [3.0, 2.0]
    for function in (
        lambda x: np.array([x[0] * x[1]]),
        lambda x: [[float(x[0] * x[1])]],
        lambda x, y: x * y,
        lambda x: Tensor(float(x[0] * x[1])),
        lambda x: x.__imul__(x[::-1].copy())[0],  # writes into its argument
    ):
        np.testing.assert_allclose(numeric_gradient(function, at).value, [2, 3], rtol=1e-8)
    column = VectorCall(lambda x: x[:, None], 2)
    assert column.value(np.array(at)).shape == (2,)


def fails(x):
    raise ZeroDivisionError("division by zero")


WRONG = {
    "raises": (fails, "f raised ZeroDivisionError: division by zero at .1, 2"),
    "none": (lambda x: None, "returned None at .*return statement"),
    "vector": (lambda x: x, r"one number, got shape \(2,\).*sum or average"),
    "text": (lambda x: "a", "real numbers, got str"),
    "complex": (lambda x: 1j, "real numbers, got complex"),
    "object": (lambda x: object(), "real numbers, got object"),
    "nan": (lambda x: math.nan, "f is undefined at .1, 2.*expand where it is finite"),
    "infinite": (lambda x: math.inf, "f is infinite at"),
    "nan close by": (
        lambda x: 1.0 if x[1] == 2 else math.nan,
        "finite at .1, 2.* along θ.1., so it has no slope",
    ),
    "raises close by": (lambda x: math.sqrt(1 - x[0]), "along θ.0., so it has no slope"),
}


@each("name", WRONG)
def test_a_function_that_misbehaves_is_described(name):
    function, words = WRONG[name]
    with pytest.raises(InputError, match=words):
        numeric_gradient(function, [1.0, 2.0])


def test_points_names_and_callables_are_checked():
    with pytest.raises(InputError, match=r"one point, shape \(d,\), got shape \(1, 2\)"):
        numeric_gradient(rosenbrock, [[1.0, 1.0]])
    with pytest.raises(InputError, match="2 different names, got 1"):
        numeric_gradient(rosenbrock, [1.0, 1.0], names=["x"])
    with pytest.raises(InputError, match="f must be callable, got float"):
        numeric_gradient(3.0, [1.0])
    with pytest.raises(InputError, match=r"gradient must return shape \(2,\), got \(3,\)"):
        numeric_hessian(rosenbrock, [1.0, 1.0], gradient=lambda x: np.ones(3))
    with pytest.raises(InputError, match=r"gradient is not finite at .*entry 1 is nan"):
        numeric_hessian(rosenbrock, [1.0, 1.0], gradient=lambda x: np.array([1.0, np.nan]))
    assert first_step(np.array([0.0, -100.0])).tolist() == [
        np.finfo(float).eps ** (1 / 3),
        100 * np.finfo(float).eps ** (1 / 3),
    ]
