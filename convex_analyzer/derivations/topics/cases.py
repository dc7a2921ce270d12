"""The cases of αλ: how one eigendirection moves in each, with the borders between them."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.chain import Chain, is_zero
from convex_analyzer.derivations.linear import (
    gradient_line,
    polynomial_line,
    power_line,
    recurrence_line,
    step_line,
)
from convex_analyzer.derivations.lines import Derivation
from convex_analyzer.derivations.setting import Setting, tidy
from convex_analyzer.derivations.topic import Topic
from convex_analyzer.errors import NotDerivableError


def _build(optimizer: Any) -> Derivation:
    s = Setting(optimizer)
    s.require_slots(1, 2)
    if s.rate is None:
        raise NotDerivableError(f"{s.name} has no hyper-parameter learning_rate: there is no αλ")
    chain = Chain(f"How {s.name} moves along one eigendirection")
    chain.lines += [gradient_line(s), step_line(s)]
    return _one_factor(s, chain) if s.matrix.rows == 1 else _two_roots(s, chain)


def in_product(s: Setting, expression: Any) -> Any:
    """Write an expression in s = αλ.

    Raises
    ------
    NotDerivableError
        α and λ occur in some other way.
    """
    import sympy

    product = sympy.Symbol("s", real=True)
    found = sympy.expand(expression.subs(s.rate, product / s.eigenvalue))
    if s.eigenvalue in found.free_symbols:
        raise NotDerivableError(
            f"Stops here: in {tidy(expression)} α and λ do not occur as αλ alone, so the cases "
            "are not intervals of αλ"
        )
    return found, product


def _one_factor(s: Setting, chain: Chain) -> Derivation:
    import sympy

    chain.lines.append(power_line(s))
    factor, product = in_product(s, s.matrix[0, 0])
    slope = sympy.diff(factor, product)
    if product in slope.free_symbols or not (-slope).is_positive:
        return chain.done(f"Stops here: the factor {factor} does not fall along a line in αλ.")
    f, at = sympy.Symbol("f", real=True), sympy.Function("f")
    shown = s.rate * s.eigenvalue
    chain.equal(
        "the factor",
        at(shown),
        tidy(s.matrix[0, 0]),
        "a function of αλ alone",
        given=factor.subs(product, shown),
    )
    border = {}
    for value in (1, 0, -1):
        border[value] = tidy(sympy.solve(sympy.Eq(factor, value), product)[0])
        chain.equal(
            f"where f = {value}".replace("-", "−"),
            at(border[value]),
            sympy.Integer(value),
            f"solved for αλ: αλ = {border[value]}",
            given=s.matrix[0, 0].subs(s.rate, border[value] / s.eigenvalue),
        )
    one, none, minus = border[1], border[0], border[-1]
    for title, low, high, left, right in (
        ("shrinks without changing sign", one, none, 0, 1),
        ("shrinks and changes sign in every step", none, minus, -1, 0),
    ):
        statement = sympy.Equivalent(
            _between(low, shown, high), _between(left, f, right), evaluate=False
        )
        holds, check = _decide(factor, product, (low, high), (left, right))
        chain.say(title, statement, "f falls with αλ, from border to border", check, holds)
    chain.equal(
        "at the border",
        at(minus) ** 2,
        sympy.Integer(1),
        "x, −x, x, … for ever: no decay",
        given=factor.subs(product, minus) ** 2,
    )
    outside = sympy.Equivalent(
        sympy.Gt(shown, minus, evaluate=False), sympy.Lt(f, -1, evaluate=False), evaluate=False
    )
    holds, check = _decide(factor, product, (minus, None), (None, -1))
    chain.say("grows and changes sign", outside, "f falls below −1", check, holds)
    return chain.done()


def _between(low: Any, middle: Any, high: Any) -> Any:
    import sympy

    return sympy.And(
        sympy.Lt(low, middle, evaluate=False),
        sympy.Lt(middle, high, evaluate=False),
        evaluate=False,
    )


def _decide(factor: Any, s: Any, inside: Any, values: Any) -> tuple[bool, str]:
    """Compare an interval of s with one of f, at exact points inside, outside and on the borders.

    f is affine in s and falls, so agreement at the ends and at one point on each side proves it.
    """
    import sympy

    low, high = inside
    free = sorted(factor.free_symbols - {s}, key=str)
    ends = [end for end in inside if end is not None]
    ok = True
    for count in range(1, 4):
        point = {symbol: sympy.Rational(count, 7) for symbol in free}
        numbers = [end.subs(point) for end in ends]
        span = numbers[-1] - numbers[0] if len(numbers) > 1 else sympy.Integer(1)
        tries = [n + share * span / 4 for n in numbers for share in range(-5, 6)]
        for at in tries:
            f = factor.subs(point).subs(s, at)
            left = (low is None or at > low.subs(point)) and (high is None or at < high.subs(point))
            right = (values[0] is None or f > values[0]) and (values[1] is None or f < values[1])
            ok = ok and bool(left) == bool(right)
    return ok, "f is affine in αλ: equal truth at both ends, between them and on either side"


def _two_roots(s: Setting, chain: Chain) -> Derivation:
    import sympy

    chain.lines += [polynomial_line(s), recurrence_line(s)]
    D = sympy.Symbol("D", real=True)
    discriminant = s.trace**2 - 4 * s.determinant
    chain.equal(
        "discriminant",
        D,
        tidy(s.trace) ** 2 - 4 * tidy(s.determinant),
        "of the characteristic polynomial: (r₁ − r₂)²",
        given=sympy.discriminant(s.z**2 - s.trace * s.z + s.determinant, s.z),
    )
    try:
        borders, lead = critical_borders(s)
    except NotDerivableError as error:
        return chain.done(str(error))
    shown = s.rate * s.eigenvalue
    factored = sympy.Mul(lead, *[shown - border for border in borders], evaluate=False)
    chain.equal("factored", D, factored, "solved for αλ", given=discriminant)
    low, high = borders if len(borders) == 2 else (borders[0], None)
    r = sympy.Symbol("r", real=True)
    chain.equal(
        "critical (D = 0)",
        r,
        tidy(s.trace.subs(s.rate, low / s.eigenvalue) / 2),
        f"αλ = {low}: both roots are half their sum, and x[k] goes like k rᵏ",
        given=sympy.together(s.trace.subs(s.rate, low / s.eigenvalue)) / 2,
    )
    if high is None:
        return chain.done("Stops here: D is linear in αλ, with one border only.")
    band = sympy.Equivalent(
        sympy.Lt(D, 0, evaluate=False), _between(low, shown, high), evaluate=False
    )
    holds, check = _signs(s, discriminant, low, high)
    chain.say("oscillates (D < 0)", band, "two complex roots between the borders", check, holds)
    modulus = sympy.Symbol("rho", positive=True) ** 2
    t, d = s.trace, s.determinant
    chain.equal(
        "modulus where the roots are complex",
        modulus,
        tidy(d),
        "(t/2)² + (4d − t²)/4: the square of the modulus is the product of the roots",
        given=(t / 2) ** 2 + (4 * d - t**2) / 4,
    )
    return chain.done()


def critical_borders(s: Setting) -> tuple[list[Any], Any]:
    """Return where the two roots meet, as values of αλ in increasing order, and D's lead.

    Raises
    ------
    NotDerivableError
        D is no quadratic in αλ whose roots are found.
    """
    import sympy

    found, product = in_product(s, s.trace**2 - 4 * s.determinant)
    roots: list[Any] = []
    w = {symbol: sympy.Dummy("w", positive=True) for symbol in s.fractions.values()}
    squared = {symbol: root**2 for symbol, root in w.items()}
    back = {root: sympy.sqrt(symbol) for symbol, root in w.items()}
    polynomial = sympy.Poly(found.subs(squared), product)
    _, factors = polynomial.factor_list()
    for factor, power in factors:
        if factor.degree() != 1 or power != 1:
            raise NotDerivableError("Stops here: the roots of D in αλ are not found in radicals.")
        slope, rest = factor.all_coeffs()
        roots.append(sympy.factor(-rest / slope).subs(back))
    lead = sympy.factor(polynomial.LC()).subs(back)
    middle = {symbol: sympy.Rational(1, 3) for symbol in s.hyper.values()}
    return sorted(roots, key=lambda root: float(root.subs(middle))), lead


def _signs(s: Setting, discriminant: Any, low: Any, high: Any) -> tuple[bool, str]:
    """Compare the sign of D with complex roots of NumPy, between the borders and outside."""
    import random

    import numpy as np
    import sympy

    rng = random.Random(0)
    symbols = sorted(
        (discriminant.free_symbols | low.free_symbols | high.free_symbols) - {s.rate, s.eigenvalue},
        key=str,
    )
    borders = sympy.lambdify(symbols, [low, high], "math")
    coefficients = sympy.lambdify([*symbols, s.rate, s.eigenvalue], s.coefficients, "math")
    for _ in range(8):
        point = [rng.randint(1, 30) / 31 for _ in symbols]
        a, b = borders(*point)
        for share in (-1 / 9, 1 / 9, 1 / 2, 8 / 9, 10 / 9):
            product = a + share * (b - a)
            roots = np.roots(coefficients(*point, product, 1.0))
            if (abs(roots[0].imag) > 1e-9) != (0 < share < 1):
                return False, f"roots {roots} at αλ = {product}"
    ordered = not is_zero(high - low)
    return ordered, "against numerical roots between the borders and outside, at 40 points"


TOPIC = Topic(
    "cases",
    "how one eigendirection moves, by αλ: monotone, oscillating, growing; real or complex roots",
    _build,
    ("GradientDescent",),
)
