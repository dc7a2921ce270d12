"""Proving that an expression is positive, by writing it with non-negative coefficients only."""

from __future__ import annotations

from typing import Any

__all__ = ["is_positive", "on_interval", "on_unit_interval"]


def on_unit_interval(name: str) -> Any:
    """Return an expression that runs through (0, 1) as its positive symbol runs through (0, ∞)."""
    import sympy

    free = sympy.Symbol(name, positive=True)
    return 1 / (1 + free)


def on_interval(top: Any, name: str) -> Any:
    """Return an expression that runs through (0, top) as its symbol runs through (0, ∞)."""
    return top * on_unit_interval(name)


def is_positive(expression: Any) -> bool:
    """Prove that an expression in positive symbols is positive; False means "not proved".

    Numerator and denominator are expanded; if each has coefficients of one sign only, the sign of
    the quotient is certain.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", positive=True)
    >>> is_positive(1 - 1 / (1 + x)), is_positive(1 - x)
    (True, False)
    """
    import sympy

    top, bottom = sympy.fraction(sympy.together(sympy.sympify(expression)))
    signs = [_common_sign(part) for part in (top, bottom)]
    return 0 not in signs and signs[0] == signs[1]


def _common_sign(expression: Any) -> int:
    import sympy

    expanded = sympy.expand(expression)
    if not expanded.free_symbols:
        return int(sympy.sign(expanded))
    polynomial = sympy.Poly(expanded, *sorted(expanded.free_symbols, key=str))
    signs = {int(sympy.sign(coefficient)) for coefficient in polynomial.coeffs()}
    return signs.pop() if len(signs) == 1 else 0
