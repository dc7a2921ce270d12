"""Rules whose numbers are exact: fractions for floats, one symbol for each schedule."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from convex_analyzer.conventions.typed import scaled
from convex_analyzer.domains import is_schedule
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.schedules.combined import Product
from convex_analyzer.schedules.decays import Constant

__all__ = ["exactly", "rational", "simplest", "with_symbols"]

_ULPS = 2  # products such as α(1 - μ) have lost that much
_SHORT = 12  # digits of a decimal that is taken for what was meant


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction with the smallest denominator in a closed interval of positive numbers.

    Examples
    --------
    >>> simplest(Fraction(31, 100), Fraction(34, 100))
    Fraction(1, 3)
    """
    whole = math.ceil(low)
    if whole <= high:
        return Fraction(whole)
    floor = whole - 1
    return floor + 1 / simplest(1 / (high - floor), 1 / (low - floor))


def rational(value: Any) -> Any:
    """Return a float as the short decimal or simplest fraction within rounding; symbols stay.

    Examples
    --------
    >>> rational(0.1), rational(0.5 * (1 - 0.9)), rational(1e-16)
    (1/10, 1/20, 1/10000000000000000)
    """
    import sympy

    if is_symbolic(value):
        return value
    if isinstance(value, int):
        return sympy.Integer(value)
    number = float(value)
    if number == 0:
        return sympy.Integer(0)
    if not math.isfinite(number):
        return sympy.Float(number)
    size, room = Fraction(abs(number)), _ULPS * Fraction(math.ulp(number))
    found = Fraction(f"{abs(number):.{_SHORT}g}")
    if abs(found - size) > room:
        found = simplest(max(size - room, size / 2), size + room)
    return sympy.Rational(found.numerator, found.denominator) * (1 if number > 0 else -1)


def exactly(rule: Optimizer) -> Optimizer:
    """Return the rule with fractions in place of floats, inside schedules too."""
    return rule.transformed(rational)


def with_symbols(rule: Optimizer, known: list[tuple[Any, Any]]) -> Optimizer:
    """Return the rule with fractions, and with one positive symbol for each schedule.

    Parameters
    ----------
    rule
        Any rule.
    known
        Schedules met so far with their symbols; equal schedules share one, and a multiple of a
        schedule is that multiple of its symbol. Extended in place.
    """
    changes: dict[str, Any] = {}
    for name, value in rule.values.items():
        if isinstance(value, Optimizer):
            changes[name] = with_symbols(value, known)
        elif is_schedule(value):
            changes[name] = _symbol_of(value, known)
        elif name in rule.hyperparameters():
            changes[name] = rational(value)
    return rule.unchecked(**changes)


def _symbol_of(schedule: Any, known: list[tuple[Any, Any]]) -> Any:
    import sympy

    if isinstance(schedule, Product):
        first, second = schedule.first, schedule.second
        for number, other in ((first, second), (second, first)):
            if isinstance(number, Constant):
                return rational(number.value) * _symbol_of(other, known)
    if isinstance(schedule, Constant):
        return rational(schedule.value)
    for other, symbol in known:
        if other == schedule:
            return symbol
        ratio = _ratio(schedule, other)
        if ratio is not None:
            return ratio * symbol
    symbol = sympy.Symbol(f"s{len(known) + 1}", positive=True)
    known.append((schedule, symbol))
    return symbol


def _ratio(schedule: Any, other: Any) -> Any:
    """Return the number by which one schedule is a multiple of the other; None if it is not."""
    if type(schedule) is not type(other):
        return None
    first, second = schedule.at(1), other.at(1)
    if not (isinstance(first, float) and isinstance(second, float) and second != 0):
        return None
    ratio = first / second
    return rational(ratio) if scaled(other, ratio) == scaled(schedule, 1) else None
