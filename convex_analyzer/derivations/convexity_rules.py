"""Convex because of how it is built: sums, maxima, and functions of what is convex already.

Each rule that is used becomes a line of the proof. The rules are those of every textbook (Boyd and
Vandenberghe 2004, section 3.2); where one needs a sign or a monotone range, `sign_on` proves it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from convex_analyzer.derivations.convexity_signs import (
    Box,
    definiteness,
    is_affine,
    sign_on,
)
from convex_analyzer.derivations.lines import Line

__all__ = ["Composer"]

_NONE: frozenset[str] = frozenset()
_BOTH = frozenset({"convex", "concave"})
_CONVEX = frozenset({"convex"})
_CONCAVE = frozenset({"concave"})
_TURNED = {"convex": "concave", "concave": "convex"}


class Composer:
    """Finds the curvature of an expression by rules, and remembers the rules it used.

    Parameters
    ----------
    box
        Where the statement is meant to hold.
    """

    def __init__(self, box: Box) -> None:
        self.box = box
        self.lines: list[Line] = []

    def curvature(self, expression: Any) -> frozenset[str]:
        """Return what is proved: ``convex``, ``concave``, both (affine) or nothing."""
        if not expression.free_symbols:
            return _BOTH if expression.is_finite and expression.is_extended_real else _NONE
        if is_affine(expression, self.box):
            return _BOTH
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self._multiple(expression)
        if expression.is_Pow:
            return self._power(expression)
        rules: dict[str, Callable[[Any], frozenset[str]]] = {
            "exp": self._exp, "cosh": self._cosh, "log": self._log, "Abs": self._abs,
            "Max": self._max, "Min": self._min,
        }  # fmt: skip
        rule = rules.get(type(expression).__name__)
        return _NONE if rule is None else rule(expression)

    def _note(
        self, found: frozenset[str], expression: Any, reason: str, check: str
    ) -> frozenset[str]:
        if found and all(line.statement != expression for line in self.lines):
            title = "affine" if found == _BOTH else next(iter(found))
            self.lines.append(Line(title, expression, reason, check, "proved"))
        return found

    # -- sums and multiples -----------------------------------------------------------------------

    def _sum(self, expression: Any) -> frozenset[str]:
        found = _BOTH
        for term in expression.args:
            found = found & self.curvature(term)
            if not found:
                return self._square_form(expression)
        return self._note(found, expression, "a sum of such terms", "term by term")

    def _square_form(self, expression: Any) -> frozenset[str]:
        """Decide a polynomial of degree two whose products do not part: x² - x y + y²."""
        import sympy

        symbols = [symbol for symbol, _, _ in self.box]
        if not expression.is_polynomial(*symbols):
            return _NONE
        if sympy.Poly(sympy.expand(expression), *symbols).total_degree() != 2:
            return _NONE
        hessian = sympy.hessian(expression, symbols)
        check = "pivots of its constant Hessian, in exact arithmetic"
        if definiteness(hessian):
            return self._note(_CONVEX, expression, "a quadratic with A ⪰ 0", check)
        if definiteness(-hessian):
            return self._note(_CONCAVE, expression, "a quadratic with A ⪯ 0", check)
        return _NONE

    def _multiple(self, expression: Any) -> frozenset[str]:
        import sympy

        number, rest = expression.as_independent(*[s for s, _, _ in self.box], as_Add=False)
        if number == 1:
            return self._square_over_linear(expression)
        found = self.curvature(rest)
        if number.is_negative:
            found = frozenset(_TURNED[word] for word in found)
        elif not number.is_positive:
            return _NONE
        what = "a negative" if number.is_negative else "a positive"
        return self._note(
            found, expression, f"{what} multiple", f"the factor is {sympy.sstr(number)}"
        )

    def _square_over_linear(self, expression: Any) -> frozenset[str]:
        """Decide u²/v with u, v affine and v > 0; and u log u."""
        import sympy

        if len(expression.args) == 2 and sympy.log(expression.args[0]) == expression.args[1]:
            inner = expression.args[0]
            found = _CONVEX if is_affine(inner, self.box) else _NONE
            if sign_on(inner, self.box) == "+":
                return self._note(found, expression, "u log u, u affine and positive", "1/u > 0")
        top, bottom = sympy.fraction(expression)
        base, power = top.as_base_exp()
        fits = power == 2 and is_affine(base, self.box) and is_affine(bottom, self.box)
        if not fits or sign_on(bottom, self.box) != "+":
            return self._square_form(sympy.expand(expression))
        reason = "u²/v is convex for v > 0: its Hessian is 2/v³ times a square"
        return self._note(_CONVEX, expression, reason, "u, v affine; sign of v")

    # -- functions --------------------------------------------------------------------------------

    def _power(self, expression: Any) -> frozenset[str]:
        base, exponent = expression.as_base_exp()
        if not exponent.is_number or exponent.is_extended_real is not True:
            return _NONE
        inner, sign = self.curvature(base), sign_on(base, self.box)
        found = self._root_of_squares(base, exponent) or _power_rule(inner, sign, exponent)
        reason = f"t^{exponent} of {'an affine' if inner == _BOTH else 'such an'} expression"
        check = f"sign of the inner expression: {_SIGN_WORDS[sign]}"
        return self._note(found, expression, reason, check)

    def _root_of_squares(self, base: Any, exponent: Any) -> frozenset[str]:
        """Decide √(Σ squares): a norm, which rises with every non-negative part."""
        import sympy

        symbols = [symbol for symbol, _, _ in self.box]
        if exponent != sympy.Rational(1, 2):
            return _NONE
        if base.is_Add and all(self._is_square(term, symbols) for term in base.args):
            return _CONVEX
        if not base.is_polynomial(*symbols):
            return _NONE
        polynomial = sympy.Poly(sympy.expand(base), *symbols)
        if polynomial.total_degree() != 2:
            return _NONE
        w = sympy.Dummy("w")
        whole = polynomial.homogenize(w).as_expr()
        return _CONVEX if definiteness(sympy.hessian(whole, [*symbols, w])) else _NONE

    def _is_square(self, term: Any, symbols: list[Any]) -> bool:
        """Tell whether a term is the square of an affine, or of a non-negative convex function."""
        number, rest = term.as_independent(*symbols, as_Add=False)
        if not number.is_positive:
            return False
        if rest == 1 or (_is_exp(rest) and "convex" in self.curvature(rest.exp)):
            return True
        base, power = rest.as_base_exp()
        if not (power.is_even and power > 0):
            return False
        inner = self.curvature(base)
        return inner == _BOTH or ("convex" in inner and sign_on(base, self.box) in {"+", "+0"})

    def _exp(self, expression: Any) -> frozenset[str]:
        found = self.curvature(expression.args[0]) & _CONVEX
        return self._note(found, expression, "exp of a convex expression", "exp is convex, rising")

    def _cosh(self, expression: Any) -> frozenset[str]:
        found = self.curvature(expression.args[0])
        found = _CONVEX if found == _BOTH else _NONE
        return self._note(found, expression, "cosh of an affine expression", "cosh″ = cosh ≥ 1")

    def _log(self, expression: Any) -> frozenset[str]:
        import sympy

        argument = sympy.together(expression.args[0])
        if sign_on(argument, self.box) != "+":
            return _NONE
        parts = [factor.as_base_exp() for factor in sympy.Mul.make_args(argument)]
        if len(parts) > 1 or parts[0][1] != 1:
            return self._log_of_product(expression, argument)
        inner = self.curvature(expression.args[0]) & _CONCAVE
        if inner:
            return self._note(
                inner, expression, "log of a concave expression", "log is concave, rising"
            )
        return self._log_sum_exp(expression)

    def _log_of_product(self, expression: Any, argument: Any) -> frozenset[str]:
        """Take log(u^a v^b …) apart where every factor is positive."""
        import sympy

        total = sympy.S(0)
        for factor in sympy.Mul.make_args(argument):
            base, power = (sympy.E, factor.exp) if _is_exp(factor) else factor.as_base_exp()
            if sign_on(base, self.box) != "+":
                return _NONE
            total += power * sympy.log(base)
        if total == expression:
            return self._log_sum_exp(expression)
        found = self.curvature(total)
        return self._note(found, expression, "the logarithm of a product, as a sum", "factors > 0")

    def _log_sum_exp(self, expression: Any) -> frozenset[str]:
        """Decide log Σ cᵢ exp(uᵢ), cᵢ > 0 and every uᵢ convex."""
        import sympy

        symbols = [symbol for symbol, _, _ in self.box]
        for term in sympy.Add.make_args(sympy.expand(expression.args[0])):
            number, rest = term.as_independent(*symbols, as_Add=False)
            exponent = sympy.log(rest) if rest == 1 else sum(
                (f.exp if _is_exp(f) else sympy.nan for f in sympy.Mul.make_args(rest)),
                sympy.S(0),
            )  # fmt: skip
            if not number.is_positive or exponent is sympy.nan:
                return _NONE
            if "convex" not in self.curvature(exponent):
                return _NONE
        reason = "log Σ exp(uᵢ), uᵢ convex: it rises, and its Hessian is a variance"
        return self._note(_CONVEX, expression, reason, "every term is c·exp(u), c > 0, u convex")

    def _abs(self, expression: Any) -> frozenset[str]:
        inner, sign = self.curvature(expression.args[0]), sign_on(expression.args[0], self.box)
        found = _CONVEX if inner == _BOTH else _NONE
        if sign in {"+", "+0"}:
            found = inner
        reason = "|u| of an affine expression, the larger of u and −u"
        return self._note(found, expression, reason, "u is affine")

    def _max(self, expression: Any) -> frozenset[str]:
        found = _CONVEX if all("convex" in self.curvature(a) for a in expression.args) else _NONE
        return self._note(found, expression, "the largest of convex expressions", "one by one")

    def _min(self, expression: Any) -> frozenset[str]:
        found = _CONCAVE if all("concave" in self.curvature(a) for a in expression.args) else _NONE
        return self._note(found, expression, "the least of concave expressions", "one by one")


_SIGN_WORDS = {
    "+": "positive", "+0": "not negative", "-": "negative", "-0": "not positive", "0": "zero",
    "?": "either, and the power is even",
}  # fmt: skip


def _is_exp(factor: Any) -> bool:
    return type(factor).__name__ == "exp"


def _power_rule(inner: frozenset[str], sign: str, exponent: Any) -> frozenset[str]:
    """Return the curvature of u^p from that of u, its sign, and p."""
    positive, weakly = sign == "+", sign in {"+", "+0", "0"}
    if exponent.is_even and exponent > 0 and inner == _BOTH:
        return _CONVEX
    if exponent >= 1 and weakly and "convex" in inner:
        return _CONVEX
    if exponent.is_even and exponent > 0 and sign in {"-", "-0"} and "concave" in inner:
        return _CONVEX
    if 0 < exponent <= 1 and weakly and "concave" in inner:
        return _CONCAVE
    if exponent < 0 and positive and "concave" in inner:
        return _CONVEX
    return _NONE
