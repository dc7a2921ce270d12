"""The best polynomial on a weighted set of eigenvalues: min Σ w p(λ)² with p(0) = 1.

The minimum over degree k is the squared residual of a least-squares problem with the diagonal
matrix D = √Λ and the right-hand side √w, restricted to a Krylov space. Golub and Kahan's
bidiagonalisation works with √λ instead of λ, so rounding is felt as ε√κ and not as εκ, and the
residual is a product of sines, which keeps its relative precision however small it gets.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number
from convex_analyzer.theory.arguments import checked_start

__all__ = [
    "compressed",
    "excited",
    "gauss_rule",
    "merged",
    "require_level",
    "require_minimum",
    "smallest_gaps",
]

Array = npt.NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_ENTRIES = 30_000_000  # numbers in a basis: 240 MB
_DIRECT = 2_000_000  # with a basis up to this size all eigenvalues are kept
_PER_GROUP = 8  # Gauss nodes that stand for a group of eigenvalues


# -- what there is to fit -------------------------------------------------------------------------


def excited(spectrum: Spectrum, start: Any) -> tuple[Array, Array]:
    """Return the distinct eigenvalues that a start excites, and λ x₀² summed over each, (n,), (n,).

    Flat directions carry no loss and are left out. Eigenvalues that cannot be told apart count as
    one, and so do parts of the start that are rounding of the change of basis count as none.

    Raises
    ------
    NotDerivableError
        Only the ends of the spectrum are known.
    NotConvexError
        A negative eigenvalue: there is no minimum to be near.
    InputError
        b has a part along flat directions: J falls without end.
    """
    if spectrum.is_interval:
        raise NotDerivableError(
            "only the ends of the spectrum are known, so there is no instance to solve; "
            "krylov_bound gives the limit of the whole class"
        )
    start = checked_start(start, spectrum.dimension)
    linear = np.zeros(len(spectrum.eigenvalues)) if spectrum.linear is None else spectrum.linear
    require_minimum(spectrum)
    active = spectrum.eigenvalues > 0
    values = spectrum.eigenvalues[active]
    along = spectrum.to_eigenbasis(start)[active]
    centre = -linear[active] / values
    away = along - centre
    if spectrum.eigenvectors is not None:
        size = max(float(np.linalg.norm(start)), float(np.linalg.norm(centre)))
        away = np.where(np.abs(away) > 8 * _EPS * size, away, 0.0)
    return merged(values, values * away**2, spectrum.zero_tolerance)


def require_minimum(spectrum: Spectrum) -> None:
    """Refuse a problem that has no minimum, with the reason."""
    if spectrum.lambda_min < 0:
        raise NotConvexError(
            f"λmin = {format_number(spectrum.lambda_min)} is negative: J is unbounded below, so "
            "there is no gap to a minimum that a limit could be about",
            hint="look at the directions with positive curvature alone",
        )
    require_level(spectrum)


def require_level(spectrum: Spectrum) -> None:
    """Refuse a problem that falls without end along directions without curvature."""
    linear = spectrum.linear
    if linear is None or spectrum.is_interval or not (spectrum.eigenvalues == 0).any():
        return
    flat = np.abs(linear[spectrum.eigenvalues == 0])
    if flat.max() > 1e-10 * np.linalg.norm(linear):
        raise InputError(
            "b has a part along directions without curvature: J falls without end, so there is no "
            "gap to a minimum",
            argument="spectrum",
        )


def merged(values: Array, weights: Array, tolerance: float) -> tuple[Array, Array]:
    """Return distinct eigenvalues with positive weight, ascending, and their summed weights.

    Parameters
    ----------
    values, weights
        Shape (n,), ascending.
    tolerance
        Neighbours up to this far apart, or a few roundings, are one.
    """
    kept = weights > 0
    values, weights = values[kept], weights[kept]
    if not len(values):
        return values, weights
    apart = np.diff(values) > np.maximum(tolerance, 4 * _EPS * values[1:])
    group = np.concatenate([[0], np.cumsum(apart)]).astype(np.intp)
    first = np.flatnonzero(np.concatenate([[True], apart]))
    total = np.bincount(group, weights).astype(float)
    within = np.bincount(group, weights * (values - values[first][group]))
    return values[first] + within / total, total


# -- the best polynomial --------------------------------------------------------------------------


def smallest_gaps(values: Array, weights: Array, most: int) -> Array:
    """Return ½ min Σ w p(λ)² over degree k with p(0) = 1, for k = 0, ..., most, shape (most + 1,).

    Parameters
    ----------
    values
        Distinct positive eigenvalues, ascending, (n,).
    weights
        w > 0, (n,): λ x₀² for a start, λ E x₀² for random ones.
    most
        The largest k. From n on the minimum is exactly 0.

    Raises
    ------
    InputError
        So many steps that the basis would not fit.

    Notes
    -----
    When the basis would be large, neighbouring eigenvalues are first replaced by Gauss rules of
    eight nodes, in groups on which no polynomial of degree k that matters can tell the difference.

    Examples
    --------
    >>> smallest_gaps(np.array([1.0, 3.0]), np.array([1.0, 3.0]), 2).round(9)
    array([2.        , 0.21428571, 0.        ])
    """
    if not len(values):
        return np.zeros(most + 1)
    exact_stop = len(values)
    steps = min(most, exact_stop - 1)
    if len(values) * (steps + 1) > _DIRECT:
        values, weights = compressed(values, weights, steps)
    if len(values) * (steps + 1) > _ENTRIES:
        affordable = int(math.sqrt(_ENTRIES / (3 * _PER_GROUP)))
        raise InputError(
            f"the best of {steps:,} steps along {exact_stop:,} directions takes a basis that does "
            "not fit into memory",
            argument="steps",
            hint=f"ask for at most {affordable} steps",
        )
    sines = _sines(np.sqrt(values / values[-1]), np.sqrt(weights / weights.max()), steps)
    with np.errstate(all="ignore"):
        logs = np.concatenate([[0.0], np.cumsum(np.log(sines))])
    curve = np.zeros(most + 1)
    curve[: steps + 1] = weights.sum() / 2 * np.exp(2 * logs)
    return curve


def _sines(diagonal: Array, target: Array, steps: int) -> Array:
    """Return |residual_k|/|residual_{k-1}| of the least-squares problem for k = 1, ..., steps."""
    left = np.zeros((steps + 1, len(diagonal)))
    right = np.zeros((steps + 1, len(diagonal)))
    sines = np.zeros(steps)
    left[0] = target / np.linalg.norm(target)
    vector = diagonal * left[0]
    alpha = float(np.linalg.norm(vector))
    right[0] = vector / alpha
    bar = alpha
    for k in range(steps):
        vector = _orthogonal(diagonal * right[k] - alpha * left[k], left[: k + 1])
        beta = float(np.linalg.norm(vector))
        rho = math.hypot(bar, beta)
        sines[k] = beta / rho
        if beta == 0:
            break
        left[k + 1] = vector / beta
        vector = _orthogonal(diagonal * left[k + 1] - beta * right[k], right[: k + 1])
        alpha = float(np.linalg.norm(vector))
        if alpha == 0:
            break
        right[k + 1] = vector / alpha
        bar *= alpha / rho
    return sines


def _orthogonal(vector: Array, basis: Array) -> Array:
    """Project an orthonormal basis away, twice, which is enough (Kahan; Giraud et al. 2005)."""
    for _ in range(2):
        vector = vector - (basis @ vector) @ basis
    return np.asarray(vector)


# -- fewer eigenvalues ----------------------------------------------------------------------------


def compressed(values: Array, weights: Array, steps: int) -> tuple[Array, Array]:
    """Replace groups of neighbouring eigenvalues by Gauss rules of eight nodes.

    Parameters
    ----------
    values, weights
        Distinct positive eigenvalues, ascending, and positive weights.
    steps
        Degree of the polynomials whose squares are to be summed.

    Groups are narrow against the wavelength of a polynomial of degree k on [0, L], which is uniform
    in the angle of √(λ/L), and against λ itself.
    """
    low, high = float(values[0]), float(values[-1])
    angles = np.linspace(0, math.pi / 2, 2 * steps + 1)
    scales = np.geomspace(low, high, 2 + math.ceil(2 * math.log(high / low)))
    inner = np.concatenate([high * np.sin(angles[1:-1]) ** 2, scales[1:-1]])
    edges = np.unique(inner[(inner > low) & (inner < high)])
    places = np.concatenate([[0], np.searchsorted(values, edges), [len(values)]])
    nodes, shares = [], []
    for begin, end in itertools.pairwise(places):
        group, part = values[begin:end], weights[begin:end]
        if len(group) > _PER_GROUP:
            group, part = gauss_rule(group, part, _PER_GROUP)
        nodes.append(group)
        shares.append(part)
    return np.concatenate(nodes), np.concatenate(shares)


def gauss_rule(values: Array, weights: Array, count: int) -> tuple[Array, Array]:
    """Return nodes and weights that integrate degree 2 count - 1 as a weighted set of points does.

    Parameters
    ----------
    values, weights
        Distinct points, ascending, more than `count`; positive weights.
    count
        Number of nodes.

    Notes
    -----
    Source: Golub & Welsch (1969), the Jacobi matrix by Lanczos with reorthogonalisation.

    Examples
    --------
    >>> points = np.arange(1.0, 100.0)
    >>> nodes, shares = gauss_rule(points, np.ones(99), 3)
    >>> round(float(shares @ nodes**5 / (points**5).sum()), 12)
    1.0
    """
    centre, half = (values[0] + values[-1]) / 2, (values[-1] - values[0]) / 2
    scaled = (values - centre) / half
    basis = np.zeros((count, len(values)))
    basis[0] = np.sqrt(weights / weights.sum())
    jacobi = np.zeros((count, count))
    for j in range(count):
        vector = scaled * basis[j]
        jacobi[j, j] = basis[j] @ vector
        if j + 1 == count:
            break
        vector = _orthogonal(vector, basis[: j + 1])
        jacobi[j + 1, j] = jacobi[j, j + 1] = np.linalg.norm(vector)
        basis[j + 1] = vector / jacobi[j + 1, j]
    places, vectors = np.linalg.eigh(jacobi)
    return np.asarray(centre + half * places), np.asarray(weights.sum() * vectors[0] ** 2)
