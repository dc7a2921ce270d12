"""What a spectrum says of itself, from eigenvalues given outright."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.spectra.spectrum import Bracket, Spectrum

values = st.lists(st.floats(-1e3, 1e3).filter(lambda x: x == 0 or abs(x) > 1e-6), min_size=1)


@given(values)
def test_basic_facts(given_values):
    spectrum = Spectrum.from_eigenvalues(given_values)
    ordered = sorted(given_values)
    assert spectrum.eigenvalues.tolist() == ordered
    assert (spectrum.lambda_min, spectrum.lambda_max) == (ordered[0], ordered[-1])
    assert spectrum.lambda_min in spectrum.lambda_min_bracket
    assert spectrum.lambda_max in spectrum.lambda_max_bracket
    nonzero = [abs(v) for v in ordered if v != 0]
    assert spectrum.rank == len(nonzero)
    assert spectrum.dimension == len(ordered)
    assert spectrum.positive.tolist() == [v for v in ordered if v > 0]
    if nonzero:
        kappa = max(nonzero) / min(nonzero)
        assert spectrum.condition_number == kappa
        assert kappa in spectrum.condition_number_bracket
        assert spectrum.smallest_nonzero == min(nonzero)
    else:
        assert spectrum.condition_number is None
        assert spectrum.condition_number_bracket is None
        assert spectrum.smallest_nonzero is None
    top = ordered[-1]
    assert spectrum.gradient_descent_limit == (2 / top if top > 0 else None)
    assert str(spectrum)  # prints
    json.dumps(spectrum.to_dict(), allow_nan=False)


@each(
    ("eigenvalues", "definiteness", "critical_point"),
    [
        ([1, 2], "positive definite", "unique minimum"),
        ([0, 2], "positive semi-definite (singular)", "valley"),
        ([0, 0], "zero", "flat"),
        ([-1, 2], "indefinite", "saddle"),
        ([-1, 0, 2], "indefinite", "saddle"),
        ([-2, -1], "negative definite", "maximum"),
        ([-2, 0], "negative semi-definite (singular)", "ridge"),
    ],
)
def test_definiteness_and_critical_point(eigenvalues, definiteness, critical_point):
    spectrum = Spectrum.from_eigenvalues(eigenvalues)
    assert spectrum.definiteness == definiteness
    assert critical_point in spectrum.critical_point
    text = str(spectrum)
    assert definiteness in text
    assert ("negative curvature is never stable" in text) == (min(eigenvalues) < 0)


def test_the_linear_term_follows_the_order():
    spectrum = Spectrum.from_eigenvalues([3.0, 1.0, 2.0], [30.0, 10.0, 20.0])
    assert spectrum.linear.tolist() == [10.0, 20.0, 30.0]
    assert Spectrum.from_eigenvalues([1.0]).linear.tolist() == [0.0]


def test_intervals_stand_for_all_spectra_between():
    spectrum = Spectrum.between(1.0, 100.0)
    assert spectrum.is_interval
    assert spectrum.condition_number == 100.0
    assert spectrum.gradient_descent_limit == 0.02
    assert "not known: only the ends" in str(spectrum)
    assert "an interval" in str(spectrum)
    assert "[1, 100]" in repr(spectrum)


def test_a_condition_number_that_float64_cannot_carry():
    spectrum = Spectrum(
        eigenvalues=np.array([0.0, 0.0, 2.0]),
        lambda_min_bracket=Bracket(0.0, 1e-16),
        lambda_max_bracket=Bracket(2.0, 2.0),
        zero_tolerance=1e-16,
        resolved=False,
        dimension=3,
    )
    assert spectrum.condition_number == 2e16
    assert spectrum.condition_number_bracket.high == math.inf
    assert "at least 2e16: float64 cannot carry more" in spectrum.describe_condition_number()
    assert spectrum.definiteness == "positive semi-definite to rounding"
    assert "flat to rounding" in spectrum.critical_point
    assert "0 (cannot be told from it" in str(spectrum)
    assert spectrum.to_dict()["condition_number_bracket"]["high"] is None


def test_a_singular_matrix_says_over_which_eigenvalues():
    text = Spectrum.from_eigenvalues([0.0, 1.0, 4.0]).describe_condition_number()
    assert text.startswith("4 over the")
    assert "non-zero eigenvalues" in text
    assert "singular" in text
    assert Spectrum.from_eigenvalues([0.0]).describe_condition_number() == "undefined: A is zero"
    assert "any α: there is no curvature" in str(Spectrum.from_eigenvalues([0.0]))


def test_exact_numbers_give_an_exact_condition_number():
    third = sympy.Rational(1, 3)
    spectrum = Spectrum(
        eigenvalues=np.array([float(third), 1.0]),
        lambda_min_bracket=Bracket(0.33, 0.34),
        lambda_max_bracket=Bracket(1.0, 1.0),
        exact_eigenvalues=(third, sympy.Integer(1)),
        dimension=2,
    )
    assert spectrum.condition_number == 3.0
    assert spectrum.to_dict()["exact_eigenvalues"] == ["1/3", "1"]


def test_condition_number_brackets_hold_for_any_brackets_of_the_ends():
    """κ of any matrix whose extreme eigenvalues lie in the brackets lies in its bracket."""
    spectrum = Spectrum(
        eigenvalues=np.array([1.0, 10.0]),
        lambda_min_bracket=Bracket(0.9, 1.1),
        lambda_max_bracket=Bracket(9.5, 10.5),
        dimension=2,
    )
    bracket = spectrum.condition_number_bracket
    for low in (0.9, 1.0, 1.1):
        for high in (9.5, 10.0, 10.5):
            assert high / low in bracket
    wide = Spectrum(np.array([1.0, 10.0]), Bracket(-1.0, 3.0), Bracket(10.0, 10.0), dimension=2)
    assert wide.condition_number_bracket.high == math.inf


def test_value_equality():
    assert Spectrum.from_eigenvalues([2.0, 1.0]) == Spectrum.from_eigenvalues([2.0, 1.0])
    assert Spectrum.from_eigenvalues([1.0, 2.0]) != Spectrum.from_eigenvalues([1.0, 3.0])
    assert Spectrum.from_eigenvalues([1.0], [1.0]) != Spectrum.from_eigenvalues([1.0])


@each("wrong", [[], [[1.0]], [math.nan], [math.inf], 3.0])
def test_bad_eigenvalues(wrong):
    with pytest.raises(InputError, match="non-empty vector of finite numbers"):
        Spectrum.from_eigenvalues(wrong)


def test_bad_linear_terms():
    with pytest.raises(InputError, match=r"linear must have shape \(2,\), got \(1,\)"):
        Spectrum.from_eigenvalues([1.0, 2.0], [1.0])


@each(("m", "L"), [(0.0, 1.0), (-1.0, 1.0), (2.0, 1.0), (1.0, math.inf), (math.nan, 1.0)])
def test_bad_intervals(m, L):
    with pytest.raises(InputError, match="0 < m <= L"):
        Spectrum.between(m, L)


def test_brackets():
    bracket = Bracket(1.0, 3.0)
    assert tuple(bracket) == (1.0, 3.0)
    assert 4.0 not in bracket
    assert str(bracket) == "2 ± 1"
    assert str(Bracket(5.0, math.inf)) == "≥ 5"
