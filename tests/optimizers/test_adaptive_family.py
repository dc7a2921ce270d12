"""AdaGrad, RMSProp and Adadelta: conventions that are equal, and conventions that are not.

The trajectories in golden/ (other implementations) hold each convention in place; here they are
held against each other, against printed numbers, and against what follows by hand.
"""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp, is_off
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Step
from convex_analyzer.simulation.engine import simulate

pytestmark = pytest.mark.survey

DATA = Path(__file__).parents[1] / "data"
PRINTED = json.loads((DATA / "trajectories.json").read_text())["cases"]
TOY = Quadratic.diagonal([0.2, 4.0])
TURN = np.array([[math.cos(0.6), -math.sin(0.6)], [math.sin(0.6), math.cos(0.6)]])
MATRIX = TURN @ np.diag([0.1, 10.0]) @ TURN.T  # a rotated ravine, κ = 100
MATRIX = (MATRIX + MATRIX.T) / 2
LINEAR = [0.3, -0.7]
VALLEY = Quadratic(MATRIX, LINEAR)
START = [3.0, -2.0]
STEPS = 200
LATE = 10**12


def path(rule, problem=VALLEY, start=START, steps=STEPS):
    return simulate(problem, rule, start, steps, record="path").theta


def by_hand(rules, problem=VALLEY, start=START):
    """Run one rule per step, in a plain loop; every rule must have the same memory."""
    rules = list(rules)
    theta = np.array([start], dtype=float)
    state = (theta, *rules[0].start(problem, theta))
    points = [rules[0].report(*state)[0]]
    for t, rule in enumerate(rules, 1):
        state = rule.step(problem, t, *state)
        points.append(rule.report(*state)[0])
    return np.array(points)


def apart(one, other):
    return float(np.max(np.abs(one - other)))


def apart_each(rule, other):
    """Return how far each run of a rule with values per run is from a path."""
    runs = len(next(v for v in rule.values.values() if isinstance(v, np.ndarray)))
    paths = path(rule, start=np.tile(START, (runs, 1)))
    return np.max(np.abs(paths - other[:, None]), axis=(0, 2))


# -- printed end points --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("adagrad_0.4", AdaGrad(0.4, 1e-6, epsilon_inside=True)),
        ("rmsprop_0.4_0.9", RMSProp(0.4, 0.9, 1e-6, epsilon_inside=True)),
    ],
)
def test_end_points_printed_elsewhere(name, rule):
    """The dataflowr course, Module 4: f = 0.1 x1² + 2 x2² from (-5, -2), 20 steps."""
    case = PRINTED[name]
    end = simulate(TOY, rule, case["start"], case["steps"]).theta[-1]
    assert end == pytest.approx(case["published_endpoint_6dp"], abs=5.1e-7)
    assert end == pytest.approx(case["rederived_endpoint"], rel=1e-10, abs=1e-13)


# -- AdaGrad -------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [1e-8, 0.01, 0.3])
def test_adagrad_epsilon_inside_is_an_accumulator_that_starts_there(epsilon):
    inside = path(AdaGrad(0.3, epsilon, epsilon_inside=True))
    started = path(AdaGrad(0.3, 0.0, initial_accumulator=epsilon))
    assert apart(inside, started) < 1e-12


def test_adagrad_of_optax_and_keras_is_an_accumulator_of_torch():
    theirs = path(AdaGrad(0.3, 1e-7, epsilon_inside=True, initial_accumulator=0.1))
    assert apart(theirs, path(AdaGrad(0.3, 0.0, initial_accumulator=0.1 + 1e-7))) < 1e-12


def test_adagrad_epsilon_beside_the_root_is_no_epsilon_inside_it():
    """(√r + δ)² - r would have to be the same for every r; the best fit stays far away."""
    book = path(AdaGrad(0.3, 0.1))
    within = np.array([[0.01, *np.geomspace(1e-4, 10.0, 60)]]).T  # the first is δ²
    gaps = apart_each(AdaGrad(0.3, within, epsilon_inside=True), book)
    assert gaps[0] > 1e-3
    assert min(gaps) > 1e-3


def test_learning_rate_decay_of_adagrad_is_one_over_t():
    decaying = AdaGrad(0.3, 0.01, learning_rate_decay=0.07)
    assert decaying.period is None
    assert AdaGrad().period == 1
    rules = [AdaGrad(0.3 / (1 + 0.07 * k), 0.01) for k in range(STEPS)]
    assert apart(path(decaying), by_hand(rules)) < 1e-12


def test_adagrad_moves_by_the_learning_rate_first_and_then_slows():
    """With one gradient seen g/√g² is its sign; with a constant gradient step k is α/√k."""
    slope = Quadratic(np.zeros((2, 2)), [3.0, -0.01])
    points = path(AdaGrad(0.3, 0.0), slope, [0.0, 0.0], 50)
    sums = 0.3 * np.cumsum(1 / np.sqrt(np.arange(1, 51)))
    assert points[1:] == pytest.approx(np.outer(sums, [-1.0, 1.0]), rel=1e-12)


def test_coordinates_without_any_gradient():
    """At ε = 0, optax leaves them alone; torch divides zero by zero."""
    flat = Quadratic(np.diag([0.0, 2.0]))
    guarded = path(AdaGrad(0.3, 0.0, epsilon_inside=True), flat, [1.0, 1.0], 3)
    assert np.all(guarded[:, 0] == 1.0)
    assert np.all(np.isfinite(guarded))
    each = np.array([[0.0], [0.1]])  # one run without ε, one with
    together = path(AdaGrad(0.3, each, epsilon_inside=True), flat, [[1.0, 1.0]] * 2, 3)
    assert np.array_equal(together[:, 0], guarded)
    with np.errstate(all="ignore"):
        lost = by_hand([AdaGrad(0.3, 0.0)] * 3, flat, [1.0, 1.0])
    assert np.isnan(lost[1, 0])


# -- RMSProp -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("decay", "times"), [(0.9, 3.1623), (0.99, 10.0)])
def test_first_move_of_rmsprop(decay, times):
    """The first mean square is (1 - γ)g²: the first move is α/√(1 - γ) unless corrected."""
    first = path(RMSProp(0.01, decay, 0.0), steps=1)
    assert np.abs(first[1] - first[0]) == pytest.approx([0.01 * times] * 2, rel=1e-4)
    assert times == pytest.approx(1 / math.sqrt(1 - decay), rel=1e-4)
    corrected = path(RMSProp(0.01, decay, 0.0, bias_correction=True), steps=1)
    assert np.abs(corrected[1] - corrected[0]) == pytest.approx([0.01] * 2, rel=1e-12)


def test_rmsprop_epsilon_inside_and_outside():
    """Equal where s is far above or far below ε; in between nothing translates one to the other."""
    outside = path(RMSProp(0.02, 0.9, 0.1))
    gaps = {
        float(epsilon): apart(
            outside, path(RMSProp(0.02, 0.9, float(epsilon), epsilon_inside=True))
        )
        for epsilon in [0.01, *np.geomspace(1e-5, 1.0, 60)]
    }
    assert gaps[0.01] > 1e-2
    assert min(gaps.values()) > 1e-3
    first = np.geomspace(1e-6, 10.0, 60)[:, None]
    starts = apart_each(RMSProp(0.02, 0.9, 0.0, initial_accumulator=first), outside)
    assert min(starts) > 1e-2  # an accumulator forgets where it started
    for scale in (1e6, 1e-6):
        slope = Quadratic(np.zeros((1, 1)), [scale])
        one = path(RMSProp(0.02, 0.9, 0.1), slope, [0.0], 5)
        other = path(RMSProp(0.02, 0.9, 0.01, epsilon_inside=True), slope, [0.0], 5)
        assert one == pytest.approx(other, rel=1e-5)


def test_velocity_of_rmsprop_with_the_learning_rate_inside_or_outside():
    common = {"decay": 0.9, "epsilon": 0.1, "momentum": 0.8}
    outside = path(RMSProp(0.01, **common))
    inside = path(RMSProp(0.01, **common, learning_rate_inside=True))
    assert apart(outside, inside) < 1e-11
    rates = [0.01] * 20 + [0.001] * 40
    schedule = Step(0.01, 0.1, 20)
    assert [schedule.at(t) for t in (1, 20, 21, 40)] == pytest.approx([0.01, 0.01, 0.001, 0.001])
    outside = path(RMSProp(schedule, **common), steps=40)
    inside = path(RMSProp(schedule, **common, learning_rate_inside=True), steps=40)
    assert apart(outside, inside) > 1e-2
    shares = [1.0, *(now / before for before, now in itertools.pairwise(rates[:40]))]
    mapped = by_hand(
        RMSProp(rate, 0.9, 0.1, momentum=0.8 * share, learning_rate_inside=True)
        for rate, share in zip(rates[:40], shares, strict=True)
    )
    assert apart(outside, mapped) < 1e-12


@pytest.mark.parametrize("inside", [False, True])
def test_nesterov_rewritten_reports_the_look_ahead_point(inside):
    common = {"decay": 0.9, "epsilon": 0.1, "momentum": 0.8, "learning_rate_inside": inside}
    rewritten = path(RMSProp(0.01, **common, nesterov="rewritten"))
    rule = RMSProp(0.01, **common, nesterov="ahead")
    theta = np.array([START])
    state = (theta, *rule.start(VALLEY, theta))
    for t in range(1, STEPS + 1):
        state = rule.step(VALLEY, t, *state)
        jump = 0.8 * state[-1] * (1 if inside else 0.01)
        assert state[0] - jump == pytest.approx(rewritten[[t]], rel=1e-10, abs=1e-12)
    assert apart(path(rule), rewritten) > 1e-2


def test_nesterov_divides_the_correction_and_not_the_jump():
    """With a huge root the correction vanishes; the jump alone goes on with μ (lecture 002)."""
    rule = RMSProp(0.1, 0.9, 1.0, momentum=0.8, nesterov="ahead")
    theta, square, velocity = rule.step(
        VALLEY, 1, np.array([START]), np.full((1, 2), 1e30), np.array([[1.0, -2.0]])
    )
    assert velocity == pytest.approx(np.array([[0.8, -1.6]]), rel=1e-12)
    assert theta == pytest.approx(np.array([START]) - 0.1 * velocity, rel=1e-12)
    assert square == pytest.approx(np.full((1, 2), 0.9e30))


def test_centred_rmsprop_under_a_constant_gradient():
    """ε outside the root, as in torch: s - ḡ² falls below zero by rounding, and NaN stays."""
    slope = Quadratic(np.zeros((1, 1)), [1.0])
    random = np.random.default_rng(5)

    class Slope:
        """J = bᵀθ with 1000 slopes."""

        b = random.normal(size=(1, 1000))

        def gradient(self, theta):
            return self.b + 0 * theta

    for inside in (False, True):
        rule = RMSProp(1e-5, centered=True, epsilon_inside=inside)
        state = (np.zeros((1, 1000)), *rule.start(slope, np.zeros((1, 1000))))
        with np.errstate(invalid="ignore"):
            for t in range(1, 6001):
                state = rule.step(Slope(), t, *state)
                if t == 500:
                    assert np.all(np.isfinite(state[0]))
        lost = int(np.sum(np.isnan(state[0])))
        assert lost == 0 if inside else 20 < lost < 300


# -- Adadelta ------------------------------------------------------------------------------------


def test_first_step_of_adadelta():
    epsilon, decay = 1e-6, 0.9
    first = path(Adadelta(), steps=1)
    g = VALLEY.gradient(np.array(START))
    expected = np.sqrt(epsilon / ((1 - decay) * g**2 + epsilon)) * g
    assert first[0] - first[1] == pytest.approx(expected, rel=1e-12)
    assert np.all(np.abs(expected) < 4 * math.sqrt(epsilon))  # a very slow start


def test_adadelta_against_the_wrong_sign():
    """optax without a learning rate adds Δ: then the loss grows by 17 % in 50 steps (toy)."""
    start = np.array([-5.0, -2.0])
    theta, s, d = start, np.zeros(2), np.zeros(2)
    for _ in range(50):
        g = np.array([0.2, 4.0]) * theta
        s = 0.9 * s + 0.1 * g**2
        move = np.sqrt(d + 1e-6) / np.sqrt(s + 1e-6) * g
        d = 0.9 * d + 0.1 * move**2
        theta = theta + move
    assert TOY.value(theta) / TOY.value(start) == pytest.approx(1.17, abs=0.01)
    down = path(Adadelta(), TOY, start, 50)
    assert TOY.value(down[-1]) < TOY.value(start)


# -- weight decay --------------------------------------------------------------------------------

DECAYING = [
    AdaGrad(0.3, 0.01),
    RMSProp(0.01, 0.9, 0.1, momentum=0.5),
    RMSProp(0.01, 0.9, 0.1, momentum=0.5, nesterov="ahead"),
    RMSProp(0.01, 0.9, 0.1, centered=True),
    Adadelta(0.15, epsilon=0.01),
]


@each("rule", DECAYING, ids=str)
def test_coupled_decay_is_a_shifted_spectrum(rule):
    shifted = Quadratic(MATRIX + 0.3 * np.eye(2), LINEAR)
    coupled = path(rule.replace(weight_decay=0.3))
    assert apart(coupled, path(rule, shifted)) < 1e-11
    decoupled = path(rule.replace(weight_decay=0.3, decoupled=True))
    assert apart(coupled, decoupled) > 1e-2


@each("rule", DECAYING, ids=str)
def test_decoupled_decay_shrinks_theta_first(rule):
    decayed = rule.replace(weight_decay=0.3, decoupled=True)
    theta = np.array([START])
    memory = tuple(slot + 0.1 for slot in rule.start(VALLEY, theta))
    plain = rule.step(VALLEY, 1, theta, *memory)
    shrunk = decayed.step(VALLEY, 1, theta, *memory)
    lost = rule.learning_rate * 0.3 * theta
    assert shrunk[0] == pytest.approx(plain[0] - lost, rel=1e-13)
    for one, other in zip(plain[1:], shrunk[1:], strict=True):
        assert np.array_equal(one, other)


# -- memory --------------------------------------------------------------------------------------


def test_only_the_slots_that_the_flags_need():
    assert RMSProp().memory == ("square",)
    assert RMSProp(centered=True).memory == ("square", "gradient_mean")
    assert RMSProp(momentum=0.9).memory == ("square", "velocity")
    assert RMSProp(momentum=0.9, centered=True).memory == ("square", "gradient_mean", "velocity")
    assert (RMSProp().period, RMSProp(bias_correction=True).period) == (1, None)


def test_momentum_zero_in_one_run_or_at_one_step_keeps_the_velocity():
    momenta = np.zeros((300, 1))
    momenta[280:] = 0.8  # the first tile of runs has none
    starts = np.tile(START, (300, 1))
    ends = simulate(VALLEY, RMSProp(0.01, momentum=momenta), starts, 40).theta[-1]
    assert ends[0] == pytest.approx(path(RMSProp(0.01), steps=40)[-1], rel=1e-12)
    assert ends[-1] == pytest.approx(path(RMSProp(0.01, momentum=0.8), steps=40)[-1], rel=1e-12)

    switched_off = Step(0.8, 0.0, 10)
    assert switched_off.at(11) == 0.0
    rules = [RMSProp(0.01, momentum=np.array([[0.8 if t <= 10 else 0.0]])) for t in range(1, 21)]
    scheduled = path(RMSProp(0.01, momentum=switched_off), steps=20)
    assert apart(scheduled, by_hand(rules)) < 1e-13


def test_what_counts_as_left_out():
    assert is_off(0.0)
    assert is_off(DoubleDouble(0.0))
    assert not is_off(DoubleDouble(1e-300))
    assert not is_off(np.zeros((3, 1)))
    assert not is_off(Step(0.0, 0.5, 3))


@pytest.mark.parametrize("form", ["rewritten", "ahead"])
def test_nesterov_needs_momentum(form):
    with pytest.raises(InputError, match="needs momentum"):
        RMSProp(nesterov=form)


@each(
    ("cls", "wrong"),
    [
        (AdaGrad, {"epsilon": -1e-9}),
        (AdaGrad, {"epsilon_inside": "yes"}),
        (RMSProp, {"decay": 1.0}),
        (RMSProp, {"momentum": 1.5}),
        (RMSProp, {"nesterov": "backwards"}),
        (Adadelta, {"learning_rate": 0.0}),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(cls, wrong):
    (name,) = wrong
    with pytest.raises(InputError, match=f"^{cls.__name__}: {name} must be "):
        cls(**wrong)


# -- next to the minimum -------------------------------------------------------------------------

EPS = 0.04
LOCAL = [  # rule, its limit of αλ by hand
    (RMSProp(epsilon=EPS), 2 * EPS),
    (RMSProp(epsilon=EPS, epsilon_inside=True), 2 * EPS**0.5),
    (RMSProp(epsilon=EPS, centered=True, bias_correction=True), 2 * EPS),
    (RMSProp(epsilon=EPS, momentum=0.9), 3.8 * EPS),
    (RMSProp(epsilon=EPS, momentum=0.9, learning_rate_inside=True), 3.8 * EPS),
    (RMSProp(epsilon=EPS, momentum=0.9, nesterov="rewritten"), 3.8 / 2.8 * EPS),
    (RMSProp(epsilon=EPS, momentum=0.9, nesterov="ahead"), 3.8 / 2.8 * EPS),
    (AdaGrad(epsilon=EPS), 2 * EPS),
    (AdaGrad(epsilon=EPS, initial_accumulator=0.25), 2 * (0.5 + EPS)),
    (Adadelta(epsilon=EPS), 2.0),
]


def grows(rule, rate, steps=6000):
    """Tell whether an error of 1e-40 grows under λ = 1, by running the step on numbers."""
    rule = rule.replace(learning_rate=rate)
    problem = Quadratic([[1.0]])
    theta = np.array([[1e-40]])
    state = (theta, *rule.start(problem, theta))
    for _ in range(steps):
        state = rule.step(problem, LATE, *state)
        size = abs(float(state[0][0, 0]))
        if not 1e-60 < size < 1e-20:  # decided, long before any square matters
            break
    return size > 1e-40


@each(("rule", "limit"), LOCAL, ids=str)
def test_local_limit_from_both_sides(rule, limit):
    assert not grows(rule, 0.995 * limit)
    assert grows(rule, 1.005 * limit)


@each(("rule", "limit"), LOCAL[:7], ids=str)
def test_published_limit(rule, limit):
    assert rule.published_limit() == pytest.approx(limit, rel=1e-14)


def test_where_nothing_is_published():
    assert RMSProp(epsilon=0.0).published_limit() is None
    assert RMSProp(weight_decay=0.1).published_limit() is None
    assert AdaGrad().published_limit() is None
    # with lr 1e-3 and ε 1e-8 RMSProp of torch rests only where λ < 2e-5
    assert RMSProp().published_limit() / 1e-3 == pytest.approx(2e-5)


@each("rule", [rule for rule, _ in LOCAL], ids=str)
def test_derivatives_at_the_minimum_are_finite(rule):
    """In theta, where the memory has settled; an infinite slope of the root is never used."""
    trace = Trace()
    problem = Direction(1.0, trace)
    theta = Form(0.0, {"theta": 1.0}, trace)
    memory = [Form(float(slot), {}, trace) for slot in rule.start(problem, np.float64(0.0))]
    moved, *_ = rule.step(problem, LATE, theta, *memory)
    assert all(np.all(np.isfinite(part)) for part in moved.parts.values())
