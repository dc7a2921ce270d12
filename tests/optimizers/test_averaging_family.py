"""Averages, lookahead, clipping and weight decay around other optimizers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import AdditiveNoise, MiniBatch
from convex_analyzer.optimizers import from_dict
from convex_analyzer.optimizers.adam import Adam
from convex_analyzer.optimizers.averaging import EMA, Averaged, AveragedSGD, Lookahead
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, ClippedByValue, WeightDecay
from convex_analyzer.optimizers.gradient import SGD, ExactLineSearch, GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov, OuterMomentum
from convex_analyzer.optimizers.nesterov import NesterovRewritten
from convex_analyzer.optimizers.parse import parse_optimizer
from convex_analyzer.optimizers.sampling import GradientNoise, Langevin
from convex_analyzer.optimizers.second_order import Newton
from convex_analyzer.optimizers.wrapping import learning_rate_of
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Step
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.stability import characteristic_polynomial, stable_learning_rates

pytestmark = pytest.mark.survey

A = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]])
B = np.array([1.0, -1.0, 0.4])
PROBLEM = Quadratic(A, B)
START = np.array([3.0, -2.0, 1.0])
RATES = st.floats(0.05, 1.9).filter(lambda q: abs(q - 1) > 1e-3)


def path(rule, steps, problem=PROBLEM, start=START, **more):
    return simulate(problem, rule, start, steps, record="path", **more).theta


class Ahead(Optimizer):
    """Heavy ball that reports where its momentum leads."""

    learning_rate: Positive
    momentum: Positive = 0.9

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity

    def report(self, theta, velocity):
        return theta + self.momentum * velocity


class NoRate(Optimizer):
    """Half of the way to the minimum along each axis of a round bowl."""

    def step(self, problem, t, theta):
        return theta - problem.gradient(theta) / 2


class FromGradient(Optimizer):
    """Heavy ball whose velocity starts along the gradient."""

    learning_rate: Positive

    def start(self, problem, theta):
        return (-problem.gradient(theta),)

    def step(self, problem, t, theta, velocity):
        velocity = 0.5 * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


INNER = [GradientDescent(0.3), HeavyBall(0.2, 0.8), Nesterov(0.2, 0.7), Adam(0.1), Ahead(0.1, 0.6)]
inner_rules = pytest.mark.parametrize("inner", INNER, ids=lambda rule: type(rule).__name__)


# -- averages --------------------------------------------------------------------------------------


@given(RATES, st.integers(1, 60))
def test_average_of_gradient_descent_in_closed_form(product, steps):
    """θ_0 q(1 - q^K)/(K(1 - q)): OPTIMIZERS 1.4."""
    q = 1 - product
    end = path(Averaged(GradientDescent(product)), steps, Quadratic.diagonal([1.0]), [2.0])[-1, 0]
    expected = 2 * q * (1 - q**steps) / (steps * (1 - q))
    assert end == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_without_noise_the_average_is_slower_than_the_last_iterate():
    bowl = Quadratic.diagonal([1.0])
    last = path(GradientDescent(0.5), 100, bowl, [1.0])
    mean = path(Averaged(GradientDescent(0.5)), 100, bowl, [1.0])
    assert mean[-1, 0] == pytest.approx(1 / 100, rel=1e-9)  # q(1 - q^k)/(k(1 - q)) = 1/k at q = ½
    assert last[-1, 0] == pytest.approx(2.0**-100)


@inner_rules
@pytest.mark.parametrize("after", [0, 7, 100])
def test_average_is_the_mean_of_what_the_inner_rule_reports(inner, after):
    alone, found = path(inner, 40), path(Averaged(inner, after), 40)
    for k in range(41):
        expected = alone[after + 1 : k + 1].mean(axis=0) if k > after else alone[k]
        assert found[k] == pytest.approx(expected, rel=1e-12, abs=1e-13)
    inside = simulate(PROBLEM, Averaged(inner, after), START, 40)
    plain = simulate(PROBLEM, inner, START, 40)
    for own, other in zip((inside.state[0], *inside.state[2:]), plain.state, strict=True):
        assert np.array_equal(own, other), "the inner optimizer must run as it would alone"


@inner_rules
@pytest.mark.parametrize("initial", ["first", "start", "corrected"])
def test_moving_averages_by_their_weights(inner, initial):
    decay = 0.7
    alone, found = path(inner, 25), path(EMA(inner, decay, initial), 25)
    for k in range(1, 26):
        weights = (1 - decay) * decay ** (k - np.arange(k + 1.0))
        weights[0] = 0.0
        if initial == "first":
            weights[1] = decay ** (k - 1)
        elif initial == "start":
            weights[0] = decay**k
        else:
            weights /= weights.sum()
        assert weights.sum() == pytest.approx(1)
        assert found[k] == pytest.approx(weights @ alone[: k + 1], rel=1e-11, abs=1e-13)
    assert np.array_equal(found[0], alone[0])


def test_a_moving_average_without_memory_is_the_iterate():
    for initial in ("first", "start", "corrected"):
        assert path(EMA(HeavyBall(0.1), 0.0, initial), 20) == pytest.approx(
            path(HeavyBall(0.1), 20)
        )


@pytest.mark.parametrize(("decay", "rate"), [(0.99, 0.99), (0.5, 0.9)])
def test_the_average_adds_its_root(decay, rate):
    analysis = analyze(Quadratic.diagonal([0.1, 1.0]), EMA(GradientDescent(1.0), decay, "start"))
    assert analysis.scope == "global"
    assert analysis.rate == pytest.approx(rate, rel=1e-14)
    assert analysis.stability_limit == pytest.approx(2, rel=1e-14)
    start = np.array([1.0, -2.0])
    steps = np.arange(30)
    assert analysis.predict(start, steps) == pytest.approx(
        path(EMA(GradientDescent(1.0), decay, "start"), 29, Quadratic.diagonal([0.1, 1.0]), start),
        rel=1e-12,
        abs=1e-14,
    )


def test_what_an_average_says_of_its_period():
    rule = Averaged(HeavyBall(0.1))
    assert (rule.period, rule.cycle, rule.settles) == (None, None, False)
    with pytest.raises(NotDerivableError, match="depends on the step index"):
        _ = analyze(PROBLEM, rule).rate
    assert (EMA(HeavyBall(0.1)).period, EMA(HeavyBall(0.1)).settles) == (None, True)
    assert EMA(HeavyBall(0.1), initial="start").period == 1
    assert EMA(Adam(), initial="start").period is None
    assert EMA(Adam()).settles
    assert not EMA(Averaged(Adam())).settles
    assert not EMA(AveragedSGD()).settles
    assert EMA(GradientDescent(Step(0.1, 0.5, 3)), initial="start").cycle is None


# -- torch.optim.ASGD ------------------------------------------------------------------------------


def test_the_defaults_of_torch_never_average():
    """t0 = 1e6: the average is a copy for the first million steps (OPTIMIZERS 1.4)."""
    run = simulate(PROBLEM, AveragedSGD(), START, 1000)
    assert np.array_equal(run.state[0], run.theta[-1])
    assert run.state[1] == pytest.approx(run.state[0], rel=1e-14)
    copy = path(AveragedSGD(report_average=True), 300)
    assert copy == pytest.approx(path(AveragedSGD(), 300), rel=1e-14)


def test_averaging_begins_two_steps_after_t0():
    points = path(AveragedSGD(0.1, t0=5), 30)
    means = path(AveragedSGD(0.1, t0=5, report_average=True), 30)
    for k in range(31):
        expected = points[7 : k + 1].mean(axis=0) if k > 7 else points[k]
        assert means[k] == pytest.approx(expected, rel=1e-12)


def test_without_its_decays_it_is_gradient_descent():
    assert path(AveragedSGD(0.1, lambd=0.0), 50) == pytest.approx(path(GradientDescent(0.1), 50))
    averaged = path(AveragedSGD(0.1, lambd=0.0, t0=0, report_average=True), 50)
    # torch leaves the first iterate out: step 2 copies once more
    assert averaged[1:] == pytest.approx(
        np.concatenate([path(GradientDescent(0.1), 1)[1:], shifted_mean(0.1, 50)]), rel=1e-12
    )


def shifted_mean(rate, steps):
    points = path(GradientDescent(rate), steps)
    return np.array([points[2 : k + 1].mean(axis=0) for k in range(2, steps + 1)])


def test_the_rate_falls_as_written():
    """η_k = α/(1 + δα(k - 1))^p, from the path of a plane of slope one."""
    plane = Quadratic(np.zeros((1, 1)), [1.0])
    rule = AveragedSGD(0.5, lambd=0.3, power=0.6)
    x = path(rule, 20, plane, [0.0])[:, 0]
    k = np.arange(1, 21)
    eta = 0.5 / (1 + 0.3 * 0.5 * (k - 1)) ** 0.6
    assert x[1:] == pytest.approx((1 - 0.3 * eta) * x[:-1] - eta, rel=1e-13)


# -- lookahead -------------------------------------------------------------------------------------


@given(RATES, st.integers(1, 7), st.floats(0.05, 1))
def test_lookahead_around_gradient_descent_in_closed_form(product, cycle, part):
    """A cycle multiplies by 1 - s + s q^k."""
    rule = Lookahead(GradientDescent(product), cycle, part)
    x = path(rule, 4 * cycle, Quadratic.diagonal([1.0]), [1.0])[:, 0]
    factor = 1 - part + part * (1 - product) ** cycle
    assert x[::cycle] == pytest.approx(factor ** np.arange(5), rel=1e-11, abs=1e-13)
    held = np.repeat(x[::cycle], cycle)[: len(x)]
    assert x == pytest.approx(held, rel=1e-14), "slow weights move once per cycle"


def test_odd_cycles_allow_longer_steps_than_two_over_lambda():
    bowl = Quadratic.diagonal([1.0])
    limit = 1 + (2 / 0.5 - 1) ** (1 / 3)  # 1 - s + s q^k = -1
    assert limit > 2.4
    for product, converges in ((0.99 * limit, True), (1.01 * limit, False)):
        rule = Lookahead(GradientDescent(product), 3, 0.5)
        last = path(rule, 3000, bowl, [1.0])[-1, 0]
        assert (abs(last) < 1e-3) == converges
        even = path(Lookahead(GradientDescent(product), 4, 0.5), 300, bowl, [1.0])[-1, 0]
        assert not abs(even) < 1


def test_fast_weights_go_on_from_the_slow_ones():
    rule = Lookahead(HeavyBall(0.1, 0.8), 4, 0.3)
    slow, fast = path(rule, 40), path(rule.replace(report_fast=True), 40)
    assert np.array_equal(slow[::4], fast[::4])
    assert not np.allclose(slow[1::4], fast[1::4])
    x, v, phi = START, np.zeros(3), START
    for k in range(1, 41):  # written out, the velocity kept
        v = 0.8 * v - 0.1 * (A @ x + B)
        x = x + v
        if k % 4 == 0:
            phi = phi + 0.3 * (x - phi)
            x = phi
        assert slow[k] == pytest.approx(phi, rel=1e-12)
        assert fast[k] == pytest.approx(x, rel=1e-12)


def test_reset_starts_the_inner_rule_anew():
    found = path(Lookahead(Adam(0.1), 5, 0.5, reset=True), 30)
    phi = START
    for cycle in range(6):
        end = path(Adam(0.1), 5, start=phi)[-1]  # t counts from 1 again
        phi = phi + 0.5 * (end - phi)
        assert found[5 * cycle + 5] == pytest.approx(phi, rel=1e-12)
    assert not np.allclose(found, path(Lookahead(Adam(0.1), 5, 0.5), 30))


def test_slow_step_size_one_is_the_inner_rule():
    for inner in INNER[:4]:
        rule = Lookahead(inner, 3, 1.0, report_fast=True)
        assert path(rule, 30) == pytest.approx(path(inner, 30), rel=1e-12, abs=1e-13)


def test_periods_of_lookahead():
    assert Lookahead(HeavyBall(0.1), 6).cycle == 6
    twice = Lookahead(Lookahead(HeavyBall(0.1), 4), 6)
    assert (twice.period, twice.cycle) == (12, 12)
    assert Lookahead(Adam(), 6).cycle is None
    assert Lookahead(Adam(), 6, reset=True).cycle == 6
    assert Lookahead(GradientDescent(Step(0.1, 0.5, 3)), 6, reset=True).cycle is None


# -- clipping --------------------------------------------------------------------------------------


def gradients_seen(make, start, steps=30):
    """Return what the inner optimizer was given as its gradient in each step."""
    seen = []

    class Spy(GradientDescent):
        def step(self, problem, t, theta):
            gradient = problem.gradient(theta)
            seen.append(np.array(gradient))
            return theta - self.learning_rate * gradient

    points = path(make(Spy(0.1)), steps, start=start)
    return np.array(seen[:steps]), points[:steps]


def test_gradients_are_cut_to_the_norm():
    start = np.array([[30.0, -20.0, 10.0], [0.1, 0.2, -0.1]])
    most = np.array([[0.7], [2.5]])  # one for each run
    seen, points = gradients_seen(lambda inner: ClippedByNorm(inner, most), start)
    true = points @ A + B
    size = np.linalg.norm(true, axis=2, keepdims=True)
    assert seen == pytest.approx(true * np.minimum(1, most / (size + 1e-6)), rel=1e-12)
    assert np.all(np.linalg.norm(seen, axis=2) <= most[:, 0])
    assert np.any(size > most)
    assert np.any(size < most)


def test_gradients_are_cut_to_the_range():
    start = np.array([[30.0, -20.0, 10.0], [0.1, 0.2, -0.1]])
    seen, points = gradients_seen(lambda inner: ClippedByValue(inner, 0.9), start)
    assert seen == pytest.approx(np.clip(points @ A + B, -0.9, 0.9), rel=1e-14)


@inner_rules
@pytest.mark.parametrize("clip", [ClippedByNorm, ClippedByValue])
def test_a_generous_limit_changes_nothing(inner, clip):
    assert path(clip(inner, 1e6), 30) == pytest.approx(path(inner, 30), rel=1e-14)


def test_a_clipped_run_does_not_diverge():
    """Above the limit of stability the step stays bounded by αc, so the run ends in a cycle."""
    hot = HeavyBall(3.0, 0.5)
    assert simulate(PROBLEM, hot, START, 5000).diverged_at is not None
    clipped = simulate(PROBLEM, ClippedByNorm(hot, 1.0), START, 5000)
    assert clipped.diverged_at is None
    assert np.max(np.abs(clipped.theta)) < 100


def test_a_zero_gradient_stays_zero():
    for epsilon in (0.0, 1e-6):
        rule = ClippedByNorm(GradientDescent(0.1), 1.0, epsilon)
        with np.errstate(all="raise"):
            found = rule.step(Quadratic.diagonal([1.0]), 1, np.array([[0.0]]))
        assert found[0] == np.array([[0.0]])


@inner_rules
def test_next_to_the_minimum_a_clipped_rule_is_the_inner_one(inner):
    for clip in (ClippedByNorm, ClippedByValue):
        rule = clip(inner)
        mine, own = analyze(PROBLEM, rule), analyze(PROBLEM, inner)
        assert mine.scope == "local"
        assert mine.rate == pytest.approx(own.rate, rel=1e-12)
        assert rule.published_limit() == inner.published_limit()
    tiny = ClippedByNorm(inner, 1e-7)
    assert tiny.published_limit() is None
    if inner.period == 1:  # torch's ε then scales every gradient by c/ε
        slower = inner.replace(learning_rate=inner.learning_rate * 0.1)
        assert analyze(PROBLEM, tiny).rate == pytest.approx(analyze(PROBLEM, slower).rate)


def test_other_information_passes_through_clipping():
    rule = ClippedByNorm(Newton(), 1e-3)
    gradient = A @ START + B
    cut = 1e-3 / (np.linalg.norm(gradient) + 1e-6) * gradient
    assert path(rule, 1)[-1] == pytest.approx(START - np.linalg.solve(A, cut), rel=1e-12)


# -- weight decay ----------------------------------------------------------------------------------

SHIFTED = Quadratic(A + 0.4 * np.eye(3), B)


@each(
    "inner",
    [*INNER, OuterMomentum(0.1, nesterov=True), ExactLineSearch(), Newton(), FromGradient(0.2)],
    ids=lambda rule: type(rule).__name__,
)
def test_coupled_decay_is_a_shifted_spectrum(inner):
    rule = WeightDecay(inner, 0.4, decoupled=False)
    assert path(rule, 40) == pytest.approx(path(inner, 40, SHIFTED), rel=1e-9, abs=1e-12)


def test_coupled_decay_shifts_the_loss_too():
    """What a line search asks for."""
    seen = []

    class Spy(Optimizer):
        def step(self, problem, t, theta):
            seen.append(problem.value(theta))
            return theta - 0.1 * problem.gradient(theta)

    starts = np.array([[1.0, 2.0, 3.0], [-1.0, 0.0, 0.5]])
    path(WeightDecay(Spy(), np.array([[0.4], [0.0]]), decoupled=False), 1, start=starts)
    assert seen[0] == pytest.approx([SHIFTED.value(starts[0]), PROBLEM.value(starts[1])])
    assert seen[0].shape == (2,)


@inner_rules
def test_decoupled_decay_takes_its_part_of_the_old_point(inner):
    """Written as torch's AdamW does it: θ ← (1 - αw)θ, then the step from the old gradient."""
    rule = WeightDecay(inner, 0.4)
    state = (START[None, :], *inner.start(PROBLEM, START[None, :]))
    points = []
    for t in range(1, 31):
        old = state[0]
        moved = inner.step(PROBLEM, t, *state)
        moved = moved if isinstance(moved, tuple) else (moved,)
        step = moved[0] - old
        state = ((1 - inner.learning_rate * 0.4) * old + step, *moved[1:])
        points.append(inner.report(*state)[0])
    assert path(rule, 30)[1:] == pytest.approx(np.array(points), rel=1e-11, abs=1e-12)


def test_polynomial_of_the_decoupled_heavy_ball():
    """z² - (1 - αw + μ - αλ) z + μ(1 - αw): OPTIMIZERS 1.2."""
    alpha, mu, w, lam = sympy.symbols("alpha mu w lambda", positive=True)
    rule = WeightDecay(HeavyBall(0.1)).unchecked(learning_rate=alpha, momentum=mu, weight_decay=w)
    _, middle, last = characteristic_polynomial(linearise(rule, lam).matrix)
    assert sympy.expand(middle + (1 - alpha * w + mu - alpha * lam)) == 0
    assert sympy.expand(last - mu * (1 - alpha * w)) == 0


def test_coupled_and_decoupled_are_equal_without_momentum_and_differ_with():
    def both(inner):
        return (path(WeightDecay(inner, 0.4, decoupled=flag), 50) for flag in (True, False))

    one, two = both(GradientDescent(0.2))
    assert one == pytest.approx(two, rel=1e-12)
    one, two = both(HeavyBall(0.2, 0.9))
    assert np.max(np.abs(one - two)) > 0.1


@pytest.mark.parametrize(("mu", "decoupled"), [(0.0, True), (0.7, True), (0.7, False)])
def test_where_runs_with_decay_end(mu, decoupled):
    """In the minimiser of J + (1 - μ)w|θ|²/2 if decoupled, of J + w|θ|²/2 if coupled."""
    weight = 0.4 * ((1 - mu) if decoupled else 1)
    expected = -np.linalg.solve(A + weight * np.eye(3), B)
    rule = WeightDecay(HeavyBall(0.2, mu), 0.4, decoupled)
    assert path(rule, 2000)[-1] == pytest.approx(expected, rel=1e-10)


def test_decay_needs_a_rate_to_be_multiplied_by():
    with pytest.raises(InputError, match="WeightDecay: NoRate has no learning rate to multiply"):
        WeightDecay(NoRate())
    assert WeightDecay(NoRate(), decoupled=False).decoupled is False
    assert learning_rate_of(WeightDecay(Averaged(ClippedByNorm(HeavyBall(0.3))))) == 0.3
    assert learning_rate_of(Averaged(NoRate())) is None


def test_limits_with_decay():
    assert WeightDecay(HeavyBall(0.1, 0.5), 0.0).published_limit() == 3
    assert WeightDecay(HeavyBall(0.1, 0.5), 0.1).published_limit() is None
    rule = WeightDecay(GradientDescent(0.1), 0.5)  # α(λ + w) < 2
    assert stable_learning_rates(rule, np.array([3.5])) == [(0.0, 0.5)]


# -- wrappers in general ---------------------------------------------------------------------------

NESTED = [
    Lookahead(Averaged(HeavyBall(0.1, 0.8)), 3),
    Averaged(Averaged(Averaged(HeavyBall(0.1, 0.8)))),
    Averaged(Lookahead(ClippedByNorm(HeavyBall(0.1, 0.8), 2.0), 3), after=2),
    EMA(WeightDecay(ClippedByValue(Adam(0.1), 3.0), 0.1), 0.9),
    ClippedByNorm(GradientNoise(WeightDecay(HeavyBall(0.1, 0.8), 0.1, decoupled=False)), 2.0),
    Lookahead(Lookahead(Lookahead(GradientDescent(0.1), 2), 3), 2),
]
nested_rules = pytest.mark.parametrize("rule", NESTED, ids=repr)


@nested_rules
def test_nested_rules_have_distinct_slots(rule):
    names = rule.memory
    assert len(set(names)) == len(names)
    run = simulate(PROBLEM, rule, START, 5)
    assert len(run.state) == 1 + len(names)
    assert np.all(np.isfinite(run.state))


def test_names_of_nested_slots():
    assert Lookahead(Averaged(HeavyBall(0.1))).memory == ("slow", "average", "velocity")
    triple = Averaged(Averaged(Averaged(HeavyBall(0.1))))
    assert triple.memory == ("average_3", "average_2", "average", "velocity")
    assert ClippedByNorm(GradientDescent(0.1)).memory == ()


def test_slots_are_not_mixed_up():
    """Averages of averages, by hand."""
    one = path(HeavyBall(0.1, 0.8), 25)[1:]
    for _ in range(3):
        one = np.cumsum(one, axis=0) / np.arange(1, 26)[:, None]
    assert path(NESTED[1], 25)[1:] == pytest.approx(one, rel=1e-11)
    inner = path(Averaged(HeavyBall(0.1, 0.8)), 30)
    slow = path(Lookahead(HeavyBall(0.1, 0.8), 3), 30)
    assert path(NESTED[0], 30) == pytest.approx(slow)  # the average inside does not drive it
    assert not np.allclose(inner, slow)


@nested_rules
def test_nested_rules_through_text_and_json(rule):
    assert parse_optimizer(repr(rule)) == rule
    assert from_dict(json.loads(json.dumps(rule.to_dict()))) == rule
    assert hash(from_dict(rule.to_dict())) == hash(rule)


@nested_rules
def test_nested_rules_take_values_per_run(rule):
    rates = np.array([[0.02], [0.05], [0.1]])
    together = path(rule.replace(learning_rate=rates), 20, start=START)
    for run, rate in enumerate(rates[:, 0]):
        starts = np.tile(START, (3, 1))  # the draws of a run depend on its place
        alone = path(rule.replace(learning_rate=float(rate)), 20, start=starts)
        assert together[:, run] == pytest.approx(alone[:, run], rel=1e-11, abs=1e-13)


def test_fields_of_the_inner_optimizer_are_reached_by_name():
    rule = Averaged(ClippedByNorm(HeavyBall(0.1, 0.5), 2.0), after=3)
    changed = rule.replace(momentum=0.7, max_norm=1.0, after=4)
    assert changed == Averaged(ClippedByNorm(HeavyBall(0.1, 0.7), 1.0), after=4)
    both = rule.replace(optimizer=HeavyBall(0.3), momentum=0.2)
    assert both == Averaged(HeavyBall(0.3, 0.2), after=3)
    assert rule.unchecked(learning_rate="α").optimizer.optimizer.learning_rate == "α"
    with pytest.raises(InputError, match="HeavyBall: momentum must be in"):
        rule.replace(momentum=2.0)
    with pytest.raises(InputError, match="colour"):
        rule.replace(colour=1.0)


@each("cls", [Averaged, EMA, Lookahead, ClippedByNorm, WeightDecay])
@each("wrong", [HeavyBall, 0.1, "HeavyBall", None], ids=repr)
def test_what_is_wrapped_must_be_an_optimizer(cls, wrong):
    with pytest.raises(InputError, match=f"{cls.__name__}: optimizer must be an Optimizer, got"):
        cls(wrong)


def test_randomness_and_noise_of_the_inner_rule_show():
    assert not Averaged(HeavyBall(0.1)).random
    assert Averaged(ClippedByNorm(Langevin(0.1))).random
    assert ClippedByNorm(GradientNoise(HeavyBall(0.1))).random
    assert Averaged(ClippedByNorm(SGD(0.1, batch_size=3))).noise == MiniBatch(3)
    assert Averaged(HeavyBall(0.1)).noise is None


def test_noise_is_clipped_with_the_gradient():
    rule = ClippedByNorm(GradientDescent(1.0), 0.5)
    points = path(rule, 30, noise=AdditiveNoise(100.0))
    moves = np.linalg.norm(np.diff(points, axis=0), axis=1)
    assert np.all(moves <= 0.5)
    assert np.median(moves) > 0.49
    inside = path(ClippedByNorm(GradientNoise(GradientDescent(1.0), 100.0, 0.0), 0.5), 30)
    assert np.median(np.linalg.norm(np.diff(inside, axis=0), axis=1)) > 5  # drawn after the cut
    outside = path(GradientNoise(rule, 100.0, 0.0), 30)
    assert np.all(np.linalg.norm(np.diff(outside, axis=0), axis=1) <= 0.5)


def test_clipped_sgd_on_data():
    rng = np.random.default_rng(0)
    problem = least_squares(rng.normal(size=(20, 3)), rng.normal(size=20))
    points = path(ClippedByNorm(SGD(1.0, batch_size=2), 0.3), 40, problem)
    assert np.all(np.linalg.norm(np.diff(points, axis=0), axis=1) <= 0.3)


def test_limits_pass_through():
    for wrap in (Averaged, EMA, ClippedByNorm, ClippedByValue, GradientNoise):
        assert wrap(HeavyBall(0.1, 0.5)).published_limit() == 3
        assert wrap(NesterovRewritten(0.1, 0.5)).published_limit() == 1.5
    assert Lookahead(HeavyBall(0.1, 0.5)).published_limit() is None
    assert AveragedSGD().published_limit() is None


def test_examples_are_instances():
    for cls in (
        Averaged,
        EMA,
        Lookahead,
        ClippedByNorm,
        ClippedByValue,
        WeightDecay,
        GradientNoise,
    ):
        assert type(cls.example()) is cls
        assert math.isfinite(simulate(PROBLEM, cls.example(), START, 10).loss[-1])
