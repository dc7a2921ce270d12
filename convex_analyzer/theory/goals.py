"""`tune`: the best constant hyper-parameters, in the long run or for a finite goal.

The setting with the best asymptotic rate is not the one with the fewest steps: at a double root the
error behaves like (c + k) ρᵏ. For κ = 100 and a gap of 1e-6, Polyak's pair takes 56 steps from
equal losses at both ends and first lets the gap rise sevenfold; fewer are possible.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.arguments import checked_tolerance
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.screening import screen
from convex_analyzer.theory.tuning import curvature_ends, tuned_pair

__all__ = ["settling_steps", "tune"]

Array = npt.NDArray[np.float64]

_NEVER = 1e18  # cost of a setting that does not converge
_AFFORDABLE = 5_000_000  # entries of a curve; beyond, the best rate is the answer


def tune(
    spectrum: Spectrum | Quadratic | Any,
    optimizer: type[Optimizer],
    goal: str = "rate",
    tolerance: float = 1e-6,
    start: Any = None,
    given: Mapping[str, Any] | None = None,
) -> Optimizer:
    """Return an optimizer with the best constant hyper-parameters for a spectrum.

    Parameters
    ----------
    spectrum
        The curvature, or a problem.
    optimizer
        The class.
    goal
        ``"rate"``: the smallest asymptotic rate (published where it is known, else numerical);
        ``"steps"``: the fewest steps until the gap stays below `tolerance` times its start
        (numerical: a search around the former over exact curves, and never worse than it).
    tolerance, start
        For ``"steps"``: the goal, and θ₀ of shape (d,), whose own curve then counts; without a
        start, the worst one.
    given
        Hyper-parameters that stay fixed.

    Raises
    ------
    InputError
        An unknown goal; `given` names a field that the class does not have.
    NotDerivableError
        The rule is not linear.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> tune(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent)
    GradientDescent(learning_rate=0.47619047619047616)
    """
    if goal not in {"rate", "steps"}:
        raise InputError(f"goal must be 'rate' or 'steps', got {goal!r}", argument="goal")
    if not isinstance(spectrum, Spectrum):
        spectrum = compute_spectrum(spectrum)
    try:
        best = tuned_pair(spectrum, optimizer, given)[0]
    except NotDerivableError as error:
        raise NotDerivableError(
            f"{error}; compare(problem, [{optimizer.__name__}]) finds a learning rate by running it"
        ) from error
    if goal == "rate":
        return best
    return _fewest_steps(spectrum, best, tolerance, start, dict(given or {}))


def _fewest_steps(
    spectrum: Spectrum, best: Optimizer, tolerance: float, start: Any, fixed: dict[str, Any]
) -> Optimizer:
    """Search around the best rate, widely and then closely; keep what needs fewer steps."""
    from scipy.optimize import minimize

    tolerance = checked_tolerance(tolerance)
    analysis = Analysis(spectrum, best)
    free = _open(best, spectrum, fixed)
    if not free or not analysis.is_stable:
        return best

    def build(x: Array) -> Optimizer | None:
        try:
            return best.replace(**{n: float(v) for n, v in _values(best, free, x).items()})
        except InputError:
            return None

    def cost(x: Array, *, sampled: bool = True) -> float:
        candidate = build(x)
        if candidate is None:
            return _NEVER
        found = Analysis(spectrum, candidate)
        return _fractional_steps(found, tolerance, start, sampled=sampled)

    zero = np.zeros(len(free))
    offsets = (-math.log(2), -0.15, 0.15)  # half of the rate is gradient descent's 1/λmax
    corners = [size * unit for unit in np.eye(len(free)) for size in offsets]
    screened = screen(analysis, lambda x: _values(best, free, x), len(free), tolerance, start)
    first = min([zero, *corners, *screened], key=cost)
    simplex = np.vstack([first, first + 0.1 * (np.eye(len(free)) - 0.5)])
    options = {"xatol": 1e-4, "fatol": 1e-3, "maxfev": 200, "initial_simplex": simplex}
    found = minimize(cost, first, method="Nelder-Mead", options=options)
    finalists = [(cost(x, sampled=False), x) for x in (zero, first, found.x)]
    last = min(finalists, key=lambda pair: (math.ceil(pair[0]), pair[0]))[1]
    return build(last) or best


def _open(best: Optimizer, spectrum: Spectrum, fixed: dict[str, Any]) -> list[str]:
    """Return the hyper-parameters that are tuned: as for the best rate.

    Any other has a default that is the author's choice, and may decide where the method ends.
    """
    m, L = curvature_ends(spectrum)
    published = type(best).published_optimum(m, L, fixed) or {}
    required = {field.name for field in best.fields() if field.default is MISSING}
    names = {*published, *required, "learning_rate", "momentum"} - set(fixed)
    return [name for name in best.hyperparameters() if name in names]


def _values(best: Optimizer, free: list[str], x: Array) -> dict[str, Any]:
    """Return hyper-parameters at an offset from the best rate, (p,), or offsets (p, g).

    Rates are scaled; of a momentum below 1 the distance to 1 is, since that sets its memory.
    """
    values = {}
    for name, offset in zip(free, x, strict=True):
        center = float(best.values[name])
        if name == "momentum" and 0 <= center < 1:
            values[name] = np.maximum(1 - (1 - center) * np.exp(offset), 0.0)
        else:
            values[name] = center * np.exp(offset)
    return values


def settling_steps(analysis: Analysis, tolerance: float, start: Any = None) -> int | None:
    """Return the first step from which the relative gap stays at or below the tolerance.

    Parameters
    ----------
    analysis, tolerance, start
        As for `Analysis.steps_to`, which counts the first step of all.

    Returns
    -------
    int or None
        None when the method does not converge, or when the curve is too long to scan.
    """
    steps = _fractional_steps(analysis, tolerance, start)
    return None if steps >= _NEVER else math.ceil(steps)


def _fractional_steps(
    analysis: Analysis, tolerance: float, start: Any, *, sampled: bool = False
) -> float:
    """Return when the gap falls below the tolerance for good, interpolated between whole steps.

    "For good": an underdamped error dips through zero, and tuning on such a dip would be luck.
    Within a search, an interval of eigenvalues is `sampled`; who wins is then looked at closely.
    """
    long_run = analysis.steps_to(tolerance, criterion="rate")
    if long_run is not None and start is not None and analysis.scope == "global":
        # A direction without a part in the start must converge, but takes no time.
        excited = (analysis.modes.eigenvalues != 0) & (analysis.errors(start, 0) != 0)
        slowest = float(np.min(analysis.modes.one_minus_rate[excited], initial=1.0))
        long_run = steps_at_rate(slowest, tolerance)
    if long_run is None:
        return _NEVER
    if analysis.scope == "global" and analysis.modes.slots == 1:
        return _falling_steps(analysis, tolerance, start)
    if long_run * len(analysis.directions) > _AFFORDABLE:
        return _NEVER
    k = np.arange(2.0 * long_run + 20)
    if start is None:
        gap = (analysis.sampled_worst_error(k) if sampled else analysis.worst_error(k)) ** 2
    else:
        gap = analysis.gap(start, k)
    above = np.flatnonzero(gap > tolerance * gap[0])
    if above.size == 0 or above[-1] + 1 >= len(k):
        return _NEVER if above.size else 0.0
    last = int(above[-1])
    return last + _share(gap[last] / gap[0] / tolerance, gap[last + 1] / gap[0] / tolerance)


def _falling_steps(analysis: Analysis, tolerance: float, start: Any) -> float:
    """Return what `_fractional_steps` does for a rule without memory, whose gap only falls.

    The first step at the goal is the last above it plus one, so no curve has to be scanned.
    """
    first = analysis.steps_to(tolerance, start)
    if not first:
        return _NEVER if first is None else 0.0
    k = np.array([0.0, first - 1.0, first])
    gap = analysis.worst_error(k) ** 2 if start is None else analysis.gap(start, k)
    return first - 1 + _share(gap[1] / gap[0] / tolerance, gap[2] / gap[0] / tolerance)


def _share(before: float, after: float) -> float:
    """Return which part of a step it takes from above 1 to 1, on the way to `after` ≤ 1."""
    if not after > 0 or not before > after:
        return 1.0
    return min(max(math.log(before) / math.log(before / after), 0.0), 1.0)
