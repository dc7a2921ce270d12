"""Double-doubles against 60-digit mpmath, exact polynomials against fractions and SymPy."""

from __future__ import annotations

import math
import operator
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import assume, example, given
from hypothesis import strategies as st

from convex_analyzer import ops
from convex_analyzer.precise import DoubleDouble, Polynomial

UNIT = 2.0**-104  # two units in the last place of a double-double (2**-106), with a little room

ordinary = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-9)
tails = st.floats(-1.0, 1.0)


def exact(x: DoubleDouble) -> mpmath.mpf:
    return mpmath.mpf(float(x.high)) + mpmath.mpf(float(x.low))


@st.composite
def double_doubles(draw):
    high = draw(ordinary)
    return DoubleDouble(high) + draw(tails) * math.ulp(high) / 4


def is_normal(x: DoubleDouble) -> bool:
    return abs(float(x.low)) <= math.ulp(float(x.high)) / 2


OPERATIONS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "truediv": operator.truediv,
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=double_doubles(), b=double_doubles())
def test_arithmetic_against_mpmath(name, a, b):
    assume(name != "truediv" or float(b) != 0)
    operation = OPERATIONS[name]
    with mpmath.workdps(60):
        result = operation(a, b)
        truth = operation(exact(a), exact(b))
        # The error of a sum is relative to its terms, that of a product to the product.
        size = abs(exact(a)) + abs(exact(b)) if name in {"add", "sub"} else abs(truth)
        assert abs(exact(result) - truth) <= 8 * UNIT * size
        assert is_normal(result)


@pytest.mark.parametrize("name", OPERATIONS)
@given(a=double_doubles(), b=ordinary.filter(bool))
def test_mixed_arithmetic_with_numbers_and_arrays(name, a, b):
    operation = OPERATIONS[name]
    lifted = operation(a, DoubleDouble(b))
    backwards = operation(DoubleDouble(b), a) if float(a) or name != "truediv" else None
    for other in (b, np.float64(b), np.array(b)):
        assert exact(operation(a, other)) == exact(lifted)
        if backwards is not None:
            assert exact(operation(other, a)) == exact(backwards)


@given(double_doubles().filter(lambda x: float(x) > 0))
@example(DoubleDouble(2.0))
def test_square_root_against_mpmath(x):
    with mpmath.workdps(60):
        truth = mpmath.sqrt(exact(x))
        for root in (x.sqrt(), x**0.5, ops.sqrt(x)):
            assert abs(exact(root) - truth) <= 8 * UNIT * truth


def test_square_root_of_zero_and_of_arrays():
    roots = DoubleDouble([0.0, 4.0, 9.0]).sqrt()
    assert roots.to_float().tolist() == [0.0, 2.0, 3.0]


@each("exponent", [0, 1, 2, 5, 17, -1, -3])
def test_whole_powers_against_mpmath(exponent):
    x = DoubleDouble(1.1) + 1e-18
    with mpmath.workdps(60):
        truth = exact(x) ** exponent
        assert abs(exact(x**exponent) - truth) <= 64 * UNIT * abs(truth)


def test_other_powers_are_float64():
    assert float(DoubleDouble(2.0) ** 0.3) == pytest.approx(2.0**0.3, rel=1e-15)


def test_what_float64_loses_is_kept():
    """1 - (1 + mu - s) + mu is s: the reason why this type exists."""
    mu, s = DoubleDouble(0.9), DoubleDouble(1e-12) * DoubleDouble(0.3)
    assert float(1 - (1 + mu - s) + mu) == pytest.approx(3e-13, rel=1e-15, abs=0)
    plain = 1 - (1 + 0.9 - 3e-13) + 0.9
    assert plain != pytest.approx(3e-13, rel=1e-6, abs=0)


@each("scale", [1e-320, 1e-300, 1e-250, 1e150, 1e290, 1.5e300])
def test_products_at_the_ends_of_the_range(scale):
    """Splitting would over- or underflow there; the product itself does not."""
    a, b = 1 + 2.0**-40, (1 + 2.0**-45) / 3
    product = DoubleDouble(a * scale) * DoubleDouble(b)
    with mpmath.workdps(60):
        truth = mpmath.mpf(a * scale) * mpmath.mpf(b)
        tiny = mpmath.mpf(2) ** -1074
        assert abs(exact(product) - truth) <= 4 * UNIT * truth + tiny


def test_what_leaves_the_range_is_what_float64_makes_of_it():
    huge = DoubleDouble(1e300)
    for result in (huge * huge, huge / 1e-300, huge * 1e8 + huge * 1e8, (huge * huge).sqrt()):
        assert float(result) == math.inf
    assert float(-huge * huge) == -math.inf
    assert float(1 / (huge * huge)) == 0.0
    assert math.isnan(float(DoubleDouble(math.nan) * 2.0))
    assert math.isnan(float(huge * huge - huge * huge))
    assert float(DoubleDouble(1e-300) * 1e-300) == 0.0
    mixed = DoubleDouble([1e300, 3.0]) * DoubleDouble(
        [1e300, 1 / 3]
    )  # the others keep their digits
    assert mixed.high.tolist() == [math.inf, 1.0]
    assert float(mixed.low[1]) == pytest.approx(float(Fraction(1 / 3) * 3 - 1), rel=1e-15, abs=0)


@given(double_doubles(), double_doubles())
def test_comparisons_are_those_of_the_rounded_numbers(a, b):
    x, y = float(a), float(b)
    assert bool(a < b) == (x < y)
    assert bool(a <= b) == (x <= y)
    assert bool(a > b) == (x > y)
    assert bool(a >= b) == (x >= y)
    assert bool(a < 3.0) == (x < 3.0)


def test_absolute_maximum_and_shapes():
    x = DoubleDouble([-2.0, 3.0], [1e-17, 0.0])
    assert ops.absolute(x).high.tolist() == [2.0, 3.0]
    assert float(ops.absolute(x).low[0]) == -1e-17
    assert ops.maximum(x, 0.0).high.tolist() == [0.0, 3.0]
    assert ops.maximum(0.0, x).high.tolist() == [0.0, 3.0]
    assert x.shape == (2,)
    assert repr(DoubleDouble(1.0)) == "DoubleDouble(array(1.), array(0.))"
    with pytest.raises(TypeError):
        hash(x)


def test_arrays_do_not_swallow_double_doubles():
    """ndarray * DoubleDouble must come to the DoubleDouble, or the low parts are lost."""
    for value in (np.ones(2), np.float64(1.0)):
        for result in (value * DoubleDouble(1.0), value - DoubleDouble(1.0)):
            assert isinstance(result, DoubleDouble)


@each("other", ["1", None, [1.0], 1j])
def test_foreign_operands_are_refused(other):
    for operation in OPERATIONS.values():
        with pytest.raises(TypeError):
            operation(DoubleDouble(1.0), other)


# -- polynomials -----------------------------------------------------------------------------

rationals = st.fractions(min_value=-50, max_value=50, max_denominator=40)
polynomials = st.lists(rationals, min_size=1, max_size=5).map(Polynomial)
X = sympy.Symbol("x")


def to_sympy(p: Polynomial) -> sympy.Expr:
    return sum(
        (sympy.Rational(c.numerator, c.denominator) * X**i for i, c in enumerate(p.coefficients)),
        sympy.Integer(0),
    )


@given(polynomials, polynomials, rationals)
def test_polynomial_arithmetic_against_sympy(p, q, x):
    a, b = to_sympy(p), to_sympy(q)
    assert sympy.expand(to_sympy(p + q) - (a + b)) == 0
    assert sympy.expand(to_sympy(p - q) - (a - b)) == 0
    assert sympy.expand(to_sympy(p * q) - a * b) == 0
    assert sympy.expand(to_sympy(-p) + a) == 0
    assert p(x) == sum(c * x**i for i, c in enumerate(p.coefficients))


@given(polynomials, rationals.filter(bool))
def test_polynomials_with_numbers(p, number):
    assert p + number == number + p
    assert p - number == -(number - p)
    assert p * number == number * p
    assert (p / number) * number == p
    assert p / Polynomial([number]) == p / number


@given(polynomials)
def test_equality_hash_and_degree(p):
    padded = Polynomial([*p.coefficients, 0, 0])
    assert padded == p
    assert hash(padded) == hash(p)
    assert p.degree == max((i for i, c in enumerate(p.coefficients) if c), default=0)
    assert p != "p"
    assert p != p + 1
    assert (p == 3) == (p.coefficients == (Fraction(3),))


def test_powers_and_floats_are_exact():
    x = Polynomial([0, 1])
    assert ((1 + x) ** 3).coefficients == (1, 3, 3, 1)
    assert (x**0).coefficients == (1,)
    assert (x + 0.1).coefficients[0] == Fraction(0.1)  # the float itself, not 1/10
    assert Polynomial([]).coefficients == (0,)
    assert repr(Polynomial([0.5, 1])) == "Polynomial(['1/2', '1'])"


@pytest.mark.parametrize("wrong", [0.5, -1])
def test_powers_that_are_no_polynomial_are_refused(wrong):
    with pytest.raises(TypeError, match="not a whole number"):
        Polynomial([0, 1]) ** wrong


def test_divisions_that_are_no_polynomial_are_refused():
    x = Polynomial([0, 1])
    with pytest.raises(TypeError, match="division"):
        1 + x / (1 + x)
    for operation in OPERATIONS.values():
        with pytest.raises(TypeError):
            operation(x, "y")
        with pytest.raises(TypeError):
            operation(x, math.inf)


@given(st.lists(rationals, min_size=1, max_size=4, unique=True), rationals.filter(bool))
def test_simple_rational_roots_are_found_to_the_last_digit(roots, factor):
    p = Polynomial([factor])
    for root in roots:
        p = p * Polynomial([-root, 1])
    found = p.real_roots()
    truth = [float(root) for root in sorted(roots)]
    assert found == truth


def test_roots_that_are_close_or_complex():
    x = Polynomial([0, 1])
    assert (x * x + 1).real_roots() == []
    assert Polynomial([3]).real_roots() == []
    assert ((x - 1) * (x * x + 1)).real_roots() == [1.0]
    close = (x - 1) * (x - Fraction(10**9 + 1, 10**9))
    assert close.real_roots() == pytest.approx([1.0, 1.000000001], rel=1e-15)
    assert ((x - 2) ** 2).real_roots() == [2.0]  # no sign change to bisect on
    assert ((x - 2) ** 3 * (x * 3 - 1) ** 2 * (x * x + 5)).real_roots() == [1 / 3, 2.0]
    wilkinson = Polynomial([1])
    for root in range(1, 16):
        wilkinson = wilkinson * (x - root)
    assert wilkinson.real_roots() == [float(root) for root in range(1, 16)]


def test_roots_of_huge_and_tiny_coefficients():
    p = Polynomial([Fraction(-2), Fraction(10) ** 400])
    assert p.real_roots() == [0.0]  # 2e-400 is below float64
    assert Polynomial([-(Fraction(10) ** 400), 1]).real_roots() == []  # and this above
    assert Polynomial([-(Fraction(10) ** -300), 0, 1]).real_roots() == [-1e-150, 1e-150]
    assert Polynomial([-(Fraction(10) ** 400), 0, 1]).real_roots() == [-1e200, 1e200]
    scaled = Polynomial([c * Fraction(10) ** 400 for c in (6, -5, 1)])
    assert scaled.real_roots() == [2.0, 3.0]
