"""Steps counted in a run of which only some were recorded: exact, or said to be a bound."""

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison import running
from convex_analyzer.noise import AdditiveNoise
from convex_analyzer.simulation.engine import simulate

PROBLEM = ca.Quadratic.diagonal(np.geomspace(1e-2, 1.0, 12))
START = np.linspace(1.0, 2.0, 12)


@pytest.mark.parametrize(
    ("rule", "noise", "tolerance"),
    [
        (ca.Adam(0.003), None, 1e-4),
        (ca.HeavyBall(0.05, 0.9), None, 1e-4),
        (ca.GradientDescent(0.5), AdditiveNoise(1e-6), 1e-4),
    ],
    ids=["Adam", "heavy ball", "noisy"],
)
def test_the_count_is_that_of_every_step(rule, noise, tolerance):
    (entry,) = ca.compare(PROBLEM, [rule], START, 3000, tolerance=tolerance, noise=noise)
    every = simulate(PROBLEM, rule, START, 3000, noise, record="loss").loss
    within = np.flatnonzero(every <= tolerance * every[0])  # J* = 0
    assert entry.simulated_steps == within[0]
    assert entry.simulated_text() == f"{within[0]:,}"
    assert len(entry.steps) < 700
    assert np.all(np.diff(entry.steps) > 0)
    assert np.allclose(entry.trajectory.loss, every[entry.steps], rtol=1e-12)
    assert np.allclose(entry.gap, every[entry.steps], rtol=1e-9)


def test_where_steps_are_dear_fewer_are_looked_at_again(monkeypatch):
    whole = ca.compare(PROBLEM, [ca.Adam(0.003)], START, 3000, tolerance=2e-4)[0]
    monkeypatch.setattr(running, "_ELEMENTS", 12 * 1000)  # not 1474 points, but those between
    near = ca.compare(PROBLEM, [ca.Adam(0.003)], START, 3000, tolerance=2e-4)[0]
    assert near.simulated_text() == whole.simulated_text()
    monkeypatch.setattr(running, "PREFIX_WORK", 1.0)
    bound = ca.compare(PROBLEM, [ca.Adam(0.003)], START, 3000, tolerance=2e-4)[0]
    assert bound.simulated_text() == f"≤ {bound.simulated_steps:,}"
    assert whole.simulated_steps < bound.simulated_steps < whole.simulated_steps + 20
