"""Small problems on which two rules differ, with numbers that can be redone by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.tables import format_number

__all__ = ["Counterexample", "look"]

Array = npt.NDArray[np.float64]

_PLAIN = 1e-3  # relative difference that shows in three digits
_LEAST = 1e-9
_EARLY, _LATE = 12, 120  # steps


@dataclass(frozen=True)
class Counterexample:
    """A problem, a start and the first step after which two rules are elsewhere.

    Attributes
    ----------
    matrix, linear, start
        A and b of J = ½ θᵀAθ + bᵀθ, and θ₀.
    step
        After how many steps the points differ.
    first, second
        The points that the two rules report then.
    """

    matrix: tuple[tuple[float, ...], ...]
    linear: tuple[float, ...]
    start: tuple[float, ...]
    step: int
    first: tuple[float, ...]
    second: tuple[float, ...]

    @property
    def objective(self) -> str:
        """J in words."""
        if len(self.start) == 1:
            return f"J = {_terms([(self.matrix[0][0] / 2, 'θ²'), (self.linear[0], 'θ')])}"
        terms = [
            (self.matrix[0][0] / 2, "θ₁²"),
            (self.matrix[0][1], "θ₁θ₂"),
            (self.matrix[1][1] / 2, "θ₂²"),
            (self.linear[0], "θ₁"),
            (self.linear[1], "θ₂"),
        ]
        return f"J = {_terms(terms)}"

    def __str__(self) -> str:
        steps = "one step" if self.step == 1 else f"{self.step} steps"
        return (
            f"{self.objective} from θ = {_point(self.start)}: after {steps} the first is at "
            f"{_point(self.first)}, the second at {_point(self.second)}"
        )


def look(first: Optimizer, second: Optimizer) -> Counterexample | None:
    """Return the plainest difference: the earliest step, then the simplest problem."""
    found: list[tuple[int, int, Counterexample]] = []
    for least, steps in ((_PLAIN, _EARLY), (_PLAIN, _LATE), (_LEAST, _LATE)):
        for place, (problem, start) in enumerate(_problems()):
            example = _first_difference(first, second, problem, start, steps, least)
            if example is not None:
                found.append((example.step, place, example))
        if found:
            return min(found, key=lambda each: each[:2])[2]
    return None


def _problems() -> Iterator[tuple[Quadratic, list[float]]]:
    for curvature in (1.0, 2.0, 0.5, 4.0, 10.0):
        for slope in (0.0, 1.0):
            for first in (1.0, 2.0):
                yield Quadratic([[curvature]], [slope]), [first]
    for matrix in ([[1.0, 0.0], [0.0, 2.0]], [[2.0, 1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 10.0]]):
        for linear in ([0.0, 0.0], [1.0, 0.0]):
            yield Quadratic(matrix, linear), [1.0, 2.0]


def _first_difference(
    first: Optimizer,
    second: Optimizer,
    problem: Quadratic,
    start: list[float],
    steps: int,
    least: float,
) -> Counterexample | None:
    try:
        paths = [
            simulate(problem, rule, start, min(steps, _length(rule)), record="path").theta
            for rule in (first, second)
        ]
    except ConvexAnalyzerError:
        return None
    count = min(map(len, paths))
    one, other = paths[0][:count], paths[1][:count]
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(one), np.abs(other)).max(axis=1)
        off = np.abs(one - other).max(axis=1) > least * np.maximum(size, 1e-12)
        off |= np.isfinite(one).all(axis=1) != np.isfinite(other).all(axis=1)
    if not off.any():
        return None
    step = int(np.argmax(off))
    return Counterexample(
        matrix=tuple(tuple(map(float, row)) for row in problem.operator.to_dense()),
        linear=tuple(map(float, problem.linear)),
        start=tuple(map(float, start)),
        step=step,
        first=tuple(map(float, one[step])),
        second=tuple(map(float, other[step])),
    )


def _length(rule: Optimizer) -> int:
    lengths = [each.length for each in rule.schedules() if each.length is not None]
    return min(lengths, default=10**9)


def _terms(terms: list[tuple[float, str]]) -> str:
    told = []
    for factor, name in terms:
        if factor == 0:
            continue
        number = "" if abs(factor) == 1 else format_number(abs(factor), 4) + " "
        sign = "−" if factor < 0 else "+"
        told.append(f"{sign} {number}{name}")
    return " ".join(told).removeprefix("+ ") or "0"


def _point(values: tuple[float, ...]) -> str:
    told = [format_number(value, 7) for value in values]
    return told[0] if len(told) == 1 else f"({', '.join(told)})"
