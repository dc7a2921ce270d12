"""Figures of noisy runs claim nothing that only holds without noise."""

from __future__ import annotations

import numpy as np

import convex_analyzer as ca
from convex_analyzer import plot


def test_noisy_runs_are_not_said_to_arrive():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 2))
    problem = ca.least_squares(X, X @ [1.0, -2.0] + rng.normal(size=64))
    comparison = ca.compare(problem, [ca.GradientDescent(0.1)], noise=ca.MiniBatch(4), steps=150)
    assert comparison.entries[0].simulated_steps is None
    gaps, paths = plot.gap_curves_data(comparison), plot.level_sets_data(comparison)
    assert plot.finding(gaps).startswith("Noise stops the runs; without it GradientDescent reaches")
    assert "the run, with noise" in plot.caption(gaps)
    assert "hovering around the minimum" in plot.finding(paths)
    assert "arrives" not in plot.alt(paths)


def test_steps_against_kappa_are_those_of_the_runs():
    """From a kind start fewer steps are needed than from the worst: the title has the former."""
    comparison = ca.compare(ca.gallery.laplacian_1d(30))
    counts = {entry.label: entry.predicted_steps for entry in comparison.entries}
    data = plot.steps_by_kappa_data(comparison)
    said = plot.finding(data)
    fewest = min(counts["HeavyBall"], counts["Nesterov"])
    assert f"{fewest} steps instead of {counts['GradientDescent']:,}" in said
    assert counts["GradientDescent"] < data.here[0]
