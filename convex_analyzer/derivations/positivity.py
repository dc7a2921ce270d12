"""Proving that an expression is positive, by writing it with non-negative coefficients only."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.vanishing import signs_of_coefficients

__all__ = ["is_positive", "on_interval", "on_unit_interval"]


def on_unit_interval(name: str) -> Any:
    """Return an expression that runs through (0, 1) as its positive symbol runs through (0, ∞)."""
    import sympy

    return 1 / (1 + sympy.Dummy(name, positive=True))  # a dummy: no symbol of a rule is meant


def on_interval(top: Any, name: str) -> Any:
    """Return an expression that runs through (0, top) as its symbol runs through (0, ∞)."""
    return top * on_unit_interval(name)


def is_positive(expression: Any) -> bool:
    """Prove that an expression in positive symbols is positive; False means "not proved".

    Numerator and denominator are expanded; if each has coefficients of one sign only, the sign of
    the quotient is certain. Nothing is proved about rounded numbers, about symbols that are not
    declared positive, or about roots and other functions of symbols.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", positive=True)
    >>> is_positive(1 - 1 / (1 + x)), is_positive(1 - x)
    (True, False)
    """
    import sympy

    given = sympy.sympify(expression)
    if given.has(sympy.Float, sympy.oo, sympy.zoo, sympy.nan):
        return False
    if not all(symbol.is_positive for symbol in given.free_symbols):
        return False
    signs = signs_of_coefficients(given)
    if signs is not None and set(signs[0]) == set(signs[1]) and len(set(signs[0])) == 1:
        return True
    top, bottom = (_common_sign(part) for part in sympy.fraction(sympy.together(given)))
    return top != 0 and top == bottom


def _common_sign(expression: Any) -> int:
    """Return the sign that all coefficients share, or 0."""
    import sympy

    expanded = sympy.expand(expression)
    symbols = sorted(expanded.free_symbols, key=str)
    try:
        coefficients = sympy.Poly(expanded, *symbols).coeffs() if symbols else [expanded]
    except sympy.PolynomialError:
        return 0
    if all(coefficient.is_positive for coefficient in coefficients):
        return 1
    return -1 if all(coefficient.is_negative for coefficient in coefficients) else 0
