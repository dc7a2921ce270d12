"""Figure 3 against runs by hand and against the full curve."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.plot.curve_data import decimate, gap_curves_data
from convex_analyzer.plot.figures.gap_curves import finding

TOY = np.diag([0.2, 4.0])


def gaps_by_hand(start, steps, alpha, mu=0.0):
    theta, velocity = np.array(start, dtype=float), np.zeros(2)
    gaps = [theta @ TOY @ theta / 2]
    for _ in range(steps):
        velocity = mu * velocity - alpha * TOY @ theta
        theta = theta + velocity
        gaps.append(theta @ TOY @ theta / 2)
    return np.array(gaps) / gaps[0]


def test_lines_and_markers_are_the_run(compared):
    data = gap_curves_data(compared("chosen"))
    for label, settings in {"GradientDescent": (0.4, 0.0), "HeavyBall 1": (0.4, 0.9)}.items():
        curve = next(c for c in data.curves if c.label == label)
        expected = gaps_by_hand([-5.0, -2.0], int(curve.steps[-1]), *settings)
        assert np.allclose(curve.gap, expected[curve.steps.astype(int)], rtol=1e-9, atol=1e-30)
        known = curve.run_steps.astype(int)
        assert np.allclose(curve.run_gap, expected[known], rtol=1e-9, atol=1e-30)
        assert curve.reached == int(np.argmax(expected <= 1e-6))


def test_steps_are_logarithmic_when_counts_are_far_apart(compared):
    assert gap_curves_data(compared("longley")).log_steps
    assert gap_curves_data(compared("standardised")).log_steps
    assert not gap_curves_data(compared("ravine")).log_steps
    assert not gap_curves_data(compared("toy")).log_steps


def test_twenty_decades_of_steps_agree_with_multiple_precision(compared):
    """Gradient descent on raw Longley: (1 - αλ)^2k at k = 1e12 and 1e18, by mpmath."""
    mpmath = pytest.importorskip("mpmath")
    comparison = compared("longley")
    entry = comparison["GradientDescent"]
    (curve,) = (c for c in gap_curves_data(comparison).curves if c.label == entry.label)
    spectrum, alpha = entry.analysis.spectrum, entry.optimizer.learning_rate
    error = spectrum.to_eigenbasis(comparison.start) + spectrum.linear / spectrum.eigenvalues
    parts = spectrum.eigenvalues * error**2
    with mpmath.workdps(60):
        for k in (1e12, 1e18):
            i = int(np.argmin(np.abs(curve.steps - k)))
            exact = sum(
                mpmath.mpf(float(part))
                * (1 - mpmath.mpf(float(alpha)) * mpmath.mpf(float(lam)))
                ** (2 * int(curve.steps[i]))
                for part, lam in zip(parts, spectrum.eigenvalues, strict=True)
            )
            assert curve.gap[i] == pytest.approx(float(exact / parts.sum()), rel=1e-4)


def test_a_run_that_was_not_finished_is_marked(compared):
    data = gap_curves_data(compared("longley"))
    for curve in data.curves:
        assert not curve.complete
        assert curve.run_steps[-1] == curve.simulated == 1000
        assert curve.steps[-1] > 1e10
        assert curve.run_steps[curve.markers].max() <= 1000
    assert "was not simulated" in plot.caption(data)


def test_rules_without_theory_have_points_only(compared):
    data = gap_curves_data(compared("not linear"))
    cubic, descent = data.curves
    assert cubic.kind == "simulated"
    assert cubic.steps.size == 0
    assert cubic.reached == int(cubic.run_steps[np.argmax(cubic.run_gap <= 1e-6)])
    assert descent.kind == "exact"


def test_where_only_ends_are_known_the_line_is_a_bound(compared):
    data = gap_curves_data(compared("ends only"))
    for curve in data.curves:
        assert curve.kind == "bound"
        assert np.all(np.interp(curve.run_steps, curve.steps, curve.gap) >= 0.99 * curve.run_gap)
    assert "worst case" in plot.caption(data)
    assert "≤" in plot.style.to_svg(plot.gap_curves(data)).decode()


def test_a_saddle_shows_the_size_of_the_gap(compared):
    comparison = compared("saddle")
    (curve, _) = gap_curves_data(comparison).curves
    entry = comparison[0]
    assert np.allclose(curve.run_gap, np.abs(entry.gap / entry.gap[0])[: len(curve.run_gap)])


def test_a_slope_shows_the_descent(compared):
    comparison = compared("unbounded")
    data = gap_curves_data(comparison)
    assert data.quantity == "descent"
    loss = comparison[0].trajectory.loss
    assert np.allclose(data.curves[0].run_gap, (loss[0] - loss)[: len(data.curves[0].run_gap)])


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("toy", "HeavyBall reaches ×1e−6 of the gap in 24 steps, GradientDescent in 70"),
        ("1x1 tuned", "All reach ×1e−6 of the gap in 1 step"),
        ("single", "HeavyBall reaches ×1e−6 of the gap in 83 steps"),
        ("diverging", "GradientDescent diverges"),
        ("ends elsewhere", "Decaying settles, but not at the minimum"),
        ("marginal", "No run reaches ×1e−6: the error does not decay"),
        ("unbounded", "J falls without end: there is no gap to close"),
        ("at the minimum", "The start is the minimum already"),
        ("flat", "J is flat: there is no gap to close"),
    ],
)
def test_findings(compared, case, expected):
    assert finding(gap_curves_data(compared(case))) == expected


def test_a_contradiction_is_the_finding(compared):
    comparison = compared("single")
    (entry,) = comparison.entries
    wrong = dataclasses.replace(entry, status="refuted")
    spoiled = dataclasses.replace(comparison, entries=(wrong,))
    assert finding(gap_curves_data(spoiled)) == "A run contradicts its theory"


def test_the_deviation_is_printed(compared):
    comparison = compared("toy")
    largest = max(entry.deviation for entry in comparison)
    data = gap_curves_data(comparison)
    assert data.deviation == largest
    assert f"{largest:.0e}".replace("-", "−").replace("e−0", "e−") in plot.alt(data)


def test_decimation_keeps_the_envelope():
    """The least and the largest value of every column of the picture survive."""
    k = np.arange(200_001.0)
    values = np.exp(-k / 4e4) * (1.1 + np.cos(0.7 * k))
    steps, kept = decimate(k, values, k[-1])
    assert len(steps) < 1000
    columns = np.minimum((k / k[-1] * 300).astype(int), 299)
    chosen = np.minimum((steps / k[-1] * 300).astype(int), 299)
    for column in range(300):
        whole, part = values[columns == column], kept[chosen == column]
        assert part.max() == whole.max()
        assert part.min() == whole.min()


def test_markers_of_different_runs_do_not_meet(compared):
    data = gap_curves_data(compared("ravine"))
    places = [curve.run_steps[curve.markers] for curve in data.curves]
    later = [set(p[p > 0]) for p in places]
    assert len(set.union(*later)) == sum(len(place) for place in later)
    assert all(len(place) >= 2 for place in places)


def test_more_than_six_curves_have_a_key(compared):
    figure = plot.gap_curves(compared("many"))
    assert len(figure.legends) == 1
    assert len(figure.legends[0].get_texts()) == 8
    assert not plot.gap_curves(compared("chosen")).legends


def test_a_crossing_is_marked_at_its_step(compared):
    comparison = compared("toy")
    (axes,) = plot.gap_curves(comparison).axes
    ticks = [tuple(line.get_xydata()[0]) for line in axes.lines if line.get_marker() == "|"]
    assert ticks == [(entry.predicted_steps, 1e-6) for entry in comparison]


def test_a_run_that_stays_at_its_start():
    comparison = ca.compare(ca.gallery.toy(), [ca.GradientDescent(1e-30)], steps=5)
    data = gap_curves_data(comparison)
    assert data.curves[0].reached is not None
    assert np.isfinite([data.low, data.high]).all()
    plot.gap_curves(data)


def test_a_huge_problem_is_followed_at_few_steps():
    """A curve costs steps times directions: with 100,000 of them 40 steps have to do."""
    problem = ca.Quadratic.diagonal(np.linspace(1.0, 50.0, 100_000))
    comparison = ca.compare(problem, [ca.GradientDescent])
    (curve,) = gap_curves_data(comparison).curves
    assert 30 <= len(curve.steps) <= 120
    common, i, j = np.intersect1d(curve.steps, curve.run_steps, return_indices=True)
    assert len(common) > 5
    assert np.allclose(curve.gap[i], curve.run_gap[j], rtol=1e-9)
