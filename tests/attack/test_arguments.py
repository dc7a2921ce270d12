"""Arguments of the wrong kind: one sentence that names them, whoever is asked."""

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer.errors import InputError

PROBLEM = ca.Quadratic([[0.2, 0.0], [0.0, 4.0]], [1.0, -1.0])
RULE = ca.GradientDescent(0.1)
STARTS = [[1e200, 1.0], ["a", "b"], [1j, 1.0], [[1.0, 2.0], [3.0, 4.0]], [1.0], [np.nan, 1.0], 1.0]


@each("start", STARTS, ids=str)
def test_a_bad_start_is_named_everywhere(start):
    analysis = ca.analyze(PROBLEM, RULE)
    for ask in (
        lambda: analysis.predict(start, 3),
        lambda: analysis.gap(start, 3),
        lambda: analysis.steps_to(1e-3, start=start),
        lambda: ca.compare(PROBLEM, RULE, start),
    ):
        with pytest.raises(InputError, match=r"^start "):
            ask()


@each("steps", [-1, 1.5, np.nan, np.inf, "three", [1, 2], True], ids=str)
def test_a_bad_number_of_steps_is_named(steps):
    with pytest.raises(InputError, match=r"^steps must be a whole number"):
        ca.compare(PROBLEM, RULE, steps=steps)
    with pytest.raises(InputError, match=r"^steps must be a whole number"):
        ca.simulate(PROBLEM, RULE, [1.0, 1.0], steps)


@pytest.mark.parametrize("steps", [10**13, 2**63, 10**30])
def test_more_steps_than_can_be_run_are_refused_and_can_be_predicted(steps):
    with pytest.raises(InputError, match="predict"):
        ca.simulate(PROBLEM, RULE, [1.0, 1.0], steps)
    assert ca.analyze(PROBLEM, RULE).predict([1.0, 1.0], steps) == pytest.approx([-5.0, 0.25])


@each("steps", [np.nan, np.inf, "three", 1j, -1, 0.5], ids=str)
def test_predict_takes_whole_numbers_only(steps):
    with pytest.raises(InputError, match=r"^steps must be whole numbers"):
        ca.analyze(PROBLEM, RULE).predict([1.0, 1.0], steps)


@each("tolerance", [0, 1, -1, np.nan, "a", None, [0.1], True], ids=str)
def test_a_bad_tolerance_is_named(tolerance):
    for ask in (
        lambda: ca.analyze(PROBLEM, RULE).steps_to(tolerance),
        lambda: ca.compare(PROBLEM, RULE, tolerance=tolerance),
    ):
        with pytest.raises(InputError, match=r"^tolerance must be in \(0, 1\)"):
            ask()


@each("what", [3, "GradientDescent", {1}, [None], dict], ids=str)
def test_what_is_no_optimizer_is_shown(what):
    with pytest.raises(InputError, match="must be Optimizer instances or classes"):
        ca.compare(PROBLEM, what)


def test_the_base_class_is_no_optimizer():
    with pytest.raises(InputError, match="only the base class"):
        ca.analyze(PROBLEM, ca.Optimizer)


def test_several_settings_at_once_are_for_simulate():
    several = ca.GradientDescent(np.array([[0.1], [0.4]]))
    with pytest.raises(InputError, match="takes one setting, but learning_rate holds 2"):
        ca.compare(PROBLEM, several)
    with pytest.raises(InputError, match="the runs do not match"):
        ca.simulate(PROBLEM, several, np.ones((3, 2)), 5)


@each("record", [None, [1.5], [-1], [11], [], ["a"]], ids=str)
def test_a_bad_record_is_named(record):
    with pytest.raises(InputError, match=r"^record must name steps"):
        ca.simulate(PROBLEM, RULE, [1.0, 1.0], 10, record=record)


def test_a_start_at_the_minimiser_needs_no_step():
    problem = ca.Quadratic([[2.0, 0.0], [0.0, 4.0]])
    for rule in (ca.GradientDescent(0.1), ca.HeavyBall(0.1, 0.5)):
        assert ca.analyze(problem, rule).steps_to(1e-6, start=[0.0, 0.0]) == 0
    entry = ca.compare(problem, rule, [0.0, 0.0]).entries[0]
    assert (entry.predicted_steps, entry.simulated_steps) == (0, 0)
