"""Adam and its relatives: conventions that are equal, and conventions that are not.

The trajectories in golden/ (other implementations) hold each convention in place; here they are
held against each other, against printed numbers, and against what follows by hand.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.errors import InputError
from convex_analyzer.forms import Direction, Form, Trace
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import LAMB, AdaBelief, Adamax, RAdam, Yogi
from convex_analyzer.optimizers.adaptive import RMSProp
from convex_analyzer.problems.quadratic import Quadratic
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
BETAS = {"beta1": 0.8, "beta2": 0.95}


def path(rule, problem=VALLEY, start=START, steps=STEPS):
    return simulate(problem, rule, start, steps, record="path").theta


def by_hand(rules, problem=VALLEY, start=START):
    """Run one rule per step, in a plain loop; every rule must have the same memory."""
    rules = list(rules)
    theta = np.array([start], dtype=float)
    state = (theta, *rules[0].start(problem, theta))
    points = [theta[0]]
    for t, rule in enumerate(rules, 1):
        state = rule.step(problem, t, *state)
        points.append(state[0][0])
    return np.array(points)


def apart(one, other):
    return float(np.max(np.abs(one - other)))


def test_end_point_printed_elsewhere():
    """The dataflowr course, Module 4: f = 0.1 x1² + 2 x2² from (-5, -2), 20 steps."""
    case = PRINTED["adam_0.8"]
    rule = Adam(0.8, 0.9, 0.99, 1e-6)
    end = simulate(TOY, rule, case["start"], case["steps"]).theta[-1]
    assert end == pytest.approx(case["published_endpoint_6dp"], abs=5.1e-7)
    assert end == pytest.approx(case["rederived_endpoint"], rel=1e-10, abs=1e-13)


# -- Adam ----------------------------------------------------------------------------------------


def test_adam_without_mean_is_corrected_rmsprop():
    adam = path(Adam(0.02, 0.0, 0.95, 0.01))
    assert apart(adam, path(RMSProp(0.02, 0.95, 0.01, bias_correction=True))) < 1e-11


def test_adam_without_memory_is_the_sign_of_the_gradient():
    theta, points = np.array(START), [np.array(START)]
    for _ in range(50):
        theta = theta - 0.03 * np.sign(MATRIX @ theta + LINEAR)
        points.append(theta)
    assert apart(path(Adam(0.03, 0.0, 0.0, 0.0), steps=50), np.array(points)) < 1e-12


@pytest.mark.parametrize("rule", [Adam(0.02, epsilon=0.0), NAdam(0.02, epsilon=0.0), AdamW(0.02)])
def test_first_step_has_the_length_of_the_learning_rate(rule):
    """Both corrections make the first m̂/√ŝ the sign of the gradient."""
    points = path(rule, steps=1)
    decay = 0.02 * 0.01 * np.array(START) if isinstance(rule, AdamW) else 0.0
    sign = np.sign(MATRIX @ START + LINEAR)
    expected = 0.02 * sign
    if isinstance(rule, NAdam):  # (1 - μ₁)/(1 - μ₁) of g and μ₂/(1 - μ₁μ₂) of (1 - β₁)g
        now, after = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in (1, 2))
        expected = 0.02 * sign * (1 + after * 0.1 / (1 - now * after))
    assert points[0] - points[1] == pytest.approx(expected + decay, rel=1e-7)


def test_epsilon_of_keras_is_one_that_changes():
    """ε-hat equals ε_t = ε/√(1 - β₂ᵗ), so no constant ε gives it; without ε they are one."""
    hat = path(Adam(0.02, **BETAS, epsilon=0.1, epsilon_hat=True))
    changing = [
        Adam(0.02, **BETAS, epsilon=0.1 / math.sqrt(1 - 0.95**t)) for t in range(1, STEPS + 1)
    ]
    assert apart(hat, by_hand(changing)) < 1e-11
    constants = np.geomspace(1e-3, 10.0, 80)[:, None]
    runs = path(Adam(0.02, **BETAS, epsilon=constants), start=np.tile(START, (80, 1)))
    assert np.min(np.max(np.abs(runs - hat[:, None]), axis=(0, 2))) > 1e-3
    for cls in (Adam, AdamW, AMSGrad):
        bare = cls(0.02, **BETAS, epsilon=0.0)
        assert np.array_equal(path(bare), path(bare.replace(epsilon_hat=True)))


def test_uncorrected_adam_is_a_changing_learning_rate():
    flags = {"bias_correction_mean": False, "bias_correction_square": False}
    bare = Adam(0.02, **BETAS, epsilon=0.01, **flags)
    assert bare.period == 1
    assert Adam().period is None
    changing = [
        Adam(
            0.02 * (1 - 0.8**t) / math.sqrt(1 - 0.95**t),
            **BETAS,
            epsilon=0.01 / math.sqrt(1 - 0.95**t),
        )
        for t in range(1, STEPS + 1)
    ]
    assert apart(path(bare), by_hand(changing)) < 1e-11


# -- AMSGrad -------------------------------------------------------------------------------------


def test_amsgrad_of_torch_is_the_lectures_with_changing_settings():
    """α_t = α√(1 - β₂ᵗ)/(1 - β₁ᵗ), ε_t = ε√(1 - β₂ᵗ)."""
    roots = [math.sqrt(1 - 0.95**t) for t in range(1, STEPS + 1)]
    raw = by_hand(
        AMSGrad(0.02 * c / (1 - 0.8**t), **BETAS, epsilon=0.01 * c, variant="raw")
        for t, c in enumerate(roots, 1)
    )
    assert apart(path(AMSGrad(0.02, **BETAS, epsilon=0.01)), raw) < 1e-11


def test_amsgrad_of_optax_is_another_rule():
    torch = path(AMSGrad(0.1, **BETAS), TOY, [-5.0, -2.0])
    optax = path(AMSGrad(0.1, **BETAS, variant="optax"), TOY, [-5.0, -2.0])
    assert apart(torch, optax) > 0.1


@pytest.mark.parametrize(
    ("start", "torch", "optax"),
    [([-5.0, -2.0], 3.1e-9, 7.6e-5), ([1.0, 1.0], 1.0e-9, 2.0e-10)],
)
def test_where_amsgrad_of_optax_freezes(start, torch, optax):
    """Lecture 000's toy, α = 0.1, 200 steps: which is better depends on the start."""
    for variant, expected in (("torch", torch), ("optax", optax)):
        end = path(AMSGrad(0.1, variant=variant), TOY, start)[-1]
        assert TOY.value(end) == pytest.approx(expected, rel=0.06)


def test_largest_square_of_optax_stays_at_the_first_gradient():
    rule = AMSGrad(0.001, variant="optax")
    theta = np.array([[-5.0, -2.0]])
    state = (theta, *rule.start(TOY, theta))
    first = TOY.gradient(theta) ** 2
    for t in range(1, 101):
        state = rule.step(TOY, t, *state)
        assert state[3] == pytest.approx(first, rel=1e-12)


def test_amsgrad_where_squares_only_grow_is_adam():
    """A gradient that grows makes each mean square the largest so far."""
    saddle = Quadratic(np.diag([-0.3, -0.2]))
    start = [1.0, 2.0]
    adam = path(Adam(0.1, **BETAS, epsilon=0.01), saddle, start, 60)
    assert apart(path(AMSGrad(0.1, **BETAS, epsilon=0.01), saddle, start, 60), adam) < 1e-12


@pytest.mark.parametrize("variant", ["optax", "raw"])
def test_epsilon_hat_belongs_to_a_correction_after_the_maximum(variant):
    with pytest.raises(InputError, match="AMSGrad: epsilon_hat belongs to"):
        AMSGrad(variant=variant, epsilon_hat=True)


# -- weight decay --------------------------------------------------------------------------------

DECAYING = [
    Adam(0.02, **BETAS, epsilon=0.1),
    AMSGrad(0.02, **BETAS, epsilon=0.1),
    AMSGrad(0.02, **BETAS, epsilon=0.1, variant="optax"),
    NAdam(0.02, **BETAS, epsilon=0.1),
    NAdam(0.02, **BETAS, epsilon=0.1, momentum_schedule=False),
    RAdam(0.02, **BETAS, epsilon=0.1),
    Adamax(0.02, **BETAS, epsilon=0.1),
]


@each("rule", DECAYING, ids=str)
def test_coupled_decay_is_a_shifted_spectrum(rule):
    shifted = Quadratic(MATRIX + 0.3 * np.eye(2), LINEAR)
    coupled = path(rule.replace(weight_decay=0.3))
    assert apart(coupled, path(rule, shifted)) < 1e-11


@each("rule", DECAYING, ids=str)
def test_decoupled_decay_shrinks_theta_first(rule):
    decayed = (
        AdamW(0.02, **BETAS, epsilon=0.1, weight_decay=0.3)
        if isinstance(rule, Adam)
        else rule.replace(weight_decay=0.3, decoupled=True)
    )
    theta = np.array([START])
    memory = tuple(slot + 0.1 for slot in rule.start(VALLEY, theta))
    plain = rule.step(VALLEY, 3, theta, *memory)
    shrunk = decayed.step(VALLEY, 3, theta, *memory)
    assert shrunk[0] == pytest.approx(plain[0] - 0.02 * 0.3 * theta, rel=1e-13)
    for one, other in zip(plain[1:], shrunk[1:], strict=True):
        assert np.array_equal(one, other)


def test_adamw_is_not_adam_with_l2():
    decoupled = path(AdamW(0.02, **BETAS, weight_decay=0.3))
    assert apart(decoupled, path(Adam(0.02, **BETAS, weight_decay=0.3))) > 5e-2
    without = path(AdamW(0.02, **BETAS, weight_decay=0.0))
    assert apart(without, path(Adam(0.02, **BETAS))) < 1e-12


def test_adamw_rests_where_decay_and_step_cancel():
    """g/(|g| + ε) + wθ = 0, not g = 0: with λ = 1, b = -2, ε = 1 and w = 0.3, by hand."""
    rule = AdamW(0.02, beta2=0.9, epsilon=1.0, weight_decay=0.3)
    end = path(rule, Quadratic([[1.0]], [-2.0]), [0.0], 4000)
    # θ < 2: (2 - θ)/(3 - θ) = 0.3 θ  <=>  0.3 θ² - 1.9 θ + 2 = 0
    rest = (1.9 - math.sqrt(1.9**2 - 2.4)) / 0.6
    assert end[-1, 0] == pytest.approx(rest, rel=1e-9)
    assert rest < 1.4


# -- NAdam ---------------------------------------------------------------------------------------


def test_nadam_of_optax_is_that_of_torch_without_warm_up():
    common = {**BETAS, "epsilon": 0.1}
    optax = path(NAdam(0.02, **common, momentum_schedule=False))
    assert apart(optax, path(NAdam(0.02, **common, momentum_decay=1e9))) < 1e-11
    assert apart(optax, path(NAdam(0.02, **common))) > 1e-3
    assert apart(optax, path(NAdam(0.02, **common, momentum_decay=1.0))) > 1e-4


def test_nadam_of_torch_with_decay_zero_has_half_the_momentum():
    """μ_t = β₁/2 for all t: written out."""
    rule = NAdam(0.02, **BETAS, epsilon=0.1, momentum_decay=0.0)
    x, m, v, mu = np.array(START), np.zeros(2), np.zeros(2), 0.4
    points = [x]
    for t in range(1, STEPS + 1):
        g = MATRIX @ x + LINEAR
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g**2
        top = (1 - mu) * g / (1 - mu**t) + mu * m / (1 - mu ** (t + 1))
        x = x - 0.02 * top / (np.sqrt(v / (1 - 0.95**t)) + 0.1)
        points.append(x)
    assert apart(path(rule), np.array(points)) < 1e-11


# -- RAdam ---------------------------------------------------------------------------------------


def test_radam_of_torch_and_of_optax_differ_by_epsilon_alone():
    bare = {"variant": "optax", "epsilon": 0.0}
    rule = RAdam(0.02, **BETAS, epsilon=0.0)
    assert apart(path(rule), path(rule.replace(**bare))) < 1e-11
    rule = RAdam(0.02, **BETAS, epsilon=0.3)
    assert apart(path(rule), path(rule.replace(variant="optax"))) > 1e-3


def test_radam_starts_as_momentum():
    """With β₂ = 0.999 ρ_t exceeds 5 at t = 6, and 4 at t = 5: until then nothing is divided."""
    rule = RAdam(1e-3, epsilon=0.01)
    x, m, points = np.array(START), np.zeros(2), [np.array(START)]
    for t in range(1, 7):
        m = 0.9 * m + 0.1 * (MATRIX @ x + LINEAR)
        x = x - 1e-3 * m / (1 - 0.9**t)
        points.append(x)
    points = np.array(points)
    found = path(rule, steps=6)
    assert apart(found[:6], points[:6]) < 1e-13
    assert apart(found[6], points[6]) > 1e-3
    paper = path(rule.replace(threshold=4.0), steps=6)
    assert apart(paper[:5], points[:5]) < 1e-13
    assert apart(paper[5], points[5]) > 1e-3


@each("beta2", [0.0, 1 / 3, 0.5, 0.6, 2 / 3])
@each("variant", ["torch", "optax"])
def test_radam_with_short_memory_stays_momentum(beta2, variant):
    """2/(1 - β₂) - 1 ≤ 5 is never enough; 1/3 and 0.6 make factors of r_t zero."""
    rule = RAdam(0.05, 0.8, beta2, variant=variant)
    x, m, points = np.array(START), np.zeros(2), [np.array(START)]
    for t in range(1, 31):
        m = 0.8 * m + 0.2 * (MATRIX @ x + LINEAR)
        x = x - 0.05 * m / (1 - 0.8**t)
        points.append(x)
    assert apart(by_hand([rule] * 30), np.array(points)) < 1e-12


def test_radam_threshold_per_run():
    thresholds = np.array([[4.0], [5.0], [9.0]])
    together = path(RAdam(0.02, **BETAS, threshold=thresholds), start=np.tile(START, (3, 1)))
    for run, threshold in enumerate(thresholds[:, 0]):
        alone = path(RAdam(0.02, **BETAS, threshold=float(threshold)))
        assert apart(together[:, run], alone) < 1e-11
    with pytest.raises(InputError, match="threshold must be at least 4"):
        RAdam(threshold=3.9)


# -- Adamax, AdaBelief, Yogi, LAMB ---------------------------------------------------------------


def test_adamax_of_keras_and_of_torch_differ_by_epsilon_alone():
    bare = Adamax(0.02, **BETAS, epsilon=0.0)
    assert apart(path(bare), path(bare.replace(epsilon_inside=False))) < 1e-12
    rule = Adamax(0.02, **BETAS, epsilon=0.1)
    assert apart(path(rule), path(rule.replace(epsilon_inside=False))) > 1e-3


def test_spread_of_adabelief_under_a_constant_gradient():
    """Once m = g only ε_r is left, and accumulates to ε_r/(1 - β₂)."""
    slope = Quadratic(np.zeros((1, 1)), [3.0])
    state = simulate(slope, AdaBelief(0.01, **BETAS, epsilon_root=0.02), [0.0], 2000).state
    assert state[2][0] == pytest.approx(0.02 / 0.05, rel=1e-12)
    one = simulate(slope, AdaBelief(0.01, **BETAS, epsilon_root=0.0), [0.0], 1).state
    assert one[2][0] == pytest.approx(0.05 * (3.0 - 0.2 * 3.0) ** 2, rel=1e-12)


def test_yogi_approaches_by_steps_of_the_square():
    """s moves by ±(1 - β₂)g² towards g², where the mean of Adam closes a share of the gap."""
    slope = Quadratic(np.zeros((1, 1)), [2.0])
    for first, after in ((1.0, 1.0 + 0.05 * 4.0), (9.0, 9.0 - 0.05 * 4.0), (4.0, 4.0)):
        rule = Yogi(0.01, **BETAS, initial_accumulator=first)
        assert simulate(slope, rule, [0.0], 1).state[2][0] == pytest.approx(after, rel=1e-13)
    start = Yogi().start(slope, np.zeros((1, 1)))
    assert [float(slot[0, 0]) for slot in start] == [1e-6, 1e-6]


def test_lamb_steps_are_a_fixed_share_of_theta():
    points = path(LAMB(0.01), steps=50)
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert lengths == pytest.approx(0.01 * np.linalg.norm(points[:-1], axis=1), rel=1e-12)


def test_lamb_where_a_length_is_zero():
    """The ratio is then 1: from θ = 0 it is Adam's step; where u = 0 nothing moves."""
    first = path(LAMB(0.01, epsilon=0.1), start=[0.0, 0.0], steps=1)
    assert first == pytest.approx(path(Adam(0.01, epsilon=0.1), start=[0.0, 0.0], steps=1))
    still = path(LAMB(0.01), Quadratic(np.diag([0.0, 0.0])), START, 3)
    assert np.array_equal(still, np.tile(START, (4, 1)))


# -- on symbols ----------------------------------------------------------------------------------


class Slope:
    """A problem whose gradient is one symbol."""

    def gradient(self, theta):
        del theta
        return sympy.Symbol("g", real=True)


@each("t", [2, 40])
@each("rule", [*DECAYING, AdamW(), AdaBelief(), Yogi(), RMSProp()], ids=str)
def test_printed_rule_is_the_rule(rule, t):
    """A step on symbols, the index t among them, with numbers put in afterwards."""
    names = list(rule.hyperparameters())
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    index = sympy.Symbol("t", integer=True, positive=True)
    slots = [sympy.Symbol(name, real=True) for name in ("theta", *rule.memory)]
    printed = rule.unchecked(**symbols).step(Slope(), index, *slots)
    values = {sympy.Symbol("g", real=True): -0.7, index: t}
    values |= {symbols[name]: getattr(rule, name) for name in names}
    state = [0.3 + 0.1 * i for i in range(len(slots))]
    values |= dict(zip(slots, state, strict=True))
    straight = Quadratic([[0.0]], [-0.7])
    numbers = rule.step(straight, t, *(np.array([[value]]) for value in state))
    for symbolic, number in zip(printed, numbers, strict=True):
        assert float(symbolic.subs(values)) == pytest.approx(float(number[0, 0]), rel=1e-12)


# -- next to the minimum -------------------------------------------------------------------------

EPS = 0.04
ADAM = 2 * 1.8 / 0.2  # 2(1 + β₁)/(1 - β₁) at β₁ = 0.8
NESTEROV = ADAM / 2.6
LOCAL = [  # rule, its limit of αλ by hand
    (Adam(**BETAS, epsilon=EPS), ADAM * EPS),
    (Adam(**BETAS, epsilon=EPS, epsilon_hat=True), ADAM * EPS),
    (Adam(**BETAS, epsilon=0.0, epsilon_root=EPS), ADAM * EPS**0.5),
    (Adam(**BETAS, epsilon=EPS, epsilon_root=EPS), ADAM * (EPS + EPS**0.5)),
    (Adam(**BETAS, epsilon=EPS, bias_correction_mean=False), ADAM * EPS),
    (AdamW(**BETAS, epsilon=EPS, weight_decay=0.0), ADAM * EPS),
    (NAdam(**BETAS, epsilon=EPS), NESTEROV * EPS),
    (NAdam(**BETAS, epsilon=EPS, momentum_schedule=False), NESTEROV * EPS),
    (AMSGrad(**BETAS, epsilon=EPS), ADAM * EPS),
    (AMSGrad(**BETAS, epsilon=EPS, variant="optax"), ADAM * EPS),
    (AMSGrad(**BETAS, epsilon=EPS, variant="raw"), ADAM * EPS),
    (RAdam(**BETAS, epsilon=EPS), ADAM * EPS),
    (RAdam(0.1, 0.8, 0.6, epsilon=EPS), ADAM),  # momentum for ever
    (Adamax(**BETAS, epsilon=EPS), ADAM * EPS),
    (Adamax(**BETAS, epsilon=EPS, epsilon_inside=False), ADAM * EPS),
    (AdaBelief(**BETAS, epsilon=EPS, epsilon_root=EPS), ADAM * (EPS + (EPS / 0.05) ** 0.5)),
]
PUBLISHED = LOCAL[:8]


def grows(rule, rate, steps=6000):
    """Tell whether an error of 1e-40 grows under λ = 1, by running the step on numbers."""
    rule = rule.replace(learning_rate=rate)
    problem = Quadratic([[1.0]])
    rest = np.zeros((1, 1))
    state = (rest, *rule.start(problem, rest))
    for _ in range(1000):
        state = rule.step(problem, LATE, rest, *state[1:])  # let the memory settle
    state = (rest + 1e-40, *state[1:])
    for _ in range(steps):
        state = rule.step(problem, LATE, *state)
        size = abs(float(state[0][0, 0]))
        if not 1e-60 < size < 1e-20:  # decided, long before any square matters
            break
    return size > 1e-40


@each(("rule", "limit"), LOCAL, ids=str)
def test_local_limit_from_both_sides(rule, limit):
    assert not grows(rule, 0.99 * limit)
    assert grows(rule, 1.01 * limit)


@each(("rule", "limit"), PUBLISHED, ids=str)
def test_published_limit(rule, limit):
    assert rule.published_limit() == pytest.approx(limit, rel=1e-14)


def test_published_limits_in_numbers():
    """OPTIMIZERS 2.7: 38 and 13.57 at β₁ = 0.9; with lr 1e-3 and ε 1e-8 only λ < 3.8e-4."""
    assert Adam(epsilon=1.0).published_limit() == pytest.approx(38.0)
    assert NAdam(epsilon=1.0).published_limit() == pytest.approx(13.571, abs=5e-4)
    assert Adam().published_limit() / Adam().learning_rate == pytest.approx(3.8e-4)


@each(
    "rule",
    [
        Adam(epsilon=0.0),
        Adam(weight_decay=0.1),
        AdamW(),
        NAdam(momentum_decay=0.0),
        AMSGrad(),
        LAMB(),
    ],
    ids=str,
)
def test_where_nothing_is_published(rule):
    assert rule.published_limit() is None


@each("rule", [rule for rule, _ in LOCAL], ids=str)
def test_derivatives_at_the_minimum_are_finite(rule):
    """In theta, where the memory has settled; an infinite slope of the root is never used."""
    trace = Trace()
    problem = Direction(1.0, trace)
    theta = Form(0.0, {"theta": 1.0}, trace)
    memory = [Form(float(slot), {}, trace) for slot in rule.start(problem, np.float64(0.0))]
    moved, *_ = rule.step(problem, LATE, theta, *memory)
    assert all(np.all(np.isfinite(part)) for part in moved.parts.values())
