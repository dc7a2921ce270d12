"""What a run says of itself."""

from __future__ import annotations

import json

import numpy as np
import pytest

from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate

TOY = Quadratic.diagonal([0.2, 4.0])


def test_summaries():
    one = simulate(TOY, GradientDescent(0.4), [-5.0, -2.0], 20)
    text = str(one)
    assert "α = 0.4" in text
    assert "10.5" in text  # the first loss
    assert repr(one) == "<Trajectory GradientDescent(α = 0.4): 20 steps, 21 recorded>"
    lost = simulate(TOY, GradientDescent(0.6), [-5.0, -2.0], 5000)
    assert "not finite: diverged" in str(lost)
    many = simulate(TOY, HeavyBall(np.array([[0.1], [0.2], [5.0]])), np.ones((3, 2)), 50)
    assert "…" in str(many)
    lost = simulate(TOY, HeavyBall(np.array([[0.1], [5.0]])), np.ones((2, 2)), 5000)
    assert lost.has_diverged


def test_plain_data_and_equality():
    one = simulate(TOY, GradientDescent(0.4), [-5.0, -2.0], 3)
    data = json.loads(json.dumps(one.to_dict(), allow_nan=False))
    assert data["schema"] == "convex_analyzer.trajectory/1"
    assert data["theta"][0] == [-5.0, -2.0]
    assert one == simulate(TOY, GradientDescent(0.4), [-5.0, -2.0], 3)
    assert one != simulate(TOY, GradientDescent(0.4), [-5.0, -2.0], 4)
    lost = simulate(TOY, GradientDescent(9.0), [-5.0, -2.0], 500)
    assert lost == simulate(TOY, GradientDescent(9.0), [-5.0, -2.0], 500)  # NaN equals NaN
    assert json.loads(json.dumps(lost.to_dict(), allow_nan=False))["loss"][-1] is None
    with pytest.raises(AttributeError):
        one.theta = 3
