"""Eigenvalues and singular values against 60-digit arithmetic; their error bounds must hold."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import scipy.linalg
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.decompositions import eigh, gram_eigh


def true_eigenvalues(matrix: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(60):
        return sorted(mpmath.eigsy(mpmath.matrix(matrix.tolist()), eigvals_only=True))


def true_singular_values(matrix: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(60):
        return sorted(mpmath.svd_r(mpmath.matrix(matrix.tolist()), compute_uv=False))


def rotated(values: list[float], seed: int = 0) -> np.ndarray:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    matrix = (turn * values) @ turn.T
    return (matrix + matrix.T) / 2


MATRICES = {
    "random": rotated([0.1, 1.0, 2.0, 50.0]),
    "graded": rotated([1e-12, 1e-6, 1.0, 1e3]),
    "repeated": rotated([2.0, 2.0, 2.0, 5.0, 5.0]),
    "indefinite": rotated([-3.0, -1e-8, 0.5, 7.0]),
    "singular": np.ones((4, 4)),
    "negative": -np.eye(3),
    "one": np.array([[3.5]]),
    "zero": np.zeros((2, 2)),
    "hilbert": scipy.linalg.hilbert(8),
    "huge": rotated([1.0, 3.0]) * 1e300,
    "tiny": rotated([1.0, 3.0]) * 1e-300,
}


@each("name", MATRICES)
def test_eigenvalues_lie_within_their_bounds(name):
    matrix = MATRICES[name]
    parts = eigh(matrix)
    truth = true_eigenvalues(matrix)
    assert np.all(np.diff(parts.eigenvalues) >= 0)
    largest = max(abs(value) for value in truth)
    for value, error, exact in zip(parts.eigenvalues, parts.errors, truth, strict=True):
        assert abs(mpmath.mpf(float(value)) - exact) <= error
        assert error <= 1e-14 * largest * len(matrix)  # a bound that says something
    residual = matrix @ parts.eigenvectors - parts.eigenvectors * parts.eigenvalues
    assert np.abs(residual).max() <= 1e-14 * float(largest)
    vectors = parts.eigenvectors
    assert vectors.T @ vectors == pytest.approx(np.eye(len(matrix)), abs=1e-14)


def test_small_matrices_have_all_their_digits():
    """Rayleigh quotients in double-double: errors are those of one rounding, not of LAPACK."""
    matrix = rotated([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    with mpmath.workdps(60):
        for value, exact in zip(eigh(matrix).eigenvalues, true_eigenvalues(matrix), strict=True):
            assert abs(mpmath.mpf(float(value)) - exact) <= 2 * mpmath.mpf(2) ** -53 * abs(exact)


@pytest.mark.parametrize("size", [65, 513])
def test_larger_matrices_refine_ends_or_nothing(size):
    values = np.linspace(1.0, 10.0, size)
    parts = eigh(rotated(list(values)))
    assert np.all(np.abs(parts.eigenvalues - values) <= parts.errors)


def test_overflow_of_eigenvalues_is_refused_with_a_remedy():
    with pytest.raises(InputError, match="divide A and b by a common constant"):
        eigh(np.full((2, 2), 1.5e308))


# -- Gram matrices ---------------------------------------------------------------------------

FACTORS = {
    "tall": np.random.default_rng(1).normal(size=(9, 3)),
    "very tall": np.random.default_rng(2).normal(size=(40, 4)),
    "wide": np.random.default_rng(3).normal(size=(2, 4)),
    "square": np.random.default_rng(4).normal(size=(4, 4)),
    "scaled columns": np.random.default_rng(5).normal(size=(6, 3)) * [1e-9, 1.0, 1e9],
    "collinear": np.vander([1.0, 1.0001, 1.0002, 1.0003], 3),
    "rank one": np.outer([1.0, 2.0, 3.0], [1.0, 2.0]),
    "zero column": np.array([[1.0, 0.0], [2.0, 0.0]]),
    "one": np.array([[2.0]]),
    "zero": np.zeros((3, 2)),
    "huge": np.random.default_rng(6).normal(size=(5, 2)) * 1e150,
    "tiny": np.random.default_rng(7).normal(size=(5, 2)) * 1e-140,
}


@each("name", FACTORS)
def test_singular_values_lie_within_their_bounds(name):
    factor = FACTORS[name]
    parts = gram_eigh(factor)
    columns = factor.shape[1]
    truth = [mpmath.mpf(0)] * (columns - min(factor.shape)) + true_singular_values(factor)
    for j in range(columns):
        singular, eigen = (float(x[j]) for x in (parts.singular_values, parts.eigenvalues))
        assert abs(mpmath.mpf(singular) - truth[j]) <= parts.singular_errors[j]
        assert abs(mpmath.mpf(eigen) - truth[j] ** 2) <= parts.errors[j]
    vectors = parts.eigenvectors
    assert vectors.T @ vectors == pytest.approx(np.eye(columns), abs=1e-13)
    images = np.linalg.norm(factor @ vectors, axis=0)
    assert images == pytest.approx(parts.singular_values, abs=1e-13 * max(1e-300, images.max()))


def test_columns_of_different_scale_keep_relative_accuracy():
    """The one-sided Jacobi SVD: raw data lose nothing by their units."""
    factor = FACTORS["scaled columns"]
    parts = gram_eigh(factor)
    assert "Jacobi" in parts.method
    for found, exact in zip(parts.singular_values, true_singular_values(factor), strict=True):
        assert float(abs(mpmath.mpf(float(found)) / exact - 1)) < 1e-14
    plain = np.linalg.svd(factor, compute_uv=False)[::-1]
    assert abs(plain[0] / float(true_singular_values(factor)[0]) - 1) > 1e-12


def test_the_gram_matrix_is_never_formed():
    """κ(X) = 1e10: XᵀX in float64 has a negative or meaningless smallest eigenvalue."""
    turn, _ = np.linalg.qr(np.random.default_rng(8).normal(size=(30, 3)))
    other, _ = np.linalg.qr(np.random.default_rng(9).normal(size=(3, 3)))
    factor = (turn * [1e-10, 1e-3, 1.0]) @ other.T
    truth = float(true_singular_values(factor)[0]) ** 2
    assert gram_eigh(factor).eigenvalues[0] == pytest.approx(truth, rel=1e-4, abs=0)
    assert np.linalg.eigvalsh(factor.T @ factor)[0] != pytest.approx(truth, rel=1e-1, abs=0)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_a_hessian_out_of_range_is_refused(scale):
    with pytest.raises(InputError, match="leaves the range of float64"):
        gram_eigh(np.ones((3, 1)) * scale)


def test_many_columns_use_the_plain_svd():
    rng = np.random.default_rng(10)
    turn, _ = np.linalg.qr(rng.normal(size=(405, 405)))
    values = np.linspace(1.0, 3.0, 405)
    parts = gram_eigh(values[:, None] * turn)
    assert "gesdd" in parts.method
    assert np.all(np.abs(parts.singular_values - values) <= parts.singular_errors + 1e-15)
