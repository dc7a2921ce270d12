"""κ in parts: what units, offsets and collinearity each contribute.

κ belongs to the 2-norm throughout: κ(X) = σmax/σmin over the singular values that are not zero,
κ(XᵀX) = κ(X)². With an intercept the offset is taken away first, since the length of a column far
from zero is mostly its mean, then the units; what is left is collinearity. Without an intercept
only scaling keeps the model, so that units come first; the offset is then what an intercept and
centring would take away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.decompositions import gram_eigh
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.collinearity import centred_columns, find_intercept
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.scaling.diagonals import Jacobi, OptimalDiagonal
from convex_analyzer.spectra.scaling.rotations import prescaled

__all__ = ["Share", "Split", "View", "split"]

Array = npt.NDArray[np.float64]

EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class View:
    """κ of one way to look at the problem.

    Attributes
    ----------
    name
        Which way.
    kappa
        κ(A), for data κ(XᵀX).
    kappa_of_data
        κ(X); None for a matrix.
    same_model
        Whether it is the given model in other coordinates.
    is_singular
        Whether some direction is left undetermined; κ is then over the others.
    """

    name: str
    kappa: float
    kappa_of_data: float | None
    same_model: bool
    is_singular: bool = False


@dataclass(frozen=True)
class Share:
    """A part of κ(A).

    Attributes
    ----------
    cause
        ``units``, ``offset`` or ``collinearity``.
    decades
        log10 of the factor by which κ(A) falls when it is removed; negative when removing it hurts,
        infinite for an exact dependency.
    removed_by
        What removes it.
    """

    cause: str
    decades: float
    removed_by: str


@dataclass(frozen=True)
class Split:
    """κ in parts; made by `split`.

    Attributes
    ----------
    views
        κ raw, with intercept, centred, scaled, standardised, whitened, ...
    shares
        Units, offset, collinearity: they add up to log10 κ(A) without a penalty.
    best_diagonal
        The smallest κ(A) that any step size per coordinate reaches (Adam, RMSProp); None where it
        cannot be computed.
    best_diagonal_after
        The same once the cheap part (standardising) is done.
    """

    views: tuple[View, ...]
    shares: tuple[Share, ...]
    best_diagonal: float | None
    best_diagonal_after: float | None

    def view(self, name: str) -> View:
        """Return the view of this name.

        Raises
        ------
        KeyError
            There is none.
        """
        for view in self.views:
            if view.name == name:
                return view
        raise KeyError(name)

    def decades(self, cause: str) -> float:
        """Return the decades of κ(A) that come from a cause; 0 for one that does not occur."""
        return sum((share.decades for share in self.shares if share.cause == cause), start=0.0)

    @property
    def largest(self) -> str:
        """The cause with most decades."""
        return max(self.shares, key=lambda share: share.decades).cause

    @property
    def rotation_decades(self) -> float | None:
        """Decades of κ(A) that no step size per coordinate removes, only a rotation."""
        return None if self.best_diagonal is None else math.log10(self.best_diagonal)


def split(problem: Quadratic, best_diagonal: float | None = None) -> Split:
    """Return κ in parts.

    Parameters
    ----------
    problem
        Convex.
    best_diagonal
        The best κ by diagonal scaling, when it is known already.

    Examples
    --------
    >>> from convex_analyzer.problems.gallery import lecture001_slide24
    >>> found = split(lecture001_slide24())
    >>> [round(share.decades, 2) for share in found.shares], found.largest
    ([9.32, -0.63, 1.45], 'units')
    """
    parts = _of_data(problem) if isinstance(problem, LeastSquares) else _of_matrix(problem)
    views, shares = parts
    before = best_diagonal if best_diagonal is not None else _best(problem)
    after = before  # scaling alone does not move it
    if isinstance(problem, LeastSquares) and find_intercept(problem.X) is not None:
        after = _best(prescaled(problem).problem)
    return Split(views, shares, before, after)


def _best(problem: Quadratic) -> float | None:
    """Return the best κ by diagonal scaling, or None where it cannot be computed."""
    remedy = OptimalDiagonal()
    if remedy.why_not(problem) is not None:
        return None
    try:
        changed = remedy.change(problem)
    except InputError:  # too ill-conditioned
        return None
    return compute_spectrum(changed.problem).condition_number


def _of_matrix(problem: Quadratic) -> tuple[tuple[View, ...], tuple[Share, ...]]:
    found = compute_spectrum(problem)
    kappa = found.condition_number or 1.0
    singular = found.lambda_min <= 0
    views = [View("as given", kappa, None, same_model=True, is_singular=singular)]
    scaled = kappa
    if Jacobi().why_not(problem) is None:
        other = compute_spectrum(Jacobi().change(problem).problem)
        scaled = other.condition_number or 1.0
        views.append(
            View("unit diagonal", scaled, None, same_model=True, is_singular=other.lambda_min <= 0)
        )
    views.append(View("whitened", 1.0, None, same_model=True, is_singular=singular))
    shares = (
        Share("units", math.log10(kappa / scaled), "scaling to a unit diagonal"),
        Share("collinearity", math.log10(scaled), "a rotation, or a factorisation"),
    )
    return tuple(views), shares


def _kappa(X: Array) -> tuple[float, bool]:
    """Return κ(X) over the singular values that are not zero, and whether some are."""
    parts: Any = gram_eigh(X)
    values, errors = parts.singular_values, parts.singular_errors
    zero = values <= np.maximum(errors, 0.0)
    if X.shape[0] < X.shape[1]:
        zero[: X.shape[1] - X.shape[0]] = True
    kept = values[~zero]
    return (float(kept[-1] / kept[0]) if kept.size else 1.0), bool(zero.any())


def _units(X: Array, whole: Array) -> Array:
    """Return columns of unit length; those that are rounding become zero."""
    norms = np.linalg.norm(X, axis=0)
    usable = norms > len(X) * EPSILON * whole
    return np.where(usable, X, 0.0) / np.where(usable, norms, 1.0)


def _of_data(problem: LeastSquares) -> tuple[tuple[View, ...], tuple[Share, ...]]:
    X, at = problem.X, find_intercept(problem.X)
    inputs = np.delete(X, at, axis=1) if at is not None else X
    ones = np.ones((len(X), 1))
    whole = np.linalg.norm(inputs, axis=0)
    if not inputs.shape[1]:
        view = View("raw", 1.0, 1.0, same_model=True)
        return (view,), (Share("collinearity", 0.0, "a rotation"),)
    about = centred_columns(np.column_stack([ones, inputs]), 0)[0][:, 1:]
    unit, standard = _units(inputs, whole), _units(about, whole)
    about = np.where(np.any(standard, axis=0), about, 0.0)
    has, root = at is not None, 1 / math.sqrt(len(X))
    table: list[tuple[str, Array, bool]] = [
        ("raw", inputs, not has),
        ("with intercept", np.column_stack([ones, inputs]), has),
        ("centred", about, False),
        ("centred with intercept", np.column_stack([ones, about]), has),
        ("scaled", unit, not has),
        ("scaled with intercept", np.column_stack([root * ones, unit]), has),
        ("standardised", standard, False),
        ("standardised with intercept", np.column_stack([root * ones, standard]), has),
    ]
    views = []
    for name, matrix, same in table:
        kappa, singular = _kappa(matrix)
        views.append(View(name, kappa**2, kappa, same, singular))
    exact = views[7 if has else 4].is_singular
    views.append(View("whitened", 1.0, 1.0, same_model=True, is_singular=exact))
    given, middle, last = (views[j].kappa for j in ((1, 3, 7) if has else (0, 4, 6)))
    if at is not None and X[0, at] != 1.0:  # a column of ones in another unit
        given = _kappa(X)[0] ** 2
    rest = math.inf if exact else math.log10(last)
    left = Share("collinearity", rest, "leaving columns out, a rotation, or a penalty")
    if has:
        offset = Share("offset", math.log10(given / middle), "centring the columns")
        units = Share("units", math.log10(middle / last), "dividing by standard deviations")
        return tuple(views), (offset, units, left)
    units = Share("units", math.log10(given / middle), "scaling the columns")
    offset = Share("offset", math.log10(middle / last), "an intercept and centred columns")
    return tuple(views), (units, offset, left)
