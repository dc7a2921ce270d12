"""`compare`: what theory says, what a run does, and whether the two agree within rounding."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.results import Result, to_plain
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.simulation.trajectory import Trajectory
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.analysis import Analysis, analyze
from convex_analyzer.theory.curves import displacement

__all__ = ["Comparison", "Entry", "compare", "default_start"]

Array = npt.NDArray[np.float64]

MOST_STEPS = 1_000_000  # a run that needs more is predicted, and not started
WORK = 2e10  # multiplications that one run may cost
PREFIX = 1000  # steps over which theory is checked when the whole run is too long
_ALL_ROWS = 2000  # up to this many steps every point is recorded
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False, repr=False)
class Entry(Result):
    """One optimizer on one problem.

    Attributes
    ----------
    label
        Short name, unique in the comparison.
    optimizer
        The rule as it ran.
    analysis
        Its theory; None when the rule is not linear (`reason` says why).
    trajectory
        The run.
    gap
        J - J* at the recorded steps, from the run; relative to the critical point.
    predicted_gap
        The same from the closed form; None without one.
    predicted_steps
        First step with gap ≤ tolerance x the first gap, in closed form; None if never.
    simulated_steps
        The same, counted in the run; None if it was not reached there.
    deviation
        Largest |θ(run) - θ(theory)| over the recorded steps, relative to the largest iterate so
        far.
    budget
        What rounding may explain at that step.
    status
        ``confirmed``, ``refuted``, ``within the bound`` or ``simulated only``.
    complete
        False when the run stops long before the tolerance: "not simulated: too many".
    reason
        Why there is no theory, or why the run is short.
    """

    schema: ClassVar[str] = "convex_analyzer.entry/1"

    label: str
    optimizer: Optimizer
    analysis: Analysis | None
    trajectory: Trajectory
    gap: Array
    predicted_gap: Array | None
    predicted_steps: int | None
    simulated_steps: int | None
    deviation: float | None
    budget: float | None
    status: str
    complete: bool
    reason: str = ""

    @property
    def steps(self) -> Array:
        """Recorded step indices."""
        return np.asarray(self.trajectory.recorded)

    @property
    def overshoot(self) -> float:
        """Largest gap over the first: 1 when the loss never rises above its start."""
        first = abs(float(self.gap[0]))
        finite = self.gap[np.isfinite(self.gap)]
        return float(np.max(finite) / first) if first > 0 and finite.size else 1.0

    def simulated_text(self) -> str:
        """Return the simulated step count, or why there is none."""
        if self.simulated_steps is not None:
            return format_count(self.simulated_steps)
        if not self.complete:
            return "not simulated: too many"
        return "never" if self.predicted_steps is None else "not reached"

    def summary(self) -> Table:
        """Return a table of the main facts."""
        rows = (
            ("steps, predicted", format_count(self.predicted_steps)),
            ("steps, simulated", self.simulated_text()),
            ("theory − simulation", _deviation_text(self)),
            ("verdict", self.status),
        )
        return Table((str(self.optimizer), self.label), rows, left=2)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with at most 200 points of each curve."""
        keep = np.unique(np.linspace(0, len(self.gap) - 1, min(200, len(self.gap))).astype(int))
        return {
            "schema": self.schema,
            "label": self.label,
            "optimizer": self.optimizer.to_dict(),
            "tuned": [] if self.analysis is None else list(self.analysis.tuned),
            "outcome": None if self.analysis is None else self.analysis.outcome,
            "rate": None if self.analysis is None else to_plain(self.analysis.rate),
            "one_minus_rate": None
            if self.analysis is None
            else to_plain(self.analysis.one_minus_rate),
            "stability_limit": None if self.analysis is None else _limit(self.analysis),
            "predicted_steps": self.predicted_steps,
            "simulated_steps": self.simulated_steps,
            "complete": self.complete,
            "deviation": to_plain(self.deviation),
            "budget": to_plain(self.budget),
            "status": self.status,
            "reason": self.reason,
            "overshoot": to_plain(self.overshoot),
            "diverged_at": self.trajectory.diverged_at,
            "curve": {
                "steps": self.steps[keep].tolist(),
                "gap": to_plain(self.gap[keep]),
                "predicted_gap": None
                if self.predicted_gap is None
                else to_plain(self.predicted_gap[keep]),
            },
        }


def _limit(analysis: Analysis) -> float | None:
    return to_plain(analysis.stability_limit)  # type: ignore[no-any-return]  # a float or None


def _deviation_text(entry: Entry) -> str:
    if entry.deviation is None:
        return "–"
    return (
        f"{format_number(entry.deviation, 1)} (rounding explains {format_number(entry.budget, 1)})"
    )


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """Optimizers on one problem, theory beside simulation; made by `compare`.

    Attributes
    ----------
    problem, spectrum
        What was minimised.
    start
        θ₀, shape (d,).
    start_name
        How the start was chosen.
    tolerance
        Goal: gap ≤ tolerance x the first gap.
    entries
        One per optimizer, in the order asked for.
    """

    schema: ClassVar[str] = "convex_analyzer.comparison/1"

    problem: Quadratic = field(compare=False)
    spectrum: Spectrum
    start: Array
    start_name: str
    tolerance: float
    entries: tuple[Entry, ...]

    @property
    def best(self) -> Entry | None:
        """The optimizer with the fewest predicted steps; None when none converges."""
        able = [entry for entry in self.entries if entry.predicted_steps is not None]
        return min(able, key=lambda entry: entry.predicted_steps or 0) if able else None

    @property
    def confirmed(self) -> bool:
        """Whether no run contradicts its theory."""
        return all(entry.status != "refuted" for entry in self.entries)

    def __getitem__(self, key: int | str) -> Entry:
        if isinstance(key, int):
            return self.entries[key]
        for entry in self.entries:
            if entry.label == key:
                return entry
        raise KeyError(key)

    def __iter__(self) -> Any:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def verdict(self) -> str:
        """Return one sentence: who wins, by how much, and whether the runs agree."""
        agree = "theory and simulation agree" if self.confirmed else "A RUN CONTRADICTS ITS THEORY"
        best = self.best
        if best is None:
            return f"No optimizer here converges; {agree}."
        return (
            f"{best.label} needs the fewest steps to reduce the gap to {self.tolerance:g} of its "
            f"start: {format_count(best.predicted_steps)}; {agree}."
        )

    def summary(self) -> Table:
        """Return one row per optimizer."""
        columns = ("optimizer", "settings", "outcome", "rate ρ", "steps, predicted",
                   "steps, simulated", "overshoot", "theory − sim.", "verdict")  # fmt: skip
        notes = (
            "",
            self.verdict(),
            f"Steps until the gap is ×{self.tolerance:g}; start: {self.start_name}.",
        )
        return Table(
            columns, tuple(_row(e) for e in self.entries), self.problem.describe(), notes, 3
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "schema": self.schema,
            "problem": self.problem.to_dict(),
            "spectrum": self.spectrum.to_dict(),
            "start": to_plain(self.start) if len(self.start) <= 1000 else None,
            "start_name": self.start_name,
            "tolerance": self.tolerance,
            "entries": [entry.to_dict() for entry in self.entries],
            "verdict": self.verdict(),
        }

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.entries)} optimizers on {self.problem.name}>"


def settings_text(entry: Entry) -> str:
    """Return the hyper-parameters of an entry as text, with a star where they were tuned."""
    inner = str(entry.optimizer).partition("(")[2].rstrip(")")
    return f"{inner} (tuned)" if entry.analysis is not None and entry.analysis.tuned else inner


def _row(entry: Entry) -> tuple[str, ...]:
    analysis = entry.analysis
    return (
        entry.label,
        settings_text(entry),
        "no closed form" if analysis is None else analysis.outcome,
        "–" if analysis is None else analysis.rate_text,
        format_count(entry.predicted_steps) if entry.predicted_steps is not None else "never",
        entry.simulated_text(),
        f"×{format_number(entry.overshoot, 3)}",
        "–" if entry.deviation is None else format_number(entry.deviation, 1),
        entry.status,
    )


# -- choosing what to run ------------------------------------------------------------------------


def default_start(problem: Quadratic, spectrum: Spectrum) -> tuple[Array, str]:
    """Return a start that excites every direction, and its name.

    For data: zeros, the untrained model. Otherwise the critical point plus one unit along every
    eigendirection (plus a random vector when there are no eigenvectors).
    """
    if isinstance(problem, LeastSquares):
        return np.zeros(problem.dimension), "zeros (the untrained model)"
    centre = problem.critical_point
    if centre is None:
        centre = np.zeros(problem.dimension)
    vectors = spectrum.eigenvectors
    if vectors is not None:
        return centre + vectors.sum(axis=1), "θ* plus one unit along every eigendirection"
    if not spectrum.is_interval:
        return centre + 1.0, "θ* plus one unit along every eigendirection"
    noise = np.random.Generator(np.random.Philox(0)).standard_normal(problem.dimension)
    return centre + noise, "θ* plus a random vector (seed 0)"


def _resolve(
    spectrum: Spectrum, optimizers: Sequence[Any] | Any | None
) -> list[tuple[Optimizer, tuple[str, ...]]]:
    """Return instances, each with the names of its tuned hyper-parameters."""
    if optimizers is None:
        optimizers = [GradientDescent, HeavyBall, Nesterov]
    if isinstance(optimizers, (Optimizer, type)):
        optimizers = [optimizers]
    chosen: list[tuple[Optimizer, tuple[str, ...]]] = []
    for item in optimizers:
        rule, given = item if isinstance(item, tuple) else (item, None)
        if isinstance(rule, type) and issubclass(rule, Optimizer):
            analysis = analyze(spectrum, rule, given)
            chosen.append((analysis.optimizer, analysis.tuned))
        elif isinstance(rule, Optimizer):
            chosen.append((rule, ()))
        else:
            raise InputError(
                f"optimizers must be Optimizer instances or classes, got {rule!r}",
                argument="optimizers",
            )
    if not chosen:
        raise InputError("optimizers is empty", argument="optimizers")
    return chosen


def _labels(chosen: list[tuple[Optimizer, tuple[str, ...]]]) -> list[str]:
    names = [type(rule).__name__ for rule, _ in chosen]
    if len(set(names)) == len(names):
        return names
    seen: dict[str, int] = {}
    labels = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        labels.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    return labels


def _cap(problem: Quadratic) -> int:
    """Return the longest run that is affordable here."""
    matrix = getattr(problem.operator, "matrix", None)
    work = getattr(matrix, "nnz", problem.dimension**2 + 1)
    if problem.operator.kind == "diagonal":
        work = problem.dimension
    return int(min(MOST_STEPS, max(PREFIX, WORK / max(work, 1))))


def compare(
    problem: Quadratic | Any,
    optimizers: Sequence[Any] | None = None,
    start: Any = None,
    steps: int | None = None,
    *,
    tolerance: float = 1e-6,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run optimizers on a problem and hold each run against its theory.

    Parameters
    ----------
    problem
        A `Quadratic`, or anything that it accepts as A.
    optimizers
        Instances, or classes to be tuned, or pairs (class, fixed hyper-parameters). Left out:
        gradient descent, heavy ball and Nesterov, tuned.
    start
        θ₀, shape (d,). Left out: see `default_start`.
    steps
        Length of every run. Left out: until the tolerance is reached. A run that theory says needs
        more than a million steps is predicted, marked, and only its first 1000 steps are checked.
    tolerance
        Goal: gap ≤ tolerance x the first gap.
    progress
        Called with numbers of steps done.

    Raises
    ------
    InputError
        A start of the wrong length, a negative number of steps, something that is no optimizer.

    Examples
    --------
    >>> comparison = compare([[0.2, 0.0], [0.0, 4.0]])
    >>> comparison.best.label, comparison.confirmed
    ('HeavyBall', True)
    """
    if not isinstance(problem, Quadratic):
        problem = Quadratic(problem)
    if steps is not None and (isinstance(steps, bool) or int(steps) != steps or steps < 0):
        raise InputError(
            f"steps must be a whole number, at least 0, got {steps!r}", argument="steps"
        )
    if not 0 < tolerance < 1:
        raise InputError(f"tolerance must be in (0, 1), got {tolerance!r}", argument="tolerance")
    spectrum = compute_spectrum(problem)
    name = "as given"
    if start is None:
        start, name = default_start(problem, spectrum)
    point = np.array(start, dtype=float)
    if point.shape != (problem.dimension,):
        raise InputError(
            f"start must have shape ({problem.dimension},), got {point.shape}", argument="start"
        )
    chosen = _resolve(spectrum, optimizers)
    entries = tuple(
        _entry(problem, spectrum, rule, tuned, label, point, steps, tolerance, progress)
        for (rule, tuned), label in zip(chosen, _labels(chosen), strict=True)
    )
    return Comparison(problem, spectrum, point, name, tolerance, entries)


# -- one optimizer -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    steps: int
    complete: bool
    predicted: int | None
    reason: str = ""


def _plan(
    problem: Quadratic, analysis: Analysis | None, start: Array, steps: int | None, tolerance: float
) -> _Plan:
    """Decide how long to run."""
    predicted = None
    if analysis is not None:
        where = None if analysis.spectrum.is_interval else start
        predicted = analysis.steps_to(tolerance, where)
    cap = _cap(problem)
    if steps is not None:
        short = steps > cap
        reason = f"{format_count(steps)} steps are too many to run" if short else ""
        return _Plan(PREFIX if short else steps, not short, predicted, reason)
    if predicted is None:
        if analysis is None:
            return _Plan(min(cap, 10 * PREFIX), complete=True, predicted=None)
        growth = -math.log1p(-analysis.one_minus_rate) if analysis.one_minus_rate < 1 else 0.0
        length = 40 if growth >= 0 else math.ceil(math.log(1e6) / -growth)
        length = int(min(max(length, 40), PREFIX, cap))
        return _Plan(length, complete=True, predicted=None)
    if predicted > cap:
        reason = f"{format_count(predicted)} steps are too many to run"
        return _Plan(PREFIX, complete=False, predicted=predicted, reason=reason)
    return _Plan(int(predicted * 1.1) + 10, complete=True, predicted=predicted)


def _record(steps: int, predicted: int | None) -> npt.NDArray[np.int64]:
    if steps <= _ALL_ROWS:
        return np.arange(steps + 1)
    even, early = np.linspace(0, steps, 500), np.geomspace(1, steps, 300)
    near = np.arange(-3, 4) + (predicted or 0)
    rows = np.unique(np.concatenate([even, early, near]).round().astype(np.int64))
    return rows[(rows >= 0) & (rows <= steps)]


def _entry(
    problem: Quadratic,
    spectrum: Spectrum,
    rule: Optimizer,
    tuned: tuple[str, ...],
    label: str,
    start: Array,
    steps: int | None,
    tolerance: float,
    progress: Callable[[int], None] | None,
) -> Entry:
    reason = ""
    analysis: Analysis | None
    try:
        analysis = Analysis(spectrum, rule, tuned)
        _ = analysis.modes
    except NotDerivableError as error:
        analysis, reason = None, str(error)
    plan = _plan(problem, analysis, start, steps, tolerance)
    record = _record(plan.steps, plan.predicted)
    trajectory = simulate(problem, rule, start, plan.steps, record, progress)
    gap = _measured_gap(problem, trajectory)
    counted = _count(trajectory, gap, tolerance) if problem.why_no_minimum is None else None
    common: dict[str, Any] = {
        "label": label,
        "optimizer": rule,
        "analysis": analysis,
        "trajectory": trajectory,
        "gap": gap,
        "predicted_steps": plan.predicted,
        "simulated_steps": counted,
        "complete": plan.complete,
        "reason": reason or plan.reason,
    }
    if analysis is None:
        return Entry(
            **common, predicted_gap=None, deviation=None, budget=None, status="simulated only"
        )
    if spectrum.is_interval:
        return Entry(**common, **_against_bound(analysis, trajectory, gap))
    return Entry(**common, **_against_theory(problem, analysis, trajectory, start))


def _measured_gap(problem: Quadratic, trajectory: Trajectory) -> Array:
    """Return J - J(critical point) of a run as ½ eᵀAe, which does not cancel."""
    with np.errstate(all="ignore"):
        centre = problem.critical_point
        if centre is None:
            gap = trajectory.loss - trajectory.loss[0]
        else:
            error = trajectory.theta - centre
            gap = (error * problem.hessian_vector(error, error)).sum(axis=-1) / 2
    return np.where(np.isnan(gap), np.inf, gap)


def _count(trajectory: Trajectory, gap: Array, tolerance: float) -> int | None:
    if not gap[0] > 0:
        return None
    hits = np.flatnonzero(gap <= tolerance * gap[0])
    return int(trajectory.recorded[hits[0]]) if hits.size else None


def _against_bound(analysis: Analysis, trajectory: Trajectory, gap: Array) -> dict[str, Any]:
    """Hold a run against the worst case over the interval of eigenvalues."""
    bound = analysis.worst_error(trajectory.recorded) ** 2 * gap[0]
    inside = bool(np.all(gap <= bound * (1 + 1e-6) + 1e-12 * gap[0]))
    return {
        "predicted_gap": bound,
        "deviation": None,
        "budget": None,
        "status": "within the bound" if inside else "refuted",
    }


def _against_theory(
    problem: Quadratic, analysis: Analysis, trajectory: Trajectory, start: Array
) -> dict[str, Any]:
    """Hold a run against the closed form, point by point, within a budget for rounding."""
    k = trajectory.recorded
    predicted = analysis.predict(start, k)
    gap = analysis.gap(start, k)
    if problem.critical_point is None:
        gap = gap - gap[0]
    with np.errstate(all="ignore"):
        sizes = np.abs(trajectory.theta).max(axis=1)
        scale = np.maximum.accumulate(np.where(np.isfinite(sizes), sizes, 0.0))
        scale = np.where(scale > 0, scale, 1.0)
        away = np.abs(trajectory.theta - predicted).max(axis=1) / scale
        budget = _rounding_budget(problem, analysis, k.astype(float), scale)
    usable = np.isfinite(away) & (budget < 1e-2)
    away, budget = away[usable], budget[usable]
    worst = int(np.argmax(away / budget)) if away.size else 0
    return {
        "predicted_gap": gap,
        "deviation": float(away.max()) if away.size else None,
        "budget": float(budget[worst]) if away.size else None,
        "status": "confirmed" if not away.size or np.all(away <= budget) else "refuted",
    }


def _rounding_budget(problem: Quadratic, analysis: Analysis, k: Array, scale: Array) -> Array:
    """Return what rounding may do by step k, relative to the scale.

    Each gradient is wrong by about √d eps (λmax |θ| + |b|); the displacement that a constant error
    of that size would cause is the rule's own response to b. Each addition to theta adds eps, and
    an unstable direction amplifies all of it.
    """
    m = analysis.modes
    channel = m.offset
    first = np.einsum("ni,ni->n", m.report, channel)
    if m.slots <= 2:
        change = np.einsum("ni,ni->n", m.report, np.einsum("nij,nj->ni", m.minus_identity, channel))
        response = np.abs(displacement(m, first, change, k)).max(axis=1)
    else:
        response = k * np.abs(first).max()
    top = float(np.max(np.abs(analysis.spectrum.eigenvalues), initial=0.0))
    size = top + float(np.max(np.abs(problem.linear), initial=0.0)) / scale
    growth = np.exp(np.minimum(k * max(0.0, math.log(max(analysis.rate, 1e-300))), 600.0))
    peak = 1.0 if analysis.outcome == "unstable" else analysis.transient_peak.size
    peak = peak if math.isfinite(peak) else 1.0
    per_step = EPSILON * math.sqrt(problem.dimension)
    return np.asarray(8 * per_step * (10 + (k + response * size) * peak * growth))
