"""Rules that draw random numbers: their moments, decisions, conventions and linear forms."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from cases import each

from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.forms import LINEAR_TERM, Direction, Form, Trace, draw_of, noise_of
from convex_analyzer.noise import AdditiveNoise, MiniBatch, Sampler
from convex_analyzer.optimizers.averaging import Averaged
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.optimizers.sampling import GradientNoise, Langevin, SimulatedAnnealing
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.schedules import Constant, Exponential, Power
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing.case import PlainProblem
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.iteration import linearise
from convex_analyzer.theory.stability import stable_learning_rates

pytestmark = pytest.mark.survey

MANY = 20_000
BOWL = Quadratic.diagonal([1.0, 0.5, 3.0], [0.3, 0.0, -1.0])


def close_in_variance(found, expected, share=0.04):
    assert np.var(found, axis=0) == pytest.approx(expected, rel=share)


class ExtraGradient(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        ahead = theta - self.learning_rate * problem.gradient(theta)
        return theta - self.learning_rate * problem.gradient(ahead)


# -- Langevin dynamics -----------------------------------------------------------------------------


def test_langevin_over_time():
    """Mean (1 - αλ)^k from the minimiser, variance 2αT Σ (1 - αλ)^2j."""
    alpha, heat, steps = 0.3, 0.7, 6
    values = np.array([1.0, 0.5, 3.0])
    start = BOWL.minimizer + np.array([2.0, -1.0, 1.0])
    run = simulate(BOWL, Langevin(alpha, heat), np.tile(start, (MANY, 1)), steps)
    q = 1 - alpha * values
    variance = 2 * alpha * heat * (1 - q ** (2 * steps)) / (1 - q**2)
    mean = BOWL.minimizer + q**steps * (start - BOWL.minimizer)
    end = run.theta[-1]
    assert np.all(np.abs(end.mean(axis=0) - mean) < 4.5 * np.sqrt(variance / MANY))
    close_in_variance(end, variance)


def test_langevin_samples_the_gibbs_distribution_in_the_limit_of_small_steps():
    """Var → T/λ as α → 0; at finite α it is T/(λ(1 - αλ/2))."""
    zero = np.zeros((MANY, 1))
    for alpha, steps in ((0.05, 150), (1.5, 40)):
        end = simulate(Quadratic.diagonal([1.0]), Langevin(alpha, 0.4), zero, steps).theta[-1]
        close_in_variance(end, 0.4 / (1 - alpha / 2))


def test_at_temperature_zero_langevin_is_gradient_descent():
    start = np.array([1.0, 2.0, 3.0])
    cold = simulate(BOWL, Langevin(0.3, 0.0), start, 30, record="path").theta
    assert np.array_equal(
        cold, simulate(BOWL, GradientDescent(0.3), start, 30, record="path").theta
    )


def test_sgld_counts_its_step_twice():
    start = np.ones((5, 3))
    ours = simulate(BOWL, Langevin(0.2, 0.7), start, 20, seed=3).theta
    theirs = simulate(BOWL, Langevin(0.4, 0.7, sgld=True), start, 20, seed=3).theta
    assert np.array_equal(ours, theirs)


def test_sgld_on_data_has_both_noises():
    """One row at a time, loss a sum: α²N²σ² of the batches and 2αT, over 1 - (1 - αN)²."""
    rng = np.random.default_rng(5)
    y = rng.normal(size=10)
    problem = least_squares(np.ones((10, 1)), y, loss="half_rss")  # λ = N
    noise = MiniBatch(1, replacement=True, independent=True)
    rule = Langevin(0.02, 1.0, sgld=True)
    end = simulate(problem, rule, np.zeros((MANY, 1)), 60, noise, seed=2).theta[-1]
    variance = (0.01**2 * 100 * y.var() + 0.02) / (1 - (1 - 0.1) ** 2)
    close_in_variance(end, variance)
    assert end.mean() == pytest.approx(y.mean(), abs=0.02)


def test_langevin_on_forms():
    """Linear, with one channel for the draw and one for the gradient."""
    trace = Trace()
    direction = Direction(2.0, trace)
    moved = Langevin(0.3, 0.7).step(direction, 1, Form(0, {"theta": 1}, trace))
    assert not trace.reasons
    assert direction.draws == [pytest.approx(0.42)]
    assert moved.parts[draw_of(1)] == 1
    assert moved.parts[noise_of(1)] == pytest.approx(-0.3)
    assert moved.parts[LINEAR_TERM] == pytest.approx(-0.3)
    analysis = analyze(BOWL, Langevin(0.3))
    assert (analysis.scope, analysis.is_stable) == ("global", True)
    assert analysis.stability_limit == pytest.approx(2 / 3, rel=1e-15)
    assert stable_learning_rates(Langevin(0.3, sgld=True), np.array([1.0])) == [(0.0, 4.0)]


def test_langevin_on_symbols():
    alpha, heat, lam = sympy.symbols("alpha T lambda", positive=True)
    rule = Langevin(0.1).unchecked(learning_rate=alpha, temperature=heat)
    ((entry,),) = linearise(rule, lam).matrix
    assert sympy.expand(entry - (1 - alpha * lam)) == 0
    direction = Direction(lam, Trace())
    rule.step(direction, 1, Form(0, {"theta": 1}, direction.trace))
    assert direction.draws == [2 * alpha * heat]


def test_two_draws_are_two_channels():
    class Twice(Optimizer):
        def step(self, problem, t, theta):
            return theta / 2 + 3 * problem.normal(theta, 4.0) - problem.normal(theta)

    trace = Trace()
    direction = Direction(1.0, trace)
    moved = Twice().step(direction, 1, Form(0, {"theta": 1}, trace))
    assert (moved.parts[draw_of(1)], moved.parts[draw_of(2)]) == (3, -1)
    assert direction.draws == [4.0, 1.0]
    assert draw_of(1) != noise_of(1)


def test_the_posterior_of_a_scheduled_rate():
    """Schedules reach the size of the draws: one step at each rate."""
    rule = Langevin(Exponential(0.8, 0.5), 0.5)
    end = simulate(Quadratic(np.zeros((1, 1))), rule, np.zeros((MANY, 1)), 3).theta[-1]
    close_in_variance(end, 2 * 0.5 * (0.8 + 0.4 + 0.2))


# -- gradient noise --------------------------------------------------------------------------------


@pytest.mark.parametrize(("eta", "gamma"), [(0.01, 0.55), (2.0, 0.0), (1.0, 1.5)])
def test_the_variance_falls_with_a_power_of_the_step(eta, gamma):
    """η/t^γ, from one step each on a plane where only the noise moves θ."""
    plane = PlainProblem(np.zeros((1, 1)), np.zeros(1))
    rule = GradientNoise(GradientDescent(1.0), eta, gamma)
    for t in (1, 2, 10, 1000):
        seen = Sampler(None, 0, 0, MANY, with_draws=True).at(plane, t)
        (moved,) = rule.step(seen, t, np.zeros((MANY, 1)))
        assert moved.mean() == pytest.approx(0, abs=4.5 * np.sqrt(eta / t**gamma / MANY))
        close_in_variance(moved, eta / t**gamma)


def test_the_paper_counts_from_zero():
    """η/(1 + t)^γ with t = 0, 1, ... (Neelakantan et al., 2015)."""
    rule = GradientNoise(GradientDescent(1.0), 0.3, 0.55)
    plane = PlainProblem(np.zeros((1, 1)), np.zeros(1))
    for t in range(5):
        (moved,) = rule.step(plane, t + 1, np.zeros((1, 1)))
        assert abs(float(moved[0, 0])) == pytest.approx(np.sqrt(0.3 / (1 + t) ** 0.55))


def test_all_gradients_of_a_step_have_the_same_error():
    seen = []

    class Spy(Optimizer):
        learning_rate: Positive = 0.1

        def step(self, problem, t, theta):
            seen.append((problem.gradient(theta), problem.gradient(theta + 1)))
            return theta - self.learning_rate * seen[-1][0]

    points = simulate(BOWL, GradientNoise(Spy(), 1.0), np.ones((4, 3)), 5, record="path").theta
    errors = [
        (first - BOWL.gradient(x), second - BOWL.gradient(x + 1))
        for (first, second), x in zip(seen, points, strict=False)
    ]
    assert len(errors) == 5
    for first, second in errors:
        assert first == pytest.approx(second, abs=1e-13)
        assert np.std(first) > 0.01


def test_gradient_noise_over_time():
    """Variance Σ α²η/t^γ q^(2(k - t)) of gradient descent."""
    alpha, eta, gamma, steps = 0.4, 0.8, 0.7, 12
    rule = GradientNoise(GradientDescent(alpha), eta, gamma)
    end = simulate(Quadratic.diagonal([1.0]), rule, np.zeros((MANY, 1)), steps).theta[-1]
    t = np.arange(1, steps + 1)
    close_in_variance(end, np.sum(alpha**2 * eta / t**gamma * (1 - alpha) ** (2.0 * (steps - t))))


def test_gradient_noise_of_two_wrappers_adds_up():
    rule = GradientNoise(GradientNoise(GradientDescent(1.0), 0.5, 0.0), 0.25, 0.0)
    end = simulate(Quadratic(np.zeros((1, 1))), rule, np.zeros((MANY, 1)), 1).theta[-1]
    close_in_variance(end, 0.75)
    both = simulate(
        Quadratic(np.zeros((1, 1))), rule, np.zeros((MANY, 1)), 1, AdditiveNoise(1.0)
    ).theta[-1]
    close_in_variance(both, 1.75)


def test_what_gradient_noise_leaves_of_the_inner_rule():
    inner = HeavyBall(0.3, 0.5)
    rule = GradientNoise(inner)
    assert (rule.period, rule.settles, rule.random) == (None, True, True)
    assert GradientNoise(inner, gamma=0.0).period == 1
    assert GradientNoise(Averaged(inner), gamma=0.0).period is None
    assert not GradientNoise(Averaged(inner)).settles
    for same in (rule, GradientNoise(inner, gamma=0.0)):
        assert analyze(BOWL, same).rate == pytest.approx(analyze(BOWL, inner).rate, rel=1e-13)
        assert analyze(BOWL, same).stability_limit == pytest.approx(1.0)
    trace = Trace()
    direction = Direction(1.0, trace)
    moved, _ = GradientNoise(ExtraGradientMomentum(0.3)).step(
        direction, 4, Form(0, {"theta": 1}, trace), Form(0, {"velocity": 1}, trace)
    )
    assert direction.draws == [pytest.approx(0.01 / 4**0.55)]
    assert direction.calls == 2
    assert not trace.reasons
    assert moved.parts[draw_of(1)] == pytest.approx(-0.3 * (1 - 0.3))


class ExtraGradientMomentum(ExtraGradient):
    """With a slot, so that forms pass one through."""

    def step(self, problem, t, theta, velocity):
        return super().step(problem, t, theta), velocity


def test_without_size_there_is_no_gradient_noise():
    start = np.array([1.0, 2.0, 3.0])
    quiet = simulate(BOWL, GradientNoise(HeavyBall(0.3), eta=0.0), start, 30, record="path").theta
    assert np.array_equal(quiet, simulate(BOWL, HeavyBall(0.3), start, 30, record="path").theta)


# -- simulated annealing ---------------------------------------------------------------------------


def test_at_a_constant_temperature_metropolis_samples_the_gibbs_distribution():
    """Var = T/λ, without a bias of the step size; coordinates uncorrelated."""
    values, heat = np.array([1.0, 3.0]), 0.6
    rule = SimulatedAnnealing(heat, 1.0, 0.9)
    end = simulate(Quadratic.diagonal(values), rule, np.zeros((MANY, 2)), 150).theta[-1]
    close_in_variance(end, heat / values)
    assert abs(np.corrcoef(end.T)[0, 1]) < 0.03
    assert np.mean(end**4, axis=0) == pytest.approx(3 * (heat / values) ** 2, rel=0.1)


def test_acceptance_probability_of_a_single_step():
    """From x the next point is Gaussian around x, weighted by min(1, exp(-ΔJ/T))."""
    x, size, heat = 1.0, 0.8, 0.5
    rule = SimulatedAnnealing(heat, 1.0, size)
    end = simulate(Quadratic.diagonal([1.0]), rule, np.full((4 * MANY, 1), x), 1).theta[-1, :, 0]
    xi = np.linspace(-8, 8, 400_001)
    density = np.exp(-(xi**2) / 2) / np.sqrt(2 * np.pi)
    rise = ((x + size * xi) ** 2 - x**2) / 2
    accepted = np.sum(density * np.minimum(1, np.exp(-rise / heat))) * (xi[1] - xi[0])
    assert np.mean(end != x) == pytest.approx(accepted, abs=4.5 * 0.5 / np.sqrt(4 * MANY))
    moved = np.sum(density * xi * size * np.minimum(1, np.exp(-rise / heat))) * (xi[1] - xi[0])
    assert np.mean(end - x) == pytest.approx(moved, abs=4.5 * size / np.sqrt(4 * MANY))


def test_all_coordinates_of_a_run_share_the_decision_and_runs_do_not():
    start = np.ones((2000, 3))
    end = simulate(BOWL, SimulatedAnnealing(0.2, 1.0, 1.0), start, 1).theta[-1]
    stayed = end == start
    assert np.all(stayed.all(axis=1) == stayed.any(axis=1))
    assert 0.1 < stayed[:, 0].mean() < 0.9


def test_at_temperature_zero_no_step_ascends():
    with np.errstate(all="raise"):
        loss = simulate(
            BOWL, SimulatedAnnealing(0.0, 0.99, 0.3), np.ones((50, 3)), 300, record="loss"
        ).loss
    assert np.all(np.diff(loss, axis=0) <= 0)
    assert np.all(loss[-1] < loss[0])


def test_an_infinitely_hot_run_is_a_random_walk():
    end = simulate(BOWL, SimulatedAnnealing(1e300, 1.0, 0.5), np.zeros((MANY, 3)), 8).theta[-1]
    close_in_variance(end, 8 * 0.25 * np.ones(3))


def test_cooling():
    """T c^(t - 1) in step t: the same as a schedule of temperatures, to rounding."""
    starts = np.ones((50, 3))
    cooled = SimulatedAnnealing(0.7, 0.9, 0.3)
    scheduled = SimulatedAnnealing(Exponential(0.7, 0.9), 1.0, 0.3)
    one, two = (simulate(BOWL, rule, starts, 60, record="path") for rule in (cooled, scheduled))
    assert np.array_equal(one.theta, two.theta)
    constant = simulate(BOWL, SimulatedAnnealing(Constant(0.7), 1.0, 0.3), starts, 60)
    assert not np.array_equal(constant.theta[-1], one.theta[-1])


def test_annealing_ends_near_the_minimum_and_a_hot_run_does_not():
    start = np.full((200, 3), 3.0)
    cold = simulate(BOWL, SimulatedAnnealing(2.0, 0.99, 0.1), start, 3000).loss[-1] - BOWL.minimum
    hot = simulate(BOWL, SimulatedAnnealing(2.0, 1.0, 0.1), start, 3000).loss[-1] - BOWL.minimum
    assert np.median(cold) < 1e-2
    assert hot.mean() == pytest.approx(3 * 2.0 / 2, rel=0.25)  # d T/2


def test_annealing_takes_no_gradients():
    class Blind:
        dimension = 2

        def value(self, theta):
            return (theta**2).sum(axis=-1)

        def gradient(self, theta):
            raise AssertionError("no gradient is needed")

    simulate(Blind(), SimulatedAnnealing(), np.ones((3, 2)), 20)


def test_annealing_has_no_closed_form():
    for rule in (SimulatedAnnealing(), SimulatedAnnealing(cooling=1.0)):
        with pytest.raises(NotDerivableError, match="SimulatedAnnealing"):
            _ = analyze(BOWL, rule).rate
    assert SimulatedAnnealing().period is None
    assert not SimulatedAnnealing().settles
    assert SimulatedAnnealing(cooling=1.0).period == 1
    trace = Trace()
    Direction(1.0, trace).uniform(Form(0, {"theta": 1}, trace))
    assert trace.reasons == ["a random decision"]


# -- all of them -----------------------------------------------------------------------------------

RULES = [Langevin(0.1), GradientNoise(HeavyBall(0.1)), SimulatedAnnealing()]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_draws_are_repeated_by_the_seed_alone(rule):
    def end(seed, **more):
        return simulate(BOWL, rule, np.ones((3, 3)), 80, seed=seed, **more).theta[-1]

    assert np.array_equal(end(1), end(1))
    assert not np.array_equal(end(1), end(2))
    assert end(1, record="loss") == pytest.approx(end(1), rel=1e-12)
    assert len(np.unique(end(1), axis=0)) == 3, "runs have draws of their own"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_rules_without_an_engine_get_the_stand_ins_of_the_kit(rule):
    problem = PlainProblem(np.eye(3), np.zeros(3))
    state = (np.ones((2, 3)), *rule.start(problem, np.ones((2, 3))))
    one, two = rule.step(problem, 1, *state), rule.step(problem, 1, *state)
    assert np.array_equal(one, two)


def test_stand_ins():
    theta = np.zeros((2, 3))
    problem = PlainProblem(np.eye(3), np.zeros(3))
    assert problem.normal(theta) == pytest.approx(np.tile([1, -1 / 2, 1 / 3], (2, 1)))
    assert problem.normal(theta, 4.0) == pytest.approx(2 * problem.normal(theta))
    assert problem.uniform(theta) == pytest.approx(np.tile([1 / 3, 1 / 5, 1 / 7], (2, 1)))
    assert not np.any(PlainProblem(np.eye(3), np.zeros(3), draws=0.0).normal(theta))


INNER = GradientDescent(0.1)


@each(
    ("cls", "settings", "sentence"),
    [
        (Langevin, {"learning_rate": 0.0}, "learning_rate must be positive"),
        (Langevin, {"learning_rate": 0.1, "temperature": -1}, "temperature must be non-negative"),
        (Langevin, {"learning_rate": 0.1, "sgld": 1}, "sgld must be True or False"),
        (GradientNoise, {"optimizer": INNER, "eta": -1}, "eta must be non-negative"),
        (GradientNoise, {"optimizer": INNER, "gamma": -1}, "gamma must be non-negative"),
        (GradientNoise, {"optimizer": 0.1}, "optimizer must be an Optimizer, got 0.1"),
        (SimulatedAnnealing, {"temperature": -1.0}, "temperature must be non-negative"),
        (SimulatedAnnealing, {"cooling": 1.1}, "cooling must be in [0, 1]"),
        (SimulatedAnnealing, {"step_size": 0.0}, "step_size must be positive"),
    ],
)
def test_bad_settings(cls, settings, sentence):
    with pytest.raises(InputError) as caught:
        cls(**settings)
    assert str(caught.value).startswith(f"{cls.__name__}: {sentence}")


def test_a_schedule_of_robbins_and_monro_is_a_rate():
    rule = Langevin(Power(0.4, 0.55), 0.0)
    start = np.array([1.0])
    end = simulate(Quadratic.diagonal([1.0]), rule, start, 3).theta[-1, 0]
    assert end == pytest.approx(np.prod([1 - 0.4 / t**0.55 for t in (1, 2, 3)]), rel=1e-13)
