"""Matrices as careless code hands them over."""

import mpmath
import numpy as np
import pytest
import sympy
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

import convex_analyzer as ca
from convex_analyzer.errors import InputError, NotSymmetricError

A = np.array([[2.0, 1.0], [1.0, 3.0]])


def operator(product):
    return LinearOperator((2, 2), matvec=product, dtype=float)


def test_a_hidden_asymmetry_is_not_averaged_away():
    with pytest.raises(NotSymmetricError, match="differ by"):
        ca.Quadratic(operator(lambda v: np.array([[1.0, 2.0], [0.0, 1.0]]) @ v))


def test_an_operator_in_single_precision_is_symmetric_enough():
    single = A.astype(np.float32)
    problem = ca.Quadratic(operator(lambda v: single @ v.astype(np.float32)))
    assert problem.dimension == 2


@pytest.mark.parametrize(
    ("product", "words"),
    [
        (lambda v: v * np.nan, "not finite"),
        (lambda v: np.ones(3), "failed"),
        (lambda v: v * 1j, "must be real"),
    ],
)
def test_a_broken_operator_says_what_is_wrong(product, words):
    with pytest.raises(InputError, match=words):
        ca.Quadratic(operator(product))


def test_a_noisy_operator_is_refused():
    generator = np.random.default_rng(0)
    with pytest.raises(InputError, match="differently each time"):
        ca.Quadratic(operator(lambda v: A @ v + generator.normal(size=v.shape)))


def test_masked_entries_are_not_used_as_if_they_were_data():
    masked = np.ma.array(A, mask=[[False, True], [True, False]])
    with pytest.raises(InputError, match="A has masked entries"):
        ca.Quadratic(masked)
    with pytest.raises(InputError, match="X has masked entries"):
        ca.least_squares(masked, [1.0, 2.0])
    with pytest.raises(InputError, match="b has masked entries"):
        ca.Quadratic(A, np.ma.array([1.0, 2.0], mask=[False, True]))
    assert ca.Quadratic(np.ma.array(A)).dimension == 2  # nothing masked


def test_a_missing_matrix_and_a_number_that_is_none_say_so():
    with pytest.raises(InputError, match="A is missing: got None"):
        ca.Quadratic(None)
    with pytest.raises(InputError, match="l2 must be a finite number, got nan"):
        ca.least_squares(A, [1.0, 2.0], l2=float("nan"))


def test_a_spectrum_is_computed_once_per_problem():
    calls = []

    def product(v):
        calls.append(1)
        return np.linspace(1.0, 2.0, 3000) * v

    problem = ca.Quadratic(LinearOperator((3000, 3000), matvec=product, dtype=float))
    first = ca.spectrum(problem)
    before = len(calls)
    assert ca.analyze(problem, ca.HeavyBall).spectrum is first
    assert ca.spectrum(problem) is first
    assert len(calls) == before
    assert ca.spectrum(problem, seed=1) is not first


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_a_graded_matrix_is_not_called_singular(kind):
    scales = np.array([1.0, 1e-6, 1e-12])
    graded = np.outer(scales, scales) * (np.eye(3) + 0.3)
    spectrum = ca.spectrum(kind(graded))
    assert "singular" not in spectrum.definiteness
    assert spectrum.describe_condition_number().startswith("at least")
    with mpmath.workdps(60):
        eigenvalues = mpmath.eigsy(mpmath.matrix(graded.tolist()), eigvals_only=True)
        kappa = max(eigenvalues) / min(eigenvalues)
    bracket = spectrum.condition_number_bracket
    assert bracket.low <= kappa <= bracket.high


def test_a_singular_matrix_is_still_called_singular():
    generator = np.random.default_rng(5)
    for _ in range(50):
        factor = generator.normal(size=(4, 6)) * 10.0 ** generator.uniform(-6, 6, size=6)
        spectrum = ca.spectrum(factor.T @ factor)
        assert spectrum.definiteness.startswith("positive semi-definite")
    assert ca.spectrum(np.ones((3, 3))).definiteness == "positive semi-definite (singular)"


def test_a_singular_matrix_with_roots_is_singular():
    root = sympy.sqrt(2)
    spectrum = ca.spectrum(sympy.Matrix([[1, root], [root, 2]]))
    assert spectrum.definiteness == "positive semi-definite (singular)"
    assert spectrum.rank == 1
    assert 0.0 in spectrum.lambda_min_bracket
    assert 3.0 in spectrum.lambda_max_bracket


@pytest.mark.parametrize("scale", [1e-310, 5e-324])
def test_a_matrix_without_reciprocals_is_refused(scale):
    with pytest.raises(InputError, match="no reciprocals"):
        ca.spectrum(np.eye(2) * scale)
