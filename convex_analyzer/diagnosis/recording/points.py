"""A loss around a point, and its curvature along a line from a few values.

The second difference along a unit direction v, (J(θ+hv) - 2J(θ) + J(θ-hv))/h², errs by rounding,
4ε|J|/h², and by truncation, which grows with h². The step is chosen by what the loss does: so that
its second-order change is √ε of its value. Both relative errors are then about √ε, whatever the
units of θ: 1e-8 in double and 3e-4 in single precision.

Source: Press et al., Numerical Recipes, section 5.7 (balance of the two errors).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.shifting import Shifting
from convex_analyzer.diagnosis.recording.trees import (
    flat_vector,
    gradients_of,
    host,
    in_order,
    leaves_of,
    scalar,
)
from convex_analyzer.errors import InputError
from convex_analyzer.problems.steps import EPS, EPS_SINGLE
from convex_analyzer.tables import format_number

__all__ = ["Bend", "Line", "Point", "directed", "second_difference"]

Array = NDArray[np.float64]

_EPS_HALF = 2.0**-8
_PAIRS = 5  # pairs of values at most; a first step that fits needs one
_RANGE = 8.0  # by which the second-order change may miss its aim
_RETREATS, _LEAP = 5, 4096.0  # steps are cut where the loss overflows; the largest change of one
_DOMINATED = 0.25  # relative rounding error from which a curvature counts as not measured
_NOISE = 4.0  # rounding of a second difference, in units of that of a value


@dataclass(frozen=True)
class Bend:
    """A curvature along a unit direction.

    Attributes
    ----------
    value
        d²J/ds²; NaN when it was not measured.
    error
        Estimate of its absolute error: rounding, and truncation as the relative size of the
        second-order change (heuristic).
    step
        Distance of the two values from the point.
    reason
        Why there is no value; else empty.
    """

    value: float
    error: float
    step: float
    reason: str = ""


def second_difference(
    along: Callable[[float], float], centre: float, noise: float, first: float, longest: float
) -> Bend:
    """Return the curvature at 0 of a function of one number.

    Parameters
    ----------
    along
        s ↦ J(θ + s v) for a unit vector v; may be NaN or infinite far away.
    centre
        J(θ).
    noise
        Absolute error of each value.
    first
        The step to begin with; one that was good before needs two calls.
    longest
        No step is longer.

    Examples
    --------
    >>> bend = second_difference(math.cos, 1.0, 1e-16, 1e-3, 1.0)
    >>> abs(bend.value + 1) < bend.error < 1e-5
    True
    """
    aim = max(math.sqrt(noise * abs(centre)), 16 * noise, 1e-300)
    h, best = min(first, longest), Bend(math.nan, math.inf, 0.0, "the loss is not finite around θ")
    retreats = 0
    for _ in range(_PAIRS):
        change = along(h) + along(-h) - 2 * centre
        while not math.isfinite(change) and retreats < _RETREATS:
            h, retreats = h / _LEAP, retreats + 1
            change = along(h) + along(-h) - 2 * centre
        if not math.isfinite(change):
            break
        rounding = _NOISE * noise / h**2
        value = change / h**2
        truncation = abs(value) * min(1.0, abs(change) / max(abs(centre), 1e-300))
        if rounding + truncation < best.error:
            best = Bend(value, rounding + truncation, h)
        if 2 * aim / _RANGE <= abs(change) <= 2 * aim * _RANGE:
            break
        factor = math.sqrt(2 * aim / max(abs(change), _NOISE * noise))
        step = min(h * min(max(factor, 1 / _LEAP), _LEAP), longest)
        if step == h:
            break
        h = step
    if best.reason:
        return best
    if _NOISE * noise / best.step**2 > _DOMINATED * abs(best.value):
        words = (
            f"rounding of the loss hides curvature below {format_number(best.error, 2)}; "
            "compute it in double precision, or pass hvp="
        )
        return Bend(math.nan, best.error, best.step, words)
    return best


@dataclass(frozen=True)
class Line:
    """A direction: arrays of the user's library, their common length, the flat unit vector."""

    leaves: list[Any]
    length: float
    unit: Array

    @property
    def is_direction(self) -> bool:
        """Whether the length is finite and not zero."""
        return math.isfinite(self.length) and self.length > 0


class Point:
    """A loss around the parameters: its value, and how noisy it is.

    Parameters
    ----------
    shifting
        The loss and the parameters.
    apart
        How far two equal calls were apart, if known; else it is measured by another call.
    """

    def __init__(self, shifting: Shifting, apart: float | None) -> None:
        self.shifting = shifting
        self.theta = flat_vector(shifting.leaves)
        self.norm = float(np.linalg.norm(self.theta))
        self.centre, self.eps = self._value()
        self.apart = abs(self._value()[0] - self.centre) if apart is None else apart

    def _value(self) -> tuple[float, float]:
        given = self.shifting.at()
        value = scalar(given, "loss_fn")
        name = str(getattr(given, "dtype", "")).rpartition(".")[2]
        half = name in {"float16", "bfloat16"} or self.shifting.half
        single = name == "float32" or self.shifting.single
        return value, _EPS_HALF if half else EPS_SINGLE if single else EPS

    def along(self, line: Line) -> Callable[[float], float]:
        """Return s ↦ J(θ + s v) for the unit vector v of a line."""
        return lambda s: scalar(self.shifting.at(line.leaves, s / line.length), "loss_fn")

    def noise(self, gradient: Array | None) -> float:
        """Return the error of one value: of the loss itself, and of θ + hv when it is rounded."""
        moved = 0.0 if gradient is None else float(np.linalg.norm(gradient * self.theta))
        moved = moved if math.isfinite(moved) else 0.0
        return max(self.eps * (abs(self.centre) + moved), self.apart, 1e-300)


def directed(shifting: Shifting, given: Any, what: str) -> Line:
    """Return a direction in the form of the parameters.

    Raises
    ------
    InputError
        Other arrays, or other shapes, than the parameters have.
    """
    names, raw = leaves_of(given, what)
    leaves = in_order(shifting.names, names, gradients_of(raw))
    if len(leaves) != len(shifting.leaves):
        raise InputError(
            f"{what} has {len(leaves)} arrays, the parameters have {len(shifting.leaves)}",
            argument=what,
        )
    parts = []
    for leaf, like in zip(leaves, shifting.leaves, strict=True):
        if leaf is not None and tuple(leaf.shape) != tuple(like.shape):
            raise InputError(
                f"{what} has an array of shape {tuple(leaf.shape)} for parameters of shape "
                f"{tuple(like.shape)}",
                argument=what,
            )
        zero = leaf is None
        array = np.zeros(tuple(like.shape)) if zero else host(leaf).astype(np.float64)
        parts.append(array.ravel())
    flat = np.concatenate(parts)
    length = float(np.linalg.norm(flat))
    return Line(leaves, length, flat / length if length else flat)
