"""Least squares as a quadratic: conventions, penalties, intercepts, digits that must survive."""

from __future__ import annotations

import json
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.sparse
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.problems.least_squares import LOSSES, least_squares
from convex_analyzer.spectra.compute import spectrum

RNG = np.random.default_rng(0)
X = RNG.normal(size=(8, 3))
Y = RNG.normal(size=8)


def by_hand(theta, loss: str, l2: float, intercept: bool) -> float:
    """Return the loss from its definition, in exact rational arithmetic."""
    rows = [[Fraction(1)] * intercept + [Fraction(v) for v in row] for row in X]
    weights = [Fraction(v) for v in theta]
    squares = sum(
        (sum(a * w for a, w in zip(row, weights, strict=True)) - Fraction(y)) ** 2
        for row, y in zip(rows, Y, strict=True)
    )
    factor = {"half_mse": Fraction(1, 16), "mse": Fraction(1, 8), "half_rss": Fraction(1, 2)}
    penalty = Fraction(l2) / 2 * sum(w * w for w in weights[int(intercept) :])
    return float(factor.get(loss, Fraction(1)) * squares + penalty)


@each("loss", LOSSES)
@each("l2", [0.0, 0.7])
@each("intercept", [False, True])
def test_values_and_gradients_follow_the_definition(loss, l2, intercept):
    problem = least_squares(X, Y, l2=l2, intercept=intercept, loss=loss)
    size = 3 + intercept
    assert problem.dimension == size
    assert problem.labels == (("intercept",) if intercept else ()) + ("x1", "x2", "x3")
    theta = RNG.normal(size=size)
    truth = by_hand(theta, loss, l2, intercept)
    assert problem.value(theta) == pytest.approx(truth, rel=1e-13)
    slope = [
        (by_hand(theta + e, loss, l2, intercept) - by_hand(theta - e, loss, l2, intercept)) / 2e-5
        for e in 1e-5 * np.eye(size)
    ]
    assert problem.gradient(theta) == pytest.approx(slope, rel=1e-8, abs=1e-8)
    # and the quadratic that it is: the same gradient from A and b
    hessian = problem.operator.to_dense()
    assert hessian @ theta + problem.linear == pytest.approx(slope, rel=1e-8, abs=1e-8)
    assert problem.value(np.zeros(size)) == pytest.approx(problem.constant, rel=1e-13)
    assert problem.hessian_vector(theta, theta) == pytest.approx(hessian @ theta)


@pytest.mark.parametrize("shape", [(5, 3), (2, 4, 3)])
def test_leading_axes_are_runs(shape):
    problem = least_squares(X, Y)
    theta = RNG.normal(size=shape)
    gradients, values = problem.gradient(theta), problem.value(theta)
    assert gradients.shape == shape
    assert values.shape == shape[:-1]
    for index in np.ndindex(shape[:-1]):
        assert gradients[index] == pytest.approx(problem.gradient(theta[index]), rel=1e-12)
        assert values[index] == pytest.approx(problem.value(theta[index]), rel=1e-12)
    again = problem.value_from_gradient(theta, gradients)
    assert again == pytest.approx(values, rel=1e-14)


@each("loss", LOSSES)
def test_the_minimiser_does_not_depend_on_the_convention(loss):
    problem = least_squares(X, Y, intercept=True, loss=loss)
    design = np.column_stack([np.ones(8), X])
    truth = np.linalg.lstsq(design, Y, rcond=None)[0]
    assert problem.minimizer == pytest.approx(truth, rel=1e-12)
    assert problem.coefficients is problem.minimizer
    assert problem.minimum == pytest.approx(by_hand(truth, loss, 0.0, intercept=True), rel=1e-12)


def test_ridge_is_the_solution_of_the_penalised_equations():
    problem = least_squares(X, Y, l2=0.3, intercept=True)
    design = np.column_stack([np.ones(8), X])
    penalty = 0.3 * np.diag([0.0, 1.0, 1.0, 1.0])
    truth = np.linalg.solve(design.T @ design / 8 + penalty, design.T @ Y / 8)
    assert problem.minimizer == pytest.approx(truth, rel=1e-12)


def test_limits_of_the_learning_rate_per_convention():
    """torch's mean has twice the Hessian of ½·mean, a sum has n times that of a mean."""
    limits = least_squares(X, Y, loss="mse").learning_rate_limits()
    top = np.linalg.eigvalsh(X.T @ X)[-1]
    expected = {"half_mse": 16 / top, "mse": 8 / top, "half_rss": 2 / top, "rss": 1 / top}
    assert limits == pytest.approx(expected, rel=1e-12)
    for loss in LOSSES:
        other = least_squares(X, Y, loss=loss)
        assert other.learning_rate_limits() == pytest.approx(expected, rel=1e-12)
        assert spectrum(other).gradient_descent_limit == pytest.approx(expected[loss], rel=1e-12)
    assert set(least_squares(np.zeros((2, 1)), [0.0, 0.0]).learning_rate_limits().values()) == {
        np.inf
    }


@given(st.integers(0, 2**32 - 1), st.integers(3, 9))
def test_collinear_designs_lose_no_more_than_they_must(seed, power):
    """Coefficients against 60-digit normal equations, for κ(X) up to 1e9."""
    rng = np.random.default_rng(seed)
    design = rng.normal(size=(12, 3))
    design[:, 2] = design[:, 1] + 10.0**-power * design[:, 2]
    target = rng.normal(size=12)
    with mpmath.workdps(60):
        m = mpmath.matrix(design.tolist())
        truth = mpmath.lu_solve(m.T * m, m.T * mpmath.matrix(target.tolist()))
        found = least_squares(design, target).coefficients
        for value, exact in zip(found, truth, strict=True):
            assert abs(mpmath.mpf(float(value)) - exact) <= 1e-12 * max(abs(v) for v in truth)


def test_columns_of_wild_units():
    design = X * [1e-8, 1.0, 1e8]
    truth = np.linalg.lstsq(X, Y, rcond=None)[0] * [1e8, 1.0, 1e-8]
    problem = least_squares(design, Y)
    assert problem.minimizer == pytest.approx(truth, rel=1e-12)
    kappa = spectrum(problem).data.condition_number
    singular = np.linalg.svd(design / [1e-8, 1.0, 1e8], compute_uv=False)
    assert 1e15 < kappa < 1e17 * singular[0] / singular[-1]


def test_the_spectrum_comes_from_the_singular_values_of_the_data():
    turn, _ = np.linalg.qr(RNG.normal(size=(20, 3)))
    design = turn * [1.0, 1e-4, 1e-9]
    found = spectrum(least_squares(design, np.ones(20), loss="half_rss"))
    assert found.eigenvalues == pytest.approx([1e-18, 1e-8, 1.0], rel=1e-5, abs=0)
    assert found.data.condition_number == pytest.approx(1e9, rel=1e-5)
    assert 1e9 in found.data.bracket
    assert found.data.gram_condition_number == pytest.approx(1e18, rel=1e-4)
    assert found.data.loses_everything
    assert found.condition_number == found.data.gram_condition_number


# -- when data do not determine everything -------------------------------------------------------


def test_more_columns_than_rows_give_the_solution_of_least_norm():
    problem = least_squares(X[:2], Y[:2])
    assert problem.minimizer == pytest.approx(np.linalg.pinv(X[:2]) @ Y[:2], rel=1e-12)
    assert problem.minimum == pytest.approx(0.0, abs=1e-28)
    found = spectrum(problem)
    assert found.rank == 2
    assert found.definiteness == "positive semi-definite (singular)"
    assert found.lambda_min_bracket.low == 0.0


def test_repeated_and_zero_columns():
    design = np.column_stack([X[:, 0], X[:, 0], np.zeros(8)])
    problem = least_squares(design, Y)
    one = np.linalg.lstsq(X[:, :1], Y, rcond=None)[0][0]
    assert problem.minimizer == pytest.approx([one / 2, one / 2, 0.0], rel=1e-12, abs=1e-15)
    assert spectrum(problem).rank == 1


def test_a_perfect_fit_has_a_minimum_of_zero_and_never_less():
    problem = least_squares(X, X @ [1.0, -2.0, 3.0])
    assert problem.minimizer == pytest.approx([1.0, -2.0, 3.0], rel=1e-13)
    assert 0 <= problem.minimum < 1e-28
    assert problem.why_no_minimum is None


def test_one_row_and_one_column():
    problem = least_squares([[2.0]], [3.0], loss="rss")
    assert problem.minimizer.tolist() == [1.5]
    assert spectrum(problem).eigenvalues == pytest.approx([8.0], rel=1e-15)


# -- names, text, bad input ----------------------------------------------------------------------


class Frame:
    """What a DataFrame shows of itself."""

    def __init__(self, values, columns):
        self.values, self.columns = np.asarray(values), columns

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


def test_column_names_are_kept():
    problem = least_squares(Frame(X, ["age", "size", 3]), Y[:, None], intercept=True)
    assert problem.labels == ("intercept", "age", "size", "3")


def test_sparse_data_are_accepted():
    assert least_squares(scipy.sparse.csr_array(X), Y).minimizer == pytest.approx(
        least_squares(X, Y).minimizer
    )


def test_descriptions():
    problem = least_squares(X, Y, l2=0.5, intercept=True, loss="mse")
    text = problem.describe()
    assert "8 rows x 4 columns incl. intercept" in text
    assert "mean of squares" in text
    assert "l2 = 0.5" in text
    data = json.loads(json.dumps(problem.to_dict()))
    assert data["kind"] == "data"
    assert data["dimension"] == 4


@each(
    ("X", "y", "keywords", "words"),
    [
        (X, Y, {"loss": "mae"}, "loss must be one of 'half_mse', 'mse', 'half_rss' or 'rss'"),
        (X, Y, {"l2": -1.0}, "l2 must be non-negative, got -1"),
        (X, Y, {"l2": "much"}, "l2 must hold numbers"),
        (X[:, 0], Y, {}, r"X must have shape \(rows, columns\).*X\[:, None\]"),
        (X, Y[:-1], {}, r"expected \(8,\), got \(7,\)"),
        (X, np.ones((8, 2)), {}, "one value per row"),
        (np.zeros((0, 3)), [], {}, "non-empty table"),
        (np.zeros((3, 0)), np.ones(3), {}, "non-empty table"),
        (np.ones((2, 2, 2)), np.ones(2), {}, "non-empty table"),
        ([[np.nan]], [1.0], {}, "X has entries that are not finite: nan"),
        ([[1.0]], [np.inf], {}, "y has entries that are not finite"),
        ([["a"]], [1.0], {}, "X must hold numbers"),
        ([[1j]], [1.0], {}, "X must be real"),
        (Frame([[1j]], ["a"]), [1.0], {}, "X must be real"),
        (Frame([[1, "x", "y"]], "abc"), [1.0], {}, "'b' and 'c' cannot be read.*0 and 1"),
        (Frame([[1, np.nan, 2]], "abc"), [1.0], {}, r"missing or infinite values in 'b'.*dropna"),
        (Frame([[np.inf] * 10], "abcdefghij"), [1.0], {}, "'h' and others; leave"),
    ],
    ids=[
        *("loss", "negative l2", "l2", "a vector", "rows", "two targets", "no rows", "no columns"),
        *("three axes", "nan", "inf", "text", "complex"),
        *("complex column", "text columns", "a hole", "many holes"),
    ],
)
def test_bad_input(X, y, keywords, words):
    with pytest.raises(InputError, match=words):
        least_squares(X, y, **keywords)


# -- standardising -------------------------------------------------------------------------------


def test_standardised_columns_leave_only_collinearity():
    raw = np.random.default_rng(5).normal(size=(30, 3)) * [1e-6, 1.0, 1e6] + [0.0, 50.0, 1e9]
    target = np.arange(30.0)
    problem = least_squares(raw, target, intercept=True)
    better = problem.standardized()
    scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    assert better.X[:, 1:] == pytest.approx(scaled, rel=1e-7, abs=1e-9)
    assert better.labels == problem.labels
    assert "standardised" in better.name
    correlation = np.corrcoef(raw.T)
    truth = np.linalg.eigvalsh(correlation)
    found = spectrum(better).eigenvalues  # the correlation matrix, and 1 for the intercept
    assert sorted(found) == pytest.approx(sorted([1.0, *truth]), rel=1e-6)
    assert spectrum(better).condition_number < 10 < 1e15 < spectrum(problem).condition_number
    assert better.minimum == pytest.approx(problem.minimum, rel=1e-9)  # the same model


def test_standardising_without_an_intercept_does_not_centre():
    raw = np.array([[1.0, 2.0, 0.0], [3.0, 2.0, 0.0], [5.0, 2.0, 0.0]])
    better = least_squares(raw, [1.0, 2.0, 3.0]).standardized()
    size = np.sqrt((raw**2).mean(axis=0))
    assert better.X[:, :2] == pytest.approx(raw[:, :2] / size[:2])
    assert better.X[:, 2].tolist() == [0.0, 0.0, 0.0]  # nothing to scale


def test_large_designs_are_solved_without_refinement():
    rng = np.random.default_rng(6)
    design, target = rng.normal(size=(60_000, 4)), rng.normal(size=60_000)
    truth = np.linalg.lstsq(design, target, rcond=None)[0]
    assert least_squares(design, target).coefficients == pytest.approx(truth, rel=1e-10)


def test_targets_whose_squares_leave_the_range_are_refused():
    with pytest.raises(InputError, match="y"):
        least_squares(X, Y * 1e200)
