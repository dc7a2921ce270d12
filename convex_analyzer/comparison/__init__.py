"""`compare`: what theory says, what a run does, and whether the two agree within rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from convex_analyzer.comparison.choice import default_start, labels, resolve
from convex_analyzer.comparison.results import Comparison, Entry
from convex_analyzer.comparison.running import Request, run
from convex_analyzer.comparison.search import tuned_by_running
from convex_analyzer.errors import InputError
from convex_analyzer.noise import Noise
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.progress import each
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
    noise: Noise | None = None,
    seed: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run optimizers on a problem and hold each run against its theory.

    Parameters
    ----------
    problem
        A `Quadratic`, or anything that it accepts as A.
    optimizers
        Instances, or classes to be tuned, or pairs (class, fixed hyper-parameters). Left out:
        gradient descent, heavy ball and Nesterov, tuned. A linear rule is tuned for the spectrum;
        any other by running it from this start at many learning rates.
    start
        θ₀, shape (d,). Left out: see `default_start`.
    steps
        Length of every run. Left out: until the tolerance is reached. A run that theory says needs
        more than a million steps (fewer where a step is dear) is predicted, marked, and only its
        first 1000 steps are checked; a product with A of more than 5e5 multiplications makes it
        fewer, at least 100. The entry's `reason` says how many.
    tolerance
        Goal: gap ≤ tolerance x the first gap.
    noise
        `AdditiveNoise` or `MiniBatch`; the same noise for every optimizer. Theory then predicts the
        mean, and a single run is not held against it.
    seed
        Names the noise; None is 0.
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

    def search(
        rule: type[Optimizer], given: Mapping[str, Any] | None
    ) -> tuple[Optimizer, tuple[str, ...]]:
        return tuned_by_running(
            problem, point, rule, given, tolerance=tolerance, noise=noise, seed=seed
        )

    chosen = resolve(spectrum, optimizers, search, noisy=noise is not None)
    request = Request(problem, spectrum, point, steps, tolerance, noise, seed, progress)
    pairs = zip(chosen, labels(chosen), strict=True)
    entries = tuple(
        run(request, rule, tuned, label)
        for (rule, tuned), label in each(pairs, "comparing", "optimizers", lambda pair: pair[1])
    )
    return Comparison(problem, spectrum, point, name, tolerance, entries)
