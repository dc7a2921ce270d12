"""Where a line divides by zero: a solution is lost or won there without a word."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime
from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.solutions import border_points
from convex_analyzer.derivations.judging.values import Undefined

__all__ = ["denominators", "pole_points"]

_MOST_POINTS = 60  # per denominator


def denominators(line: Any) -> list[Any]:
    """Return what a line divides by, numbers and what is known not to be zero left out.

    Examples
    --------
    >>> import sympy
    >>> x, y = sympy.symbols("x y", real=True)
    >>> denominators(sympy.Eq(y / x, 1 / (x - y) ** 2))
    [x, x - y]
    """
    import sympy

    if isinstance(line, bool):
        return []
    found = {
        power.base
        for power in line.atoms(sympy.Pow)
        if power.exp.is_negative and power.base.is_zero is not False
    }
    own = {index for s in line.atoms(sympy.Sum, sympy.Product) for index, *_ in s.limits}
    plain = [e for e in found if not e.is_Number and not e.free_symbols & own]
    return sorted(plain, key=lambda e: (len(str(e)), str(e)))


def pole_points(before: Any, after: Any, sampler: Sampler, clock: Clock) -> Iterator[Point]:
    """Yield admissible points at which something that a line divides by is zero.

    Where the other line can hold there only on a curve, points of that curve come, too.
    """
    import sympy

    if sampler.has_matrices:
        return
    for base in dict.fromkeys(denominators(before) + denominators(after)):
        vanishes = sympy.Eq(base, 0, evaluate=False)
        plain = border_points([vanishes], sampler, clock)
        yield from itertools.islice(plain, _MOST_POINTS)
        for unknown in [s for s in sampler.scalars if s in base.free_symbols]:
            value = _solved(base, unknown)
            if value is None:
                continue
            for line in (before, after):
                there = _there(line, unknown, value)
                if there is None:
                    continue
                for point in itertools.islice(_on(there, sampler, clock), _MOST_POINTS):
                    try:
                        full = {**point, unknown: compiled(value)(point)}
                    except Undefined:
                        continue
                    if sampler.admits(full):
                        yield full


def _solved(base: Any, unknown: Any) -> Any:
    """Return the value of a symbol at which a denominator that is linear in it vanishes."""
    import sympy

    slope = sympy.expand(sympy.diff(base, unknown))
    if slope.has(unknown) or slope == 0 or slope.has(sympy.Derivative):
        return None
    return sympy.expand(-base.subs(unknown, 0) / slope)


def _there(line: Any, unknown: Any, value: Any) -> Any:
    """Return a line at a value of a symbol, or None where it has poles itself."""
    import sympy

    try:
        there = line.subs(unknown, value)
    except (TypeError, AttributeError):  # of zoo in an inequality, of True
        return None
    infinite = there.has(sympy.zoo, sympy.nan, sympy.oo)
    return None if infinite or there in (sympy.true, sympy.false) else there


def _on(statement: Any, sampler: Sampler, clock: Clock) -> Iterator[Point]:
    try:
        yield from border_points([statement], sampler, clock)
    except (Undefined, OutOfTime, TypeError, ValueError):
        return
