"""Every remedy: the same problem in other coordinates, and the κ that is known for it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse
from cases import each
from scipy.optimize import minimize

from convex_analyzer.errors import InputError
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.spectra.scaling import Remedy, registered, remedy
from convex_analyzer.spectra.scaling.best_diagonal import (
    _lower_bound,
    best_diagonal,
    is_bipartite,
)
from convex_analyzer.spectra.scaling.columns import Centre, Scale, Standardise
from convex_analyzer.spectra.scaling.diagonals import Jacobi, OptimalDiagonal
from convex_analyzer.spectra.scaling.factors import SSOR, BlockJacobi, IncompleteCholesky
from convex_analyzer.spectra.scaling.penalty import Ridge
from convex_analyzer.spectra.scaling.rotations import Rotate, Whiten


def data(seed: int = 0, **options):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(30, 4)) * [1, 10, 100, 3] + 5
    X[:, 3] += 0.1 * X[:, 1]
    return least_squares(X, generator.normal(size=30) + X[:, 0], **options)


def sparse() -> Quadratic:
    generator = np.random.default_rng(4)
    A = scipy.sparse.random_array((40, 40), density=0.06, rng=generator)
    A = A + A.T + scipy.sparse.diags_array(3 + 50 * generator.random(40))
    return Quadratic(A.tocsr(), generator.normal(size=40), 1.5)


def dense() -> Quadratic:
    return gallery.random([0.1, 1, 2, 30, 50], seed=2, b="random")


def tens():
    """Return data whose column of tens the user made, and put last."""
    given = data(intercept=True)
    return least_squares(np.column_stack([given.X[:, 1:], np.full(30, 10.0)]), given.y)


PROBLEMS = {
    "tens": tens,
    "intercept": lambda: data(intercept=True),
    "no intercept": data,
    "penalty": lambda: data(intercept=True, l2=0.3),
    "dense": dense,
    "sparse": sparse,
    "diagonal": lambda: Quadratic.diagonal([1.0, 5.0, 200.0], [1.0, 2.0, 3.0]),
}


def kappa(problem) -> float:
    return spectrum(problem).condition_number


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_changed_problem_is_the_same_problem(problem):
    """J'(z) = J(back(z)) and forward inverts back, whatever the remedy; only ridge has a bias."""
    given = PROBLEMS[problem]()
    points = np.random.default_rng(1).normal(size=(3, given.dimension))
    applied = 0
    for kind in registered().values():
        remedy = kind()
        if remedy.why_not(given) is not None:
            with pytest.raises(InputError, match="cannot be applied"):
                remedy.apply(given)
            continue
        applied += 1
        changed = remedy.apply(given)
        z = changed.forward(points)
        assert changed.back(z) == pytest.approx(points, rel=1e-8, abs=1e-8), kind
        assert changed.back(z[0]) == pytest.approx(points[0], rel=1e-8, abs=1e-8)
        end = changed.back(changed.problem.minimizer)
        if kind.keeps_solution:
            assert changed.problem.value(z) == pytest.approx(given.value(points), rel=1e-9), kind
            assert end == pytest.approx(given.minimizer, rel=1e-7, abs=1e-9), kind
        else:
            assert given.value(end) > given.minimum
        assert kind.title in changed.problem.name
        assert all((kind.title, kind.does, kind.price))
        assert remedy == kind()
        assert dataclasses.is_dataclass(kind)
    assert applied >= 4


def test_a_remedy_in_a_module_of_the_package_is_listed_and_others_work_all_the_same():
    class Halve(Remedy):
        title, does, price, effort = "halve", "halves", "nothing", 0

        def why_not(self, problem):
            return None

        def change(self, problem):
            return Jacobi().change(problem)

    assert Halve().apply(dense()).problem.name.endswith("halve")
    assert "Halve" not in registered()
    assert list(registered())[-1] in {"OptimalDiagonal", "Rotate", "Whiten"}


# -- what each does to κ -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remedy", "center", "expected"),
    [(Centre(), True, 2.640e11), (Standardise(), False, 28.21), (Scale(), False, None)],
)
def test_lecture_table_of_slide_24(remedy, center, expected):
    changed = remedy.apply(gallery.lecture001_slide24(intercept=True))
    if expected is None:
        X = changed.problem.X
        assert np.mean(X**2, axis=0) == pytest.approx(np.ones(3))
    else:
        assert kappa(changed.problem) == pytest.approx(expected, rel=2e-4)


def test_lecture_table_of_slide_25():
    given = gallery.lecture001_slide25(intercept=True)
    assert kappa(given) == pytest.approx(7.129e11, rel=2e-4)
    assert kappa(Centre().apply(given).problem) == pytest.approx(5.685, rel=2e-4)
    assert kappa(Standardise().apply(given).problem) == pytest.approx(2.479, rel=2e-4)
    assert "changes the model" in Centre().why_not(gallery.lecture001_slide25())


def test_a_remedy_is_found_by_its_title_and_by_its_class():
    assert all(remedy(name) == remedy(one.title) == one() for name, one in registered().items())
    with pytest.raises(InputError, match="did you mean 'standardise'"):
        remedy("standardize")
    with pytest.raises(InputError, match=r"there are 'centre', .*'whiten \(Newton\)'"):
        remedy("QR")


def test_rotation_keeps_and_whitening_ends_it():
    """THEORY 8.5; the standardised spectrum is that of the correlation matrix, and 1."""
    for given in (data(intercept=True), dense()):
        turned = Rotate().apply(given).problem
        assert kappa(turned) == pytest.approx(kappa(given), rel=1e-10)
        off = turned.operator.to_dense()
        assert np.abs(off - np.diag(off.diagonal())).max() < 1e-9 * off.diagonal().max()
        assert kappa(Whiten().apply(given).problem) == pytest.approx(1, rel=1e-10)
    given = data(intercept=True)
    found = spectrum(Standardise().apply(given).problem).eigenvalues
    correlation = np.corrcoef(given.X[:, 1:].T)
    expected = np.sort(np.append(np.linalg.eigvalsh(correlation), 1.0))
    assert found == pytest.approx(expected, rel=1e-10)


def test_centring_never_hurts_with_an_intercept():
    """THEORY 8.2, on data of all shapes; and it can hurt without one."""
    for seed in range(15):
        generator = np.random.default_rng(seed)
        scales = 10.0 ** generator.uniform(-2, 2, (2, 3))
        X = generator.normal(size=(10, 3)) * scales[0] + scales[1]
        given = least_squares(X, X[:, 0], intercept=True)
        centred = kappa(Centre().apply(given).problem)
        assert centred <= kappa(given) * (1 + 1e-10)
    X = np.array([[1, 10], [1, -10], [-1, 10], [-1, -10]]) + np.array([np.sqrt(99), 0])
    assert kappa(least_squares(X, np.ones(4))) == pytest.approx(1)
    assert kappa(least_squares(X - X.mean(axis=0), np.ones(4))) == pytest.approx(100)


def test_published_values_of_normalisation():
    """THEORY 8.1 and 8.4: one feature and a bias; hidden units of equal mean and variance."""
    one = least_squares([[998.0], [1002.0]], [0.0, 1.0], intercept=True)  # mean 1000, variance 4
    t = 1000.0**2 + 4 + 1
    exact = (t + np.sqrt(t * t - 16)) ** 2 / 16
    assert kappa(one) == pytest.approx(exact, rel=1e-9)
    assert kappa(one) == pytest.approx(2.500025e11, rel=1e-6)
    units = Quadratic(0.04 * np.eye(6) + 0.25 * np.ones((6, 6)))
    assert kappa(units) == pytest.approx(38.5)


# -- diagonals -----------------------------------------------------------------------------------


def test_best_diagonal_of_the_published_matrix():
    """THEORY 8.6."""
    given = Quadratic([[9, 2, 1], [2, 2, -0.5], [1, -0.5, 1]])
    assert kappa(given) == pytest.approx(23.603, abs=5e-4)
    assert kappa(Jacobi().apply(given).problem) == pytest.approx(6.562, abs=5e-4)
    best = OptimalDiagonal().apply(given)
    assert kappa(best.problem) == pytest.approx(6.290, abs=5e-4)
    assert best.best_possible == pytest.approx(kappa(best.problem), rel=1e-8)


def test_best_diagonal_of_two_coordinates_is_exact():
    """(1 + r)/(1 - r) with r = |a12|/√(a11 a22): Forsythe & Straus (1955)."""
    best = OptimalDiagonal().apply(Quadratic([[9.0, 2.0], [2.0, 2.0]]))
    r = 2 / np.sqrt(18)
    assert kappa(best.problem) == pytest.approx((1 + r) / (1 - r), rel=1e-12)
    assert "Forsythe" in best.note


def test_a_turned_ravine_is_beyond_any_step_size_per_weight():
    """THEORY 6.7: κ = 1000 turned by 0.1 rad keeps 41.4, turned by 45° all of it."""
    for angle, expected in ((0.1, 41.4), (np.pi / 4, 1000), (0.0, 1)):
        best = OptimalDiagonal().apply(gallery.ravine(1000.0, angle))
        assert kappa(best.problem) == pytest.approx(expected, rel=1e-3)


def test_best_diagonal_against_a_blind_search():
    """The bound holds for every scaling tried, and a search from many starts gets no lower."""
    for seed in range(4):
        generator = np.random.default_rng(seed)
        root = generator.normal(size=(8, 5))
        A = root.T @ root
        S = A / np.sqrt(A.diagonal()) / np.sqrt(A.diagonal())[:, None]
        found = best_diagonal(S)

        rough = 0.5 * np.linalg.eigvalsh(S)[0] * generator.uniform(0.2, 1, 5)  # far from centred
        assert 0 < _lower_bound(S, rough, 0.01 * rough.min()) <= found.condition_number

        def cost(u, S=S):
            values = np.linalg.eigvalsh(S * np.exp(u) * np.exp(u)[:, None])
            return np.log(values[-1] / values[0])

        tried = [cost(generator.normal(size=5)) for _ in range(50)]
        searched = minimize(cost, np.zeros(5), method="Nelder-Mead", options={"maxfev": 3000}).fun
        assert np.log(found.lower_bound) <= min([*tried, searched]) + 1e-12
        assert np.log(found.condition_number) <= searched + 1e-9
        assert found.condition_number == pytest.approx(found.lower_bound, rel=1e-7)
        assert found.condition_number == pytest.approx(np.exp(cost(np.log(found.scale))))


def test_bipartite_coupling():
    assert is_bipartite(gallery.laplacian_2d(5).operator.to_dense())
    assert not is_bipartite(np.ones((3, 3)))
    big = Quadratic(scipy.sparse.diags_array(4.0 + np.arange(150) % 3).tocsr())
    assert OptimalDiagonal().apply(big).best_possible == pytest.approx(1)
    full = Quadratic(np.ones((150, 150)) + np.eye(150))
    assert "too large" in OptimalDiagonal().why_not(full)
    assert best_diagonal(np.ones((3, 3))) is None
    assert best_diagonal(np.full((101, 101), 0.1) + 0.9 * np.eye(101)) is None


def test_jacobi_can_be_worse_than_nothing():
    """For d ≥ 3 (THEORY 8.6), but never d times as bad as the best (van der Sluis 1969)."""
    given = gallery.minij(10)
    scaled = kappa(Jacobi().apply(given).problem)
    best = kappa(OptimalDiagonal().apply(given).problem)
    assert kappa(given) < scaled <= 10 * best


# -- factors -------------------------------------------------------------------------------------


def test_ssor_and_incomplete_cholesky_against_their_definitions():
    given = gallery.laplacian_2d(6)
    A = given.operator.to_dense()
    lower, diagonal = np.tril(A, -1), np.diag(A.diagonal())
    omega = 1.3
    M = omega / (2 - omega) * (diagonal / omega + lower)
    M = M @ np.linalg.inv(diagonal) @ (diagonal / omega + lower).T
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(M, A)).real)
    found = spectrum(SSOR(omega).apply(given).problem).eigenvalues
    assert found == pytest.approx(expected, rel=1e-9)
    ic = kappa(IncompleteCholesky().apply(given).problem)
    assert ic < kappa(SSOR(1.0).apply(given).problem) < kappa(given)


def test_blocks_become_identities():
    given = sparse()
    A = BlockJacobi(8).apply(given).problem.operator.to_dense()
    for first in range(0, 40, 8):
        block = A[first : first + 8, first : first + 8]
        assert block == pytest.approx(np.eye(8), abs=1e-12)


def test_a_breakdown_is_shifted_or_said():
    kershaw = Quadratic(np.array([[3.0, -2, 0, 2], [-2, 3, -2, 0], [0, -2, 3, -2], [2, 0, -2, 3]]))
    assert "breaks down in row 3" in IncompleteCholesky(0.0).why_not(kershaw)
    changed = IncompleteCholesky().apply(kershaw)
    assert "shifted by" in changed.note
    assert kappa(changed.problem) < kappa(kershaw)


def test_a_large_sparse_matrix_is_changed_without_being_decomposed():
    """d = 2500: the preconditioned product against dense algebra on one vector, κ by Lanczos."""
    given = gallery.laplacian_2d(50)
    given = Quadratic(scipy.sparse.csr_array(given.operator.to_dense()), np.ones(2500))
    changed = IncompleteCholesky().apply(given)
    assert changed.problem.operator.kind == "operator"
    z = np.random.default_rng(0).normal(size=2500)
    assert changed.problem.value(z) == pytest.approx(given.value(changed.back(z)), rel=1e-10)
    assert changed.forward(changed.back(z)) == pytest.approx(z, rel=1e-8, abs=1e-10)


# -- ridge ---------------------------------------------------------------------------------------


def test_ridge_reaches_its_aim_and_solves_the_penalised_equations():
    given = gallery.longley()
    remedy = Ridge(50.0)
    changed = remedy.apply(given)
    X = Standardise().apply(given).problem.X
    n = len(X)
    gamma = remedy.strength(given)
    correlation = X[:, 1:].T @ X[:, 1:] / n
    values = np.linalg.eigvalsh(correlation) + gamma
    assert values[-1] / values[0] == pytest.approx(50, rel=1e-9)
    slopes = np.linalg.solve(
        correlation + gamma * np.eye(6), X[:, 1:].T @ (given.y - given.y.mean()) / n
    )
    assert changed.problem.minimizer[1:] == pytest.approx(slopes, rel=1e-8)
    assert changed.problem.minimizer[0] == pytest.approx(given.y.mean())


@each(
    ("remedy", "problem", "match"),
    [
        (Jacobi(), Quadratic([[0.0, 0.0], [0.0, 1.0]]), "zero on its diagonal"),
        (Jacobi(), Quadratic([[-1.0, 0.0], [0.0, 1.0]]), "negative diagonal"),
        (Whiten(), gallery.saddle(), "negative curvature"),
        (IncompleteCholesky(), dense(), "no zeros"),
        (OptimalDiagonal(), Quadratic(np.ones((3, 3))), "singular to rounding"),
        (SSOR(), data(), "never formed"),
        (BlockJacobi(), gallery.toy(), "too few"),
        (BlockJacobi(2), Quadratic(1 + np.diag([0, -0.5, 1.0])), "not positive definite"),
        (Standardise(), dense(), "no columns"),
        (Ridge(), gallery.toy(), "already"),
        (
            Jacobi(),
            Quadratic(scipy.sparse.linalg.aslinearoperator(np.eye(3))),
            "only products with A",
        ),
    ],
)
def test_what_cannot_be_applied_says_why(remedy, problem, match):
    with pytest.raises(InputError, match=match):
        remedy.apply(problem)


@each(
    ("make", "match"),
    [
        (lambda: SSOR(2.0), "omega"),
        (lambda: BlockJacobi(0), "size"),
        (lambda: Ridge(1.0), "condition_number"),
        (lambda: IncompleteCholesky(-1.0).apply(sparse()), "shift"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(InputError, match=match):
        make()
