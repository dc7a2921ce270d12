"""Sign methods: OPTIMIZERS 2.6 and 2.8 number by number; rules against themselves and by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.sign import (
    DeltaBarDelta,
    Lion,
    LocalGains,
    Rprop,
    SignSGD,
    Signum,
)
from convex_analyzer.problems.gallery import ravine
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Step
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing import Golden, check_optimizer

pytestmark = pytest.mark.survey

RAVINE = ravine(condition_number=100, angle=0.6)
START = [3.0, -2.0]


def path(rule, problem=RAVINE, start=START, steps=200):
    return simulate(problem, rule, start, steps, record="path").theta


def feed(rule, gradients):
    """Run a rule on given gradients, one coordinate per entry; return every state."""

    class Given:
        def __init__(self, now):
            self.now = now

        def gradient(self, theta):
            return self.now

    gradients = np.asarray(gradients, dtype=float)
    theta = np.zeros((1, gradients.shape[1]))
    state = (theta, *(np.broadcast_to(slot, theta.shape) for slot in rule.start(None, theta)))
    states = [state]
    for t, gradient in enumerate(gradients, start=1):
        state = rule.step(Given(gradient[None, :]), t, *state)
        states.append(state)
    return states


# -- signSGD, Signum, Lion ----------------------------------------------------------------------


def test_lion_without_beta1_is_sign_sgd_and_with_it_is_not():
    plain = path(SignSGD(0.013))
    assert np.array_equal(path(Lion(0.013, beta1=0.0)), plain)
    assert np.max(np.abs(path(Lion(0.013, beta1=0.9)) - plain)) > 0.01


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_lion_with_equal_betas_is_signum(beta):
    assert np.array_equal(path(Lion(0.013, beta, beta)), path(Signum(0.013, beta)))


def test_signum_without_momentum_is_sign_sgd():
    assert np.array_equal(path(Signum(0.013, 0.0)), path(SignSGD(0.013)))


def test_the_factor_of_the_average_does_not_matter():
    """m = μm + g, without 1 - μ, has the same signs."""
    x, m = np.array(START), np.zeros(2)
    for _ in range(200):
        m = 0.8 * m + RAVINE.gradient(x)
        x = x - 0.013 * np.sign(m)
    assert path(Signum(0.013, 0.8))[-1] == pytest.approx(x, rel=1e-12)


@given(st.floats(0.01, 0.3), st.floats(-3, 3), st.floats(0.1, 20))
def test_sign_sgd_ends_in_a_cycle_of_two_within_the_learning_rate(rate, start, curvature):
    end = path(SignSGD(rate), Quadratic([[curvature]]), [start], 400)[-3:, 0]
    assert np.max(np.abs(end)) <= rate * (1 + 1e-9)
    assert end[0] == pytest.approx(end[2], abs=1e-12)


def test_a_zero_gradient_moves_nothing():
    found = path(SignSGD(0.25), Quadratic(np.eye(2)), [0.75, 0.0], 9)
    assert found[:4, 0].tolist() == [0.75, 0.5, 0.25, 0.0]
    assert not np.any(found[3:])


def test_the_decay_of_lion_moves_its_fixed_point():
    """Minimiser 3, w = 1: the sign is -1 all the way, and -1 + wθ vanishes at θ = 1."""
    far = Quadratic([[2.0]], [-6.0])
    assert path(Lion(0.01, weight_decay=1.0), far, [0.0], 3000)[-1, 0] == pytest.approx(1.0)
    assert path(Lion(0.01), far, [0.0], 3000)[-1, 0] == pytest.approx(3.0, abs=0.3)


# -- Rprop --------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", ["stay", "move", "lecture"])
def test_rprop_does_not_see_curvatures_along_the_axes(variant):
    curvatures = [0.01, 0.3, 1.0, 77.0]
    problem = Quadratic.diagonal(curvatures)
    found = path(Rprop(0.1, variant=variant), problem, np.ones(4) * 100.0, 100)
    assert np.array_equal(found, found[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize(("width", "distance", "steps"), [(0.1, 100.0, 30), (0.01, 1.0, 17)])
def test_first_crossing_of_rprop(width, distance, steps):
    """The smallest k with Δ0 (1.2^k - 1)/0.2 > |x0|: THEORY 7.4."""
    found = path(Rprop(width), Quadratic([[1.0]]), [distance], 60)[:, 0]
    assert int(np.argmax(found < 0)) == steps
    assert distance - found[10] == pytest.approx(width * (1.2**10 - 1) / 0.2, rel=1e-12)


def test_what_rprop_does_where_the_sign_changes():
    """Widths and moves, by hand, for signs + + - + + in every variant."""
    signs = np.array([[1.0], [1.0], [-1.0], [1.0], [1.0]]) * 3.7
    expected = {
        "stay": ([1, 1.2, 0.6, 0.6, 0.72], [-1, -1.2, 0, -0.6, -0.72]),
        "move": ([1, 1.2, 0.6, 0.3, 0.36], [-1, -1.2, 0.6, -0.3, -0.36]),
    }
    expected["lecture"] = expected["move"]
    for variant, (widths, moves) in expected.items():
        states = feed(Rprop(1.0, variant=variant), signs)
        assert [s[1].item() for s in states[1:]] == pytest.approx(widths, rel=1e-14)
        theta = np.array([s[0].item() for s in states])
        assert np.diff(theta) == pytest.approx(moves, rel=1e-13)


def test_only_the_letter_of_the_lecture_shrinks_at_a_zero_product():
    gradients = [[0.0], [1.0], [0.0], [1.0]]
    widths = {
        variant: [s[1].item() for s in feed(Rprop(1.0, variant=variant), gradients)[1:]]
        for variant in ("stay", "move", "lecture")
    }
    assert widths == {"stay": [1.0] * 4, "move": [1.0] * 4, "lecture": [1.0, 0.5, 0.25, 0.125]}
    (entry,) = (e for e in golden("Rprop") if e["hyperparameters"].get("variant") == "lecture")
    problem = Quadratic(entry["matrix"], entry["linear"])
    found = path(Rprop(0.05, variant="move"), problem, entry["start"], 20)[-1]
    assert np.max(np.abs(found - entry["points"]["20"])) > 1e-4, "the trajectory tells them apart"


def golden(name):
    return json.loads((Path(__file__).parent / "golden" / f"{name}.json").read_text())


def test_widths_of_rprop_stay_in_their_range():
    rule = Rprop(1.0, smallest=0.3, largest=2.0)
    up = feed(rule, np.ones((9, 1)))
    assert up[-1][1].item() == 2.0
    down = feed(rule.replace(variant="move"), [[(-1.0) ** k] for k in range(9)])
    assert down[-1][1].item() == 0.3


def test_a_range_upside_down_is_refused():
    with pytest.raises(InputError, match=r"^Rprop: smallest must not exceed largest, got 2 and 1"):
        Rprop(smallest=2.0, largest=1.0)
    with pytest.raises(InputError, match="LocalGains: smallest must not exceed largest"):
        LocalGains(smallest=np.array([[0.1], [3.0]]), largest=2.0)
    assert Rprop(smallest=1.0, largest=1.0).largest == 1.0
    with pytest.raises(InputError, match="smallest must not exceed largest"):
        Rprop(smallest=0.01, largest=Step(1.0, 0.1, 10))
    bound = sympy.Symbol("b", positive=True)
    assert Rprop(smallest=0.01, largest=bound).largest is bound


@pytest.mark.parametrize(("name", "value"), [("increase", 0.9), ("decrease", 1.0), ("decrease", 0)])
def test_factors_of_rprop_that_do_the_opposite_are_refused(name, value):
    with pytest.raises(InputError, match=f"^Rprop: {name} must be "):
        Rprop(**{name: value})


# -- local gains --------------------------------------------------------------------------------

OPEN = LocalGains(0.1, smallest=1e-300, largest=1e300)


def gains(rule, gradients):
    return np.array([state[1][0] for state in feed(rule, gradients)[1:]])


@pytest.mark.parametrize("agreement", [0.4, 0.5, 0.6])
def test_mean_gain_for_random_signs(agreement):
    """E gain = p/(1 - p): 1 at p = 1/2 (the lecture's claim, measured as 1.01), THEORY 7.5."""
    random = np.random.default_rng(1)
    flips = np.where(random.random((3000, 400)) < agreement, 1.0, -1.0)
    found = gains(OPEN, np.cumprod(flips, axis=0))[500:].mean()
    assert found == pytest.approx(agreement / (1 - agreement), rel=0.01)


def test_gains_for_signs_that_agree_every_other_time():
    """Between 1 - δ and 1: 1 - δ after a change of sign, 1 after an agreement."""
    found = gains(OPEN, np.resize([1.0, 1.0, -1.0, -1.0], (801, 1)))[-2:, 0]
    assert sorted(found) == pytest.approx([0.95, 1.0], rel=1e-9)


def test_gains_for_a_sign_that_changes_in_every_step_vanish():
    """(1 - δ)^k, 3.5e-5 after 200 changes: not "around 1", as lecture 002 has it."""
    alternating = np.resize([1.0, -1.0], (201, 1))
    found = gains(OPEN, alternating)[:, 0]
    assert found == pytest.approx(0.95 ** np.arange(201), rel=1e-12)
    assert found[-1] == pytest.approx(3.5e-5, rel=0.005)
    assert gains(LocalGains(0.1), alternating)[-1, 0] == 0.1


def test_a_zero_product_is_in_the_branch_that_shrinks_but_not_in_the_first_step():
    assert gains(OPEN, [[0.0], [1.0], [0.0], [1.0]])[:, 0] == pytest.approx(
        [1, 0.95, 0.95**2, 0.95**3], rel=1e-14
    )


def test_gains_grow_by_addition_up_to_their_limit():
    found = gains(LocalGains(0.1), np.ones((300, 1)))[:, 0]
    assert found[:181] == pytest.approx(1 + 0.05 * np.arange(181), rel=1e-12)
    assert found[-1] == 10.0


def test_local_gains_find_the_newton_step_along_an_axis():
    """α gain λ climbs by 0.05 αλ per step, then stays in about [0.95, 1 + 0.05 αλ): THEORY 7.5."""
    run = simulate(Quadratic([[2.0]]), LocalGains(0.05), [1.0], 400, record="path")
    states = [
        simulate(Quadratic([[2.0]]), LocalGains(0.05), [1.0], k).state[1][0] for k in (60, 170)
    ]
    assert states[0] == pytest.approx(1 + 0.05 * 59, rel=1e-12)
    assert 0.94 < 0.05 * 2.0 * states[1] < 1.01
    assert abs(run.theta[250, 0]) < 1e-30


def test_local_gains_without_increment_are_gradient_descent():
    assert path(LocalGains(0.01, 0.0)) == pytest.approx(path(GradientDescent(0.01)), rel=1e-13)


# -- delta-bar-delta ----------------------------------------------------------------------------


def test_delta_bar_delta_by_hand():
    """κ = 0.5, φ = 0.2, ϑ = 0.5, g = 1, 1, -3, 0, 1: the average remembers, the gains wait."""
    states = feed(DeltaBarDelta(1.0, 0.5, 0.2, 0.5), [[1.0], [1.0], [-3.0], [0.0], [1.0]])
    assert [s[2].item() for s in states] == pytest.approx([0, 0.5, 0.75, -1.125, -0.5625, 0.21875])
    assert [s[1].item() for s in states] == pytest.approx([1, 1, 1.5, 1.2, 1.2, 0.96])
    moves = -np.diff([s[0].item() for s in states])
    assert moves == pytest.approx([1, 1.5, -3.6, 0, 0.96])


def test_delta_bar_delta_without_changes_is_gradient_descent():
    same = path(DeltaBarDelta(0.01, 0.0, 0.0, 0.7))
    assert same == pytest.approx(path(GradientDescent(0.01)), rel=1e-13)


def test_delta_bar_delta_is_not_the_lectures_rule():
    """Even without averaging: φ and κ are two numbers, the gains scale α, zero leaves them."""
    jacobs = DeltaBarDelta(0.01, 0.05 * 0.01, 0.05, 0.0)
    lecture = LocalGains(0.01, 0.05, smallest=1e-300, largest=1e300)
    assert path(jacobs, steps=20) == pytest.approx(path(lecture, steps=20), rel=1e-12)
    start = [0.0, 1.0]  # a zero gradient at first, along the axes
    coupled = Quadratic([[1.0, 0.5], [0.5, 2.0]], [-0.5, 0.0])
    apart = path(jacobs, coupled, start, 40) - path(lecture, coupled, start, 40)
    assert 1e-4 < np.max(np.abs(apart)) < 1


# -- the other conventions through the kit -------------------------------------------------------


@pytest.mark.parametrize("rule", [Rprop(variant="move"), Rprop(variant="lecture")], ids=str)
def test_every_convention_conforms(rule):
    """The listed defaults are checked elsewhere; here the words and flags that are not."""
    runs = [
        Golden(**{**entry, "points": {int(k): v for k, v in entry["points"].items()}})
        for entry in golden(type(rule).__name__)
    ]
    assert len(check_optimizer(rule, golden=runs).checks) >= 7 + len(runs)
