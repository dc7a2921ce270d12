"""Spectra of problems by every method, against exact and closed-form answers."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError, SpectrumError
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum


def laplacian(size: int) -> scipy.sparse.csr_array:
    off = -np.ones(size - 1)
    return scipy.sparse.diags_array([off, 2 * np.ones(size), off], offsets=[-1, 0, 1]).tocsr()


def laplacian_eigenvalue(size: int, k: int) -> mpmath.mpf:
    with mpmath.workdps(40):
        return 4 * mpmath.sin(k * mpmath.pi / (2 * (size + 1))) ** 2


def true_eigenvalues(matrix: np.ndarray) -> list[mpmath.mpf]:
    with mpmath.workdps(60):
        return sorted(mpmath.eigsy(mpmath.matrix(matrix.tolist()), eigvals_only=True))


MAKERS = {
    "dense": lambda: laplacian(30).toarray(),
    "sparse": lambda: laplacian(30),
    "operator": lambda: scipy.sparse.linalg.aslinearoperator(laplacian(30)),
    "list": lambda: laplacian(30).toarray().tolist(),
}


@each("method", ["auto", "dense", "lanczos"])
@each("kind", MAKERS)
def test_ends_and_condition_number_lie_in_their_brackets(kind, method):
    found = spectrum(MAKERS[kind](), method)
    low, high = laplacian_eigenvalue(30, 1), laplacian_eigenvalue(30, 30)
    for value, bracket in ((low, found.lambda_min_bracket), (high, found.lambda_max_bracket)):
        assert bracket.low <= value <= bracket.high
    kappa = high / low
    bracket = found.condition_number_bracket
    assert bracket.low <= kappa <= bracket.high
    assert found.condition_number == pytest.approx(float(kappa), rel=1e-9)
    assert found.definiteness == "positive definite"
    assert found.gradient_descent_limit <= 2 / high  # the safe end
    assert found.is_interval == (method == "lanczos")
    assert ("Lanczos" in found.method) == (method == "lanczos")


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.sampled_from([1.0, 1e-8, 1e100]))
def test_random_matrices_lie_in_their_brackets(seed, size, scale):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) * scale
    matrix = matrix + matrix.T
    found = spectrum(matrix)
    truth = true_eigenvalues(matrix)
    assert found.lambda_min_bracket.low <= truth[0] <= found.lambda_min_bracket.high
    assert found.lambda_max_bracket.low <= truth[-1] <= found.lambda_max_bracket.high
    sizes = sorted(abs(value) for value in truth)
    bracket = found.condition_number_bracket
    assert bracket.low <= sizes[-1] / sizes[0] <= bracket.high
    assert found.kind == "bracketed"


def test_diagonals_are_exact():
    found = spectrum(Quadratic.diagonal([3.0, 1e-200, -2.0], [1.0, 2.0, 3.0]))
    assert found.eigenvalues.tolist() == [-2.0, 1e-200, 3.0]
    assert found.linear.tolist() == [3.0, 2.0, 1.0]
    assert found.kind == "exact"
    assert found.lambda_max_bracket.low == found.lambda_max_bracket.high == 3.0
    assert found.condition_number == pytest.approx(3e200)


def test_a_million_diagonal_entries():
    entries = np.linspace(1.0, 7.0, 10**6)
    found = spectrum(Quadratic.diagonal(entries[::-1]))
    assert found.eigenvectors is None
    assert not found.is_interval
    assert found.condition_number == 7.0
    assert found.eigenvalues[0] == 1.0
    assert str(found)


def test_a_large_sparse_matrix_goes_to_lanczos():
    size = 20_000
    found = spectrum(laplacian(size) + scipy.sparse.eye_array(size), tolerance=1e-6)
    assert found.is_interval
    top = 1 + laplacian_eigenvalue(size, size)
    assert found.lambda_max_bracket.low <= top <= found.lambda_max_bracket.high
    assert found.lambda_min_bracket.low <= 1 + laplacian_eigenvalue(size, 1)
    assert found.gradient_descent_limit <= 2 / top


def test_lanczos_admits_what_it_cannot_tell():
    """κ = 1.6e9 from products alone: the small end drowns in its own error bound."""
    found = spectrum(Quadratic(laplacian(3000)), tolerance=1e-10, method="lanczos")
    assert found.lambda_min_bracket.low <= laplacian_eigenvalue(3000, 1)
    assert found.lambda_min_bracket.high >= laplacian_eigenvalue(3000, 1)
    if not found.resolved:
        assert found.lambda_min == 0.0
        assert found.condition_number_bracket.high == math.inf


def test_lanczos_repeats_itself_and_takes_seeds():
    problem = Quadratic(laplacian(500))
    first, again = (spectrum(problem, "lanczos", tolerance=1e-3) for _ in range(2))
    assert first == again
    assert spectrum(problem, "lanczos", tolerance=1e-3, seed=5) != first


def ring(size: int) -> scipy.sparse.csr_array:
    """The graph Laplacian of a ring: eigenvalues 4 sin²(kπ/n), zero once."""
    after = scipy.sparse.coo_array(
        (np.ones(size), (np.arange(size), (np.arange(size) + 1) % size)), shape=(size, size)
    ).tocsr()
    return (2 * scipy.sparse.eye_array(size) - after - after.T).tocsr()


def test_lanczos_knows_a_graph_by_its_zero():
    found = spectrum(ring(400), "lanczos")
    second = 4 * math.sin(math.pi / 400) ** 2
    assert found.lambda_min == 0.0
    assert 0.0 in found.lambda_min_bracket
    assert found.definiteness == "positive semi-definite (singular)"
    assert second in found.second_bracket
    assert 4.0 / second in found.condition_number_bracket
    assert found.condition_number == pytest.approx(4.0 / second, rel=1e-9)


def test_lanczos_cannot_see_inside():
    """Of an indefinite matrix only the ends are found: κ is at least so much."""
    found = spectrum(ring(400) - 2.01 * scipy.sparse.eye_array(400), "lanczos")
    inside = np.abs(4 * np.sin(np.arange(400) * np.pi / 400) ** 2 - 2.01)
    assert found.definiteness == "indefinite"
    assert not found.resolved
    assert 1.0 < found.condition_number <= inside.max() / inside.min()
    assert found.condition_number_bracket.high == math.inf
    assert "no smaller eigenvalue was reached" in str(found)


def test_the_bracket_of_kappa_uses_the_far_ends():
    """A bracket that is wider on one side is not halved."""
    rough = spectrum(laplacian(500) + scipy.sparse.eye_array(500), "lanczos", tolerance=0.01)
    low, high = rough.lambda_min_bracket
    assert high - rough.lambda_min < rough.lambda_min - low  # one-sided
    assert rough.condition_number_bracket.high >= rough.lambda_max_bracket.high / low


def test_single_precision_products_give_wider_brackets():
    matrix = laplacian(300) + scipy.sparse.eye_array(300)
    half = matrix.astype(np.float32)
    rough = spectrum(
        scipy.sparse.linalg.LinearOperator(
            (300, 300), matvec=lambda v: half @ v.astype(np.float32), dtype=np.float32
        ),
        "lanczos",
    )
    fine = spectrum(matrix, "lanczos")
    low = 1 + laplacian_eigenvalue(300, 1)
    for found in (rough, fine):
        assert found.lambda_min_bracket.low <= low <= found.lambda_min_bracket.high
    widths = [b.high - b.low for b in (rough.lambda_max_bracket, fine.lambda_max_bracket)]
    assert widths[0] > 1e-6
    assert widths[0] > 100 * widths[1] or widths[1] > 1e-6


def test_an_interrupted_or_failed_run_leaves_the_problem_usable():
    class Stops(scipy.sparse.linalg.LinearOperator):
        left, error = 10**9, KeyboardInterrupt

        def __init__(self):
            super().__init__(np.float64, (300, 300))

        def _matvec(self, v):
            self.left -= 1
            if self.left == 0:
                if self.error is None:
                    return v * np.nan
                raise self.error
            return laplacian(300) @ v

    operator = Stops()
    problem = Quadratic(operator)
    operator.left = 50
    with pytest.raises(KeyboardInterrupt):
        spectrum(problem, "lanczos")
    assert problem.spectra == {}
    operator.left, operator.error = 51, None  # one product tells the scale
    with pytest.raises(SpectrumError, match="not finite") as caught:
        spectrum(problem, "lanczos")
    partial = caught.value.partial
    assert "49 products" in partial.method
    assert partial.lambda_max_bracket.low <= laplacian_eigenvalue(300, 300)
    assert partial.lambda_max_bracket.high >= laplacian_eigenvalue(300, 300)
    assert spectrum(problem, "lanczos").definiteness == "positive definite"


# -- rank ---------------------------------------------------------------------------------------


def test_singular_matrices_have_exact_zeros_and_say_so():
    u = np.array([0.1, 0.2, 0.3, 0.7])
    found = spectrum(np.outer(u, u))
    assert found.eigenvalues[:3].tolist() == [0.0, 0.0, 0.0]
    assert found.rank == 1
    assert found.resolved
    assert found.definiteness == "positive semi-definite (singular)"
    assert found.lambda_min_bracket.low <= 0 <= found.lambda_min_bracket.high
    assert found.condition_number == pytest.approx(1.0)


def test_a_spectrum_without_a_gap_is_not_called_singular():
    """Hilbert 15 from float64: eigenvalues fall below rounding one by one."""
    size = 15
    hilbert = [[1 / (i + j + 1) for j in range(size)] for i in range(size)]
    found = spectrum(hilbert)
    assert not found.resolved
    assert found.definiteness == "positive semi-definite to rounding"
    assert found.condition_number_bracket.high == math.inf
    assert "at least" in found.describe_condition_number()


def test_indefinite_singular_matrices():
    found = spectrum([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert found.eigenvalues == pytest.approx([-1.0, 0.0, 1.0], abs=1e-15)
    assert found.eigenvalues[1] == 0.0
    assert found.rank == 2
    assert found.definiteness == "indefinite"


def test_one_by_one_and_repeated_eigenvalues():
    assert spectrum([[3.0]]).condition_number == 1.0
    assert spectrum(5 * np.eye(4)).condition_number == pytest.approx(1.0, abs=1e-14)
    assert spectrum(np.zeros((2, 2))).condition_number is None


@each("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_scales(scale):
    found = spectrum(np.array([[2.0, 1.0], [1.0, 2.0]]) * scale)
    assert found.eigenvalues == pytest.approx([scale, 3 * scale], rel=1e-14, abs=0)
    assert found.condition_number == pytest.approx(3.0, rel=1e-14)


# -- exact matrices -----------------------------------------------------------------------------


def test_rational_matrices_have_exact_eigenvalues():
    found = spectrum(sympy.Matrix([[2, 1], [1, 2]]))
    assert found.exact_eigenvalues == (1, 3)
    assert found.kind == "exact"
    assert found.condition_number == 3.0
    assert found.lambda_max_bracket.low == found.lambda_max_bracket.high == 3.0
    golden = spectrum(sympy.Matrix([[1, 1], [1, 0]]))
    assert golden.exact_eigenvalues[1] == (1 + sympy.sqrt(5)) / 2
    assert golden.definiteness == "indefinite"
    with mpmath.workdps(40):
        phi = (1 + mpmath.sqrt(5)) / 2
        assert golden.lambda_max_bracket.low < phi < golden.lambda_max_bracket.high


def test_exact_singular_matrices():
    found = spectrum(sympy.ones(4, 4))
    assert found.exact_eigenvalues == (0, 0, 0, 4)
    assert found.rank == 1
    assert found.condition_number == 1.0


def test_factors_of_higher_degree_are_certified():
    """A companion-like matrix whose characteristic polynomial is irreducible of degree 4."""
    matrix = sympy.Matrix(4, 4, lambda i, j: sympy.Rational(1, i + j + 1))
    found = spectrum(matrix)
    with mpmath.workdps(60):
        exact = mpmath.matrix(4, 4)
        for i in range(4):
            for j in range(4):
                exact[i, j] = mpmath.mpf(1) / (i + j + 1)
        values = sorted(mpmath.eigsy(exact, eigvals_only=True))
    assert found.kind == "exact"
    for value, number in zip(found.eigenvalues, values, strict=True):
        assert float(value) == float(number)
    assert found.lambda_min_bracket.low <= values[0] <= found.lambda_min_bracket.high


def test_irrational_matrices_are_numerical():
    found = spectrum(sympy.Matrix([[sympy.sqrt(2), 1], [1, sympy.pi]]))
    with mpmath.workdps(40):
        a, b = mpmath.sqrt(2), mpmath.pi
        top = (a + b + mpmath.sqrt((a - b) ** 2 + 4)) / 2
        assert found.lambda_max_bracket.low <= top <= found.lambda_max_bracket.high
    assert found.kind == "numerical"
    assert found.exact_eigenvalues is None


def test_a_large_exact_matrix_is_treated_as_numbers():
    found = spectrum(sympy.eye(13) * sympy.Rational(1, 3))
    assert found.exact_eigenvalues is None
    assert found.condition_number == pytest.approx(1.0, abs=1e-14)


# -- bad input ----------------------------------------------------------------------------------


def test_methods_are_checked():
    with pytest.raises(
        InputError, match="method must be one of auto, banded, certified, dense, exact, lanczos"
    ):
        spectrum(np.eye(2), "magic")
    with pytest.raises(InputError, match="needs a SymPy matrix"):
        spectrum(np.eye(2), "exact")
    assert spectrum(sympy.eye(2), "exact").kind == "exact"
    for tolerance in (0.0, -1.0, 1.0, float("nan")):
        with pytest.raises(InputError, match="tolerance must lie between 0 and 1"):
            spectrum(np.eye(2), tolerance=tolerance)
    for seed in (-1, 0.5, "now"):
        with pytest.raises(InputError, match="seed must be a whole number"):
            spectrum(np.eye(2), seed=seed)


def test_data_have_two_condition_numbers():
    problem = least_squares(np.diag([1.0, 10.0]), [1.0, 1.0])
    found = spectrum(problem)
    assert found.data.condition_number == pytest.approx(10.0)
    assert 10.0 in found.data.bracket
    assert 100.0 in found.condition_number_bracket
    assert not found.data.loses_everything
    assert "condition number κ(X)" in str(found)
    assert spectrum(least_squares(np.zeros((2, 1)), [0.0, 0.0])).data is None
    bad = least_squares(np.column_stack([np.ones(3), [1.0, 1.0, 1 + 1e-9]]), np.ones(3))
    assert "would lose every digit" in str(spectrum(bad))
