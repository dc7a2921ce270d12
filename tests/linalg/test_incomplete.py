"""Incomplete Cholesky factors against dense ones, the pattern rule, and known breakdowns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.incomplete import incomplete_cholesky
from convex_analyzer.problems import gallery


def test_it_is_the_whole_factor_where_nothing_fills_in():
    generator = np.random.default_rng(0)
    off = generator.normal(size=29)
    A = np.diag(5 + generator.random(30)) + np.diag(off, 1) + np.diag(off, -1)
    found = incomplete_cholesky(csr_array(A))
    assert found.lower.toarray() == pytest.approx(np.linalg.cholesky(A))
    assert found.breakdown is None
    root = generator.normal(size=(9, 6))
    full = root.T @ root
    assert incomplete_cholesky(csr_array(full)).lower.toarray() == pytest.approx(
        np.linalg.cholesky(full)
    )


def test_it_agrees_with_the_matrix_on_its_pattern():
    """L Lᵀ equals A wherever A is not zero: what defines IC(0) for an M-matrix."""
    A = gallery.laplacian_2d(7).operator.to_dense()
    lower = incomplete_cholesky(csr_array(A)).lower.toarray()
    product = lower @ lower.T
    assert product[A != 0] == pytest.approx(A[A != 0])
    assert np.abs(product[A == 0]).max() > 0.01
    assert np.all((lower != 0) <= (np.tril(A) != 0))


def test_breakdown_is_said_and_a_shift_mends_it():
    """Kershaw's matrix (1978): positive definite, but IC(0) meets a negative pivot."""
    A = np.array([[3.0, -2, 0, 2], [-2, 3, -2, 0], [0, -2, 3, -2], [2, 0, -2, 3]])
    assert np.linalg.eigvalsh(A)[0] > 0
    found = incomplete_cholesky(csr_array(A))
    assert (found.lower, found.row) == (None, 3)
    assert found.pivot == pytest.approx(-5 / 3)
    assert "breaks down in row 3" in found.breakdown
    assert incomplete_cholesky(csr_array(A), 0.5).breakdown is None
    with pytest.raises(InputError, match="shift"):
        incomplete_cholesky(csr_array(A), -1.0)
