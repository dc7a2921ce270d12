"""Students' code for the seven optimizers of lecture 000's notebook: right, and wrong by one edit.

Every slip is an edit of the text of the right function, as a student would have typed it; nothing
of the package is used to make it.
"""

from __future__ import annotations

import functools
import json
import random
import sys

import numpy as np
import pytest
from cases import each

from convex_analyzer.conventions.code_check import check_code
from convex_analyzer.conventions.code_slips import slips
from convex_analyzer.conventions.convert import from_library
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov, OuterMomentum

SGD = """
def sgd(theta, state, grad):
    return theta - 0.05 * grad, state
"""
MOMENTUM = """
def momentum(theta, v, grad):
    v = 0 * theta if v is None else v
    v = 0.8 * v + 0.05 * grad
    return theta - v, v
"""
NESTEROV = """
def nesterov(theta, v, grad):
    v = 0 * theta if v is None else v
    v = 0.8 * v + 0.05 * grad(theta - 0.8 * v)
    return theta - v, v
"""
ADAGRAD = """
def adagrad(theta, s, grad):
    s = np.zeros_like(theta) if s is None else s
    s = s + grad ** 2
    return theta - 0.3 / np.sqrt(s + 0.01) * grad, s
"""
RMSPROP = """
def rmsprop(theta, s, grad):
    s = np.zeros_like(theta) if s is None else s
    s = 0.9 * s + (1 - 0.9) * grad ** 2
    return theta - 0.05 / np.sqrt(s + 0.01) * grad, s
"""
ADAM = """
def adam(theta, state, grad):
    t, m, v = (0, 0 * theta, 0 * theta) if state is None else state
    t = t + 1
    m = 0.8 * m + (1 - 0.8) * grad
    v = 0.99 * v + (1 - 0.99) * grad ** 2
    m_hat = m / (1 - 0.8 ** t)
    v_hat = v / (1 - 0.99 ** t)
    return theta - 0.05 / (np.sqrt(v_hat) + 0.01) * m_hat, (t, m, v)
"""
AMSGRAD = """
def amsgrad(theta, state, grad):
    m, v, v_hat = (0 * theta, 0 * theta, 0 * theta) if state is None else state
    m = 0.8 * m + (1 - 0.8) * grad
    v = 0.99 * v + (1 - 0.99) * grad ** 2
    v_hat = np.maximum(v_hat, v)
    return theta - 0.05 / (np.sqrt(v_hat) + 0.01) * m, (m, v, v_hat)
"""

lecture = functools.partial(from_library, "lecture000")
RULES = {
    SGD: lecture("SGD", eta=0.05),
    MOMENTUM: lecture("Momentum", eta=0.05, gamma=0.8),
    NESTEROV: lecture("Nesterov", eta=0.05, gamma=0.8),
    ADAGRAD: lecture("Adagrad", eta=0.3, epsilon=0.01),
    RMSPROP: lecture("RMSProp", eta=0.05, gamma=0.9, epsilon=0.01),
    ADAM: lecture("Adam", eta=0.05, beta1=0.8, beta2=0.99, epsilon=0.01),
    AMSGRAD: lecture("AMSGrad", eta=0.05, beta1=0.8, beta2=0.99, epsilon=0.01),
}


def compiled(text, *edits):
    """Return the function of an edited text."""
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    names = {"np": np}
    exec(text, names)
    return next(value for name, value in names.items() if name not in ("np", "__builtins__"))


@each("text", list(RULES))
def test_the_seven_are_accepted(text):
    found = check_code(compiled(text), RULES[text], steps=30)
    assert found
    assert found.cause == ""
    assert not found.notes
    assert len(found.compared) == 5
    assert (text == SGD) == (found.form == "")
    assert (found.expressions is not None) == (text in (SGD, MOMENTUM, NESTEROV))
    assert json.dumps(found.to_dict())


TWO_POINTS = """new = theta - 0.05 * grad + 0.8 * (v[0] - v[1])
    return new, (new, theta)"""
AGAIN = """moved = theta - 0.05 / (np.sqrt(v_hat) + 0.01) * m_hat
    return moved, (t, m, 0.99 * old + (1 - 0.99) * grad(moved) ** 2)"""
SAME = [
    (MOMENTUM, [], "its state is −velocity"),
    (MOMENTUM, [("+ 0.05 * grad", "- 0.05 * grad"), ("theta - v, v", "theta + v, v")], "same"),
    (MOMENTUM, [("+ 0.05 * grad", "+ grad"), ("theta - v, v", "theta - 0.05 * v, v")], "−20 times"),
    (NESTEROV, [("+ 0.05 * grad(theta - 0.8 * v)", "- 0.05 * grad(theta + 0.8 * v)"),
                ("theta - v, v", "theta + v, v")], "same"),
    (ADAM, [("m_hat = m / (1 - 0.8 ** t)", "m_hat = m"),
            ("0.05 / (np", "0.05 / (1 - 0.8 ** t) / (np")], "same"),
    (ADAM, [("grad ** 2", "grad * grad"), ("0 * theta, 0 * theta", "0.0, 0.0")], "same"),
    (RMSPROP, [("0.9 * s + (1 - 0.9) * grad ** 2", "s + (1 - 0.9) * (grad ** 2 - s)")], "same"),
    (MOMENTUM, [("0 * theta if v is None else v", "(theta, theta) if v is None else v"),
                ("    v = 0.8 * v + 0.05 * grad\n", ""),
                ("return theta - v, v", TWO_POINTS)], "another state"),
]  # fmt: skip


@each(("text", "edits", "form"), SAME)
def test_other_forms_are_equivalent(text, edits, form):
    found = check_code(compiled(text, *edits), RULES[text], steps=15)
    assert found
    assert form in found.form


SLIPS = [
    (SGD, [("- 0.05 *", "+ 0.05 *")], "ascends"),
    (SGD, [("0.05 * grad", "grad")], "leaves the learning rate out"),
    (MOMENTUM, [("theta - v, v", "theta + v, v")], "ascends"),
    (MOMENTUM, [("+ 0.05 * grad", "+ (1 - 0.8) * 0.05 * grad")], "averages gradients"),
    (MOMENTUM, [("0.8 * v + 0.05 * grad", "0.8 * (v + 0.05 * grad)")], "by μ too"),
    (MOMENTUM, [("theta - v, v", "theta - 0.05 * v, v")], "inside the velocity and outside"),
    (MOMENTUM, [("0.05 * grad", "grad")], "leaves the learning rate out"),
    (MOMENTUM, [("0.8 * v +", "-0.8 * v +")], "momentum has the wrong sign"),
    (MOMENTUM, [("0.8 * v +", "v +")], "does not decay the velocity"),
    (MOMENTUM, [("0.8 * v +", "(1 - 0.8) * v +")], "past the weight 1 - "),
    (MOMENTUM, [("theta - v, v", "theta - v, None")], "does not carry its state over"),
    (MOMENTUM, [("    v = 0.8 * v + 0.05", "    old = v\n    v = 0.8 * v + 0.05"),
                ("theta - v, v", "theta - old, v")], "velocity of the step before"),
    (MOMENTUM, [("theta - v, v", "theta - v - 0.05 * grad, v")], "once more"),
    (NESTEROV, [("grad(theta - 0.8 * v)", "grad")], "without a look-ahead"),
    (NESTEROV, [("theta - 0.8 * v)", "theta + 0.8 * v)")], "looks back instead of ahead"),
    (NESTEROV, [("theta - 0.8 * v)", "theta - v)")], "without μ"),
    (NESTEROV, [("    v = 0.8 * v + 0.05", "    old = v\n    v = 0.8 * v + 0.05"),
                ("return theta - v, v", "return theta - old, v")], "velocity of the step before"),
    (NESTEROV, [("    v = 0.8 * v + 0.05 * grad(theta - 0.8 * v)",
                 "    theta = theta - 0.8 * v\n    v = 0.8 * v + 0.05 * grad(theta)")],
     "moves the look-ahead point"),
    (NESTEROV, [("grad(theta - 0.8 * v)", "grad"), ("theta - v, v",
                 "theta - 0.8 * v - 0.05 * grad, v")], "reports the look-ahead point"),
    (ADAGRAD, [("np.sqrt(s + 0.01)", "(s + 0.01)")], "without its root"),
    (ADAGRAD, [("np.sqrt(s + 0.01)", "(np.sqrt(s) + 0.01)")], "beside the root"),
    (ADAGRAD, [("s = s + grad", "s = grad")], "divides by the last one"),
    (ADAGRAD, [("grad ** 2", "np.sum(grad ** 2)")], "one number"),
    (ADAGRAD, [("s + 0.01", "s")], "leaves ε out"),
    (RMSPROP, [("0.9 * s +", "s +")], "it adds up"),
    (RMSPROP, [("(1 - 0.9) * grad", "grad")], "leaves the factor 1 - decay"),
    (RMSPROP, [("0.9 * s + (1 - 0.9) *", "s +")], "as AdaGrad does"),
    (RMSPROP, [("0.9 * s + (1 - 0.9)", "(1 - 0.9) * s + 0.9")], "gives the past the weight"),
    (RMSPROP, [("np.sqrt(s + 0.01)", "(np.sqrt(s) + 0.01)")], "beside the root"),
    (RMSPROP, [("* grad, s", "* grad, None")], "does not carry its state over"),
    (RMSPROP, [("* grad ** 2", "* grad")], "does not square"),
    (ADAM, [("np.sqrt(v_hat) + 0.01", "np.sqrt(v_hat + 0.01)")], "under the root"),
    (ADAM, [("m / (1 - 0.8 ** t)", "m")], "correct the bias of the mean"),
    (ADAM, [("v / (1 - 0.99 ** t)", "v")], "correct the bias of the mean square"),
    (ADAM, [("m / (1 - 0.8 ** t)", "m"), ("v / (1 - 0.99 ** t)", "v")], "does not correct the"),
    (ADAM, [("t = t + 1", "t = t + 2"), ("(t, m, v)", "(t - 1, m, v)")], "one ahead"),
    (ADAM, [("    t = t + 1\n", ""), ("(t, m, v)", "(t + 1, m, v)")], "divides by zero"),
    (ADAM, [("(t, m, v)\n", "(t - 1, m, v)\n")], "never counts on"),
    (ADAM, [("0.99 * v + (1 - 0.99)", "0.8 * v + (1 - 0.8)"), ("0.99 ** t", "0.8 ** t")],
     "uses β₁ for both"),
    (ADAM, [("v / (1 - 0.99 ** t)", "v / (1 - 0.8 ** t)")], "corrects both biases with β₁"),
    (ADAM, [("(1 - 0.8) * grad", "grad")], "leaves the factor 1 - β₁"),
    (ADAM, [("(1 - 0.99) * grad", "grad")], "of the squared gradient out"),
    (ADAM, [("(1 - 0.8) * grad", "grad"), ("(1 - 0.99) * grad", "grad")], "1 - β₁ and 1 - β₂"),
    (ADAM, [("(t, m, v)\n", "(t, m_hat, v_hat)\n")], "carries the corrected means"),
    (ADAM, [("* m_hat, (t", "* grad, (t")], "divides the gradient itself"),
    (ADAM, [("m_hat, (t, m, v)", "m_hat, (t, 0 * m, v)")], "does not carry the mean over"),
    (ADAM, [("    v = 0.99 * v + (1 - 0.99) * grad ** 2\n", "    old = v\n"),
            ("    m_hat = m /", "    v = 0.99 * v + (1 - 0.99) * grad ** 2\n    m_hat = m /"),
            ("v_hat = v /", "v_hat = (v if t == 1 else v) /"),
            ("return theta - 0.05 / (np.sqrt(v_hat) + 0.01) * m_hat, (t, m, v)", AGAIN)],
     "already moved"),
    (AMSGRAD, [("np.maximum(v_hat, v)", "v")], "leaves the maximum out"),
    (AMSGRAD, [("(m, v, v_hat)\n", "(m, v_hat, v_hat)\n")], "writes the maximum back"),
]  # fmt: skip


@each(("text", "edits", "cause"), SLIPS)
def test_slips_are_named(text, edits, cause):
    found = check_code(compiled(text, *edits), RULES[text], steps=12)
    assert not found
    assert cause in found.cause
    assert found.step >= 1
    assert "likely cause" in str(found)
    if found.expressions is not None:
        assert found.expressions.differs_at == found.step
        assert found.expressions.yours != found.expressions.ours


def test_the_switches_stand_for_the_rules():
    """With no switch turned, the general steps are the rules: each slip differs by its switch."""
    from convex_analyzer.conventions import code_slips

    for rule in (
        HeavyBall(0.05, 0.8), Nesterov(0.05, 0.8), EMAMomentum(0.05, 0.8),
        OuterMomentum(0.05, 0.8), GradientDescent(0.05),
    ):  # fmt: skip
        assert check_code(code_slips._velocity(rule), rule, steps=15, kind="step")
    for rule in (AdaGrad(0.1, 0.01), RMSProp(0.1, 0.8), Adam(0.1), AMSGrad(0.1, variant="raw")):
        assert check_code(code_slips._means(rule), rule, steps=15, kind="step")
        causes = [slip.cause for slip in slips(rule)]
        assert len(causes) == len(set(causes)) > 8
    assert slips(RMSProp(0.1, momentum=0.5)) == []
    assert slips(Adam(0.1, weight_decay=0.1)) == []


def test_the_rule_by_name():
    assert check_code(compiled(NESTEROV), "Nesterov:momentum=0.8", steps=30).agrees
    found = check_code(compiled(MOMENTUM), Nesterov(0.05, 0.8), steps=30)
    assert "look-ahead" in found.cause
    named = check_code(compiled(MOMENTUM), "heavyball:momentum=0.8", steps=30)
    assert named.agrees
    assert named.optimizer.learning_rate == pytest.approx(0.05)
    with pytest.raises(InputError, match="cannot be read off"):
        check_code(compiled(RMSPROP), "HeavyBall", steps=30)
    with pytest.raises(InputError, match="instance, or its class or name"):
        check_code(compiled(SGD), 3)


COUNT = [0]


def test_what_code_does_besides():
    def in_place(theta, state, grad):
        theta -= 0.05 * grad
        return theta, state

    found = check_code(in_place, RULES[SGD], steps=10)
    assert found.agrees
    assert found.notes == ("changes θ in place: whoever calls it finds their array changed",)
    assert "besides" in str(found)

    def loud(theta, state, grad):
        sys.stdout.write(f"θ = {theta}")
        return theta - 0.05 * grad, state

    assert "prints" in check_code(loud, RULES[SGD], steps=10).notes[0]

    def spoiling(theta, state, grad):
        grad *= 0.05
        return theta - grad, state

    assert "gradient in place" in check_code(spoiling, RULES[SGD], steps=10).notes[0]

    def counting(theta, state, grad):
        COUNT[0] += 1
        return theta - 0.05 / COUNT[0] * grad, state

    assert "outside its state" in check_code(counting, RULES[SGD], steps=10).cause
    rng = random.Random(0)
    found = check_code(lambda theta, s, grad: (theta - rng.random() * grad, s), RULES[SGD])
    assert "outside its state" in found.cause

    def first(theta):
        return {"v": np.zeros_like(theta)}

    def mutating(theta, state, grad):
        state["v"] *= 0.8
        state["v"] += 0.05 * grad
        return theta - state["v"], state

    for begin in (first, {"v": 0.0}):
        assert check_code(mutating, RULES[MOMENTUM], steps=20, state=begin).agrees


def quits(theta, state, grad):
    raise SystemExit("enough")


@each(
    ("code", "message"),
    [
        (lambda theta, state, grad: theta / state, "TypeError in step 1.*first state is None"),
        (lambda theta, state, grad: 1 / 0, "ZeroDivisionError in step 1: division by zero"),
        (quits, "SystemExit in step 1: enough"),
        (lambda theta, state, grad: None, "it returned None; add: return theta, state"),
        (lambda theta, state, grad: theta, "theta and state, it returned an array of shape"),
        (lambda theta, state, grad: (theta[:2], state), r"shape \(3,\), got an array of shape"),
        (lambda theta, state, grad: ("a", state), r"shape \(3,\), got str 'a'"),
        (lambda theta, state, grad: (theta, state, 1), "it returned a tuple of length 3"),
        (lambda theta, grad: theta, "called as a function of"),
    ],
)
def test_code_that_fails_gets_one_sentence(code, message):
    with pytest.raises(InputError, match=message) as caught:
        check_code(code, RULES[SGD], steps=5)
    assert "\n" not in str(caught.value)


def test_code_that_turns_into_nan():
    def rooted(theta, state, grad):
        return theta - 0.05 * np.sqrt(grad), state

    assert "turns into NaN or infinity in step 1" in check_code(rooted, RULES[SGD]).cause
