"""Whether a line is real wherever the line above it is: √x is not for negative x."""

from __future__ import annotations

from typing import Any

from convex_analyzer.derivations.judging.field import ANY, Field
from convex_analyzer.derivations.judging.normal import Normalizer
from convex_analyzer.derivations.judging.polynomials import Quotient, TooLarge, generator

__all__ = ["stays_real"]


def stays_real(before: Any, after: Any, normal: Normalizer) -> bool:
    """Whether every root and logarithm of a line exists where those of the line above do.

    Examples
    --------
    >>> import sympy
    >>> from convex_analyzer.derivations.judging.clock import Clock
    >>> x = sympy.Symbol("x", real=True)
    >>> normal = Normalizer(Field(Clock(1.0)))
    >>> stays_real(x, sympy.sqrt(x) ** 2 + sympy.sqrt(x), normal)
    False
    >>> stays_real(sympy.sqrt(x), 2 * sympy.sqrt(x), normal)
    True
    """
    known, conditions = _conditions(before), _conditions(after)
    fresh = conditions - known
    if not fresh:
        return True
    parts = set()
    for e, _ in known:
        try:
            parts.add(_odd_part(normal.scalar(e), normal.field))
        except TooLarge:
            continue
    for e, strict in fresh:
        try:
            value = normal.scalar(e)
        except TooLarge:
            return False
        side, loose = _odd_part(value, normal.field)
        proved = not loose and side == 1 and not (strict and _may_vanish(value, normal.field))
        if not proved and (side, loose) not in parts:
            return False
    return True


def _conditions(line: Any) -> set[tuple[Any, bool]]:
    """Return what must not be negative, or (True) must be positive, for a line to be real."""
    import sympy

    if isinstance(line, bool):
        return set()
    found = {(e.base, False) for e in line.atoms(sympy.Pow) if not _is_plain(e)}
    found |= {(e.args[0], True) for e in line.atoms(sympy.log)}
    found |= {(1 - e.args[0] ** 2, False) for e in line.atoms(sympy.asin, sympy.acos)}
    return {(e, strict) for e, strict in found if not e.is_Number or e.is_negative}


def _is_plain(power: Any) -> bool:
    """Whether a power of a negative number is real: the exponent is whole."""
    return bool(power.exp.is_integer) or bool(power.base.is_nonnegative)


def _odd_part(value: Quotient, field: Field) -> tuple[int, frozenset[Any]]:
    """Return the sign that is known of a value, and the factors that give it the rest."""
    side, loose = 1, frozenset[Any]()
    for polynomial, count in [(field.reduced(value.top), 1), *_bottoms(value)]:
        if count % 2 == 0 or not polynomial:
            continue
        parts = field.factors(polynomial)
        side *= 1 if parts.number > 0 else -1
        factors = [(generator(i), e) for i, e in parts.monomial]
        factors += [(dict(key), times) for key, times in parts.rest]
        for factor, times in factors:
            if times % 2 == 0 or times % 1:
                continue
            signs = field.signs(factor) or ANY
            if signs <= {-1, 0}:
                side = -side
            elif not signs <= {0, 1}:
                loose ^= {tuple(sorted(factor.items()))}
    return side, loose


def _bottoms(value: Quotient) -> list[tuple[Any, int]]:
    return [(dict(key), count) for key, count in value.bottom.items()]


def _may_vanish(value: Quotient, field: Field) -> bool:
    return 0 in field.signs(field.reduced(value.top))
