"""Refuting: two lines evaluated at exact points until one tells them apart."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime
from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.solutions import border_points
from convex_analyzer.derivations.judging.values import NotReal, Undefined, agree

__all__ = ["Trial", "try_statements", "try_values"]

_SCALAR_POINTS = 24
_MATRIX_POINTS = ((2, 14), (3, 6))
_STATEMENT_POINTS = 60
_ENOUGH = 8  # points without a value of this line, where the one above has one
_MOST_BORDER_POINTS = 400


@dataclass(frozen=True)
class Trial:
    """What trying gave.

    Attributes
    ----------
    point
        Where the lines differ, or None.
    points
        How many points both lines have a value at.
    telling
        How many of them count: for statements, those at which the line above holds.
    """

    point: Point | None
    points: int
    telling: int


def try_values(before: Any, after: Any, sampler: Sampler, clock: Clock) -> Trial:
    """Look for a point at which two expressions have different values."""
    first, second = compiled(before), compiled(after)
    orders = _MATRIX_POINTS if sampler.has_matrices else ((2, _SCALAR_POINTS),)
    tried, without = 0, []
    for order, limit in orders:
        for point in sampler.points(limit, order):
            if clock.left < 0:
                return Trial(None, tried, tried)
            try:
                value = first(point)
            except Undefined:
                continue
            try:
                other = second(point)
            except NotReal:
                return Trial(point, tried + 1, tried + 1)
            except Undefined:
                without.append(point)
                continue
            tried += 1
            if not agree(value, other):
                return Trial(point, tried, tried)
    if tried == 0 and len(without) >= _ENOUGH:
        return Trial(without[0], len(without), 0)  # it has no value anywhere
    if tried == 0:
        trial = _far(first, second, sampler, clock)
        return trial if trial.points else _complex(before, after, sampler, clock)
    return Trial(None, tried, tried)


def _complex(before: Any, after: Any, sampler: Sampler, clock: Clock) -> Trial:
    """Compare complex values, where the line above is real nowhere; nothing of it is proved."""
    first, second = (compiled(line, complex_numbers=True) for line in (before, after))
    trial = _far(first, second, sampler, clock)
    return Trial(trial.point, trial.points, 0)


def _far(first: Any, second: Any, sampler: Sampler, clock: Clock) -> Trial:
    """Try many more points, where the first ones all lie outside the domain."""
    tried = 0
    for point in sampler.points(300):
        if clock.left < 0:
            break
        try:
            value, other = first(point), second(point)
        except Undefined:
            continue
        tried += 1
        if not agree(value, other):
            return Trial(point, tried, tried)
    return Trial(None, tried, tried)


def try_statements(
    before: Any, after: Any, sampler: Sampler, clock: Clock, *, direction: str = "<=>"
) -> Trial:
    """Look for a point at which two statements differ, on their borders too.

    Parameters
    ----------
    direction
        ``<=>``: both hold or neither; ``=>``: the line above holds and this one does not; ``<=``:
        the other way round.
    """
    test = _Difference(compiled(before), compiled(after), direction)
    orders = _MATRIX_POINTS if sampler.has_matrices else ((2, _STATEMENT_POINTS),)
    plain = (point for order, limit in orders for point in sampler.points(limit, order))
    borders = border_points([before, after], sampler, clock)
    try:
        for point in itertools.chain(plain, itertools.islice(borders, _MOST_BORDER_POINTS)):
            if test(point):
                return Trial(point, test.tried, test.telling)
            if clock.left < 0:
                break
    except OutOfTime:
        pass
    if test.tried == 0 and test.without is not None:
        return Trial(test.without, 1, 0)
    return Trial(None, test.tried, test.telling)


class _Difference:
    """Whether two statements differ at a point; counts the points."""

    def __init__(self, first: Any, second: Any, direction: str) -> None:
        self.first, self.second, self.direction = first, second, direction
        self.tried = self.telling = 0
        self.without: Point | None = None  # here this line has no value, and the other holds

    def __call__(self, point: Point) -> bool:
        try:
            a = bool(self.first(point))
        except Undefined:
            return False
        try:
            b = bool(self.second(point))
        except NotReal:
            b = False  # nothing holds of a root of a negative number
        except Undefined:
            self.without = self.without or (point if a else None)
            return False
        self.tried += 1
        self.telling += a or b
        if self.direction == "=>":
            return a and not b
        return b and not a if self.direction == "<=" else a != b
