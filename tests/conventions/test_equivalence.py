"""`equivalent`, and the conversion table, against plain loops in NumPy."""

from __future__ import annotations

import functools
import json
import math

import numpy as np
import pytest
import sympy
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.conventions.running import Arena, apart, arena, last_alike
from convex_analyzer.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from convex_analyzer.optimizers.adam_relatives import Adamax, RAdam
from convex_analyzer.optimizers.adaptive import Adadelta, AdaGrad, RMSProp
from convex_analyzer.optimizers.averaging import EMA, Averaged
from convex_analyzer.optimizers.clipping import ClippedByNorm, WeightDecay
from convex_analyzer.optimizers.gradient import SGD, GradientDescent
from convex_analyzer.optimizers.momentum import (
    EMAMomentum,
    HeavyBall,
    Nesterov,
    OuterMomentum,
    TwoRateMomentum,
)
from convex_analyzer.optimizers.nesterov import NesterovRewritten, NesterovTwoPoint, TwoRateNesterov
from convex_analyzer.optimizers.sampling import GradientNoise
from convex_analyzer.optimizers.sign import Lion, Rprop, SignSGD, Signum

STAIRS = schedules.Step(0.1, 0.1, 30)
LINEAR = "every objective, with noise or without"

# -- the table of conversions: pairs that are one rule ---------------------------------------------

SAME = [
    (HeavyBall(0.1, 0.9), OuterMomentum(0.1, 0.9)),
    (TwoRateMomentum(0.2, 0.5, 0.9), HeavyBall(0.1, 0.9)),
    (EMAMomentum(0.5, 0.9), OuterMomentum(0.05, 0.9)),
    (EMAMomentum(STAIRS, 0.9), OuterMomentum(schedules.Step(0.01, 0.1, 30), 0.9)),
    (Nesterov(0.1, 0.9), NesterovTwoPoint(0.1, "constant", 0.9)),
    (OuterMomentum(0.1, 0.9, nesterov=True), NesterovRewritten(0.1, 0.9)),
    (TwoRateNesterov(0.2, 0.5, 0.9), Nesterov(0.1, 0.9)),
    (TwoRateNesterov(1.0, 0.1, 0.9, as_printed=True), Nesterov(0.1, 0.9)),
    (GradientDescent(0.1), HeavyBall(0.1, 0.0)),
    (
        WeightDecay(GradientDescent(0.1), 0.2),
        WeightDecay(GradientDescent(0.1), 0.2, decoupled=False),
    ),
    (
        WeightDecay(OuterMomentum(0.1, 0.9), 0.2, decoupled=False),
        OuterMomentum(0.1, 0.9, weight_decay=0.2),
    ),
    (
        AdaGrad(0.1, 1e-2, epsilon_inside=True),
        AdaGrad(0.1, 0.0, initial_accumulator=1e-2),
    ),
    (
        AdaGrad(0.1, 1e-7, epsilon_inside=True, initial_accumulator=0.1),
        AdaGrad(0.1, 0.0, initial_accumulator=0.1 + 1e-7),
    ),
    (AdaGrad(0.1, learning_rate_decay=0.5), AdaGrad(schedules.InverseTime(0.1, 0.5))),
    (RMSProp(0.1, 0.9, 0.0), RMSProp(0.1, 0.9, 0.0, epsilon_inside=True)),
    (
        RMSProp(0.1, 0.9, 0.1, momentum=0.5),
        RMSProp(0.1, 0.9, 0.1, momentum=0.5, learning_rate_inside=True),
    ),
    (Adam(0.1, epsilon=0.0), Adam(0.1, epsilon=0.0, epsilon_hat=True)),
    (Adam(0.1, 0.0, 0.9, 0.1), RMSProp(0.1, 0.9, 0.1, bias_correction=True)),
    (AMSGrad(0.1, epsilon=0.0), AMSGrad(0.1, epsilon=0.0, epsilon_hat=True)),
    (WeightDecay(Adam(0.1), 0.2), AdamW(0.1, weight_decay=0.2)),
    (RAdam(0.1, epsilon=0.0), RAdam(0.1, epsilon=0.0, variant="optax")),
    (Lion(0.1, 0.9, 0.9), Signum(0.1, 0.9)),
    (Lion(0.1, 0.0, 0.9), SignSGD(0.1)),
    (Adamax(0.1, epsilon=0.0), Adamax(0.1, epsilon=0.0, epsilon_inside=False)),
    (SGD(0.1, 1), SGD(0.1, 1)),
    (NAdam(0.1, momentum_schedule=False), NAdam(0.1, momentum_decay=1e9)),
]


@functools.cache
def compared(one, other):
    """Compare two rules, once for all tests."""
    return ca.equivalent(one, other)


@pytest.mark.parametrize(("one", "other"), SAME, ids=str)
def test_pairs_that_are_one(one, other):
    found = compared(one, other)
    assert found
    if SAME.index((one, other)) < 12:
        assert found.verdict == "proved"
    assert found.verdict in {"proved", "plausible"}
    assert found.counterexample is None
    assert found.distance is None or found.distance.largest < 1e-8
    assert found.equivalent is (True if found.verdict == "proved" else None)
    check_text(found)


def check_text(found):
    assert found.verdict in str(found)
    told = json.dumps(found.to_dict())
    assert found.verdict in told
    assert found.verdict in repr(found)


@each("place", [0, 1, 2, 4, 9])
def test_proofs_go_both_ways(place):
    one, other = SAME[place]
    assert ca.equivalent(other, one).verdict == "proved"


# -- and pairs that are not ------------------------------------------------------------------------

DIFFERENT = [
    (HeavyBall(STAIRS, 0.9), OuterMomentum(STAIRS, 0.9)),
    (OuterMomentum(0.1, 0.9, 0.5), HeavyBall(0.05, 0.9)),
    (OuterMomentum(0.1, 0.9, 0.9), EMAMomentum(0.1, 0.9)),
    (Nesterov(0.1, 0.9), OuterMomentum(0.1, 0.9, nesterov=True)),
    (TwoRateNesterov(0.2, 0.5, 0.9, as_printed=True), Nesterov(0.1, 0.9)),
    (
        WeightDecay(HeavyBall(0.1, 0.9), 0.2),
        WeightDecay(HeavyBall(0.1, 0.9), 0.2, decoupled=False),
    ),
    (AdaGrad(0.1, 0.1), AdaGrad(0.1, 0.01, epsilon_inside=True)),
    (RMSProp(0.1, 0.9, 0.1), RMSProp(0.1, 0.9, 0.01, epsilon_inside=True)),
    (Adam(0.1, epsilon=0.01), Adam(0.1, epsilon=0.01, epsilon_hat=True)),
    (AMSGrad(0.1), AMSGrad(0.1, variant="optax")),
    (AMSGrad(0.1), AMSGrad(0.1, variant="raw")),
    (AdamW(0.1, weight_decay=0.2), Adam(0.1, weight_decay=0.2)),
    (RAdam(0.1, epsilon=0.01), RAdam(0.1, epsilon=0.01, variant="optax")),
    (NAdam(0.1), NAdam(0.1, momentum_decay=1.0)),
    (Adamax(0.1, epsilon=0.01), Adamax(0.1, epsilon=0.01, epsilon_inside=False)),
    (Rprop(0.1), Rprop(0.1, variant="move")),
    (Averaged(HeavyBall(0.1, 0.9)), HeavyBall(0.1, 0.9)),
    (EMA(GradientDescent(0.1), 0.9), EMA(GradientDescent(0.1), 0.9, "start")),
    (ClippedByNorm(GradientDescent(0.1), 0.5), GradientDescent(0.1)),
    (Lion(0.1), SignSGD(0.1)),
    (Adadelta(0.1, 0.9), Adadelta(0.1, 0.95)),
]


@pytest.mark.survey
@each(("one", "other"), DIFFERENT, ids=str)
def test_pairs_that_are_not(one, other):
    found = compared(one, other)
    assert not found
    assert found.verdict == "refuted"
    assert found.equivalent is False
    check_text(found)
    example = found.counterexample
    assert str(example) in str(found).replace("\n", " ") or "counterexample" in str(found)
    problem = ca.Quadratic(np.array(example.matrix), np.array(example.linear))
    for rule, point in ((one, example.first), (other, example.second)):
        run = ca.simulate(problem, rule, list(example.start), example.step, record="path").theta
        assert np.allclose(run[-1], point, rtol=1e-12, atol=1e-14)
    assert not np.allclose(example.first, example.second, rtol=1e-9, atol=1e-12)


# -- plain loops -----------------------------------------------------------------------------------


def heavy_ball(g, x, steps, rate=lambda k: 0.1, mu=0.9):
    v = 0 * x
    for k in range(steps):
        v = mu * v - rate(k) * g(x)
        x = x + v
    return x


def torch_sgd(g, x, steps, rate=lambda k: 0.1, mu=0.9, dampening=0.0, decay=0.0, nesterov=False):
    b = None
    for k in range(steps):
        d = g(x) + decay * x
        b = d if b is None else mu * b + (1 - dampening) * d
        x = x - rate(k) * (d + mu * b if nesterov else b)
    return x


def nesterov(g, x, steps, rate=0.1, mu=0.9):
    v = 0 * x
    for _ in range(steps):
        v = mu * v - rate * g(x + mu * v)
        x = x + v
    return x


def rmsprop(g, x, steps, eps, inside, rate=0.1, rho=0.9):
    s = 0 * x
    for _ in range(steps):
        d = g(x)
        s = rho * s + (1 - rho) * d * d
        x = x - rate * d / (np.sqrt(s + eps) if inside else np.sqrt(s) + eps)
    return x


def adagrad(g, x, steps, eps, inside, rate=0.1):
    s = 0 * x
    for _ in range(steps):
        d = g(x)
        s = s + d * d
        x = x - rate * d / (np.sqrt(s + eps) if inside else np.sqrt(s) + eps)
    return x


def adam(g, x, steps, eps=1e-8, hat=False, rate=0.1, amsgrad="", coupled=0.0, decoupled=0.0):
    m, v, top, high = 0 * x, 0 * x, 0 * x, 0 * x
    for t in range(1, steps + 1):
        d = g(x) + coupled * x
        x = x - rate * decoupled * x
        m = 0.9 * m + 0.1 * d
        v = 0.999 * v + 0.001 * d * d
        cm, cv = 1 - 0.9**t, 1 - 0.999**t
        top, high = np.maximum(top, v), np.maximum(high, v / cv)
        if amsgrad == "raw":
            x = x - rate * m / (np.sqrt(top) + eps)
            continue
        used = {"": v / cv, "torch": top / cv, "optax": high}[amsgrad]
        if hat:
            x = x - rate * np.sqrt(cv) / cm * m / (np.sqrt(v) + eps)
        else:
            x = x - rate * (m / cm) / (np.sqrt(used) + eps)
    return x


def stairs(k):
    return 0.1 * 0.1 ** (k // 30)


LOOPS = {
    0: (
        lambda g, x, n: heavy_ball(g, x, n, stairs),
        lambda g, x, n: torch_sgd(g, x, n, stairs),
    ),
    1: (
        lambda g, x, n: torch_sgd(g, x, n, dampening=0.5),
        lambda g, x, n: heavy_ball(g, x, n, lambda k: 0.05),
    ),
    3: (nesterov, lambda g, x, n: torch_sgd(g, x, n, nesterov=True)),
    6: (
        lambda g, x, n: adagrad(g, x, n, 0.1, False),
        lambda g, x, n: adagrad(g, x, n, 0.01, True),
    ),
    7: (
        lambda g, x, n: rmsprop(g, x, n, 0.1, False),
        lambda g, x, n: rmsprop(g, x, n, 0.01, True),
    ),
    8: (lambda g, x, n: adam(g, x, n, 0.01), lambda g, x, n: adam(g, x, n, 0.01, True)),
    9: (
        lambda g, x, n: adam(g, x, n, amsgrad="torch"),
        lambda g, x, n: adam(g, x, n, amsgrad="optax"),
    ),
    10: (
        lambda g, x, n: adam(g, x, n, amsgrad="torch"),
        lambda g, x, n: adam(g, x, n, amsgrad="raw"),
    ),
    11: (
        lambda g, x, n: adam(g, x, n, decoupled=0.2),
        lambda g, x, n: adam(g, x, n, coupled=0.2),
    ),
}


@each("place", LOOPS)
def test_counterexamples_can_be_redone_by_a_plain_loop(place):
    example = compared(*DIFFERENT[place]).counterexample
    a, b, start = (np.array(v) for v in (example.matrix, example.linear, example.start))
    for loop, point in zip(LOOPS[place], (example.first, example.second), strict=True):
        assert np.allclose(loop(lambda x: a @ x + b, start, example.step), point, rtol=1e-12)


@pytest.mark.survey
@pytest.mark.parametrize("place", LOOPS)
def test_the_distance_is_that_of_the_loops(place):
    one, other = DIFFERENT[place]
    found = ca.equivalent(one, other, [1.0, 4.0], steps=40)
    spot = arena([1.0, 4.0], steps=40)
    matrix, linear = spot.problem.operator.to_dense(), spot.problem.linear

    def run(loop):
        return np.array([loop(lambda x: matrix @ x + linear, spot.start, n) for n in range(41)])

    first, second = (run(loop) for loop in LOOPS[place])
    expected = np.abs(first - second).max() / np.abs(first).max()
    assert found.distance.largest == pytest.approx(expected, rel=1e-9)
    assert found.distance.steps == 40


# -- the table: settings and refusals --------------------------------------------------------------


@each(
    ("rule", "library", "text"),
    [
        (
            ca.from_library("lecture000", "Adagrad"),
            "torch",
            "torch.optim.Adagrad(params, lr=0.01, initial_accumulator_value=1e-08, eps=0.0)",
        ),
        (
            ca.from_library("lecture000", "Adagrad"),
            "optax",
            "optax.adagrad(learning_rate=0.01, initial_accumulator_value=0.0, eps=1e-08)",
        ),
        (
            ca.from_library("optax", "adagrad", learning_rate=0.1),
            "torch",
            "torch.optim.Adagrad(params, lr=0.1, initial_accumulator_value=0.1000001, eps=0.0)",
        ),
        (
            ca.from_library("goodfellow", "AdaGrad", epsilon=0.1),
            "torch",
            "torch.optim.Adagrad(params, lr=0.1, eps=1e-07)",
        ),
        (
            ca.from_library("lecture000", "RMSProp"),
            "optax",
            "optax.rmsprop(learning_rate=0.001)",
        ),
        (
            ca.from_library("lecture001", "RMSprop", alpha=0.1, gamma=0.05, epsilon=0.01),
            "lecture000",
            'ca.from_library("lecture000", "RMSProp", eta=0.1, gamma=0.95, epsilon=0.01)',
        ),
        (
            RMSProp(0.01, 0.99, 1e-8),
            "optax",
            "optax.rmsprop(learning_rate=0.01, decay=0.99, eps_in_sqrt=False)",
        ),
        (
            ca.from_library("lecture000", "AMSGrad", eta=0.1),
            "optax",
            "optax.amsgrad(learning_rate=0.1, bias_correction_mu=False, bias_correction_nu=False)",
        ),
        (
            AdamW(),
            "optax",
            "optax.adamw(learning_rate=0.001, weight_decay=0.01)",
        ),
        (
            ca.from_library("lecture002", "SGDMomentum", gamma=0.2, eta=0.5),
            "torch",
            "torch.optim.SGD(params, lr=0.1, momentum=0.9)",
        ),
        (
            NAdam(0.002, momentum_decay=1.0),
            "keras",
            "keras.optimizers.Nadam(learning_rate=0.002, epsilon=1e-08)",
        ),
        (
            NAdam(0.002, momentum_schedule=False),
            "torch",
            "torch.optim.NAdam(params, lr=0.002, momentum_decay=1000000000.0)",
        ),
        (
            ca.from_library("keras", "Nadam"),
            "torch",
            "torch.optim.NAdam(params, lr=0.001, eps=1e-07, momentum_decay=1.0)",
        ),
        (
            Adam(0.01, epsilon=0.0),
            "keras",
            "keras.optimizers.Adam(learning_rate=0.01, epsilon=0.0)",
        ),
        (
            Lion(0.01, weight_decay=0.1),
            "keras",
            "keras.optimizers.Lion(learning_rate=0.01, weight_decay=0.1)",
        ),
        (
            Adadelta(),
            "keras",
            "keras.optimizers.Adadelta(learning_rate=1.0, rho=0.9, epsilon=1e-06)",
        ),
    ],
)
def test_settings_of_the_table(rule, library, text):
    assert ca.to_library(rule, library).call == text


@each(
    ("rule", "library", "reason"),
    [
        (OuterMomentum(0.1, 0.9, 0.5), "lecture000", "first buffer is not dampened"),
        (HeavyBall(STAIRS, 0.9), "torch", "equal only while it is constant"),
        (OuterMomentum(STAIRS, 0.9), "keras", "equal only while it is constant"),
        (AdaGrad(0.1, 0.1), "keras", "under the root"),
        (RMSProp(0.1, 0.9, 0.01, epsilon_inside=True), "torch", "forgets"),
        (RMSProp(0.1, 0.9, 0.1), "keras", "under the root"),
        (Adam(0.1), "keras", "from step to step"),
        (Adam(0.1, epsilon_hat=True), "torch", "from step to step"),
        (AMSGrad(0.1), "optax", "correct"),
        (AMSGrad(0.1, variant="optax"), "torch", "correct"),
        (NAdam(0.1), "keras", "ψ = 1"),
        (NAdam(0.1), "optax", "warm"),
        (RAdam(0.1, variant="optax"), "torch", "ε before"),
        (RAdam(0.1), "optax", "ε after"),
        (Adamax(0.1), "keras", "epsilon_inside|ε"),
        (Rprop(0.1), "optax", "one step late"),
        (OuterMomentum(0.1, 0.9, weight_decay=0.1), "keras", "decoupled does not"),
        (GradientDescent(schedules.Cosine(0.1, 80, after="climb")), "optax", "climbs again"),
        (GradientDescent(schedules.Cosine(0.1, 80)), "torch", "climbs again"),
        (Rprop(0.1), "keras", "nothing like Rprop"),
    ],
)
def test_none_says_why_and_how_far(rule, library, reason):
    with pytest.raises(ca.NotConvertibleError, match=reason) as told:
        ca.to_library(rule, library)
    near = told.value.nearest
    if near is not None:
        spot = arena()
        gap = np.abs(spot.path(rule) - spot.path(near.rule())).max()
        assert told.value.distance == pytest.approx(gap / np.abs(spot.path(rule)).max(), rel=1e-6)


def test_the_nearest_rmsprop_is_as_far_as_plain_loops_say():
    rule = RMSProp(0.1, 0.9, 0.01, epsilon_inside=True)
    with pytest.raises(ca.NotConvertibleError) as told:
        ca.to_library(rule, "torch", steps=50, spectrum=[1.0, 100.0])
    assert told.value.nearest.rule() == RMSProp(0.1, 0.9, 0.1)
    spot = arena([1.0, 100.0], steps=50)
    matrix, linear = spot.problem.operator.to_dense(), spot.problem.linear

    def run(eps, inside):
        g = lambda x: matrix @ x + linear  # noqa: E731 - a formula
        return np.array([rmsprop(g, spot.start, n, eps, inside) for n in range(51)])

    one, other = run(0.01, True), run(0.1, False)
    expected = np.abs(one - other).max() / np.abs(one).max()
    assert told.value.distance == pytest.approx(expected, rel=1e-6)


def test_the_look_ahead_point():
    call = ca.to_library(Nesterov(0.05, 0.9), "torch")
    assert call.rule() == OuterMomentum(0.05, 0.9, nesterov=True)
    assert "0.045 buffer" in call.reported
    a = np.array([[2.0, 0.3], [0.3, 1.0]])
    x = np.array([1.0, -2.0])
    buffer = None
    for _ in range(15):
        g = a @ x
        buffer = g if buffer is None else 0.9 * buffer + g
        x = x - 0.05 * (g + 0.9 * buffer)
    book = nesterov(lambda p: a @ p, np.array([1.0, -2.0]), 15, 0.05)
    assert np.allclose(x + 0.045 * buffer, book, rtol=1e-13)
    assert "velocity" in ca.to_library(Nesterov(STAIRS, 0.9), "keras").reported
    found = ca.equivalent(Nesterov(0.05, 0.9), OuterMomentum(0.05, 0.9, nesterov=True))
    assert "one method, seen at two points" in found.remark
    back = ca.equivalent(OuterMomentum(0.05, 0.9, nesterov=True), Nesterov(0.05, 0.9))
    assert ("one method" in back.remark and back.remark in " ".join(str(back).split())) or back


# -- proofs ----------------------------------------------------------------------------------------


def test_symbols():
    rate, mu = sympy.symbols("alpha mu", positive=True)
    found = ca.equivalent(HeavyBall(rate, mu), OuterMomentum(rate, mu))
    assert found.verdict == "proved"
    assert found.scope == "every quadratic"
    assert ca.equivalent(EMAMomentum(rate, mu), OuterMomentum(rate * (1 - mu), mu))
    assert ca.equivalent(HeavyBall(rate, mu), Nesterov(rate, mu)).verdict == "refuted"
    with pytest.raises(ca.InputError, match="only if they are linear"):
        ca.equivalent(Adam(rate), Adam(0.1))


def test_symbols_of_rules_that_do_not_repeat():
    rate = sympy.Symbol("alpha", positive=True)
    one = Averaged(HeavyBall(rate, 0.0))
    found = ca.equivalent(one, Averaged(GradientDescent(rate)))
    assert found.verdict in {"proved", "plausible"}
    check_text(found)


def test_the_same_rule():
    assert "same rule" in ca.equivalent(Adam(0.1), Adam(0.1)).proof[0]


def test_batches():
    found = ca.equivalent(SGD(0.1, 4), GradientDescent(0.1))
    assert not found
    assert "exact gradients" in found.proof[0]
    found = ca.equivalent(SGD(0.1, 4), SGD(0.1, 8))
    assert not found
    assert found.scope == "mini-batches"
    found = ca.equivalent(Averaged(SGD(0.1, 4)), Averaged(SGD(0.2, 4)))
    assert not found


def test_noise():
    one = GradientNoise(GradientDescent(0.1), 0.01, 0.5)
    found = ca.equivalent(one, GradientNoise(HeavyBall(0.1, 0.0), 0.01, 0.5))
    assert found


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (3, Adam(0.1), "first must be"),
        (Adam(0.1), Adam, "second must be"),
        (GradientDescent(np.array([[0.1], [0.2]])), Adam(0.1), "one setting|several|single"),
    ],
)
def test_wrong_arguments(first, second, message):
    with pytest.raises(ca.InputError, match=message):
        ca.equivalent(first, second)


def test_places_to_run():
    one, other = HeavyBall(0.1, 0.9), HeavyBall(0.1, 0.8)
    assert "2 given eigenvalues" in str(ca.equivalent(one, other, [1.0, 2.0]).distance)
    spectrum = ca.spectrum(np.diag([1.0, 2.0, 3.0]))
    assert ca.equivalent(one, other, spectrum).distance.largest > 0
    problem = ca.Quadratic([[2.0]], [1.0])
    assert ca.equivalent(one, other, problem=problem, steps=10).distance.steps == 10
    assert ca.equivalent(one, other, [[2.0, 0.0], [0.0, 1.0]]).distance.largest > 0
    with pytest.raises(ca.InputError, match="not both"):
        ca.equivalent(one, other, spectrum, problem=problem)
    assert "diagonal" in arena(np.linspace(1, 2, 501)).name
    eigenvalues = np.linalg.eigvalsh(arena([1.0, 4.0, 9.0]).problem.operator.to_dense())
    assert np.allclose(eigenvalues, [1.0, 4.0, 9.0])


def test_runs_that_diverge():
    found = ca.equivalent(HeavyBall(50.0, 0.9), HeavyBall(60.0, 0.9), [1.0, 100.0])
    assert not found
    assert found.distance.horizon <= found.distance.steps
    same = ca.equivalent(HeavyBall(50.0, 0.9), OuterMomentum(50.0, 0.9), [1.0, 100.0], steps=400)
    assert same.verdict == "proved"


def test_a_schedule_that_is_a_table_sets_the_length():
    table = schedules.Table([0.1, 0.2, 0.3])
    found = ca.equivalent(HeavyBall(table, 0.9), OuterMomentum(table, 0.9))
    assert not found
    assert found.counterexample.step == 2


def test_how_paths_are_compared():
    one = np.array([[1.0], [2.0], [4.0]])
    other = np.array([[1.0], [2.0], [5.0]])
    found = apart(one, other, "here")
    assert (found.largest, found.first_step, found.horizon) == (0.25, 2, 2)
    broken = np.array([[1.0], [np.nan], [5.0]])
    found = apart(one, broken, "here")
    assert found.horizon == 0
    assert "up to step 0" in str(found)
    assert apart(0 * one, 0 * one, "here").first_step is None
    assert last_alike(one, other[:, None], 0.1) == 1
    assert last_alike(one, one[:, None], 0.1) == 2
    assert Arena(ca.Quadratic([[1.0]]), np.array([1.0]), 2, "x").path(GradientDescent(0.5))[
        -1
    ] == pytest.approx(0.25)


def test_schedules_are_symbols():
    half = schedules.Constant(0.5)
    one = HeavyBall(schedules.Exponential(0.1, 0.9), 0.9)
    assert ca.equivalent(one, HeavyBall(schedules.Exponential(0.1, 0.9) * 1.0, 0.9))
    scaled = EMAMomentum(schedules.Exponential(0.2, 0.9) * half, half)
    target = OuterMomentum(schedules.Exponential(0.05, 0.9), 0.5)
    assert ca.equivalent(scaled, target)
    assert ca.equivalent(EMAMomentum(half * schedules.Exponential(0.2, 0.9), half), target)
    assert math.isclose(float(scaled.learning_rate.at(1)), 0.1)
