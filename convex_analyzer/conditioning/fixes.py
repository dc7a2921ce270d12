"""What each remedy buys: exact steps to the tolerance, from the real start, before and after."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from convex_analyzer.conditioning.cost import OPTIMIZERS, steps_of
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.progress import each
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.scaling import Remedy, registered

__all__ = ["Bought", "Refused", "fixes", "recommended"]

Array = npt.NDArray[np.float64]

GIVEN = "as given"
CG_TRUSTED = 1e8  # κ up to which float64 runs conjugate gradients about as counted (heuristic)


@dataclass(frozen=True)
class Bought:
    """A remedy and what it leads to.

    Attributes
    ----------
    name
        Class of the remedy; ``as given`` for none.
    title, price, effort
        See `Remedy`.
    kappa
        κ(A) afterwards; None when it is not known.
    steps
        Steps to the tolerance by optimizer, each tuned for the changed problem; None for never.
        With a bias they lead to the remedy's own minimum.
    bias
        How far the new minimum lies above the old one, J(θ') - J*, relative to the first gap; 0 for
        a remedy that keeps the solution.
    note
        Something to know about it, or "".
    best_possible
        A bound that no remedy of this kind goes below, when one is known.
    keeps_solution
        Whether the minimiser stays the same.
    """

    name: str
    title: str
    price: str
    effort: int
    kappa: float | None
    steps: dict[str, int | None]
    bias: float = 0.0
    note: str = ""
    best_possible: float | None = None
    keeps_solution: bool = True

    def fastest(self) -> tuple[str, int] | None:
        """Return the optimizer with the fewest steps, the simplest of several; or None."""
        done = [(name, count) for name, count in self.steps.items() if count is not None]
        return min(done, key=lambda entry: entry[1]) if done else None


@dataclass(frozen=True)
class Refused:
    """A remedy that cannot be applied, and why."""

    name: str
    title: str
    why: str


def fixes(
    problem: Quadratic, start: Array, tolerance: float
) -> tuple[tuple[Bought, ...], tuple[Refused, ...]]:
    """Return what each remedy buys, fewest steps of gradient descent first, and those refused.

    The first entry is the problem as given.
    """
    spectrum = compute_spectrum(problem)
    steps = steps_of(problem, start, tolerance)
    given = Bought(GIVEN, GIVEN, "nothing", 0, spectrum.condition_number, steps)
    found, refused = [], []
    kinds = registered().items()
    for name, kind in each(kinds, "trying remedies", "remedies", lambda item: item[1].title):
        remedy = kind()
        try:
            why = remedy.why_not(problem)
            if why is None:
                found.append(
                    replace(given, name=name, title=kind.title, price=kind.price, effort=4)
                    if kind.keeps_spectrum
                    else _bought(name, remedy, problem, start, tolerance)
                )
        except ConvexAnalyzerError as error:  # only seen on the way, such as an overflow
            why = str(error).partition("cannot be applied: ")[2] or str(error)
            why = why.partition(";")[0]
        if why is not None:
            refused.append(Refused(name, kind.title, why))
    found.sort(key=lambda entry: (_rank(entry), entry.effort))
    return (given, *found), tuple(refused)


def _rank(entry: Bought) -> float:
    count = entry.steps[OPTIMIZERS[0].__name__]
    return math.inf if count is None else count


def _bought(
    name: str, remedy: Remedy, problem: Quadratic, start: Array, tolerance: float
) -> Bought:
    changed = remedy.apply(problem)
    steps = steps_of(changed.problem, changed.forward(start), tolerance)
    bias = 0.0
    if not remedy.keeps_solution:
        bias = _bias(problem, start, changed.back(_minimizer(changed.problem)))
    kappa = compute_spectrum(changed.problem).condition_number
    return Bought(
        name,
        remedy.title,
        remedy.price,
        remedy.effort,
        kappa,
        steps,
        bias,
        changed.note,
        changed.best_possible,
        remedy.keeps_solution,
    )


def _minimizer(problem: Quadratic) -> Array:
    point = problem.minimizer
    assert point is not None  # a penalised problem has one
    return point


def _bias(problem: Quadratic, start: Array, point: Array) -> float:
    """Return the gap of a point relative to that of the start."""
    best = problem.minimizer
    if best is None:
        return math.nan
    gaps = []
    for theta in (point, start):
        if isinstance(problem, LeastSquares):
            gaps.append(float(np.sum((problem.operator.factor @ (theta - best)) ** 2)))
        else:
            gaps.append(float((theta - best) @ problem.hessian_vector(theta, theta - best)))
    return gaps[0] / gaps[1] if gaps[1] > 0 else 0.0


def recommended(entries: tuple[Bought, ...], cheap: int) -> tuple[Bought, str] | None:
    """Return the least effort that makes training cheap: a remedy and an optimizer.

    Each optimizer counts one effort more than the one before it. When nothing is cheap: the pair
    with the fewest steps that costs no full factorisation.
    """
    order = [rule.__name__ for rule in OPTIMIZERS]
    pairs = [
        (entry, name, entry.steps[name])
        for entry in entries
        for name in order
        if entry.keeps_solution
        and (name != order[-1] or (entry.kappa is not None and entry.kappa <= CG_TRUSTED))
    ]
    good = [(e, n) for e, n, count in pairs if count is not None and count <= cheap]
    if good:
        return min(good, key=lambda pair: (pair[0].effort + order.index(pair[1]), _rank(pair[0])))
    some = [(count, e.effort, e, n) for e, n, count in pairs if count is not None and e.effort <= 2]
    if not some:
        return None
    best = min(some, key=lambda entry: entry[:2])
    return best[2], best[3]
