"""The Hessian of a function that can only be evaluated, with its error.

From a product with vectors, column by column; else from differences of the gradient; else, without
any gradient, from complex-step gradients; else from second differences of the values.

Source: Abramowitz and Stegun, 25.3.23 and 25.3.26 (second differences), with one Richardson step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, VectorCall, coordinate_names, point_words
from convex_analyzer.problems.differences import (
    Derivative,
    checked_point,
    complex_step,
    numeric_gradient,
)
from convex_analyzer.problems.steps import EPS, EPS_SINGLE, exact_step, slopes_at
from convex_analyzer.tables import format_count, format_number

__all__ = ["MOST_EVALUATIONS", "curvature_at", "curvature_breaks", "numeric_hessian"]

Array = npt.NDArray[np.float64]
Gradient = Callable[[Array], Array]

MOST_EVALUATIONS = 300_000  # seconds
_COMPLEX = 70  # up to this d the Hessian is worth 20 d² evaluations at complex points
_RUNGS = (1.0, 4.0, 16.0)  # steps of second differences, over eps^(1/4)
_RETREATS = 4
_BREAK_STEPS = (
    1e-2,
    3e-3,
    1e-3,
    3e-4,
    1e-4,
    3e-5,
)  # between which a jump of the curvature shows itself
_LOPSIDED = 1e-3  # relative asymmetry from which a gradient is no gradient


def numeric_hessian(
    f: Callable[..., Any] | ScalarCall,
    at: Any,
    *,
    gradient: Callable[..., Any] | VectorCall | None = None,
    hvp: Callable[..., Any] | VectorCall | None = None,
    names: Sequence[str] | None = None,
) -> Derivative:
    """Return the Hessian of a function that can only be evaluated.

    Parameters
    ----------
    f
        Takes an array of shape (d,), or d numbers; returns a number.
    at
        The point, shape (d,).
    gradient
        θ ↦ ∇f, shape (d,), if there is one.
    hvp
        (θ, v) ↦ ∇²f v, shape (d,), if there is one; used before `gradient`.
    names
        Of the coordinates, for messages.

    Returns
    -------
    Derivative
        Symmetrised, with the asymmetry that it had; coordinates along which the curvature jumps
        are named in `kinked`.

    Raises
    ------
    InputError
        A callable raises or returns something else than it should; more evaluations are needed
        than anyone would wait for; the gradient is not the gradient of any function.

    Examples
    --------
    >>> bend = numeric_hessian(lambda x: x[0] ** 2 * x[1], [3.0, 2.0])
    >>> bend.value.round(8)
    array([[4., 6.],
           [6., 0.]])
    """
    point, scalar = checked_point(at)
    d = len(point)
    labels = coordinate_names(names, d)
    call = f if isinstance(f, ScalarCall) else ScalarCall(f, d, scalar=scalar)
    if hvp is not None:
        product = hvp if isinstance(hvp, VectorCall) else VectorCall(hvp, d, "hvp", product=True)
        return _from_products(product, point, labels)
    if gradient is not None:
        given = gradient
        if not isinstance(given, VectorCall):
            given = VectorCall(given, d, "gradient", scalar=scalar)
        return _from_gradient(given, point, labels)
    if d <= _COMPLEX:
        found = _from_complex_steps(call, point, labels)
        if found is not None:
            return found
    return _from_values(call, point, labels)


def _symmetrised(
    matrix: Array,
    error: Array,
    method: str,
    labels: tuple[str, ...],
    evaluations: int,
    kinked: tuple[int, ...] = (),
) -> Derivative:
    asymmetry = float(np.max(np.abs(matrix - matrix.T)))
    mean = (matrix + matrix.T) / 2
    error = np.maximum(np.maximum(error, error.T), np.abs(matrix - matrix.T) / 2)
    return Derivative(mean, error, method, labels, kinked, asymmetry, evaluations)


def _from_products(product: VectorCall, point: Array, labels: tuple[str, ...]) -> Derivative:
    d = len(point)
    columns = [product.value(point, unit) for unit in np.eye(d)]
    matrix = np.stack(columns, axis=1)
    eps = EPS_SINGLE if product.single else EPS
    error = np.full((d, d), 8 * eps * float(np.max(np.abs(matrix))))
    _refuse_lopsided(matrix, error, "hvp", labels)
    return _symmetrised(matrix, error, "Hessian products", labels, product.evaluations)


def _from_gradient(call: VectorCall, point: Array, labels: tuple[str, ...]) -> Derivative:
    size = float(np.max(np.abs(call.value(point))))
    eps = EPS_SINGLE if call.single else EPS
    matrix, error, kinked = _columns(call.near, point, size, eps, call.name, labels)
    if not kinked:
        _refuse_lopsided(matrix, error, call.name, labels)
    method = "central differences of the gradient"
    return _symmetrised(matrix, error, method, labels, call.evaluations, kinked)


def _from_complex_steps(
    call: ScalarCall, point: Array, labels: tuple[str, ...]
) -> Derivative | None:
    """Return the Hessian by differences of complex-step gradients, or None where those fail."""
    before = call.evaluations
    if numeric_gradient(call, point, names=labels).method != "complex step":
        return None

    def gradient(theta: Array) -> Array:
        slopes = complex_step(call, theta)
        return np.full(len(theta), math.nan) if slopes is None else slopes

    size = float(np.max(np.abs(gradient(point))))
    size = max(size, abs(call.value(point)) / max(1.0, float(np.max(np.abs(point)))))
    try:
        matrix, error, kinked = _columns(gradient, point, size, EPS, call.name, labels)
    except InputError:  # real differences cope better with the edge of a domain
        return None
    asymmetric = np.abs(matrix - matrix.T) > 4 * (error + error.T) + 1e-6 * np.max(np.abs(matrix))
    if np.any(asymmetric) and not kinked:
        return None  # not analytic somewhere near
    method = "central differences of complex steps"
    return _symmetrised(matrix, error, method, labels, call.evaluations - before, kinked)


def _columns(
    gradient: Gradient, point: Array, size: float, eps: float, name: str, labels: tuple[str, ...]
) -> tuple[Array, Array, tuple[int, ...]]:
    """Return ∂g/∂θ_j column by column, errors, and where the derivative jumps."""
    d = len(point)
    matrix, error, kinked = np.empty((d, d)), np.empty((d, d)), []
    centre = gradient(point)
    for j in range(d):
        scale = max(1.0, abs(float(point[j])))

        def along(s: float, j: int = j) -> Array:
            shifted = point.copy()
            shifted[j] += s
            return gradient(shifted)

        matrix[:, j], error[:, j] = slopes_at(along, scale, size, eps)
        if not np.all(np.isfinite(matrix[:, j])):
            raise InputError(
                f"{name} is finite at {point_words(point)} but not a step away along "
                f"{labels[j]}, so it has no curvature there",
                argument=name,
                hint="expand inside the domain of the function",
            )
        if _jumps(along, centre, scale, eps * (size + float(np.max(np.abs(matrix[:, j]))) * scale)):
            kinked.append(j)
    return matrix, error, tuple(kinked)


def _jumps(along: Callable[[float], Array], centre: Array, scale: float, noise: float) -> bool:
    """Tell whether the one-sided slopes of a vector differ by what does not shrink."""
    jumps = []
    for relative in (1e-4, 1e-5, 1e-6):
        h = exact_step(relative * scale, scale)
        jump = np.abs(along(h) + along(-h) - 2 * centre) / h
        jumps.append(np.where(jump > 400 * noise / h, jump, 0.0))
    far, middle, near = jumps
    return bool(np.any((near > middle / 2) & (middle > far / 2) & (near > 0)))


def _refuse_lopsided(matrix: Array, error: Array, name: str, labels: tuple[str, ...]) -> None:
    difference = np.abs(matrix - matrix.T) - 8 * (error + error.T)
    i, j = np.unravel_index(int(np.argmax(difference)), difference.shape)
    if not difference[i, j] > _LOPSIDED * float(np.max(np.abs(matrix))):
        return
    one, other = format_number(matrix[i, j], 6), format_number(matrix[j, i], 6)
    raise InputError(
        f"{name} is not symmetric, so it belongs to no function: its entry {labels[i]} changes "
        f"with {labels[j]} at rate {one}, its entry {labels[j]} with {labels[i]} at rate {other}",
        argument=name,
        hint="check_gradient finds the wrong coordinate" if name == "gradient" else "",
    )


def _from_values(call: ScalarCall, point: Array, labels: tuple[str, ...]) -> Derivative:
    """Return the Hessian by second differences at three steps, the best taken entry by entry."""
    d, before = len(point), call.evaluations
    if 6 * d * d > MOST_EVALUATIONS:
        raise InputError(
            f"a Hessian of {d} parameters from values alone takes "
            f"{format_count(6 * d * d)} evaluations",
            argument="f",
            hint="pass gradient= or hvp=",
        )
    centre = call.value(point)
    eps = EPS_SINGLE if call.single else EPS
    scales = np.maximum(1.0, np.abs(point))
    matrix, error = np.empty((d, d)), np.empty((d, d))
    for i in range(d):
        for j in range(i + 1):
            found = _second(call, point, (i, j), scales, centre, eps)
            if found is None:
                raise InputError(
                    f"{call.name} is finite at {point_words(point)} but not a step away along "
                    f"{labels[i]}" + (f" and {labels[j]}" if i != j else ""),
                    argument=call.name,
                    hint="expand inside the domain of the function",
                )
            matrix[i, j] = matrix[j, i] = found[0]
            error[i, j] = error[j, i] = found[1]
    kinked = curvature_breaks(call, point)
    count = call.evaluations - before
    return Derivative(matrix, error, "second differences", labels, kinked, None, count)


def _second(
    call: ScalarCall,
    point: Array,
    pair: tuple[int, int],
    scales: Array,
    centre: float,
    eps: float,
) -> tuple[float, float] | None:
    """Return ∂²f/∂θ_i∂θ_j and its error; None where f is undefined close by."""
    i, j = pair
    step = eps**0.25
    for _ in range(_RETREATS):
        plain, size = [], abs(centre)
        for rung in _RUNGS:
            h = exact_step(rung * step * scales[i], scales[i])
            k = exact_step(rung * step * scales[j], scales[j])
            values = []
            for a, b in ((1, 1), (-1, -1), (1, -1), (-1, 1))[: 2 if i == j else 4]:
                shifted = point.copy()
                shifted[i] += a * h
                if i != j:
                    shifted[j] += b * k
                values.append(call.near(shifted))
            total = values[0] + values[1] - (2 * centre if i == j else values[2] + values[3])
            plain.append(total / (h * k * (1 if i == j else 4)))
            size = max(size, *map(abs, values))
        if all(map(math.isfinite, plain)):
            return _best(plain, eps * size / (step**2 * scales[i] * scales[j]))
        step /= 16
    return None


def curvature_at(
    along: Callable[[float], float], scale: float, centre: float, eps: float = EPS
) -> tuple[float, float] | None:
    """Return the second derivative of a function of one number at 0, and its error.

    Arguments as for `convex_analyzer.problems.steps.slope_at`; None where it is undefined close by.

    Examples
    --------
    >>> bend, error = curvature_at(lambda s: math.exp(1 + s), 1.0, math.e)
    >>> bool(abs(bend - math.e) < error < 1e-6)
    True
    """
    call = ScalarCall(along, 1, scalar=True)
    return _second(call, np.zeros(1), (0, 0), np.array([scale]), centre, eps)


def _best(plain: Sequence[float], rounding: float) -> tuple[float, float]:
    """Choose between differences at h, 4h, 16h and their Richardson extrapolations."""
    near, middle, far = plain
    better, coarse = (16 * near - middle) / 15, (16 * middle - far) / 15

    def off(choice: float) -> float:
        """Return how far a choice is from the shortest step, beyond the rounding of that."""
        return max(0.0, abs(choice - near) - 16 * rounding)

    choices = (
        (near, abs(middle - near) / 4 + 4 * rounding),
        (middle, max(abs(far - middle) / 4, off(middle)) + rounding / 4),
        (coarse, max(abs(coarse - better) / 4, off(coarse)) + rounding / 3),
    )
    return min(choices, key=lambda choice: choice[1])


def curvature_breaks(call: ScalarCall, point: Array) -> tuple[int, ...]:
    """Return the coordinates along which the curvature jumps, or grows without end.

    Examples
    --------
    >>> curvature_breaks(ScalarCall(lambda x: max(x[0], 0.0) ** 2 + x[1] ** 2, 2), np.zeros(2))
    (0,)
    """
    centre = call.value(point)
    eps = EPS_SINGLE if call.single else EPS
    found = []
    for i in range(len(point)):
        scale = max(1.0, abs(float(point[i])))
        jumps, bends, noise = [], [], []
        for relative in _BREAK_STEPS:
            h = exact_step(relative * scale, scale)
            line = []
            for s in (-2 * h, -h, h, 2 * h):
                shifted = point.copy()
                shifted[i] += s
                line.append(call.near(shifted))
            left = (line[0] - 2 * line[1] + centre) / h**2
            right = (centre - 2 * line[2] + line[3]) / h**2
            jumps.append(abs(right - left))
            bends.append(abs(line[1] + line[2] - 2 * centre) / h**2)
            size = abs(centre) + max(map(abs, line))
            noise.append(40 * eps * (size + abs(line[2] - line[1]) / h * scale) / h**2)
        if any(_lasts(series, noise, factor) for series, factor in ((jumps, 0.7), (bends, 1.4))):
            found.append(i)
    return tuple(found)


def _lasts(series: Sequence[float], noise: Sequence[float], factor: float) -> bool:
    """Tell whether a quantity keeps a factor from each step to the next, while noise allows it."""
    kept = [
        near > factor * far
        for far, near, blur in zip(series, series[1:], noise[1:], strict=False)
        if math.isfinite(near) and math.isfinite(far) and factor * far > blur
    ]
    return len(kept) >= 2 and all(kept)
