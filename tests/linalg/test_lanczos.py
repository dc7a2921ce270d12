"""Both ends from products alone, against spectra known in closed form."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
from cases import each

from convex_analyzer.errors import SpectrumError
from convex_analyzer.linalg import lanczos
from convex_analyzer.linalg.lanczos import extreme_eigenvalues, start_vector, tridiagonalise
from convex_analyzer.linalg.lanczos_bounds import gap_below, inverse_mass, values_up_to
from convex_analyzer.linalg.operators import (
    DenseOperator,
    DiagonalOperator,
    SparseOperator,
    SymmetricOperator,
)

pytestmark = pytest.mark.survey


def laplacian(size: int) -> SparseOperator:
    off = -np.ones(size - 1)
    return SparseOperator(
        scipy.sparse.diags_array([off, 2 * np.ones(size), off], offsets=[-1, 0, 1]).tocsr()
    )


def laplacian_end(size: int, index: int) -> float:
    return 4 * np.sin(index * np.pi / (2 * (size + 1))) ** 2


def assert_held(found, low, high):
    """The true ends are inside of what is claimed, and the Ritz values inside of the ends."""
    assert found.lowest - found.rounding <= low <= found.smallest + found.rounding
    assert found.largest - found.rounding <= high <= found.highest + found.rounding


@each("size", [2, 39, 41, 300])
def test_each_end_lies_within_its_bounds(size):
    found = extreme_eigenvalues(laplacian(size), 1e-10, seed=0)
    assert_held(found, laplacian_end(size, 1), laplacian_end(size, size))
    assert found.largest == pytest.approx(laplacian_end(size, size), rel=1e-9)
    assert found.converged


def test_the_bounds_hold_at_every_tolerance_for_every_seed():
    """Also when the iteration stops long before it has converged."""
    rng = np.random.default_rng(7)
    for seed in range(40):
        values = np.sort(rng.standard_normal(400) ** 3)  # clusters at 0, outliers at both ends
        found = extreme_eigenvalues(DiagonalOperator(values), 10.0 ** -rng.integers(1, 9), seed)
        assert_held(found, values[0], values[-1])


def test_the_stated_share_of_starts_fails(monkeypatch):
    """With one failure in ten allowed at each end.

    Three different eigenvalues, one of them single: after two steps the inequality behind the bound
    is an equality, so that starts fail as often as is stated, and not only at most so often.
    """
    monkeypatch.setattr(lanczos, "FAILURE", 0.2)
    monkeypatch.setattr(lanczos, "_MOST", 2)
    operator = DiagonalOperator(np.concatenate([[-1.0], np.repeat([0.0, 1.0], 40)]))
    runs = 1500
    failures = sum(extreme_eigenvalues(operator, 1e-12, s).lowest > -1.0 for s in range(runs))
    assert abs(failures / runs - 0.1) < 4 * math.sqrt(0.1 * 0.9 / runs)


def test_the_tolerance_and_the_seed_decide_the_work():
    operator = DiagonalOperator(np.linspace(1.0, 1000.0, 3000))
    rough, fine = (extreme_eigenvalues(operator, tol, seed=1) for tol in (1e-2, 1e-10))
    assert rough.steps < fine.steps
    assert rough.smallest - rough.lowest > fine.smallest - fine.lowest
    assert abs(fine.smallest - 1.0) < 1e-10
    assert extreme_eigenvalues(operator, 1e-2, seed=1) == rough
    other = extreme_eigenvalues(operator, 1e-2, seed=2)
    assert other != rough
    assert_held(other, 1.0, 1000.0)


def test_indefinite_and_repeated_eigenvalues():
    found = extreme_eigenvalues(DiagonalOperator(np.repeat([-2.0, 1.0, 5.0], 50)), 1e-10, seed=0)
    assert found.smallest == pytest.approx(-2.0, abs=1e-12)
    assert found.largest == pytest.approx(5.0, abs=1e-12)
    assert found.near_zero == pytest.approx(1.0, abs=1e-7)
    assert found.steps <= 5  # as many steps as there are different eigenvalues, and rounding


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_multiple_of_the_identity_is_exhausted_at_once(value):
    found = extreme_eigenvalues(DiagonalOperator(np.full(10, value)), 1e-10, seed=0)
    assert found.steps == 1
    assert found.smallest == pytest.approx(value, abs=1e-14)
    assert found.lowest == found.smallest


def test_zero_is_told_from_the_next_eigenvalue():
    """A ring of points: eigenvalue 0 once, then 4 sin²(π/n) twice."""
    size = 400
    ring = scipy.sparse.lil_array((size, size))
    ring.setdiag(2.0)
    for i in range(size):
        ring[i, (i + 1) % size] = ring[(i + 1) % size, i] = -1.0
    found = extreme_eigenvalues(SparseOperator(ring.tocsr()), 1e-8, seed=0)
    second = 4 * math.sin(math.pi / size) ** 2
    assert abs(found.smallest) <= found.rounding
    assert found.second == pytest.approx(second, rel=1e-8)
    assert found.second_low <= second + found.rounding
    assert found.second - found.second_low <= 1e-3 * second


@pytest.mark.parametrize("size", [20, 200, 1000])
def test_copies_of_zero_are_no_eigenvalues(size):
    """A random graph: zero, a gap, a bulk. After 100 steps copies of zero wander through the gap.

    Whenever the iteration stops, what is called the next eigenvalue is one.
    """
    rng = np.random.default_rng(size)
    i, j = rng.integers(0, size, (2, 4 * size))
    weights = scipy.sparse.coo_array((np.ones(4 * size), (i, j)), shape=(size, size)).tolil()
    weights.setdiag(0.0)
    for k in range(size):
        weights[k, (k + 1) % size] += 1.0
    weights = (weights + weights.T).tocsr()
    graph = SparseOperator((scipy.sparse.diags_array(weights.sum(axis=1)) - weights).tocsr())
    truth = np.linalg.eigvalsh(graph.to_dense()) if size <= 200 else None
    second = scipy.sparse.linalg.eigsh(graph.matrix, 2, sigma=-0.1)[0][1] if truth is None else None
    second = second if truth is None else truth[1]
    for steps in (90, 100, 110, 150, 155, 160, 165, 180, 240, 300):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lanczos, "_MOST", steps)
            found = extreme_eigenvalues(graph, 1e-13, seed=0)  # never satisfied, so all are taken
        if found.second is not None:
            assert found.second == pytest.approx(second, rel=1e-6)
            assert found.second_low <= second * (1 + 1e-12)
    assert extreme_eigenvalues(graph, 1e-8, seed=0).second == pytest.approx(second, rel=1e-9)


def test_copies_of_an_outlier_do_not_hide_that_zero_is_far():
    """Eigenvalues -1000 and 1 ... 2: copies of the outlier pass zero on their way."""
    operator = DiagonalOperator(np.concatenate([[-1000.0], np.linspace(1.0, 2.0, 3000)]))
    for steps in range(20, 200, 9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lanczos, "_MOST", steps)
            found = extreme_eigenvalues(operator, 1e-13, seed=0)
        assert found.near_zero >= 1.0 - 1e-9


def test_hard_spectra_stop_with_an_honest_bound():
    """κ = 1e14: the small end cannot be resolved, and the bound says so."""
    values = np.geomspace(1e-14, 1.0, 500)
    found = extreme_eigenvalues(DiagonalOperator(values), 1e-10, seed=0)
    assert_held(found, 1e-14, 1.0)
    assert found.smallest - found.lowest + found.rounding > 1e-14
    assert found.second is None  # there is no gap above zero


def test_a_product_is_never_written_into_unless_it_is_new():
    class Same(SymmetricOperator):
        dimension = 4

        def multiply(self, vectors):
            return vectors

    found = extreme_eigenvalues(Same(), 1e-10, seed=0)
    assert found.smallest == pytest.approx(1.0, abs=1e-14)


def test_products_that_are_not_finite_are_an_error_with_what_was_found():
    class Broken(SymmetricOperator):
        dimension, good = 50, 0

        def multiply(self, vectors):
            self.good -= 1
            return vectors * (np.arange(50.0) if self.good >= 0 else np.nan)

    with pytest.raises(SpectrumError, match="not finite") as caught:
        extreme_eigenvalues(Broken(), 1e-10, seed=0)
    assert caught.value.partial is None
    broken = Broken()
    broken.good = 21  # one product tells the scale
    with pytest.raises(SpectrumError, match=r"not finite.*step 21") as caught:
        extreme_eigenvalues(broken, 1e-10, seed=0)
    partial = caught.value.partial
    assert partial.steps == 20
    assert not partial.converged
    assert 0 <= partial.smallest < 1
    assert_held(partial, 0.0, 49.0)


@each("scale", [2.0**-900, 2.0**-600, 2.0**600, 2.0**1010])
def test_matrices_of_any_scale(scale):
    plain = extreme_eigenvalues(DiagonalOperator(np.linspace(1.0, 9.0, 200)), 1e-8, seed=0)
    found = extreme_eigenvalues(DiagonalOperator(scale * np.linspace(1.0, 9.0, 200)), 1e-8, seed=0)
    assert found.steps == plain.steps
    assert found.smallest / scale == pytest.approx(plain.smallest, rel=1e-12)
    assert_held(found, scale, 9 * scale)


# -- the parts -----------------------------------------------------------------------------------


def test_the_recurrence_is_that_of_the_krylov_basis(monkeypatch):
    """Against an orthonormal basis of the Krylov space, in tiles smaller than the vector."""
    monkeypatch.setattr(lanczos, "_TILE", 7)
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((30, 30))
    matrix = factor + factor.T
    start = start_vector(30, 3)
    krylov = np.column_stack([np.linalg.matrix_power(matrix, j) @ start for j in range(8)])
    basis, _ = np.linalg.qr(krylov)
    expected = basis.T @ matrix @ basis
    steps = tridiagonalise(DenseOperator(matrix), start.copy())
    pairs = [next(steps) for _ in range(8)]
    assert [pair[0] for pair in pairs] == pytest.approx(np.diag(expected), rel=1e-7)
    off = np.abs(np.diag(expected, 1))
    assert [pair[1] for pair in pairs[:7]] == pytest.approx(off, rel=1e-7)


def test_the_mass_bound_is_the_christoffel_function():
    """At 0 every entry of the Krylov basis counts: c² Σ p_j(λ)² = 1 when nothing is left out."""
    values = np.array([0.5, 1.0, 2.0, 7.0, 8.0])
    start = start_vector(5, 1)
    steps = tridiagonalise(DiagonalOperator(values), start.copy())
    pairs = [next(steps) for _ in range(4)]
    main, beside = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    for value, component in zip(values, start, strict=True):
        assert inverse_mass(main, beside, value) == pytest.approx(-2 * math.log(abs(component)))
    assert values_up_to(main, beside, 100.0) == 4
    assert values_up_to(main, beside, 0.0) == 0


def test_gaps_against_many_digits():
    """The distance where Σ p_j² reaches its limit, by another recurrence in 60 digits."""
    steps = tridiagonalise(laplacian(200), start_vector(200, 0))
    pairs = [next(steps) for _ in range(60)]
    main, beside = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    ritz = np.linalg.eigvalsh(np.diag(main) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1))
    gap = gap_below(main, beside, float(ritz[0]), 1e6, 30.0)
    with mpmath.workdps(60):
        x, before, current, total, above = mpmath.mpf(float(ritz[0])) - gap, 0, mpmath.mpf(1), 1, 0
        for entry, after in zip(main, beside, strict=True):
            following = ((x - entry) * current - above * before) / after
            before, current, above = current, following, after
            total += current**2
        assert float(mpmath.log(total)) == pytest.approx(30.0, rel=1e-4)
    assert gap_below(main, beside, float(ritz[0]), 1e-9, 30.0) == math.inf
    assert inverse_mass(main, [*beside[:-1], 0.0], 0.0) == math.inf
