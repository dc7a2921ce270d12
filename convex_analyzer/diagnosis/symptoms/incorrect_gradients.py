"""Incorrect gradients: central differences against the gradient that the runs used.

On a quadratic a central difference is exact but for rounding, however long its step: correct
gradients of 400 random problems came out below 1e-8, and an error of 1 % in one coordinate is 1e-2.
Between the two thresholds the test abstains (heuristic, measured).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.diagnosis.findings import Finding, Row, Sign, beyond
from convex_analyzer.diagnosis.gradient_errors import broken_promise, check_error, kinked
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number

ROW = Row(
    1,
    "incorrect_gradient",
    "incorrect gradients",
    "finite differences",
    "fix them, or use autodiff",
    explains=(
        "instability",
        "slow_progress",
        "plateau",
        "local_optimum",
        "ill_conditioning",
        "oscillation",
    ),
)

Array = npt.NDArray[np.float64]

SUSPICIOUS, WRONG = 1e-5, 1e-3
SMOOTH, KINKED = 2e-3, 3e-2  # of logged checks: a row at a kink of a ReLU is off by its share
_FLOOR = 1e-7  # slopes below this share of what the loss consists of drown in its rounding
_MOST_AXES = 500  # beyond, random directions: one evaluation of the loss per axis is too many
_DIRECTIONS = 12


def test(prospect: Prospect) -> Finding:
    """Compare gradient and loss at the start, along every axis (or at random, for many)."""
    problem, start = prospect.problem, np.asarray(prospect.comparison.start, dtype=float)
    axes = problem.dimension <= _MOST_AXES
    directions = np.eye(problem.dimension) if axes else _random(problem.dimension)
    with np.errstate(all="ignore"):
        claimed = directions @ problem.gradient(start)
        loss, slope = _largest_terms(prospect, start)
        measured, terms = _slopes(problem, start, directions, claimed, loss, slope)
        away = np.abs(measured - claimed)
        scale = np.maximum(np.abs(claimed), np.abs(measured)) + _FLOOR * terms
        if not axes:  # one wrong coordinate is a small part of each direction: pool them
            away, scale = (np.sqrt((v**2).mean(keepdims=True)) for v in (away, scale))
        errors = np.divide(away, scale, out=np.zeros_like(away), where=scale > 0)
    if not np.all(np.isfinite(errors)):
        return Finding("not tested", "", needs="a start where the loss is finite")
    worst = int(np.argmax(errors))
    error = float(errors[worst])
    verdict = "present" if error > WRONG else "possible" if error > SUSPICIOUS else "absent"
    where = f"{_DIRECTIONS} random directions"
    if axes:
        where = "the axis" if problem.dimension == 1 else f"{problem.dimension} axes"
    sentence = f"central differences along {where}: largest relative error "
    sentence += format_number(error, 1)
    if axes and verdict != "absent":
        name = problem.labels[worst] if problem.labels else f"θ{worst + 1}"
        sentence += (
            f", along {name}: the loss has slope {format_number(measured[worst], 6)}, "
            f"the gradient says {format_number(claimed[worst], 6)}"
        )
    return Finding(verdict, sentence, "numerical")


def _random(dimension: int) -> Array:
    rng = np.random.Generator(np.random.Philox(0))
    directions = rng.standard_normal((_DIRECTIONS, dimension))
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))


def _largest_terms(prospect: Prospect, start: Array) -> tuple[float, float]:
    """Return bounds on the terms of loss and gradient at the start, which may cancel in the sum."""
    problem, norm = prospect.problem, float(np.linalg.norm(start))
    top = float(np.max(np.abs(prospect.spectrum.eigenvalues)))
    linear = float(np.linalg.norm(problem.linear))
    return top * norm**2 / 2 + norm * linear + abs(float(problem.constant)), top * norm + linear


def _slopes(
    problem: Any, start: Array, directions: Array, claimed: Array, loss: float, slope: float
) -> tuple[Array, Array]:
    """Return central differences, and the size of what was rounded in them, per direction.

    The third derivative is zero, so the best step is the one at which the loss changes by as much
    as its largest term: shorter ones lose digits to cancellation, longer ones to the square.
    """
    curvature = np.abs((directions * problem.hessian_vector(start, directions)).sum(axis=1))
    newton = np.abs(claimed) / curvature  # the only length there is where all terms are zero
    bent = np.maximum(np.sqrt(loss / curvature), newton)
    straight = loss / slope if slope > 0 else 1.0
    step = np.where(curvature > 0, bent, straight)
    step = np.where(step > 0, step, 1.0)
    ahead = _loss(problem, start + step[:, None] * directions)
    behind = _loss(problem, start - step[:, None] * directions)
    return (ahead - behind) / (2 * step), slope + loss / step + curvature * step


def _loss(problem: Any, points: Array) -> Array:
    """Return J without the gradient, through which `Quadratic.value` takes a short cut."""
    if type(problem).value is not Quadratic.value:
        return np.asarray(problem.value(points))
    slope = problem.hessian_vector(points, points) / 2 + problem.linear
    return np.asarray((points * slope).sum(axis=-1) + problem.constant)


def examine(reading: Reading) -> Sign:
    """Read gradient checks; without them, hold what the loss did against what g promised."""
    found = check_error(reading)
    if found is not None:
        threshold = KINKED if kinked(reading) else SMOOTH
        strength = 0.99 * beyond(found.error, threshold, 2.0)
        text = f"claimed and measured derivatives differ by {format_number(found.error, 2)} "
        text += f"(relative) at step {format_number(found.step, 4)}"
        if found.error > WRONG:
            text += f" in {found.directions} of {found.of} directions"
            text += f"; claimed/measured ≈ {format_number(found.ratio, 3)}"
        return Sign(strength, text, "numerical", ("gradient_checks",))
    promise = broken_promise(reading)
    if promise is not None:
        gap, allowed = promise
        strength = 0.95 * beyond(gap, max(2 * allowed, 0.1), 1.5)
        text = f"the loss falls by {format_number(1 - gap, 3)} of what the gradient promises"
        text = text if gap < 1 else "the loss rises where the gradient promises a fall"
        text += f"; curvature explains {format_number(allowed, 2)} of the gap of "
        text += format_number(gap, 3)
        return Sign(strength, text, "heuristic", ("loss", "predicted_decrease", "curvature"))
    return _from_curve(reading)


def _from_curve(reading: Reading) -> Sign:
    """Look for a loss that climbs steadily: no overshoot, but the wrong way."""
    lacks = "a gradient check (ca.check_gradient)"
    curve = reading.curve
    if curve is None or len(curve) < 5:
        return Sign(None, lacks=lacks)
    cosine = reading.cosine(0.0, 1.0)
    climbs = curve.rises > 0.9 and curve.left > 1.02
    if climbs and (cosine is None or cosine > 0.5):
        strength = 0.9 if cosine is not None else 0.55
        if cosine is None and curve.straightness_of_rise > 1.5:
            strength = 0.15  # it accelerates: that is how a direction beyond its limit grows
        keeps = ""
        if cosine is not None:
            keeps = f" while gradients keep their way (cos {format_number(cosine, 3)})"
        text = f"the loss climbs steadily to {format_number(curve.left, 3)} of its start{keeps}"
        used = ("loss",) if cosine is None else ("loss", "gradient_cosine")
        return Sign(strength, text, "heuristic", used, lacks)
    if cosine is not None or curve.left < 0.9:
        return Sign(None, "the loss falls along the gradient it was given", lacks=lacks)
    return Sign(None, lacks=lacks)
