"""Linear forms against unit states, dual numbers against high-precision differentiation."""

from __future__ import annotations

import operator

import mpmath
import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer import ops
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.precise import DoubleDouble, Polynomial

numbers = st.floats(-5, 5).filter(lambda x: x == 0 or abs(x) > 1e-3)


def variables(a: float = 0.0, b: float = 0.0) -> tuple[Form, Form, Trace]:
    trace = Trace()
    return Form(a, {"x": 1.0}, trace), Form(b, {"y": 1.0}, trace), trace


LINEAR = {
    "add": lambda a, b, number: a + b,
    "sub": lambda a, b, number: a - b,
    "scale": lambda a, b, number: a * number,
    "rscale": lambda a, b, number: number * a,
    "div": lambda a, b, number: a / number,
    "neg": lambda a, b, number: -(+a),
    "shift": lambda a, b, number: a + number - number,
    "rsub": lambda a, b, number: 0 - a,
}


@st.composite
def linear_programs(draw):
    """Random straight-line programs of linear operations on two inputs."""
    return draw(
        st.lists(
            st.tuples(
                st.sampled_from(sorted(LINEAR)),
                st.integers(0, 3),
                st.integers(0, 3),
                numbers.filter(bool),
            ),
            min_size=1,
            max_size=8,
        )
    )


def execute(program, values):
    values = list(values)
    for name, i, j, number in program:
        values.append(LINEAR[name](values[i % len(values)], values[j % len(values)], number))
    return values[-1]


@given(linear_programs())
def test_coefficients_equal_unit_states(program):
    """The independent route: run the same program on the numbers (1, 0) and (0, 1)."""
    x, y, trace = variables()
    form = execute(program, (x, y))
    assert trace.reasons == []
    for name, unit in (("x", (1.0, 0.0)), ("y", (0.0, 1.0))):
        assert form.parts.get(name, 0.0) == pytest.approx(
            execute(program, unit), rel=1e-12, abs=1e-12
        )
    assert form.value == pytest.approx(execute(program, (0.0, 0.0)), abs=1e-12)


@each("convert", [np.float64, DoubleDouble, lambda v: Polynomial([v]), sympy.Rational, np.array])
def test_coefficients_may_be_any_kind_of_number(convert):
    x, y, trace = variables()
    form = convert(0.5) * x - y * convert(0.25)
    parts = {
        name: float(c.coefficients[0]) if isinstance(c, Polynomial) else float(c)
        for name, c in form.parts.items()
    }
    assert parts == {"x": 0.5, "y": -0.25}
    assert trace.reasons == []


def test_arrays_come_to_the_form_and_stay_elementwise():
    x, _, _ = variables()
    lam = np.array([1.0, 2.0])
    for form in (lam * x, x * lam, x / (1 / lam)):
        assert form.parts["x"].tolist() == [1.0, 2.0]
    assert (lam + x).value.tolist() == [1.0, 2.0]
    assert (lam - x).parts["x"] == -1


def test_constants_do_not_make_a_rule_nonlinear():
    x, _, trace = variables()
    assert (x**1).parts == {"x": 1.0}
    constant = Form(3.0, {}, trace)
    assert (constant * x).parts == {"x": 3.0}
    assert (x * constant).parts == {"x": 3.0}
    assert (constant**2).value == 9.0
    assert ops.sqrt(constant).value == pytest.approx(3**0.5)
    assert trace.reasons == []


# -- what is not linear: the reason, and the derivative --------------------------------------

CASES = {
    "product": (lambda x, y: x * y, "a product of two terms"),
    "square": (lambda x, y: x**2 + y, "a product of two terms"),
    "cube": (lambda x, y: x**3 * y, "the power 3"),
    "quotient": (lambda x, y: x / y, "a division by the state"),
    "reciprocal": (lambda x, y: 2 / (x + y), "a division by the state"),
    "root": (lambda x, y: ops.sqrt(x * x + y), "a square root of the state"),
    "power": (lambda x, y: (x + 3) ** 0.3 - y, "the power 0.3"),
    "exponential": (lambda x, y: ops.exp(-x) * y, "an exponential of the state"),
    "logarithm": (lambda x, y: ops.log(x + y), "a logarithm of the state"),
    "absolute": (lambda x, y: ops.absolute(x - 9) + y, "an absolute value"),
    "sign": (lambda x, y: ops.sign(x) * y, "the sign of the state"),
    "maximum": (lambda x, y: ops.maximum(x, +y), "a maximum of terms"),
    "minimum": (lambda x, y: ops.minimum(x * 2, y), "a minimum of terms"),
    "where": (lambda x, y: ops.where(x > y, x * 3, y * 2), "a branch on the state"),
    "dot": (lambda x, y: ops.dot(x, +y), "an inner product"),
}


def mirror(function):
    """Return the same function on mpmath numbers."""

    def run(x, y):
        table = {
            "sqrt": mpmath.sqrt,
            "exp": mpmath.exp,
            "log": mpmath.log,
            "sign": mpmath.sign,
            "absolute": abs,
            "maximum": max,
            "minimum": min,
            "dot": operator.mul,
            "where": lambda c, a, b: a if c else b,
        }
        saved = {name: getattr(ops, name) for name in table}
        try:
            for name, replacement in table.items():
                setattr(ops, name, replacement)
            return function(x, y)
        finally:
            for name, original in saved.items():
                setattr(ops, name, original)

    return run


@each("name", CASES)
@each("point", [(1.3, 0.7), (0.4, 2.2)])
def test_dual_numbers_differentiate(name, point):
    function, reason = CASES[name]
    x, y, trace = variables(*point)
    form = function(x, y)
    assert any(reason in noted for noted in trace.reasons)
    exact = mirror(function)
    with mpmath.workdps(40):
        a, b = mpmath.mpf(point[0]), mpmath.mpf(point[1])
        assert float(form.value) == pytest.approx(float(exact(a, b)), rel=1e-14)
        for part, direction in (("x", (1, 0)), ("y", (0, 1))):
            slope = mpmath.diff(exact, (a, b), direction)
            assert float(form.parts.get(part, 0)) == pytest.approx(
                float(slope), rel=1e-12, abs=1e-14
            )


def test_a_reason_is_noted_once_and_in_order():
    x, y, trace = variables(1.0, 2.0)
    _ = x * y + ops.sqrt(x) + y * x
    assert trace.reasons == [
        "a product of two terms that depend on the state",
        "a square root of the state",
    ]


def test_exact_zeros_stop_infinite_derivatives():
    """g/√(v + ε) at g = v = 0 and ε = 0 has no derivative; g² there is flat, not undefined."""
    x, _, _ = variables(0.0)
    assert (x * x).parts == {}
    assert ops.sqrt(x * 0 + 4.0).parts == {}
    product = ops.sqrt(x) * (x * 0)
    assert not any(np.isnan(np.asarray(c, float)) for c in product.parts.values())


@each(
    "compare",
    [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne],
    ids=lambda f: f.__name__,
)
def test_comparisons_are_decided_by_the_value_and_noted(compare):
    x, _, trace = variables(1.5)
    assert compare(x, 2.0) == compare(1.5, 2.0)
    assert compare(2.0, x) == compare(2.0, 1.5)
    assert trace.reasons == ["a branch on the state"]


def test_truth_of_a_form_is_noted():
    x, _, trace = variables(1.5)
    assert bool(x)
    assert trace.reasons == ["a branch on the state"]


def test_a_form_as_condition_means_other_than_zero():
    x, y, trace = variables(1.5, 0.0)
    assert ops.where(x, x, y).parts == {"x": 1.0}
    assert ops.where(y, x, y).parts == {"y": 1.0}
    assert trace.reasons == ["a branch on the state"]


@each("leave", [np.asarray, np.sqrt, lambda x: np.ones(2) @ x, float])
def test_leaving_the_world_of_forms_is_refused(leave):
    x, _, _ = variables()
    with pytest.raises(TypeError) as caught:
        leave(x)
    if leave is np.asarray:
        assert isinstance(caught.value, NotDerivableError)
        assert "use arithmetic and convex_analyzer.ops only" in str(caught.value)


def test_forms_print_and_are_not_hashed():
    x, _, _ = variables(2.0)
    assert repr(x) == "Form(2.0, {'x': 1.0})"
    with pytest.raises(TypeError):
        hash(x)


# -- one eigendirection ----------------------------------------------------------------------


def test_a_direction_has_a_noise_channel_per_gradient():
    trace = Trace()
    direction = Direction(3.0, trace)
    x = Form(0, {"theta": 1}, trace)
    first, second = direction.gradient(x), direction.gradient(2 * x)
    assert first.parts == {"λ theta": 3.0, "linear term": 1, "noise 1": 1}
    assert second.parts == {"λ theta": 6.0, "linear term": 1, "noise 2": 1}
    assert direction.calls == 2
    assert direction.hessian_vector(None, x).parts == {"λ theta": 3.0}
    assert direction.inverse_hessian_vector(None, x).parts == {"λ theta": pytest.approx(1 / 3)}
    assert direction.hessian_vector(None, first).parts == {
        "λ theta": 9.0,
        "linear term": 3.0,
        "noise 1": 3.0,
    }
    assert direction.hessian_vector(None, 2.0) == 6.0  # no form: nothing to name


def test_symbols_pass_through():
    lam, alpha = sympy.symbols("lambda alpha", positive=True)
    trace = Trace()
    x = Form(0, {"theta": 1}, trace)
    new = x - alpha * Direction(lam, trace).gradient(x)
    assert new.parts == {
        "theta": 1,
        "λ theta": -alpha * lam,
        "linear term": -alpha,
        "noise 1": -alpha,
    }
    assert trace.reasons == []
    assert ops.sqrt(x + lam**2).value == lam  # symbols stay exact
