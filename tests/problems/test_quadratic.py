"""Quadratics from every kind of matrix: value, gradient, minimum, and why there is none."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convex_analyzer.errors import InputError, NotSymmetricError
from convex_analyzer.problems.quadratic import Quadratic

A = np.array([[3.0, 1.0, 0.0], [1.0, 2.0, -0.5], [0.0, -0.5, 4.0]])
B = np.array([1.0, -2.0, 0.5])
EXACT = sympy.Matrix([[3, 1, 0], [1, 2, sympy.Rational(-1, 2)], [0, sympy.Rational(-1, 2), 4]])

WAYS = {
    "dense": A,
    "list": A.tolist(),
    "sparse": scipy.sparse.csr_array(A),
    "sparse matrix": scipy.sparse.coo_matrix(A),
    "operator": scipy.sparse.linalg.aslinearoperator(A),
    "sympy": EXACT,
}


def by_hand(theta: np.ndarray) -> float:
    """Return ½ θᵀAθ + bᵀθ + c, entry by entry."""
    quadratic = sum(A[i, j] * theta[i] * theta[j] for i in range(3) for j in range(3))
    return 0.5 * quadratic + sum(B[i] * theta[i] for i in range(3)) + 7.0


@each("way", WAYS)
def test_every_kind_of_matrix_is_the_same_problem(way):
    problem = Quadratic(WAYS[way], B, 7.0)
    theta = np.array([0.3, -1.2, 2.0])
    assert problem.dimension == 3
    assert problem.value(theta) == pytest.approx(by_hand(theta), rel=1e-14)
    assert isinstance(problem.value(theta), float)
    step = 1e-6
    nudges = step * np.eye(3)
    slope = [(by_hand(theta + e) - by_hand(theta - e)) / (2 * step) for e in nudges]
    assert problem.gradient(theta) == pytest.approx(slope, rel=1e-8, abs=1e-8)
    assert problem.hessian_vector(theta, B) == pytest.approx(A @ B)
    truth = np.linalg.solve(A, -B)
    assert problem.minimizer == pytest.approx(truth, rel=1e-10)
    assert problem.critical_point == pytest.approx(truth, rel=1e-10)
    assert problem.minimum == pytest.approx(by_hand(truth), rel=1e-12)
    assert problem.why_no_minimum is None
    assert (problem.exact is not None) == (way == "sympy")
    assert "d = 3" in repr(problem)


@given(arrays(float, (2, 4, 3), elements=st.floats(-10, 10)))
def test_leading_axes_are_runs(theta):
    problem = Quadratic(A, B, 7.0)
    values, gradients = problem.value(theta), problem.gradient(theta)
    assert values.shape == (2, 4)
    assert gradients.shape == theta.shape
    for i in range(2):
        for j in range(4):
            assert values[i, j] == pytest.approx(by_hand(theta[i, j]), rel=1e-12, abs=1e-12)
            single = problem.gradient(theta[i, j])
            assert gradients[i, j] == pytest.approx(single, rel=1e-12, abs=1e-12)
    flat = theta.reshape(8, 3)
    assert problem.gradient(flat) == pytest.approx(gradients.reshape(8, 3), rel=1e-12, abs=1e-12)
    again = problem.value_from_gradient(theta, gradients)
    assert again == pytest.approx(values, rel=1e-12, abs=1e-12)


def test_inverses_as_newton_asks_for_them():
    problem = Quadratic(A, B)
    for shape in ((3,), (5, 3), (2, 5, 3)):
        vectors = np.random.default_rng(0).normal(size=shape)
        truth = np.linalg.solve(A, vectors.reshape(-1, 3).T).T.reshape(shape)
        assert problem.inverse_hessian_vector(None, vectors) == pytest.approx(truth, rel=1e-12)
    with pytest.raises(InputError, match="A is singular"):
        Quadratic(np.ones((2, 2))).inverse_hessian_vector(None, [1.0, 1.0])
    with pytest.raises(InputError, match="too large to decompose"):
        Quadratic.diagonal(np.ones(10_000)).inverse_hessian_vector(None, np.ones(10_000))


def test_integers_and_single_precision_are_accepted():
    assert Quadratic([[2, 0], [0, 4]], [1, 2], 3).minimum == pytest.approx(3 - 0.25 - 0.5)
    assert Quadratic(np.eye(2, dtype=np.float32)).value([1, 1]) == 1.0
    assert Quadratic([[True]]).minimum == 0.0


def test_the_arrays_given_are_not_kept():
    matrix, linear = A.copy(), B.copy()
    problem = Quadratic(matrix, linear)
    before = problem.gradient(np.ones(3))
    matrix[:], linear[:] = 0, 0
    assert np.array_equal(problem.gradient(np.ones(3)), before)


# -- the minimum -----------------------------------------------------------------------------


def test_singular_with_a_minimum():
    """THEORY 1.7: the solution of least norm, along (1, 1)."""
    problem = Quadratic(2 * np.ones((2, 2)), [-6.0, -6.0])
    assert problem.minimizer == pytest.approx([1.5, 1.5])
    assert problem.minimum == pytest.approx(-9.0)
    assert problem.is_zero_mode.tolist() == [True, False]


@pytest.mark.parametrize("make", [lambda v, b: Quadratic(np.diag(v), b), Quadratic.diagonal])
def test_singular_without_a_minimum(make):
    problem = make([2.0, 0.0], [-2.0, -3.0])
    assert problem.minimizer is None
    assert problem.minimum is None
    assert problem.critical_point is None
    assert "falls without end" in problem.why_no_minimum


@pytest.mark.parametrize("make", [lambda v, b: Quadratic(np.diag(v), b), Quadratic.diagonal])
def test_a_saddle_has_a_critical_point_and_no_minimum(make):
    problem = make([2.0, -1.0], [-2.0, 3.0])
    assert problem.critical_point == pytest.approx([1.0, 3.0])
    assert problem.minimizer is None
    assert "negative curvature (−1" in problem.why_no_minimum


def test_no_curvature_at_all():
    flat = Quadratic(np.zeros((2, 2)), c=5.0)
    assert flat.minimum == 5.0
    assert flat.minimizer.tolist() == [0.0, 0.0]
    assert Quadratic(np.zeros((2, 2)), [1.0, 0.0]).minimizer is None


def test_rounding_is_not_curvature():
    """A rank-one matrix whose float64 eigenvalues include −1e-17: not a saddle."""
    u = np.array([0.1, 0.2, 0.3, 0.7])
    problem = Quadratic(np.outer(u, u), u)
    assert problem.why_no_minimum is None
    assert problem.minimizer == pytest.approx(-u / (u @ u), rel=1e-12)


@pytest.mark.parametrize("size", [2, 600])
def test_diagonals_are_exact_however_small(size):
    """1e-20 beside 1 is a real eigenvalue when the matrix is known to be diagonal."""
    values, linear = np.ones(size), np.zeros(size)
    values[0], linear[0] = 1e-20, 1e-20
    problem = Quadratic.diagonal(values, linear)
    assert problem.why_no_minimum is None
    assert problem.minimizer[0] == pytest.approx(-1.0)
    values[0] = -1e-20
    assert "negative curvature" in Quadratic.diagonal(values).why_no_minimum


def test_exact_matrices_are_solved_exactly():
    """Hilbert 12: float64 sees a singular matrix; the exact one has an integer inverse."""
    hilbert = sympy.Matrix(12, 12, lambda i, j: sympy.Rational(1, i + j + 1))
    ones = sympy.ones(12, 1)
    problem = Quadratic(hilbert, hilbert * ones)
    assert problem.why_no_minimum is None
    assert np.all(np.isfinite(problem.minimizer))  # far from -1, because b itself is rounded
    unit = Quadratic(hilbert, [1.0] + 11 * [0.0])
    exact = -hilbert.inv()[:, 0]
    assert unit.minimizer == pytest.approx([float(v) for v in exact], rel=1e-15)


def test_exact_singular_matrices():
    ones = sympy.ones(3, 3)
    assert Quadratic(ones, [3, 3, 3]).minimizer == pytest.approx([-1.0, -1.0, -1.0], rel=1e-15)
    assert "falls without end" in Quadratic(ones, [1, 0, 0]).why_no_minimum


@each("scale", [1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_scales(scale):
    problem = Quadratic(A * scale, B * scale)
    assert problem.minimizer == pytest.approx(np.linalg.solve(A, -B), rel=1e-12)


def test_a_large_sparse_problem_is_never_made_dense():
    size = 200_000
    off = -np.ones(size - 1)
    laplacian = scipy.sparse.diags_array([off, 4 * np.ones(size), off], offsets=[-1, 0, 1]).tocsr()
    problem = Quadratic(laplacian, np.ones(size))
    assert np.abs(problem.gradient(problem.minimizer)).max() < 1e-6
    assert problem.why_no_minimum is None


def test_a_million_diagonal_entries():
    values = np.linspace(1.0, 2.0, 10**6)
    problem = Quadratic.diagonal(values, values)
    assert np.abs(problem.minimizer + 1).max() < 1e-15
    assert problem.value(np.ones(10**6)) == pytest.approx(1.5 * values.sum())


# -- plain data ------------------------------------------------------------------------------


def test_plain_data():
    data = json.loads(json.dumps(Quadratic(A, B, 7.0, name="mine").to_dict()))
    assert data["name"] == "mine"
    assert data["A"] == A.tolist()
    assert data["b"] == B.tolist()
    assert data["c"] == 7.0
    assert "A" not in Quadratic.diagonal(np.ones(41)).to_dict()
    assert "A" not in Quadratic(WAYS["operator"]).to_dict()


# -- bad input -------------------------------------------------------------------------------


@each(
    ("matrix", "words"),
    [
        ([[1.0, 2.0], [0.0, 1.0]], r"not symmetric: max\|A - A.T\| = 2.*\(A \+ A.T\)/2"),
        ([[1.0, 1e-9], [0.0, 1.0]], "not symmetric"),
        (scipy.sparse.csr_array([[1.0, 2.0], [0.0, 1.0]]), "not symmetric"),
        (sympy.Matrix([[1, 2], [0, 1]]), "not symmetric"),
        ([[1.0, 2.0, 3.0], [2.0, 1.0, 0.0]], r"square.*\(2, 3\); for data use least_squares"),
        ([1.0, 2.0], r"square and not empty, got shape \(2,\)"),
        ([], "square and not empty"),
        (np.zeros((0, 0)), "square and not empty"),
        (3.0, "square and not empty"),
        (np.zeros((2, 2, 2)), "square and not empty"),
        (sympy.zeros(0, 0), "square and not empty"),
        (sympy.zeros(2, 3), "square and not empty, got 2 x 3"),
        ([[1.0, math.nan], [math.nan, 1.0]], "not finite: nan"),
        ([[math.inf]], "not finite"),
        (scipy.sparse.csr_array([[math.nan]]), "not finite"),
        ([[1j]], "complex"),
        (scipy.sparse.csr_array([[1j]]), "real"),
        ([["a"]], "must hold numbers"),
        ([[frozenset()]], "must hold numbers"),
        ([[1.0], [1.0, 2.0]], "ragged"),
        (sympy.Matrix([[sympy.Symbol("a")]]), "free symbols: a; give them values"),
        (sympy.Matrix([[sympy.I]]), "real entries"),
        (scipy.sparse.csr_array((2, 3)), "square"),
        (scipy.sparse.linalg.aslinearoperator(np.ones((2, 3))), "square"),
        (None, "A"),
        ("A.npy", "A"),
    ],
    ids=repr,
)
def test_bad_matrices(matrix, words):
    with pytest.raises(InputError, match=words) as caught:
        Quadratic(matrix)
    assert caught.value.argument == "A"
    assert isinstance(caught.value, NotSymmetricError) == ("symmetric" in words)


def test_rounding_asymmetry_is_averaged_away():
    noisy = A.copy()
    noisy[0, 1] += 1e-13
    assert Quadratic(noisy).operator.to_dense()[0, 1] == Quadratic(noisy).operator.to_dense()[1, 0]


@each(
    ("keywords", "words"),
    [
        ({"b": [1.0]}, r"b must have shape \(3,\) to match A, got \(1,\)"),
        ({"b": [[1.0], [2.0], [3.0]]}, "b must have shape"),
        ({"b": [1.0, math.inf, 0.0]}, "b has entries that are not finite"),
        ({"b": ["x", "y", "z"]}, "b must hold numbers"),
        ({"c": [1.0]}, "c must be a number"),
        ({"c": math.nan}, "c must be a finite number"),
        ({"c": "1e"}, "c must hold numbers"),
    ],
    ids=repr,
)
def test_bad_terms(keywords, words):
    with pytest.raises(InputError, match=words):
        Quadratic(A, **keywords)


@each("values", [[], [[1.0, 2.0]], [math.nan], ["a"]])
def test_bad_diagonals(values):
    with pytest.raises(InputError, match="eigenvalues"):
        Quadratic.diagonal(values)


def test_a_symbolic_vector_of_numbers():
    problem = Quadratic(EXACT, sympy.Matrix([sympy.sqrt(2), 0, 1]))
    assert problem.linear[0] == pytest.approx(math.sqrt(2), rel=1e-16)
