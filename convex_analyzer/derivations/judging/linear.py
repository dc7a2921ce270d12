"""Linear arithmetic over the rationals: whether some rows can hold together (Fourier, Motzkin).

Source: J. Fourier 1827, T. Motzkin 1936; see A. Schrijver, Theory of Linear and Integer
Programming, section 12.2.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm
from typing import Any

from convex_analyzer.derivations.judging.clock import spend
from convex_analyzer.derivations.judging.polynomials import Poly

__all__ = ["Row", "infeasible"]

Row = tuple[Poly, bool]  # the linear form is >= 0; True: > 0
_MOST_ROWS = 160


def infeasible(rows: list[Row]) -> bool:
    """Whether no numbers for the monomials satisfy all rows; False means "not shown".

    Examples
    --------
    >>> x = ((0, 1),)
    >>> infeasible([({x: 1, (): -2}, False), ({x: -1, (): 1}, False)])
    True
    """
    current = _tidy(rows)
    while current is not None:
        costs = {m: _cost(current, m) for form, _ in current for m in form if m}
        if not costs:
            return False
        current = _without(current, min(costs, key=lambda v: (costs[v], v)))
        if current is not None and len(current) > _MOST_ROWS:
            return False
    return True


def _cost(rows: list[Row], variable: Any) -> int:
    up = sum(form.get(variable, 0) > 0 for form, _ in rows)
    down = sum(form.get(variable, 0) < 0 for form, _ in rows)
    return int(up * down - up - down)


def _tidy(rows: list[Row]) -> list[Row] | None:
    """Return different rows without those that always hold; None if one never holds."""
    kept: dict[Any, Row] = {}
    spend(10 * sum(len(form) + 1 for form, _ in rows))
    for form, strict in rows:
        if not any(form):
            number = form.get((), 0)
            if number < 0 or (number == 0 and strict):
                return None
            continue
        slim = _primitive(form)
        key = tuple(sorted((m, c) for m, c in slim.items() if m))
        other = kept.get(key)
        here = slim.get((), 0)
        if other is not None:
            there = other[0].get((), 0)
            if there < here or (there == here and other[1] >= strict):
                continue
        kept[key] = (slim, strict)
    return list(kept.values())


def _primitive(form: Poly) -> Poly:
    """Return a positive multiple whose coefficients are whole and coprime, the constant apart."""
    bottom = lcm(*(c.denominator for m, c in form.items() if m))
    whole = {m: int(c * bottom) for m, c in form.items() if m}
    common = gcd(*whole.values())
    slim: Poly = {m: c // common for m, c in whole.items()}
    rest = form.get((), 0)
    if rest:
        constant = Fraction(rest) * bottom / common
        slim[()] = constant.numerator if constant.denominator == 1 else constant
    return slim


def _without(rows: list[Row], variable: Any) -> list[Row] | None:
    up = [row for row in rows if row[0].get(variable, 0) > 0]
    down = [row for row in rows if row[0].get(variable, 0) < 0]
    rest = [row for row in rows if not row[0].get(variable, 0)]
    for low, strict_low in up:
        for high, strict_high in down:
            a, b = low[variable], -high[variable]
            total = {m: c * b for m, c in low.items()}
            for m, c in high.items():
                total[m] = total.get(m, 0) + c * a
            total = {m: c for m, c in total.items() if c and m != variable}
            rest.append((total, strict_low or strict_high))
    return _tidy(rest)
