"""Refuting: two lines evaluated at exact points until one tells them apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from convex_analyzer.derivations.judging.clock import Clock, OutOfTime
from convex_analyzer.derivations.judging.evaluation import Point, compiled
from convex_analyzer.derivations.judging.points import Sampler
from convex_analyzer.derivations.judging.poles import pole_points
from convex_analyzer.derivations.judging.pools import SPECIAL
from convex_analyzer.derivations.judging.solutions import border_points
from convex_analyzer.derivations.judging.values import (
    Diverges,
    NotReal,
    Pole,
    Singular,
    Undefined,
    Unknown,
    agree,
)

__all__ = ["DIVISIONS", "Trial", "try_statements", "try_values"]

_SCALAR_POINTS = 24
_MATRIX_POINTS = ((2, 14), (3, 6))
_STATEMENT_POINTS = 60
_ENOUGH = 8  # points without a value of this line, where the one above has one
_MOST_BORDER_POINTS = 400
_MOST_SPECIAL_POINTS = 200
_LOST = "a solution is lost: this line divides by something that is zero there"
_WON = "a solution is won: the line above divides by something that is zero there"
#: Reasons of lines that are refuted where one of two statements divides by zero.
DIVISIONS = (_LOST, _WON)


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
    hole
        Where only one of two expressions has a value, since the other divides by zero.
    reason
        Why the point tells them apart.
    """

    point: Point | None
    points: int
    telling: int
    hole: Point | None = None
    reason: str = "exact evaluation"


def try_values(before: Any, after: Any, sampler: Sampler, clock: Clock) -> Trial:
    """Look for a point at which two expressions have different values."""
    test = _Comparison(compiled(before), compiled(after))
    orders = _MATRIX_POINTS if sampler.has_order else ((2, _SCALAR_POINTS),)
    for order, limit in orders:
        for point in sampler.points(limit, order):
            if clock.left < 0:
                return Trial(None, test.tried, test.tried, test.hole)
            if test(point):
                return Trial(point, test.tried, test.tried)
    if test.tried == 0 and len(test.without) >= _ENOUGH:
        return Trial(test.without[0], len(test.without), 0)  # it has no value anywhere
    if test.tried == 0:
        trial = _far(test.first, test.second, sampler, clock)
        return trial if trial.points else _complex(before, after, sampler, clock)
    return Trial(None, test.tried, test.tried, test.hole)


class _Comparison:
    """Whether two expressions differ at a point; counts the points."""

    def __init__(self, first: Any, second: Any) -> None:
        self.first, self.second, self.tried = first, second, 0
        self.without: list[Point] = []  # here this line has no value, and the one above has one
        self.hole: Point | None = None  # here one of them divides by zero

    def __call__(self, point: Point) -> bool:
        try:
            value = self.first(point)
        except (Pole, Diverges) as error:
            return _has_value(self.second, point) and self._without_first(point, error)
        except Undefined:
            return False
        try:
            other = self.second(point)
        except NotReal:
            self.tried += 1
            return True
        except Unknown:
            return False
        except Undefined as error:
            self.hole = self.hole or (point if isinstance(error, Pole) else None)
            self.without.append(point)
            return False
        self.tried += 1
        return not agree(value, other)

    def _without_first(self, point: Point, error: Undefined) -> bool:
        """Note a hole of the line above; a sum that diverges there has no closed form."""
        if isinstance(error, Pole):
            self.hole = self.hole or point
            return False
        self.tried += 1
        return True


def _has_value(line: Any, point: Point) -> bool:
    try:
        line(point)
    except Undefined:
        return False
    return True


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
    import sympy

    test = _Difference(compiled(before), compiled(after), direction)
    test.strict = before not in (True, sympy.true)  # a link of a chain: wherever it is defined
    orders = _MATRIX_POINTS if sampler.has_order else ((2, _STATEMENT_POINTS),)
    plain = (point for order, limit in orders for point in sampler.points(limit, order))
    borders = border_points([before, after], sampler, clock)
    poles = pole_points(before, after, sampler, clock)
    try:
        for point in itertools.chain(
            plain, itertools.islice(borders, _MOST_BORDER_POINTS), poles, _special(sampler)
        ):
            if test(point):
                return Trial(point, test.tried, test.telling, None, test.reason)
            if clock.left < 0:
                break
    except OutOfTime:
        pass
    if test.tried == 0 and test.without is not None:
        return Trial(test.without, 1, 0)
    return Trial(None, test.tried, test.telling, test.hole)


def _special(sampler: Sampler) -> Iterator[Point]:
    """Yield points whose matrices are reflections, projections, nilpotent: equations have them."""
    if not sampler.has_matrices:
        return
    names = sorted(sampler.matrices, key=lambda m: m.name)
    choices = []
    for m in names:
        kind = "vector" if m.shape[1] == 1 else sampler.kinds.get(m.name, "matrix")
        choices.append(SPECIAL.get(kind, ()))
    base = next(iter(sampler.points(1)), None)
    if base is None:
        return
    for chosen in itertools.islice(itertools.product(*choices), _MOST_SPECIAL_POINTS):
        yield {**base, **dict(zip(names, chosen, strict=True))}


class _Difference:
    """Whether two statements differ at a point; counts the points."""

    def __init__(self, first: Any, second: Any, direction: str) -> None:
        self.first, self.second, self.direction = first, second, direction
        self.tried = self.telling = 0
        self.without: Point | None = None  # here this line has no value, and the other holds
        self.strict, self.reason = True, "exact evaluation"
        self.hole: Point | None = None  # here a matrix has no inverse

    def __call__(self, point: Point) -> bool:
        try:
            a = bool(self.first(point))
        except Pole as error:
            if self._is_hole(error, point):
                return False
            a, pole = False, True  # nothing holds where a line divides by zero
        except Undefined:
            return False
        else:
            pole = False
        try:
            b = bool(self.second(point))
        except NotReal:
            b = False  # nothing holds of a root of a negative number
        except Pole as error:
            self.without = self.without or (point if a else None)
            if self._is_hole(error, point) or not self.strict or not a:
                return False
            b, pole = False, True
        except Unknown:
            return False
        except Undefined:
            self.without = self.without or (point if a else None)
            return False
        return self._counted(a, b, pole=pole)

    def _is_hole(self, error: Pole, point: Point) -> bool:
        """Whether a matrix has no inverse here: who inverts it takes it for invertible."""
        if isinstance(error, Singular):
            self.hole = self.hole or point
            return True
        return False

    def _counted(self, a: bool, b: bool, *, pole: bool) -> bool:
        self.tried += 1
        self.telling += a or b
        if self.direction == "=>":
            differ = a and not b
        else:
            differ = b and not a if self.direction == "<=" else a != b
        if pole and differ:
            self.reason = _LOST if a else _WON
        return differ
