"""Laws of eigenvalues: exact moments, edges, and refusals."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError
from convex_analyzer.spectra.density import Density


def marchenko_pastur_moment(ratio, order):
    """The exact moment: Narayana numbers, as a fraction."""
    r = Fraction(ratio)
    return sum(
        Fraction(math.comb(order, j) * math.comb(order - 1, j), j + 1) * r**j for j in range(order)
    )


@each("ratio", [0.125, 0.5, 1.0, 2.0, 8.0])
def test_every_moment_up_to_the_degree_is_exact(ratio):
    law = Density.marchenko_pastur(ratio, nodes=12)
    assert law.degree == 23
    assert law.moment(0) == pytest.approx(1.0, abs=1e-14)
    for order in range(1, 24):
        truth = float(marchenko_pastur_moment(ratio, order))
        assert law.moment(order) == pytest.approx(truth, rel=1e-12)
    few = Density.marchenko_pastur(ratio, nodes=4)
    assert abs(few.moment(8) / float(marchenko_pastur_moment(ratio, 8)) - 1) > 1e-6


def test_the_law_lies_between_its_edges_and_scales():
    law = Density.marchenko_pastur(0.25, nodes=100, variance=3.0)
    assert law.nodes[0] > 3 * 0.25 > law.nodes[0] * 0.99
    assert law.nodes[-1] < 3 * 2.25 < law.nodes[-1] * 1.01
    assert np.all(np.diff(law.nodes) > 0)
    assert np.all(law.weights > 0)


def test_a_wide_matrix_has_an_atom_at_zero():
    law = Density.marchenko_pastur(4.0, nodes=10)
    assert (law.nodes[0], law.weights[0]) == (0.0, 0.75)
    assert law.nodes[1] > 1.0  # (1 - 2)²


def test_a_large_draw_has_the_moments_of_the_law():
    X = np.random.default_rng(0).normal(size=(600, 300))
    values = np.linalg.eigvalsh(X.T @ X / 600)
    law = Density.marchenko_pastur(0.5)
    for order in (1, 2, 3, 4):
        assert np.mean(values**order) == pytest.approx(law.moment(order), rel=0.03)


@pytest.mark.parametrize("ratio", [0.25, 1.0])
def test_a_density_with_sharp_edges_integrates(ratio):
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2

    def density(lam):
        return np.sqrt((high - lam) * (lam - low)) / (2 * math.pi * ratio * lam)

    law = Density.from_function(density, low, high, name="by hand")
    for order in range(6):
        truth = float(marchenko_pastur_moment(ratio, order)) if order else 1.0
        assert law.moment(order) == pytest.approx(truth, rel=1e-9)
    assert law.kind == "numerical"


@each(
    ("density", "words"),
    [
        (lambda lam: 0 * lam + 0.4, "integrates to 0.8 on"),
        (lambda lam: np.cos(4 * lam), "negative at λ"),
        (lambda lam: np.where(lam > 2, np.nan, 1.0), "not finite at λ"),
        (lambda lam: 1 / (lam - lam), "not finite"),
    ],
    ids=map(str, itertools.count()),
)
def test_what_is_no_density_is_refused(density, words):
    with pytest.raises(InputError, match=words):
        Density.from_function(density, 1.0, 3.0)


@each(
    ("call", "words"),
    [
        (lambda: Density.from_function(np.exp, 2.0, 1.0), "low < high"),
        (lambda: Density.from_function(np.exp, 0.0, math.inf), "low < high"),
        (lambda: Density.from_function(np.exp, 0.0, 1.0, nodes=0), "nodes must be"),
        (lambda: Density.marchenko_pastur(0.0), "ratio must be positive"),
        (lambda: Density.marchenko_pastur(1.0, variance=-1.0), "variance must be positive"),
        (lambda: Density.marchenko_pastur(1.0, nodes=10**6), "nodes must be"),
        (lambda: Density.power_law(0.0), "exponent must be positive"),
        (lambda: Density.power_law(0.5, 0.5), "exponent \\+ source > 1"),
        (lambda: Density.power_law(1.0, 1.0, dimension=0), "dimension must be"),
        (lambda: Density.power_law(1.0, 1.0, dimension=True), "dimension must be"),
    ],
    ids=map(str, itertools.count()),
)
def test_bad_arguments_are_answered_in_words(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_power_laws_and_their_spectrum():
    law = Density.power_law(1.5, 1.2, dimension=50)
    assert law.nodes[0] == pytest.approx(50**-1.5)
    assert law.nodes[-1] == law.weights[-1] == 1.0
    assert law.moment(1) == pytest.approx(sum(i**-2.7 for i in range(1, 51)))
    assert isinstance(law.spectrum(), ca.Spectrum)
    np.testing.assert_array_equal(law.spectrum().eigenvalues, law.nodes)


def test_it_can_be_printed_and_compared():
    law = Density.marchenko_pastur(0.5, nodes=5)
    assert "polynomials up to degree 9 (exact)" in str(law)
    assert "integrates" in str(Density.power_law(2.0, dimension=3))
    assert repr(law) == "<Density Marchenko–Pastur law, d/n = 0.5: 5 nodes>"
    assert law == Density.marchenko_pastur(0.5, nodes=5)
    assert law.to_dict()["degree"] == 9
