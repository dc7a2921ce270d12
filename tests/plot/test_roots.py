"""Figure 5 against NumPy's roots of the characteristic polynomials."""

from __future__ import annotations

import math

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.errors import InputError
from convex_analyzer.plot.figures.roots import finding, roots_data


def sorted_roots(values):
    return sorted(np.asarray(values), key=lambda z: (round(z.real, 9), round(z.imag, 9)))


def test_roots_are_those_of_the_polynomials(compared):
    data = roots_data(compared("chosen"))
    by_label = {method.label: method for method in data.methods}
    for label, alpha, mu in (("HeavyBall 1", 0.4, 0.9), ("GradientDescent", 0.4, 0.0)):
        method = by_label[label]
        for lam, found in zip((0.2, 4.0), method.roots, strict=True):
            exact = np.roots([1, -(1 + mu - alpha * lam), mu]) if mu else [1 - alpha * lam]
            assert np.allclose(sorted_roots(found), sorted_roots(exact), atol=1e-9)


def test_complex_pairs_of_a_heavy_ball_lie_on_a_circle(compared):
    data = roots_data(compared("chosen"))
    circles = {method.label: method.circle for method in data.methods}
    assert circles["HeavyBall 1"] == pytest.approx(math.sqrt(0.9))
    assert circles["GradientDescent"] is None
    (curved,) = (m for m in roots_data(compared("many")).methods if m.label == "Nesterov 2")
    assert curved.circle is None  # Nesterov's pairs lie on a circle of their own per direction


def test_only_the_ends_of_many_directions_are_drawn(compared):
    method = roots_data(compared("d = 100")).methods[0]
    assert method.directions == (1, 100)
    assert method.eigenvalues == pytest.approx([1.0, 1e4])
    few = roots_data(compared("repeated")).methods[0]
    assert few.directions == (1, 4, 6)  # one of each distinct eigenvalue


def test_an_analysis_and_several_can_be_drawn():
    toy = ca.gallery.toy()
    one = ca.analyze(toy, ca.HeavyBall(0.4, 0.9))
    assert [m.label for m in roots_data(one).methods] == ["HeavyBall"]
    two = [one, ca.analyze(toy, ca.HeavyBall(0.1, 0.5))]
    assert [m.label for m in roots_data(two).methods] == ["HeavyBall 1", "HeavyBall 2"]
    with pytest.raises(InputError, match="at least one analysis"):
        roots_data([])


def test_colours_are_those_of_the_comparison(compared):
    """A rule without theory is left out here, but the others keep their looks."""
    comparison = compared("not linear")
    (method,) = roots_data(comparison).methods
    (_, curve) = plot.gap_curves_data(comparison).curves
    assert method.look == curve.look


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("toy", "HeavyBall keeps its roots within 0.635, GradientDescent within 0.905"),
        ("identity", "Every root is at 0: all directions are finished at once"),
        ("single", "HeavyBall keeps its roots within 0.949 and swings in every direction"),
        (
            "diverging",
            "GradientDescent has a root outside the circle, the largest 1.4, along q₂ (λ = 4)",
        ),
        ("marginal", "HeavyBall has a root on the circle: its error never decays"),
        (
            "saddle",
            "Every method has a root outside the circle: along q₁ (λ = −1) all of them escape",
        ),
        ("only not linear", "Cubic: not linear, so there are no roots"),
        ("flat", "There is no curvature: every root stays at 1"),
    ],
)
def test_findings(compared, case, expected):
    assert finding(roots_data(compared(case))) == expected


def test_roots_far_outside_are_pulled_in_and_their_size_is_written(compared):
    data = roots_data(compared("some diverge"))
    assert data.reach <= 3.5
    svg = plot.style.to_svg(plot.roots(data)).decode()
    assert "Nesterov: 13.8" in svg
    exact = max(np.abs(np.roots([1, -1.9 * (1 - 2.0 * 4.0), 0.9 * (1 - 2.0 * 4.0)])))
    assert exact == pytest.approx(13.8, abs=0.05)


def test_the_circle_is_round(compared):
    for case in ("toy", "some diverge"):
        (axes,) = plot.roots(compared(case)).axes
        box = axes.get_window_extent()
        across = np.ptp(axes.get_xlim()) / box.width
        assert across == pytest.approx(np.ptp(axes.get_ylim()) / box.height, rel=1e-6)
