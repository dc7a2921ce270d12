"""Matrices as careless code hands them over."""

import numpy as np
import pytest
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
