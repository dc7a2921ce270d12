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
from convex_analyzer.theory.arguments import checked_start, checked_tolerance

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
    whole = isinstance(steps, (int, np.integer)) and not isinstance(steps, bool)
    if steps is not None and (not whole or steps < 0):
        raise InputError(
            f"steps must be a whole number, at least 0, got {steps!r}", argument="steps"
        )
    tolerance = checked_tolerance(tolerance)
    spectrum = compute_spectrum(problem)
    name = "as given"
    if start is None:
        start, name = default_start(problem, spectrum)
    point = checked_start(start, problem.dimension)
    chosen = resolve(spectrum, optimizers)
    request = Request(problem, spectrum, point, steps, tolerance, progress)
    entries = tuple(
        run(request, rule, tuned, label)
        for (rule, tuned), label in zip(chosen, labels(chosen), strict=True)
    )
    return Comparison(problem, spectrum, point, name, tolerance, entries)
