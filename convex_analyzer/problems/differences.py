"""Derivatives of a function that can only be evaluated, each with its error.

The gradient comes from complex steps where the function takes complex numbers and agrees with
central differences, and from those otherwise. The step of a central difference starts at
eps^(1/3) max(1, |x|) and then moves, coordinate by coordinate, to where truncation (seen from a
step four times as long) and rounding are least.

Source: Squire and Trapp 1998 (complex step); Press et al., Numerical Recipes, section 5.7 (steps).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, coordinate_names, point_words
from convex_analyzer.problems.checks import float_array
from convex_analyzer.problems.steps import EPS, EPS_SINGLE, exact_step, slope_at
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number, join_words

__all__ = [
    "Derivative",
    "central_differences",
    "checked_point",
    "complex_step",
    "kinks",
    "numeric_gradient",
]

Array = npt.NDArray[np.float64]

_TINY = 1e-100  # imaginary step: its square vanishes beside anything
_KINK_STEPS = (1e-4, 1e-5, 1e-6, 1e-7, 1e-8)  # relative steps between which a kink shows itself
_ALL = 200  # up to this d a complex-step gradient is checked in every coordinate


@dataclass(frozen=True, eq=False)
class Derivative(Result):
    """A numeric gradient or Hessian.

    Attributes
    ----------
    value
        Shape (d,) or (d, d).
    error
        Estimate of the absolute error of each entry, the same shape.
    method
        How it was found, in words.
    names
        Of the coordinates.
    kinked
        Indices of the coordinates along which the slopes to the left and right disagree (for a
        Hessian: the curvatures).
    asymmetry
        Of a Hessian before it was symmetrised: max |H - Hᵀ|; None where it is symmetric by
        construction, and for gradients.
    evaluations
        Calls of the user's functions.
    kind
        What the numbers are: ``numerical``.
    """

    schema: ClassVar[str] = "convex_analyzer.derivative/1"

    value: Array
    error: Array
    method: str
    names: tuple[str, ...]
    kinked: tuple[int, ...] = ()
    asymmetry: float | None = None
    evaluations: int = 0
    kind: str = "numerical"

    @property
    def relative_error(self) -> float:
        """The largest error over the largest entry; 0 for a derivative that is exactly zero."""
        size, error = (float(np.max(np.abs(a), initial=0.0)) for a in (self.value, self.error))
        return error / size if size else (0.0 if error == 0 else math.inf)

    @property
    def words(self) -> str:
        """What is not smooth, in a sentence; empty where nothing is."""
        if not self.kinked:
            return ""
        along = join_words([self.names[i] for i in self.kinked[:6]])
        more = f" and {len(self.kinked) - 6} more" if len(self.kinked) > 6 else ""
        what = "slope jumps" if self.value.ndim == 1 else "curvature jumps or is infinite"
        return f"not smooth here: the {what} along {along}{more}"

    def summary(self) -> Table:
        """Return the entries of a gradient, or the main facts of a Hessian, as a table."""
        notes = tuple(n for n in (f"{self.method}, {self.kind}", self.words) if n)
        if self.value.ndim == 1:
            rows = tuple(
                (name, format_number(v), f"±{format_number(e, 2)}")
                for name, v, e in zip(self.names[:40], self.value, self.error, strict=False)
            )
            return Table(("coordinate", "slope", "error"), rows, title="gradient", notes=notes)
        facts = (
            ("coordinates", format_count(len(self.value))),
            ("largest entry", format_number(np.max(np.abs(self.value)))),
            ("largest error", format_number(np.max(self.error), 2)),
            ("asymmetry", format_number(self.asymmetry, 2)),
            ("evaluations", format_count(self.evaluations)),
        )
        return Table(("quantity", "value"), facts, title="Hessian", notes=notes)


def checked_point(at: Any) -> tuple[Array, bool]:
    """Return the point as an array (d,), and whether a plain number was given.

    A result of scipy.optimize stands for its ``x``.

    Raises
    ------
    InputError
        Not a number and not a vector of finite numbers.
    """
    given = at.x if hasattr(at, "x") and hasattr(at, "nfev") else at
    if isinstance(given, Mapping):
        raise InputError(
            "at must be one vector for a callable, got a dict",
            argument="at",
            hint="flatten the parameters into one vector; a dict is for formulas",
        )
    array = float_array(given, "at")
    if array.ndim > 1 or not array.size:
        raise InputError(
            f"at must be one point, shape (d,), got shape {array.shape}",
            argument="at",
            hint="flatten the parameters into one vector" if array.size else "",
        )
    return array.reshape(-1), array.ndim == 0


def numeric_gradient(
    f: Callable[..., Any] | ScalarCall, at: Any, *, names: Sequence[str] | None = None
) -> Derivative:
    """Return the gradient of a function that can only be evaluated.

    Parameters
    ----------
    f
        Takes an array of shape (d,), or d numbers; returns a number.
    at
        The point, shape (d,).
    names
        Of the coordinates, for messages.

    Returns
    -------
    Derivative
        By complex steps where they work (checked against central differences), else by central
        differences; coordinates along which f has a kink are named in `kinked`.

    Raises
    ------
    InputError
        f raises, returns something else than one finite number at the point, or is undefined on
        one side of it.

    Examples
    --------
    >>> slope = numeric_gradient(lambda x: x[0] ** 2 * x[1], [3.0, 2.0])
    >>> slope.value, slope.method
    (array([12.,  9.]), 'complex step')
    """
    point, scalar = checked_point(at)
    call = f if isinstance(f, ScalarCall) else ScalarCall(f, len(point), scalar=scalar)
    labels = coordinate_names(names, len(point))
    before = call.evaluations
    call.steady_value(point)
    exact = complex_step(call, point)
    if exact is not None and _agrees(call, point, exact, labels):
        return exact_derivative(exact, call, point, labels, before)
    value, error = central_differences(call, point, labels)
    kinked = kinks(call, point, value)
    return Derivative(
        value, error, "central differences", labels, kinked, None, call.evaluations - before
    )


def exact_derivative(
    gradient: Array, call: ScalarCall, point: Array, labels: tuple[str, ...], before: int
) -> Derivative:
    """Return a complex-step gradient as a result; only rounding is left in it."""
    size = np.abs(gradient) + abs(call.value(point)) / np.maximum(1.0, np.abs(point))
    return Derivative(
        gradient, 8 * EPS * size, "complex step", labels, (), None, call.evaluations - before
    )


def complex_step(call: ScalarCall, point: Array) -> Array | None:
    """Return Im f(x + ih e_i)/h for every i; None if f does not take complex numbers."""
    slopes = np.empty(len(point))
    for i in range(len(point)):
        shifted = point.astype(complex)
        shifted[i] += 1j * _TINY
        value = call.complex_at(shifted)
        if value is None:
            return None
        slopes[i] = value.imag / _TINY
    return slopes


def _agrees(call: ScalarCall, point: Array, gradient: Array, labels: tuple[str, ...]) -> bool:
    """Hold complex-step slopes against real ones: abs, conj and real parts deceive them."""
    if len(point) <= _ALL:
        value, error = central_differences(call, point, labels)
        slack = 8 * error + 1e-7 * np.abs(value) + 1e-10 * np.max(np.abs(value), initial=0.0)
        return bool(np.all(np.abs(value - gradient) <= slack)) and not kinks(call, point, value)
    generator = np.random.Generator(np.random.Philox(0))
    for _ in range(3):
        direction = generator.choice([-1.0, 1.0], len(point))

        def along(s: float, direction: Array = direction) -> float:
            return call.near(point + s * direction)

        scale = float(np.max(np.maximum(1.0, np.abs(point))))
        slope, off = slope_at(along, scale, call.value(point), EPS)
        if not abs(slope - gradient @ direction) <= 8 * off + 1e-7 * np.abs(gradient).sum():
            return False
    return True


def central_differences(
    call: ScalarCall, point: Array, labels: tuple[str, ...]
) -> tuple[Array, Array]:
    """Return slopes and their errors, each coordinate with its own step.

    Raises
    ------
    InputError
        f is undefined next to the point along some coordinate, however short the step.
    """
    centre = call.value(point)
    slopes, errors = np.empty(len(point)), np.empty(len(point))
    eps = EPS_SINGLE if call.single else EPS
    for i in range(len(point)):

        def along(s: float, i: int = i) -> float:
            shifted = point.copy()
            shifted[i] += s
            return call.near(shifted)

        scale = max(1.0, abs(float(point[i])))
        slopes[i], errors[i] = slope_at(along, scale, centre, eps)
        if not math.isfinite(slopes[i]):
            raise InputError(
                f"{call.name} is finite at {point_words(point)} but not a step away along "
                f"{labels[i]}, so it has no slope there",
                argument=call.name,
                hint="expand inside the domain of the function",
            )
    return slopes, errors


def kinks(call: ScalarCall, point: Array, slopes: Array | None = None) -> tuple[int, ...]:
    """Return the coordinates along which the slopes left and right of the point disagree.

    The difference of one-sided slopes of a smooth function shrinks in proportion to the step; that
    of a function with a kink stays.

    Examples
    --------
    >>> kinks(ScalarCall(lambda x: abs(x[0]) + x[1] ** 2, 2), np.zeros(2))
    (0,)
    """
    centre = call.value(point)
    found = []
    for i in range(len(point)):
        scale = max(1.0, abs(float(point[i])))
        jumps, noise = [], []
        for relative in _KINK_STEPS:
            h = exact_step(relative * scale, scale)
            right, left = point.copy(), point.copy()
            right[i] += h
            left[i] -= h
            values = call.near(right), call.near(left)
            jumps.append(abs(values[0] + values[1] - 2 * centre) / h)
            eps = EPS_SINGLE if call.single else EPS
            slope = 0.0 if slopes is None else abs(float(slopes[i]))
            noise.append(4 * eps * (abs(centre) + max(map(abs, values)) + slope * scale) / h)
        if _stays(jumps, noise):
            found.append(i)
    return tuple(found)


def _stays(jumps: Sequence[float], noise: Sequence[float]) -> bool:
    """Tell whether a jump does not shrink with the step (a tenth each time is smooth)."""
    pairs = [
        (far, near)
        for far, near, blur in zip(jumps, jumps[1:], noise[1:], strict=False)
        if math.isfinite(far) and math.isfinite(near) and far / 2 > 100 * blur
    ]
    return bool(pairs) and len(pairs) >= 2 and all(near > far / 2 for far, near in pairs)
