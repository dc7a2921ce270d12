"""Whether a quotient is zero: identities that hold, ones that do not, and what is not decided."""

from __future__ import annotations

import random

import sympy
from cases import each

from convex_analyzer.derivations.chain import agree, is_zero
from convex_analyzer.derivations.vanishing import vanishes

X, Y, Z = sympy.symbols("x y z", positive=True)
K = sympy.Symbol("k", integer=True, nonnegative=True)
S = sympy.sqrt
F = sympy.Function("f")

TRUE = {
    "quotients": 1 / (1 - X) - 1 - X / (1 - X),
    "nested": 1 / (1 + 1 / (1 + 1 / X)) - (1 + X) / (1 + 2 * X),
    "powers": (1 - X) ** (K + 2) - (1 - 2 * X + X**2) * (1 - X) ** K,
    "a power below": X ** (-K) * X ** (K + 1) - X,
    "root": (S(X) - 1) * (S(X) + 1) - X + 1,
    "nested root": S(X + S(Y)) ** 4 - (X + S(Y)) ** 2,
    "cube root": (1 + X) ** sympy.Rational(1, 3) * (1 + X) ** sympy.Rational(2, 3) - 1 - X,
    "root of a quotient": S(X / (1 + Y)) ** 2 * (1 + Y) - X,
    "number": S(2) * S(2) / 2 - X / X,
    "indexed": sympy.IndexedBase("v")[K + 1] * X / X - sympy.IndexedBase("v")[K + 1],
    "function": F(X) * (F(X) + 1) - F(X) ** 2 - F(X),
}
FALSE = [1 / (1 - X) - 1 - X, X**2 - Y**2, (X + Y) ** 3 - X**3 - Y**3, F(X) - F(Y), X + 1]
OPEN = {
    "roots that need signs": S(X**2 + 2 * X * Y + Y**2) - X - Y,
    "powers of other bases": (1 - X) ** K - (-1) ** K * (X - 1) ** K,
    "no quotient": sympy.sin(X) ** 2 + sympy.cos(X) ** 2 - 1,
    "no rational number": sympy.pi * X - X * sympy.pi + sympy.pi,
    "half a power": Z ** (K / 2) * Z ** (K / 2) - Z**K + sympy.sqrt(Y),
    "too high": (1 + X) ** 50 - 1,
    "pole": sympy.Pow(sympy.Add(X, -X, evaluate=False), -1, evaluate=False),
}


@each("e", TRUE.values(), ids=list(TRUE))
def test_identities_are_zero(e):
    assert vanishes(e)
    assert is_zero(e)


def test_what_is_not_zero_is_not():
    assert [vanishes(e) for e in FALSE] == [False] * len(FALSE)
    assert not any(map(is_zero, FALSE))


@each("e", OPEN.values(), ids=list(OPEN))
def test_what_is_not_decided_here_is_left_to_others(e):
    assert vanishes(e) is not True


def test_random_expressions_and_their_expansions():
    """An expression less its expansion is zero; with one number changed it is not."""
    draws = random.Random(3)

    def grown(depth):
        if depth == 0:
            return draws.choice([X, Y, Z, sympy.Integer(draws.randint(1, 4)), S(X)])
        a, b = grown(depth - 1), grown(depth - 1)
        return draws.choice([a + b, a * b, a - b, a / (b + 7), a**2])

    for _ in range(40):
        e = grown(4)
        assert vanishes(e - sympy.expand(e)) is not False
        wrong = e - sympy.expand(e) + sympy.Rational(1, 97)
        assert vanishes(wrong) is not True, e


def test_cases_and_extremes_are_compared_on_fractions():
    step = sympy.Piecewise((2 * X, (X > Y) & (Y > 0)), (Y, sympy.Or(X < Y, X <= 0)), (X, True))
    same = sympy.Piecewise((2 * X, X > Y), (Y, X < Y), (Y, True))
    assert agree(step, same)[0] != "refuted"
    assert agree(step, X + Y)[0] == "refuted"
    assert agree(sympy.Max(X, Y), sympy.Min(X, Y))[0] == "refuted"
    both = sympy.Max(X, Y) + sympy.Min(X, Y)
    assert agree(both, X + Y)[0] != "refuted"
    never = sympy.Piecewise((X, sympy.Not(X > 0)))
    assert agree(never, X)[0] == "plausible"
