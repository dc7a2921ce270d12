"""Every matrix of the gallery has the spectrum that theory, or someone else, says it has."""

from __future__ import annotations

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.problems import gallery
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum

DATA = Path(__file__).parents[1] / "data"
CLOSED_FORM = json.loads((DATA / "closed_form.json").read_text(encoding="utf-8"))["matrices"]

MAKERS = {
    "poisson1d_10": lambda: gallery.laplacian_1d(10),
    "poisson1d_50": lambda: gallery.laplacian_1d(50),
    "minij_10": lambda: gallery.minij(10),
    "minij_50": lambda: gallery.minij(50),
    "poisson2d_8x8": lambda: gallery.laplacian_2d(8),
    "gr_30_30_formula": lambda: gallery.laplacian_2d(30, points=9),
    "pei_10_1": lambda: gallery.pei(10, 1.0),
    "pascal_5": lambda: gallery.pascal(5),
    "lehmer_5": lambda: gallery.lehmer(5),
    "kms_8_1/2": lambda: gallery.kms(8, 0.5),
    "kac_shifted_8": lambda: gallery.clement_shifted(8),
    "wilson_4": gallery.wilson,
    "identity_6": lambda: gallery.identity(6),
    "dataflowr_toy": gallery.toy,
    **{f"hilbert_{n}": (lambda n=n: gallery.hilbert(n)) for n in range(2, 7)},
}

PI = mpmath.pi
FORMULAS = {
    "poisson1d": (
        lambda: gallery.laplacian_1d(23),
        lambda: [4 * mpmath.sin(k * PI / 48) ** 2 for k in range(1, 24)],
    ),
    "minij": (
        lambda: gallery.minij(17),
        lambda: [1 / (4 * mpmath.sin((2 * k - 1) * PI / 70) ** 2) for k in range(1, 18)],
    ),
    "poisson2d": (
        lambda: gallery.laplacian_2d(6),
        lambda: [
            4 * mpmath.sin(i * PI / 14) ** 2 + 4 * mpmath.sin(j * PI / 14) ** 2
            for i in range(1, 7)
            for j in range(1, 7)
        ],
    ),
    "nine points": (
        lambda: gallery.laplacian_2d(5, points=9),
        lambda: [
            9 - (1 + 2 * mpmath.cos(i * PI / 6)) * (1 + 2 * mpmath.cos(j * PI / 6))
            for i in range(1, 6)
            for j in range(1, 6)
        ],
    ),
    "pei": (lambda: gallery.pei(7, 0.25), lambda: [0.25] * 6 + [7.25]),
    "clement": (lambda: gallery.clement_shifted(9), lambda: list(range(1, 18, 2))),
}


def relative(value, exact) -> float:
    return float(abs(mpmath.mpf(value) - mpmath.mpf(exact)) / abs(mpmath.mpf(exact)))


@each("name", sorted(CLOSED_FORM))
def test_published_ends_of_the_spectrum(name):
    expected, found = CLOSED_FORM[name], spectrum(MAKERS[name]())
    assert relative(found.lambda_min, expected["lambda_min"]) <= 1e-12
    assert relative(found.lambda_max, expected["lambda_max"]) <= 1e-12
    assert relative(found.condition_number, expected["kappa2"]) <= 1e-12
    assert relative(found.gradient_descent_limit, expected["gd_bound"]) <= 1e-12
    low, high = found.condition_number_bracket
    assert mpmath.mpf(low) <= mpmath.mpf(expected["kappa2"]) * (1 + mpmath.mpf("1e-19"))
    assert mpmath.mpf(high) >= mpmath.mpf(expected["kappa2"]) * (1 - mpmath.mpf("1e-19"))
    assert found.definiteness == "positive definite"


@each("name", sorted(FORMULAS))
def test_every_eigenvalue_follows_the_formula(name):
    make, formula = FORMULAS[name]
    found = spectrum(make()).eigenvalues
    exact = sorted(formula())
    assert len(found) == len(exact)
    assert max(relative(a, b) for a, b in zip(found, exact, strict=True)) <= 1e-12


@pytest.mark.parametrize("n", [6, 7])
def test_clement_without_a_shift_is_indefinite_and_singular_when_odd(n):
    found = spectrum(gallery.clement_shifted(n, shift=0.0))
    assert found.definiteness == "indefinite"
    assert found.rank == (n if n % 2 == 0 else n - 1)
    exact = np.arange(1 - n, n, 2)
    assert np.abs(found.eigenvalues - exact).max() <= 1e-12 * n


def test_singular_and_saddle_are_named():
    flat = spectrum(gallery.singular())
    assert flat.definiteness == "positive semi-definite (singular)"
    assert flat.eigenvalues.tolist() == [0.0, 4.0]
    assert gallery.singular(bounded=False).why_no_minimum is not None
    through = spectrum(gallery.saddle())
    assert through.definiteness == "indefinite"
    assert through.critical_point == "saddle"
    assert through.eigenvalues == pytest.approx([-1.0, 3.0], rel=1e-14)


def test_hilbert_is_exact_beyond_its_float64_entries():
    """The 8 x 8 Hilbert matrix rounded to float64 has κ = 1.526e10 to seven digits only."""
    found = spectrum(gallery.hilbert(8))
    with mpmath.workdps(60):
        values = mpmath.eigsy(mpmath.hilbert(8), eigvals_only=True)
        kappa = max(values) / min(values)
        assert relative(found.condition_number, kappa) <= 1e-14
    assert found.kind == "exact"


@pytest.mark.parametrize(("n", "kappa"), [(20, "6.308860e+01"), (150, "7.699215e+02")])
def test_trefethen_matches_the_suitesparse_index(n, kappa):
    assert f"{spectrum(gallery.trefethen(n)).condition_number:.6e}" == kappa


def test_trefethen_diagonal_is_the_primes():
    diagonal = gallery.trefethen(12).operator.to_dense().diagonal()
    assert diagonal.tolist() == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37]


@pytest.mark.parametrize("kappa", [1.0, 20.0, 1e6])
def test_ravine_has_the_condition_number_and_the_angle(kappa):
    problem = gallery.ravine(kappa, angle=0.3)
    found = spectrum(problem)
    assert found.condition_number == pytest.approx(kappa, rel=1e-9)
    floor = np.array([math.cos(0.3), math.sin(0.3)])
    along = problem.hessian_vector(None, floor)
    assert along == pytest.approx(floor / math.sqrt(kappa), abs=1e-12 * math.sqrt(kappa))


def test_random_has_the_given_spectrum_and_repeats():
    values = [-2.0, 0.5, 3.0, 3.0]
    first, again = gallery.random(values, seed=5), gallery.random(values, seed=5)
    other = gallery.random(values, seed=6)
    assert spectrum(first).eigenvalues == pytest.approx(values, abs=1e-13)
    assert np.array_equal(first.operator.to_dense(), again.operator.to_dense())
    assert not np.allclose(first.operator.to_dense(), other.operator.to_dense())
    assert np.any(gallery.random(values, b="random").linear != 0)
    assert gallery.random(spectrum(gallery.toy())).dimension == 2


def test_random_eigenvectors_are_uniform():
    """For a Haar rotation every squared entry has mean 1/d, and for d = 3 variance 4/45."""
    d, draws = 3, 400
    total = np.zeros((d, d))
    for seed in range(draws):
        _, vectors = np.linalg.eigh(gallery.random([1.0, 2.0, 3.0], seed=seed).operator.to_dense())
        total += vectors**2
    assert np.abs(total / draws - 1 / d).max() < 5 * math.sqrt(4 / 45 / draws)


@each(
    ("make", "options", "kappa"),
    [
        (gallery.lecture001_slide24, {}, 1.386e10),
        (gallery.lecture001_slide24, {"intercept": True}, 1.013e12),
        (gallery.lecture001_slide24, {"center": True}, 2.640e11),
        (gallery.lecture001_slide24, {"standardize": True}, 28.21),
        (gallery.lecture001_slide25, {}, 8.776e5),
        (gallery.lecture001_slide25, {"intercept": True}, 7.129e11),
        (gallery.lecture001_slide25, {"center": True}, 2.479),
        (gallery.lecture001_slide25, {"center": True, "intercept": True}, 5.685),
        (gallery.lecture001_slide25, {"standardize": True}, 2.479),
    ],
)
def test_tables_of_the_lecture(make, options, kappa):
    assert f"{spectrum(make(**options)).condition_number:.3e}" == f"{kappa:.3e}"


def test_longley_raw_and_standardised():
    data = spectrum(gallery.longley()).data
    assert f"{data.condition_number:.6e}" == "4.859257e+09"
    assert f"{spectrum(gallery.longley(intercept=False)).data.condition_number:.0f}" == "456038"
    standardised = gallery.longley(standardize=True)
    assert spectrum(standardised).condition_number == pytest.approx(12220.00986, rel=1e-9)
    correlations = np.corrcoef(gallery.longley(intercept=False).X.T)
    expected = np.sort([1.0, *np.linalg.eigvalsh(correlations)])
    assert spectrum(standardised).eigenvalues == pytest.approx(expected, rel=1e-9)


def test_longley_is_the_file_in_examples():
    root = Path(__file__).parents[2]
    bundled = (root / "convex_analyzer" / "data" / "longley.csv").read_bytes()
    assert bundled == (root / "examples" / "data" / "longley.csv").read_bytes()
    columns = (
        (root / "examples" / "data" / "longley.csv").read_text(encoding="utf-8").split("\n")[0]
    )
    assert columns == "TOTEMP,GNPDEFL,GNP,UNEMP,ARMED,POP,YEAR"


def test_longley_agrees_with_nist_number_by_number():
    lines = (DATA / "nist" / "Longley.csv").read_text(encoding="utf-8").split()[1:]
    numbers = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    problem = gallery.longley(intercept=False)
    assert np.array_equal(problem.y, numbers[:, 0])
    assert np.array_equal(problem.X, numbers[:, 1:])


@each("name", gallery.names())
def test_every_problem_works_without_arguments_and_is_documented(name):
    make = getattr(gallery, name)
    problem = make()
    assert isinstance(problem, Quadratic)
    assert make.__doc__
    assert problem.name not in {"quadratic", "least squares"}
    assert np.isfinite(problem.value(np.ones(problem.dimension)))
    if isinstance(problem, LeastSquares):
        assert problem.labels is not None


@each(
    ("name", "arguments", "words"),
    [
        ("hilbert", {"n": 0}, "n must be an integer from 1"),
        ("minij", {"n": 2.5}, "n must be an integer"),
        ("pei", {"n": True}, "n must be an integer"),
        ("ravine", {"condition_number": 0.5}, "condition_number must be at least 1"),
        ("ravine", {"angle": math.nan}, "condition_number must be at least 1 and angle finite"),
        ("kms", {"rho": 1.0}, "rho must be in"),
        ("laplacian_2d", {"points": 7}, "points must be 5 or 9"),
        ("random", {"spectrum": []}, "spectrum must be a vector"),
        ("random", {"b": "other"}, "b must be numbers or 'random'"),
    ],
)
def test_bad_arguments_are_one_sentence(name, arguments, words):
    with pytest.raises(InputError, match=words):
        getattr(gallery, name)(**arguments)
