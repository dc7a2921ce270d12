"""Figure 1 against factors and borders that were computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import each
from figure_checks import texts_of

import convex_analyzer as ca
from convex_analyzer import plot
from convex_analyzer.plot.figures.spectrum_ruler import finding, spectrum_ruler_data


def data_of(eigenvalues, rule, linear=None):
    return spectrum_ruler_data(ca.analyze(ca.Spectrum.from_eigenvalues(eigenvalues, linear), rule))


def test_gradient_descent_is_a_ruler_from_zero_to_two():
    data = data_of([0.2, 4.0], ca.GradientDescent(0.4))
    assert data.zones == ("monotone", "sign flips", "no decay")
    assert data.borders == pytest.approx([1.0, 2.0], rel=1e-6)
    assert data.x == pytest.approx([0.08, 1.6])
    assert data.factors == pytest.approx([0.92, -0.6])
    assert data.one_minus_rate == pytest.approx([0.08, 0.4])
    assert data.limit == 0.5
    assert (
        finding(data) == "α = 0.4 is 80 % of the limit 0.5; λ₁ = 0.2 is the slowest, ×0.92 per step"
    )


@pytest.mark.parametrize("momentum", [0.1, 0.5, 0.9, 1 - 1e-6])
def test_heavy_ball_zones_are_the_textbook_ones(momentum):
    """Complex roots between (1 - √μ)² and (1 + √μ)², divergence from 2(1 + μ) on (Polyak 1964)."""
    data = data_of([0.001, 1.0, 3.0], ca.HeavyBall(1.0, momentum))
    root = math.sqrt(momentum)
    lower = momentum / (1 + root) ** 2 * (1 / root - root) ** 2  # (1 - √μ)² without cancellation
    expected = {"swings": lower, "sign flips": (1 + root) ** 2, "no decay": 2 * (1 + momentum)}
    for zone, border in zip(data.zones[1:], data.borders, strict=True):
        assert border == pytest.approx(expected[zone], rel=1e-6)
    assert data.zones[-1] == "no decay"


@pytest.mark.parametrize("momentum", [0.1, 0.5, 0.9])
def test_nesterov_zones_are_the_textbook_ones(momentum):
    """Complex roots from ((1 - μ)/(1 + μ))² to 1, divergence from 2(1 + μ)/(1 + 2μ) on."""
    data = data_of([0.001, 1.0], ca.Nesterov(1.0, momentum))
    expected = {
        "swings": ((1 - momentum) / (1 + momentum)) ** 2,
        "sign flips": 1.0,
        "no decay": 2 * (1 + momentum) / (1 + 2 * momentum),
    }
    assert data.zones == ("monotone", *expected)
    assert data.borders == pytest.approx(list(expected.values()), rel=1e-6)


def test_borders_at_condition_number_1e19(compared):
    """(1 - √μ)² is 1.7e-19 there: float64 roots would see a double root everywhere."""
    analysis = compared("longley")["HeavyBall"].analysis
    data = spectrum_ruler_data(analysis)
    smallest = analysis.spectrum.lambda_min * analysis.optimizer.learning_rate
    assert data.zones[:2] == ("monotone", "swings")
    assert data.borders[0] == pytest.approx(smallest, rel=1e-3)  # critically damped by tuning


def test_zones_hold_for_a_rule_of_the_user(damped):
    """Roots of z² - (2 - f - αλ) z + (1 - f), by NumPy."""
    data = spectrum_ruler_data(ca.analyze(ca.gallery.toy(), damped(0.2, friction=0.4)))
    edges = [data.low, *data.borders, data.high]
    for zone, a, b in zip(data.zones, edges[:-1], edges[1:], strict=True):
        x = math.sqrt(a * b)
        roots = np.roots([1, -(1.6 - x), 0.6])
        top = roots[np.argmax(np.abs(roots))]
        assert (abs(top) >= 1) == (zone == "no decay")
        if zone == "swings":
            assert abs(top.imag) > 0
        if zone == "monotone":
            assert top.imag == 0
            assert top.real > 0


def test_negative_and_zero_eigenvalues_are_named():
    data = data_of([-3.0, 0.0, 0.0, 2.0], ca.GradientDescent(0.1))
    assert (data.negative, data.zero) == (1, 2)
    assert finding(data) == "λ₁ = −3 is negative: that direction escapes at every learning rate"
    svg = plot.style.to_svg(plot.spectrum_ruler(data)).decode()
    assert "2 × λ = 0" in svg
    assert "escapes, ×1.3" in svg


@each(
    ("eigenvalues", "rule", "expected"),
    [
        ([0.2, 4.0], ca.GradientDescent(0.6), "the error grows ×1.4 per step"),
        ([0.2, 4.0], ca.GradientDescent(0.5), "exactly on the boundary"),
        ([0.2, 4.0], ca.GradientDescent, "every direction shrinks alike, ×0.905"),
        ([1.0, 1.0], ca.GradientDescent, "finished at once"),
        ([1.0, 2.0, 3.0], ca.GradientDescent, "both ends of the spectrum set the pace, ×0.5 per"),
        ([1.0, 2.0], ca.HeavyBall(0.1, 1.0), "never decays, whatever the learning rate"),
        ([0.0, 0.0], ca.GradientDescent(0.1), "no curvature"),
        ([0.2, 4.0], ca.GradientDescent(1e-4), "far below the limit 0.5"),
    ],
)
def test_findings(eigenvalues, rule, expected):
    assert expected in finding(data_of(eigenvalues, rule))


def test_a_slope_along_a_flat_direction_is_the_finding():
    assert "falls without end" in finding(data_of([0.0, 1.0], ca.GradientDescent(0.1), [1.0, 0.0]))


def test_many_eigenvalues_become_a_density(compared):
    data = spectrum_ruler_data(compared("d = 100")["GradientDescent"].analysis)
    figure = plot.spectrum_ruler(data)
    assert plot.caption(data).startswith("Bars count")
    few = plot.spectrum_ruler_data(compared("toy")["GradientDescent"].analysis)
    assert plot.caption(few).startswith("Each tick")
    assert len(plot.style.to_svg(figure)) < 120_000


def test_a_rule_without_learning_rate_is_drawn_against_the_eigenvalue():
    from convex_analyzer.optimizers.base import Optimizer

    class Fixed(Optimizer):
        shrink: float = 0.5

        def step(self, problem, t, theta):
            return theta - self.shrink * problem.gradient(theta)

    data = spectrum_ruler_data(ca.analyze(ca.Spectrum.from_eigenvalues([1.0, 2.0]), Fixed()))
    assert data.learning_rate is None
    assert data.borders == pytest.approx([2.0, 4.0], rel=1e-6)
    assert finding(data) == "Every direction contracts; λ₁ = 1 is the slowest, ×0.5 per step"


def test_an_interval_shows_its_ends():
    data = spectrum_ruler_data(ca.analyze(ca.Spectrum.between(1.0, 100.0), ca.GradientDescent))
    assert data.is_interval
    assert list(data.eigenvalues) == [1.0, 100.0]
    assert "the two ends" in plot.alt(data)


def test_a_name_stands_at_its_own_tick_and_over_no_other():
    data = data_of([0.9634, 1.892, 3.919, 8.933], ca.GradientDescent(0.05))
    figure = plot.spectrum_ruler(data)
    names = {text.get_text()[:2]: box for text, box in texts_of(figure) if ": " in text.get_text()}
    to_pixels = figure.axes[0].transData.transform
    ticks = [72 / figure.dpi * to_pixels((x, 0))[0] for x in data.x]
    for i, own in enumerate(ticks):
        left, _, right, _ = names["λ" + "₁₂₃₄"[i]]
        distances = [max(left - tick, tick - right, 0.0) for tick in ticks]
        assert distances[i] < 6, (i, own)
        assert all(distances[k] > 2 for k in range(len(ticks)) if k != i), (i, distances)
