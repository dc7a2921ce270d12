"""`compare`: what theory says, what a run does, and whether the two agree within rounding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convex_analyzer.comparison.choice import default_start, labels, resolve
from convex_analyzer.comparison.results import Comparison, Entry
from convex_analyzer.comparison.running import Request, run
from convex_analyzer.errors import InputError
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum as compute_spectrum

__all__ = ["Comparison", "Entry", "compare", "default_start"]


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
    chosen = resolve(spectrum, optimizers)
    request = Request(problem, spectrum, point, steps, tolerance, progress)
    entries = tuple(
        run(request, rule, tuned, label)
        for (rule, tuned), label in zip(chosen, labels(chosen), strict=True)
    )
    return Comparison(problem, spectrum, point, name, tolerance, entries)
