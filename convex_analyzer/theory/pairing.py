"""The characteristic polynomial of a rule on symbols, written through one product s = αλ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.theory.stability import characteristic_polynomial
from convex_analyzer.theory.symbolic import OpenRule

__all__ = ["Paired", "field_of", "paired"]


@dataclass(frozen=True)
class Paired:
    """A characteristic polynomial in which λ occurs through one product s only.

    Attributes
    ----------
    coefficients
        From the highest power down, in s and what is left of the parameters.
    product
        What s stands for.
    absorbed
        Symbols that occur in s and nowhere else.
    """

    coefficients: tuple[Any, ...]
    product: Any
    absorbed: tuple[Any, ...]


def field_of(symbols: list[Any], expressions: Iterable[Any]) -> tuple[Any, Callable[[Any], Any]]:
    """Return the field of fractions over the numbers that occur, and the way into it."""
    import sympy
    from sympy.polys.fields import field
    from sympy.polys.polyerrors import CoercionFailed, PolynomialError

    listed = [sympy.sympify(e) for e in expressions]
    roots = {p for e in listed for p in e.atoms(sympy.Pow) if p.is_number and not p.is_Rational}
    others = {n for e in listed for n in e.atoms(sympy.CRootOf, sympy.AlgebraicNumber)}
    domain, _ = sympy.construct_domain([*roots, *others, sympy.Rational(1, 2)], extension=True)
    whole = field(symbols or [sympy.Dummy("unused")], domain)[0]

    def enter(expression: Any) -> Any:
        try:
            return whole.from_expr(sympy.sympify(expression))
        except (CoercionFailed, PolynomialError, ValueError, TypeError, KeyError) as error:
            raise NotDerivableError(
                f"{sympy.sympify(expression)} is no quotient of polynomials in the hyper-parameters"
                ", so the stable set has no algebraic form"
            ) from error

    return whole, enter


def paired(rule: OpenRule, s: Any) -> Paired:
    """Write the characteristic polynomial through s = αλ, or another product if that frees more."""
    import sympy

    entries = [entry for row in rule.matrix for entry in row]
    symbols = sorted(set().union(*(e.free_symbols for e in entries)), key=str)
    whole, enter = field_of(symbols, entries)
    raw = characteristic_polynomial([[enter(entry) for entry in row] for row in rule.matrix])
    plain = [(whole.one * c).as_expr() for c in raw]
    alpha, eigenvalue = rule.learning_rate, rule.eigenvalue
    above = [p for p in (alpha, *rule.parameters.values()) if rule.ranges[p][0:3:2] == (0, True)]

    def without(coefficients: list[Any], old: Any, divisor: Any) -> list[Any]:
        return [sympy.cancel(c.subs(old, s / divisor)) for c in coefficients]

    chosen, factor = without(plain, eigenvalue, alpha), alpha
    if _occurs(alpha, chosen):
        trials = ((p, without(plain, eigenvalue, p)) for p in above if p != alpha)
        free = [(p, c) for p, c in trials if _occurs(p, plain) and not _occurs(p, c)]
        factor, chosen = free[0] if free else (factor, chosen)
    product, absorbed = factor * eigenvalue, [] if _occurs(factor, chosen) else [factor]
    for p in above:
        if p not in absorbed and absorbed and _occurs(p, chosen):
            trial = without(chosen, s, p)
            if not _occurs(p, trial):
                chosen, product = trial, p * product
                absorbed.append(p)
    return Paired(tuple(chosen), product, tuple(absorbed))


def _occurs(symbol: Any, coefficients: list[Any]) -> bool:
    return any(symbol in c.free_symbols for c in coefficients)
