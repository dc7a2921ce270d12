"""One function, four kinds of numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer import ops
from convex_analyzer.forms import Form, Trace
from convex_analyzer.precise import DoubleDouble

X = sympy.Symbol("x", real=True)

ONE = {
    "sqrt": (ops.sqrt, math.sqrt, sympy.sqrt),
    "exp": (ops.exp, math.exp, sympy.exp),
    "log": (ops.log, math.log, sympy.log),
    "sign": (ops.sign, lambda x: math.copysign(1.0, x), sympy.sign),
    "absolute": (ops.absolute, abs, sympy.Abs),
}
TWO = {"maximum": (ops.maximum, max, sympy.Max), "minimum": (ops.minimum, min, sympy.Min)}


@each("name", ONE)
def test_functions_of_one_argument(name):
    ours, plain, symbolic = ONE[name]
    for x in (0.3, 2.5):
        assert float(ours(x)) == pytest.approx(plain(x), rel=1e-15)
        assert float(ours(X).subs(X, x)) == pytest.approx(plain(x), rel=1e-15)
        assert float(ours(Form(x, {}, Trace())).value) == pytest.approx(plain(x), rel=1e-15)
    assert ours(X) == symbolic(X)
    assert ours(np.array([0.3, 2.5])).tolist() == pytest.approx([plain(0.3), plain(2.5)])


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_arguments(name):
    ours, plain, symbolic = TWO[name]
    for a, b in ((0.3, 2.5), (2.5, 0.3), (-1.0, -1.0)):
        assert float(ours(a, b)) == plain(a, b)
        assert float(ours(Form(a, {}, Trace()), b).value) == plain(a, b)
        assert float(ours(a, Form(b, {}, Trace())).value) == plain(a, b)
    assert ours(X, 2) == symbolic(X, 2)
    assert ours(2, X) == symbolic(2, X)


def test_where_chooses_elementwise():
    theta = np.array([-1.0, 2.0])
    assert ops.where(theta > 0, theta, 0.0).tolist() == [0.0, 2.0]
    chosen = ops.where(X > 0, X, -X)
    assert chosen.subs(X, -3) == 3
    assert chosen.subs(X, 3) == 3
    form = Form(2.0, {"x": 1.0}, Trace())
    picked = ops.where(form > 0, form, -form)
    assert picked.parts == {"x": 1.0}
    assert form.trace.reasons == ["a branch on the state"]


def test_dot_is_over_the_last_axis_and_keeps_it():
    x = np.arange(6.0).reshape(2, 3)
    assert ops.dot(x, x).tolist() == [[5.0], [50.0]]
    form = Form(2.0, {"x": 1.0}, Trace())
    product = ops.dot(form, form)
    assert product.value == 4.0
    assert product.parts == {"x": 4.0}
    assert "inner product" in form.trace.reasons[0]
    assert ops.dot(np.float64(3.0), form).parts == {"x": 3.0}


def test_symbols_are_known_without_sympy():
    assert ops.is_symbolic(1, X)
    assert ops.is_symbolic(sympy.Matrix([1]))
    assert not ops.is_symbolic(1.0, np.ones(2), DoubleDouble(1.0), "x")


class Namespace:
    """What another array library offers: functions under the names of the array standard."""

    @staticmethod
    def sqrt(x):
        return "their sqrt"

    @staticmethod
    def abs(x):
        return "their abs"

    @staticmethod
    def where(condition, x, y):
        return "their where"


class Array:
    def __array_namespace__(self):
        return Namespace


def test_other_array_libraries_are_asked_for_their_own_functions():
    assert ops.sqrt(Array()) == "their sqrt"
    assert ops.absolute(Array()) == "their abs"  # called abs in the array standard
    assert ops.where(Array(), 1.0, 2.0) == "their where"
    assert ops.where(1, Array(), 2.0) == "their where"
