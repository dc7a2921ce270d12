"""What is called proved is true: identities against plain loops, and rules made to deceive."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions.exact import rational, simplest
from convex_analyzer.conventions.identities import forms
from convex_analyzer.conventions.linear_proof import decide
from convex_analyzer.conventions.symbolic_proof import find
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import Adamax, RAdam
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import EMA, Averaged, Lookahead
from convex_analyzer.optimizers.base import Optimizer, as_state
from convex_analyzer.optimizers.clipping import ClippedByNorm, WeightDecay
from convex_analyzer.optimizers.gradient import SGD, GradientDescent
from convex_analyzer.optimizers.momentum import (
    EMAMomentum,
    HeavyBall,
    Nesterov,
    OuterMomentum,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import (
    QHM,
    NesterovRewritten,
    NesterovTwoPoint,
    TripleMomentum,
    TwoRateNesterov,
)
from convex_analyzer.optimizers.sign import Lion, SignSGD, Signum
from convex_analyzer.testing.case import PlainProblem

pytestmark = pytest.mark.survey

MATRIX = [[2.0, 0.5, 0.3], [0.5, 1.0, -0.4], [0.3, -0.4, 1.5]]
PROBLEM = PlainProblem(MATRIX, [0.3, -0.7, 0.2])
START = np.array([[1.3, -0.8, 0.6], [-2.1, 0.4, 1.7]])
STAIRS = schedules.Step(0.1, 0.3, 7)


def path(rule, steps=40):
    """Return the reported points of a plain loop."""
    state = (START, *rule.at(1).start(PROBLEM, START))
    points = [rule.at(1).report(*state)]
    for t in range(1, steps + 1):
        here = rule.at(t)
        state = as_state(here, here.step(PROBLEM, t, *state))
        points.append(here.report(*state))
    return np.array(points)


def apart(one, other):
    return float(np.abs(path(one) - path(other)).max() / np.abs(path(one)).max())


# -- every form of every rule ----------------------------------------------------------------------

RULES = [
    HeavyBall(0.1, 0.9),
    HeavyBall(STAIRS, 0.9),
    HeavyBall(0.1, 0.0),
    OuterMomentum(0.1, 0.9),
    OuterMomentum(STAIRS, 0.9),
    OuterMomentum(0.1, 0.0),
    OuterMomentum(0.1, 0.9, 0.4),
    OuterMomentum(0.1, 0.9, weight_decay=0.2),
    OuterMomentum(0.1, 0.0, weight_decay=0.2),
    OuterMomentum(STAIRS, 0.9, nesterov=True),
    OuterMomentum(0.1, 0.9, nesterov=True),
    EMAMomentum(0.5, 0.9),
    EMAMomentum(STAIRS, 0.9),
    TwoRateMomentum(0.5, 0.1, 0.8),
    TwoRateMomentum(STAIRS, 0.5, 0.8),
    TwoRateMomentum(0.5, STAIRS, 0.8),
    TwoRateNesterov(0.5, 0.1, 0.8),
    TwoRateNesterov(0.5, STAIRS, 0.8),
    TwoRateNesterov(0.5, 0.1, 0.8, as_printed=True),
    TwoRateNesterov(1.0, 0.1, 0.8, as_printed=True),
    TwoRateNesterov(STAIRS, 0.1, 0.8),
    Nesterov(0.1, 0.0),
    NesterovRewritten(0.1, 0.9),
    NesterovRewritten(STAIRS, 0.9),
    NesterovRewritten(0.1, 0.0),
    NesterovTwoPoint(0.1, "constant", 0.8),
    QHM(0.4, 0.8, 0.8),
    QHM(STAIRS, 0.8, 0.8),
    QHM(0.4, 0.8, 0.0),
    QHM(0.4, 0.8, 1.0),
    TripleMomentum(0.1, 0.8, 0.0, 0.0),
    TripleMomentum(0.1, 0.8, 0.8, 0.0),
    TripleMomentum(0.1, 0.8, 0.8, 0.8),
    AdaGrad(0.3, 1e-2, epsilon_inside=True),
    AdaGrad(0.3, 1e-2, epsilon_inside=True, initial_accumulator=0.1, decoupled=True),
    AdaGrad(0.3, 0.0, initial_accumulator=0.1),
    AdaGrad(0.3, 1e-2, learning_rate_decay=0.1),
    AdaGrad(schedules.InverseTime(0.3, 0.1), 1e-2),
    RMSProp(0.1, 0.9, 0.0),
    RMSProp(0.1, 0.9, 1e-2, momentum=0.5),
    RMSProp(STAIRS, 0.9, 1e-2),
    RMSProp(0.1, 0.9, 1e-1, bias_correction=True, weight_decay=0.1),
    Adam(0.1, 0.0, 0.9, 1e-1),
    Adam(0.1, epsilon=0.0),
    Adam(0.1, epsilon=1e-2),
    AdamW(0.1, epsilon=0.0, weight_decay=0.0),
    AMSGrad(0.1, epsilon=0.0, decoupled=True),
    NAdam(0.1, momentum_schedule=False),
    NAdam(0.1, momentum_decay=1e9),
    RAdam(0.1, epsilon=0.0),
    Adamax(0.1, epsilon=0.0),
    Signum(0.01, 0.5),
    Signum(0.01, 0.0),
    Lion(0.01, 0.5, 0.5),
    Lion(0.01, 0.0, 0.5),
    SignSGD(0.01),
    WeightDecay(HeavyBall(0.1, 0.9), 0.2),
    WeightDecay(GradientDescent(0.1), 0.2),
    WeightDecay(GradientDescent(0.1), 0.2, decoupled=False),
    WeightDecay(EMAMomentum(0.5, 0.9), 0.2),
    WeightDecay(Adam(0.1), 0.2),
    WeightDecay(Adam(0.1), 0.2, decoupled=False),
    WeightDecay(RMSProp(0.1, 0.9, 1e-1), 0.2),
    WeightDecay(AdamW(0.1, weight_decay=0.0), 0.2),
    ClippedByNorm(Nesterov(0.1, 0.8), 0.5),
    ClippedByNorm(EMAMomentum(0.5, 0.8), 0.5),
    Lookahead(TwoRateMomentum(0.5, 0.1, 0.8), 4),
    Averaged(Nesterov(0.1, 0.8)),
    EMA(QHM(0.4, 0.8, 0.8), 0.9),
]


@each("rule", RULES, ids=repr)
def test_forms_are_what_they_say(rule):
    """Exact ones run alike in a plain loop; those with a difference do not."""
    for form in forms(rule):
        distance = apart(rule, form.rule)
        if form.difference or form.reported:
            assert distance > 1e-6, (form.difference, str(form.rule))
        else:
            assert distance < 1e-9, str(form.rule)


def test_every_rule_with_forms_is_among_them():
    from convex_analyzer.conventions import identities

    assert set(identities._FORMS) - {type(rule) for rule in RULES} == {SGD}
    (form,) = forms(SGD(0.1, 32))
    assert (form.rule, form.note) == (GradientDescent(0.1), "feed it mini-batches of 32")


def test_an_inner_look_ahead_is_not_averaged():
    """The average of the stored points is not that of the iterates, so there is no such form."""
    assert forms(Averaged(Nesterov(0.1, 0.8))) == []
    assert forms(Lookahead(Nesterov(0.1, 0.8), 4)) == []
    (form,) = forms(ClippedByNorm(Nesterov(0.1, 0.8), 0.5))
    assert "look-ahead" in form.reported


# -- rules made to deceive -------------------------------------------------------------------------


class Late(Optimizer):
    """Gradient descent that adds a little of the gradient of four steps ago."""

    learning_rate: float
    share: float

    def step(self, problem, t, theta, a, b, c, d):
        gradient = problem.gradient(theta)
        theta = theta - self.learning_rate * gradient - self.share * d
        return theta, gradient, a, b, c


class OnSecondThought(Optimizer):
    """Gradient descent but for step 30, and it says so."""

    learning_rate: float
    period = None
    settles = True

    def step(self, problem, t, theta):
        rate = self.learning_rate * 1.001 if t == 30 else self.learning_rate
        return theta - rate * problem.gradient(theta)


class Twin(Optimizer):
    """Gradient descent that does another thing at points with a coordinate above 100."""

    learning_rate: float

    def step(self, problem, t, theta):
        from convex_analyzer.ops import where

        gradient = problem.gradient(theta)
        return theta - self.learning_rate * where(theta > 100, 0.5, 1.0) * gradient


def test_a_difference_after_four_steps_is_found():
    """The outputs agree at the steps 0 ... 4; with 6 slots they have to be compared up to 7."""
    plain = GradientDescent(0.1)
    decision = decide(plain, Late(0.1, 0.01))
    assert not decision.equal
    assert decision.compared == 5
    lam, theta, beta = sympy.symbols("lambda theta_0 beta")
    first_gradient = lam * theta + beta
    assert sympy.simplify(decision.difference + first_gradient / 100) == 0
    assert ca.equivalent(plain, Late(0.1, 0.01)).verdict == "refuted"
    assert decide(plain, Late(0.1, 0.0)).complete
    assert ca.equivalent(plain, Late(0.1, 0.0)).verdict == "proved"


def test_a_rule_that_does_not_repeat_is_not_proved_by_its_first_steps():
    decision = decide(GradientDescent(0.1), OnSecondThought(0.1))
    assert decision.equal
    assert not decision.complete
    assert find(GradientDescent(0.1), OnSecondThought(0.1)).steps == 3
    found = ca.equivalent(GradientDescent(0.1), OnSecondThought(0.1))
    assert found.verdict == "refuted", "the runs show it"
    short = ca.equivalent(GradientDescent(0.1), OnSecondThought(0.1), steps=20)
    assert short.verdict == "plausible"
    assert short.equivalent is None
    assert short


def test_a_rule_that_differs_where_nothing_was_run_is_not_proved():
    assert find(GradientDescent(0.1), Twin(0.1)) is None
    assert ca.equivalent(GradientDescent(0.1), Twin(0.1)).verdict == "plausible"


SETTINGS = [
    (HeavyBall(0.1, 0.9), "momentum"),
    (OuterMomentum(0.1, 0.9, 0.3, 0.2), "dampening"),
    (QHM(0.4, 0.8, 0.5), "nu"),
    (AdaGrad(0.3, 1e-2), "epsilon"),
    (RMSProp(0.1, 0.9, 1e-2, momentum=0.5), "decay"),
    (Adam(0.1, epsilon=1e-2), "beta2"),
    (AdamW(0.1), "weight_decay"),
    (EMA(HeavyBall(0.1, 0.5), 0.9), "decay"),
    (Lookahead(HeavyBall(0.1, 0.5), 3, 0.5), "slow_step_size"),
]


@pytest.mark.parametrize(("rule", "name"), SETTINGS, ids=str)
@given(factor=st.floats(0.9, 0.999999))
def test_any_other_setting_is_refuted(rule, name, factor):
    other = rule.replace(**{name: rule.values[name] * factor})
    assert find(rule, other) is None or not find(rule, other).reports


def test_settings_that_differ_by_more_than_rounding():
    one = HeavyBall(0.1, 0.9)
    assert ca.equivalent(one, HeavyBall(0.1, 0.9 + 1e-10)).verdict == "refuted"
    rounded = ca.equivalent(one, HeavyBall(0.1, 0.9 * (1 + 1e-15)))
    assert rounded.verdict == "plausible"
    assert "if the settings were rounded" in rounded.proof[-1]
    assert ca.equivalent(one, HeavyBall(0.1, np.nextafter(0.9, 1.0))).verdict == "proved"


def test_proofs_hold_on_an_objective_that_is_no_quadratic():
    """A change of variables is proved for any gradient; here Σ θ⁴/4 + cos θ, coupled."""

    class Bent:
        def gradient(self, theta):
            return theta**3 / 8 - np.sin(theta) + theta.sum(axis=-1, keepdims=True) / 4

    def run(rule):
        state = (START, *rule.start(Bent(), START))
        points = []
        for t in range(1, 60):
            state = as_state(rule, rule.step(Bent(), t, *state))
            points.append(rule.report(*state))
        return np.array(points)

    pairs = [
        (HeavyBall(0.1, 0.8), OuterMomentum(0.1, 0.8)),
        (QHM(0.4, 0.8, 0.8), OuterMomentum(0.4 * (1 - 0.8), 0.8, nesterov=True)),
        (AdaGrad(0.3, 1e-2, epsilon_inside=True), AdaGrad(0.3, 0.0, initial_accumulator=1e-2)),
        (Adam(0.1, 0.0, 0.9, 1e-1), RMSProp(0.1, 0.9, 1e-1, bias_correction=True)),
        (WeightDecay(EMAMomentum(0.5, 0.8), 0.1), WeightDecay(OuterMomentum(0.1, 0.8), 0.5)),
    ]
    for one, other in pairs:
        assert ca.equivalent(one, other).scope.startswith("every objective")
        assert np.abs(run(one) - run(other)).max() < 1e-11


# -- exact numbers ---------------------------------------------------------------------------------


@given(st.floats(1e-300, 1e300))
def test_fractions_round_to_the_number(value):
    found = rational(value)
    assert abs(Fraction(found.p, found.q) - Fraction(value)) <= 2 * Fraction(
        np.spacing(value).item()
    )


@given(st.integers(-999, 999), st.integers(1, 999))
def test_fractions_of_short_numbers_are_those_numbers(p, q):
    assert rational(p / q) == sympy.Rational(p, q)


@given(st.fractions(Fraction(1, 50), 50), st.fractions(Fraction(1, 50), 50))
def test_no_simpler_fraction_lies_between(low, width):
    found = simplest(low, low + width)
    assert low <= found <= low + width
    for q in range(1, found.denominator):
        assert Fraction(math.ceil(low * q), q) > low + width  # the first of this denominator


def test_what_is_no_number_stays():
    symbol = sympy.Symbol("a")
    assert rational(symbol) is symbol
    assert rational(3) == 3
    assert rational(0.0) == 0
    assert rational(-0.1) == sympy.Rational(-1, 10)
    assert rational(float("inf")) == sympy.oo
