"""Worst case, average and this instance, side by side, with the limits of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import NotDerivableError
from convex_analyzer.results import Result
from convex_analyzer.spectra.density import Density
from convex_analyzer.tables import Table, format_count, format_number
from convex_analyzer.theory.arguments import checked_counts, checked_tolerance
from convex_analyzer.theory.average import (
    Weights,
    average_limit,
    average_steps_to,
    expected_gap,
)
from convex_analyzer.theory.limits import cg_curve, cg_steps, krylov_bound, krylov_steps
from convex_analyzer.theory.polynomials import require_minimum

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["View", "Views", "worst_average_instance"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View(Result):
    """One curve of gaps, relative to the first.

    Attributes
    ----------
    name
        ``worst case``, ``average``, ``this instance`` or the limit of one of these.
    gap
        Gap after each number of steps / gap at the start, (K,).
    reached
        First step at which it is at most the tolerance; None when that never happens.
    kind
        See `convex_analyzer.notation.KINDS`.
    is_limit
        Whether it is a line that no Krylov method crosses, rather than what the optimizer does.
    """

    schema: ClassVar[str] = "convex_analyzer.view/1"

    name: str
    gap: Array
    reached: int | None
    kind: str
    is_limit: bool = False

    def summary(self) -> Table:
        """Return a table of one row."""
        row = (self.name, format_count(self.reached), self.kind)
        return Table(("view", "steps", "kind"), (row,))


@dataclass(frozen=True, eq=False, repr=False)
class Views(Result):
    """What an optimizer does in the worst case, on average, and from a given start.

    Attributes
    ----------
    name
        The optimizer.
    steps
        Numbers of steps, (K,).
    tolerance
        Goal of the last row of the table.
    views
        Those that exist: an interval of eigenvalues has no average, and no instance.
    """

    schema: ClassVar[str] = "convex_analyzer.views/1"

    name: str
    steps: Array
    tolerance: float
    views: tuple[View, ...]

    def __getitem__(self, name: str) -> View:
        for view in self.views:
            if view.name == name:
                return view
        raise KeyError(f"no view {name!r}; there are {', '.join(v.name for v in self.views)}")

    def summary(self) -> Table:
        """Return the curves as columns, and the steps to the goal as the last row."""
        rows = [
            (format_count(k), *(format_number(view.gap[i], 4) for view in self.views))
            for i, k in enumerate(self.steps)
        ]
        goal = f"steps to {format_number(self.tolerance)}"
        rows.append((goal, *(format_count(view.reached) for view in self.views)))
        rows.append(("kind", *(view.kind for view in self.views)))
        note = (
            "Gaps are relative to the first one. No method that adds up past gradients goes below "
            "a limit; the one on average is for coefficients that do not depend on the start."
        )
        columns = ("steps k", *(view.name for view in self.views))
        return Table(columns, tuple(rows), title=self.name, notes=(note,))

    def __repr__(self) -> str:
        return f"<Views {self.name}: {', '.join(view.name for view in self.views)}>"


def worst_average_instance(
    analysis: Analysis,
    start: Any = None,
    steps: Any = 100,
    *,
    weights: Weights = None,
    tolerance: float = 1e-6,
) -> Views:
    """Return the worst case, the average and this instance of an optimizer, with their limits.

    Parameters
    ----------
    analysis
        A linear rule.
    start
        θ₀, shape (d,); without it there is no instance.
    steps
        Numbers of steps of shape (K,), or the last of about eight that are spread evenly on a
        logarithmic scale.
    weights
        E x₀² along each direction, for the average; see `expected_gap`.
    tolerance
        Goal for the counts, relative to the first gap.

    Returns
    -------
    Views
        ``worst case``: the worst direction, or of an interval any λ in it. ``average``: random
        starts. ``limit on average``: of Krylov methods fixed in advance. ``this instance`` and
        ``limit here``: from the start, and by conjugate gradients. Of an interval only the worst
        case exists, with ``worst-case limit``.

    Raises
    ------
    NotDerivableError
        The rule is not linear; a start where only the ends of the spectrum are known.
    NotConvexError, InputError
        There is no minimum.

    Examples
    --------
    >>> from convex_analyzer.optimizers.gradient import GradientDescent
    >>> from convex_analyzer.spectra.spectrum import Spectrum
    >>> from convex_analyzer.theory.analysis import analyze
    >>> toy = analyze(Spectrum.from_eigenvalues([0.2, 4.0]), GradientDescent(0.25))
    >>> views = worst_average_instance(toy, [-5.0, -2.0], [0, 1, 10])
    >>> print(views.summary().to_text().splitlines()[2])
    steps k  worst case  average  limit on average  this instance  limit here
    >>> [(view.name, view.reached) for view in views.views if not view.is_limit]
    [('worst case', 135), ('average', 105), ('this instance', 121)]
    """
    spectrum = analysis.spectrum
    require_minimum(spectrum)
    k = _counts(steps)
    tolerance = checked_tolerance(tolerance)
    if spectrum.is_interval:
        if start is not None:
            raise NotDerivableError(
                "only the ends of the spectrum are known, so a start cannot be followed; leave "
                "start out for the worst case"
            )
        views = [*_worst(analysis, k, tolerance), _worst_limit(analysis, k, tolerance)]
    else:
        views = [*_worst(analysis, k, tolerance), *_average(analysis, k, tolerance, weights)]
    if start is not None:
        views += _instance(analysis, start, k, tolerance)
    return Views(str(analysis.optimizer), k, tolerance, tuple(views))


def _counts(steps: Any) -> Array:
    k = checked_counts(steps)
    if np.ndim(steps):
        return k
    spread = np.geomspace(1, max(1.0, float(k[0])), 8)
    return np.unique(np.concatenate([[0.0], np.round(spread)]))


def _kind(analysis: Analysis) -> str:
    """Return what kind a closed form is, whose eigenvalues may themselves be computed."""
    if analysis.spectrum.kind == "asymptotic":
        return "asymptotic"
    known = analysis.spectrum.kind == "exact" and not analysis.spectrum.is_interval
    return "exact" if known else "numerical"


def _relative(curve: Any) -> Array:
    """Divide by the first entry, which is the gap at the start, and leave it out."""
    first = float(curve[0])
    return np.asarray(curve[1:]) / first if first > 0 else np.zeros(len(curve) - 1)


def _worst(analysis: Analysis, k: Array, tolerance: float) -> list[View]:
    gap = analysis.worst_error(k) ** 2
    return [View("worst case", gap, analysis.steps_to(tolerance), _kind(analysis))]


def _worst_limit(analysis: Analysis, k: Array, tolerance: float) -> View:
    m, L = analysis.spectrum.lambda_min, analysis.spectrum.lambda_max
    if m <= 0:  # nothing shrinks the worst error
        return View("worst-case limit", np.ones(len(k)), None, "exact", is_limit=True)
    bound = krylov_bound(m, L, k, "gap")
    reached = krylov_steps(m, L, tolerance, "gap")
    return View("worst-case limit", bound, reached, "exact", is_limit=True)


def _average(analysis: Analysis, k: Array, tolerance: float, weights: Weights) -> list[View]:
    from_start = np.concatenate([[0.0], k])
    approximate = isinstance(weights, Density) and weights.kind != "exact"
    kind = "numerical" if approximate else _kind(analysis)
    mean = _relative(expected_gap(analysis, from_start, 1.0, weights))
    limit = _relative(average_limit(analysis.spectrum, from_start, 1.0, weights))
    return [
        View("average", mean, average_steps_to(analysis, tolerance, weights), kind),
        View(
            "limit on average",
            limit,
            _first_of_limit(analysis, tolerance, weights),
            "numerical",
            is_limit=True,
        ),
    ]


def _first_of_limit(analysis: Analysis, tolerance: float, weights: Weights) -> int:
    most = 64
    while True:
        curve = average_limit(analysis.spectrum, np.arange(most + 1), 1.0, weights)
        hits = np.flatnonzero(curve <= tolerance * curve[0])
        if hits.size:
            return int(hits[0])
        most *= 4


def _instance(analysis: Analysis, start: Any, k: Array, tolerance: float) -> list[View]:
    from_start = np.concatenate([[0.0], k])
    gap = _relative(analysis.gap(start, from_start))
    limit = _relative(cg_curve(analysis.spectrum, start, from_start))
    reached = cg_steps(analysis.spectrum, start, tolerance)
    return [
        View("this instance", gap, analysis.steps_to(tolerance, start), _kind(analysis)),
        View("limit here", limit, reached, "numerical", is_limit=True),
    ]
