"""What the map of figure 4 shows, as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.plot.figures.rate_curve import RateData, rate_curve_data
from convex_analyzer.plot.wording import per_digit
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.modes import modes
from convex_analyzer.theory.tuning import curvature_ends, tuned_pair

__all__ = ["MapData", "stability_map_data"]

Array = npt.NDArray[np.float64]

_COLUMNS, _ROWS = 112, 92
_BANDS = 8  # as many limits between bands at most
_LARGE = 1000.0  # condition numbers above this get logarithmic axes
_CHUNK = 16_000
_HALVINGS = 12
_STILL = 1e-28  # 1 - ρ below this is rounding of double-double numbers


@dataclass(frozen=True, eq=False)
class MapData:
    """What figure 4 shows.

    Attributes
    ----------
    method
        Name of the optimizer's class.
    learning_rates, momenta
        The grid, (nx,) and (ny,).
    one_minus_rate
        1 - ρ on the grid, (ny, nx), over the positive eigenvalues; not positive where it diverges.
    critical
        For the least and the most curved direction the discriminant on the grid, (2, ny, nx): its
        zeros are critical damping. Empty for rules that do not have two slots.
    boundary
        For each momentum the α beyond which it diverges, (ny,); not a number where none.
    levels
        Steps per digit between the bands, ascending.
    log_learning_rate, log_momentum
        Whether the axes are logarithmic; the second in 1 - μ.
    chosen, best
        (α, μ).
    chosen_one_minus_rate, best_one_minus_rate
        1 - ρ there.
    chosen_limit
        Largest stable α at the chosen μ; None when there is none.
    plain_limit
        2/λmax: where gradient descent diverges.
    ends
        Smallest and largest positive eigenvalue.
    outcome
        As in `Analysis.outcome`.
    escaping
        The most negative eigenvalue: nothing converges; 0 when there is none.
    tuned
        Whether the pair was chosen as the best.
    """

    figure: ClassVar[str] = "stability_map"

    method: str
    learning_rates: Array
    momenta: Array
    one_minus_rate: Array
    critical: Array
    boundary: Array
    levels: tuple[float, ...]
    log_learning_rate: bool
    log_momentum: bool
    chosen: tuple[float, float]
    best: tuple[float, float]
    chosen_one_minus_rate: float
    best_one_minus_rate: float
    chosen_limit: float | None
    plain_limit: float
    ends: tuple[float, float]
    outcome: str
    escaping: float
    tuned: bool


def stability_map_data(analysis: Analysis) -> MapData | RateData:
    """Return what figure 4 shows, without drawing; figure 7 for rules without momentum.

    Raises
    ------
    InputError
        The rule has no field ``learning_rate``.
    """
    rule = analysis.optimizer
    if "momentum" not in rule.values:
        return rate_curve_data(analysis)
    if not isinstance(rule.values.get("learning_rate"), float):
        raise InputError(
            f"{type(rule).__name__} has no field learning_rate, so it has no map",
            argument="analysis",
        )
    m, L = curvature_ends(analysis.spectrum)
    chosen = float(rule.values["learning_rate"]), float(rule.values["momentum"])
    best, best_w = _best(analysis, (m, L))
    alphas, mus, logs = _grid(rule, (m, L), chosen, best)
    w, critical = _evaluate(rule, alphas, mus, np.unique([m, L]))
    return MapData(
        method=type(rule).__name__,
        learning_rates=alphas,
        momenta=mus,
        one_minus_rate=w,
        critical=critical,
        boundary=_boundary(rule, alphas, mus, w, np.unique([m, L])),
        levels=_levels(w, best_w),
        log_learning_rate=logs[0],
        log_momentum=logs[1],
        chosen=chosen,
        best=best,
        chosen_one_minus_rate=analysis.one_minus_rate,
        best_one_minus_rate=best_w,
        chosen_limit=analysis.stability_limit,
        plain_limit=2 / L,
        ends=(m, L),
        outcome=analysis.outcome,
        escaping=min(0.0, analysis.spectrum.lambda_min),
        tuned={"learning_rate", "momentum"} <= set(analysis.tuned),
    )


def _best(analysis: Analysis, ends: tuple[float, float]) -> tuple[tuple[float, float], float]:
    """Return the best pair and its 1 - ρ; the other hyper-parameters stay."""
    rule = analysis.optimizer
    given = {k: v for k, v in rule.values.items() if k not in {"learning_rate", "momentum"}}
    if {"learning_rate", "momentum"} <= set(analysis.tuned) and analysis.outcome == "stable":
        pair = float(rule.values["learning_rate"]), float(rule.values["momentum"])
        return pair, analysis.one_minus_rate
    best, exact = tuned_pair(analysis.spectrum, type(rule), given)
    w = float(np.min(modes(exact, np.array(ends)).one_minus_rate))
    return (float(best.values["learning_rate"]), float(best.values["momentum"])), w


def _grid(
    rule: Optimizer,
    ends: tuple[float, float],
    chosen: tuple[float, float],
    best: tuple[float, float],
) -> tuple[Array, Array, tuple[bool, bool]]:
    """Return learning rates, momenta, and which axes are logarithmic."""
    m, L = ends
    widest = max(_reach(rule, L), best[0] * 1.15, 2.2 / L)
    large = L / m > _LARGE
    log_alpha = large or chosen[0] < widest / 40 or chosen[0] > 2.5 * widest
    log_mu = (large or 0.97 < chosen[1] < 1) and 0 <= chosen[1] <= 1 and 0 <= best[1] < 1
    if log_alpha:
        low = min(chosen[0] / 4, best[0] / 300, 0.02 / L)
        alphas = np.geomspace(low, max(widest * 4, chosen[0] * 2), _COLUMNS)
    else:
        top = max(1.08 * widest, chosen[0] * 1.1)
        alphas = np.linspace(top / _COLUMNS / 4, top, _COLUMNS)
    if log_mu:
        gaps = [1 - mu for mu in (chosen[1], best[1]) if mu < 1]
        mus = 1 - np.geomspace(1.0, max(min(gaps) / 20, 1e-15), _ROWS)
    else:
        mus = np.linspace(min(0.0, 1.1 * chosen[1]), max(1.0, 1.1 * (chosen[1] - 1) + 1), _ROWS)
    return alphas, mus, (log_alpha, log_mu)


def _reach(rule: Optimizer, largest: float) -> float:
    """Return the largest α that is stable for some momentum in [0, 1]."""
    alphas = np.geomspace(1e-2, 1e2, 400) / largest
    mus = np.linspace(0, 1, 12)
    w, _ = _evaluate(rule, alphas, mus, np.array([largest]))
    stable = np.flatnonzero((w > 0).any(axis=0))
    return float(alphas[stable[-1]]) if stable.size else 2 / largest


def _evaluate(
    rule: Optimizer, alphas: Array, mus: Array, eigenvalues: Array
) -> tuple[Array, Array]:
    """Return 1 - ρ, and the discriminants of the first and last eigenvalue, on a grid.

    Every cell is one direction with hyper-parameters of its own, so that 1 - ρ has all its digits.
    """
    mesh = np.meshgrid(mus, alphas, eigenvalues, indexing="ij")
    mu, alpha, lam = (np.ascontiguousarray(part.ravel()) for part in mesh)
    w, disc = np.empty(len(lam)), np.empty(len(lam))
    two_slots = False
    for first in range(0, len(lam), _CHUNK):
        part = slice(first, first + _CHUNK)
        local = rule.unchecked(learning_rate=alpha[part], momentum=mu[part])
        found = modes(local, lam[part])
        w[part], disc[part] = found.one_minus_rate, found.discriminant
        two_slots = found.slots == 2
    shape = mesh[0].shape
    w = np.where(np.abs(w) < _STILL, 0.0, w).reshape(shape).min(axis=-1)
    disc = disc.reshape(shape)
    critical = np.stack([disc[..., 0], disc[..., -1]]) if two_slots else np.empty((0, *w.shape))
    return w, critical


def _boundary(rule: Optimizer, alphas: Array, mus: Array, w: Array, ends: Array) -> Array:
    """Return for each momentum the α at which w falls through zero for the last time."""
    falls = (w[:, :-1] > 0) & (w[:, 1:] <= 0)
    rows = np.flatnonzero(falls.any(axis=1))
    result = np.full(len(mus), np.nan)
    if not rows.size:
        return result
    at = falls.shape[1] - 1 - np.argmax(falls[rows, ::-1], axis=1)
    low, high, mu = alphas[at], alphas[at + 1], mus[rows]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        both = {"learning_rate": np.tile(middle, len(ends)), "momentum": np.tile(mu, len(ends))}
        found = modes(rule.unchecked(**both), np.repeat(ends, len(rows))).one_minus_rate
        stable = np.all(found.reshape(len(ends), -1) > _STILL, axis=0)
        low, high = np.where(stable, middle, low), np.where(stable, high, middle)
    result[rows] = (low + high) / 2
    return result


def _levels(w: Array, best: float) -> tuple[float, ...]:
    """Return round numbers of steps per digit that cut the stable part into about eight bands."""
    stable = w[w > 0]
    if not stable.size:
        return (1.0, 10.0)
    costs = math.log(10) / -np.log1p(-np.minimum(stable, 1 - 1e-12))
    fastest = max(1.0, per_digit(min(max(best, float(stable.max())), 1 - 1e-12)))
    slowest = max(float(np.quantile(costs, 0.85)), 2 * fastest)
    low, high = math.log10(fastest), math.log10(slowest)
    series: list[tuple[float, ...]] = [
        (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 4, 6, 8), (1, 1.5, 2, 3, 5, 7),
        (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,),
    ]  # fmt: skip
    for digits in series:
        found = _series(digits, low, high)
        if len(found) <= _BANDS:
            return tuple(found)
    return tuple(found[:: math.ceil(len(found) / _BANDS)])


def _series(digits: tuple[float, ...], low: float, high: float) -> list[float]:
    values = [d * 10.0**n for n in range(math.floor(low), math.ceil(high) + 1) for d in digits]
    return [float(f"{v:.6g}") for v in values if 10**low * 1.02 <= v <= 10**high]
