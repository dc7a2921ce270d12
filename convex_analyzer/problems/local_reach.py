"""How far a Taylor model reaches: its error, the radius where it holds, the basin of a minimum.

All rest on M, the Lipschitz constant of the Hessian in a ball: for a formula a rigorous bound (the
Frobenius norm of the ranges of the third derivatives over the box around the ball), for a callable
the largest third derivative that was met along directions that climb.

Source: Nesterov 2018, lemma 1.2.4 (M r³/6); the basin follows from it, since the Hessian averaged
over a step from distance r differs from that of the minimum by at most M r/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.intervals import largest_size
from convex_analyzer.problems.smooth import SmoothProblem, SymbolicProblem
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_number

__all__ = ["Basin", "TaylorError", "lipschitz_constant", "polynomial_basin", "reach_of"]

Array = npt.NDArray[np.float64]

_MOST_THIRD = 2000  # third derivatives of a formula that are bounded one by one
_CLIMBS, _ROUNDS = 8, 4  # starts and rounds of the search for the largest third derivative
_HIGHEST_DEGREE = 6  # of a polynomial whose basin is found exactly
_FARTHEST = 1e12
_BLUR = 1e-13  # relative; roots this close are one
_LANDS = 1e-8  # of the width of a basin: images this close to an end are that end


@dataclass(frozen=True, eq=False)
class TaylorError(Result):
    """How wrong a Taylor model of second order can be within a radius.

    Attributes
    ----------
    radius
        r.
    bound
        M r³/6: |J - model| stays below it.
    lipschitz
        M.
    kind
        ``bracketed`` (a rigorous bound) or ``heuristic`` (M was measured at sampled points).
    """

    schema: ClassVar[str] = "convex_analyzer.taylor_error/1"

    radius: float
    bound: float
    lipschitz: float
    kind: str

    def summary(self) -> Table:
        """Return the error as a table."""
        rows = (
            ("radius r", format_number(self.radius)),
            ("Lipschitz constant M of the Hessian", format_number(self.lipschitz)),
            ("error of the model, M r³/6", format_number(self.bound)),
            ("kind", self.kind),
        )
        return Table(("quantity", "value"), rows)


@dataclass(frozen=True, eq=False)
class Basin(Result):
    """From where gradient descent surely reaches a minimum.

    Attributes
    ----------
    learning_rate
        α.
    radius
        Every start closer than this converges: r < (2/M) min(m, 2/α - L).
    interval
        In one dimension, for a polynomial: the exact basin around the minimum; else None.
    edge
        What its ends are, in words.
    kind
        ``exact`` (the interval is known), ``bracketed`` (the radius is rigorous) or ``heuristic``.
    """

    schema: ClassVar[str] = "convex_analyzer.basin/1"

    learning_rate: float
    radius: float
    interval: tuple[float, float] | None
    edge: str
    kind: str

    @property
    def words(self) -> str:
        """One sentence."""
        text = (
            f"gradient descent at α = {format_number(self.learning_rate, 4)} converges from every "
            f"start within {format_number(self.radius)} of the minimum"
        )
        if self.interval is not None:
            low, high = (format_number(end, 8) for end in self.interval)
            text += f"; exactly from those between {low} and {high} ({self.edge})"
        return text

    def summary(self) -> Table:
        """Return the basin as a table."""
        rows = [
            ("learning rate", format_number(self.learning_rate)),
            ("sufficient radius", format_number(self.radius)),
        ]
        if self.interval is not None:
            rows.append(("exact basin", " … ".join(format_number(e, 8) for e in self.interval)))
        return Table(("quantity", "value"), (*rows, ("kind", self.kind)), notes=(self.words,))


def lipschitz_constant(function: SmoothProblem, at: Array, radius: float) -> tuple[float, str]:
    """Return M in a ball around a point, and what kind of number it is.

    Infinite where the function has no bounded third derivative there.
    """
    if isinstance(function, SymbolicProblem):
        d = function.dimension
        if d * (d + 1) * (d + 2) // 6 <= _MOST_THIRD:
            bound = _bound(function, at, radius)
            if bound is not None:
                return bound, "bracketed"
    return _measured(function, at, radius), "heuristic"


def _bound(function: SymbolicProblem, at: Array, radius: float) -> float | None:
    """Return the Frobenius norm of bounds of all third derivatives over a box."""
    box = {
        symbol: (float(x) - radius, float(x) + radius)
        for symbol, x in zip(function.symbols, at, strict=True)
    }
    total = 0.0
    for (i, j, k), derivative in function.thirds.items():
        size = largest_size(derivative, box)
        if size is None:
            return None
        repeats = {1: 1, 2: 3, 3: 6}[len({i, j, k})]
        total += repeats * size**2
    return math.sqrt(total)


def _measured(function: SmoothProblem, at: Array, radius: float) -> float:
    """Return the largest |D³J[w, w, ·]| met: w climbs by the power method of a symmetric tensor."""
    generator = np.random.Generator(np.random.Philox(0))
    d, largest = function.dimension, 0.0
    scale = max(1.0, float(np.max(np.abs(at))))
    step = min(1e-3 * scale, max(1e-4 * scale, radius / 2))  # shorter ones measure rounding
    for climb in range(_CLIMBS):
        place, way = generator.standard_normal((2, d))
        away = radius * generator.random() ** (1 / d) if climb else 0.0
        point = at + away * place / np.linalg.norm(place)
        way = way / np.linalg.norm(way)
        for _ in range(_ROUNDS):
            rows = np.stack([point + step * way, point, point - step * way])
            ahead, here, behind = function.gradient(rows)
            bend = (ahead - 2 * here + behind) / step**2
            size = float(np.linalg.norm(bend))
            if not math.isfinite(size):
                return math.inf
            largest = max(largest, size)
            if size == 0:
                break
            way = bend / size
    return largest


def reach_of(
    lipschitz: Callable[[float], float], goal: float, scale: float, precision: float = 1e-9
) -> float:
    """Return the largest r with r M(r) ≤ goal, M increasing; infinity if there is no end.

    Parameters
    ----------
    lipschitz
        M(r).
    goal
        Positive.
    scale
        A typical length, where the search begins.
    precision
        Relative, of the result.
    """

    def fits(r: float) -> bool:
        size = lipschitz(r)
        return math.isfinite(size) and r * size <= goal

    low = high = scale
    if fits(scale):
        while fits(high):
            low, high = high, 4 * high
            if high > _FARTHEST * scale:
                return math.inf
    else:
        while not fits(low):
            low, high = low / 4, low
            if low < scale / _FARTHEST:
                return 0.0
    for _ in range(50):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if fits(middle) else (low, middle)
        if high / low < 1 + precision:
            break
    return low


def polynomial_basin(
    function: SmoothProblem, minimum: Any, learning_rate: Any
) -> tuple[tuple[float, float], str] | None:
    """Return the exact immediate basin of a minimum of a polynomial in one variable.

    Gradient descent is x → G(x) = x - α J'(x). The ends of the basin are mapped to ends: they are
    fixed points, a 2-cycle, or a fixed point and a point mapped to it. An interval that G maps into
    itself and that holds no other point of period 1 or 2 belongs to the basin (Coppel 1955).

    Parameters
    ----------
    function
        A `SymbolicProblem` of one variable.
    minimum
        The minimum, an exact SymPy number.
    learning_rate
        α, an exact SymPy number.

    Returns
    -------
    ((low, high), words) or None
        None when the function is no polynomial with rational coefficients, or of a high degree.
    """
    import sympy

    if not isinstance(function, SymbolicProblem) or function.dimension != 1:
        return None
    x = function.symbols[0]
    if not function.expression.is_polynomial(x):
        return None
    slope = sympy.Poly(function.slopes[0], x)
    if not 1 <= slope.degree() < _HIGHEST_DEGREE:
        return None
    if not all(c.is_Rational for c in (*slope.all_coeffs(), minimum, learning_rate)):
        return None
    if slope.degree() == 1:
        return (-math.inf, math.inf), "a parabola has no end"
    step = sympy.Poly(x, x) - learning_rate * slope
    twice = step.compose(step) - sympy.Poly(x, x)
    periodic = _real_roots(twice)
    images = [_real_roots(step - sympy.Poly(point, x)) for point in _real_roots(slope)]
    candidates = sorted({*periodic, *(p for image in images for p in image)})
    centre = float(minimum)
    blur = _BLUR * max(map(abs, (*candidates, centre)))
    below = [p for p in candidates if p < centre - blur]
    above = [p for p in candidates if p > centre + blur]
    for high in above:
        for low in reversed(below):
            edge = _edge(step, (low, high), periodic, centre)
            if edge:
                return (float(low), float(high)), edge
    return None


def _real_roots(polynomial: Any) -> list[float]:
    import sympy

    return [float(root.evalf(20)) for root in sympy.real_roots(polynomial, multiple=True)]


def _edge(step: Any, ends: tuple[float, float], periodic: list[float], centre: float) -> str:
    """Say what the ends of a basin are; empty if this interval is none."""
    low, high = ends
    blur = _BLUR * max(map(abs, (low, high, centre)))
    inside = [p for p in periodic if low + blur < p < high - blur and abs(p - centre) > blur]
    if inside:
        return ""
    values = [float(step.eval(end)) for end in ends]
    turning = [t for t in _real_roots(step.diff()) if low < t < high]
    reached = [*values, *(float(step.eval(t)) for t in turning)]
    tolerance = _LANDS * (high - low)
    if min(reached) < low - tolerance or max(reached) > high + tolerance:
        return ""
    to_low, to_high = ([abs(v - end) <= tolerance for v in values] for end in ends)
    if to_low[0] and to_high[1]:
        return "its ends are fixed points"
    if to_high[0] and to_low[1]:
        return "its ends are an unstable cycle of two"
    if (to_low[0] and to_low[1]) or (to_high[0] and to_high[1]):
        return "one end is a fixed point, the other is mapped to it"
    return ""
