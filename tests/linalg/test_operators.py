"""Five ways to store a symmetric matrix, one behaviour."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.linalg import operators
from convex_analyzer.linalg.operators import (
    DenseOperator,
    DiagonalOperator,
    GramOperator,
    LinearMap,
    SparseOperator,
    SymmetricOperator,
)
from convex_analyzer.linalg.solve import solve_large

RNG = np.random.default_rng(0)
FACTOR = RNG.normal(size=(7, 4))
MATRIX = FACTOR.T @ FACTOR
DIAGONAL = np.array([3.0, -1.0, 0.5, 2.0])

KINDS = {
    "dense": (DenseOperator(MATRIX), MATRIX),
    "diagonal": (DiagonalOperator(DIAGONAL), np.diag(DIAGONAL)),
    "sparse": (SparseOperator(scipy.sparse.csr_array(MATRIX)), MATRIX),
    "data": (GramOperator(FACTOR), MATRIX),
    "operator": (LinearMap(scipy.sparse.linalg.aslinearoperator(MATRIX)), MATRIX),
}


@each("kind", KINDS)
def test_products_decomposition_and_bounds(kind):
    operator, matrix = KINDS[kind]
    assert operator.kind == kind
    assert operator.dimension == 4
    for shape in ((4,), (4, 3), (4, 1)):
        vectors = RNG.normal(size=shape)
        assert operator.multiply(vectors) == pytest.approx(matrix @ vectors, rel=1e-12, abs=1e-12)
    assert operator.to_dense() == pytest.approx(matrix, rel=1e-12, abs=1e-12)
    assert operator.can_decompose
    parts = operator.decompose()
    truth = np.linalg.eigvalsh(matrix)
    assert np.all(np.abs(parts.eigenvalues - truth) <= parts.errors + 1e-13)
    rebuilt = (parts.eigenvectors * parts.eigenvalues) @ parts.eigenvectors.T
    assert rebuilt == pytest.approx(matrix, rel=1e-12, abs=1e-12)
    bound = operator.norm_bound()
    assert bound is None or bound >= np.abs(truth).max() * (1 - 1e-12)


def test_a_bare_operator_has_no_cheap_bound():
    assert SymmetricOperator().norm_bound() is None
    assert not SymmetricOperator().can_decompose
    with pytest.raises(NotImplementedError):
        SymmetricOperator().multiply(np.ones(2))


def test_diagonals_are_exact_and_sorted():
    parts = DiagonalOperator(DIAGONAL).decompose()
    assert parts.eigenvalues.tolist() == sorted(DIAGONAL)
    assert not parts.errors.any()
    assert set(np.unique(parts.eigenvectors)) == {0.0, 1.0}


def test_size_limits(monkeypatch):
    for name in ("DENSE_LIMIT", "SPARSE_LIMIT", "VECTORS_LIMIT"):
        monkeypatch.setattr(operators, name, 3)
    assert not any(operator.can_decompose for operator, _ in KINDS.values())


def test_a_linear_operator_that_returns_another_shape_is_refused():
    wrong = scipy.sparse.linalg.LinearOperator(
        (4, 4), matvec=lambda v: v, matmat=lambda v: v[:, :1]
    )
    with pytest.raises(InputError, match=r"returned shape \(4, 1\) for \(4, 3\)"):
        LinearMap(wrong).multiply(np.ones((4, 3)))


# -- solving without a decomposition -----------------------------------------------------------


@each("kind", KINDS)
def test_systems(kind):
    operator, matrix = KINDS[kind]
    right = RNG.normal(size=4)
    solution, why = operator.solve(right)
    assert why is None
    assert solution == pytest.approx(np.linalg.solve(matrix, right), rel=1e-6)
    solution, why = operator.solve(np.zeros(4))
    assert solution.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert why is None


@pytest.mark.parametrize("store", [DiagonalOperator, lambda v: DenseOperator(np.diag(v))])
def test_consistent_singular_systems_give_the_least_norm_solution(store):
    values = np.array([0.0, 1.0, 2.0, 0.0, 3.0])
    solution, why = store(values).solve(values * 2.0)
    assert why is None
    assert solution == pytest.approx([0.0, 2.0, 2.0, 0.0, 2.0], abs=1e-9)


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (DiagonalOperator, "flat direction"),
        (lambda v: DenseOperator(np.diag(v)), "outside its range"),
    ],
)
def test_a_right_side_out_of_range_is_explained(store, words):
    solution, why = store(np.array([0.0, 1.0, 2.0])).solve(np.array([1.0, 1.0, 1.0]))
    assert solution is None
    assert words in why


def test_large_systems_need_products_only():
    size = 500
    values = np.linspace(1.0, 30.0, size)
    solution, why = solve_large(lambda v: values * v, np.ones(size))
    assert why is None
    assert solution == pytest.approx(1 / values, rel=1e-8)
