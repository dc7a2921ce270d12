"""Plateaus: times of the flow against quadrature and against counted steps; borders; dead units."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from convex_analyzer.errors import InputError
from convex_analyzer.problems.local import local_quadratic
from convex_analyzer.problems.plateaus import (
    LOSSES,
    dead_relu,
    hard_threshold,
    plateaus,
    saturated_logistic,
    saturation_border,
    zero_one_loss,
)


def integral(loss, start, end):
    """Return ∫ dz/(−J′) in 30 digits, from the definition of the loss."""
    with mpmath.workdps(30):

        def value(z):
            y = 1 / (1 + mpmath.exp(-z))
            return (y - 1) ** 2 / 2 if loss == "squared_error" else -mpmath.log(y)

        pieces = mpmath.linspace(start, end, 12)
        return float(mpmath.quad(lambda z: -1 / mpmath.diff(value, z), pieces))


@pytest.mark.parametrize("loss", LOSSES)
def test_flow_times_equal_the_integral(loss):
    problem = saturated_logistic(loss)
    for start, end in ((-8, 0), (-2, 1.5), (-5, -4)):
        assert problem.flow_time(start, end) == pytest.approx(integral(loss, start, end), rel=1e-9)
    assert problem.flow_time(1.0) == 0.0


def test_check_values():
    squared, cross = (saturated_logistic(loss) for loss in LOSSES)
    assert squared.flow_time(-8.0) == pytest.approx(3007, abs=0.5)
    assert cross.flow_time(-8.0) == pytest.approx(9.0, abs=1e-3)
    for Z in (1.0, 8.0, 30.0):
        assert cross.flow_time(-Z) == pytest.approx(Z + 1 - math.exp(-Z), rel=1e-14)
    assert squared.flow_time(-30.0) == pytest.approx(math.exp(30), rel=1e-9)
    assert saturation_border("logistic") == pytest.approx(4.357, abs=5e-4)
    assert saturation_border("tanh") == pytest.approx(2.178, abs=5e-4)


@pytest.mark.parametrize(("activation", "slope"), [("logistic", 0.25), ("tanh", 1.0)])
def test_the_border_is_where_the_slope_is_five_percent(activation, slope):
    z = saturation_border(activation)
    found = 1 / math.cosh(z) ** 2 if activation == "tanh" else 0.25 / math.cosh(z / 2) ** 2
    assert found == pytest.approx(0.05 * slope, rel=1e-12)
    assert saturation_border(activation, 0.5) < z


def test_gradient_descent_takes_the_time_of_the_flow():
    squared, cross = (saturated_logistic(loss) for loss in LOSSES)
    assert squared.steps_to(0.0, start=-5.0, learning_rate=0.01) == pytest.approx(
        squared.flow_time(-5.0) / 0.01, rel=1e-2
    )
    assert cross.steps_to(0.0, start=-8.0, learning_rate=0.01) == pytest.approx(900, abs=5)
    with pytest.raises(InputError, match="flow_time gives the time"):
        squared.steps_to(0.0, start=-20.0, learning_rate=0.01)


def test_derivatives_equal_those_of_the_formula():
    for name, problem in plateaus().items():
        if not problem.formula:
            continue
        for z in (-3.0, -0.4, 0.7, 2.5):
            model = local_quadratic(problem.formula, at=[z])
            point = problem.at(z)
            assert model.value([z]) == pytest.approx(point.value, rel=1e-12, abs=1e-15), name
            assert model.gradient([z])[0] == pytest.approx(point.slope, rel=1e-10, abs=1e-15)
            assert model.hessian_vector([z], [1.0])[0] == pytest.approx(
                point.curvature, rel=1e-9, abs=1e-15
            )


def test_local_analysis():
    squared, cross = (saturated_logistic(loss) for loss in LOSSES)
    assert [squared.at(z).kind for z in (-4.3, -4.4, 4.4)] == ["slope", "plateau", "plateau"]
    assert cross.at(-40.0).kind == "slope"
    assert cross.at(-800.0).slope == -1.0
    assert "With cross-entropy" in squared.at(-8.0).words
    assert "3007 to z = 0" in str(squared.at(-8.0))
    assert "where it should be" in squared.at(9.0).words
    assert cross.at(0.0).stable_learning_rate == pytest.approx(8.0)
    assert squared.at(-8.0).stable_learning_rate is None  # bends down: J″ < 0


def test_dead_units_and_thresholds_never_move():
    for problem in (zero_one_loss(), hard_threshold(), dead_relu()):
        point = problem.at(-1.0)
        assert (point.slope, point.curvature, point.kind) == (0.0, 0.0, "dead")
        assert point.escape_time is None
        assert "no optimizer" in point.words
        assert problem.steps_to(0.0, start=-1.0, learning_rate=10.0) is None
        assert problem.at(0.0).kind == "jump"
    assert zero_one_loss().at(1.0).words.startswith("J is 0")
    assert dead_relu().at(1.0).kind == "minimum"
    alive = dead_relu()
    distances = 0.9 * 0.9 ** np.arange(30)  # 1 - z shrinks by 1 - α
    assert alive.steps_to(0.9, 0.1, 0.1) == int(np.argmax(distances <= 0.1))


def test_bad_input():
    with pytest.raises(InputError, match="loss must be one of squared_error"):
        saturated_logistic("hinge")
    with pytest.raises(InputError, match="logistic or tanh"):
        saturation_border("relu")
    with pytest.raises(InputError, match="share must lie"):
        saturation_border(share=1.5)
    with pytest.raises(InputError, match="learning_rate must be positive"):
        dead_relu().steps_to(0.0, 1.0, 0.0)
    with pytest.raises(InputError, match="within ±700"):
        saturated_logistic().flow_time(-1000.0)
    with pytest.raises(InputError, match="finite"):
        dead_relu().at(math.nan)


def test_a_plateau_prints_without_addresses_and_refuses_what_overflows():
    for problem in plateaus().values():
        assert "0x" not in str(problem)
        with pytest.raises(InputError, match="within"):
            problem.at(1e308)
