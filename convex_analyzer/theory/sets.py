"""Sets of one unknown in which a rule is stable: solved, scaled by eigenvalues, on arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.inequalities import inequalities, solve
from convex_analyzer.theory.pairing import field_of
from convex_analyzer.theory.symbolic import exactly

__all__ = ["as_set", "finite_ends", "inside_circle", "scaled", "solved", "wanted"]

_MOST_EIGENVALUES = 200  # for which separate sets are intersected


def as_set(intervals: list[tuple[float, float]]) -> Any:
    """Return open intervals of floats as a SymPy set."""
    import sympy

    pieces = [
        sympy.Interval.open(sympy.Float(a), sympy.oo if math.isinf(b) else sympy.Float(b))
        for a, b in intervals
    ]
    return sympy.Union(*pieces) if pieces else sympy.S.EmptySet


def solved(coefficients: list[Any], unknown: Any) -> Any:
    """Return where every root of a characteristic polynomial lies inside the circle."""
    import sympy

    whole, enter = field_of([unknown], coefficients)
    try:
        entered = [enter(c) for c in coefficients]
    except (ZeroDivisionError, NotDerivableError):
        if any(c.has(sympy.zoo, sympy.nan) for c in coefficients):
            return sympy.S.EmptySet  # the rule divides by zero everywhere
        raise
    return solve(inequalities([whole.one, *entered[1:]]))


def scaled(stable: Any, factors: list[Any], *, between: bool) -> Any:
    """Return the positive α for which α times each factor lies in a set of s.

    Parameters
    ----------
    stable
        A union of intervals.
    factors
        Not zero.
    between
        Whether every number between the smallest and the largest factor is meant too.
    """
    import sympy

    ends, one_piece = [min(factors), max(factors)], isinstance(stable, sympy.Interval)
    positive = sympy.Interval.open(0, sympy.oo)
    if between:
        pieces = [
            _divided(piece, ends[0]).intersect(_divided(piece, ends[1]))
            for piece in _pieces(stable)
        ]
        return sympy.Union(*pieces).intersect(positive)
    if one_piece and ends[0] > 0:
        factors = ends
    if len(factors) > _MOST_EIGENVALUES:
        raise NotDerivableError(
            f"the stable set is not one interval, and {len(factors)} eigenvalues are too many to "
            "intersect their sets exactly; stable_learning_rates does it in float64"
        )
    found: Any = positive
    for factor in factors:
        found = found.intersect(sympy.Union(*(_divided(p, factor) for p in _pieces(stable))))
    return found


def _pieces(stable: Any) -> list[Any]:
    import sympy

    if stable is sympy.S.EmptySet:
        return []
    if stable is sympy.S.Reals:
        return [sympy.Interval(-sympy.oo, sympy.oo)]
    return list(stable.args) if isinstance(stable, sympy.Union) else [stable]


def _divided(piece: Any, factor: Any) -> Any:
    import sympy

    ends = (sympy.radsimp(piece.inf / factor), sympy.radsimp(piece.sup / factor))
    return sympy.Interval.open(*(ends if factor > 0 else reversed(ends)))


def wanted(eigenvalues: Any) -> tuple[list[Any], bool]:
    """Return distinct eigenvalues, exact, and whether all between them are meant."""
    between = False
    if isinstance(eigenvalues, Spectrum):
        between = eigenvalues.is_interval
        if between:
            eigenvalues = [eigenvalues.lambda_min, eigenvalues.lambda_max_bracket.high]
        else:
            known = eigenvalues.exact_eigenvalues
            eigenvalues = np.unique(eigenvalues.eigenvalues) if known is None else list(known)
    listed = np.atleast_1d(np.asarray(eigenvalues, dtype=object)).ravel()
    found = sorted({exactly(value) for value in listed} - {exactly(0)})
    if not found:
        raise InputError("no eigenvalue is other than zero", argument="eigenvalues")
    return found, between


def finite_ends(stable: Any) -> list[Any]:
    """Return the finite end points of a union of intervals, ascending."""
    ends = {end for piece in _pieces(stable) for end in (piece.inf, piece.sup)}
    return sorted((end for end in ends if not end.is_infinite), key=lambda end: end.evalf(60))


def inside_circle(coefficients: list[Any], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Tell where all roots of polynomials lie inside the circle, by Schur's recursion."""
    row = np.stack([np.broadcast_to(np.asarray(c, dtype=float), shape) for c in coefficients])
    inside = np.isfinite(row).all(axis=0)
    while len(row) > 1:
        ratio = row[-1] / row[0]
        inside &= np.abs(ratio) < 1
        row = (row - ratio * row[::-1])[:-1]
    return np.asarray(inside)
