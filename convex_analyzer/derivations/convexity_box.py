"""Boxes on which a function is asked to be convex: read, inferred, written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from convex_analyzer.derivations.convexity_signs import Box
from convex_analyzer.errors import InputError

__all__ = ["box_of", "box_words", "pairs_of"]


def box_of(symbols: list[Any], over: Any, expression: Any) -> Box:
    """Return the box as exact numbers."""
    import sympy

    pairs: list[Any]
    if over is None:
        pairs = [_natural(expression, symbol) for symbol in symbols]
    elif isinstance(over, Mapping):
        named = {str(key): value for key, value in over.items()}
        stray = [key for key in named if key not in {s.name for s in symbols}]
        if stray:
            raise InputError(f"over names {stray[0]}, which f does not have", argument="over")
        pairs = [named.get(symbol.name, (-sympy.oo, sympy.oo)) for symbol in symbols]
    else:
        pairs = pairs_of(over, len(symbols))
    box = []
    for symbol, pair in zip(symbols, pairs, strict=True):
        low, high = (_number(end, symbol) for end in pair)
        if not low < high:
            raise InputError(f"over: {low} must be below {high} for {symbol}", argument="over")
        box.append((symbol, low, high))
    return tuple(box)


def _number(end: Any, symbol: Any) -> Any:
    """Return an end as an exact number; text is not evaluated."""
    import sympy

    try:
        number = sympy.nsimplify(sympy.sympify(end, strict=True), rational=True)
    except (sympy.SympifyError, TypeError, ValueError):
        number = sympy.nan
    if not number.is_extended_real:
        raise InputError(
            f"over: an end for {symbol} must be a number, got {end!r}",
            argument="over",
            hint="math.inf stands for no end",
        )
    return number


def pairs_of(over: Any, count: int) -> list[tuple[Any, Any]]:
    """Return pairs (low, high), one per variable."""
    try:
        pairs = [tuple(pair) for pair in over]
    except TypeError:
        pairs = []
    if len(pairs) == 2 and count == 1 and not all(len(p) == 2 for p in pairs):
        pairs = []
    if len(pairs) != count or any(len(pair) != 2 for pair in pairs):
        raise InputError(
            f"over must hold {count} pairs (low, high), got {over!r}",
            argument="over",
            hint="for instance over=[(-1, 1)]",
        )
    return pairs


def _natural(expression: Any, symbol: Any) -> tuple[Any, Any]:
    """Return where an expression is defined, as far as logarithms and roots of a x + b say."""
    import sympy

    arguments = [item.args[0] for item in expression.atoms(sympy.log)]
    powers = expression.atoms(sympy.Pow)
    arguments += [p.base for p in powers if not (p.exp.is_Integer and p.exp > 0)]
    low, high = -sympy.oo, sympy.oo
    for argument in arguments:
        if argument.free_symbols != {symbol} or not argument.is_polynomial(symbol):
            continue
        polynomial = sympy.Poly(argument, symbol)
        if polynomial.degree() == 1:
            slope, constant = polynomial.all_coeffs()
            edge = -constant / slope
            low, high = (sympy.Max(low, edge), high) if slope > 0 else (low, sympy.Min(high, edge))
    return (low, high) if low < high else (-sympy.oo, sympy.oo)


def box_words(box: Box) -> str:
    """Return a box in words."""
    import sympy

    parts = []
    for symbol, low, high in box:
        if (low, high) == (-sympy.oo, sympy.oo):
            continue
        if high == sympy.oo:
            parts.append(f"{symbol} > {low}")
        elif low == -sympy.oo:
            parts.append(f"{symbol} < {high}")
        else:
            parts.append(f"{low} < {symbol} < {high}")
    return ", ".join(parts) or ("all of space" if len(box) > 1 else "the real line")
