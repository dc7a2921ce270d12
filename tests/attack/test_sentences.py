"""Sentences at the edge: nothing grows by a factor of 1, nothing tiny counts as nothing."""

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.errors import InputError

pytestmark = pytest.mark.survey

TOY = ca.Quadratic([[0.2, 0.0], [0.0, 4.0]])


def test_growth_by_a_last_bit_is_shown():
    beyond = ca.GradientDescent(float(np.nextafter(0.5, 1.0)))
    assert "grows ×(1 + 4.44e−16) per step" in ca.analyze(TOY, beyond).verdict()


def test_a_method_that_ends_at_once_leaves_no_loss():
    nearly = ca.Quadratic(np.diag([1.0, np.nextafter(1.0, 2.0)]))
    verdict = ca.analyze(nearly, ca.GradientDescent).verdict()
    assert "error ×0 per step, loss ×0," in verdict


@pytest.mark.parametrize("rule", [ca.GradientDescent(0.4), ca.HeavyBall(0.1, 0.5)])
def test_the_size_of_the_start_does_not_change_the_count(rule):
    analysis = ca.analyze(TOY, rule)
    expected = analysis.steps_to(1e-6, start=[-5.0, -2.0])
    for scale in (1e-300, 1e-170, 1e140):
        assert analysis.steps_to(1e-6, start=[-5 * scale, -2 * scale]) == expected


def test_a_start_that_squares_to_infinity_is_refused():
    with pytest.raises(InputError, match="beyond 1e\\+150"):
        ca.simulate(TOY, ca.GradientDescent(0.1), [1e200, 1.0], 5)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_a_target_whose_squares_leave_the_range_is_refused(scale):
    with pytest.raises(InputError, match="y: its largest entry is"):
        ca.least_squares([[1.0], [2.0]], [scale, -scale])


def test_nothing_to_do_is_not_called_success():
    verdict = ca.compare(ca.least_squares(np.zeros((3, 2)), [1.0, 2.0, 3.0])).verdict()
    assert "reaches" not in verdict
    assert "needs the fewest" not in verdict
