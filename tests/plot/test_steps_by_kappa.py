"""Figure 8: counts against the general theory and against Chebyshev polynomials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import each
from figure_checks import check_whole, check_words

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.spectra.spectrum import Spectrum

GD, HB = ca.GradientDescent, ca.HeavyBall


def test_curves_are_the_counts_of_tuned_methods_from_the_worst_start():
    data = plot.steps_by_kappa_data(ca.analyze(Spectrum.from_eigenvalues([1.0, 37.0]), GD))
    for place in (0, 5, 22, int(np.searchsorted(data.kappas, 37.0))):
        kappa = float(data.kappas[place])
        spectrum = Spectrum.from_eigenvalues(np.unique(np.geomspace(1.0, kappa, 9)))
        for method, counts in ((GD, data.descent), (HB, data.momentum)):
            theory = ca.analyze(spectrum, method)
            count = int(counts[place])
            worst = theory.sampled_worst_error(np.array([count - 1.0, count])) ** 2
            assert worst[1] <= 1e-6 * (1 + 1e-9), kappa
            assert worst[0] > 1e-6 or kappa == 1.0, kappa
        k = int(data.limit[place])
        if (
            k > 1
        ):  # cosh(k arcosh((κ + 1)/(κ - 1))): how far a Chebyshev polynomial shrinks an error
            shrinks = [math.cosh(n * math.acosh((kappa + 1) / (kappa - 1))) for n in (k - 1, k)]
            assert shrinks[0] < 1e3 <= shrinks[1] * (1 + 1e-9)


def test_slopes_are_one_and_a_half():
    data = plot.steps_by_kappa_data(ca.compare(ca.Quadratic.diagonal([1e-4, 1e4]), steps=10))
    late = data.kappas > 1e4

    def slope(counts):
        return np.polyfit(np.log(data.kappas[late]), np.log(counts[late]), 1)[0]

    assert slope(data.descent) == pytest.approx(1.0, abs=1e-3)
    assert slope(data.limit) == pytest.approx(0.5, abs=1e-2)
    assert 0.5 < slope(data.momentum) < 0.55  # the factor k before the power costs a little


def test_dots_are_what_the_comparison_needs(compared):
    data = plot.steps_by_kappa_data(compared("chosen"))
    assert data.kappa == pytest.approx(20)
    needed = [entry.steps_needed for entry in compared("chosen")]
    assert [dot.steps for dot in data.dots] == needed
    assert [dot.tuned for dot in data.dots] == [False, False, True, False]
    assert plot.finding(data) == "At κ = 20 momentum buys a factor 2.92: 24 steps instead of 70"
    alone = plot.steps_by_kappa_data(ca.analyze(ca.gallery.toy(), GD(0.4)))
    ((first, *_), bound) = alone.dots, 2 * math.log(1 - 0.4 * 0.2)
    assert first.steps == math.ceil(math.log(1e-6) / bound)  # |1 - αλ₁| is the largest factor


@each(
    "name, said",
    [
        ("1x1", "momentum buys nothing"),
        ("diverging", "GradientDescent as chosen never arrives"),
        ("many", "momentum buys"),
        ("singular", "At κ = 1"),
    ],
)
def test_every_picture_is_whole_and_says_what_momentum_buys(compared, name, said):
    data = plot.steps_by_kappa_data(compared(name))
    title = check_words(data)
    assert said in title
    assert title in check_whole(plot.steps_by_kappa(data))


def test_bad_input_is_told_what_to_do(compared):
    for subject, hint in (
        (compared("saddle"), "convex problem"),
        (compared("flat"), "other than zero"),
        (3.0, "analyze"),
    ):
        with pytest.raises(InputError, match=hint):
            plot.steps_by_kappa_data(subject)
