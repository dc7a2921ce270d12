"""What figure 11 shows, as plain arrays: expected gaps under noise, their floors, and 64 runs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.domains import is_schedule
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Noise
from convex_analyzer.plot.style import Look, look_of
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.stochastic.curves import expected_noisy_gap, noisy_steps_to
from convex_analyzer.theory.stochastic.floor import noise_floor

__all__ = ["BatchLine", "StochasticGapData", "stochastic_gap_data"]

Array = npt.NDArray[np.float64]

_RUNS = 64
_SIZES = (1, 8, 64)  # batches that are set beside the one in use
_MOST_STEPS = 400  # of the 64 runs
_ROWS = 150  # of their steps, as many are recorded
_POINTS = 120  # steps at which expectations are evaluated
_WORK = 20_000  # steps times parameters of one of them
_FINER = 40  # steps looked at between two of a coarse curve
_MEANS = 9  # marks of the mean of the runs
_APART = 3000  # steps from which on their axis is logarithmic
_PAST = 3.0  # times the step at which the floor takes over, so much is shown
_SHORT, _LONG = 40, 1_000_000  # least and largest number of steps shown
_HIGHEST = 1e6  # times the first gap: what lies above is cut off


@dataclass(frozen=True, eq=False)
class BatchLine:
    """The same method with noise of another size.

    Attributes
    ----------
    name
        ``batch 8``, or ``mean of 8``.
    expected
        E gap over the first, (K,).
    floor
        Where it ends; infinite when it grows without end.
    """

    name: str
    expected: Array
    floor: float


@dataclass(frozen=True, eq=False)
class StochasticGapData:
    """What figure 11 shows; all gaps are over that of the start.

    Attributes
    ----------
    label, look, noise
        The optimizer, how it is drawn, and the noise in words.
    learning_rate
        α; None where there is no such number.
    steps, expected, deterministic
        k, E gap and its part without noise, (K,), in closed form.
    floor, kind
        The noise floor by its formula, infinite without one, and what kind of number it is.
    takeover
        First step at which the deterministic part is below the floor; None if it never is.
    reached
        First of the steps at which the expected gap meets the goal; None if it does not.
    run_steps, run
        One run, that of the comparison.
    band_steps, mean, error, low, high
        Of 64 runs with another seed: the mean gap, its standard error, and two standard deviations
        of ln gap around the mean of ln gap, (R,).
    marks
        Which of these have a mark.
    runs
        How many these are.
    errors_apart
        Largest distance of the mean from the expectation, in standard errors; None without theory
        for what these runs do (epochs).
    batches
        Other sizes of the noise.
    tolerance
        Goal.
    length
        Steps of the run in the comparison.
    outcome
        As in `Analysis.outcome`.
    log_steps, last, bottom, top
        The axes.
    """

    figure: ClassVar[str] = "stochastic_gap"

    label: str
    look: Look
    noise: str
    learning_rate: float | None
    steps: Array
    expected: Array
    deterministic: Array
    floor: float
    kind: str
    takeover: int | None
    reached: int | None
    run_steps: Array
    run: Array
    band_steps: Array
    mean: Array
    error: Array
    low: Array
    high: Array
    marks: npt.NDArray[np.intp]
    runs: int
    errors_apart: float | None
    batches: tuple[BatchLine, ...]
    tolerance: float
    length: int
    outcome: str
    log_steps: bool
    last: int
    bottom: float
    top: float


def stochastic_gap_data(comparison: Comparison) -> StochasticGapData:
    """Return what figure 11 shows of the first linear optimizer with noise, without drawing.

    Raises
    ------
    InputError
        Not a comparison; no noise; no linear optimizer; no minimum, or a start at it.

    Examples
    --------
    >>> import convex_analyzer as ca
    >>> noisy = ca.compare(ca.gallery.toy(), [ca.GradientDescent(0.1)], [-5.0, -2.0], 100,
    ...                    noise=ca.AdditiveNoise(0.04))
    >>> data = stochastic_gap_data(noisy)
    >>> data.takeover, round(data.floor, 6)  # ½ α σ² Σ 1/(2 - αλ) over the first gap
    (174, 0.000215)
    """
    entry = _noisy_entry(comparison)
    analysis = entry.analysis
    assert analysis is not None
    problem, start = comparison.problem, comparison.start
    noise = _independent(entry.trajectory.noise)
    first = float(analysis.gap(start, 0))
    if not first > 0:
        raise InputError(
            "the start is the minimum already, so there is no gap to close",
            argument="comparison",
            hint="compare(..., start=...) from another point",
        )
    found = noise_floor(analysis, noise, problem)
    floor = found.value / first

    def curve(steps: Array) -> Array:
        return np.asarray(expected_noisy_gap(analysis, start, steps, noise, problem)) / first

    takeover = _takeover(analysis, comparison, noise, floor, curve)
    length = int(entry.steps[-1])
    last = int(min(max(_SHORT, _PAST * takeover if takeover else 1.05 * length), _LONG))
    reached = _first_within(curve, _steps(last, last > _APART), comparison.tolerance)
    low = comparison.tolerance / 30 if reached is not None and floor < comparison.tolerance else 0.0
    if low:  # the floor is of no concern
        last = max(_SHORT, math.ceil(1.2 * (reached or 0)))
    log_steps = last > _APART
    steps = _steps(last, log_steps)
    expected = curve(steps)
    with np.errstate(all="ignore"):
        deterministic = np.asarray(analysis.gap(start, steps)) / first
    band = _sixty_four(comparison, entry, noise, last, first, log_steps=log_steps)
    band["marks"] = _marked(band["band_steps"], log_steps)
    shown = entry.steps <= last
    top = min(max(2.0, 1.5 * float(np.max(np.nan_to_num(expected, posinf=1e300)))), _HIGHEST)
    batches = _batches(analysis, noise, problem, start, steps, first)
    ends = [floor, float(np.nanmin(expected)), *(line.floor for line in batches)]
    bottom = low or max(min(value for value in ends if value > 0) / 30, 1e-14)
    return StochasticGapData(
        label=entry.label,
        look=look_of(entry.optimizer),
        noise=_noise_text(entry.trajectory.noise),
        learning_rate=_rate(entry),
        steps=steps,
        expected=expected,
        deterministic=deterministic,
        floor=floor,
        kind=found.kind,
        takeover=takeover,
        reached=reached,
        run_steps=entry.steps[shown].astype(float),
        run=entry.gap[shown] / first,
        **band,
        errors_apart=_errors_apart(analysis, comparison, noise, band, first),
        batches=batches,
        tolerance=comparison.tolerance,
        length=length,
        outcome=analysis.outcome,
        log_steps=log_steps,
        last=last,
        bottom=min(bottom, top / 100),
        top=top,
    )  # fmt: skip


def _noisy_entry(comparison: Comparison) -> Entry:
    """Return the first optimizer whose run is noisy and whose rule is linear, or say what to do."""
    if not isinstance(comparison, Comparison):
        raise InputError(
            f"stochastic_gap needs a comparison, got {type(comparison).__name__}",
            argument="comparison",
            hint="compare(problem, [optimizers], noise=AdditiveNoise(variance)) makes one",
        )
    if comparison.problem.why_no_minimum is not None:
        raise InputError(
            "J has no minimum, so there is no gap that noise could keep open",
            argument="comparison",
            hint="choose a convex problem whose slope has no flat part",
        )
    if comparison.spectrum.is_interval:
        raise InputError(
            "only the ends of the spectrum are known, and expected gaps add up all directions",
            argument="comparison",
            hint="give A as a dense array",
        )
    noisy = [e for e in comparison.entries if e.trajectory.noise is not None or e.optimizer.random]
    if not noisy:
        raise InputError(
            "the gradients of this comparison are exact, so there is no noise to show",
            argument="comparison",
            hint="compare(..., noise=AdditiveNoise(variance)), or MiniBatch(size) with data",
        )
    for entry in noisy:
        if entry.analysis is not None:
            return entry
    raise InputError(
        "no noisy optimizer of this comparison is linear, and only these have an expected gap",
        argument="comparison",
        hint="add GradientDescent or HeavyBall with numbers for its settings",
    )


def _independent(noise: Any) -> Any:
    """Return the noise with draws of its own for every run."""
    return dataclasses.replace(noise, independent=True) if isinstance(noise, MiniBatch) else noise


def _noise_text(noise: Any) -> str:
    if isinstance(noise, MiniBatch):
        return "batches of a changing size" if is_schedule(noise.size) else f"batch {noise.size}"
    return "additive noise"


def _rate(entry: Entry) -> float | None:
    value = entry.optimizer.values.get("learning_rate")
    return value if isinstance(value, float) else None


def _takeover(
    analysis: Analysis,
    comparison: Comparison,
    noise: Any,
    floor: float,
    curve: Callable[[Array], Array],
) -> int | None:
    """Return the first step at which what is left without noise is below the floor.

    The noise of mini-batches grows with the distance, too: there the expected gap must have come
    down to twice the floor.
    """
    if not 0 < floor < math.inf:
        return None
    if floor >= 1:
        return 0
    found = analysis.steps_to(floor, comparison.start)
    if found is None or not isinstance(noise, MiniBatch):
        return found
    if float(curve(np.array([float(found)]))[0]) <= 2 * floor:
        return found
    return noisy_steps_to(analysis, 2 * floor, comparison.start, noise, comparison.problem)


def _first_within(curve: Callable[[Array], Array], steps: Array, goal: float) -> int | None:
    """Return the first step at which a curve is at most the goal, looking at these steps first."""
    while True:
        hits = np.flatnonzero(curve(steps) <= goal)
        if not hits.size:
            return None
        high = int(steps[hits[0]])
        low = int(steps[hits[0] - 1]) if hits[0] else high
        if high - low <= 1:
            return high
        steps = np.unique(np.round(np.linspace(low, high, _FINER)))


def _steps(last: int, log_steps: bool) -> Array:
    if last <= _POINTS:
        return np.arange(last + 1.0)
    if log_steps:
        inside = np.append(0.0, np.geomspace(1, last, _POINTS))
    else:
        inside = np.linspace(0, last, _POINTS)
    return np.unique(np.round(inside))


def _sixty_four(
    comparison: Comparison, entry: Entry, noise: Any, steps: int, first: float, *, log_steps: bool
) -> dict[str, Any]:
    """Return the mean and the spread of 64 runs; seeds differ from that of the comparison."""
    problem = comparison.problem
    steps = min(steps, _MOST_STEPS, max(_SHORT, _WORK // problem.dimension))
    count = min(steps + 1, _ROWS)
    spread = np.append(0.0, np.geomspace(1, steps, count)) if log_steps else None
    rows = np.unique((np.linspace(0, steps, count) if spread is None else spread).round())
    starts = np.tile(comparison.start, (_RUNS, 1))
    found = simulate(problem, entry.optimizer, starts, steps, noise, 64, record=rows)
    with np.errstate(all="ignore"):
        away = found.theta - np.asarray(problem.critical_point)
        flat = away.reshape(-1, away.shape[-1])
        gaps = (flat * problem.hessian_vector(flat, flat)).sum(axis=-1) / 2 / first
        gaps = gaps.reshape(away.shape[:-1])
        logs = np.log(np.maximum(gaps, 1e-300))
        middle, spread = logs.mean(axis=1), 2 * logs.std(axis=1, ddof=1)
        band = np.exp(middle - spread), np.exp(middle + spread)
        mean, error = gaps.mean(axis=1), gaps.std(axis=1, ddof=1) / math.sqrt(_RUNS)
    usable = np.isfinite(error) & np.isfinite(band[1])
    return {
        "band_steps": rows[usable], "mean": mean[usable], "error": error[usable],
        "low": band[0][usable], "high": band[1][usable], "runs": _RUNS,
    }  # fmt: skip


def _marked(steps: Array, log_steps: bool) -> npt.NDArray[np.intp]:
    """Return which recorded steps of the runs get a mark, evenly spread."""
    if len(steps) < 2:
        return np.empty(0, dtype=np.intp)
    shares = np.linspace(0, 1, _MEANS + 1)[1:]
    goals = np.expm1(shares * np.log1p(steps[-1])) if log_steps else shares * steps[-1]
    return np.unique(np.minimum(np.searchsorted(steps, goals), len(steps) - 1)).astype(np.intp)


def _errors_apart(
    analysis: Analysis, comparison: Comparison, noise: Any, band: dict[str, Any], first: float
) -> float | None:
    """Return how far the mean of the runs is from the expectation, where both are for the same."""
    marks = band["marks"]
    if (isinstance(noise, MiniBatch) and not noise.replacement) or not len(marks):
        return None
    steps, error = band["band_steps"][marks], band["error"][marks]
    expected = expected_noisy_gap(analysis, comparison.start, steps, noise, comparison.problem)
    apart = np.abs(band["mean"][marks] - np.asarray(expected) / first)
    usable = (error > 1e-12 * band["mean"][marks]) & np.isfinite(apart)
    return float(np.max(apart[usable] / error[usable])) if usable.any() else None


def _batches(
    analysis: Analysis, noise: Any, problem: Any, start: Array, steps: Array, first: float
) -> tuple[BatchLine, ...]:
    """Return what larger and smaller batches do at the same learning rate."""
    lines = []
    for name, other in _other_sizes(noise, problem):
        try:
            expected = np.asarray(expected_noisy_gap(analysis, start, steps, other, problem))
            floor = noise_floor(analysis, other, problem).value
        except (InputError, NotDerivableError):
            continue
        lines.append(BatchLine(name, expected / first, floor / first))
    return tuple(lines)


def _other_sizes(noise: Noise, problem: Any) -> list[tuple[str, Any]]:
    if isinstance(noise, MiniBatch):
        if is_schedule(noise.size):
            return []
        rows = len(problem.y)
        sizes = [n for n in _SIZES if n != noise.size and (n < rows or noise.replacement)]
        return [(f"batch {n}", dataclasses.replace(noise, size=n)) for n in sizes]
    if isinstance(noise, AdditiveNoise) and np.any(noise.covariance):
        return [(f"mean of {n}", AdditiveNoise(noise.covariance / n)) for n in _SIZES[1:]]
    return []
