"""How many steps conjugate gradients take from a given start, in exact arithmetic."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["conjugate_gradient_steps"]

Array = npt.NDArray[np.float64]

_MULTIPLE = 80  # directions up to which the recurrence is run with many digits
_KEPT = 20_000_000  # entries of a basis that fit into memory
_AFFORDABLE = 500_000_000  # steps times directions of a plain run


def conjugate_gradient_steps(eigenvalues: Array, errors: Array, tolerance: float) -> int | None:
    """Return the first step at which the gap is at most `tolerance` times the first.

    After k steps the gap is the least Σ λ e² p(λ)² over polynomials of degree k with p(0) = 1
    (Hestenes & Stiefel 1952). Run in float64, the method loses conjugacy once κ is large and needs
    more; these are the steps that it needs without rounding.

    Parameters
    ----------
    eigenvalues
        Non-negative, shape (n,).
    errors
        θ₀ - θ* along the eigenvectors, shape (n,); flat directions do not count.
    tolerance
        In (0, 1).

    Returns
    -------
    int or None
        Where the basis that exact arithmetic takes the place of would not fit into memory: the
        steps of a plain run in float64. None when that would take too long as well.

    Examples
    --------
    >>> conjugate_gradient_steps(np.array([1.0, 2.0, 2.0, 7.0]), np.ones(4), 1e-12)
    3
    """
    with np.errstate(over="ignore", invalid="ignore"):
        weights = eigenvalues * errors * errors
    kept = (eigenvalues > 0) & (errors != 0) & np.isfinite(weights)
    if not kept.any():
        return 0
    values, parts = eigenvalues[kept], errors[kept]
    if len(values) <= _MULTIPLE:
        return _with_many_digits(values, parts, tolerance)
    return _by_projection(values, parts, tolerance)


def _with_many_digits(values: Array, parts: Array, tolerance: float) -> int:
    from mpmath import mp, mpf

    digits = 60 + 4 * len(values) + int(2 * math.log10(float(values.max() / values.min())))
    with mp.workdps(digits):
        curvature = [mpf(float(v)) for v in values]
        error = [mpf(float(e)) for e in parts]
        residual = [-v * e for v, e in zip(curvature, error, strict=True)]
        direction = list(residual)
        size = _dot(residual, residual)
        first = gap = _dot(residual, [-e for e in error])
        steps = 0
        while gap > tolerance * first and steps < len(values):
            image = [v * p for v, p in zip(curvature, direction, strict=True)]
            length = size / _dot(direction, image)
            error = [e + length * p for e, p in zip(error, direction, strict=True)]
            residual = [r - length * i for r, i in zip(residual, image, strict=True)]
            before, size = size, _dot(residual, residual)
            direction = [
                r + size / before * p for r, p in zip(residual, direction, strict=True)
            ]  # fmt: skip
            gap = _dot(residual, [-e for e in error])
            steps += 1
        return steps


def _dot(a: list[Any], b: list[Any]) -> Any:
    from mpmath import mp

    return mp.fdot(a, b)


def _by_projection(values: Array, parts: Array, tolerance: float) -> int | None:
    """Project y = Λ^½ e step by step off span(Λy, Λ²y, ...), orthogonalised twice."""
    y = np.sqrt(values) * parts
    y /= np.linalg.norm(y)
    rest = y.copy()
    most = min(len(values), _KEPT // len(values))
    basis = np.zeros((0, len(values)))
    vector = values * y
    for steps in range(1, most + 1):
        for _ in range(2):
            vector = vector - basis.T @ (basis @ vector)
        size = np.linalg.norm(vector)
        if not size > 0:
            return steps - 1
        vector = vector / size
        basis = np.vstack([basis, vector])
        rest -= vector * (vector @ rest)
        if float(rest @ rest) <= tolerance:
            return steps
        vector = values * vector
    return len(values) if most == len(values) else _plain(values, parts, tolerance)


def _plain(values: Array, parts: Array, tolerance: float) -> int | None:
    error = parts.copy()
    residual = -values * error
    direction, size = residual, float(residual @ residual)
    first = float(values @ error**2)
    for steps in range(1, _AFFORDABLE // len(values)):
        image = values * direction
        length = size / float(direction @ image)
        error = error + length * direction
        if float(values @ error**2) <= tolerance * first:
            return steps
        residual = residual - length * image
        before, size = size, float(residual @ residual)
        direction = residual + size / before * direction
    return None
