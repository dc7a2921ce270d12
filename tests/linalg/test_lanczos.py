"""Both ends from products alone, against spectra known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from convex_analyzer.errors import SpectrumError
from convex_analyzer.linalg.lanczos import extreme_eigenvalues
from convex_analyzer.linalg.operators import DiagonalOperator, SparseOperator, SymmetricOperator


def laplacian(size: int) -> SparseOperator:
    off = -np.ones(size - 1)
    return SparseOperator(
        scipy.sparse.diags_array([off, 2 * np.ones(size), off], offsets=[-1, 0, 1])
    )


def laplacian_end(size: int, index: int) -> float:
    return 4 * np.sin(index * np.pi / (2 * (size + 1))) ** 2


@pytest.mark.parametrize("size", [2, 39, 41, 300])
def test_each_end_lies_within_its_bound(size):
    found = extreme_eigenvalues(laplacian(size), 1e-10, seed=0)
    low, high = laplacian_end(size, 1), laplacian_end(size, size)
    assert abs(found.smallest - low) <= found.smallest_error
    assert abs(found.largest - high) <= found.largest_error
    assert found.largest_error <= 1e-9 * high


def test_the_tolerance_and_the_seed_decide_the_work():
    operator = DiagonalOperator(np.linspace(1.0, 1000.0, 3000))
    rough, fine = (extreme_eigenvalues(operator, tol, seed=1) for tol in (1e-2, 1e-10))
    assert rough.steps < fine.steps
    assert fine.smallest_error < rough.smallest_error
    assert extreme_eigenvalues(operator, 1e-2, seed=1) == rough
    other = extreme_eigenvalues(operator, 1e-2, seed=2)
    assert other != rough
    assert abs(other.largest - 1000.0) <= other.largest_error


def test_indefinite_and_repeated_eigenvalues():
    found = extreme_eigenvalues(DiagonalOperator(np.repeat([-2.0, 1.0, 5.0], 50)), 1e-10, seed=0)
    assert found.smallest == pytest.approx(-2.0, abs=1e-12)
    assert found.largest == pytest.approx(5.0, abs=1e-12)
    assert found.steps <= 5  # as many steps as there are different eigenvalues, and rounding


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_multiple_of_the_identity_is_exhausted_at_once(value):
    found = extreme_eigenvalues(DiagonalOperator(np.full(10, value)), 1e-10, seed=0)
    assert found.steps == 1
    assert found.smallest == pytest.approx(value, abs=1e-14)


def test_hard_spectra_stop_with_an_honest_bound():
    """κ = 1e14: the small end cannot be resolved, and the bound says so."""
    values = np.geomspace(1e-14, 1.0, 2000)
    found = extreme_eigenvalues(DiagonalOperator(values), 1e-10, seed=0)
    assert abs(found.smallest - 1e-14) <= found.smallest_error
    assert found.smallest_error > 1e-16


def test_products_that_are_not_finite_are_an_error():
    class Broken(SymmetricOperator):
        dimension = 5

        def multiply(self, vectors):
            return vectors * np.nan

    with pytest.raises(SpectrumError, match="not finite"):
        extreme_eigenvalues(Broken(), 1e-10, seed=0)
