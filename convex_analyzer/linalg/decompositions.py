"""Eigenvalues and singular values, each with an absolute error bound.

The bounds are those of the backward error analysis of LAPACK (Anderson et al., LAPACK Users' Guide,
sections 4.7-4.9) plus measured residuals; the one-sided Jacobi SVD keeps *relative* accuracy when
columns merely differ in scale (Demmel & Veselic 1992), which is the usual fault of raw data.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.accurate import matmul, total
from convex_analyzer.precise import DoubleDouble

__all__ = ["Decomposition", "eigh", "gram_eigh"]

Array = npt.NDArray[np.float64]

SMALLEST = 1e-305  # of the largest eigenvalue
EPSILON = float(np.finfo(float).eps)
_REFINE_ALL, _REFINE_ENDS = 64, 512  # sizes up to which double-double residuals cost nothing
_JACOBI = 400  # columns up to which the one-sided Jacobi SVD is fast enough


@dataclass(frozen=True)
class Decomposition:
    """Eigenvalues in ascending order, with vectors and error bounds.

    Attributes
    ----------
    eigenvalues
        Shape (d,).
    eigenvectors
        Columns, shape (d, d).
    errors
        Absolute error bound of each eigenvalue, shape (d,).
    method
        How it was computed, in words.
    singular_values
        Of the data matrix, ascending, when the matrix is a Gram matrix.
    singular_errors
        Their absolute error bounds.
    """

    eigenvalues: Array
    eigenvectors: Array
    errors: Array
    method: str
    singular_values: Array | None = None
    singular_errors: Array | None = None


def _scale_of(matrix: Array) -> float:
    """Return a power of two near the largest entry, so that scaling is exact."""
    largest = float(np.max(np.abs(matrix), initial=0.0))
    return float(2.0 ** (np.frexp(largest)[1] - 1)) if largest > 0 else 1.0


def eigh(matrix: Array) -> Decomposition:
    """Decompose a symmetric matrix of shape (d, d).

    Raises
    ------
    InputError
        The eigenvalues overflow float64.
    """
    scale = _scale_of(matrix)
    if 1e-100 < scale < 1e100:  # an ordinary matrix need not be copied
        scale = 1.0
    scaled = matrix / scale if scale != 1.0 else matrix
    values, vectors = np.linalg.eigh(scaled)
    size = len(values)
    refined = _which_to_refine(size)
    residual = np.zeros(size)
    if refined:
        values[refined], residual[refined] = _rayleigh(scaled, vectors[:, refined])
    rounding = 4 * np.sqrt(size) * EPSILON * float(np.max(np.abs(values), initial=0.0))
    order = np.argsort(values, kind="stable")
    errors = (np.maximum(residual, 0.0) + rounding)[order]
    with np.errstate(over="ignore"):
        result = values[order] * scale
    if not np.all(np.isfinite(result)):
        raise InputError(
            "A: its eigenvalues exceed the range of float64 (1.8e308)",
            argument="A",
            hint="divide A and b by a common constant; it only rescales the learning rate",
        )
    if 0 < np.max(np.abs(result)) < SMALLEST:
        raise InputError(
            f"A: its eigenvalues are below {SMALLEST:g}, where float64 has no reciprocals",
            argument="A",
            hint="multiply A and b by a common constant; it only rescales the learning rate",
        )
    with np.errstate(over="ignore", under="ignore"):
        if np.any(order != np.arange(size)):  # refining may swap eigenvalues that nearly agree
            vectors = vectors[:, order]
        return Decomposition(result, vectors, errors * scale, "dense eigh (LAPACK)")


def _which_to_refine(size: int) -> list[int]:
    if size <= _REFINE_ALL:
        return list(range(size))
    return [0, size - 1] if size <= _REFINE_ENDS else []


def _rayleigh(matrix: Array, vectors: Array) -> tuple[Array, Array]:
    """Return Rayleigh quotients and norms of residuals of columns (d, k), free of cancellation.

    A quotient's error is quadratic in that of the vector, so that this gives all digits.
    """
    image, v = matmul(matrix, vectors), DoubleDouble(vectors)
    quotient = total(image * v) / total(v * v)
    residual = (image - v * quotient).to_float()
    return quotient.to_float(), np.array([np.linalg.norm(column) for column in residual.T])


def gram_eigh(factor: Array) -> Decomposition:
    """Decompose ``factor.T @ factor`` through the SVD of the factor, shape (n, d).

    The Gram matrix is never formed: its float64 eigenvalues would lose all digits once the
    condition number of the factor exceeds 1e8.

    Raises
    ------
    InputError
        The eigenvalues overflow or underflow float64.
    """
    scale = _scale_of(factor)
    scaled = factor / scale
    rows, columns = scaled.shape
    if rows < columns:  # the Jacobi SVD wants at least as many rows as columns
        scaled = np.vstack([scaled, np.zeros((columns - rows, columns))])
    singular, vectors, relative, method = _svd(scaled)
    absolute = 4 * np.sqrt(columns) * EPSILON * float(singular[-1] if columns else 0.0)
    errors = (
        np.minimum(relative * singular, absolute) if relative < 0.1 else np.full(columns, absolute)
    )
    with np.errstate(over="ignore", under="ignore"):
        singular, errors = singular * scale, errors * scale
        values = singular * singular
        value_errors = errors * (2 * singular + errors)
    if not np.all(np.isfinite(values)) or (columns and singular[-1] > 0 and values[-1] == 0):
        raise InputError(
            "X: its scale is so large or small that the Hessian leaves the range of float64",
            argument="X",
            hint="divide the columns by a common constant first",
        )
    return Decomposition(values, vectors, value_errors, method, singular, errors)


def _svd(matrix: Array) -> tuple[Array, Array, float, str]:
    """Return singular values (ascending), right vectors, relative error bound and method."""
    rows, columns = matrix.shape
    norms = np.linalg.norm(matrix, axis=0)
    if 0 < columns <= _JACOBI and np.all(norms > 0):
        from scipy.linalg import lapack

        if rows > 2 * columns:
            matrix = np.asarray(np.linalg.qr(matrix, mode="r"))
        result = lapack.dgejsv(matrix, joba=2, jobu=3, jobv=0, jobr=0, jobt=0, jobp=0)
        values, vectors, work, info = result[0], result[2], result[3], result[-1]
        if info == 0 and work[1] > 0:
            values = values * (work[0] / work[1])
            spread = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=0), compute_uv=False)
            condition = spread[0] / spread[-1] if spread[-1] > 0 else np.inf
            relative = float(8 * columns * EPSILON * condition)
            order = np.argsort(values, kind="stable")
            return (
                values[order],
                vectors[:, order],
                relative,
                "one-sided Jacobi SVD of X (LAPACK gejsv)",
            )
    _, values, transposed = np.linalg.svd(matrix, full_matrices=False)
    vectors = np.ascontiguousarray(transposed[::-1].T)
    return values[::-1].copy(), vectors, np.inf, "SVD of X (LAPACK gesdd)"
