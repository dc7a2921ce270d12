"""From a problem to its `Spectrum`."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.linalg.lanczos import Extremes, extreme_eigenvalues
from convex_analyzer.linalg.operators import DiagonalOperator
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.certified import certify
from convex_analyzer.spectra.exact import ZERO, exact_eigenvalues
from convex_analyzer.spectra.narrow import narrow
from convex_analyzer.spectra.spectrum import Bracket, DataConditioning, Spectrum

__all__ = ["spectrum"]

Array = npt.NDArray[np.float64]

METHODS = ("auto", "banded", "certified", "dense", "exact", "lanczos")
_EXACT_LIMIT = 12  # largest SymPy matrix whose characteristic polynomial is solved exactly
_BUT_FOR = "brackets fail for one seed in 10⁶ at most"
_GAP = 1e3  # a zero eigenvalue is believed when the next one is this many tolerances away


def spectrum(
    problem: Quadratic | Any,
    method: str = "auto",
    tolerance: float = 1e-10,
    seed: int | None = None,
) -> Spectrum:
    """Return the spectrum of a problem's Hessian, with brackets of its ends.

    Parameters
    ----------
    problem
        A `Quadratic`, or anything that `Quadratic` accepts as A.
    method
        ``"auto"`` chooses: exact for a SymPy matrix up to 12 x 12; the closed form for a diagonal
        one; the SVD of X for data; dense ``eigh`` up to d = 4000 (sparse: 2000); beyond, for both
        ends, factorisations of a narrow band where a sparse matrix that is positive definite has
        one (in its order or a better one), else Lanczos. Or name one of ``"exact"``, ``"dense"``,
        ``"banded"``, ``"lanczos"``; or ``"certified"``, the same with brackets that are proved for
        the matrix as given (see `certify`).
    tolerance
        For Lanczos: relative error of both ends that is aimed at. Their brackets, which do not
        trust the start, reach about its square root. For a band: relative width of the brackets.
    seed
        For Lanczos: seed of the starting vector (default 0, so that results repeat).

    Raises
    ------
    InputError
        Unknown method, a method that does not fit the problem, a tolerance or seed out of range.
    SpectrumError
        A product that is not finite, or no proof; carries the spectrum found until then.

    Examples
    --------
    >>> spectrum([[2.0, 1.0], [1.0, 2.0]]).eigenvalues
    array([1., 3.])
    """
    if not isinstance(problem, Quadratic):
        problem = Quadratic(problem)
    if method not in METHODS:
        raise InputError(
            f"method must be one of {', '.join(METHODS)}, got {method!r}", argument="method"
        )
    _check_arguments(tolerance, seed)
    if method == "exact" and problem.exact is None:
        raise InputError("method 'exact' needs a SymPy matrix", argument="method")
    if method == "auto":
        method = _choose(problem)
    tunable = method in {"lanczos", "certified", "large", "banded"}
    key = (method, tolerance, seed or 0) if tunable else (method,)
    if key not in problem.spectra:  # once per problem: Lanczos may take minutes
        problem.spectra[key] = _compute(problem, method, tolerance, seed or 0)
    found: Spectrum = problem.spectra[key]
    return found


def _check_arguments(tolerance: Any, seed: Any) -> None:
    if not 0 < tolerance < 1:
        raise InputError(
            f"tolerance must lie between 0 and 1, got {tolerance!r}", argument="tolerance"
        )
    if seed is not None and not (isinstance(seed, (int, np.integer)) and 0 <= seed < 2**64):
        raise InputError(f"seed must be a whole number from 0, got {seed!r}", argument="seed")


def _compute(problem: Quadratic, method: str, tolerance: float, seed: int) -> Spectrum:
    if method == "exact":
        return _exact(problem)
    if method in {"banded", "large"}:
        banded = narrow(problem, tolerance, seed)
        if banded is None and method == "banded":
            raise InputError(
                "method 'banded' needs a positive definite scipy.sparse matrix with a narrow band",
                argument="method",
                hint="'auto' takes Lanczos instead",
            )
        return banded or spectrum(problem, "lanczos", tolerance, seed)
    if method == "lanczos":
        return _iterative(problem, tolerance, seed)
    if method == "certified":
        return certify(problem, lambda: spectrum(problem, "auto", tolerance, seed))
    return _dense(problem)


def _choose(problem: Quadratic) -> str:
    if problem.exact is not None and problem.dimension <= _EXACT_LIMIT:
        return "exact"
    if problem.operator.kind == "diagonal" or problem.operator.can_decompose:
        return "dense"
    return "large"


def _dense(problem: Quadratic) -> Spectrum:
    operator = problem.operator
    if isinstance(operator, DiagonalOperator) and not operator.can_decompose:
        return Spectrum.from_eigenvalues(operator.diagonal, problem.linear, name=problem.name)
    parts = problem.decomposition
    values, errors = parts.eigenvalues.copy(), parts.errors
    zero = problem.is_zero_mode
    exact = problem.operator.kind == "diagonal"
    tolerance = 0.0 if exact else problem.zero_tolerance
    if parts.singular_errors is not None:
        tolerance = float(np.max(parts.singular_errors[zero], initial=0.0)) ** 2
    kept = np.abs(values[~zero])
    resolved = exact or not zero.any() or not kept.size or kept.min() > _GAP * tolerance
    if resolved and zero.any() and problem.operator.kind in {"dense", "sparse"}:
        resolved = not _is_graded(problem.operator.to_dense())
    if not exact:
        values[zero] = 0.0
    data = None if parts.singular_values is None else _conditioning(parts, zero)
    return Spectrum(
        eigenvalues=values,
        lambda_min_bracket=_around(parts.eigenvalues[0], errors[0], problem),
        lambda_max_bracket=_around(parts.eigenvalues[-1], errors[-1], problem),
        eigenvectors=parts.eigenvectors,
        linear=parts.eigenvectors.T @ problem.linear,
        method=parts.method,
        kind="exact" if exact else "bracketed",
        zero_tolerance=tolerance,
        resolved=bool(resolved),
        data=data,
        dimension=problem.dimension,
        name=problem.name,
    )


def _is_graded(matrix: Array) -> bool:
    """Tell whether a matrix with zeros among its eigenvalues is positive definite all the same.

    Scaled to a unit diagonal it has as many positive eigenvalues (Sylvester's law of inertia), but
    its small ones no longer hide behind large entries: diag(1, 1e-20) is not singular.
    """
    with np.errstate(all="ignore"):
        root = np.sqrt(matrix.diagonal())
        scaled = matrix / root / root[:, None]
    if not np.isfinite(scaled).all():
        return False
    limit = len(matrix) ** 2 * float(np.finfo(float).eps)
    return bool(np.linalg.eigvalsh(scaled)[0] > _GAP * limit)


def _around(value: float, error: float, problem: Quadratic) -> Bracket:
    low = float(value - error)
    if problem.operator.kind == "data":  # a Gram matrix has no negative eigenvalues
        low = max(low, 0.0)
    return Bracket(low, float(value + error))


def _conditioning(parts: Any, zero: npt.NDArray[np.bool_]) -> DataConditioning | None:
    values, errors = parts.singular_values[~zero], parts.singular_errors[~zero]
    if not values.size:
        return None
    kappa = float(values[-1] / values[0])
    low = float((values[-1] - errors[-1]) / (values[0] + errors[0]))
    below = float(values[0] - errors[0])
    high = float(values[-1] + errors[-1]) / below if below > 0 else math.inf
    eps = float(np.finfo(float).eps)
    return DataConditioning(kappa, Bracket(low, high), kappa**2, kappa**2 * eps > 1)


def _exact(problem: Quadratic) -> Spectrum:
    exact, values, kind, method = exact_eigenvalues(problem.exact)
    parts = problem.decomposition
    width = 0.0 if kind == "exact" else 1e-15
    tolerance = 0.0 if kind == "exact" else ZERO * float(np.max(np.abs(values)))
    return Spectrum(
        eigenvalues=values,
        lambda_min_bracket=_rounded(float(values[0]), exact and exact[0], width, tolerance),
        lambda_max_bracket=_rounded(float(values[-1]), exact and exact[-1], width, tolerance),
        eigenvectors=parts.eigenvectors,
        linear=parts.eigenvectors.T @ problem.linear,
        method=method,
        kind=kind,
        zero_tolerance=tolerance,
        exact_eigenvalues=exact,
        dimension=problem.dimension,
        name=problem.name,
    )


def _rounded(value: float, exact: Any, width: float, tolerance: float) -> Bracket:
    """Return what holds a number of which `value` is the nearest float64, but for a width."""
    if exact is not None and exact.is_Rational and exact == Fraction(value):
        return Bracket(value, value)
    half = max(width * abs(value), tolerance)
    low, high = value - half, value + half
    return Bracket(math.nextafter(low, -math.inf), math.nextafter(high, math.inf))


def _iterative(problem: Quadratic, tolerance: float, seed: int) -> Spectrum:
    try:
        return _from_extremes(problem, extreme_eigenvalues(problem.operator, tolerance, seed))
    except SpectrumError as error:
        if not isinstance(error.partial, Extremes):
            raise
        partial = _from_extremes(problem, error.partial)
        raise SpectrumError(str(error), partial=partial) from None


def _from_extremes(problem: Quadratic, found: Extremes) -> Spectrum:
    margin, smallest = found.rounding, found.smallest
    low = Bracket(found.lowest - margin, smallest + margin)
    top = problem.operator.norm_bound()
    highest = found.highest + margin
    highest = highest if top is None else max(min(highest, top), found.largest)
    values, zero_tolerance, resolved = [smallest, found.largest], 0.0, True
    second = None
    if low.low <= 0 <= smallest + margin and found.largest > margin:
        values[0] = 0.0
        zero_tolerance, resolved = max(smallest + margin, margin), False
        if found.second is not None and (found.second_low or 0.0) > 0:
            values.insert(1, found.second)
            second = Bracket((found.second_low or 0.0) - margin, found.second + margin)
            resolved = True
    elif found.near_zero is not None:
        zero_tolerance, resolved = found.near_zero + margin, False
    return Spectrum(
        eigenvalues=np.array(values),
        lambda_min_bracket=low,
        lambda_max_bracket=Bracket(found.largest - margin, highest),
        linear=None,
        method=f"Lanczos, {found.steps:,} products; {_BUT_FOR}",
        kind="numerical",
        zero_tolerance=zero_tolerance,
        is_interval=True,
        resolved=resolved,
        second_bracket=second,
        dimension=problem.dimension,
        name=problem.name,
    )
