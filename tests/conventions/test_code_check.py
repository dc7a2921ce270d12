"""`check_code` against agreeing code, planted slips, and code that breaks."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions.variants import variants
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import Averaged
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov, OuterMomentum
from convex_analyzer.optimizers.sampling import GradientNoise

STAIRS = schedules.Step(0.05, 0.3, 5)


def momentum(rate=0.05, mu=0.9, share=1.0, outside=False, late=False, ahead=False, when=None):
    def step(gradient, theta, state):
        k, v = (0, np.zeros_like(theta)) if state is None else state
        alpha = rate if when is None else when(k)
        g = gradient(theta + mu * v) if ahead else gradient
        if outside:
            v = g.copy() if late and k == 0 else mu * v + share * g
            return theta - alpha * v, (k + 1, v)
        v = mu * v - alpha * share * g
        return theta + v, (k + 1, v)

    return step


def adam(eps=1e-2, inside=False, correct=True, coupled=0.0, decoupled=0.0, shift=0, hat=False):
    def step(gradient, theta, state):
        t, m, v = (1, 0 * theta, 0 * theta) if state is None else state
        g = gradient + coupled * theta
        theta = theta - 0.05 * decoupled * theta
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        one, two = 1 - 0.9 ** (t + shift), 1 - 0.999 ** (t + shift)
        if not correct:
            one = two = 1.0
        if hat:
            theta = theta - 0.05 * np.sqrt(two) / one * m / (np.sqrt(v) + eps)
        elif inside:
            theta = theta - 0.05 * m / one / np.sqrt(v / two + eps)
        else:
            theta = theta - 0.05 * m / one / (np.sqrt(v / two) + eps)
        return theta, (t + 1, m, v)

    return step


def rmsprop(eps=0.01, inside=False, rho=0.9):
    def step(gradient, theta, s):
        s = rho * (0 if s is None else s) + (1 - rho) * gradient**2
        return theta - 0.05 * gradient / (np.sqrt(s + eps) if inside else np.sqrt(s) + eps), s

    return step


def stairs(k):
    return 0.05 * 0.3 ** (k // 5)


def descent(rate=0.05, dtype=float, late=False):
    def step(gradient, theta, state):
        if late and state is None:
            return theta, gradient
        g = state if late else gradient
        moved = (theta.astype(dtype) - dtype(rate) * np.asarray(g).astype(dtype)).astype(float)
        return moved, gradient

    return step


AGREE = [
    (momentum(), HeavyBall(0.05, 0.9)),
    (momentum(outside=True), OuterMomentum(0.05, 0.9)),
    (momentum(outside=True, share=0.5, late=True), OuterMomentum(0.05, 0.9, 0.5)),
    (momentum(share=0.1), EMAMomentum(0.05, 0.9)),
    (momentum(ahead=True), Nesterov(0.05, 0.9)),
    (momentum(when=stairs), HeavyBall(STAIRS, 0.9)),
    (adam(), Adam(0.05, epsilon=1e-2)),
    (adam(hat=True), Adam(0.05, epsilon=1e-2, epsilon_hat=True)),
    (adam(decoupled=0.2), AdamW(0.05, epsilon=1e-2, weight_decay=0.2)),
    (rmsprop(inside=True), RMSProp(0.05, 0.9, 0.01, epsilon_inside=True)),
    (descent(), GradientDescent(0.05)),
]


@each("place", range(len(AGREE)))
def test_right_code_agrees(place):
    code, rule = AGREE[place]
    found = ca.check_code(code, rule, steps=60)
    assert found
    assert found.agrees
    assert found.cause == ""
    assert found.step is None
    assert found.largest < 1e-9
    assert len(found.compared) == 5
    assert "agrees" in str(found)
    assert "agrees" in repr(found)
    assert json.dumps(found.to_dict())


SLIPS = [
    (momentum(outside=True, share=0.1, late=True), OuterMomentum(0.05, 0.9), "not in the first"),
    (momentum(share=0.1), HeavyBall(0.05, 0.9), "averages gradients"),
    (momentum(), Nesterov(0.05, 0.9), "without a look-ahead"),
    (momentum(ahead=True), HeavyBall(0.05, 0.9), "at the look-ahead point"),
    (momentum(outside=True, when=stairs), HeavyBall(STAIRS, 0.9), "multiplies the velocity by"),
    (momentum(when=stairs), OuterMomentum(STAIRS, 0.9), "what enters the velocity"),
    (descent(), HeavyBall(0.05, 0.9), "leaves the momentum out"),
    (momentum(outside=True), OuterMomentum(0.05, 0.9, 0.5), "leaves the dampening out"),
    (adam(correct=False), Adam(0.05, epsilon=1e-2), "does not correct the bias"),
    (adam(hat=True), Adam(0.05, epsilon=1e-2), "before its bias is corrected"),
    (adam(inside=True), Adam(0.05, epsilon=1e-2), "under the root"),
    (adam(shift=1), Adam(0.05, epsilon=1e-2), "one ahead"),
    (
        adam(decoupled=0.2),
        Adam(0.05, epsilon=1e-2, weight_decay=0.2),
        "decouples the weight decay",
    ),
    (
        adam(coupled=0.2),
        AdamW(0.05, epsilon=1e-2, weight_decay=0.2),
        "adds the weight decay to the gradient",
    ),
    (
        adam(decoupled=4.0),
        AdamW(0.05, epsilon=1e-2, weight_decay=0.2),
        "does not multiply the weight decay",
    ),
    (adam(), AdamW(0.05, epsilon=1e-2, weight_decay=0.2), "leaves the weight decay out"),
    (rmsprop(inside=True), RMSProp(0.05, 0.9, 0.01), "under the root"),
    (rmsprop(), RMSProp(0.05, 0.9, 0.01, epsilon_inside=True), "beside the root"),
    (rmsprop(rho=0.1), RMSProp(0.05, 0.9, 0.01), "gives the past the weight"),
    (descent(-0.05), GradientDescent(0.05), "wrong sign"),
    (descent(0.1), GradientDescent(0.05), "twice"),
    (descent(0.025), GradientDescent(0.05), "half"),
    (descent(0.05), Averaged(GradientDescent(0.05)), "leaves Averaged out"),
    (descent(dtype=np.float32), GradientDescent(0.05), "single precision"),
]


@pytest.mark.parametrize("place", range(len(SLIPS)))
def test_slips_are_named(place):
    code, rule, cause = SLIPS[place]
    found = ca.check_code(code, rule, steps=40)
    assert not found
    assert cause in found.cause
    assert found.step >= 1
    assert 1 <= found.problem <= 5
    assert 1 <= found.coordinate <= 3
    assert found.yours != found.ours
    assert found.cause in str(found).replace("\n", " ") or "likely cause" in str(found)
    assert json.dumps(found.to_dict())
    if found.explanation is not None:
        assert ca.check_code(code, found.explanation, steps=40)


def test_the_place_of_the_first_difference():
    def step(gradient, theta, k):
        k = 0 if k is None else k
        moved = theta - 0.05 * gradient
        if k == 6:
            moved[1] += 0.5
        return moved, k + 1

    found = ca.check_code(step, GradientDescent(0.05), steps=30)
    assert (found.step, found.problem, found.coordinate) == (7, 1, 2)
    assert found.yours - found.ours == pytest.approx(0.5)
    assert found.cause == ""
    assert "none that is known" in str(found)


def run_of(code):
    def run(gradient, start, steps):
        points, state = [start], None
        for _ in range(steps):
            theta, state = code(gradient(points[-1]), points[-1].copy(), state)
            points.append(theta)
        return np.array(points)

    return run


def test_whole_runs():
    assert ca.check_code(run_of(rmsprop()), RMSProp(0.05, 0.9, 0.01), steps=30)
    found = ca.check_code(run_of(rmsprop(inside=True)), RMSProp(0.05, 0.9, 0.01), steps=30)
    assert "under the root" in found.cause

    def late(gradient, start, steps):
        points = run_of(descent())(gradient, start, steps)
        return np.concatenate([points[:1], points[:-1]])

    assert "late" in ca.check_code(late, GradientDescent(0.05), steps=30).cause

    def run(gradient, start, count_of_all):
        return run_of(descent())(gradient, start, count_of_all)

    assert ca.check_code(run, GradientDescent(0.05), kind="run", steps=20)
    with pytest.raises(ca.InputError, match="shape"):
        ca.check_code(lambda g, x, steps: np.zeros((steps, 3)), GradientDescent(0.05))


def test_code_that_breaks():
    class BrokenError(Exception):
        pass

    def raises(gradient, theta, state):
        raise BrokenError

    with pytest.raises(ca.InputError, match="BrokenError in step 1") as caught:
        ca.check_code(raises, GradientDescent(0.05))
    assert isinstance(caught.value.__cause__, BrokenError)
    with pytest.raises(ca.InputError, match="theta and state"):
        ca.check_code(lambda g, x, s: x, GradientDescent(0.05))
    with pytest.raises(ca.InputError, match="shape"):
        ca.check_code(lambda g, x, s: (x[:2], s), GradientDescent(0.05))
    found = ca.check_code(lambda g, x, s: (x * np.nan, s), GradientDescent(0.05))
    assert not found
    assert found.step == 1
    assert np.isnan(found.yours)


@each(
    ("arguments", "options", "message"),
    [
        ((3, Adam(0.1)), {}, "code must be"),
        ((descent(), 3), {}, "optimizer must be"),
        ((descent(), Adam(0.1)), {"kind": "walk"}, "kind must be"),
        ((descent(), Adam(0.1)), {"steps": 0}, "steps must be"),
        ((descent(), Adam(0.1)), {"steps": True}, "steps must be"),
        ((descent(), GradientNoise(GradientDescent(0.1), 0.1, 0.5)), {}, "random numbers"),
    ],
)
def test_wrong_arguments(arguments, options, message):
    with pytest.raises(ca.InputError, match=message):
        ca.check_code(*arguments, **options)


def test_a_callable_without_signature_is_a_step():
    table = schedules.Table([0.05] * 8)
    assert ca.check_code(descent(), GradientDescent(table)).compared == (8,) * 5


def test_variants():
    for rule in (
        AdaGrad(0.1, initial_accumulator=0.1),
        AMSGrad(0.1, weight_decay=0.1),
        RMSProp(0.1, momentum=0.5),
        HeavyBall(STAIRS, 0.9),
    ):
        found = variants(rule)
        rules = [each.rule for each in found]
        assert rule not in rules
        assert len(set(rules)) == len(rules)
        assert all(each.cause for each in found)
