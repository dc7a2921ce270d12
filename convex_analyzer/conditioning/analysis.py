"""`condition`: scale or collinearity? What it costs, and what to do about it."""

from __future__ import annotations

import math
from typing import Any

from convex_analyzer.comparison.choice import default_start, exciting_start
from convex_analyzer.conditioning.cost import (
    CHEAP_KAPPA,
    GOOD_DIGITS,
    OPTIMIZERS,
    Digits,
    cheap_steps,
    digits_lost,
    mismatch,
)
from convex_analyzer.conditioning.fixes import Bought, fixes
from convex_analyzer.conditioning.inputs import as_problem
from convex_analyzer.conditioning.results import ConditionAnalysis
from convex_analyzer.conditioning.split import Split, split
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.clusters import clusters
from convex_analyzer.spectra.collinearity import collinearity
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.data_sensitivity import solution_sensitivity
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.arguments import checked_start, checked_tolerance

__all__ = ["condition"]


def condition(
    problem: Quadratic | Any,
    *,
    target: Any = None,
    intercept: bool = False,
    start: Any = None,
    tolerance: float = 1e-6,
) -> ConditionAnalysis:
    """Return where a condition number comes from, what it costs, and what each fix buys.

    Parameters
    ----------
    problem
        A `Quadratic` or `LeastSquares` problem; a square symmetric matrix; or data, an array of
        shape (n, d) or a DataFrame.
    target
        For data: y, shape (n,). Without it no particular solution is looked at.
    intercept
        For data: whether to put a column of ones first. One that is there already is recognised.
    start
        θ₀, shape (d,). Left out: zeros for data with a target, else θ* plus one unit along every
        eigendirection.
    tolerance
        Goal of training: J - J* relative to the first.

    Raises
    ------
    InputError
        A table with text, missing or infinite values; a start of the wrong length.
    NotConvexError
        A has negative curvature.

    Examples
    --------
    >>> from convex_analyzer.problems.gallery import lecture001_slide24
    >>> found = condition(lecture001_slide24())
    >>> found.cause, f"{found.kappa:.3e}", found.cured_by_scaling
    ('units', '1.386e+10', True)
    >>> found.given.steps["GradientDescent"], found.remedy("Scale").steps["GradientDescent"]
    (47865736839, 23)
    """
    tolerance = checked_tolerance(tolerance)
    problem, has_target = as_problem(problem, target, intercept)
    found = compute_spectrum(problem)
    name = "the start as given"
    if start is None:
        pick = default_start if has_target else exciting_start
        start, name = pick(problem, found)
    point = checked_start(start, problem.dimension)
    data = problem if isinstance(problem, LeastSquares) else None
    labels = problem.labels or tuple(f"θ{j + 1}" for j in range(problem.dimension))
    bought, refused = fixes(problem, point, tolerance)
    best = next((entry.kappa for entry in bought if entry.best_possible is not None), None)
    parts = split(problem, best)
    digits = digits_lost(problem, found)
    cheap = cheap_steps(tolerance)
    return ConditionAnalysis(
        name=problem.name,
        labels=labels,
        rows=None if data is None else len(data.y),
        cause=_cause(found, parts, bought, digits, cheap, is_data=data is not None),
        kappa=found.condition_number or 1.0,
        kappa_of_data=None if found.data is None else found.data.condition_number,
        kappa_is_bound=not found.resolved,
        split=parts,
        collinearity=None if data is None else collinearity(data),
        digits=digits,
        sensitivity=None if data is None or not has_target else solution_sensitivity(data),
        clusters=None if found.is_interval else clusters(found, tolerance),
        remedies=bought,
        refused=refused,
        mismatch=mismatch(problem, point, labels),
        cheap=cheap,
        tolerance=tolerance,
        start_name=name,
        penalty=0.0 if data is None else data.l2,
    )


def _cause(
    found: Spectrum,
    parts: Split,
    bought: tuple[Bought, ...],
    digits: Digits,
    cheap: int,
    *,
    is_data: bool,
) -> str:
    """Return the cause in one word."""
    undetermined = is_data and found.lambda_min <= 0  # coefficients that no fit settles
    if undetermined or not found.resolved:
        return parts.largest
    steps = bought[0].steps[OPTIMIZERS[0].__name__]
    trains = steps is not None and steps <= cheap
    solves = digits.kept >= GOOD_DIGITS or math.isinf(digits.by_qr)
    if (found.condition_number or 1.0) <= CHEAP_KAPPA or (trains and solves):
        return "harmless"
    return _largest(parts, bought)


def _largest(parts: Split, bought: tuple[Bought, ...]) -> str:
    """Return the cause with most powers of ten.

    An exact dependency that a penalty settles counts as much as scaling leaves with the penalty.
    """
    sizes = {share.cause: share.decades for share in parts.shares}
    if math.isinf(sizes["collinearity"]):
        left = {entry.name: entry.kappa for entry in bought}
        kappa = left.get("Standardise") or left.get("Scale")
        if kappa is not None:
            sizes["collinearity"] = math.log10(kappa)
    return max(sizes, key=lambda cause: sizes[cause])
