"""A proof of positivity is never wrong: whatever is proved holds at every rational point tried."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.derivations.positivity import is_positive, on_interval, on_unit_interval

x, y = sympy.symbols("x y", positive=True)

powers = st.tuples(st.integers(0, 3), st.integers(0, 2))
terms = st.dictionaries(powers, st.integers(-3, 6).filter(bool), max_size=4)
points = st.lists(
    st.tuples(*[st.fractions(Fraction(1, 1000), 1000, max_denominator=1000)] * 2),
    min_size=5,
    max_size=5,
)


def polynomial(coefficients):
    return sympy.Add(*[c * x**i * y**j for (i, j), c in coefficients.items()])


def value(coefficients, a, b):
    """The polynomial at a point, without SymPy."""
    return sum((Fraction(c) * a**i * b**j for (i, j), c in coefficients.items()), Fraction(0))


@given(terms, terms, terms, points)
def test_what_is_proved_is_true(top, bottom, added, at):
    if not bottom:
        return
    expression = polynomial(top) / polynomial(bottom) + polynomial(added)
    if not is_positive(expression):
        return
    for a, b in at:
        below = value(bottom, a, b)
        assert below != 0
        assert value(top, a, b) / below + value(added, a, b) > 0


@given(terms, points)
def test_with_the_unit_interval_too(top, at):
    """p(x, u) on 0 < u < 1: proved only if positive there."""
    u = on_unit_interval("u")
    if not is_positive(polynomial(top).subs(y, u)):
        return
    for a, b in at:
        assert value(top, a, b / (1 + b)) > 0


@given(st.dictionaries(powers, st.integers(1, 6), min_size=1, max_size=4))
def test_every_sum_of_positive_terms_is_proved(coefficients):
    assert is_positive(polynomial(coefficients))
    assert is_positive(1 / polynomial(coefficients))
    assert not is_positive(-polynomial(coefficients))


real = sympy.Symbol("t", real=True)
plain = sympy.Symbol("s")


@pytest.mark.parametrize(
    "expression",
    [
        sympy.Integer(0),
        sympy.Integer(-1),
        x - y,
        x**2 - 2 * x * y + y**2,  # zero on the diagonal
        real**2,  # zero at zero
        plain,
        1 + plain**2,  # negative at 2i
        sympy.I * x,
        sympy.nan * x,
        sympy.sqrt(2) - sympy.Rational(1414214, 10**6),  # −4.4e-7
        (sympy.Float(0.1) + 0.2 - 0.3) * x,  # 5.6e-17 by rounding alone, exactly 0
        sympy.sqrt(x) - 1,
        sympy.log(x),
        sympy.cos(x) + sympy.Rational(1, 2),
    ],
    ids=str,
)
def test_what_is_not_positive_everywhere_is_not_proved(expression):
    assert not is_positive(expression)


def test_irrational_constants_are_signed():
    assert is_positive(x * (sympy.sqrt(2) - sympy.Rational(1414213, 10**6)))


def test_ranges_never_meet_a_symbol_of_the_rule():
    """Two ranges of one name, or one beside a symbol of that name, stay independent."""
    first, second = on_unit_interval("w"), on_unit_interval("w")
    assert len((first - second).free_symbols) == 2
    w = sympy.Symbol("w", positive=True)
    assert on_interval(w, "w").free_symbols > {w}
    assert is_positive(2 - w / (1 + w))
    assert not is_positive(2 - w * first)  # the same, if both w were one; wrong at w = 100
