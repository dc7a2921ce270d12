"""`simulate` under noise and schedules: tiles, replays, pairing, variances by Monte Carlo."""

from __future__ import annotations

import numpy as np
import pytest
from cases import each

from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Sampler
from convex_analyzer.noise import draw as drawn_at
from convex_analyzer.optimizers.averaging import EMA, Averaged, Lookahead
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.clipping import ClippedByNorm, WeightDecay
from convex_analyzer.optimizers.gradient import SGD, GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov, OuterMomentum
from convex_analyzer.optimizers.sampling import GradientNoise, Langevin, SimulatedAnnealing
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Exponential, Growing, Linear, Step, Table
from convex_analyzer.simulation import engine
from convex_analyzer.simulation.engine import simulate

pytestmark = pytest.mark.survey

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(30, 3)), RNG.normal(size=30)
DATA = least_squares(X, Y, l2=0.1)
PLAIN = Quadratic.diagonal([0.5, 1.0, 2.0], [0.3, -1.0, 0.7])


class ExtraGradient(Optimizer):
    """The gradient at the point where a plain step would lead (Korpelevich, 1976)."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        ahead = theta - self.learning_rate * problem.gradient(theta)
        return theta - self.learning_rate * problem.gradient(ahead)


class Ahead(Optimizer):
    """Heavy ball that reports where its momentum leads."""

    learning_rate: Positive
    momentum: Positive = 0.9

    def step(self, problem, t, theta, velocity):
        velocity = self.momentum * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity

    def report(self, theta, velocity):
        return theta + self.momentum * velocity


def loop(problem, rule, start, steps, noise=None, seed=0):
    """Run a plain loop over all runs at once, without tiles, records or checkpoints."""
    theta = np.array(start, dtype=float)
    state = (theta, *rule.at(1).start(problem, theta))
    points = [rule.at(1).report(*state)]
    sampler = Sampler(noise, seed, 0, len(theta), rule.random)
    for t in range(1, steps + 1):
        now = rule.at(t)
        new = now.step(sampler.at(problem, t), t, *state)
        state = new if isinstance(new, tuple) else (new,)
        points.append(now.report(*state))
    return np.array(points)


def close(found, expected):
    """Equal but for the rounding of matrix products of different shapes."""
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)


# -- the same noise, whatever else changes ---------------------------------------------------------

NOISES = {
    "additive": (PLAIN, AdditiveNoise([0.1, 0.2, 0.3])),
    "shared batches": (DATA, MiniBatch(7)),
    "own batches": (DATA, MiniBatch(7, independent=True)),
    "replacement": (DATA, MiniBatch(7, replacement=True, independent=True)),
    "growing": (DATA, MiniBatch(Growing(3, 2.0, 5, largest=30), independent=True)),
}
RULES = [
    HeavyBall(0.05, 0.8),
    ExtraGradient(0.1),
    Langevin(0.05, 0.3),
    GradientNoise(HeavyBall(0.05), 0.1),
    SimulatedAnnealing(0.5),
    Averaged(ClippedByNorm(Langevin(0.05))),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("name", NOISES)
def test_any_tiling_gives_the_same_runs(name, rule, monkeypatch):
    problem, noise = NOISES[name]
    starts = RNG.normal(size=(600, 3))
    whole = simulate(problem, rule, starts, 20, noise, seed=5, record="path")
    close(whole.theta, loop(problem, rule, starts, 20, noise, 5))
    monkeypatch.setattr(engine, "TILE_ELEMENTS", 1)  # tiles of 256 runs
    tiled = simulate(problem, rule, starts, 20, noise, seed=5, record="path")
    close(tiled.theta, whole.theta)
    close(tiled.loss, whole.loss)
    fewer = simulate(problem, rule, starts[:300], 20, noise, seed=5, record="path")
    close(fewer.theta, whole.theta[:, :300])


def test_tiles_are_cut(monkeypatch):
    """The test above would show nothing if TILE_ELEMENTS had no effect."""
    seen = []
    original = engine.Sampler
    monkeypatch.setattr(engine, "Sampler", lambda *args: seen.append(args) or original(*args))
    monkeypatch.setattr(engine, "TILE_ELEMENTS", 1)
    simulate(PLAIN, GradientDescent(0.1), np.zeros((600, 3)), 1, AdditiveNoise(1.0))
    assert [args[2:4] for args in seen] == [(0, 256), (256, 256), (512, 88)]


@pytest.mark.parametrize("name", NOISES)
def test_what_is_recorded_changes_nothing(name):
    problem, noise = NOISES[name]
    rule, starts = Averaged(GradientNoise(Nesterov(0.05))), RNG.normal(size=(5, 3))
    path = simulate(problem, rule, starts, 200, noise, record="path")
    for record in ("auto", "loss", [0, 3, 77, 200]):
        other = simulate(problem, rule, starts, 200, noise, record=record)
        assert other.theta[-1] == pytest.approx(path.theta[-1], rel=1e-12, abs=1e-13)
        close(other.loss, path.loss[other.recorded])


def test_losses_are_those_of_the_whole_problem():
    path = simulate(DATA, HeavyBall(0.05), np.ones(3), 40, MiniBatch(2), record="path")
    assert path.loss == pytest.approx(DATA.value(path.theta), rel=1e-12)
    path = simulate(PLAIN, HeavyBall(0.05), np.ones(3), 40, AdditiveNoise(1.0), record="path")
    close(path.loss, PLAIN.value(path.theta))


def test_every_optimizer_sees_the_same_errors():
    noise, start = AdditiveNoise(0.5), np.ones((3, 3))
    zero = np.zeros((3, 3))
    error = np.array([drawn_at(noise, PLAIN, t, 3, 9).gradient(zero) for t in range(1, 31)])
    error = error - PLAIN.gradient(zero)
    slow = simulate(PLAIN, GradientDescent(0.1), start, 30, noise, seed=9, record="path").theta
    fast = simulate(PLAIN, HeavyBall(0.1, 0.8), start, 30, noise, seed=9, record="path").theta
    moved = (slow[:-1] - slow[1:]) / 0.1 - PLAIN.gradient(slow[:-1])
    assert moved == pytest.approx(error, abs=1e-12)
    velocity = np.concatenate([np.zeros((1, 3, 3)), np.diff(fast, axis=0)])
    push = (0.8 * velocity[:-1] - velocity[1:]) / 0.1 - PLAIN.gradient(fast[:-1])
    assert push == pytest.approx(error, abs=1e-12)


def test_seeds_name_the_noise():
    def end(seed):
        return simulate(PLAIN, HeavyBall(0.1), np.ones(3), 30, AdditiveNoise(1.0), seed).theta[-1]

    assert np.array_equal(end(3), end(3))
    assert np.array_equal(end(None), end(0))
    assert not np.allclose(end(3), end(4))
    with pytest.raises(InputError, match="seed must be a whole number"):
        end(-1)


@pytest.mark.parametrize("name", NOISES)
def test_runs_that_diverge_are_located_and_disturb_no_other(name):
    """The step is found by replaying, which must see the same noise again."""
    problem, noise = NOISES[name]
    rates = np.full((6, 1), 0.05)
    rates[4:, 0] = 30.0, 9.0
    starts = RNG.normal(size=(6, 3))
    with np.errstate(all="ignore"):
        truth = loop(problem, HeavyBall(rates, 0.5), starts, 400, noise, 2)
    # theta leaves the range together with the velocity, or one step later
    beyond = ~(np.abs(truth).max(axis=2) <= 1e150)
    first = np.where(beyond.any(axis=0), beyond.argmax(axis=0), -1)
    found = simulate(problem, HeavyBall(rates, 0.5), starts, 400, noise, 2, record="path")
    assert found.diverged_at[:4].tolist() == [-1] * 4
    assert np.all(first[4:] > 64)
    assert np.all(np.abs(found.diverged_at[4:] - first[4:]) <= 1)
    before = found.diverged_at[4] - 1
    assert found.theta[before, 4] == pytest.approx(truth[before, 4], rel=1e-9)
    assert np.all(np.isnan(found.theta[before + 1 :, 4]))
    alone = simulate(problem, HeavyBall(rates[:4], 0.5), starts[:4], 400, noise, 2, record="path")
    assert found.theta[:, :4] == pytest.approx(alone.theta, rel=1e-11, abs=1e-12)


def test_a_batch_of_all_rows_is_batch_descent_to_the_last_bit():
    for rule in (HeavyBall(0.05), SGD(0.05, batch_size=30), ExtraGradient(0.1)):
        exact = simulate(DATA, GradientDescent(0.05) if isinstance(rule, SGD) else rule,
                         np.ones(3), 50, record="path")  # fmt: skip
        batch = simulate(DATA, rule, np.ones(3), 50, MiniBatch(30), record="path")
        assert np.array_equal(exact.theta, batch.theta)
        assert np.array_equal(exact.loss, batch.loss)


def test_runs_differ_only_with_independent_batches():
    starts = np.ones((4, 3))
    same = simulate(DATA, GradientDescent(0.05), starts, 40, MiniBatch(5)).theta[-1]
    assert np.array_equal(same, np.tile(same[0], (4, 1)))
    own = simulate(DATA, GradientDescent(0.05), starts, 40, MiniBatch(5, independent=True))
    assert len(np.unique(own.theta[-1], axis=0)) == 4


def test_sgd_brings_its_batches_and_wrappers_hand_them_on():
    start = np.ones(3)
    plain = simulate(DATA, GradientDescent(0.05), start, 30, MiniBatch(4), record="path")
    found = simulate(DATA, SGD(0.05, batch_size=4), start, 30, record="path")
    assert found.noise == MiniBatch(4)
    assert np.array_equal(found.theta, plain.theta)
    averaged = simulate(DATA, Averaged(ClippedByNorm(SGD(0.05, batch_size=4), 1e9)), start, 30)
    assert averaged.noise == MiniBatch(4)
    assert averaged.theta[-1] == pytest.approx(plain.theta[1:].mean(axis=0))
    other = simulate(DATA, SGD(0.05, batch_size=4), start, 30, AdditiveNoise(0.0))
    assert other.noise == AdditiveNoise(0.0)
    with pytest.raises(InputError, match="mini-batches need data"):
        simulate(PLAIN, SGD(0.05, batch_size=4), start, 30)


@each(
    ("noise", "sentence"),
    [
        (
            "path",
            "noise must be AdditiveNoise(...) or MiniBatch(...), got 'path'; record=",
        ),
        (0.1, "noise must be AdditiveNoise(...) or MiniBatch(...), got 0.1"),
        (AdditiveNoise([1.0, 2.0]), "covariance is for 2 parameters, the problem has 3"),
        (MiniBatch(31), "a batch of 31 is larger than the data, which have 30 rows"),
    ],
)
def test_bad_noise(noise, sentence):
    with pytest.raises(InputError) as caught:
        simulate(DATA, GradientDescent(0.05), np.ones(3), 5, noise)
    assert sentence in str(caught.value)


# -- variances, by Monte Carlo against published formulas ------------------------------------------

MANY = 20_000


def stationary(rule, eigenvalues, steps, noise=None, runs=MANY, problem=None):
    """Return the covariance over runs after many steps from the minimum."""
    problem = Quadratic.diagonal(eigenvalues) if problem is None else problem
    start = np.zeros((runs, len(eigenvalues)))
    end = simulate(problem, rule, start, steps, noise, seed=8, record=[steps]).theta[-1]
    assert np.all(np.abs(end.mean(axis=0)) < 4.5 * end.std(axis=0) / np.sqrt(runs))
    return np.cov(end.T, bias=True)


def test_stationary_variance_of_gradient_descent():
    """α σ² / (λ(2 - αλ)), and between directions αΣ_ij/(λ_i + λ_j - αλ_iλ_j)."""
    alpha, values = 0.5, np.array([1.0, 0.4, 2.0])
    sigma = np.array([[1.0, 0.3, 0.0], [0.3, 0.5, -0.2], [0.0, -0.2, 2.0]])
    found = stationary(GradientDescent(alpha), values, 60, AdditiveNoise(sigma))
    expected = alpha * sigma / (
        values[:, None] + values - alpha * values[:, None] * values
    )  # fmt: skip
    size = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.max(np.abs(found - expected) / size) < 0.03
    assert np.diag(expected) == pytest.approx(
        alpha * np.diag(sigma) / (values * (2 - alpha * values))
    )
    assert found[0, 0] == pytest.approx(1 / 3, rel=0.03)


@pytest.mark.parametrize(("alpha", "mu"), [(0.3, 0.5), (0.1, 0.9), (2.0, 0.6)])
def test_stationary_variance_of_the_heavy_ball(alpha, mu):
    """α σ²(1 + μ)/((1 - μ) λ (2(1 + μ) - αλ))."""
    values, sigma = np.array([1.0, 0.5]), np.array([0.7, 1.3])
    found = np.diag(stationary(HeavyBall(alpha, mu), values, 400, AdditiveNoise(sigma)))
    expected = alpha * sigma * (1 + mu) / ((1 - mu) * values * (2 * (1 + mu) - alpha * values))
    assert found == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("sgld", [False, True])
def test_stationary_variance_of_langevin_dynamics(sgld):
    """T/(λ(1 - αλ/2))."""
    values = np.array([1.0, 0.5, 3.0])
    rule = Langevin(0.8 if sgld else 0.4, 0.7, sgld=sgld)
    found = np.diag(stationary(rule, values, 100))
    assert found == pytest.approx(0.7 / (values * (1 - 0.2 * values)), rel=0.04)


def test_gradient_noise_that_stays_is_additive_noise():
    found = stationary(GradientNoise(HeavyBall(0.3, 0.5), eta=0.7, gamma=0.0), [1.0], 100)
    assert found == pytest.approx(0.3 * 0.7 * 1.5 / (0.5 * (3 - 0.3)), rel=0.04)


def test_an_extragradient_sees_one_draw_per_step():
    """With one error e, θ ← (1 - s + s²)θ - α(1 - s)e; with two the variance would be larger."""
    alpha = 0.6
    s = alpha * np.array([1.0, 1.4])
    factor = 1 - s + s**2
    expected = alpha**2 * (1 - s) ** 2 / (1 - factor**2)
    two_draws = alpha**2 * (1 + s**2) / (1 - factor**2)
    assert np.all(two_draws > 5 * expected)
    found = np.diag(stationary(ExtraGradient(alpha), [1.0, 1.4], 80, AdditiveNoise(1.0)))
    assert found == pytest.approx(expected, rel=0.04)
    inner = np.diag(stationary(GradientNoise(ExtraGradient(alpha), 1.0, 0.0), [1.0, 1.4], 80))
    assert inner == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("rule", [GradientDescent(0.5), HeavyBall(0.3, 0.6)], ids=str)
def test_variance_of_the_average_is_that_of_newton(rule):
    """σ²/(λ²k) for large k, whatever α and μ (Polyak & Juditsky, 1992)."""
    values, steps = np.array([1.0, 0.5]), 800
    found = np.diag(stationary(Averaged(rule), values, steps, AdditiveNoise(0.7), runs=4000))
    assert found == pytest.approx(0.7 / (values**2 * steps), rel=0.12)


def test_variance_of_the_average_of_gradient_descent_at_any_length():
    """(σ²/(k²λ²)) Σ_j (1 - r^j)², of the mean of θ_1 ... θ_k from θ_0 = 0."""
    alpha, value, sigma = 0.5, 0.8, 0.7
    for steps in (1, 2, 10):
        j = np.arange(1, steps + 1)
        expected = sigma / (steps * value) ** 2 * np.sum((1 - (1 - alpha * value) ** j) ** 2)
        found = stationary(Averaged(GradientDescent(alpha)), [value], steps, AdditiveNoise(sigma))
        assert float(found) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("initial", ["first", "start", "corrected"])
def test_stationary_variance_of_a_moving_average(initial):
    """V(1 - β)(1 + βr)/((1 + β)(1 - βr)) with r = 1 - αλ."""
    alpha, decay, sigma = 0.3, 0.9, 0.7
    r = 1 - alpha
    alone = alpha * sigma / (2 - alpha)
    expected = alone * (1 - decay) * (1 + decay * r) / ((1 + decay) * (1 - decay * r))
    rule = EMA(GradientDescent(alpha), decay, initial)
    found = stationary(rule, [1.0], 200, AdditiveNoise(sigma))
    assert float(found) == pytest.approx(expected, rel=0.04)


def test_stationary_variance_of_independent_batches():
    """Where all rows agree but for y, the noise is additive: Var = var(y)/S, as published."""
    y = RNG.normal(size=40)
    problem = least_squares(np.ones((40, 1)), y)  # J = ½ mean (θ - y)²: λ = 1, gradients θ - y_i
    size, alpha = 5, 0.4
    noise = MiniBatch(size, replacement=True, independent=True)
    end = simulate(problem, GradientDescent(alpha), np.zeros((MANY, 1)), 60, noise, seed=1).theta[
        -1
    ]
    assert end.mean() == pytest.approx(y.mean(), abs=0.02)
    assert end.var() == pytest.approx(alpha * y.var() / size / (2 - alpha), rel=0.04)


def test_a_whole_epoch_without_replacement_averages_its_noise_away():
    """After an epoch with equal curvature in all rows the error depends on the order only."""
    y = RNG.normal(size=40)
    problem = least_squares(np.ones((40, 1)), y)
    ends = {}
    for replacement in (False, True):
        noise = MiniBatch(5, replacement, independent=True)
        start = np.full((MANY, 1), y.mean())
        run = simulate(problem, GradientDescent(0.02), start, 8, noise, seed=1)
        ends[replacement] = run.theta[-1].var()
    assert ends[False] < 0.05 * ends[True]


# -- schedules -------------------------------------------------------------------------------------

SCHEDULED = [
    GradientDescent(Step(0.4, 0.5, 10)),
    HeavyBall(Exponential(0.2, 0.98), Linear(0.5, 0.9, 20)),
    OuterMomentum(Step(0.2, 0.1, 7), 0.8),
    WeightDecay(HeavyBall(Step(0.2, 0.1, 7)), Linear(0.5, 0.1, 20)),
    Averaged(Lookahead(HeavyBall(0.1, Linear(0.5, 0.9, 20)), 3, Step(0.9, 0.5, 9))),
    ClippedByNorm(Nesterov(0.1), Linear(5.0, 0.1, 20)),
    Ahead(0.1, Linear(0.9, 0.1, 25)),
]


@each("rule", SCHEDULED, ids=lambda rule: type(rule).__name__)
@each("noise", [None, AdditiveNoise(0.3)], ids=["exact", "noisy"])
def test_schedules_act_step_by_step(rule, noise):
    starts = RNG.normal(size=(4, 3))
    truth = loop(PLAIN, rule, starts, 30, noise)
    path = simulate(PLAIN, rule, starts, 30, noise, record="path")
    close(path.theta, truth)
    last = simulate(PLAIN, rule, starts, 30, noise, record="loss")
    assert last.theta[-1] == pytest.approx(truth[-1], rel=1e-11, abs=1e-13)
    close(last.loss, path.loss)


def test_schedules_of_values_per_run():
    rates = np.array([[0.1], [0.3]])
    together = simulate(PLAIN, HeavyBall(Step(rates, 0.5, 5), 0.7), np.ones(3), 20, record="path")
    for run, rate in enumerate((0.1, 0.3)):
        alone = simulate(PLAIN, HeavyBall(Step(rate, 0.5, 5), 0.7), np.ones(3), 20, record="path")
        assert together.theta[:, run] == pytest.approx(alone.theta, rel=1e-12)


def test_values_per_run_inside_other_optimizers(monkeypatch):
    rates = np.linspace(0.01, 0.4, 600)[:, None]
    rule = Averaged(ClippedByNorm(HeavyBall(rates, 0.6), 1.5), after=3)
    monkeypatch.setattr(engine, "TILE_ELEMENTS", 1)
    together = simulate(PLAIN, rule, np.ones(3), 20, record="path")
    assert together.theta.shape == (21, 600, 3)
    for run in (0, 255, 256, 599):
        one = Averaged(ClippedByNorm(HeavyBall(float(rates[run, 0]), 0.6), 1.5), after=3)
        alone = simulate(PLAIN, one, np.ones(3), 20, record="path")
        assert together.theta[:, run] == pytest.approx(alone.theta, rel=1e-12)


def test_a_schedule_shorter_than_the_run():
    for rule in (GradientDescent(Table([0.1] * 9)), Averaged(HeavyBall(0.1, Table([0.5] * 9)))):
        simulate(PLAIN, rule, np.ones(3), 9)
        with pytest.raises(InputError, match="covers 9 steps, but the run has 10"):
            simulate(PLAIN, rule, np.ones(3), 10)


def test_growing_the_batch_or_lowering_the_rate_gives_like_noise():
    """Smith et al. (2018): at small αλ the variance depends on α/S."""
    y = RNG.normal(size=64)
    problem = least_squares(np.ones((64, 1)), y)
    start, half = np.full((8000, 1), y.mean()), 100
    grown = MiniBatch(Growing(2, 4.0, half, largest=8), replacement=True, independent=True)
    more = simulate(problem, GradientDescent(0.1), start, 2 * half, grown, seed=1).theta[-1].var()
    fixed = MiniBatch(2, replacement=True, independent=True)
    rate = Step(0.1, 0.25, half)
    less = simulate(problem, GradientDescent(rate), start, 2 * half, fixed, seed=2).theta[-1].var()
    r = (1 - 0.025) ** half  # what is left of the deviation before the drop
    exact_more = 0.1 * y.var() / 8 / (2 - 0.1)
    exact_less = r**2 * 0.1 * y.var() / 2 / 1.9 + (1 - r**2) * 0.025 * y.var() / 2 / 1.975
    assert more == pytest.approx(exact_more, rel=0.07)
    assert less == pytest.approx(exact_less, rel=0.07)
    assert exact_less == pytest.approx(exact_more, rel=0.05)
