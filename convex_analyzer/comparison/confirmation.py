"""Holding a run against its theory, within what rounding may explain."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.curves import displacement
from convex_analyzer.theory.suprema import worst_error_between

__all__ = ["against_bound", "against_products", "against_theory", "count", "measured_gap", "merged"]

Array = npt.NDArray[np.float64]

_HELD = 2_000_000  # entries of recorded points treated at once
_EXAMINED = 200  # steps above the sampled bound of which the peak is sought

EPSILON = float(np.finfo(float).eps)


def measured_gap(problem: Quadratic, trajectory: Trajectory) -> Array:
    """Return J - J(critical point) of a run as ½ eᵀAe, which does not cancel."""
    with np.errstate(all="ignore"):
        centre = problem.critical_point
        if centre is None:
            gap = trajectory.loss - trajectory.loss[0]
        else:
            rows = max(1, _HELD // problem.dimension)
            blocks = range(0, len(trajectory.theta), rows)
            gap = np.concatenate(
                [_form(problem, trajectory.theta[top : top + rows] - centre) for top in blocks]
            )
    return np.where(np.isnan(gap), np.inf, gap)


def _form(problem: Quadratic, error: Array) -> Array:
    """Return ½ eᵀAe of rows e."""
    return np.asarray((error * problem.hessian_vector(error, error)).sum(axis=-1) / 2)


def count(trajectory: Trajectory, gap: Array, tolerance: float) -> int | None:
    """Return the first recorded step at which the goal is reached."""
    if not gap[0] >= 0:
        return None
    hits = np.flatnonzero(gap <= tolerance * gap[0])
    return int(trajectory.recorded[hits[0]]) if hits.size else None


def merged(trajectory: Trajectory, again: Trajectory, rows: npt.NDArray[np.intp]) -> Trajectory:
    """Return a run with some more recorded points, of the same run made again."""
    new = rows[~np.isin(again.recorded[rows], trajectory.recorded)]
    place = np.searchsorted(trajectory.recorded, again.recorded[new])
    return replace(
        trajectory,
        recorded=np.insert(trajectory.recorded, place, again.recorded[new]),
        theta=np.insert(trajectory.theta, place, again.theta[new], axis=0),
        loss=np.insert(trajectory.loss, place, again.loss[new]),
    )


def against_bound(analysis: Analysis, trajectory: Trajectory, gap: Array) -> dict[str, Any]:
    """Hold a run against the worst case over the interval of eigenvalues."""
    bound = analysis.worst_error(trajectory.recorded) ** 2 * gap[0]
    above = np.flatnonzero(~(gap <= bound * (1 + 1e-6) + 1e-12 * gap[0]))[:_EXAMINED]
    if above.size:  # between sampled eigenvalues there may be a higher peak
        exact = worst_error_between(analysis, trajectory.recorded[above]) ** 2 * gap[0]
        bound[above] = np.maximum(bound[above], exact)
    inside = bool(np.all(gap <= bound * (1 + 1e-6) + 1e-12 * gap[0]))
    return {
        "predicted_gap": bound,
        "deviation": None,
        "budget": None,
        "status": "within the bound" if inside else "refuted",
    }


def against_theory(
    problem: Quadratic, analysis: Analysis, trajectory: Trajectory, start: Array
) -> dict[str, Any]:
    """Hold a run against the closed form, point by point, within a budget for rounding."""
    k = trajectory.recorded
    gap = analysis.gap(start, k)
    if problem.critical_point is None:
        gap = gap - gap[0]
    with np.errstate(all="ignore"):
        sizes, distances, response = _measured(analysis, trajectory, start)
        scale = np.maximum.accumulate(np.where(np.isfinite(sizes), sizes, 0.0))
        scale = np.where(scale > 0, scale, 1.0)
        away = distances / scale
        budget = _rounding_budget(problem, analysis, k.astype(float), scale, response)
    usable = np.isfinite(away) & (budget < 1e-2)
    away, budget = away[usable], budget[usable]
    worst = int(np.argmax(away / budget)) if away.size else 0
    return {
        "predicted_gap": gap,
        "deviation": float(away.max()) if away.size else None,
        "budget": float(budget[worst]) if away.size else None,
        "status": "confirmed" if not away.size or np.all(away <= budget) else "refuted",
    }


def _measured(
    analysis: Analysis, trajectory: Trajectory, start: Array
) -> tuple[Array, Array, Array]:
    """Return the largest |θ|, |θ - predicted| and response to a gradient error per step, (K,) each.

    Along coordinates that are eigendirections some of them at a time, so that a million of them
    leave no large temporaries.
    """
    spectrum, theta, k = analysis.spectrum, trajectory.theta, trajectory.recorded
    if spectrum.eigenvectors is not None:
        sizes = np.abs(theta).max(axis=1)
        away = np.abs(theta - analysis.predict(start, k)).max(axis=1)
        return sizes, away, _response(analysis, k.astype(float))
    order = spectrum.order
    if order is not None and np.array_equal(order, np.arange(len(order))):
        order = None
    largest = np.zeros((3, len(k)))
    for part, moved, response in analysis.moved_in_pieces(start, k):
        place = part if order is None else order[part]
        run = theta[:, place]
        away = moved + start[place]
        away -= run
        for row, values in zip(largest, (run, away, response), strict=True):
            # The larger end; NaN of a run that has diverged stays NaN.
            np.maximum(row, np.maximum(values.max(axis=1), -values.min(axis=1)), out=row)
    return largest[0], largest[1], largest[2]


def against_products(
    analysis: Analysis, trajectory: Trajectory, start: Array, tolerance: float
) -> dict[str, Any]:
    """Hold a run against the product of its steps, point by point.

    What rounding may do is measured: the product is formed once more with an error of the size of
    rounding in every factor.
    """
    spectrum, k = analysis.spectrum, trajectory.recorded
    y0 = analysis.coordinates(start)
    products = analysis.products
    every = products.reported(y0, np.arange(trajectory.steps + 1))
    curve = products.gap_at(y0, every)
    hits = np.flatnonzero(curve <= tolerance * curve[0])
    clean = every[k]
    jittered = products.reported(y0, k, jitter=EPSILON)
    with np.errstate(all="ignore"):
        sizes = np.abs(trajectory.theta).max(axis=1)
        scale = np.maximum.accumulate(np.where(np.isfinite(sizes), sizes, 0.0))
        scale = np.where(scale > 0, scale, 1.0)
        predicted = np.asarray(start) + spectrum.from_eigenbasis(clean - y0)
        away = np.abs(trajectory.theta - predicted).max(axis=1) / scale
        shaken = np.abs(jittered - clean).max(axis=1) / scale
    budget = (
        8
        * math.sqrt(len(y0))
        * (EPSILON * (10 + k) + 4 * np.maximum.accumulate(np.nan_to_num(shaken, posinf=1.0)))
    )
    usable = np.isfinite(away) & (budget < 1e-2)
    away, budget = away[usable], budget[usable]
    worst = int(np.argmax(away / budget)) if away.size else 0
    return {
        "predicted_gap": curve[k],
        "predicted_steps": int(hits[0]) if hits.size else None,
        "deviation": float(away.max()) if away.size else None,
        "budget": float(budget[worst]) if away.size else None,
        "status": "confirmed" if not away.size or np.all(away <= budget) else "refuted",
    }


def _response(analysis: Analysis, k: Array) -> Array:
    """Return the largest displacement that an error of 1 in every gradient adds up to, (K,)."""
    m = analysis.modes
    first = np.einsum("ni,ni->n", m.report, m.offset)
    if m.slots > 2:
        return np.asarray(k * np.abs(first).max())
    change = np.einsum("ni,ni->n", m.report, np.einsum("nij,nj->ni", m.minus_identity, m.offset))
    return np.asarray(np.abs(displacement(m, first, change, k)).max(axis=1))


def _rounding_budget(
    problem: Quadratic, analysis: Analysis, k: Array, scale: Array, response: Array
) -> Array:
    """Return what rounding may do by step k, relative to the scale.

    Each gradient is wrong by about √d eps (λmax |θ| + |b|); the displacement that a constant error
    of that size would cause is the rule's own response to b. Each addition to theta adds eps, and
    an unstable direction amplifies all of it: relative to a run that grows at the same rate, an
    early error stays what it was.
    """
    top = float(np.max(np.abs(analysis.spectrum.eigenvalues), initial=0.0))
    size = top + float(np.max(np.abs(problem.linear), initial=0.0)) / scale
    log_rate = max(0.0, math.log(max(analysis.rate, 1e-300)))
    ahead = np.maximum.accumulate(np.log(scale) - k * log_rate) - np.log(scale) + k * log_rate
    growth = np.exp(np.minimum(ahead, 600.0))
    if log_rate > 0:  # a response that grows is counted by the growth, once per step
        response = k * response / np.exp(np.minimum(k * log_rate, 600.0))
    peak = 1.0 if analysis.outcome == "unstable" else analysis.transient_peak.size
    peak = peak if math.isfinite(peak) else 1.0
    per_step = EPSILON * math.sqrt(problem.dimension)
    return np.asarray(8 * per_step * (10 + (k + response * size) * peak * growth))
