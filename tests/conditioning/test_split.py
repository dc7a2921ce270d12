"""κ in parts, for data with certified condition numbers."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from cases import each

from convex_analyzer.conditioning.split import split
from convex_analyzer.problems import gallery
from convex_analyzer.problems.files import load
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.collinearity import collinearity

DATA = Path(__file__).parents[1] / "data"
NIST = json.loads((DATA / "nist" / "expected.json").read_text(encoding="utf-8"))["datasets"]
MATRICES = json.loads((DATA / "matrices" / "expected.json").read_text(encoding="utf-8"))
CLOSED = json.loads((DATA / "closed_form.json").read_text(encoding="utf-8"))["matrices"]
# κ(X) with columns of unit length, and κ of the correlation matrix: 80 digits from exact decimals
PRECISE = {
    "Longley": (43275.04358718403, 12220.00986027776),
    "NoInt1": (1.0, None),
    "Norris": (2.800505452950165, 1.0),
    "Pontius": (18.44682386581005, 68.80364770504458),
    "Wampler1": (2220.208496448218, 2664487.489302873),
    "Wampler3": (2220.208496448218, 2664487.489302873),
}


def nist(name: str):
    with (DATA / "nist" / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    y = np.array([float(row.pop("y")) for row in rows])
    X = np.array([[float(value) for value in row.values()] for row in rows])
    degree = NIST[name]["p"] - 1
    if X.shape[1] == 1 and degree > 1:
        X = X ** np.arange(1, degree + 1)
    return least_squares(X, y, intercept=name != "NoInt1")


@each("name", sorted(NIST))
def test_certified_data(name):
    """κ(X), κ of unit columns and κ of the correlation matrix, against 80 digits."""
    problem, expected = nist(name), NIST[name]["computed_here"]
    unit, correlation = PRECISE[name]
    found = split(problem, best_diagonal=1.0)  # not asked for here
    given = found.view("raw" if name == "NoInt1" else "with intercept")
    assert given.kappa_of_data == pytest.approx(float(expected["kappa2_X"]), rel=1e-9)
    assert given.kappa == pytest.approx(float(expected["kappa2_gram"]), rel=1e-9)
    scaled = found.view("scaled" if name == "NoInt1" else "scaled with intercept")
    assert scaled.kappa_of_data == pytest.approx(unit, rel=1e-9)
    assert collinearity(problem).condition_number == pytest.approx(unit, rel=1e-9)
    if correlation is not None:
        assert found.view("standardised").kappa == pytest.approx(correlation, rel=1e-8)
    total = sum(share.decades for share in found.shares)
    assert total == pytest.approx(math.log10(given.kappa), abs=1e-9)


LECTURE = {
    "slide 24": (
        gallery.lecture001_slide24,
        {
            "raw": 1.386e10,
            "with intercept": 1.013e12,
            "centred": 2.640e11,
            "standardised": 28.21,
        },
    ),
    "slide 25": (
        gallery.lecture001_slide25,
        {
            "raw": 8.776e5,
            "with intercept": 7.129e11,
            "centred": 2.479,
            "centred with intercept": 5.685,
            "standardised": 2.479,
        },
    ),
}


@each("slide", LECTURE)
@each("intercept", [False, True])
def test_lecture_tables(slide, intercept):
    make, expected = LECTURE[slide]
    found = split(make(intercept=intercept))
    for name, kappa in expected.items():
        assert found.view(name).kappa == pytest.approx(kappa, rel=5e-4), name
    assert found.view("whitened").kappa == 1
    assert found.largest == {"slide 24": "units", "slide 25": "offset"}[slide]
    assert found.view("with intercept").same_model == intercept


MATRICES_KNOWN = {
    "poisson1d_10": lambda: gallery.laplacian_1d(10),
    "minij_10": lambda: gallery.minij(10),
    "pei_10_1": lambda: gallery.pei(10),
    "pascal_5": lambda: gallery.pascal(5),
    "lehmer_5": lambda: gallery.lehmer(5),
    "kms_8_1/2": lambda: gallery.kms(8),
    "kac_shifted_8": lambda: gallery.clement_shifted(8),
    "wilson_4": gallery.wilson,
    "identity_6": lambda: gallery.identity(6),
    "dataflowr_toy": gallery.toy,
    "hilbert_3": lambda: gallery.hilbert(3),
    "hilbert_6": lambda: gallery.hilbert(6),
}


@pytest.mark.parametrize("name", MATRICES_KNOWN)
def test_closed_forms(name):
    """κ as given; and the best diagonal scaling is no worse than none or Jacobi's."""
    found = split(MATRICES_KNOWN[name]())
    kappa = found.view("as given").kappa
    assert kappa == pytest.approx(float(CLOSED[name]["kappa2"]), rel=1e-8)
    assert found.best_diagonal <= min(kappa, found.view("unit diagonal").kappa) * (1 + 1e-9)
    assert found.rotation_decades == pytest.approx(math.log10(found.best_diagonal))


@pytest.mark.parametrize("name", ["LFAT5", "mesh1e1", "Trefethen_500"])
def test_published_matrices(name):
    problem = load(DATA / "matrices" / f"{name}.mtx.gz")
    found = split(problem, best_diagonal=1.0)  # not asked for here
    expected = float(MATRICES[name]["published"]["condition_number_2"])
    assert found.view("as given").kappa == pytest.approx(expected, rel=1e-6)
    if name == "LFAT5":  # a finite-element matrix: its units are forces and moments
        assert found.decades("units") > 1


def test_a_polynomial_like_filip_beyond_what_its_square_can_carry():
    """Degree 10 far from zero: κ(X) near 1e15, so that XᵀX has no digit left; 90-digit mpmath."""
    x = np.linspace(-8.78, -3.13, 40)
    X = x[:, None] ** np.arange(11)
    with mpmath.workdps(90):
        A = mpmath.matrix(X.tolist())
        values = sorted(mpmath.eigsy(A.T * A, eigvals_only=True))
        expected = float(mpmath.sqrt(values[-1] / values[0]))
    assert 1e14 < expected < 1e16
    assert abs(np.linalg.eigvalsh(X.T @ X)[0]) > 1000 * values[0]  # what forming it would give
    found = split(least_squares(X, x), best_diagonal=1.0)
    assert found.view("with intercept").kappa_of_data == pytest.approx(expected, rel=1e-4)


def test_an_exact_dependency_and_a_constant_column():
    generator = np.random.default_rng(0)
    X = generator.normal(size=(12, 3))
    X[:, 2] = X[:, 0] - X[:, 1]
    found = split(least_squares(X, X[:, 0], intercept=True))
    assert found.decades("collinearity") == math.inf
    assert found.largest == "collinearity"
    assert found.view("with intercept").is_singular
    X[:, 2] = 1e8 + 1e-12 * X[:, 0]  # constant to rounding
    assert split(least_squares(X, X[:, 0], intercept=True)).view("standardised").is_singular
    only = split(least_squares(np.ones((3, 1)), np.ones(3)))
    assert [share.decades for share in only.shares] == [0.0]
    with pytest.raises(KeyError):
        only.view("no such view")


def test_a_column_of_ones_that_the_user_made_is_the_intercept():
    """As statsmodels' add_constant does; also in another unit, or in another place."""
    generator = np.random.default_rng(1)
    X = generator.normal(size=(20, 2)) + 50
    y = X[:, 0]
    expected = split(least_squares(X, y, intercept=True))
    made = split(least_squares(np.column_stack([X, np.ones(20)]), y))
    assert [s.cause for s in made.shares] == ["offset", "units", "collinearity"]
    for a, b in zip(made.shares, expected.shares, strict=True):
        assert a.decades == pytest.approx(b.decades, abs=1e-9)
    tens = split(least_squares(np.column_stack([10 * np.ones(20), X]), y))
    assert tens.decades("collinearity") == pytest.approx(expected.decades("collinearity"))


def test_a_matrix_with_units():
    A = np.array([[4.0, 1, 0], [1, 3, 1], [0, 1, 5]])
    D = np.diag([1.0, 1e3, 1e-2])
    found = split(Quadratic(D @ A @ D))
    assert found.largest == "units"
    assert found.view("unit diagonal").kappa == pytest.approx(
        split(Quadratic(A)).view("unit diagonal").kappa, rel=1e-6
    )
