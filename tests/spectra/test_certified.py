"""Proved brackets, against closed forms, many digits and published condition numbers."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import sympy

from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.linalg import lanczos
from convex_analyzer.linalg.positive import dense_floor, rayleigh_ceiling, sparse_floor
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra import certified, compute
from convex_analyzer.spectra.compute import spectrum


def true_eigenvalues(matrix: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(80):
        values = sorted(mpmath.eigsy(mpmath.matrix(matrix.tolist()), eigvals_only=True))
        largest = max(map(abs, values))
        return [value if abs(value) > 1e-70 * largest else mpmath.mpf(0) for value in values]


def line(size: int, k: int) -> mpmath.mpf:
    with mpmath.workdps(40):
        return 4 * mpmath.sin(k * mpmath.pi / (2 * (size + 1))) ** 2


def assert_holds(found, truth):
    for value, bracket in (
        (truth[0], found.lambda_min_bracket),
        (truth[-1], found.lambda_max_bracket),
    ):
        assert bracket.low <= value <= bracket.high
    sizes = sorted(abs(value) for value in truth if value != 0)
    kappa = found.condition_number_bracket
    assert kappa.low <= sizes[-1] / sizes[0] <= kappa.high


def hilbert(size: int) -> np.ndarray:
    return 1.0 / (np.arange(size)[:, None] + np.arange(1, size + 1))


@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param(hilbert(12), id="positive, hidden by rounding in dense eigh"),
        pytest.param(hilbert(14), id="indefinite, by the rounding of its entries alone"),
        pytest.param(np.outer([0.1, 0.2, 0.7], [0.1, 0.2, 0.7]), id="rank one to rounding"),
        pytest.param(np.diag([1.0, 1e-20, -1e-30]) + 0.0, id="graded"),
        pytest.param(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 2.0], [0.0, 2.0, -7.0]]), id="saddle"),
        pytest.param(np.array([[-5.0, 1.0], [1.0, -3.0]]), id="negative"),
    ],
)
def test_small_matrices_have_brackets_as_narrow_as_float64_allows(matrix):
    found = spectrum(matrix, "certified")
    truth = true_eigenvalues(matrix)
    assert_holds(found, truth)
    assert found.kind == "bracketed"
    assert found.resolved
    for bracket in (found.lambda_min_bracket, found.lambda_max_bracket):
        assert bracket.high - bracket.low <= 8 * np.spacing(max(map(abs, bracket)))
    signs = [int(mpmath.sign(value)) for value in truth]
    assert np.sign(found.eigenvalues).tolist() == signs
    kappa = found.condition_number_bracket
    assert kappa.high <= kappa.low * (1 + 1e-14)


def test_rank_is_a_fact():
    """Integer matrices of known rank: zeros are exact, and κ leaves them out."""
    rng = np.random.default_rng(3)
    for rank in (1, 3, 6):
        factor = rng.integers(-3, 4, size=(9, rank)).astype(float)
        matrix = factor @ factor.T
        found = spectrum(matrix, "certified")
        assert found.rank == int(sympy.Matrix(matrix.astype(int).tolist()).rank())
        assert found.lambda_min_bracket.low == found.lambda_min_bracket.high == 0.0
        nonzero = true_eigenvalues(factor.T @ factor)
        assert found.condition_number_bracket.low <= nonzero[-1] / nonzero[0]
        assert found.condition_number_bracket.high >= nonzero[-1] / nonzero[0]
        assert found.definiteness == "positive semi-definite (singular)"


def test_data_are_certified_through_the_exact_gram_matrix():
    """Longley with intercept: κ(X) = 4.859257015454e9 (shared by R and statsmodels)."""
    found = spectrum(gallery.longley(), "certified")
    low, high = found.data.bracket
    assert low <= 4.859257015454868e9 * (1 + 1e-10)
    assert high >= 4.859257015454868e9 * (1 - 1e-10)
    assert high / low < 1 + 1e-13
    ridge = spectrum(least_squares([[1.0], [3.0]], [1.0, 1.0], l2=0.25), "certified")
    assert ridge.lambda_max_bracket.low <= 5.25 <= ridge.lambda_max_bracket.high


def test_a_dense_matrix_is_proved_by_cholesky():
    size = 120
    matrix = (2 * np.eye(size) - np.eye(size, k=1) - np.eye(size, k=-1)) * 3.0
    found = spectrum(matrix, "certified")
    assert_holds(found, [3 * line(size, 1), 3 * line(size, size)])
    assert found.kind == "bracketed"
    assert "Cholesky" in found.method
    assert found.lambda_min_bracket.high / found.lambda_min_bracket.low < 1 + 1e-6
    saddle = spectrum(matrix - 5 * np.eye(size), "certified")
    assert saddle.lambda_min_bracket.low <= 3 * line(size, 1) - 5 <= saddle.lambda_min_bracket.high


def test_a_sparse_matrix_is_proved_by_its_factors():
    side = 50
    found = spectrum(gallery.laplacian_2d(side), "certified")
    assert_holds(found, [2 * line(side, 1), 2 * line(side, side)])
    assert found.is_interval
    assert found.kind == "bracketed"
    assert found.lambda_max_bracket.high / found.lambda_max_bracket.low < 1 + 1e-6
    assert found.lambda_min_bracket.high / found.lambda_min_bracket.low < 1 + 1e-6


def test_factors_reach_what_products_cannot():
    """κ = 1.5e7: Lanczos gives up above the smallest eigenvalue, inverse iteration arrives."""
    problem = gallery.laplacian_1d(6000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanczos, "_MOST", 400)
        patch.setattr(compute, "narrow", lambda *_: None)  # as if the band were wide
        rough = spectrum(problem)
        found = spectrum(problem, "certified")
    assert not rough.resolved
    assert found.resolved
    assert_holds(found, [line(6000, 1), line(6000, 6000)])
    assert found.lambda_min == pytest.approx(float(line(6000, 1)), rel=1e-6)


def test_exact_input_stays_exact():
    assert spectrum(sympy.Matrix([[2, 1], [1, 2]]), "certified").kind == "exact"
    assert spectrum(Quadratic.diagonal([1.0, 7.0]), "certified").kind == "exact"
    third = spectrum(sympy.eye(13) * sympy.Rational(1, 3), "certified")
    assert third.lambda_min_bracket.low < sympy.Rational(1, 3) < third.lambda_min_bracket.high


def test_floors_and_ceilings_prove_nothing_false():
    """Shifts above the smallest eigenvalue are never proved; a proof never claims too much."""
    size = 60
    sparse = scipy.sparse.diags_array(
        [-np.ones(size - 1), 2 * np.ones(size), -np.ones(size - 1)], offsets=[-1, 0, 1]
    ).tocsr()
    truth = float(line(size, 1))
    for factor in (1 + 1e-12, 1.5, 100.0):
        assert dense_floor(sparse.toarray(), truth * factor) is None
        assert sparse_floor(sparse, truth * factor) is None
    for factor in (1 - 1e-9, 0.5, -3.0):
        assert truth * factor * (1 - 1e-5) < truth
        for floor in (
            dense_floor(sparse.toarray(), truth * factor),
            sparse_floor(sparse, truth * factor).floor,
        ):
            assert floor < truth * factor
            assert floor == pytest.approx(truth * factor, rel=1e-8)
    vector = np.sin(np.arange(1, size + 1) * np.pi / (size + 1))
    for matrix in (sparse, sparse.toarray()):
        assert truth < rayleigh_ceiling(matrix, vector) < truth * (1 + 1e-10)
        assert rayleigh_ceiling(-matrix, vector) > -truth


def test_what_cannot_be_proved_is_refused_with_the_reason(monkeypatch):
    operator = scipy.sparse.linalg.aslinearoperator(np.eye(3))
    cases = [
        (operator, "products with vectors prove nothing"),
        (sympy.Matrix([[sympy.sqrt(2), 1], [1, 3]]), "irrational"),
        (least_squares(np.eye(70), np.ones(70)), "up to 60 columns"),
        (least_squares(np.ones((9000, 50)), np.ones(9000)), "so many rows"),
    ]
    for problem, words in cases:
        with pytest.raises(InputError, match=words):
            spectrum(problem, "certified")
    monkeypatch.setattr(certified, "_OPERATIONS", 1000)
    with pytest.raises(InputError, match=r"may take .* entries; 'auto' gives"):
        spectrum(gallery.laplacian_2d(50), "certified")
    monkeypatch.setattr(certified, "dense_floor", lambda matrix, shift: None)
    with pytest.raises(SpectrumError, match="no factorisation") as caught:
        spectrum(np.diag(np.ones(70)) + 1e-3, "certified")
    assert caught.value.partial.lambda_max == pytest.approx(1.07)
    assert math.isfinite(caught.value.partial.condition_number)
