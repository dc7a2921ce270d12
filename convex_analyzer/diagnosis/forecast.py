"""`forecast`: the rows of the table before any step is made, from problem and optimizer alone.

Rows of the lecture's table are tested as in `recap`; which of them is *the* problem is decided in
`convex_analyzer.diagnosis.outlook`. Where the rule has a closed form this is proved, not guessed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from convex_analyzer.comparison import compare
from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.outlook import Outlook
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.diagnosis.ranking import symptom_modules
from convex_analyzer.diagnosis.readers import read
from convex_analyzer.diagnosis.reading import Reading
from convex_analyzer.diagnosis.remedies import OF_SPEED, Remedy, predict
from convex_analyzer.errors import ConvexAnalyzerError, InputError
from convex_analyzer.noise import MiniBatch, Noise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import join_words
from convex_analyzer.theory.analysis import analyze

__all__ = ["Forecasted", "forecast"]

_CERTAIN, _BRACKETED, _LOCAL, _SIMULATED = 0.99, 0.97, 0.9, 0.75  # confidence of the primary row
_OTHER = {"present": 0.3, "possible": 0.1}  # shares of what is left, for the other rows
_GOAL, _NOISY_GOAL = 1e-6, 1e-2  # of the first gap
_COUNTED = 50_000  # steps of a rule with memory up to which they are counted from the start
_NEAR = 0.5  # a goal that is cheap to count to
_CHECKED = 200  # steps of the run beside a closed form; the run confirms, theory decides


@dataclass(frozen=True)
class Forecasted:
    """What will happen as far as one row goes.

    Attributes
    ----------
    name
        Of the row.
    finding
        The outcome of its test; the evidence is a sentence with numbers.
    confidence
        Chance that this row is what limits the run.
    primary
        Whether it is the one; true of the first row only.
    row
        The row in words.
    remedy
        What the workaround of the primary row would do, by exact counts; None for the others, and
        where theory has no count: without a closed form, and with noise.
    """

    name: str
    finding: Finding
    confidence: float
    primary: bool
    row: Row
    remedy: Remedy | None = None


def forecast(
    problem: Any,
    optimizer: Any,
    *,
    noise: Noise | None = None,
    batch_size: int | None = None,
    start: Any = None,
    steps: int | None = None,
    **settings: Any,
) -> tuple[Forecasted, ...]:
    """Say what will limit a run that has not been made yet.

    Parameters
    ----------
    problem
        A `Quadratic`, least squares, a local model, or anything that `Quadratic` accepts.
    optimizer
        An instance; a class, which is tuned for the problem; or text such as ``"HeavyBall"`` or
        ``"GradientDescent:learning_rate=0.1"``.
    noise, batch_size
        The noise of the gradients; `batch_size` rows of a least-squares problem, drawn anew at
        every step, unless `noise` says else.
    start
        θ₀, shape (d,). Left out: every direction is excited (data: zeros).
    steps
        Length of the run that confirms the forecast; left out: 200 beside a closed form, for any
        other rule until the goal.
    **settings
        With a class or text: hyper-parameters by their usual names (``lr``, ``momentum``, ...);
        what is not given is tuned.

    Returns
    -------
    tuple of Forecasted
        The primary row first, then by falling confidence.

    Raises
    ------
    InputError
        Not an optimizer, or not a setting of it; a batch size for a problem without data.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> toy = Quadratic([[0.2, 0.0], [0.0, 4.0]])
    >>> [forecast(toy, GradientDescent(rate))[0].name for rate in (0.51, 0.4, 0.001)]
    ['instability', 'healthy', 'slow_progress']
    >>> forecast(toy, GradientDescent(0.51))[0].finding.evidence.split(":")[0]
    'will be unstable because α = 0.51 is beyond the limit 0.5 of q2, λ = 4'
    """
    chosen = _chosen(optimizer, settings)
    outlook = _outlook(problem, chosen, noise, batch_size, start, steps)
    name, primary = outlook.primary()
    top = _confidence(outlook, primary)
    found = []
    for module in symptom_modules():
        row: Row = module.ROW
        if not (row.lecture or row.name in {"saddle", "healthy", name}):
            continue
        finding = primary if row.name == name else outlook.tested(module)
        first = row.name == name
        share = top if first else _OTHER.get(finding.verdict, 0.0) * (1 - top)
        remedy = _remedy(name, outlook) if first else None
        found.append(Forecasted(row.name, finding, share, first, row, remedy))
    return tuple(sorted(found, key=lambda each: (-each.confidence, each.row.order)))


def _remedy(name: str, outlook: Outlook) -> Remedy | None:
    """Return the workaround with its counts, asked as of a log: the run beside the forecast."""
    prospect = outlook.prospect
    if name not in OF_SPEED or outlook.noise is not None or outlook.analysis is None:
        return None
    log = Reading(read(prospect.entry.trajectory))
    found = predict(name, log, prospect.problem)
    return found if found is not None and found.predicts else None


def _confidence(outlook: Outlook, primary: Finding) -> float:
    analysis = outlook.analysis
    if analysis is None or primary.kind == "simulated":
        return _SIMULATED
    if analysis.scope not in {"global", "periodic"} or primary.kind in {"heuristic", "asymptotic"}:
        return _LOCAL
    return _BRACKETED if outlook.prospect.spectrum.is_interval else _CERTAIN


def _outlook(
    problem: Any,
    chosen: Any,
    noise: Noise | None,
    batch_size: int | None,
    start: Any,
    steps: int | None,
) -> Outlook:
    """Return problem and optimizer seen together, with a run as long as it has to be."""
    if not isinstance(problem, Quadratic):
        problem = Quadratic(problem)
    noise = _noise(problem, noise, batch_size)
    if noise is None and isinstance(problem, LeastSquares):
        noise = getattr(chosen, "noise", None)  # that the rule itself brings
    goal = _NOISY_GOAL if noise is not None else _GOAL
    length = _CHECKED if steps is None else steps
    if noise is not None and not isinstance(chosen, Optimizer):
        # a class is tuned for the problem, not for its noise
        chosen = compare(problem, [chosen], start, 0).entries[0].optimizer
    count = _at_rate(problem, chosen, goal)
    counted = goal if count is None else _NEAR
    found = compare(problem, [chosen], start, length, tolerance=counted, noise=noise)
    entry = found.entries[0]
    if count is not None:
        entry = dataclasses.replace(entry, predicted_steps=count, simulated_steps=None)
        found = dataclasses.replace(found, tolerance=goal, entries=(entry,))
    unfinished = entry.simulated_steps is None and not entry.trajectory.has_diverged
    if steps is None and entry.analysis is None and unfinished:
        found = compare(problem, [entry.optimizer], start, tolerance=goal, noise=noise)
    return Outlook(Prospect(found, found.entries[0]), noise)


def _at_rate(problem: Quadratic, chosen: Any, goal: float) -> int | None:
    """Return the steps of a rule with memory by its rate, where the exact count takes too long."""
    if not isinstance(chosen, Optimizer) or not chosen.memory:
        return None
    try:
        count = analyze(problem, chosen).steps_to(goal**0.5, criterion="rate")
    except ConvexAnalyzerError:
        return None
    return count if count is not None and count > _COUNTED else None


def _chosen(optimizer: Any, settings: Mapping[str, Any]) -> Any:
    """Return an optimizer as `compare` takes it."""
    if settings and isinstance(optimizer, Optimizer):
        raise InputError(
            f"{optimizer} has its settings already; {join_words(sorted(settings))} cannot be added",
            argument=min(settings),
            hint=f"give the class {type(optimizer).__name__}, or the instance alone",
        )
    extra = {}
    if settings and isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        extra = {optimizer.__name__: optimizer}
        optimizer = optimizer.__name__
    if not isinstance(optimizer, str):
        return optimizer
    given = ",".join(f"{name}={value}" for name, value in settings.items())
    if given:
        optimizer += f"{',' if ':' in optimizer else ':'}{given}"
    parsed = parse_optimizer(optimizer, extra)
    if isinstance(parsed, Optimizer):
        return parsed
    rule, values = parsed
    needed = {field.name for field in rule.fields()} <= set(values)
    return rule(**values) if needed else (rule, values)


def _noise(problem: Any, noise: Noise | None, batch_size: int | None) -> Noise | None:
    if noise is not None or batch_size is None:
        return noise
    if not isinstance(problem, LeastSquares):
        raise InputError(
            "batch_size needs a problem that holds its data",
            argument="batch_size",
            hint="problem=least_squares(X, y), or noise=AdditiveNoise(variance)",
        )
    if batch_size >= len(problem.y):
        return None
    return MiniBatch(batch_size, replacement=True)
